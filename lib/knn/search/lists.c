// SPDX-License-Identifier: MIT
#include "knn/search/lists.h"

#include <stdlib.h>

#include "base/mem.h"

void cdp_ivf_lists_free(struct cdp_ivf_lists *sets)
{
    free(sets->start);
    free(sets->member);
    *sets = (struct cdp_ivf_lists){0};
}

int cdp_ivf_lists_new(struct cdp_ivf_lists *sets, const struct cdp_candidates *lists,
                      uint32_t depth, uint64_t count, int threads, struct cdp_err *err)
{
    uint64_t parts = (uint64_t)threads, n = lists->count;
    *sets = (struct cdp_ivf_lists){.count = count};
    // Of each number, where each part of the lists puts its members.
    uint64_t *place = cdp_zalloc(count, parts * sizeof *place, "cells", err);
    sets->start = cdp_alloc(count + 1, sizeof *sets->start, "cells", err);
    sets->member = cdp_alloc(n, depth * sizeof *sets->member, "cells", err);
    if (!place || !sets->start || !sets->member) {
        free(place);
        cdp_ivf_lists_free(sets);
        return -1;
    }
    for (int pass = 0; pass < 2; pass++) { // counts, then places
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (uint64_t part = 0; part < parts; part++) {
            for (uint64_t i = part * n / parts; i < (part + 1) * n / parts; i++) {
                const uint64_t *list = lists->entry + i * lists->k;
                for (uint32_t r = 0; r < depth && list[r] != CDP_CANDIDATE_NONE; r++) {
                    uint64_t *at = &place[cdp_candidate_id(list[r]) * parts + part];
                    if (pass)
                        sets->member[*at] = (uint32_t)i;
                    ++*at;
                }
            }
        }
        uint64_t sum = 0;
        for (uint64_t c = 0; !pass && c < count; c++) {
            sets->start[c] = sum;
            for (uint64_t part = 0; part < parts; part++) {
                uint64_t here = place[c * parts + part];
                place[c * parts + part] = sum;
                sum += here;
            }
        }
        if (!pass)
            sets->start[count] = sum;
    }
    free(place);
    return 0;
}
