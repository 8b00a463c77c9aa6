// SPDX-License-Identifier: MIT
#include "baseline/links.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"

int cdp_links_new(struct cdp_links *l, const struct cdp_neighbours *lists, double similarity,
                  int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t items = lists->rows, entries = items * lists->k;
    uint32_t k = lists->k;
    *l = (struct cdp_links){.items = items};
    bool *one_way = cdp_alloc(entries, sizeof *one_way, "links", err);   // of each entry
    uint32_t *similar = cdp_alloc(items, sizeof *similar, "links", err); // first entries of a list
    l->begin = cdp_zalloc(items + 2, sizeof *l->begin, "links", err);
    int status = one_way && similar && l->begin ? 0 : -1;
    cdp_progress_start(progress, "links", "items", items);
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t i = 0; i < (status ? 0 : items); i++) {
        uint32_t e = 0;
        if (cdp_progress_stopped(progress))
            continue;
        for (; e < k && 1 - (double)lists->distance[i * k + e] >= similarity; e++)
            one_way[i * k + e] =
                !cdp_holds(lists->target + (uint64_t)lists->target[i * k + e] * k, k, (uint32_t)i);
        similar[i] = e;
        cdp_progress_add(progress, 1);
    }
    status = status ? status : cdp_progress_check(progress, err);
    for (uint64_t i = 0; i < (status ? 0 : items); i++) {
        l->begin[i + 2] += similar[i];
        for (uint32_t e = 0; e < similar[i]; e++)
            l->begin[lists->target[i * k + e] + 2] += one_way[i * k + e];
    }
    if (!status) {
        cdp_group_begins(l->begin, items);
        uint64_t all = l->begin[items + 1];
        l->target = cdp_alloc(all, sizeof *l->target, "links", err);
        l->weight = cdp_alloc(all, sizeof *l->weight, "links", err);
        l->mutual = cdp_alloc(all, sizeof *l->mutual, "links", err);
        status = l->target && l->weight && l->mutual ? 0 : -1;
    }
    for (int other = 0; !status && other < 2; other++) {
        for (uint64_t i = 0; i < items && !cdp_progress_stopped(progress); i++) {
            for (uint32_t e = 0; e < similar[i]; e++) {
                uint64_t entry = i * k + e;
                if (other && !one_way[entry])
                    continue;
                uint64_t at = l->begin[(other ? lists->target[entry] : i) + 1]++;
                l->target[at] = other ? (uint32_t)i : lists->target[entry];
                l->weight[at] = 1 - lists->distance[entry];
                l->mutual[at] = !one_way[entry];
            }
        }
    }
    free(one_way);
    free(similar);
    return status ? status : cdp_progress_check(progress, err);
}

void cdp_links_free(struct cdp_links *l)
{
    free(l->begin);
    free(l->target);
    free(l->weight);
    free(l->mutual);
    *l = (struct cdp_links){0};
}
