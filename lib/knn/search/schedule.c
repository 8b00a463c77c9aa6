// SPDX-License-Identifier: MIT
#include "knn/search/schedule.h"

#include <math.h>

enum {
    SHARE = 32,    // one in so many, the next time twice as many, look
    MORE = 128,    // into so many cells; when they are all, into twice as many
    FINE = 256,    // fewer where they are enough, but not fewer than one in so many,
    WIDER = 4,     // and so many times as many the next time;
    VERY_FEW = 64, // are fewer than one in so many
    AROUND = 8,    // so many times as many look around,
    FOR_ONE = 5,   // but not more than so many for one that misses enough
    EVEN = 4,      // and, where all miss about as much, one in so many, then twice as many
    CHEAP = 32,    // to look into more than one cell in so many each costs more than all pairs
    WIDE = 24,     // cells that all look into; twice as many the next time
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct cdp_schedule cdp_schedule_new(void)
{
    return (struct cdp_schedule){.share = SHARE,
                                 .more = MORE,
                                 .few = FINE,
                                 .deep = MORE,
                                 .wide = WIDE,
                                 .for_one = FOR_ONE,
                                 .even = EVEN};
}

bool cdp_schedule_is_for_few(uint64_t enough)
{
    return enough > VERY_FEW;
}

uint64_t cdp_schedule_lists(struct cdp_schedule *p, bool scattered, uint64_t enough, uint64_t cells,
                            double *part)
{
    uint64_t probes = p->wide, few = least(enough, p->few);
    p->fine = scattered ? few > p->share && p->deep < 2 * cells
                        : p->wide < p->more && few > p->more / p->wide;
    *part = 1;
    if (p->fine) {
        *part = (double)few;
        probes = scattered ? p->deep : p->more;
        p->few = few / WIDER;
    } else if (scattered) {
        *part = (double)p->share;
        probes = p->more;
        if (p->few < FINE || p->deep <= p->more) // whom it is for have looked into as many
            p->deep *= 2;
        p->few = FINE;
        if (p->share > 1)
            p->share /= 2;
        else
            p->more *= 2;
    } else {
        p->wide *= 2;
    }
    probes = least(probes, cells);
    return (double)(probes * CHEAP) > *part * (double)cells ? 0 : probes;
}

double cdp_schedule_descent(struct cdp_schedule *p, bool scattered, uint64_t enough)
{
    double part = fmax(1, (double)enough / p->for_one);
    p->for_one *= 2;
    if (scattered)
        return fmax(part, (double)p->share / AROUND);
    if (part > p->even) {
        part = p->even;
        p->even = fmax(1, part / 2);
    }
    return part;
}
