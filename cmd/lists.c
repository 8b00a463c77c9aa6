// SPDX-License-Identifier: MIT
#include "lists.h"

#include "tool.h"

void lists_round_up_to_zero(struct cdp_table *lists, const char *name)
{
    const float least = -1e-6F, floor = lists->totals.floor;
    if (!(floor < 0))
        return;
    if (floor < least)
        tool_fail("%s: the smallest distance is %.9g: distances must be at least 0", name,
                  (double)floor);
    uint64_t count = 0;
    for (uint64_t e = 0; e < lists->offset[lists->rows]; e++) {
        count += lists->distance[e] < 0;
        lists->distance[e] = lists->distance[e] < 0 ? 0 : lists->distance[e];
    }
    tool_warn("%s: %llu distance%s below 0, by %.9g at most, set to 0", name,
              (unsigned long long)count, tool_s(count), -(double)floor);
}
