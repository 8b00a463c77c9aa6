// SPDX-License-Identifier: MIT
#include "knn/centres.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "knn/glance.h"
#include "knn/sets.h"

enum {
    ITERATIONS = 4, // of k-means
    MANY = 4096,    // centres are seen by the level below the whole sketch,
    SPARE = 16,     // and so many are compared beyond those that are wanted, at most;
    MORE = 2,       // so many times as many of many centres
};

// Items a centre that each is trained on, others each time.
static const uint64_t SAMPLE[ITERATIONS] = {8, 8, 16, 16};

uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of items", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

// Lays the centres out as they are now.
static void lay_out(struct cdp_centres *c, int threads)
{
    cdp_side_columns(&c->columns, cdp_run_from(0), cdp_run_from(CDP_NONE), (uint32_t)c->count,
                     threads);
}

// ---- the nearest

int cdp_centres_nearest(struct cdp_shortlists *lists, const struct cdp_centres *c,
                        const struct cdp_space *space, const uint32_t *items, uint64_t count,
                        uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t wanted = cdp_least(k, c->count);
    uint32_t spare = c->columns.words < space->words ? MORE * SPARE : SPARE;
    uint32_t looked = cdp_least(wanted + cdp_least((wanted + spare) / 2, spare), c->count);
    return cdp_shortlists_new(lists, count, wanted, threads, err) ||
                   cdp_glance(space, items, &c->columns, looked, lists, threads, progress, err)
               ? -1
               : 0;
}

// ---- k-means

// Moves the centres to the means of those of a sample that are nearest to them.
static int move(struct cdp_centres *c, const struct cdp_space *space, const uint32_t *sample,
                uint64_t count, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_shortlists nearest = {0};
    struct cdp_sets sets = {0};
    int status =
        cdp_centres_nearest(&nearest, c, space, sample, count, 1, threads, progress, err) ||
        cdp_sets_of(&sets, &nearest, 1, c->count, threads, err);
    if (!status) {
        for (uint64_t m = 0; m < count; m++)
            sets.member[m] = sample[sets.member[m]];
        status = cdp_space_move(&c->space, space, &sets, threads, err);
        lay_out(c, threads);
    }
    cdp_shortlists_free(&nearest);
    cdp_sets_free(&sets);
    return status ? -1 : 0;
}

static int train(struct cdp_centres *c, const struct cdp_space *space, uint64_t n, uint64_t seed,
                 int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t count[ITERATIONS], all = 0;
    for (int i = 0; i < ITERATIONS; i++)
        all += count[i] = cdp_least(n, SAMPLE[i] * c->count);
    cdp_progress_start(progress, "neighbours: centres", "rows", all);
    int status = 0;
    for (int i = 0; !status && i < ITERATIONS; i++) {
        uint32_t *sample = cdp_choose(n, count[i], seed + (uint64_t)i, err);
        status = sample ? move(c, space, sample, count[i], threads, progress, err) : -1;
        free(sample);
    }
    return status;
}

// Whether the level below the whole sketch suits: for many centres, and where lists are only
// seeded, which is what a space for a search of all pairs is for.
static bool few_numbers(const struct cdp_space *space, uint64_t count)
{
    return count > MANY || space->levels > 2;
}

struct cdp_centres *cdp_centres_new(const struct cdp_space *space, uint64_t n, uint64_t count,
                                    uint64_t seed, int threads, struct cdp_progress *progress,
                                    struct cdp_err *err)
{
    struct cdp_centres *c = cdp_zalloc(1, sizeof *c, "centres", err);
    uint32_t *first = cdp_choose(n, count, seed, err);
    int status = -1;
    if (c && first) {
        c->count = count;
        unsigned last = space->levels - 1,
                 level = last > 0 && few_numbers(space, count) ? last - 1 : last;
        status = cdp_space_pick(&c->space, space, level, first, count, err) ||
                 cdp_side_new_columns(&c->columns, &c->space, (uint32_t)count, err);
    }
    if (!status) {
        lay_out(c, threads);
        status = train(c, space, n, seed + 1, threads, progress, err);
    }
    free(first);
    if (status) {
        cdp_centres_free(c);
        return NULL;
    }
    return c;
}

void cdp_centres_free(struct cdp_centres *c)
{
    if (!c)
        return;
    cdp_side_free(&c->columns);
    cdp_space_free(&c->space);
    free(c);
}
