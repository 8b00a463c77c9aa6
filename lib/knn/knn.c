// SPDX-License-Identifier: MIT
#include "knn/knn.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/data/duplicates.h"
#include "knn/search/allpairs.h"
#include "knn/search/approx.h"

// Rows. Timed (README.md).
enum {
    EXACT_ROWS = 20 * 1000, // CDP_KNN_AUTO is exact up to this many,
    EXACT_SHARE = 20,       // and up to this many for each neighbour
    SEEDED_ROWS = 4 * 1000, // exact search seeds its lists from this many on
};

static const double SEED_SHARE = 0.3; // of an exact search of 60,000 rows: seeding its lists

static const uint64_t LISTS_BYTES = UINT64_C(4) << 30; // of the result lists of a band

enum cdp_knn_method cdp_knn_choose(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan)
{
    if (plan->method != CDP_KNN_AUTO)
        return plan->method;
    bool all = plan->first == 0 && plan->last == matrix->rows;
    bool many = matrix->rows > EXACT_ROWS && matrix->rows / plan->k > EXACT_SHARE;
    return all && many ? CDP_KNN_APPROX : CDP_KNN_EXACT;
}

static int check(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan,
                 struct cdp_err *err)
{
    if (matrix->rows > UINT32_MAX - 2 * CDP_TILE_COLUMNS)
        return cdp_fail(err, "%s: %llu rows; at most 2^32 - 129 can be searched", matrix->name,
                        (unsigned long long)matrix->rows);
    if (plan->k >= matrix->rows)
        return cdp_fail(err, "%s: k = %u needs more than %u rows, the file holds %llu",
                        matrix->name, plan->k, plan->k, (unsigned long long)matrix->rows);
    if (plan->first >= plan->last || plan->last > matrix->rows)
        return cdp_fail(err, "%s: rows %llu:%llu are wanted, the file holds %llu", matrix->name,
                        (unsigned long long)plan->first, (unsigned long long)plan->last,
                        (unsigned long long)matrix->rows);
    bool all = plan->first == 0 && plan->last == matrix->rows;
    if (plan->method == CDP_KNN_APPROX && !all)
        return cdp_fail(err,
                        "%s: the approximate method finds the neighbours of all rows, not of "
                        "%llu:%llu: leave --rows out, or use --method exact",
                        matrix->name, (unsigned long long)plan->first,
                        (unsigned long long)plan->last);
    return 0;
}

struct search {
    struct cdp_dataset data; // the first row of each group of equal rows
    struct cdp_duplicates duplicates;
    const struct cdp_knn_plan *plan;
    uint32_t k; // groups in a result list
    int threads;
    struct cdp_topk topk;
    struct cdp_pair_block *blocks;
    struct cdp_hyperplanes planes; // empty: all pairs are compared
    cdp_knn_sink *sink;
    void *context;
    struct cdp_knn_result *result;
};

// Query rows that are searched together, and their groups: those whose first row is among them, and
// then, ascending, older ones.
struct band {
    uint64_t first, last; // rows
    uint64_t from, end;   // groups
    uint32_t *old;
    uint64_t olds;
};

// ---- delivering lists

// The result list of a group.
static uint64_t list_of(const struct band *b, uint32_t group)
{
    if (group >= b->from)
        return group - b->from;
    uint64_t low = 0, high = b->olds;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (b->old[middle] <= group)
            low = middle;
        else
            high = middle;
    }
    return b->end - b->from + low;
}

// Writes the neighbours of a row, and returns their number.
static uint32_t neighbours_of(const struct search *s, const struct band *b, uint64_t row,
                              uint32_t *target, double *key)
{
    const struct cdp_duplicates *d = &s->duplicates;
    uint32_t group = cdp_duplicates_group(d, row), first = cdp_duplicates_first(d, group);
    double min_key = cdp_distance_min_key(s->plan->metric);
    bool once = s->plan->copies == CDP_COPIES_ONCE;
    if (once && row != first) {
        *target = first;
        *key = min_key;
        return 1;
    }
    const uint32_t *id = s->topk.id + list_of(b, group) * s->k;
    const double *keys = s->topk.key + list_of(b, group) * s->k;
    if (!once)
        return cdp_duplicates_expand(d, row, id, keys, s->k, min_key, s->plan->k, target, key);
    for (uint32_t i = 0; i < s->k; i++) {
        target[i] = cdp_duplicates_first(d, id[i]);
        key[i] = keys[i];
    }
    return s->k;
}

