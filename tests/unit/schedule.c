// SPDX-License-Identifier: MIT
#include "knn/search/schedule.h"

#include <math.h>

#include "tap.h"

// What a plan promises, whatever is found: it comes to an end, more look each time while few do,
// and no step costs many times what all before it did.

enum { CELLS = 25000, STEPS = 100 };

static void check(bool scattered, uint64_t enough)
{
    struct cdp_schedule plan = cdp_schedule_new();
    double last = INFINITY, last_around = INFINITY, spent = 0, steepest = 0;
    bool was_fine = false, more_each_time = true, more_around = true;
    int steps = 0;
    for (; steps < STEPS; steps++) {
        double around = cdp_schedule_descent(&plan, scattered, enough), part;
        uint64_t probes = cdp_schedule_lists(&plan, scattered, enough, CELLS, &part);
        if (probes == 0)
            break;
        more_around &= around <= last_around && around >= 1;
        more_each_time &= part >= 1 && (!was_fine || !plan.fine || part <= last / 2);
        double cost = (double)probes / part;
        if (spent > 0)
            steepest = fmax(steepest, cost / spent);
        spent += cost;
        last = part;
        last_around = around;
        was_fine = plan.fine;
    }
    const char *who = scattered ? "the farthest" : "all alike";
    ok(steps > 0 && steps < STEPS, "%s miss, one in %llu: %d steps", who,
       (unsigned long long)enough, steps);
    ok(more_each_time, "of few each time more look into cells");
    ok(more_around && last_around == (scattered ? fmax(1, last_around) : 1),
       "each time more look around: at last one in %g", last_around);
    ok(steepest <= 5, "no step costs many times what was spent: %g times", steepest);
}

int main(void)
{
    const uint64_t enough[] = {1, 6, 20, 100, 170, 1024};
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++) {
        check(true, enough[i]);
        check(false, enough[i]);
    }
    ok(cdp_schedule_is_for_few(1024) && !cdp_schedule_is_for_few(1), "very few");
    return done();
}
