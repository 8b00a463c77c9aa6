// SPDX-License-Identifier: MIT
#include "knn/search/coarse.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "knn/search/assign.h"
#include "knn/search/radius.h"

static const double TRAIN_SHARE = 0.15; // of the time of a search: measured at 300,000 rows

enum {
    ITERATIONS = 3, // of k-means,
    SAMPLE = 8,     // on so many items a centroid, others each time
    SPARE = 8,      // centroids that are compared beyond those that are wanted, at most
    // Many centroids are seen by the level below the whole sketch, and are in groups:
    MANY = 4096,
    MORE = 4,   // times as many are compared
    GROUPS = 5, // that each is in,
    LOOKED = 8, // and that an item looks into
    EACH = 8,   // so many times as many items train a group as a centroid
    NEAR = 3,   // centroids that are found so, at most
    FAR = 7,    // one item in so many, of those farthest from what they found, looks at all
    FEW = 16,   // who wants more looks at all
};

uint32_t *cdp_coarse_sample(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of items", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

// ---- the nearest

// Of all centroids.
static int look_at_all(struct cdp_candidates *lists, const struct cdp_coarse *c,
                       const struct cdp_dataset *data, const uint32_t *items, int threads,
                       struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t spare = c->columns.words < data->words ? MORE * SPARE : SPARE;
    // Of one, to train on, which one it is matters little; of many, which ones are the last.
    uint32_t looked = 0;
    if (lists->k > 1 && lists->k <= FEW)
        looked = cdp_min(lists->k + cdp_min((lists->k + spare) / 2, spare), c->count);
    return cdp_scan_coarse(data, items, &c->columns, looked, lists, threads, progress, err);
}

// Of the centroids of the nearest groups.
static int look_at_groups(struct cdp_candidates *lists, const struct cdp_coarse *c,
                          const struct cdp_dataset *data, const uint32_t *items, int threads,
                          struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates groups = {0};
    int status =
        cdp_candidates_new(&groups, lists->count, LOOKED, threads, err) ||
        cdp_scan_coarse(data, items, &c->groups->columns, 0, &groups, threads, NULL, err) ||
        cdp_scan_coarse_lists(data, items, &groups, &c->shelf, cdp_min(NEAR, lists->k), lists,
                              threads, progress, err);
    cdp_candidates_free(&groups);
    return status ? -1 : 0;
}

// An item near a centroid is nearer to it than to nearly all others, and so are their groups: what
// it finds there is far where it belongs to none, or missed its own. Whoever need not look again
// counts as having done so.
static int look_again(struct cdp_candidates *lists, const struct cdp_coarse *c,
                      const struct cdp_dataset *data, const uint32_t *items, int threads,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates some = {0};
    uint64_t count;
    uint32_t *far = cdp_candidates_farthest(lists, 0, FAR, &count, err), *ids = NULL;
    if (far && items && (ids = cdp_alloc(count, sizeof *ids, "items", err))) {
        for (uint64_t i = 0; i < count; i++)
            ids[i] = items[far[i]];
    }
    if (far)
        cdp_progress_add(progress, lists->count - count);
    int status = !far || (items && !ids) ||
                 cdp_candidates_new(&some, count, lists->k, threads, err) ||
                 look_at_all(&some, c, data, items ? ids : far, threads, progress, err);
    if (!status)
        cdp_candidates_scatter(lists, &some, far, threads);
    free(far);
    free(ids);
    cdp_candidates_free(&some);
    return status ? -1 : 0;
}

// `again`: whether those that find nothing near in groups do.
static int find(struct cdp_candidates *lists, const struct cdp_coarse *c,
                const struct cdp_dataset *data, const uint32_t *items, uint64_t count, uint32_t k,
                bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    if (cdp_candidates_new(lists, count, cdp_min(k, c->count), threads, err))
        return -1;
    if (!c->groups || k > FEW)
        return look_at_all(lists, c, data, items, threads, progress, err);
    if (look_at_groups(lists, c, data, items, threads, progress, err))
        return -1;
    if (again)
        return look_again(lists, c, data, items, threads, progress, err);
    cdp_progress_add(progress, count);
    return 0;
}

int cdp_coarse_assign(struct cdp_candidates *lists, const struct cdp_coarse *c,
                      const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                      uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    return find(lists, c, data, items, count, k, true, threads, progress, err);
}

uint64_t cdp_coarse_progress(const struct cdp_coarse *c, uint64_t count)
{
    return c->groups ? 2 * count : count;
}

// The items that have the same nearest centroid.
static int nearest_sets(struct cdp_ivf_lists *sets, const struct cdp_coarse *c,
                        const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                        bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates nearest = {0};
    int status = find(&nearest, c, data, items, count, 1, again, threads, progress, err) ||
                 cdp_ivf_lists_new(sets, &nearest, 1, c->count, threads, err);
    for (uint64_t m = 0; m < (status ? 0 : count); m++)
        sets->member[m] = items[sets->member[m]];
    cdp_candidates_free(&nearest);
    return status ? -1 : 0;
}

// ---- as columns

// Puts each centroid into its nearest groups.
static int group(struct cdp_coarse *c, int threads, struct cdp_err *err)
{
    struct cdp_candidates nearest = {0};
    cdp_ivf_packed_free(&c->shelf);
    cdp_ivf_lists_free(&c->sets);
    int status = cdp_coarse_assign(&nearest, c->groups, &c->data, NULL, c->count, GROUPS, threads,
                                   NULL, err) ||
                 cdp_ivf_lists_new(&c->sets, &nearest, GROUPS, c->groups->count, threads, err) ||
                 cdp_ivf_packed_new(&c->shelf, &c->data, &c->sets, threads, err);
    cdp_candidates_free(&nearest);
    return status ? -1 : 0;
}

// Lays the centroids out as they are now.
static int lay_out(struct cdp_coarse *c, int threads, struct cdp_err *err)
{
    cdp_operand_pack_columns(&c->columns, cdp_ids_from(0), cdp_ids_from(CDP_NONE),
                             (uint32_t)c->count, threads);
    return c->groups ? group(c, threads, err) : 0;
}

// ---- k-means

// Moves the centroids to the means of those of a sample that are nearest to them.
static int move(struct cdp_coarse *c, const struct cdp_dataset *data, const uint32_t *sample,
                uint64_t count, bool again, int threads, struct cdp_progress *progress,
                struct cdp_err *err)
{
    struct cdp_ivf_lists sets = {0};
    int status =
        nearest_sets(&sets, c, data, sample, count, again, threads, progress, err) ||
        cdp_dataset_set_means(&c->data, data, sets.start, sets.member, sets.count, threads, err) ||
        lay_out(c, threads, err);
    cdp_ivf_lists_free(&sets);
    return status ? -1 : 0;
}

// On `each` times as many items a centroid as SAMPLE tells. What centroids are before the last time
// matters little, so nobody looks again then.
static int train(struct cdp_coarse *c, const struct cdp_dataset *data, uint64_t n, uint64_t each,
                 uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t count = cdp_min(n, each * SAMPLE * c->count);
    cdp_progress_stage(progress, TRAIN_SHARE, cdp_coarse_progress(c, ITERATIONS * count));
    int status = 0;
    for (int i = 0; !status && i < ITERATIONS; i++) {
        uint32_t *sample = cdp_coarse_sample(n, count, seed + (uint64_t)i, err);
        bool again = i + 1 == ITERATIONS;
        status = sample ? move(c, data, sample, count, again, threads, progress, err) : -1;
        free(sample);
    }
    return status;
}

// Puts items in the order of their groups: what is near stands side by side then.
static int sort_items(uint32_t *items, uint64_t count, const struct cdp_coarse *groups,
                      const struct cdp_dataset *data, int threads, struct cdp_err *err)
{
    struct cdp_ivf_lists sets = {0};
    int status = nearest_sets(&sets, groups, data, items, count, true, threads, NULL, err);
    if (!status)
        memcpy(items, sets.member, count * sizeof *items);
    cdp_ivf_lists_free(&sets);
    return status;
}

// Items that become centroids.
static struct cdp_coarse *new_centres(const struct cdp_dataset *data, const uint32_t *items,
                                      uint64_t count, unsigned level, struct cdp_err *err)
{
    struct cdp_coarse *c = cdp_zalloc(1, sizeof *c, "centroids", err);
    if (!c || cdp_dataset_select(&c->data, data, level, items, count, err) ||
        cdp_operand_new_columns(&c->columns, &c->data, (uint32_t)count, err)) {
        cdp_coarse_free(c);
        return NULL;
    }
    c->count = count;
    return c;
}

// Centres in these groups, if any, which are theirs from then on.
static struct cdp_coarse *centres_in(struct cdp_coarse *groups, const struct cdp_dataset *data,
                                     uint64_t n, uint64_t count, unsigned level, uint64_t each,
                                     uint64_t seed, int threads, struct cdp_progress *progress,
                                     struct cdp_err *err)
{
    struct cdp_coarse *c = NULL;
    uint32_t *first = cdp_coarse_sample(n, count, seed, err);
    if (first && (!groups || !sort_items(first, count, groups, data, threads, err)))
        c = new_centres(data, first, count, level, err);
    free(first);
    if (!c) {
        cdp_coarse_free(groups);
        return NULL;
    }
    c->groups = groups;
    if (lay_out(c, threads, err) || train(c, data, n, each, seed + 1, threads, progress, err)) {
        cdp_coarse_free(c);
        return NULL;
    }
    return c;
}

struct cdp_coarse *cdp_coarse_new(const struct cdp_dataset *data, uint64_t n, uint64_t count,
                                  uint64_t seed, int threads, struct cdp_progress *progress,
                                  struct cdp_err *err)
{
    // The level below the whole sketch also suits where lists are only seeded, which is what a
    // data for a search of all pairs is for.
    bool many = count > MANY, below = data->levels > 1 && (many || data->levels > 2);
    unsigned level = data->levels - 1 - below;
    struct cdp_coarse *groups = NULL;
    if (many) {
        uint64_t few = (uint64_t)sqrt(8 * (double)count), other = seed + ITERATIONS + 1;
        groups = centres_in(NULL, data, n, few, level, EACH, other, threads, NULL, err);
        if (!groups)
            return NULL;
    }
    return centres_in(groups, data, n, count, level, 1, seed, threads, progress, err);
}

void cdp_coarse_free(struct cdp_coarse *c)
{
    if (!c)
        return;
    cdp_coarse_free(c->groups);
    cdp_ivf_packed_free(&c->shelf);
    cdp_ivf_lists_free(&c->sets);
    cdp_operand_free(&c->columns);
    cdp_dataset_free(&c->data);
    free(c);
}
