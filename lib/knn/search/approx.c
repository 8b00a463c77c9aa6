// SPDX-License-Identifier: MIT
#include "knn/search/approx.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

// Timed (README.md).
enum {
    NPROBE = 7,         // lists at first
    FAR = 16,           // `scattered` is about one item in this many
    STALL = 8,          // a gain below 1 / STALL of the standard error is none
    GROWN = 4,          // times as long as at first candidate lists become, at most
    SAMPLE = CDP_BLOCK, // items whose exact neighbours are computed, at most
    SEED = 1,
    // NN-descent:
    MET = 1024, // items that are remembered
    ASKED = 2,  // one neighbour in this many, the nearest, is asked: the others add little
    // Schedule; see struct cdp_schedule:
    SHARE = 32,      // halves each round,
    MORE = 128,      // nprobe; doubles once all items probe
    FINE = 256,      // few: at most 1 in `enough`,
    WIDER = 4,       // times as many in the next round,
    AROUND = 8,      // NN-descent: times as many items as probe,
    PER_MISSING = 5, // at most; doubles each round
    EVEN_SHARE = 4,  // halves each round
    CHEAP = 32,      // probing more than 1 list in this many costs more than all pairs
    ALL_NPROBE = 24, // doubles each round
};

static const uint64_t CANDIDATES_BYTES = UINT64_C(1) << 32; // that candidate lists may grow to

// ---- NN-descent (Dong, Moses and Li, Efficient k-nearest neighbor graph construction for generic
// similarity measures, WWW 2011)

static void add_scored(const struct cdp_dataset *data, uint32_t item, const uint32_t *others,
                       uint32_t count, uint64_t *list, uint32_t k)
{
    float score[CDP_TILE_COLUMNS];
    cdp_dataset_scores(data, item, data, others, count, score);
    cdp_candidates_add(list, k, data->kernel, others, score, count);
}

// Whether an item was met, as far as is remembered. Near items have near numbers, so few collide.
static bool was_met(uint32_t met[MET], uint32_t item)
{
    bool is = met[item % MET] == item;
    met[item % MET] = item;
    return is;
}

static void try_neighbours(const struct cdp_dataset *data, const struct cdp_candidates *lists,
                           uint32_t item, uint64_t *list)
{
    uint32_t others[CDP_TILE_COLUMNS] = {0}, count = 0, k = lists->k, met[MET];
    const uint64_t *own = cdp_candidates_list(lists, item);
    for (uint32_t r = 0; r < k / ASKED && own[r] != CDP_CANDIDATE_NONE; r++)
        cdp_fetch(cdp_candidates_list(lists, cdp_candidate_id(own[r])), k * sizeof *own);
    memset(met, 0xFF, sizeof met);
    was_met(met, item);
    for (uint32_t r = 0; r < k && own[r] != CDP_CANDIDATE_NONE; r++)
        was_met(met, cdp_candidate_id(own[r]));
    for (uint32_t r = 0; r < k / ASKED && own[r] != CDP_CANDIDATE_NONE; r++) {
        const uint64_t *other = cdp_candidates_list(lists, cdp_candidate_id(own[r]));
        for (uint32_t i = 0; i < k && other[i] != CDP_CANDIDATE_NONE; i++) {
            others[count] = cdp_candidate_id(other[i]);
            count += others[count] != item && !was_met(met, others[count]);
            if (count == CDP_TILE_COLUMNS) {
                add_scored(data, item, others, count, list, k);
                count = 0;
            }
        }
    }
    add_scored(data, item, others, count, list, k);
}

// Inserts neighbours of neighbours into the lists of these items. Reads the lists as they were, so
// the result does not depend on threads.
static int descend(const struct cdp_dataset *data, struct cdp_candidates *lists,
                   const uint32_t *items, uint64_t count, int threads,
                   struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_candidates some;
    if (cdp_candidates_gather(&some, lists, items, count, threads, err))
        return -1;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, count);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint64_t i = 0; i < count; i++) {
        if (cdp_progress_stopped(progress))
            continue;
        try_neighbours(data, lists, items[i], cdp_candidates_list(&some, i));
        cdp_progress_add(progress, 1);
    }
    cdp_candidates_scatter(lists, &some, items, threads);
    cdp_candidates_free(&some);
    return cdp_progress_check(progress, err);
}

// ---- the search schedule

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct cdp_schedule cdp_schedule_new(void)
{
    return (struct cdp_schedule){.share = SHARE,
                                 .nprobe = MORE,
                                 .few = FINE,
                                 .few_nprobe = MORE,
                                 .all_nprobe = ALL_NPROBE,
                                 .per_missing = PER_MISSING,
                                 .even_share = EVEN_SHARE};
}

