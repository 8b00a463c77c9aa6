// SPDX-License-Identifier: MIT
#include "base/floats.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

void cdp_sort_floats(float *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_size);
}
