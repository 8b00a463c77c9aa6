// SPDX-License-Identifier: MIT
#include "propagate/previous.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NONE UINT32_MAX

// Two clusters, a new one and an old one, that share items.
struct overlap {
    uint32_t now, before;
    uint32_t items;
};

static int by_clusters(const void *a, const void *b)
{
    const struct overlap *x = a, *y = b;
    if (x->now != y->now)
        return x->now < y->now ? -1 : 1;
    return (x->before > y->before) - (x->before < y->before);
}

static int by_before(const void *a, const void *b)
{
    const struct overlap *x = a, *y = b;
    if (x->before != y->before)
        return x->before < y->before ? -1 : 1;
    return (x->now > y->now) - (x->now < y->now);
}

// The overlaps, sorted by new cluster and then by old one; the caller frees them.
static struct overlap *find_overlaps(const struct cdp_clusters *c, const struct cdp_labels *before,
                                     size_t *count, struct cdp_err *err)
{
    uint64_t items = before->items < c->items ? before->items : c->items;
    struct overlap *overlap = cdp_alloc(items, sizeof *overlap, "shared items", err);
    size_t shared = 0;
    *count = 0;
    for (uint64_t i = 0; overlap && i < items; i++) {
        if (c->label[i] != CDP_NO_LABEL && before->group[i] != CDP_NO_LABEL)
            overlap[shared++] = (struct overlap){c->label[i], before->group[i], 1};
    }
    if (overlap)
        qsort(overlap, shared, sizeof *overlap, by_clusters);
    for (size_t o = 0; o < shared; o++) {
        struct overlap *last = *count ? &overlap[*count - 1] : NULL;
        if (last && !by_clusters(last, &overlap[o]))
            last->items++;
        else
            overlap[(*count)++] = overlap[o];
    }
    return overlap;
}

// ---- the matching

// New clusters are matched one after the other, each along the cheapest alternating path to a free
// old one, or to staying unmatched. A cost is the number of shared items, negated. Prices keep all
// reduced costs at 0 or more, so that Dijkstra's search finds the path.
struct matching {
    const struct overlap *overlap;
    size_t *begin;       // of each new cluster's overlaps; one more at the end
    uint32_t *of_now;    // the old cluster of each new one, or NONE
    uint32_t *of_before; // the new cluster of each old one, or NONE
    int64_t *price_now, *price_before;
    int64_t *distance; // of old clusters, while a path is sought; -1: not reached
    uint32_t *from;    // the new cluster by which each was reached
    bool *settled;     // its distance is final
    uint32_t *reached; // those that were
    uint32_t reached_count;
    struct heap {
        int64_t distance;
        bool taken;
        uint32_t before;
    } * heap;
    size_t heap_count, heap_room;
};

// A fixed random order of the old clusters (Fibonacci hashing, a bijection).
static uint32_t scattered(uint32_t before)
{
    return before * UINT32_C(0x9E3779B1);
}

// Ties are common. A free one comes first, since it ends the search. The others come in random
// order: in the order of their numbers the oldest would be searched first, but the newer ones have
// free neighbours.
static bool nearer(const struct heap *a, const struct heap *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->taken != b->taken)
        return b->taken;
    return scattered(a->before) < scattered(b->before);
}