uint64_t cdp_schedule_probes(struct cdp_schedule *s, bool scattered, uint64_t enough,
                             uint64_t nlist, double *share)
{
    uint64_t nprobe = s->all_nprobe, few = smaller(enough, s->few);
    s->fine = scattered ? few > s->share && s->few_nprobe < 2 * nlist
                        : s->all_nprobe < s->nprobe && few > s->nprobe / s->all_nprobe;
    *share = 1;
    if (s->fine) {
        *share = (double)few;
        nprobe = scattered ? s->few_nprobe : s->nprobe;
        s->few = few / WIDER;
    } else if (scattered) {
        *share = (double)s->share;
        nprobe = s->nprobe;
        // The next few probe deeper than these.
        if (s->few < FINE || s->few_nprobe <= s->nprobe)
            s->few_nprobe *= 2;
        s->few = FINE;
        if (s->share > 1)
            s->share /= 2;
        else
            s->nprobe *= 2;
    } else {
        s->all_nprobe *= 2;
    }
    nprobe = smaller(nprobe, nlist);
    return (double)(nprobe * CHEAP) > *share * (double)nlist ? 0 : nprobe;
}

double cdp_schedule_descent(struct cdp_schedule *s, bool scattered, uint64_t enough)
{
    double share = fmax(1, (double)enough / s->per_missing);
    s->per_missing *= 2;
    if (scattered)
        return fmax(share, (double)s->share / AROUND);
    if (share > s->even_share) {
        share = s->even_share;
        s->even_share = fmax(1, share / 2);
    }
    return share;
}

// ---- recall

// An item of the sample: the last entry of its candidate list, and how many rows it misses.
struct lack {
    uint64_t radius;
    uint64_t missing;
};

// Items whose exact neighbours are known.
struct sample {
    const uint32_t *item;
    const struct cdp_topk *exact;            // list i is that of item[i]
    const struct cdp_duplicates *duplicates; // NULL: equal rows are not listed
    uint32_t k;                              // rows in a final list
    uint32_t *item_of;                       // of each row
    float *room;
    struct lack *lack;
};

// The number of rows equal to an item's, itself included.
static uint64_t rows_of(const struct sample *s, uint32_t item)
{
    uint32_t row = cdp_dataset_row(s->exact->data, item);
    return s->duplicates ? cdp_duplicates_size(s->duplicates, row) : 1;
}

// The number of other rows that the item's final list holds, behind those equal to it.
static uint64_t wanted_of(const struct sample *s, uint32_t item)
{
    uint64_t equal = rows_of(s, item) - 1;
    return !s->duplicates ? s->exact->k : equal < s->k ? s->k - equal : 0;
}

static int by_radius(const void *a, const void *b)
{
    const struct lack *x = a, *y = b;
    if (x->radius != y->radius)
        return x->radius > y->radius ? -1 : 1;
    return x->missing > y->missing ? -1 : x->missing < y->missing;
}

static bool holds(const uint64_t *list, uint32_t k, uint32_t item)
{
    for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
        if (cdp_candidate_id(list[r]) == item)
            return true;
    }
    return false;
}

// The number of neighbours of sample i that are not in its list of k candidates, times its rows.
// Others at most as far as the last neighbour count as found.
static uint64_t missing_from(const struct sample *s, const uint64_t *list, uint32_t k, uint64_t i)
{
    const struct cdp_dataset *data = s->exact->data;
    uint32_t item = s->item[i], last = 0;
    const uint32_t *id = s->exact->id + i * s->exact->k;
    uint64_t wanted = wanted_of(s, item), near = 0;
    for (uint64_t rows = 0; last < s->exact->k && rows < wanted; last++)
        rows += rows_of(s, s->item_of[id[last]]);
    if (last == 0)
        return 0;
    double farthest = s->exact->key[i * s->exact->k + last - 1];
    for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint32_t other = cdp_candidate_id(list[r]), at = 0;
        double key = farthest;
        while (at < last && id[at] != cdp_dataset_row(data, other))
            at++;
        if (at == last)
            cdp_dataset_keys(data, &item, &other, 1, s->room, &key);
        near += key <= farthest ? rows_of(s, other) : 0;
    }
    return near < wanted ? (wanted - near) * rows_of(s, item) : 0;
}

