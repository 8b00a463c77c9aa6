// SPDX-License-Identifier: MIT
#include "baseline/spanning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"

static const uint32_t NO_NODE = UINT32_MAX;

int cdp_spanning_new(struct cdp_spanning *s, uint32_t nodes, struct cdp_err *err)
{
    *s = (struct cdp_spanning){.nodes = nodes};
    s->gap = cdp_alloc(nodes, sizeof *s->gap, "a spanning forest", err);
    s->part = cdp_alloc(nodes, sizeof *s->part, "a spanning forest", err);
    s->next = cdp_alloc(nodes, sizeof *s->next, "a spanning forest", err);
    s->last = cdp_alloc(nodes, sizeof *s->last, "a spanning forest", err);
    s->size = cdp_alloc(nodes, sizeof *s->size, "a spanning forest", err);
    if (s->gap && s->part && s->next && s->last && s->size)
        return 0;
    cdp_spanning_free(s);
    return -1;
}

void cdp_spanning_free(struct cdp_spanning *s)
{
    free(s->edge);
    free(s->gap);
    free(s->part);
    free(s->next);
    free(s->last);
    free(s->size);
    *s = (struct cdp_spanning){0};
}

struct cdp_joined *cdp_spanning_offer(struct cdp_spanning *s, size_t count, struct cdp_err *err)
{
    if (cdp_grow(&s->edge, &s->room, s->count + count, sizeof *s->edge, "pairs", err))
        return NULL;
    s->count += count;
    return s->edge + s->count - count;
}

// Heights are at least 0, so their bits ascend with them.
static uint64_t height_bits(const void *edge)
{
    uint64_t bits;
    memcpy(&bits, &((const struct cdp_joined *)edge)->height, sizeof bits);
    return bits;
}

static int sort(struct cdp_spanning *s, struct cdp_err *err)
{
    struct cdp_radix radix = {s->edge, cdp_alloc(s->count, sizeof *s->edge, "pairs", err)};
    if (!radix.spare)
        return -1;
    cdp_radix_sort(&radix, s->count, sizeof *s->edge, height_bits);
    s->edge = radix.items;
    s->room = s->count;
    free(radix.spare);
    return 0;
}

// Joins two components. Each node is moved at most log2(nodes) times, since the smaller one moves.
static void join(struct cdp_spanning *s, uint32_t a, uint32_t b, double height)
{
    if (s->size[a] < s->size[b]) {
        uint32_t c = a;
        a = b;
        b = c;
    }
    for (uint32_t x = b; x != NO_NODE; x = s->next[x]) {
        s->part[x] = a;
        if (x + 1 < s->nodes && s->part[x + 1] == a && isinf(s->gap[x]))
            s->gap[x] = height;
        if (x > 0 && s->part[x - 1] == a && isinf(s->gap[x - 1]))
            s->gap[x - 1] = height;
    }
    s->next[s->last[a]] = b;
    s->last[a] = s->last[b];
    s->size[a] += s->size[b];
}

int cdp_spanning_merge(struct cdp_spanning *s, struct cdp_err *err)
{
    if (sort(s, err))
        return -1;
    for (uint32_t i = 0; i < s->nodes; i++) {
        s->gap[i] = INFINITY;
        s->part[i] = s->last[i] = i;
        s->next[i] = NO_NODE;
        s->size[i] = 1;
    }
    s->tree = 0;
    for (size_t e = 0; e < s->count; e++) {
        struct cdp_joined edge = s->edge[e];
        uint32_t a = s->part[edge.end[0]], b = s->part[edge.end[1]];
        if (a == b)
            continue;
        join(s, a, b, edge.height);
        s->edge[s->tree++] = edge;
    }
    s->count = s->tree;
    return 0;
}

int cdp_spanning_renumber(struct cdp_spanning *s, uint32_t *node, struct cdp_err *err)
{
    uint32_t *number = cdp_alloc(s->nodes, sizeof *number, "a spanning forest", err);
    uint32_t count = 0;
    if (!number)
        return -1;
    for (uint32_t x = s->part[0]; x != NO_NODE; x = s->next[x]) {
        number[x] = count;
        node[count++] = x;
    }
    for (size_t e = 0; e < s->tree; e++) {
        s->edge[e].end[0] = number[s->edge[e].end[0]];
        s->edge[e].end[1] = number[s->edge[e].end[1]];
    }
    free(number);
    return cdp_spanning_merge(s, err);
}
