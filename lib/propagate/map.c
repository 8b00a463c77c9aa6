// SPDX-License-Identifier: MIT
#include "propagate/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/sets.h"
#include "base/sort.h"
#include "base/threads.h"
#include "propagate/modules.h"

enum {
    UNIT = 1 << 20,  // of weights: an item's own
    ROUNDS = 10,     // in which single items are moved again, at most
    MOST_PARTS = 16, // of the rows, which are filled in parallel; each reads all pairs
    TOLD = 1 << 16,  // pairs from one look at the flag to end to the next
};

struct pair {
    uint32_t i, j, weight;
};

struct pairs {
    struct pair *pair;
    size_t count, room;
    bool unordered; // not i < j, ascending, without repetitions, as those of a stream are
};

struct cdp_map {
    struct pairs scored, together, apart;
};

int cdp_map_new(struct cdp_map **map, struct cdp_err *err)
{
    *map = cdp_zalloc(1, sizeof **map, "pairs", err);
    return *map ? 0 : -1;
}

void cdp_map_free(struct cdp_map *map)
{
    if (!map)
        return;
    free(map->scored.pair);
    free(map->together.pair);
    free(map->apart.pair);
    free(map);
}

// -log10(1 - score) in units.
static uint32_t pair_weight(float score)
{
    if (!(score > 0))
        return 0;
    double weight = score < 1 ? cdp_log2(1 - (double)score) * -0.30102999566398120 : CDP_MAP_MOST;
    return (uint32_t)((weight < CDP_MAP_MOST ? weight : CDP_MAP_MOST) * UNIT + 0.5);
}

static int check_ids(const uint64_t *i, const uint64_t *j, size_t count, struct cdp_err *err)
{
    for (size_t p = 0; p < count; p++) {
        if (i[p] > UINT32_MAX - 2 || j[p] > UINT32_MAX - 2)
            return cdp_fail(err,
                            "id %llu: ids from 2^32 - 2 on are not supported: number the items "
                            "from 0, or make a "
                            "stream of names by cdp-view --from with --named",
                            (unsigned long long)(i[p] > j[p] ? i[p] : j[p]));
    }
    return 0;
}

static void add_pair(struct pairs *pairs, uint32_t i, uint32_t j, uint32_t weight)
{
    const struct pair *last = pairs->pair + pairs->count - 1;
    if (i >= j || (pairs->count > 0 && (i < last->i || (i == last->i && j <= last->j))))
        pairs->unordered = true;
    pairs->pair[pairs->count++] = (struct pair){i, j, weight};
}

int cdp_map_add(struct cdp_map *map, const uint64_t *i, const uint64_t *j, const float *score,
                size_t pairs, struct cdp_err *err)
{
    struct pairs *to = &map->scored;
    if (check_ids(i, j, pairs, err) ||
        cdp_grow(&to->pair, &to->room, to->count + pairs, sizeof *to->pair, "pairs", err))
        return -1;
    for (size_t p = 0; p < pairs; p++) {
        uint32_t weight = pair_weight(score[p]);
        if (weight > 0)
            add_pair(to, (uint32_t)i[p], (uint32_t)j[p], weight);
    }
    return 0;
}

static int add_constraint(struct pairs *pairs, uint64_t i, uint64_t j, struct cdp_err *err)
{
    if (check_ids(&i, &j, 1, err) ||
        cdp_grow(&pairs->pair, &pairs->room, pairs->count + 1, sizeof *pairs->pair, "pairs", err))
        return -1;
    add_pair(pairs, (uint32_t)i, (uint32_t)j, 0);
    return 0;
}

int cdp_map_link(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err)
{
    return add_constraint(&map->together, i, j, err);
}

int cdp_map_part(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err)
{
    return add_constraint(&map->apart, i, j, err);
}

// ---- from pairs to a graph

