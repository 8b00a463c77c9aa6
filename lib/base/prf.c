// SPDX-License-Identifier: MIT
#include "base/prf.h"

#include <math.h>

double cdp_ratio(double part, double whole)
{
    return whole != 0 ? part / whole : NAN;
}

struct cdp_prf cdp_prf(double precision, double recall)
{
    double sum = precision + recall;
    return (struct cdp_prf){precision, recall, sum > 0 ? 2 * precision * recall / sum : sum};
}

struct cdp_prf cdp_pairwise(double both, double in_cluster, double in_class)
{
    return cdp_prf(cdp_ratio(both, in_cluster), cdp_ratio(both, in_class));
}

struct cdp_prf cdp_bcubed(double precision, double recall, double items)
{
    return cdp_prf(cdp_ratio(precision, items), cdp_ratio(recall, items));
}
