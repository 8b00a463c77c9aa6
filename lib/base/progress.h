// SPDX-License-Identifier: MIT
#ifndef CDP_PROGRESS_H
#define CDP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

// Progress of long work, counted by the library and shown by a callback. Work is one run of steps
// of a known or unknown number, or stages of such steps; a callback sees one fraction for the whole
// of it. Every function takes a NULL progress and does nothing then. cdp_progress_add and
// cdp_progress_done are safe from any thread, the others are not unless they say so. `show` is
// called from any thread, so it decides itself how often to draw and guards itself.
struct cdp_progress {
    void (*show)(struct cdp_progress *progress);
    const char *what; // what is being done: "neighbours"
    const char *unit; // what is counted: "rows"
    uint64_t done;    // steps of the present stage
    uint64_t total;   // of the present stage; 0 = unknown
    double before;    // fraction of the work before the present stage
    double share;     // fraction of the work in the present stage
    double end;       // fraction of the work up to which the stages go
    const int *stop;  // nonzero: the work is to end; NULL = never. Another thread may set it
};

// Begins a work of `total` steps (0 = unknown, or in stages).
void cdp_progress_start(struct cdp_progress *progress, const char *what, const char *unit,
                        uint64_t total);

// Begins the next stage, of `total` steps, which is expected to take `share` (up to 1) of the time
// that the work still takes.
void cdp_progress_stage(struct cdp_progress *progress, double share, uint64_t total);

// The share of each of a number of stages that is not known before: half of what is left.
#define CDP_PROGRESS_ROUND 0.5

// Ends the present stage; those that follow go up to the fraction `end` of the work. 1 at first.
void cdp_progress_limit(struct cdp_progress *progress, double end);

void cdp_progress_add(struct cdp_progress *progress, uint64_t count);
uint64_t cdp_progress_done(struct cdp_progress *progress);

// Whether the work is to end. Loops skip what is left then, and the function that began the work
// fails by cdp_progress_check. Safe from any thread.
bool cdp_progress_stopped(const struct cdp_progress *progress);

// 0, or -1 with the error "interrupted" if the work is to end.
int cdp_progress_check(const struct cdp_progress *progress, struct cdp_err *err);

// A progress that is not shown and ends with another, for a work within a stage of that; NULL:
// never.
struct cdp_progress cdp_progress_within(const struct cdp_progress *outer);

// The fraction of the work that is done, 0 to 1; negative where it is unknown.
double cdp_progress_fraction(struct cdp_progress *progress);

// The time left as it is shown. It counts down like a clock, corrected towards the estimate by mean
// speed, elapsed x (1 - fraction) / fraction: each correction is the difference times
// 1 - exp(-t / 5 s), where t is the time since the one before. So a wrong estimate fades in seconds
// instead of jumping.
struct cdp_time_left {
    double elapsed; // seconds, at the last update
    double left;    // seconds; meaningful after the first update with a fraction above 0
    int known;
};

// Updates and returns the seconds left, for a fraction that is done after `elapsed` seconds of
// work. Negative while nothing is done.
double cdp_time_left(struct cdp_time_left *estimate, double elapsed, double fraction);

#endif