// Grouping by sort.h: counts each pair at both items.
static uint64_t *row_begins(const struct pairs *pairs, uint32_t nodes,
                            const struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t *offset = cdp_zalloc((size_t)nodes + 2, sizeof *offset, "pairs", err);
    if (!offset)
        return NULL;
    for (size_t p = 0; p < pairs->count; p++) {
        if (p % TOLD == 0 && cdp_progress_check(progress, err)) {
            free(offset);
            return NULL;
        }
        offset[pairs->pair[p].i + 2]++;
        offset[pairs->pair[p].j + 2]++;
    }
    cdp_group_begins(offset, nodes);
    return offset;
}

// Fills the rows of nodes begin .. end - 1.
static void fill_rows(struct cdp_flow *flow, const struct pairs *pairs, uint32_t begin,
                      uint32_t end, const struct cdp_progress *progress)
{
    uint64_t *next = flow->offset + 1;
    for (size_t p = 0; p < pairs->count; p++) {
        const struct pair *e = &pairs->pair[p];
        if (p % TOLD == 0 && cdp_progress_stopped(progress))
            return;
        if (e->i - begin < end - begin)
            flow->edge[next[e->i]++] = (struct cdp_flow_edge){e->j, e->weight};
        if (e->j - begin < end - begin)
            flow->edge[next[e->j]++] = (struct cdp_flow_edge){e->i, e->weight};
    }
}

// The first node from whose row on there are at least `part` of `parts` of all edges.
static uint32_t border(const struct cdp_flow *flow, uint64_t edges, int part, int parts)
{
    uint64_t wanted = edges / (uint64_t)parts * (uint64_t)part;
    uint32_t low = 0, high = flow->nodes;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (flow->offset[middle + 1] < wanted) // where its row begins, before it is filled
            low = middle + 1;
        else
            high = middle;
    }
    return part == parts ? flow->nodes : low;
}

static int by_partner(const void *a, const void *b)
{
    const struct cdp_flow_edge *x = a, *y = b;
    if (x->partner != y->partner)
        return x->partner < y->partner ? -1 : 1;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

// Sorts a row, leaves of each partner the highest weight, and returns how many edges are left.
static uint64_t settle_row(struct cdp_flow_edge *edge, uint64_t count)
{
    uint64_t left = 0;
    qsort(edge, count, sizeof *edge, by_partner);
    for (uint64_t e = 0; e < count; e++) {
        if (left == 0 || edge[left - 1].partner != edge[e].partner)
            edge[left++] = edge[e];
    }
    return left;
}

// Sorts rows that were filled in any order, and moves them together.
static void settle_rows(struct cdp_flow *flow, const struct cdp_progress *progress)
{
    uint64_t *left = flow->strength, count = 0; // not yet in use
#pragma omp parallel for num_threads(flow->threads) schedule(dynamic, 256)
    for (uint32_t i = 0; i < flow->nodes; i++) {
        uint64_t edges = cdp_progress_stopped(progress) ? 0 : flow->offset[i + 1] - flow->offset[i];
        left[i] = settle_row(flow->edge + flow->offset[i], edges);
    }
    for (uint32_t i = 0; i < flow->nodes; i++) {
        memmove(flow->edge + count, flow->edge + flow->offset[i], left[i] * sizeof *flow->edge);
        flow->offset[i] = count;
        count += left[i];
    }
    flow->offset[flow->nodes] = count;
}

// Takes the pairs' memory.
static int flow_of_pairs(struct cdp_flow *flow, struct pairs *pairs, uint32_t items, int threads,
                         const struct cdp_progress *progress, struct cdp_err *err)
{
    *flow = (struct cdp_flow){.nodes = items, .threads = cdp_threads(threads)};
    flow->offset = row_begins(pairs, items, progress, err);
    if (!flow->offset)
        return -1;
    flow->edge = cdp_alloc(2 * pairs->count, sizeof *flow->edge, "pairs", err);
    flow->strength = cdp_alloc(items, sizeof *flow->strength, "items", err);
    if (!flow->edge || !flow->strength)
        return -1;
    int parts = flow->threads < MOST_PARTS ? flow->threads : MOST_PARTS;
    uint32_t begin[MOST_PARTS + 1];
    for (int part = 0; part <= parts; part++)
        begin[part] = border(flow, 2 * pairs->count, part, parts);
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int part = 0; part < parts; part++)
        fill_rows(flow, pairs, begin[part], begin[part + 1], progress);
    if (cdp_progress_check(progress, err))
        return -1;
    bool unordered = pairs->unordered;
    free(pairs->pair);
    *pairs = (struct pairs){0};
    if (unordered)
        settle_rows(flow, progress);
    if (cdp_progress_check(progress, err))
        return -1;
    uint64_t total = 0;
#pragma omp parallel for num_threads(flow->threads) schedule(static) reduction(+ : total)
    for (uint32_t i = 0; i < items; i++) {
        flow->strength[i] = UNIT;
        for (uint64_t e = flow->offset[i]; e < flow->offset[i + 1]; e++)
            flow->strength[i] += flow->edge[e].weight;
        total += flow->strength[i];
    }
    flow->total = total;
    return 0;
}

