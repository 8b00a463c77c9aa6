// SPDX-License-Identifier: MIT
#include "knn/search/approx.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/search/allpairs.h"
#include "knn/search/descent.h"
#include "knn/search/ivf.h"
#include "knn/search/radius.h"
#include "knn/search/schedule.h"

enum {
    PROBES = 7,         // cells that an item looks into at first
    FAR = 16,           // one in so many are the farthest, of whom it depends who looks on
    STALL = 8,          // a gain of one standard error in so many is none
    SEED_PROBES = 4,    // of a search that only fills lists
    GROWN = 4,          // times as long as at first lists become, at most
    SAMPLE = CDP_BLOCK, // items whose exact neighbours are known, at most that
    SEED = 1,
};

static const uint64_t LISTS_BYTES = UINT64_C(1) << 32; // that lists may grow to

// ---- recall

// Finds the exact neighbours of a sample. What is in their lists spares measuring most of what is
// farther.
static int search_sample(struct cdp_pair_block *blocks, int threads,
                         const struct cdp_candidates *lists, const uint32_t *sample,
                         struct cdp_err *err)
{
    if (cdp_rerank(blocks, threads, lists, sample, false, err))
        return -1;
    cdp_allpairs_items(blocks, threads, sample, cdp_ids_from(0), (uint32_t)blocks->nearest->count);
    return 0;
}

// Fills the lists that are not full: of items that met too few others.
static void complete(struct cdp_pair_block *blocks, int threads)
{
    const struct cdp_topk *nearest = blocks->nearest;
    uint32_t items[CDP_BLOCK], lists[CDP_BLOCK], count = 0;
    for (uint64_t i = 0; i < nearest->count; i++) {
        uint32_t row = cdp_dataset_row(nearest->data, i);
        if (nearest->found[row] < nearest->k) {
            items[count] = (uint32_t)i;
            lists[count++] = row;
        }
        if (count == CDP_BLOCK || (count > 0 && i + 1 == nearest->count)) {
            cdp_allpairs_items(blocks, threads, items, cdp_ids_of(lists), count);
            count = 0;
        }
    }
}

// Items whose exact neighbours are known.
struct sample {
    const uint32_t *item;
    const struct cdp_topk *exact;
    const uint32_t *item_of;             // of each row
    const struct cdp_duplicates *copies; // NULL: equal rows are not listed
    uint32_t k;                          // rows that a list is to hold
    float *room;
    struct lack *lack;
};

// The rows of a sampled item, and those of other items that its list is to hold: what its copies
// leave.
static uint64_t size_of(const struct sample *s, uint32_t item)
{
    return s->copies ? cdp_duplicates_size(s->copies, cdp_dataset_row(s->exact->data, item)) : 1;
}

static uint64_t wanted_of(const struct sample *s, uint32_t item)
{
    uint64_t copies = size_of(s, item) - 1;
    return !s->copies ? s->exact->k : copies < s->k ? s->k - copies : 0;
}

// What an item of the sample misses, and how far its list reaches.
struct lack {
    uint64_t reach;
    uint64_t missing;
};

static int by_reach(const void *a, const void *b)
{
    const struct lack *x = a, *y = b;
    if (x->reach != y->reach)
        return x->reach > y->reach ? -1 : 1;
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

// How many rows that are neighbours of sample i are not in its list of k entries, for each of its
// rows. Others as near as these count too.
static uint64_t missing_from(const struct sample *s, const uint64_t *list, uint32_t k, uint64_t i)
{
    const struct cdp_dataset *data = s->exact->data;
    uint32_t item = s->item[i], last = 0;
    const uint32_t *id = s->exact->id + i * s->exact->k;
    uint64_t wanted = wanted_of(s, item), near = 0;
    for (uint64_t rows = 0; last < s->exact->k && rows < wanted; last++)
        rows += size_of(s, s->item_of[id[last]]);
    if (last == 0)
        return 0;
    double farthest_key = s->exact->key[i * s->exact->k + last - 1];
    for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint32_t other = cdp_candidate_id(list[r]), at = 0;
        double key = farthest_key;
        while (at < last && id[at] != cdp_dataset_row(data, other))
            at++;
        if (at == last)
            cdp_dataset_keys(data, &item, &other, 1, s->room, &key);
        near += key <= farthest_key ? size_of(s, other) : 0;
    }
    return near < wanted ? (wanted - near) * size_of(s, item) : 0;
}

// How many of the exact neighbours of sample i the list has no room for: by their scores they are
// behind all that it holds.
static uint64_t refused_by(const struct sample *s, const uint64_t *list, uint32_t k, uint64_t i)
{
    uint32_t item = s->item[i];
    uint64_t refused = 0;
    for (uint32_t r = 0; r < s->exact->k; r++) {
        uint32_t other = s->item_of[s->exact->id[i * s->exact->k + r]];
        float score;
        cdp_dataset_scores(s->exact->data, item, s->exact->data, &other, 1, &score);
        if (!holds(list, k, other) && cdp_candidate(score, other) > list[k - 1])
            refused += size_of(s, other);
    }
    return refused * size_of(s, item);
}

