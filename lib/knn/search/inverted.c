// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "knn/search/ivf.h"

void cdp_ivf_lists_free(struct cdp_ivf_lists *lists)
{
    cdp_operand_free(&lists->columns);
    free(lists->start);
    free(lists->member);
    *lists = (struct cdp_ivf_lists){0};
}

int cdp_ivf_lists_new(struct cdp_ivf_lists *lists, const struct cdp_candidates *assigned,
                      uint32_t depth, uint64_t count, int threads, struct cdp_err *err)
{
    uint64_t parts = (uint64_t)threads, n = assigned->count, sum = 0;
    *lists = (struct cdp_ivf_lists){.count = count};
    // A counting sort. place: where each part of `assigned` puts its next member of each list.
    uint64_t *place = cdp_zalloc(count, parts * sizeof *place, "inverted lists", err);
    lists->start = cdp_alloc(count + 1, sizeof *lists->start, "inverted lists", err);
    lists->member = cdp_alloc(n, depth * sizeof *lists->member, "inverted lists", err);
    if (!place || !lists->start || !lists->member) {
        free(place);
        cdp_ivf_lists_free(lists);
        return -1;
    }
    for (int pass = 0; pass < 2; pass++) { // counts, then places
#pragma omp parallel for num_threads(threads) schedule(static, 1)
        for (uint64_t part = 0; part < parts; part++) {
            for (uint64_t i = part * n / parts; i < (part + 1) * n / parts; i++) {
                const uint64_t *list = cdp_candidates_list(assigned, i);
                for (uint32_t r = 0; r < depth && list[r] != CDP_CANDIDATE_NONE; r++) {
                    uint64_t *at = &place[cdp_candidate_id(list[r]) * parts + part];
                    if (pass)
                        lists->member[*at] = (uint32_t)i;
                    ++*at;
                }
            }
        }
        for (uint64_t l = 0; !pass && l < count; l++) {
            lists->start[l] = sum;
            for (uint64_t part = 0; part < parts; part++) {
                uint64_t here = place[l * parts + part];
                place[l * parts + part] = sum;
                sum += here;
            }
        }
    }
    lists->start[count] = sum;
    free(place);
    return 0;
}

int cdp_ivf_lists_pack(struct cdp_ivf_lists *lists, const struct cdp_dataset *data, int threads,
                       struct cdp_err *err)
{
    uint32_t count = (uint32_t)lists->start[lists->count];
    if (cdp_operand_new_columns(&lists->columns, data, count, err))
        return -1;
    cdp_operand_pack_columns(&lists->columns, cdp_ids_of(lists->member), cdp_ids_from(CDP_NONE),
                             count, threads);
    return 0;
}
