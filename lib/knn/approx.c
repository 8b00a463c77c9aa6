// SPDX-License-Identifier: MIT
#include "knn/approx.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/cells.h"
#include "knn/neighbourhood.h"
#include "knn/plan.h"
#include "knn/reach.h"

enum {
    PROBES = 7,        // cells that an item looks into at first
    FAR = 16,          // one in so many are the farthest, of whom it depends who looks on
    STALL = 8,         // a gain of one standard error in so many is none
    SEED_PROBES = 4,   // of a search that only fills lists
    GROWN = 4,         // times as long as at first lists become, at most
    SAMPLE = CDP_SIDE, // items whose exact neighbours are known, at most that
    SEED = 1,
};

static const uint64_t LISTS_BYTES = UINT64_C(1) << 32; // that lists may grow to

// ---- recall

// Adds the exact neighbours of `count` items to these lists.
static void search_all(struct cdp_joiner *joiners, int threads, const uint32_t *items,
                       struct cdp_run lists, uint32_t count)
{
    uint64_t all = joiners->space->matrix->rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < all; from += CDP_SIDE) {
        struct cdp_joiner *j = &joiners[cdp_thread()];
        cdp_lay_rows(j, j->space->levels - 1, cdp_run_of(items), lists, count);
        cdp_lay_columns(j, cdp_run_from(from), cdp_run_from(CDP_NONE),
                        cdp_least(all - from, CDP_SIDE));
        cdp_join(j, count, false);
    }
}

// Finds the exact neighbours of a sample. What is in their lists spares measuring most of what is
// farther.
static int search_sample(struct cdp_joiner *joiners, int threads,
                         const struct cdp_shortlists *lists, const uint32_t *sample,
                         struct cdp_err *err)
{
    if (cdp_join_shortlists(joiners, threads, lists, sample, err))
        return -1;
    search_all(joiners, threads, sample, cdp_run_from(0), (uint32_t)joiners->nearest->count);
    return 0;
}

// Fills the lists that are not full: of items that met too few others.
static void complete(struct cdp_joiner *joiners, int threads)
{
    const struct cdp_nearest *nearest = joiners->nearest;
    uint32_t items[CDP_SIDE], lists[CDP_SIDE], count = 0;
    for (uint64_t i = 0; i < nearest->count; i++) {
        uint32_t row = cdp_space_row(nearest->space, i);
        if (nearest->found[row] < nearest->k) {
            items[count] = (uint32_t)i;
            lists[count++] = row;
        }
        if (count == CDP_SIDE || (count > 0 && i + 1 == nearest->count)) {
            search_all(joiners, threads, items, cdp_run_of(lists), count);
            count = 0;
        }
    }
}

// What an item of the sample misses, and how far its list reaches.
struct lack {
    uint64_t reach;
    uint32_t missing;
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
    for (uint32_t r = 0; r < k && list[r] != CDP_NOBODY; r++) {
        if (cdp_entry_id(list[r]) == item)
            return true;
    }
    return false;
}

// How many of the exact neighbours of sample i, an item, are not in its list of k. Others as near
// as these count too.
static uint32_t missing_from(const uint64_t *list, uint32_t k, const struct cdp_nearest *exact,
                             uint64_t i, uint32_t item, float *room)
{
    const struct cdp_space *space = exact->space;
    const uint32_t *id = exact->id + i * exact->k;
    double farthest_key = exact->key[(i + 1) * exact->k - 1];
    uint32_t near = 0;
    for (uint32_t r = 0; r < k && list[r] != CDP_NOBODY; r++) {
        uint32_t other = cdp_entry_id(list[r]), at = 0;
        double key = farthest_key;
        while (at < exact->k && id[at] != cdp_space_row(space, other))
            at++;
        if (at == exact->k)
            cdp_space_keys(space, &item, &other, 1, room, &key);
        near += key <= farthest_key;
    }
    return near < exact->k ? exact->k - near : 0;
}

