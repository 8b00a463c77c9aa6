// SPDX-License-Identifier: MIT
#include "synth/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "tap.h"

enum { ITEMS = 700, IDENTITIES = 40, DIM = 36, NUMBERS = ITEMS * DIM };

static uint32_t labels[ITEMS];
static float rows[NUMBERS], others[NUMBERS];

static struct cdp_synth small(void)
{
    struct cdp_synth synth = cdp_synth_default;
    synth.items = ITEMS;
    synth.identities = IDENTITIES;
    synth.dim = DIM;
    return synth;
}

// The fewest and the most items of an identity, or false where a label is none of an identity.
static bool sizes(const uint32_t *of, uint64_t items, uint32_t identities, uint64_t range[2])
{
    uint64_t *count = calloc(identities, sizeof *count);
    bool good = count;
    for (uint64_t i = 0; good && i < items; i++) {
        good = of[i] < identities;
        if (good)
            count[of[i]]++;
    }
    range[0] = UINT64_MAX;
    range[1] = 0;
    for (uint32_t i = 0; good && i < identities; i++) {
        range[0] = count[i] < range[0] ? count[i] : range[0];
        range[1] = count[i] > range[1] ? count[i] : range[1];
    }
    free(count);
    return good;
}

static void test_labels(void)
{
    struct cdp_synth synth = small();
    uint64_t range[2];
    cdp_synth_labels(&synth, labels);
    ok(sizes(labels, ITEMS, IDENTITIES, range), "labels are numbers of identities");
    ok(range[0] > 0 && range[1] > 2 * ITEMS / IDENTITIES, "every identity has items, some many");
    uint32_t changes = 0;
    for (int i = 1; i < ITEMS; i++)
        changes += labels[i] != labels[i - 1];
    ok(changes > ITEMS / 2, "items are in no order");

    synth.identities = ITEMS;
    cdp_synth_labels(&synth, labels);
    ok(sizes(labels, ITEMS, ITEMS, range) && range[1] == 1, "as many identities as items");
    synth.identities = 1;
    cdp_synth_labels(&synth, labels);
    ok(sizes(labels, ITEMS, 1, range) && range[0] == ITEMS, "one identity");
}

static void test_rows(void)
{
    struct cdp_synth synth = small();
    cdp_synth_labels(&synth, labels);
    cdp_synth_rows(&synth, labels, 0, 0, ITEMS, 1, rows);
    double worst = 0;
    for (int i = 0; i < ITEMS; i++) {
        double square = 0;
        for (int d = 0; d < DIM; d++)
            square += (double)rows[i * DIM + d] * rows[i * DIM + d];
        worst = fmax(worst, fabs(square - 1));
    }
    ok(worst < 1e-6, "rows have length 1");

    for (int threads = 1; threads <= 8; threads *= 2) {
        cdp_synth_rows(&synth, labels, 0, 0, ITEMS, threads, others);
        ok(!memcmp(rows, others, sizeof rows), "the same rows by %d threads", threads);
    }
    memset(others, 0, sizeof others);
    for (int first = 0, count = 1; first < ITEMS; first += count, count = 2 * count + 1) {
        if (count > ITEMS - first)
            count = ITEMS - first;
        cdp_synth_rows(&synth, labels, 0, first, count, 2, others + first * DIM);
    }
    ok(!memcmp(rows, others, sizeof rows), "the same rows in pieces");

    cdp_synth_rows(&synth, labels, 1, 0, ITEMS, 1, others);
    ok(memcmp(rows, others, sizeof rows), "another model has other rows");
    synth.seed = 2;
    cdp_synth_rows(&synth, labels, 0, 0, ITEMS, 1, others);
    ok(memcmp(rows, others, sizeof rows), "another seed has other rows");
}

// The mean cosine of item i and the next item of the same identity.
static double agreement(const struct cdp_synth *synth)
{
    cdp_synth_rows(synth, labels, 0, 0, ITEMS, 1, rows);
    double sum = 0;
    int count = 0;
    for (int i = 0; i < ITEMS; i++) {
        int j = i + 1;
        while (j < ITEMS && labels[j] != labels[i])
            j++;
        for (int d = 0; j < ITEMS && d < DIM; d++)
            sum += (double)rows[i * DIM + d] * rows[j * DIM + d];
        count += j < ITEMS;
    }
    return sum / count;
}

static void test_difficulty(void)
{
    struct cdp_synth synth = small();
    cdp_synth_labels(&synth, labels);
    double mean = agreement(&synth);
    synth.noise *= 10;
    ok(mean > agreement(&synth), "a model with more noise is weaker");
}

static void test_modes(void)
{
    struct cdp_synth synth = small();
    cdp_synth_labels(&synth, labels);
    double mean = agreement(&synth);
    synth.modes = 4;
    synth.mode = 0.5;
    ok(mean > agreement(&synth), "images of several modes agree less");
    mean = agreement(&synth);
    synth.modes = 1;
    ok(mean < agreement(&synth), "one mode has no variance");
}

static void test_frozen(struct cdp_synth synth, uint64_t expected, const char *name)
{
    synth.items = ITEMS;
    synth.identities = IDENTITIES;
    synth.dim = DIM;
    cdp_synth_labels(&synth, labels);
    cdp_synth_rows(&synth, labels, 3, 0, ITEMS, 2, rows);
    uint32_t words[ITEMS + NUMBERS]; // hashed as little-endian bytes
    unsigned char bytes[sizeof words];
    memcpy(words, labels, sizeof labels);
    memcpy(words + ITEMS, rows, sizeof rows);
    for (int i = 0; i < ITEMS + NUMBERS; i++)
        cdp_put_le(bytes + 4 * i, 4, words[i]);
    uint64_t digest = XXH64(bytes, sizeof bytes, 0);
    ok(digest == expected, "%s: the data are those of every release: %llx", name,
       (unsigned long long)digest);
}

int main(void)
{
    test_labels();
    test_rows();
    test_difficulty();
    test_modes();
    test_frozen(cdp_synth_default, UINT64_C(0x41f8ac0c9a317c9b), "plain");
    test_frozen(cdp_synth_emore, UINT64_C(0x016071d9564d8e06), "emore");
    return done();
}
