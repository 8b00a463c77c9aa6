// SPDX-License-Identifier: MIT
#include "knn/centres.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "knn/glance.h"
#include "knn/reach.h"

enum {
    ITERATIONS = 3, // of k-means,
    SAMPLE = 8,     // on so many items a centre, others each time
    SPARE = 8,      // centres that are compared beyond those that are wanted, at most
    // Many centres are seen by the level below the whole sketch, and are in groups:
    MANY = 4096,
    MORE = 4,   // times as many are compared
    GROUPS = 5, // that each is in,
    LOOKED = 8, // and that an item looks into
    EACH = 8,   // so many times as many items train a group as a centre
    NEAR = 3,   // centres that are found so, at most
    FAR = 7,    // one item in so many, of those farthest from what they found, looks at all
    FEW = 16,   // who wants more looks at all
};

uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err)
{
    uint32_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of items", err);
    for (uint64_t i = 0; chosen && i < count; i++) {
        uint64_t from = i * n / count, to = (i + 1) * n / count;
        chosen[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
    }
    return chosen;
}

// ---- the nearest

// Of all centres.
static int look_at_all(struct cdp_shortlists *lists, const struct cdp_centres *c,
                       const struct cdp_space *space, const uint32_t *items, int threads,
                       struct cdp_progress *progress, struct cdp_err *err)
{
    uint32_t spare = c->columns.words < space->words ? MORE * SPARE : SPARE;
    // Of one, to train on, which one it is matters little; of many, which ones are the last.
    uint32_t looked = 0;
    if (lists->k > 1 && lists->k <= FEW)
        looked = cdp_least(lists->k + cdp_least((lists->k + spare) / 2, spare), c->count);
    return cdp_glance(space, items, &c->columns, looked, lists, threads, progress, err);
}

// Of the centres of the nearest groups.
static int look_at_groups(struct cdp_shortlists *lists, const struct cdp_centres *c,
                          const struct cdp_space *space, const uint32_t *items, int threads,
                          struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_shortlists groups = {0};
    int status = cdp_shortlists_new(&groups, lists->count, LOOKED, threads, err) ||
                 cdp_glance(space, items, &c->groups->columns, 0, &groups, threads, NULL, err) ||
                 cdp_glance_sets(space, items, &groups, &c->shelf, cdp_least(NEAR, lists->k), lists,
                                 threads, progress, err);
    cdp_shortlists_free(&groups);
    return status ? -1 : 0;
}

// An item near a centre is nearer to it than to nearly all others, and so are their groups: what
// it finds there is far where it belongs to none, or missed its own. Whoever need not look again
// counts as having done so.
static int look_again(struct cdp_shortlists *lists, const struct cdp_centres *c,
                      const struct cdp_space *space, const uint32_t *items, int threads,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_shortlists some = {0};
    uint64_t count;
    uint32_t *far = cdp_farthest(lists, 0, FAR, &count, err), *ids = NULL;
    if (far && items && (ids = cdp_alloc(count, sizeof *ids, "items", err))) {
        for (uint64_t i = 0; i < count; i++)
            ids[i] = items[far[i]];
    }
    if (far)
        cdp_progress_add(progress, lists->count - count);
    int status = !far || (items && !ids) ||
                 cdp_shortlists_new(&some, count, lists->k, threads, err) ||
                 look_at_all(&some, c, space, items ? ids : far, threads, progress, err);
    if (!status)
        cdp_shortlists_put(lists, &some, far, threads);
    free(far);
    free(ids);
    cdp_shortlists_free(&some);
    return status ? -1 : 0;
}

// `again`: whether those that find nothing near in groups do.
static int find(struct cdp_shortlists *lists, const struct cdp_centres *c,
                const struct cdp_space *space, const uint32_t *items, uint64_t count, uint32_t k,
                bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    if (cdp_shortlists_new(lists, count, cdp_least(k, c->count), threads, err))
        return -1;
    if (!c->groups || k > FEW)
        return look_at_all(lists, c, space, items, threads, progress, err);
    if (look_at_groups(lists, c, space, items, threads, progress, err))
        return -1;
    if (again)
        return look_again(lists, c, space, items, threads, progress, err);
    cdp_progress_add(progress, count);
    return 0;
}

int cdp_centres_nearest(struct cdp_shortlists *lists, const struct cdp_centres *c,
                        const struct cdp_space *space, const uint32_t *items, uint64_t count,
                        uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    return find(lists, c, space, items, count, k, true, threads, progress, err);
}

uint64_t cdp_centres_looks(const struct cdp_centres *c, uint64_t count)
{
    return c->groups ? 2 * count : count;
}

// The items that have the same nearest centre.
static int nearest_sets(struct cdp_sets *sets, const struct cdp_centres *c,
                        const struct cdp_space *space, const uint32_t *items, uint64_t count,
                        bool again, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_shortlists nearest = {0};
    int status = find(&nearest, c, space, items, count, 1, again, threads, progress, err) ||
                 cdp_sets_of(sets, &nearest, 1, c->count, threads, err);
    for (uint64_t m = 0; m < (status ? 0 : count); m++)
        sets->member[m] = items[sets->member[m]];
    cdp_shortlists_free(&nearest);
    return status ? -1 : 0;
}

// ---- as columns

// Puts each centre into its nearest groups.
static int group(struct cdp_centres *c, int threads, struct cdp_err *err)
{
    struct cdp_shortlists nearest = {0};
    cdp_shelf_free(&c->shelf);
    cdp_sets_free(&c->sets);
    int status = cdp_centres_nearest(&nearest, c->groups, &c->space, NULL, c->count, GROUPS,
                                     threads, NULL, err) ||
                 cdp_sets_of(&c->sets, &nearest, GROUPS, c->groups->count, threads, err) ||
                 cdp_shelf_new(&c->shelf, &c->space, &c->sets, threads, err);
    cdp_shortlists_free(&nearest);
    return status ? -1 : 0;
}

// Lays the centres out as they are now.
static int lay_out(struct cdp_centres *c, int threads, struct cdp_err *err)
{
    cdp_side_columns(&c->columns, cdp_run_from(0), cdp_run_from(CDP_NONE), (uint32_t)c->count,
                     threads);
    return c->groups ? group(c, threads, err) : 0;
}

// ---- k-means

// Moves the centres to the means of those of a sample that are nearest to them.
static int move(struct cdp_centres *c, const struct cdp_space *space, const uint32_t *sample,
                uint64_t count, bool again, int threads, struct cdp_progress *progress,
                struct cdp_err *err)
{
    struct cdp_sets sets = {0};
    int status = nearest_sets(&sets, c, space, sample, count, again, threads, progress, err) ||
                 cdp_space_move(&c->space, space, &sets, threads, err) || lay_out(c, threads, err);
    cdp_sets_free(&sets);
    return status ? -1 : 0;
}

// On `each` times as many items a centre as SAMPLE tells. What centres are before the last time
// matters little, so nobody looks again then.
static int train(struct cdp_centres *c, const struct cdp_space *space, uint64_t n, uint64_t each,
                 uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t count = cdp_least(n, each * SAMPLE * c->count);
    cdp_progress_start(progress, "neighbours: centres", "rows",
                       cdp_centres_looks(c, ITERATIONS * count));
    int status = 0;
    for (int i = 0; !status && i < ITERATIONS; i++) {
        uint32_t *sample = cdp_choose(n, count, seed + (uint64_t)i, err);
        bool again = i + 1 == ITERATIONS;
        status = sample ? move(c, space, sample, count, again, threads, progress, err) : -1;
        free(sample);
    }
    return status;
}

// Puts items in the order of their groups: what is near stands side by side then.
static int sort_items(uint32_t *items, uint64_t count, const struct cdp_centres *groups,
                      const struct cdp_space *space, int threads, struct cdp_err *err)
{
    struct cdp_sets sets = {0};
    int status = nearest_sets(&sets, groups, space, items, count, true, threads, NULL, err);
    if (!status)
        memcpy(items, sets.member, count * sizeof *items);
    cdp_sets_free(&sets);
    return status;
}

// Items that become centres.
static struct cdp_centres *new_centres(const struct cdp_space *space, const uint32_t *items,
                                       uint64_t count, unsigned level, struct cdp_err *err)
{
    struct cdp_centres *c = cdp_zalloc(1, sizeof *c, "centres", err);
    if (!c || cdp_space_pick(&c->space, space, level, items, count, err) ||
        cdp_side_new_columns(&c->columns, &c->space, (uint32_t)count, err)) {
        cdp_centres_free(c);
        return NULL;
    }
    c->count = count;
    return c;
}

// Centres in these groups, if any, which are theirs from then on.
static struct cdp_centres *centres_in(struct cdp_centres *groups, const struct cdp_space *space,
                                      uint64_t n, uint64_t count, unsigned level, uint64_t each,
                                      uint64_t seed, int threads, struct cdp_progress *progress,
                                      struct cdp_err *err)
{
    struct cdp_centres *c = NULL;
    uint32_t *first = cdp_choose(n, count, seed, err);
    if (first && (!groups || !sort_items(first, count, groups, space, threads, err)))
        c = new_centres(space, first, count, level, err);
    free(first);
    if (!c) {
        cdp_centres_free(groups);
        return NULL;
    }
    c->groups = groups;
    if (lay_out(c, threads, err) || train(c, space, n, each, seed + 1, threads, progress, err)) {
        cdp_centres_free(c);
        return NULL;
    }
    return c;
}

struct cdp_centres *cdp_centres_new(const struct cdp_space *space, uint64_t n, uint64_t count,
                                    uint64_t seed, int threads, struct cdp_progress *progress,
                                    struct cdp_err *err)
{
    // The level below the whole sketch also suits where lists are only seeded, which is what a
    // space for a search of all pairs is for.
    bool many = count > MANY, below = space->levels > 1 && (many || space->levels > 2);
    unsigned level = space->levels - 1 - below;
    struct cdp_centres *groups = NULL;
    if (many) {
        uint64_t few = (uint64_t)sqrt(8 * (double)count), other = seed + ITERATIONS + 1;
        groups = centres_in(NULL, space, n, few, level, EACH, other, threads, NULL, err);
        if (!groups)
            return NULL;
    }
    return centres_in(groups, space, n, count, level, 1, seed, threads, progress, err);
}

void cdp_centres_free(struct cdp_centres *c)
{
    if (!c)
        return;
    cdp_centres_free(c->groups);
    cdp_shelf_free(&c->shelf);
    cdp_sets_free(&c->sets);
    cdp_side_free(&c->columns);
    cdp_space_free(&c->space);
    free(c);
}