static int push(struct matching *m, int64_t distance, uint32_t before, struct cdp_err *err)
{
    if (cdp_grow(&m->heap, &m->heap_room, m->heap_count + 1, sizeof *m->heap, "a path", err))
        return -1;
    size_t at = m->heap_count++;
    struct heap own = {distance, m->of_before[before] != NONE, before};
    for (; at > 0 && nearer(&own, &m->heap[(at - 1) / 2]); at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = own;
    return 0;
}

static struct heap pop(struct matching *m)
{
    struct heap top = m->heap[0], last = m->heap[--m->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < m->heap_count; at = child) {
        if (child + 1 < m->heap_count && nearer(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!nearer(&m->heap[child], &last))
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = last;
    return top;
}

// Relaxes the edges of a new cluster at a distance.
static int relax(struct matching *m, uint32_t now, int64_t distance, struct cdp_err *err)
{
    for (size_t o = m->begin[now]; o < m->begin[now + 1]; o++) {
        uint32_t before = m->overlap[o].before;
        int64_t cost = -(int64_t)m->overlap[o].items - m->price_now[now] - m->price_before[before];
        int64_t other = distance + cost;
        if (m->settled[before] || (m->distance[before] >= 0 && m->distance[before] <= other))
            continue;
        if (m->distance[before] < 0)
            m->reached[m->reached_count++] = before;
        m->distance[before] = other;
        m->from[before] = now;
        if (push(m, other, before, err))
            return -1;
    }
    return 0;
}

// Flips the augmenting path that ends at the old cluster `before`.
static void augment(struct matching *m, uint32_t start, uint32_t before)
{
    for (uint32_t now = NONE; now != start;) {
        now = m->from[before];
        uint32_t given_up = m->of_now[now];
        m->of_now[now] = before;
        m->of_before[before] = now;
        before = given_up;
    }
}

static int match_one(struct matching *m, uint32_t start, struct cdp_err *err)
{
    // The nearest end so far: a free old cluster, or the new one that stays unmatched.
    int64_t best = -m->price_now[start];
    uint32_t last = NONE, without = start;
    m->reached_count = 0;
    m->heap_count = 0;
    int status = relax(m, start, 0, err);
    while (!status && m->heap_count) {
        struct heap next = pop(m);
        if (next.distance >= best)
            break;
        if (m->settled[next.before])
            continue;
        m->settled[next.before] = true;
        uint32_t owner = m->of_before[next.before];
        if (owner == NONE) {
            best = next.distance;
            last = next.before;
            break;
        }
        if (next.distance - m->price_now[owner] < best) {
            best = next.distance - m->price_now[owner];
            without = owner;
        }
        status = relax(m, owner, next.distance, err);
    }
    m->price_now[start] += best;
    for (uint32_t r = 0; r < m->reached_count; r++) {
        uint32_t before = m->reached[r];
        if (m->settled[before] && m->distance[before] < best) {
            m->price_before[before] += m->distance[before] - best;
            m->price_now[m->of_before[before]] += best - m->distance[before];
        }
        m->distance[before] = -1;
        m->settled[before] = false;
    }
    uint32_t before = last;
    if (last == NONE) {
        before = m->of_now[without];
        m->of_now[without] = NONE;
    }
    if (before != NONE)
        augment(m, start, before);
    return status;
}

// ---- a first matching

// Searches depth first from new clusters without an old one, along pairs of reduced cost 0 alone.
// The first searches find nearly all that such paths can, at a fraction of what a shortest path for
// each costs (Pothen and Fan, ACM TOMS 16, 1990).
struct sweep {
    size_t *next;    // overlap of each new cluster to be looked at next
    uint32_t *stack; // new clusters on the path
};

static bool is_tight(const struct matching *m, uint32_t now, size_t o)
{
    return -(int64_t)m->overlap[o].items ==
           m->price_now[now] + m->price_before[m->overlap[o].before];
}

// A free old cluster next to the new one, or NONE.
static uint32_t find_free(const struct matching *m, uint32_t now)
{
    for (size_t o = m->begin[now]; o < m->begin[now + 1]; o++) {
        if (m->of_before[m->overlap[o].before] == NONE && is_tight(m, now, o))
            return m->overlap[o].before;
    }
    return NONE;
}

// The next old cluster that the search has not seen, or NONE.
static uint32_t find_next(struct matching *m, struct sweep *s, uint32_t now)
{
    while (s->next[now] < m->begin[now + 1]) {
        size_t o = s->next[now]++;
        if (!m->settled[m->overlap[o].before] && is_tight(m, now, o))
            return m->overlap[o].before;
    }
    return NONE;
}

static bool search_from(struct matching *m, struct sweep *s, uint32_t start)
{
    size_t depth = 1;
    s->stack[0] = start;
    while (depth > 0) {
        uint32_t now = s->stack[depth - 1], before = find_free(m, now);
        if (before != NONE) {
            m->from[before] = now;
            augment(m, start, before);
            return true;
        }
        before = find_next(m, s, now);
        if (before == NONE) {
            depth--;
            continue;
        }
        m->settled[before] = true;
        m->from[before] = now;
        s->stack[depth++] = m->of_before[before];
    }
    return false;
}

// Each sweep sees each old cluster once; the last one finds nothing.
static int match_tight(struct matching *m, uint32_t now, uint32_t before, struct cdp_err *err)
{
    struct sweep s;
    s.next = cdp_alloc(now, sizeof *s.next, "clusters", err);
    s.stack = cdp_alloc((size_t)before + 1, sizeof *s.stack, "clusters", err);
    int status = s.next && s.stack ? 0 : -1;
    for (bool found = !status; found;) {
        found = false;
        memcpy(s.next, m->begin, now * sizeof *s.next);
        memset(m->settled, 0, before * sizeof *m->settled);
        for (uint32_t c = 0; c < now; c++)
            found |= m->of_now[c] == NONE && search_from(m, &s, c);
    }
    memset(m->settled, 0, before * sizeof *m->settled);
    free(s.next);
    free(s.stack);
    return status;
}

static void free_matching(struct matching *m)
{
    free(m->begin);
    free(m->of_now);
    free(m->of_before);
    free(m->price_now);
    free(m->price_before);
    free(m->distance);
    free(m->from);
    free(m->settled);
    free(m->reached);
    free(m->heap);
}

// Fills of_now of `now` new clusters and `before` old ones.
static int match_all(struct matching *m, size_t overlaps, uint32_t now, uint32_t before,
                     struct cdp_err *err)
{
    m->begin = cdp_zalloc((size_t)now + 1, sizeof *m->begin, "clusters", err);
    m->of_now = cdp_alloc(now, sizeof *m->of_now, "clusters", err);
    m->of_before = cdp_alloc(before, sizeof *m->of_before, "clusters", err);
    m->price_now = cdp_zalloc(now, sizeof *m->price_now, "clusters", err);
    m->price_before = cdp_zalloc(before, sizeof *m->price_before, "clusters", err);
    m->distance = cdp_alloc(before, sizeof *m->distance, "clusters", err);
    m->from = cdp_alloc(before, sizeof *m->from, "clusters", err);
    m->settled = cdp_zalloc(before, sizeof *m->settled, "clusters", err);
    m->reached = cdp_alloc(before, sizeof *m->reached, "clusters", err);
    if (!m->begin || !m->of_now || !m->of_before || !m->price_now || !m->price_before ||
        !m->distance || !m->from || !m->settled || !m->reached)
        return -1;
    for (size_t o = 0; o < overlaps; o++)
        m->begin[m->overlap[o].now + 1]++;
    for (uint32_t c = 0; c < now; c++) {
        m->begin[c + 1] += m->begin[c];
        m->of_now[c] = NONE;
    }
    for (uint32_t c = 0; c < before; c++) {
        m->of_before[c] = NONE;
        m->distance[c] = -1;
    }
    for (size_t o = 0; o < overlaps; o++) {
        int64_t *price = &m->price_now[m->overlap[o].now], cost = -(int64_t)m->overlap[o].items;
        *price = cost < *price ? cost : *price;
    }
    int status = match_tight(m, now, before, err);
    for (uint32_t c = 0; !status && c < now; c++)
        status = m->of_now[c] == NONE ? match_one(m, c, err) : 0;
    return status;
}

// Turns labels into numbers.
static int renumber(struct cdp_clusters *c, const uint32_t *of_now, const struct cdp_labels *before,
                    struct cdp_err *err)
{
    int64_t largest = -1, most = (int64_t)CDP_NO_LABEL - 1 - (int64_t)c->clusters;
    for (uint32_t g = 0; g < before->groups; g++)
        largest = before->value[g] > largest ? before->value[g] : largest;
    if (largest > most)
        return cdp_fail(err, "an earlier cluster has number %lld; at most 2^32 - 2 can be numbered",
                        (long long)largest);
    int64_t next = largest + 1;
    uint32_t *number = cdp_alloc(c->clusters, sizeof *number, "clusters", err);
    if (!number)
        return -1;
    for (uint32_t l = 0; l < c->clusters; l++)
        number[l] = of_now[l] == NONE ? (uint32_t)next++ : (uint32_t)before->value[of_now[l]];
    for (uint64_t i = 0; i < c->items; i++) {
        if (c->label[i] != CDP_NO_LABEL)
            c->label[i] = number[c->label[i]];
    }
    free(number);
    return 0;
}

int cdp_clusters_keep(struct cdp_clusters *c, const struct cdp_labels *before, struct cdp_err *err)
{
    struct matching m = {0};
    size_t overlaps;
    struct overlap *overlap = find_overlaps(c, before, &overlaps, err);
    m.overlap = overlap;
    int status = overlap ? match_all(&m, overlaps, c->clusters, before->groups, err) : -1;
    if (!status)
        status = renumber(c, m.of_now, before, err);
    free_matching(&m);
    free(overlap);
    return status;
}

// ---- changes

static int64_t number_before(const struct cdp_labels *before, uint64_t item)
{
    bool none = item >= before->items || before->group[item] == CDP_NO_LABEL;
    return none ? -1 : before->value[before->group[item]];
}

static int64_t number_now(const struct cdp_clusters *c, uint64_t item)
{
    return item >= c->items || c->label[item] == CDP_NO_LABEL ? -1 : (int64_t)c->label[item];
}

static enum cdp_change_kind kind_of(int64_t old, int64_t now, bool was_there, bool is_there)
{
    if (old < 0)
        return was_there ? CDP_JOINED : CDP_ADDED;
    if (now < 0)
        return is_there ? CDP_LEFT : CDP_GONE;
    return CDP_MOVED;
}

static int hand_items(const struct cdp_clusters *c, const struct cdp_labels *before,
                      const bool *was_there, cdp_change_sink *sink, void *context,
                      struct cdp_err *err)
{
    uint64_t items = before->items > c->items ? before->items : c->items;
    for (uint64_t i = 0; i < items; i++) {
        int64_t old = number_before(before, i), now = number_now(c, i);
        if (old == now)
            continue;
        bool was = i < c->items && was_there ? was_there[i] : i < before->items;
        struct cdp_change change = {
            kind_of(old, now, was, i < c->items), i, &old, old >= 0, &now, now >= 0};
        if (sink(context, &change, err))
            return -1;
    }
    return 0;
}

// A run of overlaps that share one cluster, if there are several others: merged ones share the new
// cluster, split ones the old. `other` has room for their numbers.
static int hand_run(const struct overlap *run, size_t count, bool merged,
                    const struct cdp_labels *before, int64_t *other, cdp_change_sink *sink,
                    void *context, struct cdp_err *err)
{
    if (count < 2)
        return 0;
    int64_t own = merged ? (int64_t)run->now : before->value[run->before];
    for (size_t o = 0; o < count; o++)
        other[o] = merged ? before->value[run[o].before] : (int64_t)run[o].now;
    struct cdp_change change = {CDP_SPLIT, (uint64_t)own, &own, 1, other, count};
    if (merged)
        change = (struct cdp_change){CDP_MERGED, (uint64_t)own, other, count, &own, 1};
    return sink(context, &change, err);
}

int cdp_changes(const struct cdp_clusters *c, const struct cdp_labels *before,
                const bool *was_there, cdp_change_sink *sink, void *context, struct cdp_err *err)
{
    size_t overlaps;
    struct overlap *overlap = find_overlaps(c, before, &overlaps, err);
    int64_t *other = cdp_alloc(overlaps, sizeof *other, "clusters", err);
    int status = overlap && other ? hand_items(c, before, was_there, sink, context, err) : -1;
    for (int merged = 1; !status && merged >= 0; merged--) {
        if (!merged)
            qsort(overlap, overlaps, sizeof *overlap, by_before);
        for (size_t first = 0, end; !status && first < overlaps; first = end) {
            for (end = first + 1; end < overlaps; end++) {
                if (merged ? overlap[end].now != overlap[first].now
                           : overlap[end].before != overlap[first].before)
                    break;
            }
            status =
                hand_run(overlap + first, end - first, merged, before, other, sink, context, err);
        }
    }
    free(other);
    free(overlap);
    return status;
}
