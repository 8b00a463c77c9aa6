// SPDX-License-Identifier: MIT
#include "propagate/previous.h"

#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "tap.h"

enum { MOST = 6, ITEMS = 60 };

// The most items that can keep their number: all ways of matching, one new cluster after the other.
static int best(int shared[MOST][MOST], int now, int before, int next, unsigned taken)
{
    if (next == now)
        return 0;
    int most = best(shared, now, before, next + 1, taken);
    for (int b = 0; b < before; b++) {
        if (taken >> b & 1)
            continue;
        int own = shared[next][b] + best(shared, now, before, next + 1, taken | 1U << b);
        most = own > most ? own : most;
    }
    return most;
}

// Random clusters before and now, of random numbers; how many more items could have kept theirs.
static int lost_by(uint64_t seed)
{
    uint32_t group[ITEMS], label[ITEMS], old[ITEMS];
    int64_t value[MOST];
    int shared[MOST][MOST] = {0}, kept = 0;
    int before = 1 + (int)(cdp_random(seed, 0) % MOST), now = 1 + (int)(cdp_random(seed, 1) % MOST);
    for (int b = 0; b < before; b++)
        value[b] = 3 * ((b + 5) % before) + (int64_t)(seed % 7);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint64_t a = cdp_random(seed, 100 + i), b = cdp_random(seed, 200 + i);
        group[i] = a % 9 ? (uint32_t)(a / 9 % (uint64_t)before) : CDP_NO_LABEL;
        label[i] = b % 9 ? (uint32_t)(b / 9 % (uint64_t)now) : CDP_NO_LABEL;
        // Mostly as it was, so that there is something to keep.
        if (b % 3 && group[i] != CDP_NO_LABEL)
            label[i] = group[i] % (uint32_t)now;
        old[i] = label[i];
        if (group[i] != CDP_NO_LABEL && label[i] != CDP_NO_LABEL)
            shared[label[i]][group[i]]++;
    }
    struct cdp_clusters clusters = {label, ITEMS, (uint32_t)now, 0};
    struct cdp_labels labels = {.items = ITEMS,
                                .groups = (uint32_t)before,
                                .group = group,
                                .integers = true,
                                .value = value};
    if (cdp_clusters_keep(&clusters, &labels, NULL))
        return -1;
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t j = 0; j < ITEMS; j++) {
            if ((old[i] == old[j]) != (label[i] == label[j]))
                return -1; // no longer the same clusters
        }
        kept += label[i] != CDP_NO_LABEL && group[i] != CDP_NO_LABEL &&
                (int64_t)label[i] == value[group[i]];
    }
    return best(shared, now, before, 0, 0) - kept;
}

// Clusters of four items, each of any earlier cluster: hardly any has one that is clearly its own.
static void test_many(void)
{
    enum { CLUSTERS = 40000, OF_EACH = 4, ALL = CLUSTERS * OF_EACH };
    static uint32_t label[ALL], group[ALL];
    static int64_t value[CLUSTERS];
    for (uint32_t i = 0; i < ALL; i++) {
        label[i] = i / OF_EACH;
        group[i] = (uint32_t)(cdp_random(1, i) % CLUSTERS);
    }
    for (int b = 0; b < CLUSTERS; b++)
        value[b] = b;
    struct cdp_clusters clusters = {label, ALL, CLUSTERS, 0};
    struct cdp_labels labels = {
        .items = ALL, .groups = CLUSTERS, .group = group, .integers = true, .value = value};
    clock_t begin = clock();
    int status = cdp_clusters_keep(&clusters, &labels, NULL);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    ok(!status && seconds < 5, "%d clusters that were mixed: %.2f s", CLUSTERS, seconds);
}

int main(void)
{
    int worse = 0;
    for (uint64_t seed = 1; seed <= 400; seed++)
        worse += lost_by(seed) != 0;
    ok(!worse, "400 random cases: as many items keep their number as can (%d do not)", worse);
    test_many();
    return done();
}
