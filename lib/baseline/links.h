// SPDX-License-Identifier: MIT
#ifndef CDP_LINKS_H
#define CDP_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "baseline/neighbours.h"

// The graph of neighbour lists: items i and j are linked, with their cosine as weight, if either is
// in the other's list and the cosine is at least a threshold. Links of item i are target/weight/
// mutual[begin[i]] .. [begin[i + 1] - 1]: first those of its own list, nearest first, then the
// others by item. Each link is in the lists of both ends.
struct cdp_links {
    uint64_t items;
    uint64_t *begin; // items + 1
    uint32_t *target;
    float *weight;
    bool *mutual; // each is in the other's list
};

// A similarity of -INFINITY links all. Memory: up to 18 bytes an entry of a list, one more
// meanwhile. Free them also after an error.
int cdp_links_new(struct cdp_links *links, const struct cdp_neighbours *lists, double similarity,
                  int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_links_free(struct cdp_links *links);

#endif
