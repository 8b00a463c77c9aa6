// SPDX-License-Identifier: MIT
#ifndef CDP_FLOATS_H
#define CDP_FLOATS_H

#include <stddef.h>

// Sorts numbers, none of which is NaN, in ascending order.
void cdp_sort_floats(float *numbers, size_t count);

#endif
