// SPDX-License-Identifier: MIT
#include "knn/search/lists.h"

#include <stdlib.h>

#include "base/random.h"
#include "tap.h"

// A list ends with the k best of all candidates, whatever their order and however often they come.
// Reverse candidates reach the lists of all entries for any number of threads, also when only lists
// that have changed are named.

enum { ITEMS = 700, OFFERED = 400 };

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// The k smallest of what is given, each once.
static void smallest(uint64_t *list, uint32_t k, uint64_t *all, size_t count)
{
    uint32_t found = 0;
    qsort(all, count, sizeof *all, by_size);
    for (size_t i = 0; i < count && found < k; i++) {
        if (i == 0 || all[i] != all[i - 1])
            list[found++] = all[i];
    }
    for (; found < k; found++)
        list[found] = CDP_CANDIDATE_NONE;
}

static void test_merge(void)
{
    const uint32_t ks[] = {1, 7, 8, 9, 16, 20, 24, 25, 32, 48, 49, 102, 144, 160, 161, 300};
    const struct cdp_kernel *kernel = cdp_kernel();
    bool right = true;
    for (size_t n = 0; n < sizeof ks / sizeof *ks; n++) {
        uint64_t list[301], wanted[300], all[OFFERED];
        uint32_t k = ks[n];
        memset(list, 0xFF, sizeof list);
        for (size_t i = 0; i < OFFERED; i++)
            all[i] = cdp_random(n, i) % 350 * (UINT64_MAX / 350); // some more than once
        list[k] = 12345;                                          // what stands behind the list
        for (size_t i = 0; i < OFFERED; i += 20)
            kernel->merge(list, k, all + i, 20);
        kernel->merge(list, k, all, 0);
        smallest(wanted, k, all, OFFERED);
        right &= memcmp(list, wanted, k * sizeof *list) == 0 && list[k] == 12345;
    }
    ok(right, "%s: the smallest entries stay, each once", kernel->isa);
}

// Fills the lists of `items`, or of all, with others here and there; the score of a pair is the
// same either way.
static void fill(struct cdp_candidates *lists, const uint32_t *items, uint64_t count, uint64_t seed)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t own = items ? items[i] : (uint32_t)i, other[10], here = 0;
        float score[10];
        for (uint64_t r = 0; r < 10; r++) {
            other[here] = (uint32_t)(cdp_random(seed, own * 10 + r) % ITEMS);
            uint32_t low = own < other[here] ? own : other[here], high = own ^ other[here] ^ low;
            score[here] = (float)(cdp_random(7, (uint64_t)low * ITEMS + high) % 1000);
            here += other[here] != own;
        }
        cdp_candidates_add(lists->entry + own * lists->k, lists->k, cdp_kernel(), other, score,
                           here);
    }
}

// The lists that turning all of these round makes, one entry after the other.
static void turn(uint64_t *after, const struct cdp_candidates *before)
{
    static uint64_t offered[ITEMS][ITEMS];
    static size_t count[ITEMS];
    uint32_t k = before->k;
    for (uint64_t i = 0; i < ITEMS; i++) {
        memcpy(offered[i], before->entry + i * k, k * sizeof **offered);
        count[i] = k;
    }
    for (uint64_t i = 0; i < ITEMS; i++) {
        const uint64_t *list = before->entry + i * k;
        for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
            uint32_t to = cdp_candidate_id(list[r]);
            offered[to][count[to]++] = cdp_candidate(cdp_candidate_score(list[r]), (uint32_t)i);
        }
    }
    for (uint64_t i = 0; i < ITEMS; i++)
        smallest(after + i * k, k, offered[i], count[i]);
}

static void test_reverse(int threads)
{
    static uint64_t wanted[ITEMS * 12];
    struct cdp_candidates lists;
    struct cdp_err err;
    uint32_t changed[ITEMS / 5];
    if (!ok(!cdp_candidates_new(&lists, ITEMS, 12, threads, &err), "new lists"))
        return;
    fill(&lists, NULL, ITEMS, 1);
    turn(wanted, &lists);
    ok(!cdp_candidates_add_reverse(&lists, NULL, 0, cdp_kernel(), threads, &err) &&
           memcmp(lists.entry, wanted, sizeof wanted) == 0,
       "all lists turned round, %d threads", threads);
    for (uint32_t i = 0; i < ITEMS / 5; i++)
        changed[i] = 5 * i + i % 3;
    fill(&lists, changed, ITEMS / 5, 2);
    turn(wanted, &lists);
    ok(!cdp_candidates_add_reverse(&lists, changed, ITEMS / 5, cdp_kernel(), threads, &err) &&
           memcmp(lists.entry, wanted, sizeof wanted) == 0,
       "those that have changed turned round, %d threads", threads);
    cdp_candidates_free(&lists);
}

static void test_grow(void)
{
    struct cdp_candidates lists;
    struct cdp_err err;
    static uint64_t before[ITEMS * 8];
    bool right = !cdp_candidates_new(&lists, ITEMS, 8, 1, &err);
    fill(&lists, NULL, ITEMS, 3);
    memcpy(before, lists.entry, sizeof before);
    right &= !cdp_candidates_grow(&lists, 12, 3, &err) && lists.k == 12 && lists.count == ITEMS;
    for (uint64_t i = 0; right && i < ITEMS; i++) {
        const uint64_t *list = lists.entry + i * 12;
        right &= memcmp(list, before + i * 8, 8 * sizeof *list) == 0;
        for (uint32_t r = 8; r < 12; r++)
            right &= list[r] == CDP_CANDIDATE_NONE;
    }
    ok(right, "longer lists hold what they held");
    cdp_candidates_free(&lists);
}

int main(void)
{
    test_merge();
    test_grow();
    test_reverse(1);
    test_reverse(3);
    return done();
}