static bool all_equal(const struct cdp_duplicates *d, uint64_t row, const uint32_t *target,
                      uint32_t count)
{
    uint32_t same = 0;
    while (same < count && d->group && d->group[target[same]] == d->group[row])
        same++;
    return same == count;
}

static int deliver(const struct search *s, const struct band *b, struct cdp_err *err)
{
    uint32_t k = s->plan->k;
    float *distance = cdp_alloc(k, sizeof *distance, "distances", err);
    double *key = cdp_alloc(k, sizeof *key, "distances", err);
    uint32_t *target = cdp_alloc(k, sizeof *target, "neighbours", err);
    int status = distance && key && target ? 0 : -1;
    for (uint64_t row = b->first; !status && row < b->last; row++) {
        uint32_t count = neighbours_of(s, b, row, target, key);
        for (uint32_t i = 0; i < count; i++)
            distance[i] = (float)cdp_distance_of(s->plan->metric, key[i]);
        s->result->crowded +=
            s->plan->copies == CDP_COPIES_LIST && all_equal(&s->duplicates, row, target, count);
        status = s->sink(s->context, row, target, distance, count, err);
    }
    free(distance);
    free(key);
    free(target);
    return status;
}

// ---- exact

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// b->old has room for all rows of the band.
static void set_band(struct band *b, const struct search *s, uint64_t first, uint64_t last)
{
    b->first = first;
    b->last = last;
    b->from = cdp_duplicates_before(&s->duplicates, first);
    b->end = cdp_duplicates_before(&s->duplicates, last);
    b->olds = 0;
    if (s->plan->copies == CDP_COPIES_ONCE || !s->duplicates.group || b->from == 0)
        return;
    for (uint64_t row = first; row < last; row++) {
        uint32_t group = cdp_duplicates_group(&s->duplicates, row);
        b->old[b->olds] = group;
        b->olds += group < b->from;
    }
    qsort(b->old, b->olds, sizeof *b->old, ascending);
    uint64_t different = 0;
    for (uint64_t i = 0; i < b->olds; i++) {
        if (i == 0 || b->old[i] != b->old[i - 1])
            b->old[different++] = b->old[i];
    }
    b->olds = different;
}

// The pairs of queries and all rows, each pair of two queries once.
static uint64_t pairs_of(uint64_t queries, uint64_t rows)
{
    return queries * (rows - queries) + queries * queries / 2;
}

static int search_band(const struct search *s, const struct band *b, struct cdp_err *err)
{
    if (b->end > b->from &&
        cdp_allpairs(s->blocks, s->threads, b->from, b->end, &s->planes, s->plan->progress, err))
        return -1;
    for (uint64_t at = 0; at < b->olds; at += CDP_BLOCK)
        cdp_allpairs_items(s->blocks, s->threads, b->old + at, cdp_ids_from(b->end - b->from + at),
                           cdp_min(b->olds - at, CDP_BLOCK));
    return deliver(s, b, err);
}

// Rows of a band: as many as LISTS_BYTES allows.
static uint64_t band_rows(const struct search *s)
{
    uint64_t queries = s->plan->last - s->plan->first, rows = LISTS_BYTES / cdp_topk_bytes(s->k);
    rows = rows < CDP_BLOCK ? CDP_BLOCK : rows;
    return rows < queries ? rows : queries;
}

static int seed(struct search *s, struct cdp_err *err)
{
    struct cdp_ivf_lists lists = {0};
    int status =
        cdp_allpairs_seed(&s->data, s->blocks, s->threads, &lists, s->plan->progress, err) ||
        cdp_allpairs_prepare(&s->data, &s->topk, &lists, &s->planes, s->threads, err);
    cdp_ivf_lists_free(&lists);
    return status ? -1 : 0;
}

