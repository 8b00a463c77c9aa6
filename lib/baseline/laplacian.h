// SPDX-License-Identifier: MIT
#ifndef CDP_LAPLACIAN_H
#define CDP_LAPLACIAN_H

#include <stdint.h>

#include "baseline/neighbours.h"

// The normalized Laplacian I - N, N = D^-1/2 W D^-1/2, of the graph in which two items are adjacent
// with weight 1 if each is in the other's list, with 1/2 if one is. D: the sums of the weights W.

// A connected component: the places from `first` on.
struct cdp_places {
    uint64_t first, items;
};

// Items have places: those of a component follow each other, in breadth-first order, so that
// adjacent items are near in memory.
struct cdp_laplacian {
    uint64_t items;
    uint32_t *item;   // of each place
    uint64_t *begin;  // edges of each place
    uint32_t *target; // places
    double *weight;   // numbers of N
    double *root;     // of the degree of each place; 1 if it is 0
    struct cdp_places *component;
    uint64_t components;
};

// Memory: 12 bytes for each end of an edge and 20 an item, and cdp_links_new meanwhile. Free it
// also after an error.
int cdp_laplacian_new(struct cdp_laplacian *laplacian, const struct cdp_neighbours *lists,
                      int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_laplacian_free(struct cdp_laplacian *laplacian);

enum { CDP_LAPLACIAN_WIDE = 16 }; // columns that pass the graph together: two cache lines

// out = by * (N - middle I) x - before for a component's CDP_LAPLACIAN_WIDE columns, row by row;
// out may be `before`.
struct cdp_laplacian_step {
    const double *x, *before; // before: NULL = none
    double *out;
    double by, middle;
};

// Results do not depend on the instruction set and on `threads`, at least 1.
void cdp_laplacian_step(const struct cdp_laplacian *laplacian, struct cdp_places places,
                        const struct cdp_laplacian_step *step, int threads);

#endif
