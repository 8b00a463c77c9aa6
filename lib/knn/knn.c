// SPDX-License-Identifier: MIT
#include "knn/knn.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/data/dataset.h"
#include "knn/data/duplicates.h"
#include "knn/search/allpairs.h"
#include "knn/search/approx.h"

// See tests/bench/NOTES.md.
enum {
    EXACT_ROWS = 20 * 1000,
    EXACT_SHARE = 20, // rows a neighbour
    // From here on lists are seeded: lists that are good from the start spare the measuring of
    // pairs that do not stay.
    SEEDED_ROWS = 4 * 1000,
};

static const double SEED_SHARE = 0.3; // of an exact search of 60,000 rows: seeding its lists

static const uint64_t LISTS_BYTES = UINT64_C(4) << 30; // of the queries that are searched together

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

// A search under way.
struct search {
    struct cdp_dataset data; // of the first row of each group
    struct cdp_duplicates copies;
    const struct cdp_knn_plan *plan;
    uint32_t k; // groups that a list holds
    int threads;
    cdp_knn_sink *sink;
    void *context;
    struct cdp_knn_result *result;
};

// Rows that are searched together, and their groups: those that first appear among them, and,
// ascending, those from before, whose lists come after these lists.
struct band {
    uint64_t first, last;
    uint64_t from, end;
    uint32_t *old;
    uint64_t olds;
};

// ---- handing the lists on

// The list of a group.
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

// The neighbours of a row. Returns how many.
static uint32_t neighbours_of(const struct search *s, const struct band *b,
                              const struct cdp_topk *n, uint64_t row, uint32_t *target, double *key)
{
    const struct cdp_duplicates *c = &s->copies;
    uint32_t group = cdp_duplicates_group(c, row), first = cdp_duplicates_first(c, group);
    double least = cdp_distance_min_key(s->plan->metric);
    bool once = s->plan->copies == CDP_COPIES_ONCE;
    if (once && row != first) {
        *target = first;
        *key = least;
        return 1;
    }
    uint64_t list = list_of(b, group);
    const uint32_t *id = n->id + list * n->k;
    if (!once)
        return cdp_duplicates_expand(c, row, id, n->key + list * n->k, n->k, least, s->plan->k,
                                     target, key);
    for (uint32_t i = 0; i < n->k; i++) {
        target[i] = cdp_duplicates_first(c, id[i]);
        key[i] = n->key[list * n->k + i];
    }
    return n->k;
}

static bool all_copies(const struct cdp_duplicates *c, uint64_t row, const uint32_t *target,
                       uint32_t count)
{
    uint32_t same = 0;
    while (same < count && c->group && c->group[target[same]] == c->group[row])
        same++;
    return same == count;
}

static int deliver(const struct search *s, const struct band *b, const struct cdp_topk *n,
                   struct cdp_err *err)
{
    uint32_t k = s->plan->k;
    float *distance = cdp_alloc(k, sizeof *distance, "distances", err);
    double *key = cdp_alloc(k, sizeof *key, "distances", err);
    uint32_t *target = cdp_alloc(k, sizeof *target, "neighbours", err);
    int status = distance && key && target ? 0 : -1;
    for (uint64_t row = b->first; !status && row < b->last; row++) {
        uint32_t count = neighbours_of(s, b, n, row, target, key);
        for (uint32_t i = 0; i < count; i++)
            distance[i] = (float)cdp_distance_of(s->plan->metric, key[i]);
        s->result->crowded +=
            s->plan->copies == CDP_COPIES_LIST && all_copies(&s->copies, row, target, count);
        status = s->sink(s->context, row, target, distance, count, err);
    }
    free(distance);
    free(key);
    free(target);
    return status;
}

// ---- exact

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// b->old has room for all rows of the band.
static void set_band(struct band *b, const struct search *s, uint64_t first, uint64_t last)
{
    b->first = first;
    b->last = last;
    b->from = cdp_duplicates_before(&s->copies, first);
    b->end = cdp_duplicates_before(&s->copies, last);
    b->olds = 0;
    if (s->plan->copies == CDP_COPIES_ONCE || !s->copies.group || b->from == 0)
        return;
    for (uint64_t row = first; row < last; row++) {
        uint32_t group = cdp_duplicates_group(&s->copies, row);
        b->old[b->olds] = group;
        b->olds += group < b->from;
    }
    qsort(b->old, b->olds, sizeof *b->old, by_number);
    uint64_t different = 0;
    for (uint64_t i = 0; i < b->olds; i++) {
        if (i == 0 || b->old[i] != b->old[i - 1])
            b->old[different++] = b->old[i];
    }
    b->olds = different;
}

// Pairs that joining all blocks of a search takes.
static uint64_t pairs_of(uint64_t queries, uint64_t rows)
{
    return queries * (rows - queries) + queries * queries / 2;
}

static int search_band(const struct search *s, struct cdp_pair_block *blocks,
                       struct cdp_topk *nearest, const struct band *b,
                       const struct cdp_hyperplanes *hyperplanes, struct cdp_err *err)
{
    if (b->end > b->from &&
        cdp_allpairs(blocks, s->threads, b->from, b->end, hyperplanes, s->plan->progress, err))
        return -1;
    for (uint64_t at = 0; at < b->olds; at += CDP_BLOCK)
        cdp_allpairs_items(blocks, s->threads, b->old + at, cdp_ids_from(b->end - b->from + at),
                           cdp_min(b->olds - at, CDP_BLOCK));
    return deliver(s, b, nearest, err);
}

