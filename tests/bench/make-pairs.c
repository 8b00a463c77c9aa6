// SPDX-License-Identifier: MIT
// make-pairs random|clusters NODES PAIRS SEED: writes a seeded pairs stream to standard output, in
// constant memory. `random`: partners are uniform, and so are scores. `clusters`: 19 of 20 partners
// are in the item's group of 64, whose ids are spread over the whole range, with scores of 0.6 to
// 1; the others are uniform, with scores of 0 to 0.6.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "stream/stream.h"

enum { GROUP = 64, MOST = 4096 };

static uint64_t nodes, seed;

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "make-pairs: %s\n", text);
    exit(1);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Items are in one group if their ids are equal modulo nodes / GROUP.
static uint64_t partner(uint64_t i, uint64_t draw, int clusters, float *score)
{
    uint64_t r = cdp_random(seed, draw * 2), s = cdp_random(seed, draw * 2 + 1);
    float unit = (float)(s >> 40) * 0x1p-24F;
    uint64_t groups = nodes / GROUP;
    *score = clusters ? unit * 0.6F : unit;
    if (!clusters || r % 20 == 0 || i + groups >= nodes)
        return i + 1 + (r >> 8) % (nodes - i - 1);
    *score = 0.6F + unit * 0.4F;
    return i + groups * (1 + (r >> 8) % ((nodes - 1 - i) / groups));
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage: make-pairs random|clusters NODES PAIRS SEED");
    int clusters = !strcmp(argv[1], "clusters");
    nodes = strtoull(argv[2], NULL, 10);
    uint64_t pairs = strtoull(argv[3], NULL, 10), draw = 0;
    seed = strtoull(argv[4], NULL, 10);

    struct cdp_err err;
    struct cdp_output *output;
    struct cdp_writer *writer;
    struct cdp_header header;
    cdp_header_init(&header, CDP_PAIRS);
    header.nodes = nodes;
    if (nodes < 2 * GROUP || cdp_output_open(&output, NULL, 1, &err) ||
        cdp_writer_open(&writer, output, &header, 1, 0, &err))
        die("cannot begin");
    for (uint64_t i = 0; i + 1 < nodes; i++) {
        // A pair is listed at its smaller id. The count falls with i, so that the degree is about
        // uniform.
        double share = 2.0 * (double)(nodes - i) / (double)nodes * (double)pairs / (double)nodes;
        uint64_t count = (uint64_t)share;
        count += (double)(cdp_random(~seed, i) >> 11) * 0x1p-53 < share - (double)count;
        uint64_t list[MOST];
        float score[MOST];
        if (count > MOST)
            die("too many pairs a node");
        // Scores are not sorted with the partners; both are random.
        for (uint64_t p = 0; p < count; p++)
            list[p] = partner(i, draw++, clusters, &score[p]);
        qsort(list, count, sizeof *list, ascending);
        for (uint64_t p = 0; p < count; p++) {
            if ((p == 0 || list[p] > list[p - 1]) &&
                cdp_writer_add(writer, i, list[p], &score[p], &err))
                die(err.text);
        }
    }
    if (cdp_writer_finish(writer, NULL, &err) || cdp_output_commit(output, &err))
        die(err.text);
    cdp_writer_free(writer);
}
