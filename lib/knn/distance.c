// SPDX-License-Identifier: MIT
#include "knn/distance.h"

#include <math.h>

cdp_sum_function *cdp_distance_sum(const struct cdp_sums *sums, enum cdp_metric metric)
{
    switch (metric) {
    case CDP_L2:
        return sums->square;
    case CDP_L1:
        return sums->absolute;
    case CDP_LINF:
        return sums->largest;
    case CDP_COSINE:
    case CDP_ANGULAR:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return sums->dot;
}

double cdp_distance_key(enum cdp_metric metric, double sum, double xx, double yy)
{
    if (metric != CDP_COSINE && metric != CDP_ANGULAR)
        return sum;
    // Of equal rows the product of the squares is a square, whose root is exact: the cosine is 1.
    double cosine = sum / sqrt(xx * yy);
    return -(cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
}

double cdp_distance_of(enum cdp_metric metric, double key)
{
    switch (metric) {
    case CDP_COSINE:
        return 1 + key;
    case CDP_ANGULAR:
        return acos(-key);
    case CDP_L2:
        return sqrt(key);
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return key;
}