static int exact(struct search *s, struct cdp_err *err)
{
    const struct cdp_knn_plan *plan = s->plan;
    struct cdp_dataset *data = &s->data;
    uint64_t queries = plan->last - plan->first, groups = s->copies.groups;
    uint64_t most = LISTS_BYTES / cdp_topk_bytes(s->k);
    most = most < CDP_BLOCK ? CDP_BLOCK : most;
    most = most < queries ? most : queries;
    bool all = most == s->copies.rows;
    struct band band = {.old = NULL};
    struct cdp_topk nearest;
    if (cdp_topk_new(&nearest, data, most < groups ? most : groups, s->k, err))
        return -1;
    struct cdp_pair_block *blocks = cdp_pair_blocks_new(data, s->threads, err);
    int status = blocks ? 0 : -1;
    if (blocks)
        cdp_pair_blocks_fill(blocks, s->threads, &nearest);
    if (s->copies.group && !all && !(band.old = cdp_alloc(most, sizeof *band.old, "rows", err)))
        status = -1;
    struct cdp_ivf_lists cells = {0};
    struct cdp_hyperplanes hyperplanes = {0};
    cdp_progress_limit(plan->progress, SEED_SHARE);
    if (!status && data->vector && all && groups >= SEEDED_ROWS)
        status = cdp_seed(data, blocks, s->threads, &cells, plan->progress, err) ||
                         cdp_allpairs_order(data, &nearest, &cells, &hyperplanes, s->threads, err)
                     ? -1
                     : 0;
    cdp_ivf_lists_free(&cells);
    uint64_t pairs = 0;
    for (uint64_t at = plan->first; !status && at < plan->last; at += most) {
        set_band(&band, s, at, plan->last - at < most ? plan->last : at + most);
        pairs += pairs_of(band.end - band.from, groups);
    }
    cdp_progress_limit(plan->progress, 1);
    cdp_progress_stage(plan->progress, 1, pairs);
    for (uint64_t at = plan->first; !status && at < plan->last; at += most) {
        if (at > plan->first)
            cdp_topk_clear(&nearest);
        set_band(&band, s, at, plan->last - at < most ? plan->last : at + most);
        status = search_band(s, blocks, &nearest, &band, &hyperplanes, err);
    }
    free(band.old);
    cdp_hyperplanes_free(&hyperplanes);
    cdp_pair_blocks_free(blocks, s->threads);
    cdp_topk_free(&nearest);
    return status;
}

// ---- approximate

static int approximate(struct search *s, struct cdp_err *err)
{
    const struct cdp_knn_plan *plan = s->plan;
    struct cdp_dataset *data = &s->data;
    bool once = plan->copies == CDP_COPIES_ONCE;
    uint64_t groups = s->copies.groups;
    struct band all = {.last = s->copies.rows, .end = groups};
    struct cdp_topk nearest;
    if (cdp_topk_new(&nearest, data, groups, s->k, err))
        return -1;
    struct cdp_pair_block *blocks = cdp_pair_blocks_new(data, s->threads, err);
    int status = blocks ? 0 : -1;
    if (blocks)
        cdp_pair_blocks_fill(blocks, s->threads, &nearest);
    struct cdp_ivf_lists cells = {0};
    struct cdp_hyperplanes hyperplanes = {0};
    double *found = &s->result->recall;
    if (!status)
        status = cdp_approx(data, once ? NULL : &s->copies, blocks, plan->k, s->threads,
                            plan->recall, found, &cells, plan->progress, err);
    if (!status && *found < plan->recall) {
        status = cdp_allpairs_order(data, &nearest, &cells, &hyperplanes, s->threads, err);
        cdp_progress_start(plan->progress, "neighbours, by all pairs", "pairs",
                           pairs_of(groups, groups));
        if (!status)
            status = cdp_allpairs(blocks, s->threads, 0, groups, &hyperplanes, plan->progress, err);
        *found = 1;
    }
    cdp_hyperplanes_free(&hyperplanes);
    cdp_ivf_lists_free(&cells);
    if (!status)
        status = deliver(s, &all, &nearest, err);
    cdp_pair_blocks_free(blocks, s->threads);
    cdp_topk_free(&nearest);
    return status;
}

// ---- both

// Where all rows are equal there is nothing to search.
static int equal_rows(const struct search *s, struct cdp_err *err)
{
    uint32_t id;
    double key;
    struct cdp_topk none = {.id = &id, .key = &key};
    struct band all = {.first = s->plan->first, .last = s->plan->last, .end = 1};
    return deliver(s, &all, &none, err);
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
    cdp_progress_start(plan->progress, "neighbours", "rows", 0);
    int status = cdp_duplicates_find(&s.copies, matrix, s.threads, err);
    uint64_t groups = s.copies.groups;
    struct cdp_matrix distinct = *matrix;
    distinct.rows = groups;
    distinct.pick = s.copies.first;
    s.k = cdp_min(plan->k, groups - 1);
    bool approx = cdp_knn_choose(matrix, plan) == CDP_KNN_APPROX;
    if (!status)
        status = cdp_dataset_build(&s.data, &distinct, plan->metric, s.k ? s.k : 1, !approx,
                                   s.threads, err);
    if (!status)
        status = s.k == 0 ? equal_rows(&s, err) : approx ? approximate(&s, err) : exact(&s, err);
    cdp_dataset_free(&s.data);
    cdp_duplicates_free(&s.copies);
    return status;
}
