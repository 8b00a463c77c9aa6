// SPDX-License-Identifier: MIT
#include "base/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

// Progress on standard error: on a terminal one line that is drawn anew, elsewhere lines.

static const double TERMINAL_SECONDS = 0.2, LINE_SECONDS = 10; // between two drawings

static bool on_terminal, drawn;
static double work_start; // seconds
static double last_drawn; // seconds since then
static struct cdp_time_left estimate;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// "12 s", "3 min", "2 h 5 min"
static void print_duration(double seconds)
{
    double minutes = seconds / 60;
    if (seconds < 100)
        fprintf(stderr, "%.0f s", seconds);
    else if (minutes < 100)
        fprintf(stderr, "%.0f min", minutes);
    else
        fprintf(stderr, "%d h %d min", (int)minutes / 60, (int)minutes % 60);
}

static void draw(struct cdp_progress *progress, double elapsed)
{
    double fraction = cdp_progress_fraction(progress);
    fprintf(stderr, "%s%s: %s: ", on_terminal ? "\r" : "", tool_name(), progress->what);
    if (fraction >= 0) {
        double left = cdp_time_left(&estimate, elapsed, fraction);
        fprintf(stderr, "%.0f %%", 100 * fraction);
        if (left >= 0 && elapsed >= 1) {
            fputs(", ", stderr);
            print_duration(left);
            fputs(" left", stderr);
        }
    } else {
        double done = (double)cdp_progress_done(progress);
        fprintf(stderr, "%.0f %s", done, progress->unit);
        if (elapsed >= 1)
            fprintf(stderr, ", %.3g per second", done / elapsed);
    }
    fputs(on_terminal ? "\033[K" : "\n", stderr);
    fflush(stderr);
}

// Called from any thread: one that finds another drawing goes on.
static void show(struct cdp_progress *progress)
{
    static int busy;
    static const char *what;
    if (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
        return;
    if (what != progress->what) {
        what = progress->what;
        estimate = (struct cdp_time_left){0};
        last_drawn = on_terminal ? 0 : -2 * LINE_SECONDS; // a line at once
        work_start = now();
    }
    double elapsed = now() - work_start;
    if (elapsed - last_drawn > (on_terminal ? TERMINAL_SECONDS : LINE_SECONDS)) {
        last_drawn = elapsed;
        draw(progress, elapsed);
        drawn = true;
    }
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

struct cdp_progress *tool_progress(void)
{
    static struct cdp_progress progress = {.show = show};
    on_terminal = isatty(STDERR_FILENO);
    bool shown = common.progress == TOOL_PROGRESS_ALWAYS ||
                 (common.progress == TOOL_PROGRESS_AUTO && !common.quiet && on_terminal);
    return shown ? &progress : NULL;
}

void tool_progress_end(void)
{
    if (drawn && on_terminal)
        fputs("\r\033[K", stderr);
    drawn = false;
}
