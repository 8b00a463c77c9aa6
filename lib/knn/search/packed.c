// SPDX-License-Identifier: MIT
#include "knn/search/packed.h"

#include <stdlib.h>

#include "base/mem.h"

int cdp_ivf_packed_new(struct cdp_ivf_packed *shelf, const struct cdp_dataset *data,
                       const struct cdp_ivf_lists *sets, int threads, struct cdp_err *err)
{
    uint64_t count = sets->start[sets->count];
    *shelf = (struct cdp_ivf_packed){.sets = sets, .part = 1};
    if (cdp_operand_new_columns(&shelf->columns, data, (uint32_t)count, err)) {
        cdp_ivf_packed_free(shelf);
        return -1;
    }
    cdp_operand_pack_columns(&shelf->columns, cdp_ids_of(sets->member), cdp_ids_from(CDP_NONE),
                             (uint32_t)count, threads);
    return 0;
}

void cdp_ivf_packed_free(struct cdp_ivf_packed *shelf)
{
    cdp_operand_free(&shelf->columns);
}

int cdp_ivf_visits_new(struct cdp_ivf_visits *w, uint64_t sets, uint32_t depth, uint32_t rows,
                       struct cdp_err *err)
{
    w->wanted = cdp_zalloc(sets, sizeof *w->wanted, "cells", err);
    w->set = cdp_alloc(rows, depth * sizeof *w->set, "cells", err);
    w->end = cdp_alloc(sets, sizeof *w->end, "cells", err);
    w->row = cdp_alloc(rows, depth * sizeof *w->row, "cells", err);
    return w->wanted && w->set && w->end && w->row ? 0 : -1;
}

void cdp_ivf_visits_free(struct cdp_ivf_visits *w)
{
    free(w->wanted);
    free(w->set);
    free(w->end);
    free(w->row);
    *w = (struct cdp_ivf_visits){0};
}

uint32_t cdp_ivf_visits_sort(struct cdp_ivf_visits *w, const struct cdp_candidates *probes,
                             const uint32_t *list, uint32_t count, uint32_t first)
{
    uint32_t sets = 0, k = probes->k;
    for (uint32_t r = first; r < k; r++) {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t entry = probes->entry[(uint64_t)list[i] * k + r];
            if (entry != CDP_CANDIDATE_NONE && w->wanted[cdp_candidate_id(entry)]++ == 0)
                w->set[sets++] = cdp_candidate_id(entry);
        }
    }
    uint32_t sum = 0;
    for (uint32_t s = 0; s < sets; s++) {
        w->end[w->set[s]] = sum;
        sum += w->wanted[w->set[s]];
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *own = probes->entry + (uint64_t)list[i] * k;
        for (uint32_t r = first; r < k && own[r] != CDP_CANDIDATE_NONE; r++)
            w->row[w->end[cdp_candidate_id(own[r])]++] = i;
    }
    return sets;
}