// What the sample tells of the lists.
struct recall {
    double found;    // the share of the exact neighbours that is in the lists
    double error;    // the standard error of that
    double limit;    // what it would be if all neighbours had been met
    bool scattered;  // most of what is missing is so from the lists that reach farthest
    uint64_t enough; // of those lists, one in so many of all miss enough for the recall wanted
};

// Of candidates; `final`: of their re-ranked lists, unless re-ranking measures all entries. Lists
// of similar radius miss about as much, and the sample has its share of each radius: so the error
// is estimated from the differences of adjacent samples (Wolter, An investigation of some
// estimators of variance for systematic sampling, Journal of the American Statistical Association
// 79(388), 1984).
static struct recall recall_of(const struct sample *s, const struct cdp_candidates *lists,
                               double wanted, bool final)
{
    uint64_t missing = 0, refused = 0, squares = 0, far = 0, count = s->exact->count, items = 0;
    double all = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t *list = lists->entry + (uint64_t)s->item[i] * lists->k;
        uint32_t k = final
                         ? cdp_rerank_depth(s->exact->data, s->item[i], list, lists->k, s->exact->k)
                         : lists->k;
        struct lack *lack = &s->lack[i];
        lack->reach = list[lists->k - 1];
        lack->missing = missing_from(s, list, k, i);
        missing += lack->missing;
        uint64_t no_room = refused_by(s, list, lists->k, i);
        refused += no_room < lack->missing ? no_room : lack->missing;
        all += (double)size_of(s, s->item[i]) * (s->copies ? s->k : s->exact->k);
    }
    qsort(s->lack, count, sizeof *s->lack, by_reach);
    for (uint64_t i = 0; i < count / FAR; i++)
        far += s->lack[i].missing;
    for (uint64_t i = 1; i < count; i++) {
        int64_t apart = (int64_t)s->lack[i].missing - (int64_t)s->lack[i - 1].missing;
        squares += (uint64_t)(apart * apart);
    }
    struct recall r = {.found = 1 - (double)missing / all,
                       .error = sqrt((double)squares / 2) / all,
                       .limit = 1 - (double)refused / all,
                       .scattered = 2 * far > missing};
    // A third may stay missing when they have looked.
    double left = (wanted + r.error - r.found) * all * 1.5;
    while (items < count && left > 0)
        left -= (double)s->lack[items++].missing;
    r.enough = items > 0 ? count / items : count;
    return r;
}

// ---- all

// How long lists are to be where they have no room for what was met; 0 where they do, or may not
// grow.
static uint32_t grown(const struct cdp_candidates *lists, const struct recall *r, double wanted,
                      uint64_t longest)
{
    uint64_t twice = 2 * (uint64_t)lists->k, bytes = twice * sizeof *lists->entry * lists->count;
    bool may = twice <= longest && twice < lists->count && bytes <= LISTS_BYTES;
    return r->limit - r->error < wanted && may ? (uint32_t)twice : 0;
}

