// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "score/score.h"
#include "tap.h"

// Items 0 to 2, each with the other two as neighbours.
static uint64_t offset[] = {0, 2, 4, 6};
static uint32_t target[] = {1, 2, 0, 2, 0, 1};

static struct cdp_table make_table(float *distance)
{
    return (struct cdp_table){.rows = 3, .offset = offset, .target = target, .distance = distance};
}

static void test_votes(void)
{
    float distance[6] = {0};
    struct cdp_table base = make_table(distance), member = base;
    uint32_t votes[6] = {0};
    uint8_t keep[6];
    for (int m = 0; m < 65537; m++) {
        member.offset = m == 7 ? (uint64_t[]){0, 1, 1, 1} : offset;
        cdp_vote_count(&base, &member, votes, 1);
    }
    ok(votes[0] == 65537 && votes[1] == 65536 && votes[5] == 65536, "votes of 65537 members");
    cdp_similarities(&base, 0);
    cdp_vote_keep(&base, votes, 65537, 0.5F, keep);
    ok(keep[0] && !keep[1] && !keep[2] && !keep[3] && !keep[4] && !keep[5],
       "and what all of them agree on");
}

static void test_threshold(void)
{
    float distance[] = {0.25F, 0.5F, 0.25F, 0.75F, 0.5F, 0.75F};
    struct cdp_table base = make_table(distance);
    uint32_t votes[] = {2, 2, 1, 2, 0, 3};
    uint8_t keep[6];
    cdp_similarities(&base, 0);
    cdp_vote_keep(&base, votes, 2, 0.5F, keep);
    ok(keep[0] && !keep[1] && !keep[2] && !keep[3] && !keep[4] && !keep[5],
       "kept: two votes, and a similarity above the threshold, not at it");
}

static void test_scale(void)
{
    float distance[] = {0, 1e-45F, 1, 2, nextafterf(2, 3), 3.4e38F};
    struct cdp_table base = make_table(distance);
    cdp_similarities(&base, 2);
    ok(distance[0] == 1 && distance[1] == 1 && distance[2] == 0.5F && distance[3] == 0,
       "similarities from 1 to 0");
    ok(distance[4] == -INFINITY && distance[5] == -INFINITY, "and none beyond the scale");
    float tiny[] = {0, 1e-38F, 1, 3.4e38F, 3.4e38F, 3.4e38F};
    base = make_table(tiny);
    cdp_similarities(&base, 1.2e-38F);
    bool sound = true;
    for (int e = 0; e < 6; e++)
        sound = sound && !isnan(tiny[e]) && tiny[e] <= 1;
    ok(sound, "distances that overflow when divided");
}

static void test_median(void)
{
    enum { LISTS = 1001 };
    static uint64_t start[LISTS + 1];
    static float distance[2 * LISTS];
    struct cdp_table t = {.rows = LISTS, .offset = start, .distance = distance};
    float median = -1;
    ok(!cdp_median_radius(&t, &median, NULL) && !(median < 0 || median > 0), "0 of no lists");
    for (int i = 0; i < LISTS; i++) {
        start[i + 1] = start[i] + (i % 10 != 3 ? 2 : 0); // some are empty
        for (uint64_t e = start[i]; e < start[i + 1]; e++)
            distance[e] = e == start[i] ? 0.001F : (float)(i * 7919 % LISTS + 1);
    }
    cdp_median_radius(&t, &median, NULL);
    // The lists' last distances are 1 to 1001 but for a tenth of them: about 501.
    ok(median > 0.97F * 501 && median < 1.03F * 501, "the median of the last distances: %g",
       (double)median);
    for (int i = 0; i < LISTS; i++) {
        start[i + 1] = (uint64_t)i + 1;
        distance[i] = i < 501 ? 0 : 3.4e38F;
    }
    cdp_median_radius(&t, &median, NULL);
    ok(!(median < 0 || median > 0), "0 where half of the lists end there");
    distance[500] = 3.4e38F;
    cdp_median_radius(&t, &median, NULL);
    ok(median <= 3.4e38F && median > 0.99F * 3.4e38F, "and the largest there are: %g",
       (double)median);
}

// i -> j and j -> i are one pair: with the score of the edge from the smaller id, where that is
// kept.
struct got {
    int count;
    uint64_t first[3], second[3];
    float score[3];
};

static int take(void *context, uint64_t i, uint64_t j, const float *values, struct cdp_err *err)
{
    struct got *got = context;
    (void)err;
    got->first[got->count] = i;
    got->second[got->count] = j;
    got->score[got->count++] = *values;
    return 0;
}

static void test_pairs(void)
{
    float score[] = {0.1F, 0.2F, 0.9F, 0.3F, 0.8F, 0.7F};
    struct cdp_table base = make_table(score);
    const uint64_t all[] = {0, 3};
    struct got got = {0};
    cdp_pairs(&base, NULL, all, take, &got, NULL);
    ok(got.count == 3 && got.score[0] == 0.1F && got.score[1] == 0.2F && got.score[2] == 0.3F,
       "a pair has the score of the edge from its smaller id");
    got.count = 0;
    cdp_pairs(&base, (uint8_t[]){0, 0, 1, 0, 0, 1}, all, take, &got, NULL);
    ok(got.count == 2 && got.score[0] == 0.9F && got.second[0] == 1 && got.score[1] == 0.7F &&
           got.first[1] == 1,
       "or of the other one, where only that is kept");
    struct got parts = {0};
    for (uint64_t row = 0; row < 3; row++)
        cdp_pairs(&base, NULL, (uint64_t[]){row, row + 1}, take, &parts, NULL);
    ok(parts.count == 3 && parts.first[0] == 0 && parts.first[1] == 0 && parts.first[2] == 1 &&
           parts.score[2] == 0.3F,
       "parts by the smaller id are the whole");
}

int main(void)
{
    test_votes();
    test_threshold();
    test_scale();
    test_median();
    test_pairs();
    return done();
}
