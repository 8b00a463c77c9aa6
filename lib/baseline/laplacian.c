// SPDX-License-Identifier: MIT
#include "baseline/laplacian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/vectors.h"
#include "baseline/links.h"

static int begin_component(struct cdp_laplacian *l, uint64_t first, size_t *room,
                           struct cdp_err *err)
{
    if (l->components == *room &&
        cdp_grow(&l->component, room, l->components + 1, sizeof *l->component, "components", err))
        return -1;
    l->component[l->components++] = (struct cdp_places){.first = first};
    return 0;
}

// Sets item[] and the components; place[i] is that of item i.
static int find_components(struct cdp_laplacian *l, const struct cdp_links *graph, uint32_t *place,
                           struct cdp_err *err)
{
    uint64_t end = 0, from = 0;
    size_t room = 0;
    memset(place, 0xff, l->items * sizeof *place);
    for (uint64_t i = 0; i < l->items; i++) {
        if (place[i] != UINT32_MAX)
            continue;
        if (begin_component(l, end, &room, err))
            return -1;
        place[i] = (uint32_t)end;
        l->item[end++] = (uint32_t)i;
        for (; from < end; from++) {
            uint32_t own = l->item[from];
            for (uint64_t e = graph->begin[own]; e < graph->begin[own + 1]; e++) {
                uint32_t target = graph->target[e];
                if (place[target] == UINT32_MAX) {
                    place[target] = (uint32_t)end;
                    l->item[end++] = target;
                }
            }
        }
        struct cdp_places *last = &l->component[l->components - 1];
        last->items = end - last->first;
    }
    return 0;
}

static void fill_edges(struct cdp_laplacian *l, const struct cdp_links *graph,
                       const uint32_t *place)
{
    uint64_t at = 0;
    for (uint64_t p = 0; p < l->items; p++) {
        uint32_t own = l->item[p];
        double degree = 0;
        l->begin[p] = at;
        for (uint64_t e = graph->begin[own]; e < graph->begin[own + 1]; e++, at++) {
            l->target[at] = place[graph->target[e]];
            l->weight[at] = graph->mutual[e] ? 1 : 0.5;
            degree += l->weight[at];
        }
        l->root[p] = degree > 0 ? sqrt(degree) : 1;
    }
    l->begin[l->items] = at;
    for (uint64_t p = 0; p < l->items; p++) {
        for (uint64_t e = l->begin[p]; e < l->begin[p + 1]; e++)
            l->weight[e] /= l->root[p] * l->root[l->target[e]];
    }
}

int cdp_laplacian_new(struct cdp_laplacian *l, const struct cdp_neighbours *lists, int threads,
                      struct cdp_progress *progress, struct cdp_err *err)
{
    *l = (struct cdp_laplacian){0};
    struct cdp_links graph;
    if (cdp_links_new(&graph, lists, -INFINITY, threads, progress, err)) {
        cdp_links_free(&graph);
        return -1;
    }
    l->items = lists->rows;
    uint64_t ends = graph.begin[l->items];
    uint32_t *place = cdp_alloc(l->items, sizeof *place, "places of items", err);
    l->item = cdp_alloc(l->items, sizeof *l->item, "items", err);
    l->begin = cdp_alloc(l->items + 1, sizeof *l->begin, "edges", err);
    l->target = cdp_alloc(ends, sizeof *l->target, "edges", err);
    l->weight = cdp_alloc(ends, sizeof *l->weight, "edges", err);
    l->root = cdp_alloc(l->items, sizeof *l->root, "degrees", err);
    int status = place && l->item && l->begin && l->target && l->weight && l->root ? 0 : -1;
    if (!status)
        status = find_components(l, &graph, place, err);
    if (!status)
        fill_edges(l, &graph, place);
    free(place);
    cdp_links_free(&graph);
    return status;
}

void cdp_laplacian_free(struct cdp_laplacian *l)
{
    free(l->item);
    free(l->begin);
    free(l->target);
    free(l->weight);
    free(l->root);
    free(l->component);
    *l = (struct cdp_laplacian){0};
}

// ---- products with the sparse matrix

CDP_INLINE cdp_doubles load(const double *at)
{
    cdp_doubles v;
    memcpy(&v, at, sizeof v);
    return v;
}

CDP_INLINE void step_rows_of(const struct cdp_laplacian *l, struct cdp_places places,
                             const struct cdp_laplacian_step *step, uint64_t from, uint64_t end)
{
    for (uint64_t i = from; i < end; i++) {
        cdp_doubles sum[CDP_LAPLACIAN_WIDE / 4] = {0};
        for (uint64_t e = l->begin[places.first + i]; e < l->begin[places.first + i + 1]; e++) {
            const double *x = step->x + (l->target[e] - places.first) * CDP_LAPLACIAN_WIDE;
            for (int d = 0; d < CDP_LAPLACIAN_WIDE / 4; d++)
                sum[d] += l->weight[e] * load(x + d * 4);
        }
        for (int d = 0; d < CDP_LAPLACIAN_WIDE / 4; d++) {
            uint64_t at = i * CDP_LAPLACIAN_WIDE + (uint64_t)d * 4;
            cdp_doubles out = step->by * (sum[d] - step->middle * load(step->x + at));
            if (step->before)
                out -= load(step->before + at);
            memcpy(step->out + at, &out, sizeof out);
        }
    }
}

#define STEP_ROWS(isa, attribute)                                                                  \
    attribute static void step_rows_##isa(const struct cdp_laplacian *l, struct cdp_places places, \
                                          const struct cdp_laplacian_step *step, uint64_t from,    \
                                          uint64_t end)                                            \
    {                                                                                              \
        step_rows_of(l, places, step, from, end);                                                  \
    }

STEP_ROWS(plain, )
#ifdef __x86_64__
STEP_ROWS(avx2, __attribute__((target("avx2"))))
#endif

static void step_rows(const struct cdp_laplacian *l, struct cdp_places places,
                      const struct cdp_laplacian_step *step, uint64_t from, uint64_t end)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2) {
        step_rows_avx2(l, places, step, from, end);
        return;
    }
#endif
    step_rows_plain(l, places, step, from, end);
}

void cdp_laplacian_step(const struct cdp_laplacian *l, struct cdp_places places,
                        const struct cdp_laplacian_step *step, int threads)
{
    enum { CHUNK = 1024 };
#pragma omp parallel for num_threads(threads) \
    schedule(dynamic) if (threads > 1 && places.items > CHUNK)
    for (uint64_t from = 0; from < places.items; from += CHUNK)
        step_rows(l, places, step, from, from + CHUNK < places.items ? from + CHUNK : places.items);
}