// Until the sample has the recall that is wanted, or looking around and into more cells gains
// nothing, or costs more than all pairs do. Where items are so near to each other that the scores
// of bytes cannot rank them, what was met is missing all the same: lists grow, so that it has room.
// *whole: re-ranking must measure all entries of lists, since its usual part of them lacks the
// recall.
static int search(struct sample *sample, struct cdp_ivf *cells, struct cdp_candidates *lists,
                  double wanted, int threads, double *found, bool *whole,
                  struct cdp_progress *progress, struct cdp_err *err)
{
    const struct cdp_dataset *data = sample->exact->data;
    float *room = cdp_alloc(data->matrix->dim, 2 * CDP_KEY_BATCH * sizeof *room, "rows", err);
    struct lack *lack = cdp_alloc(sample->exact->count, sizeof *lack, "the sample", err);
    uint32_t *item_of = cdp_alloc(lists->count, sizeof *item_of, "items", err);
    uint64_t longest = GROWN * (uint64_t)lists->k, count = 0;
    int status = !room || !lack || !item_of;
    for (uint64_t i = 0; !status && i < lists->count; i++)
        item_of[cdp_dataset_row(data, i)] = (uint32_t)i;
    sample->room = room;
    sample->lack = lack;
    sample->item_of = item_of;
    struct cdp_schedule plan = cdp_schedule_new();
    uint32_t *items = NULL; // whose lists have changed; at first all
    double before = 0;
    for (bool first = true, around = true; !status; first = false, around = !around) {
        status = cdp_candidates_add_reverse(lists, items, count, data->kernel, threads, err);
        free(items);
        items = NULL;
        struct recall r = recall_of(sample, lists, wanted, false);
        *found = r.found;
        uint32_t longer = grown(lists, &r, wanted, longest);
        bool stalled = around && !plan.fine && r.found - before < r.error / STALL;
        if (status || r.found - r.error >= wanted || (stalled && !longer))
            break;
        before = around ? r.found : before;
        // Where very few lists miss what is wanted, these look into more cells at once.
        if (first && r.scattered && cdp_schedule_is_for_few(r.enough))
            around = false;
        double part = 1;
        if (longer) {
            around = true;
            status = cdp_candidates_grow(lists, longer, threads, err);
        } else if (around) {
            part = cdp_schedule_descent(&plan, r.scattered, r.enough);
        }
        uint64_t probes = 0;
        if (!around) {
            probes =
                cdp_schedule_lists(&plan, r.scattered, r.enough, cells->centroids->count, &part);
            if (probes == 0)
                break;
        }
        items = cdp_candidates_farthest(lists, lists->k - 1, part, &count, err);
        if (status || !items)
            status = -1;
        else if (around)
            status = cdp_descent(data, lists, items, count, threads, progress, err);
        else
            status = cdp_ivf_search_more(cells, data, lists, items, count, (uint32_t)probes,
                                         threads, progress, err);
    }
    free(items);
    if (!status) {
        struct recall final = recall_of(sample, lists, wanted, true);
        *whole = final.found < *found && final.found - final.error < wanted;
        *found = *whole ? *found : final.found;
    }
    free(room);
    free(lack);
    free(item_of);
    return status ? -1 : 0;
}

// What outlives the cells.
static void give_items(struct cdp_ivf_lists *items, struct cdp_ivf *cells)
{
    *items = cells->items;
    cells->items = (struct cdp_ivf_lists){0};
}

int cdp_approx(struct cdp_dataset *data, const struct cdp_duplicates *copies,
               struct cdp_pair_block *blocks, uint32_t rows, int threads, double recall,
               double *found, struct cdp_ivf_lists *items, struct cdp_progress *progress,
               struct cdp_err *err)
{
    struct cdp_topk *nearest = blocks->nearest, exact = {0};
    struct cdp_candidates lists = {0};
    struct cdp_ivf cells = {0};
    uint64_t n = nearest->count, samples = n < SAMPLE ? n : SAMPLE;
    // More than are wanted, since scores are a little off.
    uint32_t k = cdp_min((uint64_t)nearest->k + nearest->k / 4 + 2, n - 1);
    uint32_t *chosen = NULL;
    bool whole = false;
    int status = -1;
    if (cdp_ivf_new(&cells, data, k, PROBES, SEED, threads, progress, err) ||
        cdp_candidates_new(&lists, n, k, threads, err) ||
        cdp_topk_new(&exact, data, samples, nearest->k, err) ||
        cdp_ivf_search(&cells, data, &lists, threads, progress, err) ||
        !(chosen = cdp_candidates_sample(&lists, k - 1, samples, err)))
        goto end;
    cdp_pair_blocks_fill(blocks, threads, &exact);
    struct sample sample = {.item = chosen, .exact = &exact, .copies = copies, .k = rows};
    if (search_sample(blocks, threads, &lists, chosen, err) ||
        search(&sample, &cells, &lists, recall, threads, found, &whole, progress, err))
        goto end;
    give_items(items, &cells);
    cdp_ivf_free(&cells); // whose memory is ready for what is found
    cdp_pair_blocks_fill(blocks, threads, nearest);
    status = cdp_rerank(blocks, threads, &lists, NULL, whole, err);
    if (!status)
        complete(blocks, threads);
end:
    free(chosen);
    cdp_ivf_free(&cells);
    cdp_candidates_free(&lists);
    cdp_topk_free(&exact);
    return status;
}

int cdp_seed(struct cdp_dataset *data, struct cdp_pair_block *blocks, int threads,
             struct cdp_ivf_lists *items, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_topk *nearest = blocks->nearest;
    struct cdp_candidates lists = {0};
    struct cdp_ivf cells = {0};
    int status = cdp_ivf_new(&cells, data, nearest->k, SEED_PROBES, SEED, threads, progress, err) ||
                 cdp_candidates_new(&lists, nearest->count, nearest->k, threads, err) ||
                 cdp_ivf_search(&cells, data, &lists, threads, progress, err);
    give_items(items, &cells);
    cdp_ivf_free(&cells);
    if (!status)
        status = cdp_rerank(blocks, threads, &lists, NULL, false, err);
    cdp_candidates_free(&lists);
    return status ? -1 : 0;
}
