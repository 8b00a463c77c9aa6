// SPDX-License-Identifier: MIT
#include "baseline/spectrum.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"

// grid->sine[q] = sin(pi q / CDP_SPECTRUM_GRID), by turning, since a C library's sine may differ
// between processors.
void cdp_spectrum_grid_init(struct cdp_spectrum_grid *grid)
{
    const double c = 0x1.ffff621621d02p-1, d = 0x1.921f8becca4bap-9; // of pi / CDP_SPECTRUM_GRID
    double x = 1, y = 0;
    for (int q = 0; q < 2 * CDP_SPECTRUM_GRID; q++) {
        grid->sine[q] = y;
        double next = x * c - y * d;
        y = x * d + y * c;
        x = next;
    }
}

static double cosine(const double sine[2 * CDP_SPECTRUM_GRID], int q)
{
    return sine[(q + CDP_SPECTRUM_GRID / 2) % (2 * CDP_SPECTRUM_GRID)];
}

int cdp_spectrum_new(struct cdp_spectrum *spectrum, const struct cdp_laplacian *l,
                     struct cdp_places places, int threads, const struct cdp_progress *progress,
                     struct cdp_err *err)
{
    double *moment = spectrum->moment;
    spectrum->items = places.items;
    uint64_t numbers = places.items * CDP_LAPLACIAN_WIDE;
    double *room = cdp_alloc_aligned(numbers, 2 * sizeof *room, "random vectors", err);
    if (!room)
        return -1;
    double *x = room, *y = room + numbers;
    for (uint64_t i = 0; i < numbers; i++)
        x[i] = (cdp_random(i % CDP_LAPLACIAN_WIDE, places.first + i / CDP_LAPLACIAN_WIDE) >> 63)
                   ? -1
                   : 1;
    cdp_laplacian_step(l, places, &(struct cdp_laplacian_step){.x = x, .out = y, .by = 1}, threads);
    moment[0] = 1;
    for (int j = 0; j < CDP_SPECTRUM_MOMENTS / 2 && !cdp_progress_stopped(progress);
         j++) { // x = T_j, y = T_j+1
        double even = 0, odd = 0;
        for (uint64_t i = 0; i < numbers; i++) {
            even += x[i] * x[i];
            odd += x[i] * y[i];
        }
        even = 2 * even / (double)numbers - 1;
        odd = 2 * odd / (double)numbers - (j > 0 ? moment[1] : 0);
        moment[2 * j] = j > 0 ? even : 1;
        moment[2 * j + 1] = j > 0 ? odd : odd / 2;
        cdp_laplacian_step(l, places,
                           &(struct cdp_laplacian_step){.x = y, .before = x, .out = x, .by = 2},
                           threads);
        double *next = x;
        x = y;
        y = next;
    }
    free(room);
    return cdp_progress_check(progress, err);
}

double cdp_spectrum_count(const struct cdp_spectrum *spectrum, const struct cdp_spectrum_grid *grid,
                          int q)
{
    const double *sine = grid->sine;
    const double pi = 0x1.921fb54442d18p+1;
    // Jackson's damping by multiples of pi / CDP_SPECTRUM_GRID in place of pi /
    // (CDP_SPECTRUM_MOMENTS + 1): a wider kernel
    const int step = CDP_SPECTRUM_GRID / CDP_SPECTRUM_MOMENTS + 1;
    double sum = (double)q / CDP_SPECTRUM_GRID, rows = (double)CDP_SPECTRUM_GRID / step;
    for (int j = 1; j < CDP_SPECTRUM_MOMENTS && j < rows; j++) {
        double damp = ((rows - j) * cosine(sine, j * step % (2 * CDP_SPECTRUM_GRID)) +
                       sine[j * step % (2 * CDP_SPECTRUM_GRID)] * cosine(sine, step) / sine[step]) /
                      rows;
        sum += damp * 2 * sine[(int)((long)j * q % (2 * CDP_SPECTRUM_GRID))] / (j * pi) *
               spectrum->moment[j];
    }
    return sum * (double)spectrum->items;
}

double cdp_spectrum_value(const struct cdp_spectrum_grid *grid, int q)
{
    return cosine(grid->sine, q);
}
