// SPDX-License-Identifier: MIT
#include "knn/search/ivf.h"

#include "base/random.h"
#include "knn/data/dataset.h"
#include "rows.h"
#include "tap.h"

// Many centroids: nearly every item finds its nearest one, though it scans some groups only; scores
// are those of pairs; results do not depend on the number of threads; centroids of a group are
// adjacent.

enum { ROWS = 12600, DIM = 96, CENTRES = 4200, K = 7, STEP = 41 };

static float number[ROWS * DIM];

static float spread(uint64_t seed, uint64_t i)
{
    return (float)(cdp_random(seed, i) % 2001) - 1000;
}

// Items around as many points as there are centroids; and one in nine that stands alone.
static void make(void)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        float apart = i % 9 == 0 ? 2 : 0.3F;
        for (uint64_t d = 0; d < DIM; d++)
            number[i * DIM + d] = spread(1, i % CENTRES * DIM + d) + apart * spread(2, i * DIM + d);
    }
}

// The share of the items whose list begins with the nearest centroid; 0 if a score is wrong.
static double found(const struct cdp_dataset *data, const struct cdp_dataset *centroids,
                    const struct cdp_candidates *lists)
{
    uint32_t right = 0, all = 0;
    for (uint64_t i = 0; i < ROWS; i += STEP, all++) {
        const uint64_t *list = lists->entry + i * lists->k;
        uint64_t best = CDP_CANDIDATE_NONE;
        for (uint32_t c = 0; c < CENTRES; c++) {
            float score;
            cdp_dataset_scores(data, i, centroids, &c, 1, &score);
            uint64_t entry = cdp_candidate(score, c);
            best = entry < best ? entry : best;
            for (uint32_t r = 0; r < lists->k && list[r] != CDP_CANDIDATE_NONE; r++) {
                if (cdp_candidate_id(list[r]) == c && list[r] != entry)
                    return 0;
            }
        }
        right += list[0] == best;
    }
    return (double)right / all;
}

// The share of the centroids that are in a group with the next one.
static double beside(const struct cdp_coarse *c)
{
    bool is[CENTRES] = {0};
    uint32_t all = 0;
    for (uint64_t g = 0; g < c->members.count; g++) {
        for (uint64_t m = c->members.start[g]; m + 1 < c->members.start[g + 1]; m++)
            is[c->members.member[m]] |= c->members.member[m + 1] == c->members.member[m] + 1;
    }
    for (uint32_t i = 0; i < CENTRES; i++)
        all += is[i];
    return (double)all / CENTRES;
}

static void show_nothing(struct cdp_progress *progress)
{
    (void)progress;
}

static void check(enum cdp_metric metric, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_dataset data;
    struct cdp_candidates lists[2] = {0};
    struct cdp_err err;
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, 5, false, 2, &err), "%s: a data", name))
        return;
    for (int t = 0; t < 2; t++) {
        int threads = 1 + 2 * t;
        struct cdp_progress progress = {.show = show_nothing};
        struct cdp_coarse *c = cdp_coarse_new(&data, CENTRES, 1, threads, &progress, &err);
        double share = 0;
        ok(c && progress.done == progress.total, "%s: progress counts all of k-means", name);
        ok(c && beside(c) > 0.5, "%s: %.3f of the centroids are in a group with the next", name,
           c ? beside(c) : 0);
        progress.done = 0;
        if (c && !cdp_coarse_assign(&lists[t], c, &data, NULL, ROWS, K, threads, &progress, &err))
            share = found(&data, &c->data, &lists[t]);
        ok(share > 0.999, "%s: of %d centroids, %.3f of the items find the nearest", name, CENTRES,
           share);
        ok(c && progress.done == cdp_coarse_progress(c, ROWS),
           "%s: progress counts all assignments", name);
        cdp_coarse_free(c);
    }
    ok(memcmp(lists[0].entry, lists[1].entry, sizeof *lists->entry * ROWS * K) == 0,
       "%s: the same with one and three threads", name);
    cdp_candidates_free(&lists[0]);
    cdp_candidates_free(&lists[1]);
    cdp_dataset_free(&data);
}

int main(void)
{
    make();
    check(CDP_COSINE, "cosine");
    check(CDP_L2, "l2");
    check(CDP_L1, "l1");
    return done();
}
