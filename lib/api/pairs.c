// SPDX-License-Identifier: MIT
// Pairs that come bit by bit, and votes on padded lists.
#include "api/api.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clamp.h"
#include "base/mem.h"
#include "propagate/floors.h"
#include "propagate/propagate.h"
#include "score/score.h"

// ---- pairs

struct libcdp_pairs {
    struct cdp_forest *forest;
    struct cdp_floors floors;
    struct cdp_tree tree;
    bool settled; // the forest was replaced by the tree
    bool broken;  // out of memory: some pairs are lost
};

static int fail_broken(struct cdp_err *why)
{
    return cdp_fail(why,
                    "an earlier call ran out of memory, and pairs may be lost: begin again with "
                    "libcdp_pairs_new");
}

PUBLIC struct libcdp_pairs *libcdp_pairs_new(struct libcdp_err *err)
{
    struct cdp_err why;
    struct libcdp_pairs *pairs = cdp_zalloc(1, sizeof *pairs, "pairs", &why);
    if (!pairs || cdp_forest_new(&pairs->forest, false, &why) ||
        cdp_floors_new(&pairs->floors, -INFINITY, 0, 1, &why)) {
        libcdp_pairs_free(pairs);
        api_tell(err, &why);
        return NULL;
    }
    cdp_floors_repeats(&pairs->floors);
    return pairs;
}

PUBLIC void libcdp_pairs_free(struct libcdp_pairs *pairs)
{
    if (pairs) {
        cdp_forest_free(pairs->forest);
        cdp_floors_free(&pairs->floors);
        cdp_tree_free(&pairs->tree);
    }
    free(pairs);
}

static int check_pairs(const struct libcdp_pairs *pairs, const uint64_t *i, const uint64_t *j,
                       const float *score, size_t count, struct cdp_err *why)
{
    if (pairs->broken)
        return fail_broken(why);
    if (pairs->settled)
        return cdp_fail(why, "no pairs can be added after clusters were made");
    for (size_t p = 0; p < count; p++) {
        if (i[p] == j[p])
            return cdp_fail(why, "pair %zu: item %llu with itself", p, (unsigned long long)i[p]);
        uint64_t top = i[p] > j[p] ? i[p] : j[p], clamped = 0;
        if (top >= UINT32_MAX - 1)
            return cdp_fail(why, "pair %zu: item %llu: items are numbered from 0 to 2^32 - 3", p,
                            (unsigned long long)top);
        if (!isfinite(score[p]) || cdp_clamp_score(score[p], &clamped) > 1)
            return cdp_fail(why, "pair %zu: a score of %.9g: scores are finite and at most 1", p,
                            (double)score[p]);
    }
    return 0;
}

PUBLIC int libcdp_pairs_add(struct libcdp_pairs *pairs, const uint64_t *i, const uint64_t *j,
                            const float *score, size_t count, struct libcdp_err *err)
{
    struct cdp_err why;
    struct cdp_clamp clamp = {0};
    const float *scores;
    int status = check_pairs(pairs, i, j, score, count, &why) ||
                         cdp_clamp_scores(&clamp, score, count, &scores, &why)
                     ? -1
                     : 0;
    if (!status) {
        status = cdp_forest_add(pairs->forest, i, j, scores, count, &why) ||
                         cdp_floors_add(&pairs->floors, i, j, scores, count, &why)
                     ? -1
                     : 0;
        pairs->broken = status != 0;
    }
    free(clamp.copy);
    if (status)
        api_tell(err, &why);
    return status;
}

PUBLIC void libcdp_plan_init(struct libcdp_plan *plan, uint64_t size)
{
    const struct cdp_propagate_plan own = CDP_PROPAGATE_DEFAULTS;
    const struct libcdp_plan standard = {.size = size,
                                         .max_size = own.max_size,
                                         .step = own.step,
                                         .max_iter = own.max_iter,
                                         .merge = own.merge};
    memset(plan, 0, size);
    memcpy(plan, &standard, size < sizeof standard ? size : sizeof standard);
}

// A caller may have been compiled with an older header: members beyond its size have their default.
static int read_plan(const struct libcdp_plan *plan, struct cdp_propagate_plan *own,
                     struct cdp_err *why)
{
    struct libcdp_plan whole;
    libcdp_plan_init(&whole, sizeof whole);
    if (plan->size < sizeof plan->size || plan->size > sizeof *plan)
        return cdp_fail(why,
                        "a plan of %llu bytes, but this library knows %zu: set it by "
                        "libcdp_plan_default",
                        (unsigned long long)plan->size, sizeof *plan);
    memcpy(&whole, plan, plan->size);
    *own = (struct cdp_propagate_plan){whole.max_size, whole.step, whole.max_iter, whole.merge};
    if (own->max_size < 1 || !(own->step >= 0 && own->step <= 1) || own->max_iter > 1000 * 1000)
        return cdp_fail(why, "a plan has a max_size of 1 or more, a step from 0 to 1, and a "
                             "max_iter of at most a million");
    return 0;
}

// Builds the tree of the pairs.
static int settle(struct libcdp_pairs *pairs, struct cdp_err *why)
{
    if (pairs->broken)
        return fail_broken(why);
    if (pairs->settled)
        return 0;
    pairs->broken = cdp_floors_settle(&pairs->floors, why) ||
                    cdp_tree_new(&pairs->tree, pairs->forest, NULL, why);
    pairs->settled = !pairs->broken;
    return pairs->broken ? -1 : 0;
}