static int apart_of_pairs(struct cdp_flow *flow, const struct pairs *pairs, struct cdp_err *err)
{
    if (pairs->count == 0)
        return 0;
    flow->apart_offset = row_begins(pairs, flow->nodes, NULL, err);
    flow->apart = cdp_alloc(2 * pairs->count, sizeof *flow->apart, "pairs apart", err);
    if (!flow->apart_offset || !flow->apart)
        return -1;
    uint64_t *next = flow->apart_offset + 1;
    for (size_t p = 0; p < pairs->count; p++) {
        flow->apart[next[pairs->pair[p].i]++] = pairs->pair[p].j;
        flow->apart[next[pairs->pair[p].j]++] = pairs->pair[p].i;
    }
    return 0;
}

// ---- must-links

// Makes items that are linked one node; node[i] is that of item i.
static int contract(struct cdp_flow *flow, const struct pairs *together, uint32_t *node,
                    struct cdp_err *err)
{
    cdp_sets_init(node, flow->nodes);
    if (together->count == 0)
        return 0;
    for (size_t p = 0; p < together->count; p++)
        cdp_sets_join(node, together->pair[p].i, together->pair[p].j);
    for (uint32_t i = 0; i < flow->nodes; i++)
        node[i] = node[node[i]]; // a smaller one, whose root is known
    struct cdp_flow merged;
    int64_t nodes = cdp_modules_number(node, flow->nodes, err);
    if (nodes < 0 || cdp_modules_merge(flow, node, (uint32_t)nodes, &merged, err))
        return -1;
    cdp_flow_free(flow);
    *flow = merged;
    return 0;
}

// ---- rounds

// module[i] becomes that of the module which it was.
static void compose(uint32_t *module, uint32_t nodes, const uint32_t *merged)
{
    for (uint32_t i = 0; i < nodes; i++)
        module[i] = merged[module[i]];
}

// Merges modules with each other, level after level, until none moves. Returns their number, and
// the length of their code.
static int64_t merge_modules(const struct cdp_flow *flow, uint32_t *module, int64_t modules,
                             double *length, struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_flow level, next;
    if (cdp_modules_merge(flow, module, (uint32_t)modules, &level, err))
        return -1;
    uint32_t *merged = cdp_alloc((size_t)modules, sizeof *merged, "clusters", err);
    int64_t moves = merged ? 1 : -1;
    while (moves > 0) {
        for (uint32_t c = 0; c < level.nodes; c++)
            merged[c] = c;
        moves = cdp_modules_move(&level, merged, progress, err);
        if (moves <= 0)
            break;
        modules = cdp_modules_number(merged, level.nodes, err);
        if (modules < 0 || cdp_modules_merge(&level, merged, (uint32_t)modules, &next, err)) {
            moves = -1;
            break;
        }
        compose(module, flow->nodes, merged);
        cdp_flow_free(&level);
        level = next;
    }
    *length = cdp_modules_length(&level);
    cdp_flow_free(&level);
    free(merged);
    return moves < 0 ? -1 : modules;
}

