// SPDX-License-Identifier: MIT
#include "stream/list.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clamp.h"
#include "base/mem.h"
#include "base/sort.h"

int cdp_list_add(struct cdp_list *list, uint64_t source, uint64_t target, float value,
                 struct cdp_err *err)
{
    if (cdp_grow(&list->edge, &list->room, list->count + 1, sizeof *list->edge, "edges", err))
        return -1;
    list->edge[list->count++] = (struct cdp_edge){source, target, value};
    return 0;
}

static uint64_t source_of(const void *edge)
{
    return ((const struct cdp_edge *)edge)->source;
}

static uint64_t target_of(const void *edge)
{
    return ((const struct cdp_edge *)edge)->target;
}

static void drop_repeats(struct cdp_list *list)
{
    size_t kept = 0;
    for (size_t e = 0; e < list->count; e++) {
        struct cdp_edge *last = kept ? &list->edge[kept - 1] : NULL;
        const struct cdp_edge *edge = &list->edge[e];
        if (!last || edge->source != last->source || edge->target != last->target)
            list->edge[kept++] = *edge;
        else if (edge->value > last->value)
            last->value = edge->value;
    }
    list->count = kept;
}

static void put_smaller_first(struct cdp_list *list)
{
    for (size_t e = 0; e < list->count; e++) {
        struct cdp_edge *edge = &list->edge[e];
        if (edge->source > edge->target) {
            uint64_t larger = edge->source;
            edge->source = edge->target;
            edge->target = larger;
        }
    }
}

// As the edges of one stream are; pairs without repetition.
static bool is_sorted(const struct cdp_list *list, bool pairs)
{
    for (size_t e = 1; e < list->count; e++) {
        const struct cdp_edge *last = &list->edge[e - 1], *edge = &list->edge[e];
        if (edge->source < last->source ||
            (pairs && edge->source == last->source && edge->target <= last->target))
            return false;
    }
    return true;
}

int cdp_list_sort(struct cdp_list *list, enum cdp_type type, struct cdp_err *err)
{
    bool pairs = type != CDP_KNN;
    if (pairs)
        put_smaller_first(list);
    if (is_sorted(list, pairs))
        return 0;
    struct cdp_radix r = {.items = list->edge};
    r.spare = cdp_alloc(list->count, sizeof *list->edge, "sorted edges", err);
    if (!r.spare)
        return -1;
    if (pairs)
        cdp_radix_sort(&r, list->count, sizeof *list->edge, target_of);
    cdp_radix_sort(&r, list->count, sizeof *list->edge, source_of);
    list->edge = r.items;
    free(r.spare);
    list->room = list->count;
    if (pairs)
        drop_repeats(list);
    return 0;
}

static int check_range(struct cdp_list *list, float least, float most, struct cdp_err *err)
{
    uint64_t clamped = 0;
    if (list->count &&
        (cdp_clamp_score(least, &clamped) < 0 || cdp_clamp_score(most, &clamped) > 1))
        return cdp_fail(err,
                        "scores lie from %.9g to %.9g; scores from 0 to 1 are wanted: --rescale "
                        "maps the range onto that",
                        (double)least, (double)most);
    for (size_t e = 0; clamped && e < list->count; e++)
        list->edge[e].value = cdp_clamp_score(list->edge[e].value, &list->clamped);
    return 0;
}

int cdp_list_scores(struct cdp_list *list, bool distance, bool rescale, struct cdp_err *err)
{
    float least = INFINITY, most = -INFINITY;
    for (size_t e = 0; e < list->count; e++) {
        float *value = &list->edge[e].value;
        if (isnan(*value))
            return cdp_fail(err, "pair %llu, %llu: the score is no number (NaN)",
                            (unsigned long long)list->edge[e].source,
                            (unsigned long long)list->edge[e].target);
        *value = distance ? 1 - *value : *value;
        least = *value < least ? *value : least;
        most = *value > most ? *value : most;
    }
    if (!rescale)
        return check_range(list, least, most, err);
    double range = (double)most - (double)least;
    for (size_t e = 0; e < list->count; e++) {
        float *value = &list->edge[e].value;
        *value = range > 0 ? (float)(((double)*value - (double)least) / range) : 1;
    }
    return 0;
}
