// SPDX-License-Identifier: MIT
// Progress: one fraction for all stages of a work, and a time left that does not jump.
#include "base/progress.h"

#include <math.h>

#include "tap.h"

static int shown;

static void show(struct cdp_progress *progress)
{
    (void)progress;
    shown++;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void test_fraction(void)
{
    struct cdp_progress p = {.show = show};
    cdp_progress_start(&p, "reading", "edges", 0);
    cdp_progress_add(&p, 3);
    ok(cdp_progress_fraction(&p) < 0 && cdp_progress_done(&p) == 3 && shown == 1,
       "a work of unknown length has no fraction");
    cdp_progress_start(&p, "features", "rows", 8);
    cdp_progress_add(&p, 2);
    ok(near(cdp_progress_fraction(&p), 0.25), "steps of a known number");
    cdp_progress_add(&p, 8);
    ok(near(cdp_progress_fraction(&p), 1), "more steps than announced are no more than all");

    cdp_progress_start(&p, "neighbours", "rows", 0);
    ok(cdp_progress_fraction(&p) < 0, "before the first stage nothing is known");
    cdp_progress_stage(&p, 0.2, 10);
    ok(near(cdp_progress_fraction(&p), 0), "stages start at 0");
    cdp_progress_add(&p, 5);
    ok(near(cdp_progress_fraction(&p), 0.1), "a stage counts by its share");
    cdp_progress_stage(&p, 0.5, 4);
    ok(near(cdp_progress_fraction(&p), 0.2), "the next stage goes on where it ends");
    cdp_progress_add(&p, 4);
    ok(near(cdp_progress_fraction(&p), 0.6), "and takes its share of the rest");
    cdp_progress_stage(&p, 1, 1);
    cdp_progress_add(&p, 1);
    ok(near(cdp_progress_fraction(&p), 1), "the last one takes all of it");

    cdp_progress_start(&p, "neighbours", "rows", 0);
    cdp_progress_limit(&p, 0.1);
    cdp_progress_stage(&p, CDP_PROGRESS_ROUND, 2);
    cdp_progress_add(&p, 2);
    ok(near(cdp_progress_fraction(&p), 0.05), "stages go up to a limit");
    cdp_progress_limit(&p, 1);
    cdp_progress_stage(&p, 1, 2);
    cdp_progress_add(&p, 1);
    ok(near(cdp_progress_fraction(&p), 0.05 + 0.95 / 2), "and from where they were to the next");

    cdp_progress_start(NULL, "", "", 1);
    cdp_progress_stage(NULL, 1, 1);
    cdp_progress_limit(NULL, 1);
    cdp_progress_add(NULL, 1);
}

// Made-up times: an update each 0.2 s.
static void test_time_left(void)
{
    struct cdp_time_left steady = {0};
    ok(cdp_time_left(&steady, 1, 0) < 0, "no time left before anything is done");
    bool right = true;
    for (double at = 0.2; at <= 100; at += 0.2)
        right = right && fabs(cdp_time_left(&steady, at, at / 100) - (100 - at)) < 1e-6;
    ok(right, "at steady speed the time left is exact");

    // The second half is four times slower: 40 s, then 160 s.
    struct cdp_time_left slower = {0};
    double last = cdp_time_left(&slower, 0.2, 0.5 * 0.2 / 40), largest = 0, error = 0;
    for (double at = 0.4; at < 200; at += 0.2) {
        double fraction = at < 40 ? 0.5 * at / 40 : 0.5 + 0.5 * (at - 40) / 160;
        double left = cdp_time_left(&slower, at, fraction);
        largest = fmax(largest, fabs(left - last));
        last = left;
        if (at > 160)
            error = fmax(error, fabs(left - (200 - at)));
    }
    ok(largest < 1, "after a change of speed no update moves it by a second: %.2f s", largest);
    ok(error < 25 && last < 1, "and it ends right: %.1f s off in the last 40 s, %.2f s at the end",
       error, last);

    // A stage that was expected to be half of the work is over at once: 900 s become 67 s.
    struct cdp_time_left leap = {0};
    double before = cdp_time_left(&leap, 100, 0.1);
    double after = cdp_time_left(&leap, 100.2, 0.6);
    ok(before - after > 0.2 && before - after < 40, "a leap of the fraction: from %.0f s to %.0f s",
       before, after);
    for (double at = 100.4; at < 125; at += 0.2)
        after = cdp_time_left(&leap, at, 0.6 + 0.4 * (at - 100) / 67);
    ok(fabs(after - 42) < 15, "has faded after 25 s: %.0f s", after);
}

int main(void)
{
    test_fraction();
    test_time_left();
    return done();
}
