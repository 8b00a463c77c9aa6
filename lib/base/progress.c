// SPDX-License-Identifier: MIT
#include "base/progress.h"

#include <math.h>

static const double FADING_SECONDS = 5; // corrections of the time left fade by 1/e in this time

void cdp_progress_start(struct cdp_progress *progress, const char *what, const char *unit,
                        uint64_t total)
{
    if (!progress)
        return;
    progress->what = what;
    progress->unit = unit;
    progress->total = total;
    progress->before = 0;
    progress->share = total ? 1 : 0;
    progress->end = 1;
    __atomic_store_n(&progress->done, 0, __ATOMIC_RELAXED);
}

void cdp_progress_stage(struct cdp_progress *progress, double share, uint64_t total)
{
    if (!progress)
        return;
    progress->before += progress->share;
    progress->share = (progress->end - progress->before) * share;
    progress->total = total;
    __atomic_store_n(&progress->done, 0, __ATOMIC_RELAXED);
}

void cdp_progress_limit(struct cdp_progress *progress, double end)
{
    if (!progress)
        return;
    progress->before += progress->share;
    progress->share = 0;
    progress->end = end;
}

void cdp_progress_add(struct cdp_progress *progress, uint64_t count)
{
    if (!progress)
        return;
    __atomic_add_fetch(&progress->done, count, __ATOMIC_RELAXED);
    progress->show(progress);
}

uint64_t cdp_progress_done(struct cdp_progress *progress)
{
    return __atomic_load_n(&progress->done, __ATOMIC_RELAXED);
}

bool cdp_progress_stopped(const struct cdp_progress *progress)
{
    return progress && progress->stop && __atomic_load_n(progress->stop, __ATOMIC_RELAXED);
}

int cdp_progress_check(const struct cdp_progress *progress, struct cdp_err *err)
{
    return cdp_progress_stopped(progress) ? cdp_fail(err, "interrupted") : 0;
}

static void ignore(struct cdp_progress *progress)
{
    (void)progress;
}

struct cdp_progress cdp_progress_within(const struct cdp_progress *outer)
{
    return (struct cdp_progress){.show = ignore, .stop = outer ? outer->stop : NULL};
}

double cdp_progress_fraction(struct cdp_progress *progress)
{
    if (!progress->total)
        return -1;
    double done = (double)cdp_progress_done(progress) / (double)progress->total;
    return progress->before + progress->share * fmin(done, 1);
}

double cdp_time_left(struct cdp_time_left *estimate, double elapsed, double fraction)
{
    if (fraction <= 0)
        return -1;
    double by_speed = elapsed * (1 - fraction) / fraction;
    if (!estimate->known) {
        *estimate = (struct cdp_time_left){.elapsed = elapsed, .left = by_speed, .known = 1};
        return by_speed;
    }
    double passed = elapsed - estimate->elapsed, left = estimate->left - passed;
    left += (by_speed - left) * (1 - exp(-passed / FADING_SECONDS));
    *estimate = (struct cdp_time_left){.elapsed = elapsed, .left = fmax(left, 0), .known = 1};
    return estimate->left;
}
