// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_SCHEDULE_H
#define CDP_KNN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

// Who goes on looking in an approximate search, and how far, where neighbours are missing. The
// farthest lists are worth many cells, which most others are not; neighbours of neighbours are
// cheap. While it is not enough, each time more look than the last time: the same few, ever deeper,
// would find what is theirs only, and all at once costs most.
struct cdp_schedule {
    uint64_t share, more; // one in so many, the farthest, look into so many cells,
    uint64_t few, deep;   // or few, one in so many, into so many,
    uint64_t wide;        // or all into so many
    bool fine;            // few did the last time
    double for_one, even; // so many for one that misses enough, or one in so many, look around
};

struct cdp_schedule cdp_schedule_new(void);

// Whether so few, one in `enough`, miss what is wanted that they look into cells at once, before
// neighbours of neighbours.
bool cdp_schedule_is_for_few(uint64_t enough);

// Who looks into more cells next: one in *part of all. Returns into how many, at most `cells`,
// which is all; 0 where comparing all pairs costs less. Of the lists that reach farthest one in
// `enough` of all miss enough; `scattered`: most of what is missing is theirs.
uint64_t cdp_schedule_lists(struct cdp_schedule *plan, bool scattered, uint64_t enough,
                            uint64_t cells, double *part);

// Who looks around among neighbours of neighbours next: one in so many of all.
double cdp_schedule_descent(struct cdp_schedule *plan, bool scattered, uint64_t enough);

#endif