static int64_t cluster(struct libcdp_pairs *pairs, const struct libcdp_plan *plan, uint32_t *label,
                       uint64_t items, struct cdp_err *why)
{
    struct cdp_propagate_plan own;
    struct cdp_clusters clusters;
    if (read_plan(plan, &own, why) || settle(pairs, why))
        return -1;
    if (pairs->tree.items > items)
        return cdp_fail(why, "item %llu is in a pair, but there are %llu items",
                        (unsigned long long)pairs->tree.items - 1, (unsigned long long)items);
    if (cdp_propagate(&pairs->tree, -INFINITY, pairs->floors.floor[0], &own, &clusters, why))
        return -1;
    if (clusters.items)
        memcpy(label, clusters.label, clusters.items * sizeof *label);
    for (uint64_t i = clusters.items; i < items; i++)
        label[i] = LIBCDP_NONE;
    int64_t count = clusters.clusters;
    cdp_clusters_free(&clusters);
    return count;
}

PUBLIC int64_t libcdp_pairs_cluster(struct libcdp_pairs *pairs, const struct libcdp_plan *plan,
                                    uint32_t *label, uint64_t items, struct libcdp_err *err)
{
    struct cdp_err why;
    int64_t count = cluster(pairs, plan, label, items, &why);
    if (count < 0)
        api_tell(err, &why);
    return count;
}

// ---- votes

// A table of lists of k neighbours, without the item itself and -1.
static int make_table(struct cdp_table *t, uint64_t items, uint64_t k, const int64_t *id,
                      const float *distance, struct cdp_err *why)
{
    *t = (struct cdp_table){.rows = items};
    if (items >= UINT32_MAX || k >= UINT32_MAX)
        return cdp_fail(why, "%llu items, lists of %llu; at most 2^32 - 2 can be",
                        (unsigned long long)items, (unsigned long long)k);
    t->offset = cdp_alloc(items + 1, sizeof *t->offset, "lists", why);
    t->target = cdp_alloc(items * k, sizeof *t->target, "lists", why);
    t->distance = cdp_zalloc(items * k, sizeof *t->distance, "lists", why);
    if (!t->offset || !t->target || !t->distance)
        return -1;
    uint64_t edges = 0;
    for (uint64_t i = 0; i < items; i++) {
        t->offset[i] = edges;
        for (uint64_t e = i * k; e < (i + 1) * k; e++) {
            if (id[e] == -1 || id[e] == (int64_t)i)
                continue;
            if (id[e] < 0 || (uint64_t)id[e] >= items)
                return cdp_fail(why, "item %llu: neighbour %lld is not below %llu",
                                (unsigned long long)i, (long long)id[e], (unsigned long long)items);
            if (distance && !isfinite(distance[e]))
                return cdp_fail(why, "item %llu: neighbour %lld is at a distance of %g",
                                (unsigned long long)i, (long long)id[e], (double)distance[e]);
            t->target[edges] = (uint32_t)id[e];
            t->distance[edges++] = distance ? distance[e] : 0;
        }
    }
    t->offset[items] = edges;
    return 0;
}

// The buffer that receives the pairs.
struct voted {
    uint64_t *first, *second;
    float *score;
    int64_t count;
};

static int take_pair(void *context, uint64_t i, uint64_t j, const float *score, struct cdp_err *err)
{
    struct voted *v = context;
    (void)err;
    v->first[v->count] = i;
    v->second[v->count] = j;
    v->score[v->count++] = *score;
    return 0;
}

PUBLIC int64_t libcdp_vote(uint64_t items, uint64_t k, const int64_t *base, const float *distance,
                           const int64_t *const *committee, unsigned members, unsigned accept,
                           float threshold, uint64_t *first, uint64_t *second, float *score,
                           struct libcdp_err *err)
{
    struct cdp_err why;
    struct cdp_table table, member;
    struct voted voted = {first, second, score, 0};
    uint32_t *votes = NULL;
    uint8_t *keep = NULL;
    int status = make_table(&table, items, k, base, distance, &why);
    if (!status && accept > members)
        status = cdp_fail(&why, "%u members are to agree, but there are %u", accept, members);
    if (!status && isnan(threshold))
        status = cdp_fail(&why, "the threshold is not a number");
    if (!status) {
        votes = cdp_zalloc(table.offset[items], sizeof *votes, "votes", &why);
        keep = cdp_alloc(table.offset[items], 1, "votes", &why);
        status = votes && keep ? 0 : -1;
    }
    for (unsigned m = 0; !status && m < members; m++) {
        status = make_table(&member, items, k, committee[m], NULL, &why);
        if (!status)
            cdp_vote_count(&table, &member, votes, 0);
        cdp_table_free(&member);
    }
    if (!status) {
        cdp_similarities(&table, 0);
        cdp_vote_keep(&table, votes, accept, threshold, keep);
        status = cdp_pairs(&table, keep, (uint64_t[]){0, items}, take_pair, &voted, &why);
    }
    free(votes);
    free(keep);
    cdp_table_free(&table);
    if (status)
        api_tell(err, &why);
    return status ? -1 : voted.count;
}
