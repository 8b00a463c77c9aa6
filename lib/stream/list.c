// SPDX-License-Identifier: MIT
#include "stream/list.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clamp.h"
#include "base/mem.h"

int cdp_list_add(struct cdp_list *list, uint64_t source, uint64_t target, float value,
                 struct cdp_err *err)
{
    if (cdp_grow(&list->edge, &list->room, list->count + 1, sizeof *list->edge, "edges", err))
        return -1;
    list->edge[list->count++] = (struct cdp_edge){source, target, value};
    return 0;
}

static uint64_t key(const struct cdp_edge *edge, bool by_target)
{
    return by_target ? edge->target : edge->source;
}

// A stable counting sort by one byte of the source or the target.
static void sort_byte(const struct cdp_edge *from, struct cdp_edge *to, size_t count,
                      bool by_target, int byte)
{
    size_t begin[257] = {0};
    for (size_t e = 0; e < count; e++)
        begin[(key(&from[e], by_target) >> 8 * byte & 255) + 1]++;
    for (int b = 0; b < 256; b++)
        begin[b + 1] += begin[b];
    for (size_t e = 0; e < count; e++)
        to[begin[key(&from[e], by_target) >> 8 * byte & 255]++] = from[e];
}

static void sort_by(struct cdp_list *list, struct cdp_edge **spare, bool by_target)
{
    uint64_t all = 0;
    for (size_t e = 0; e < list->count; e++)
        all |= key(&list->edge[e], by_target);
    for (int byte = 0; byte < 8 && all >> 8 * byte; byte++) {
        sort_byte(list->edge, *spare, list->count, by_target, byte);
        struct cdp_edge *sorted = *spare;
        *spare = list->edge;
        list->edge = sorted;
    }
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

int cdp_list_sort(struct cdp_list *list, enum cdp_type type, struct cdp_err *err)
{
    struct cdp_edge *spare = cdp_alloc(list->count, sizeof *spare, "sorted edges", err);
    if (!spare)
        return -1;
    if (type != CDP_KNN) {
        for (size_t e = 0; e < list->count; e++) {
            struct cdp_edge *edge = &list->edge[e];
            if (edge->source > edge->target) {
                uint64_t larger = edge->source;
                edge->source = edge->target;
                edge->target = larger;
            }
        }
        sort_by(list, &spare, true);
    }
    sort_by(list, &spare, false);
    free(spare);
    list->room = list->count;
    if (type != CDP_KNN)
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
