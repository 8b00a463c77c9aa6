// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "knn/search/ivf.h"

// Timed (README.md).
enum {
    PASSES = 3,     // of k-means,
    SAMPLE = 8,     // each on this many other items a centroid
    SPARE = 8,      // centroids that are re-scored beyond k, at most; at a lower level of
    LOW_SPARE = 32, // sketches this many
    RESCORED = 16,  // k up to which centroids are re-scored, and groups are used
    // Two levels:
    MANY = 4096,        // centroids, at least
    GROUPS_EACH = 5,    // groups that a centroid is in
    GROUP_PROBES = 8,   // groups that an item scans
    GROUP_SAMPLE = 8,   // times SAMPLE items train a group
    GROUP_RESCORED = 3, // centroids that are found in groups, at most
    AGAIN = 7, // one item in this many, the farthest from its centroid, scans all centroids
};

static const double TRAIN_SHARE = 0.15; // of the time of a search: measured at 300,000 rows

uint32_t *cdp_coarse_sample(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of items", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

// ---- assignment

static int scan_all(struct cdp_candidates *assigned, const struct cdp_coarse *c,
                    const struct cdp_dataset *data, const uint32_t *items, int threads,
                    struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_scan scan = {.data = data, .items = items, .columns = &c->columns};
    uint32_t k = assigned->k, spare = c->columns.words < data->words ? LOW_SPARE : SPARE;
    // With k = 1, for k-means, a near centroid will do; of many, only the last ones may be wrong.
    bool rescored = k > 1 && k <= RESCORED;
    uint32_t depth = rescored ? cdp_min(k + cdp_min((k + spare) / 2, spare), c->count) : 0;
    return cdp_scan_centroids(&scan, depth, assigned, threads, progress, err);
}

static int scan_groups(struct cdp_candidates *assigned, const struct cdp_coarse *c,
                       const struct cdp_dataset *data, const uint32_t *items, int threads,
                       struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates groups = {0};
    struct cdp_scan top = {.data = data, .items = items, .columns = &c->groups->columns};
    struct cdp_scan scan = {.data = data,
                            .items = items,
                            .columns = &c->members.columns,
                            .lists = &c->members,
                            .visits = &groups,
                            .last = GROUP_PROBES};
    int status = cdp_candidates_new(&groups, assigned->count, GROUP_PROBES, threads, err) ||
                 cdp_scan_centroids(&top, 0, &groups, threads, NULL, err) ||
                 cdp_scan_centroids(&scan, cdp_min(GROUP_RESCORED, assigned->k), assigned, threads,
                                    progress, err);
    cdp_candidates_free(&groups);
    return status ? -1 : 0;
}

// An item in a cluster is nearer to its centroid than to nearly all others, and so are their
// groups. An item far from all centroids that it found has missed its own, or has none: it scans
// all.
static int scan_again(struct cdp_candidates *assigned, const struct cdp_coarse *c,
                      const struct cdp_dataset *data, const uint32_t *items, int threads,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates some = {0};
    uint64_t count;
    uint32_t *far = cdp_candidates_farthest(assigned, 0, AGAIN, &count, err), *ids = NULL;
    if (far && items && (ids = cdp_alloc(count, sizeof *ids, "items", err))) {
        for (uint64_t i = 0; i < count; i++)
            ids[i] = items[far[i]];
    }
    if (far)
        cdp_progress_add(progress, assigned->count - count);
    int status = !far || (items && !ids) ||
                 cdp_candidates_new(&some, count, assigned->k, threads, err) ||
                 scan_all(&some, c, data, items ? ids : far, threads, progress, err);
    if (!status)
        cdp_candidates_scatter(assigned, &some, far, threads);
    free(far);
    free(ids);
    cdp_candidates_free(&some);
    return status ? -1 : 0;
}

static int assign(struct cdp_candidates *assigned, const struct cdp_coarse *c,
                  const struct cdp_dataset *data, const uint32_t *items, uint64_t count, uint32_t k,
                  bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    if (cdp_candidates_new(assigned, count, cdp_min(k, c->count), threads, err))
        return -1;
    if (!c->groups || k > RESCORED)
        return scan_all(assigned, c, data, items, threads, progress, err);
    if (scan_groups(assigned, c, data, items, threads, progress, err))
        return -1;
    if (again)
        return scan_again(assigned, c, data, items, threads, progress, err);
    cdp_progress_add(progress, count);
    return 0;
}

int cdp_coarse_assign(struct cdp_candidates *assigned, const struct cdp_coarse *c,
                      const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                      uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    return assign(assigned, c, data, items, count, k, true, threads, progress, err);
}

uint64_t cdp_coarse_progress(const struct cdp_coarse *c, uint64_t count)
{
    return c->groups ? 2 * count : count;
}

// The items with the same nearest centroid.
static int cluster(struct cdp_ivf_lists *clusters, const struct cdp_coarse *c,
                   const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                   bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates nearest = {0};
    int status = assign(&nearest, c, data, items, count, 1, again, threads, progress, err) ||
                 cdp_ivf_lists_new(clusters, &nearest, 1, c->count, threads, err);
    for (uint64_t m = 0; m < (status ? 0 : count); m++)
        clusters->member[m] = items[clusters->member[m]];
    cdp_candidates_free(&nearest);
    return status ? -1 : 0;
}

// ---- training

// Packs the centroids, and puts them into groups.
static int pack(struct cdp_coarse *c, int threads, struct cdp_err *err)
{
    cdp_operand_pack_columns(&c->columns, cdp_ids_from(0), cdp_ids_from(CDP_NONE),
                             (uint32_t)c->count, threads);
    if (!c->groups)
        return 0;
    struct cdp_candidates nearest = {0};
    cdp_ivf_lists_free(&c->members);
    int status =
        cdp_coarse_assign(&nearest, c->groups, &c->data, NULL, c->count, GROUPS_EACH, threads, NULL,
                          err) ||
        cdp_ivf_lists_new(&c->members, &nearest, GROUPS_EACH, c->groups->count, threads, err) ||
        cdp_ivf_lists_pack(&c->members, &c->data, threads, err);
    cdp_candidates_free(&nearest);
    return status ? -1 : 0;
}

// A pass of k-means.
static int move(struct cdp_coarse *c, const struct cdp_dataset *data, const uint32_t *sample,
                uint64_t count, bool again, int threads, struct cdp_progress *progress,
                struct cdp_err *err)
{
    struct cdp_ivf_lists clusters = {0};
    int status = cluster(&clusters, c, data, sample, count, again, threads, progress, err) ||
                 cdp_dataset_set_means(&c->data, data, clusters.start, clusters.member, c->count,
                                       threads, err) ||
                 pack(c, threads, err);
    cdp_ivf_lists_free(&clusters);
    return status ? -1 : 0;
}

// K-means on `each` items a centroid. Only in the last pass do far items scan all centroids:
// before, these are not settled.
static int train(struct cdp_coarse *c, const struct cdp_dataset *data, uint64_t each, uint64_t seed,
                 int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows, count = cdp_min(n, each * c->count);
    cdp_progress_stage(progress, TRAIN_SHARE, cdp_coarse_progress(c, PASSES * count));
    int status = 0;
    for (int i = 0; !status && i < PASSES; i++) {
        uint32_t *sample = cdp_coarse_sample(n, count, seed + (uint64_t)i, err);
        status =
            sample ? move(c, data, sample, count, i + 1 == PASSES, threads, progress, err) : -1;
        free(sample);
    }
    return status;
}

// `count` items become centroids, in the order of their groups, so that near ones are near in
// memory.
static struct cdp_coarse *initial(struct cdp_coarse *groups, const struct cdp_dataset *data,
                                  uint64_t count, unsigned level, uint64_t seed, int threads,
                                  struct cdp_err *err)
{
    struct cdp_ivf_lists order = {0};
    struct cdp_coarse *c = cdp_zalloc(1, sizeof *c, "centroids", err);
    uint32_t *first = cdp_coarse_sample(data->matrix->rows, count, seed, err);
    int status =
        !c || !first ||
        (groups && cluster(&order, groups, data, first, count, true, threads, NULL, err)) ||
        cdp_dataset_select(&c->data, data, level, groups ? order.member : first, count, err) ||
        cdp_operand_new_columns(&c->columns, &c->data, (uint32_t)count, err);
    free(first);
    cdp_ivf_lists_free(&order);
    if (status) {
        cdp_coarse_free(c);
        return NULL;
    }
    c->count = count;
    return c;
}

// Takes over the groups, if any, also after an error.
static struct cdp_coarse *new_coarse(struct cdp_coarse *groups, const struct cdp_dataset *data,
                                     uint64_t count, unsigned level, uint64_t each, uint64_t seed,
                                     int threads, struct cdp_progress *progress,
                                     struct cdp_err *err)
{
    struct cdp_coarse *c = initial(groups, data, count, level, seed, threads, err);
    if (!c) {
        cdp_coarse_free(groups);
        return NULL;
    }
    c->groups = groups;
    if (pack(c, threads, err) || train(c, data, each, seed + 1, threads, progress, err)) {
        cdp_coarse_free(c);
        return NULL;
    }
    return c;
}

struct cdp_coarse *cdp_coarse_new(const struct cdp_dataset *data, uint64_t count, uint64_t seed,
                                  int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    // The level below the whole sketch ranks well enough for many centroids, and for exact search
    // (more than two levels), which only seeds its lists from them.
    bool many = count > MANY, below = data->levels > 1 && many;
    unsigned level = data->levels - 1 - below;
    struct cdp_coarse *groups = NULL;
    if (many) {
        // About sqrt(count) x sqrt(8) groups balance both levels of the scan (GROUP_PROBES).
        uint64_t few = (uint64_t)sqrt(8 * (double)count), other = seed + PASSES + 1;
        groups =
            new_coarse(NULL, data, few, level, GROUP_SAMPLE * SAMPLE, other, threads, NULL, err);
        if (!groups)
            return NULL;
    }
    return new_coarse(groups, data, count, level, SAMPLE, seed, threads, progress, err);
}

void cdp_coarse_free(struct cdp_coarse *c)
{
    if (!c)
        return;
    cdp_coarse_free(c->groups);
    cdp_ivf_lists_free(&c->members);
    cdp_operand_free(&c->columns);
    cdp_dataset_free(&c->data);
    free(c);
}
