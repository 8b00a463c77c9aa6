// SPDX-License-Identifier: MIT
#include "knn/search/approx.h"

#include <math.h>

#include "tap.h"

// A schedule ends, whatever is found; each round of few items has more of them than the last one;
// and no round costs many times what all before it cost.

enum { NLIST = 25000, STEPS = 100 };

static void check(bool scattered, uint64_t enough)
{
    struct cdp_schedule schedule = cdp_schedule_new();
    double last = INFINITY, last_descent = INFINITY, spent = 0, steepest = 0;
    bool was_fine = false, more_each_time = true, more_descent = true;
    int steps = 0;
    for (; steps < STEPS; steps++) {
        double descent = cdp_schedule_descent(&schedule, scattered, enough), share;
        uint64_t nprobe = cdp_schedule_probes(&schedule, scattered, enough, NLIST, &share);
        if (nprobe == 0)
            break;
        more_descent &= descent <= last_descent && descent >= 1;
        more_each_time &= share >= 1 && (!was_fine || !schedule.fine || share <= last / 2);
        double cost = (double)nprobe / share;
        if (spent > 0)
            steepest = fmax(steepest, cost / spent);
        spent += cost;
        last = share;
        last_descent = descent;
        was_fine = schedule.fine;
    }
    const char *who = scattered ? "the farthest" : "all alike";
    ok(steps > 0 && steps < STEPS, "%s miss, one in %llu: %d steps", who,
       (unsigned long long)enough, steps);
    ok(more_each_time, "rounds of few items grow");
    ok(more_descent && last_descent == (scattered ? fmax(1, last_descent) : 1),
       "NN-descent grows: at last one item in %g", last_descent);
    ok(steepest <= 5, "no step costs many times what was spent: %g times", steepest);
}

int main(void)
{
    const uint64_t enough[] = {1, 6, 20, 100, 170, 1024};
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++) {
        check(true, enough[i]);
        check(false, enough[i]);
    }
    return done();
}