static int exact(struct search *s, struct cdp_err *err)
{
    const struct cdp_knn_plan *plan = s->plan;
    uint64_t groups = s->duplicates.groups, most = band_rows(s), pairs = 0;
    bool all = most == s->duplicates.rows;
    struct band band = {.old = NULL};
    int status = 0;
    cdp_progress_limit(plan->progress, SEED_SHARE);
    if (s->duplicates.group && !all && !(band.old = cdp_alloc(most, sizeof *band.old, "rows", err)))
        status = -1;
    if (!status && s->data.vector && all && groups >= SEEDED_ROWS)
        status = seed(s, err);
    for (int pass = 0; pass < 2; pass++) { // counts pairs, then searches
        for (uint64_t at = plan->first; !status && at < plan->last; at += most) {
            set_band(&band, s, at, plan->last - at < most ? plan->last : at + most);
            pairs += pairs_of(band.end - band.from, groups);
            if (pass > 0 && at > plan->first)
                cdp_topk_clear(&s->topk);
            if (pass > 0)
                status = search_band(s, &band, err);
        }
        if (pass == 0) {
            cdp_progress_limit(plan->progress, 1);
            cdp_progress_stage(plan->progress, 1, pairs);
        }
    }
    free(band.old);
    return status;
}

// ---- approximate

static int approximate(struct search *s, struct cdp_err *err)
{
    const struct cdp_knn_plan *plan = s->plan;
    uint64_t groups = s->duplicates.groups;
    struct band all = {.last = s->duplicates.rows, .end = groups};
    struct cdp_ivf_lists lists = {0};
    double *found = &s->result->recall;
    bool once = plan->copies == CDP_COPIES_ONCE;
    int status = cdp_approx(&s->data, once ? NULL : &s->duplicates, s->blocks, plan->k, s->threads,
                            plan->recall, found, &lists, plan->progress, err);
    if (!status && *found < plan->recall) {
        status = cdp_allpairs_prepare(&s->data, &s->topk, &lists, &s->planes, s->threads, err);
        cdp_progress_start(plan->progress, "neighbours, by all pairs", "pairs",
                           pairs_of(groups, groups));
        if (!status)
            status =
                cdp_allpairs(s->blocks, s->threads, 0, groups, &s->planes, plan->progress, err);
        *found = 1;
    }
    cdp_ivf_lists_free(&lists);
    return status ? status : deliver(s, &all, err);
}

// ---- both

// If all rows are equal there is nothing to search.
static int equal_rows(const struct search *s, struct cdp_err *err)
{
    uint32_t id;
    double key;
    struct search none = *s; // its lists are empty
    struct band all = {.first = s->plan->first, .last = s->plan->last, .end = 1};
    none.topk = (struct cdp_topk){.id = &id, .key = &key};
    return deliver(&none, &all, err);
}

static int search(struct search *s, bool approx, struct cdp_err *err)
{
    uint64_t lists = approx ? s->duplicates.groups : band_rows(s);
    lists = lists < s->duplicates.groups ? lists : s->duplicates.groups;
    if (cdp_topk_new(&s->topk, &s->data, lists, s->k, err))
        return -1;
    s->blocks = cdp_pair_blocks_new(&s->data, s->threads, err);
    if (!s->blocks)
        return -1;
    cdp_pair_blocks_fill(s->blocks, s->threads, &s->topk);
    return approx ? approximate(s, err) : exact(s, err);
}

int cdp_knn(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan, cdp_knn_sink *sink,
            void *context, struct cdp_knn_result *result, struct cdp_err *err)
{
    struct search s = {.plan = plan,
                       .threads = cdp_threads(plan->threads),
                       .sink = sink,
                       .context = context,
                       .result = result};
    *result = (struct cdp_knn_result){.recall = 1};
    if (check(matrix, plan, err))
        return -1;
    bool approx = cdp_knn_choose(matrix, plan) == CDP_KNN_APPROX;
    cdp_progress_start(plan->progress, "neighbours", "rows", 0);
    int status = cdp_duplicates_find(&s.duplicates, matrix, s.threads, err);
    uint64_t groups = s.duplicates.groups;
    struct cdp_matrix distinct = *matrix;
    distinct.rows = groups;
    distinct.pick = s.duplicates.first;
    s.k = cdp_min(plan->k, groups - 1);
    if (!status)
        status = cdp_dataset_build(&s.data, &distinct, plan->metric, s.k ? s.k : 1, !approx,
                                   s.threads, err);
    if (!status)
        status = s.k == 0 ? equal_rows(&s, err) : search(&s, approx, err);
    cdp_hyperplanes_free(&s.planes);
    cdp_pair_blocks_free(s.blocks, s.threads);
    cdp_topk_free(&s.topk);
    cdp_dataset_free(&s.data);
    cdp_duplicates_free(&s.duplicates);
    return status;
}
