// SPDX-License-Identifier: MIT
// components STREAM: prints the number of connected components of a pairs stream, found by
// union-find without the scores. No program that clusters pairs does less, so it bounds
// cdp-propagate from below.
#include <stdio.h>
#include <stdlib.h>

#include "stream/stream.h"

enum { AHEAD = 16 };

static uint32_t find(uint32_t *root, uint32_t node)
{
    while (root[node] != node) {
        root[node] = root[root[node]];
        node = root[node];
    }
    return node;
}

int main(int argc, char **argv)
{
    struct cdp_reader *reader;
    struct cdp_block block;
    struct cdp_err err;
    int status = 0;
    if (argc < 2 ||
        cdp_reader_open(&reader, argv[1], 1 << CDP_PAIRS, "components reads pairs", 1, &err))
        return 1;
    uint64_t nodes = cdp_reader_header(reader)->nodes, components = nodes;
    uint32_t *root = malloc(nodes * sizeof *root);
    if (!nodes || !root)
        return 1;
    for (uint64_t n = 0; n < nodes; n++)
        root[n] = (uint32_t)n;
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        for (size_t e = 0; e < block.edges; e++) {
            if (e + AHEAD < block.edges)
                __builtin_prefetch(&root[block.target[e + AHEAD]]);
            uint32_t a = find(root, (uint32_t)block.source[e]);
            uint32_t b = find(root, (uint32_t)block.target[e]);
            components -= a != b;
            root[a > b ? a : b] = a > b ? b : a;
        }
    }
    printf("%llu components\n", (unsigned long long)components);
    cdp_reader_close(reader);
    free(root);
    return status != 0;
}
