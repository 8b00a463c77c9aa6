// SPDX-License-Identifier: MIT
#include "base/progress.h"

void cdp_progress_start(struct cdp_progress *progress, const char *what, const char *unit,
                        uint64_t total)
{
    if (!progress)
        return;
    progress->what = what;
    progress->unit = unit;
    progress->total = total;
    __atomic_store_n(&progress->done, 0, __ATOMIC_RELAXED);
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