// The number of exact neighbours of sample i whose scores are behind all candidates in its list,
// times its rows: the list is too short for them.
static uint64_t refused_by(const struct sample *s, const uint64_t *list, uint32_t k, uint64_t i)
{
    const struct cdp_dataset *data = s->exact->data;
    uint32_t item = s->item[i];
    uint64_t refused = 0;
    for (uint32_t r = 0; r < s->exact->k; r++) {
        uint32_t other = s->item_of[s->exact->id[i * s->exact->k + r]];
        float score;
        cdp_dataset_scores(data, item, data, &other, 1, &score);
        if (!holds(list, k, other) && cdp_candidate(score, other) > list[k - 1])
            refused += rows_of(s, other);
    }
    return refused * rows_of(s, item);
}

struct recall {
    double found;    // share of the exact neighbours that is in the lists
    double error;    // standard error of that
    double limit;    // recall if all neighbours had been met
    bool scattered;  // most of what is missing is missing from the lists of largest radius
    uint64_t enough; // 1 in so many lists, of largest radius, misses enough for the wanted recall
};

// The recall of candidate lists. Lists of similar radius miss about as much, and the sample is
// stratified by radius. So the error is estimated from differences of adjacent samples (Wolter, An
// investigation of some estimators of variance for systematic sampling, Journal of the American
// Statistical Association 79(388), 1984).
static struct recall recall_of(const struct sample *s, const struct cdp_candidates *lists,
                               double wanted)
{
    uint64_t missing = 0, refused = 0, squares = 0, far = 0, count = s->exact->count, items = 0;
    double all = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t item = s->item[i], k = lists->k;
        const uint64_t *list = cdp_candidates_list(lists, item);
        struct lack *lack = &s->lack[i];
        *lack = (struct lack){list[k - 1], missing_from(s, list, k, i)};
        missing += lack->missing;
        refused += smaller(refused_by(s, list, k, i), lack->missing);
        all += (double)rows_of(s, item) * (s->duplicates ? s->k : s->exact->k);
    }
    qsort(s->lack, count, sizeof *s->lack, by_radius);
    for (uint64_t i = 0; i < count / FAR; i++)
        far += s->lack[i].missing;
    for (uint64_t i = 1; i < count; i++) {
        int64_t difference = (int64_t)s->lack[i].missing - (int64_t)s->lack[i - 1].missing;
        squares += (uint64_t)(difference * difference);
    }
    struct recall r = {.found = 1 - (double)missing / all,
                       .error = sqrt((double)squares / 2) / all,
                       .limit = 1 - (double)refused / all,
                       .scattered = 2 * far > missing};
    // After a round a third of what is missing may stay so.
    double left = (wanted + r.error - r.found) * all * 1.5;
    while (items < count && left > 0)
        left -= (double)s->lack[items++].missing;
    r.enough = items > 0 ? count / items : count;
    return r;
}

// ---- rounds

// The length that candidate lists grow to if they are too short for the wanted recall; 0 if they
// are not, or may not grow.
static uint32_t grown(const struct cdp_candidates *lists, const struct recall *r, double wanted,
                      uint64_t longest)
{
    uint64_t twice = 2 * (uint64_t)lists->k, bytes = twice * sizeof *lists->entry * lists->count;
    bool may = twice <= longest && twice < lists->count && bytes <= CANDIDATES_BYTES;
    return r->limit - r->error < wanted && may ? (uint32_t)twice : 0;
}

// Widens the search until the sample has the recall, or a round gains nothing, or all pairs would
// be cheaper. Where scores cannot rank near items, lists grow.
static int widen(struct sample *sample, struct cdp_ivf *ivf, struct cdp_candidates *lists,
                 double wanted, int threads, double *found, struct cdp_progress *progress,
                 struct cdp_err *err)
{
    const struct cdp_dataset *data = sample->exact->data;
    struct cdp_schedule schedule = cdp_schedule_new();
    uint64_t longest = GROWN * (uint64_t)lists->k, count = 0;
    uint32_t *items = NULL; // whose lists changed in the last round; at first all
    double before = 0;
    int status = 0;
    for (bool descent = true; !status; descent = !descent) {
        status = cdp_candidates_add_reverse(lists, items, count, data->kernel, threads, err);
        free(items);
        items = NULL;
        struct recall r = recall_of(sample, lists, wanted);
        *found = r.found;
        uint32_t longer = grown(lists, &r, wanted, longest);
        bool stalled = descent && !schedule.fine && r.found - before < r.error / STALL;
        if (status || r.found - r.error >= wanted || (stalled && !longer))
            break;
        before = descent ? r.found : before;
        double share = 1;
        uint64_t nprobe = 0;
        if (longer) {
            descent = true;
            status = cdp_candidates_grow(lists, longer, threads, err);
        } else if (descent) {
            share = cdp_schedule_descent(&schedule, r.scattered, r.enough);
        } else {
            nprobe =
                cdp_schedule_probes(&schedule, r.scattered, r.enough, ivf->coarse->count, &share);
            if (nprobe == 0)
                break;
        }
        items = status ? NULL : cdp_candidates_farthest(lists, lists->k - 1, share, &count, err);
        if (!items)
            status = -1;
        else if (descent)
            status = descend(data, lists, items, count, threads, progress, err);
        else
            status = cdp_ivf_search_more(ivf, data, lists, items, count, (uint32_t)nprobe, threads,
                                         progress, err);
    }
    free(items);
    return status;
}