// How many of the exact neighbours of sample i the list has no room for: by their scores they are
// behind all that it holds.
static uint32_t refused_by(const uint64_t *list, uint32_t k, const struct cdp_nearest *exact,
                           uint64_t i, uint32_t item, const uint32_t *item_of)
{
    uint32_t refused = 0;
    for (uint32_t r = 0; r < exact->k; r++) {
        uint32_t other = item_of[exact->id[i * exact->k + r]];
        float score;
        cdp_space_scores(exact->space, item, exact->space, &other, 1, &score);
        refused += !holds(list, k, other) && cdp_entry(score, other) > list[k - 1];
    }
    return refused;
}

// What the sample tells of the lists.
struct recall {
    double found;    // the share of the exact neighbours that is in the lists
    double error;    // the standard error of that
    double limit;    // what it would be if all neighbours had been met
    bool scattered;  // most of what is missing is so from the lists that reach farthest
    uint64_t enough; // of those lists, one in so many of all miss enough for the recall wanted
};

// Lists that reach as far miss about as much, and the sample holds its share of each kind: so the
// error is that of the differences of those side by side (Wolter, An investigation of some
// estimators of variance for systematic sampling, Journal of the American Statistical Association
// 79(388), 1984).
static struct recall recall_of(const struct cdp_shortlists *lists, const uint32_t *sample,
                               const uint32_t *item_of, const struct cdp_nearest *exact,
                               double wanted, struct lack *lack, float *room)
{
    uint64_t missing = 0, refused = 0, squares = 0, far = 0, count = exact->count, items = 0;
    double all = (double)count * exact->k;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t *list = lists->entry + (uint64_t)sample[i] * lists->k;
        lack[i].reach = list[lists->k - 1];
        lack[i].missing = missing_from(list, lists->k, exact, i, sample[i], room);
        missing += lack[i].missing;
        refused +=
            cdp_least(lack[i].missing, refused_by(list, lists->k, exact, i, sample[i], item_of));
    }
    qsort(lack, count, sizeof *lack, by_reach);
    for (uint64_t i = 0; i < count / FAR; i++)
        far += lack[i].missing;
    for (uint64_t i = 1; i < count; i++) {
        int64_t apart = (int64_t)lack[i].missing - lack[i - 1].missing;
        squares += (uint64_t)(apart * apart);
    }
    struct recall r = {.found = 1 - (double)missing / all,
                       .error = sqrt((double)squares / 2) / all,
                       .limit = 1 - (double)refused / all,
                       .scattered = 2 * far > missing};
    // A third may stay missing when they have looked.
    double left = (wanted + r.error - r.found) * all * 1.5;
    while (items < count && left > 0)
        left -= lack[items++].missing;
    r.enough = items > 0 ? count / items : count;
    return r;
}

// ---- all

// How long lists are to be where they have no room for what was met; 0 where they do, or may not
// grow.
static uint32_t grown(const struct cdp_shortlists *lists, const struct recall *r, double wanted,
                      uint64_t longest)
{
    uint64_t twice = 2 * (uint64_t)lists->k, bytes = twice * sizeof *lists->entry * lists->count;
    bool may = twice <= longest && twice < lists->count && bytes <= LISTS_BYTES;
    return r->limit - r->error < wanted && may ? (uint32_t)twice : 0;
}