// Moves nodes and modules in turns while the code gets shorter. Returns its length, NaN after a
// failure.
static double shorten(const struct cdp_flow *flow, uint32_t *module, struct cdp_progress *progress,
                      struct cdp_err *err)
{
    uint32_t *best = cdp_alloc(flow->nodes, sizeof *best, "clusters", err);
    double length = INFINITY;
    for (int round = 0; best && round < ROUNDS; round++) {
        int64_t modules = -1;
        double now = NAN;
        if (cdp_modules_move(flow, module, progress, err) >= 0)
            modules = cdp_modules_number(module, flow->nodes, err);
        if (modules < 0 || merge_modules(flow, module, modules, &now, progress, err) < 0) {
            length = NAN;
            break;
        }
        if (!(now < length)) {
            memcpy(module, best, flow->nodes * sizeof *module);
            break;
        }
        bool settled = now > length - 1e-9 * fabs(length);
        length = now;
        memcpy(best, module, flow->nodes * sizeof *best);
        if (settled)
            break;
    }
    free(best);
    return best ? length : NAN;
}

// The part of the codelength that the items alone decide: - sum of p(s_i / W).
static double items_length(const struct cdp_flow *flow)
{
    double sum = 0, scale = 1 / (double)flow->total;
    for (uint32_t i = 0; i < flow->nodes; i++) {
        double visits = (double)flow->strength[i] * scale;
        sum -= visits * cdp_log2(visits);
    }
    return sum;
}

// From the nodes of items, and the modules of nodes, to labels in order of first appearance. Nodes
// of one item without a pair have none. Returns how many there are.
static int64_t number_clusters(const struct cdp_flow *flow, const uint32_t *module, uint64_t items,
                               uint32_t *label, struct cdp_err *err)
{
    uint32_t *number = cdp_alloc(flow->nodes, sizeof *number, "clusters", err);
    if (!number)
        return -1;
    for (uint32_t c = 0; c < flow->nodes; c++)
        number[c] = CDP_NO_LABEL;
    uint32_t clusters = 0;
    for (uint64_t i = 0; i < items; i++) {
        uint32_t *of_module = &number[module[label[i]]];
        if (flow->strength[label[i]] == UNIT) {
            label[i] = CDP_NO_LABEL;
            continue;
        }
        if (*of_module == CDP_NO_LABEL)
            *of_module = clusters++;
        label[i] = *of_module;
    }
    free(number);
    return clusters;
}

int64_t cdp_map_cluster(struct cdp_map *map, uint64_t items, uint32_t *label, double *codelength,
                        int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    if (items > UINT32_MAX - 2)
        return cdp_fail(err, "%llu items: up to 2^32 - 2 are supported", (unsigned long long)items);
    *codelength = 0;
    if (items == 0)
        return 0;
    struct cdp_flow flow;
    uint32_t *module = NULL;
    int64_t clusters = -1;
    double length = 0;
    if (flow_of_pairs(&flow, &map->scored, (uint32_t)items, threads, progress, err) ||
        apart_of_pairs(&flow, &map->apart, err))
        goto out;
    length = items_length(&flow);
    if (contract(&flow, &map->together, label, err))
        goto out;
    module = cdp_alloc(flow.nodes, sizeof *module, "clusters", err);
    if (!module)
        goto out;
    for (uint32_t i = 0; i < flow.nodes; i++)
        module[i] = i;
    length += shorten(&flow, module, progress, err);
    if (!isnan(length))
        clusters = number_clusters(&flow, module, items, label, err);
out:
    *codelength = length;
    free(module);
    cdp_flow_free(&flow);
    return clusters;
}
