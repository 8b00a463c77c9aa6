// SPDX-License-Identifier: MIT
#include "knn/search/lists.h"

#include <stdlib.h>

#include "base/random.h"
#include "tap.h"

// The lists of largest radius: at least the share, hardly more, ascending, and none with a smaller
// radius than a list that is left out.

enum { LISTS = 3000, K = 2 };

static void check(const struct cdp_candidates *lists, double share)
{
    struct cdp_err err;
    uint64_t count;
    static bool there[LISTS];
    uint32_t *far = cdp_candidates_farthest(lists, K - 1, share, &count, &err);
    if (!ok(far != NULL, "one in %g", share))
        return;
    uint64_t nearest_in = UINT64_MAX, farthest_out = 0;
    bool ascending = true;
    memset(there, 0, sizeof there);
    for (uint64_t i = 0; i < count; i++) {
        ascending = ascending && (i == 0 || far[i] > far[i - 1]);
        there[far[i]] = true;
    }
    for (uint64_t i = 0; i < LISTS; i++) {
        uint64_t entry = lists->entry[i * K + K - 1];
        if (there[i])
            nearest_in = entry < nearest_in ? entry : nearest_in;
        else
            farthest_out = entry > farthest_out ? entry : farthest_out;
    }
    double wanted = LISTS / share;
    ok((double)count >= wanted && (double)count < 1.05 * wanted + 1, "%llu of %d, wanted: %g",
       (unsigned long long)count, LISTS, wanted);
    ok(ascending && nearest_in > farthest_out, "the farthest, ascending");
    free(far);
}

int main(void)
{
    struct cdp_candidates lists;
    struct cdp_err err;
    if (!ok(!cdp_candidates_new(&lists, LISTS, K, 1, &err), "lists"))
        return done();
    for (uint64_t i = 0; i < LISTS * K; i++) {
        // Reaches of so many sizes that few share a class.
        float radius = (float)(1 + cdp_random(1, i) % 1000000) * (1 + (float)(i % 7));
        lists.entry[i] = cdp_candidate(-radius, (uint32_t)(i / K));
    }
    check(&lists, 1);
    check(&lists, 1.5);
    check(&lists, 16.0 / 3);
    check(&lists, 64);
    cdp_candidates_free(&lists);
    return done();
}
