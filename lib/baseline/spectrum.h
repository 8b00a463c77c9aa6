// SPDX-License-Identifier: MIT
#ifndef CDP_SPECTRUM_H
#define CDP_SPECTRUM_H

#include <stdint.h>

#include "base/progress.h"
#include "baseline/laplacian.h"

// How many eigenvalues of N lie above a number: by moments of the spectrum, the traces of Chebyshev
// polynomials of N, estimated with CDP_LAPLACIAN_WIDE random vectors, and the Jackson kernel (Di
// Napoli, Polizzi, Saad: Efficient estimation of eigenvalue counts in an interval, Numer. Linear
// Algebra Appl. 23 (2016)).

enum { CDP_SPECTRUM_GRID = 1024, CDP_SPECTRUM_MOMENTS = 200 };

struct cdp_spectrum {
    uint64_t items;
    double moment[CDP_SPECTRUM_MOMENTS]; // as shares: the first is 1
};

// Memory meanwhile: 256 bytes an item. `threads` is at least 1.
int cdp_spectrum_new(struct cdp_spectrum *spectrum, const struct cdp_laplacian *laplacian,
                     struct cdp_places places, int threads, const struct cdp_progress *progress,
                     struct cdp_err *err);

struct cdp_spectrum_grid {
    double sine[2 * CDP_SPECTRUM_GRID]; // of pi q / CDP_SPECTRUM_GRID
};
void cdp_spectrum_grid_init(struct cdp_spectrum_grid *grid);

// Line q of the grid: cos(pi q / CDP_SPECTRUM_GRID), 0 <= q < CDP_SPECTRUM_GRID.
double cdp_spectrum_value(const struct cdp_spectrum_grid *grid, int q);

// The estimated number of eigenvalues above line q.
double cdp_spectrum_count(const struct cdp_spectrum *spectrum, const struct cdp_spectrum_grid *grid,
                          int q);

#endif