static int search(struct sample *sample, struct cdp_ivf *ivf, struct cdp_candidates *lists,
                  double wanted, int threads, double *found, struct cdp_progress *progress,
                  struct cdp_err *err)
{
    const struct cdp_topk *exact = sample->exact;
    sample->room =
        cdp_alloc(exact->data->matrix->dim, 2 * CDP_KEY_BATCH * sizeof *sample->room, "rows", err);
    sample->lack = cdp_alloc(exact->count, sizeof *sample->lack, "the sample", err);
    sample->item_of = cdp_alloc(lists->count, sizeof *sample->item_of, "items", err);
    int status = sample->room && sample->lack && sample->item_of ? 0 : -1;
    for (uint64_t i = 0; !status && i < lists->count; i++)
        sample->item_of[cdp_dataset_row(exact->data, i)] = (uint32_t)i;
    if (!status)
        status = widen(sample, ivf, lists, wanted, threads, found, progress, err);
    free(sample->room);
    free(sample->lack);
    free(sample->item_of);
    return status;
}

// Finds the exact neighbours of the sample. Re-ranking their candidates first spares most
// measuring.
static int search_sample(struct cdp_pair_block *blocks, int threads,
                         const struct cdp_candidates *lists, const uint32_t *item,
                         struct cdp_err *err)
{
    if (cdp_rerank(blocks, threads, lists, item, err))
        return -1;
    cdp_allpairs_items(blocks, threads, item, cdp_ids_from(0), (uint32_t)blocks->topk->count);
    return 0;
}

// Completes result lists that are not full, of items that met too few others, from all pairs.
static void complete(struct cdp_pair_block *blocks, int threads)
{
    const struct cdp_topk *topk = blocks->topk;
    uint32_t items[CDP_BLOCK], lists[CDP_BLOCK], count = 0;
    for (uint64_t i = 0; i < topk->count; i++) {
        uint32_t row = cdp_dataset_row(topk->data, i);
        if (topk->found[row] < topk->k) {
            items[count] = (uint32_t)i;
            lists[count++] = row;
        }
        if (count == CDP_BLOCK || (count > 0 && i + 1 == topk->count)) {
            cdp_allpairs_items(blocks, threads, items, cdp_ids_of(lists), count);
            count = 0;
        }
    }
}

int cdp_approx(struct cdp_dataset *data, const struct cdp_duplicates *duplicates,
               struct cdp_pair_block *blocks, uint32_t k, int threads, double recall, double *found,
               struct cdp_ivf_lists *items, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_topk *topk = blocks->topk, exact = {0};
    struct cdp_candidates lists = {0};
    struct cdp_ivf ivf = {0};
    uint64_t n = topk->count, samples = n < SAMPLE ? n : SAMPLE;
    // More than are wanted, since scores have errors.
    uint32_t length = cdp_min((uint64_t)topk->k + topk->k / 4 + 2, n - 1);
    uint32_t *chosen = NULL;
    int status = -1;
    if (cdp_ivf_new(&ivf, data, length, NPROBE, SEED, threads, progress, err) ||
        cdp_candidates_new(&lists, n, length, threads, err) ||
        cdp_topk_new(&exact, data, samples, topk->k, err) ||
        cdp_ivf_search(&ivf, data, &lists, threads, progress, err) ||
        !(chosen = cdp_candidates_sample(&lists, length - 1, samples, err)))
        goto end;
    cdp_pair_blocks_fill(blocks, threads, &exact);
    struct sample sample = {.item = chosen, .exact = &exact, .duplicates = duplicates, .k = k};
    if (search_sample(blocks, threads, &lists, chosen, err) ||
        search(&sample, &ivf, &lists, recall, threads, found, progress, err))
        goto end;
    cdp_ivf_take_lists(&ivf, items);
    cdp_ivf_free(&ivf); // before the result lists are touched
    cdp_pair_blocks_fill(blocks, threads, topk);
    status = cdp_rerank(blocks, threads, &lists, NULL, err);
    if (!status)
        complete(blocks, threads);
end:
    free(chosen);
    cdp_ivf_free(&ivf);
    cdp_candidates_free(&lists);
    cdp_topk_free(&exact);
    return status;
}
