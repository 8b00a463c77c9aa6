// SPDX-License-Identifier: MIT
#include "score/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tap.h"

// Pairs of lists against a matrix of all pairs; the order of items.

enum { ITEMS = 300, TABLES = 3, LONGEST = 20 };

static struct cdp_table table[TABLES];

// Lists of up to LONGEST different items, some empty, in no order.
static void draw_lists(struct cdp_table *t, uint64_t seed)
{
    t->rows = ITEMS;
    t->offset = calloc(ITEMS + 1, sizeof *t->offset);
    t->target = calloc((size_t)ITEMS * LONGEST, sizeof *t->target);
    t->distance = calloc((size_t)ITEMS * LONGEST, sizeof *t->distance);
    for (uint64_t i = 0; i < ITEMS; i++) {
        bool seen[ITEMS] = {false};
        uint64_t wanted = cdp_random(seed, i) % (LONGEST + 1), end = t->offset[i];
        for (uint64_t n = 0; n < wanted; n++) {
            uint32_t j = (uint32_t)(cdp_random(seed + 100 + i, n) % ITEMS);
            if (seen[j] || j == i)
                continue;
            seen[j] = true;
            t->target[end] = j;
            t->distance[end++] = (float)(cdp_random(seed, 1000 * i + j) >> 40);
        }
        t->offset[i + 1] = end;
    }
}

// score[i][j] of the pair i < j, NaN where there is none.
static void all_pairs(float (*score)[ITEMS], unsigned tables, const uint8_t *keep)
{
    for (size_t i = 0; i < ITEMS; i++) {
        for (size_t j = 0; j < ITEMS; j++)
            score[i][j] = NAN;
    }
    for (int from_smaller = 0; from_smaller < 2; from_smaller++) { // the later ones overwrite
        for (unsigned m = 0; m < tables; m++) {
            for (uint64_t i = 0; i < ITEMS; i++) {
                for (uint64_t e = table[m].offset[i]; e < table[m].offset[i + 1]; e++) {
                    uint64_t j = table[m].target[e];
                    if ((i < j) == from_smaller && (!keep || keep[e]))
                        score[i < j ? i : j][i < j ? j : i] = table[m].distance[e];
                }
            }
        }
    }
}

static void test_lists(unsigned tables, const uint8_t *keep, uint64_t first, uint64_t end,
                       bool scored)
{
    static float wanted[ITEMS][ITEMS];
    struct cdp_pair_lists got;
    struct cdp_err err;
    all_pairs(wanted, tables, keep);
    if (!ok(!cdp_pair_lists_new(&got, table, tables, keep, scored, (uint64_t[2]){first, end}, &err),
            "pairs"))
        return;
    int wrong = got.begin[0] != 0 || (got.score != NULL) != scored;
    uint64_t p = 0;
    for (uint64_t i = first; i < end; i++) {
        wrong += got.begin[i - first] != p;
        for (uint32_t j = (uint32_t)i + 1; j < ITEMS; j++) {
            if (wanted[i][j] != wanted[i][j])
                continue;
            wrong += got.other[p] != j;
            wrong += scored && memcmp(&got.score[p], &wanted[i][j], sizeof(float)) != 0;
            p++;
        }
        wrong += got.begin[i - first + 1] != p;
    }
    ok(wrong == 0, "%llu pairs of %u tables, rows %llu:%llu%s%s", (unsigned long long)p, tables,
       (unsigned long long)first, (unsigned long long)end, keep ? ", kept" : "",
       scored ? ", with scores" : "");
    cdp_pair_lists_free(&got);
}

// Groups of 10 items, each scattered over all ids, whose lists are of their groups and one
// stranger.
static void test_order(void)
{
    enum { SIZE = 10, GROUPS = ITEMS / SIZE };
    uint64_t offset[ITEMS + 1];
    uint32_t target[ITEMS * SIZE], order[ITEMS];
    struct cdp_table t = {.rows = ITEMS, .offset = offset, .target = target};
    struct cdp_err err;
    uint64_t end = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        offset[i] = end;
        for (uint32_t other = i % GROUPS; other < ITEMS; other += GROUPS)
            target[end++] = other;
        target[end - 1] = (uint32_t)(cdp_random(5, i) % ITEMS);
    }
    offset[ITEMS] = end;
    ok(!cdp_order_by_lists(order, &t, &err), "an order");
    bool seen[ITEMS] = {false};
    int changes = 0, missing = 0;
    for (int n = 0; n < ITEMS; n++) {
        seen[order[n]] = true;
        changes += n > 0 && order[n] % GROUPS != order[n - 1] % GROUPS;
    }
    for (int n = 0; n < ITEMS; n++)
        missing += !seen[n];
    ok(missing == 0, "has every item");
    ok(changes < ITEMS / 3, "and groups together: %d changes of %d", changes, ITEMS - 1);
    memset(offset, 0, sizeof offset);
    ok(!cdp_order_by_lists(order, &t, &err) && order[0] == 0 && order[ITEMS - 1] == ITEMS - 1,
       "items without neighbours keep theirs");
}

int main(void)
{
    static uint8_t keep[ITEMS * LONGEST];
    for (uint64_t e = 0; e < sizeof keep; e++)
        keep[e] = cdp_random(9, e) % 3 > 0;
    for (unsigned m = 0; m < TABLES; m++)
        draw_lists(&table[m], m + 1);
    test_lists(1, NULL, 0, ITEMS, false);
    test_lists(TABLES, NULL, 0, ITEMS, false);
    test_lists(TABLES, NULL, 70, 200, false);
    test_lists(1, NULL, 0, ITEMS, true);
    test_lists(1, keep, 0, ITEMS, true);
    test_lists(1, keep, 299, ITEMS, true);
    test_lists(1, keep, 5, 6, true);
    test_lists(1, keep, 0, 0, false);
    test_order();
    for (unsigned m = 0; m < TABLES; m++)
        cdp_table_free(&table[m]);
    return done();
}