// Until the sample has the recall that is wanted, or looking around and into more cells gains
// nothing, or costs more than all pairs do. Where items are so near to each other that the scores
// of bytes cannot rank them, what was met is missing all the same: lists grow, so that it has room.
static int search(const struct cdp_space *space, struct cdp_cells *cells,
                  struct cdp_shortlists *lists, double wanted, const uint32_t *sample,
                  const struct cdp_nearest *exact, int threads, double *found,
                  struct cdp_progress *progress, struct cdp_err *err)
{
    float *room = cdp_alloc(space->matrix->dim, 2 * CDP_KEYS * sizeof *room, "rows", err);
    struct lack *lack = cdp_alloc(exact->count, sizeof *lack, "the sample", err);
    uint32_t *item_of = cdp_alloc(lists->count, sizeof *item_of, "items", err);
    uint64_t longest = GROWN * (uint64_t)lists->k, count = 0;
    int status = !room || !lack || !item_of;
    for (uint64_t i = 0; !status && i < lists->count; i++)
        item_of[cdp_space_row(space, i)] = (uint32_t)i;
    struct cdp_plan plan = cdp_plan_new();
    uint32_t *items = NULL; // whose lists have changed; at first all
    double before = 0;
    for (bool first = true, around = true; !status; first = false, around = !around) {
        status = cdp_shortlists_reverse(lists, items, count, space->kernel, threads, err);
        free(items);
        items = NULL;
        struct recall r = recall_of(lists, sample, item_of, exact, wanted, lack, room);
        *found = r.found;
        uint32_t longer = grown(lists, &r, wanted, longest);
        bool stalled = around && !plan.fine && r.found - before < r.error / STALL;
        if (status || r.found - r.error >= wanted || (stalled && !longer))
            break;
        before = around ? r.found : before;
        // Where very few lists miss what is wanted, these look into more cells at once.
        if (first && r.scattered && cdp_plan_is_for_few(r.enough))
            around = false;
        double part = 1;
        if (longer) {
            around = true;
            status = cdp_shortlists_grow(lists, longer, threads, err);
        } else if (around) {
            part = cdp_plan_around(&plan, r.scattered, r.enough);
        }
        uint64_t probes = 0;
        if (!around) {
            probes = cdp_plan_cells(&plan, r.scattered, r.enough, cells->centres->count, &part);
            if (probes == 0)
                break;
        }
        items = cdp_farthest(lists, lists->k - 1, part, &count, err);
        if (status || !items)
            status = -1;
        else if (around)
            status = cdp_neighbourhoods(space, lists, items, count, threads, progress, err);
        else
            status = cdp_cells_probe_more(cells, space, lists, items, count, (uint32_t)probes,
                                          threads, progress, err);
    }
    free(items);
    free(room);
    free(lack);
    free(item_of);
    return status ? -1 : 0;
}

// What outlives the cells.
static void give_items(struct cdp_sets *items, struct cdp_cells *cells)
{
    *items = cells->items;
    cells->items = (struct cdp_sets){0};
}

int cdp_approx(struct cdp_space *space, struct cdp_joiner *joiners, int threads, double recall,
               double *found, struct cdp_sets *items, struct cdp_progress *progress,
               struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest, exact = {0};
    struct cdp_shortlists lists = {0};
    struct cdp_cells cells = {0};
    uint64_t n = nearest->count, samples = n < SAMPLE ? n : SAMPLE;
    // More than are wanted, since scores are a little off.
    uint32_t k = cdp_least((uint64_t)nearest->k + nearest->k / 4 + 2, n - 1);
    uint32_t *sample = NULL;
    int status = -1;
    if (cdp_cells_new(&cells, space, k, PROBES, SEED, threads, progress, err) ||
        cdp_shortlists_new(&lists, n, k, threads, err) ||
        cdp_nearest_new(&exact, space, samples, nearest->k, err) ||
        cdp_cells_probe(&cells, space, &lists, threads, progress, err) ||
        !(sample = cdp_choose_by_reach(&lists, k - 1, samples, err)))
        goto end;
    cdp_joiners_turn(joiners, threads, &exact);
    if (search_sample(joiners, threads, &lists, sample, err) ||
        search(space, &cells, &lists, recall, sample, &exact, threads, found, progress, err))
        goto end;
    give_items(items, &cells);
    cdp_cells_free(&cells); // whose memory is ready for what is found
    cdp_joiners_turn(joiners, threads, nearest);
    status = cdp_join_shortlists(joiners, threads, &lists, NULL, err);
    if (!status)
        complete(joiners, threads);
end:
    free(sample);
    cdp_cells_free(&cells);
    cdp_shortlists_free(&lists);
    cdp_nearest_free(&exact);
    return status;
}

int cdp_seed(struct cdp_space *space, struct cdp_joiner *joiners, int threads,
             struct cdp_sets *items, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_nearest *nearest = joiners->nearest;
    struct cdp_shortlists lists = {0};
    struct cdp_cells cells = {0};
    int status =
        cdp_cells_new(&cells, space, nearest->k, SEED_PROBES, SEED, threads, progress, err) ||
        cdp_shortlists_new(&lists, nearest->count, nearest->k, threads, err) ||
        cdp_cells_probe(&cells, space, &lists, threads, progress, err);
    give_items(items, &cells);
    cdp_cells_free(&cells);
    if (!status)
        status = cdp_join_shortlists(joiners, threads, &lists, NULL, err);
    cdp_shortlists_free(&lists);
    return status ? -1 : 0;
}
