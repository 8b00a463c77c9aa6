// SPDX-License-Identifier: MIT
#ifndef CDP_PROGRESS_H
#define CDP_PROGRESS_H

#include <stdint.h>

// Progress of long work, counted by the library and shown by whoever asked for it. Every function
// takes a NULL progress and does nothing then. `show` is called from any thread, so it decides
// itself how often to draw and guards itself.
struct cdp_progress {
    void (*show)(struct cdp_progress *progress);
    const char *what; // what is being done: "neighbours"
    const char *unit; // what is counted: "rows"
    uint64_t done;
    uint64_t total; // 0 = unknown
};

void cdp_progress_start(struct cdp_progress *progress, const char *what, const char *unit,
                        uint64_t total);
void cdp_progress_add(struct cdp_progress *progress, uint64_t count); // safe from any thread
uint64_t cdp_progress_done(struct cdp_progress *progress);            // safe from any thread

#endif
