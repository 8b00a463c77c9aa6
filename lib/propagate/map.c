// SPDX-License-Identifier: MIT
#include "propagate/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "propagate/modules.h"

enum {
    UNIT = 1 << 20, // of weights: an item's own
    ROUNDS = 10,    // in which single items are moved again, at most
};

struct pair {
    uint32_t i, j;
    float score;
};

struct pairs {
    struct pair *pair;
    size_t count, room;
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

static int add(struct pairs *pairs, const uint64_t *i, const uint64_t *j, const float *score,
               size_t count, struct cdp_err *err)
{
    if (cdp_grow(&pairs->pair, &pairs->room, pairs->count + count, sizeof *pairs->pair, "pairs",
                 err))
        return -1;
    for (size_t p = 0; p < count; p++) {
        if (i[p] > UINT32_MAX - 2 || j[p] > UINT32_MAX - 2)
            return cdp_fail(err, "id %llu: ids from 2^32 - 2 on are not supported",
                            (unsigned long long)(i[p] > j[p] ? i[p] : j[p]));
        pairs->pair[pairs->count++] =
            (struct pair){(uint32_t)i[p], (uint32_t)j[p], score ? score[p] : 0};
    }
    return 0;
}

int cdp_map_add(struct cdp_map *map, const uint64_t *i, const uint64_t *j, const float *score,
                size_t pairs, struct cdp_err *err)
{
    return add(&map->scored, i, j, score, pairs, err);
}

int cdp_map_link(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err)
{
    return add(&map->together, &i, &j, NULL, 1, err);
}

int cdp_map_part(struct cdp_map *map, uint64_t i, uint64_t j, struct cdp_err *err)
{
    return add(&map->apart, &i, &j, NULL, 1, err);
}

// ---- from pairs to a graph

// -log10(1 - score) in units.
static uint64_t pair_weight(float score)
{
    if (score <= 0)
        return 0;
    double weight = score < 1 ? cdp_log2(1 - (double)score) * -0.30102999566398120 : CDP_MAP_MOST;
    return (uint64_t)((weight < CDP_MAP_MOST ? weight : CDP_MAP_MOST) * UNIT + 0.5);
}

// Partners of each node, unordered and with repetitions. `offset` has nodes + 2 elements.
struct rows {
    uint64_t *offset;
    uint32_t *partner;
    float *score;
};

static void rows_free(struct rows *rows)
{
    free(rows->offset);
    free(rows->partner);
    free(rows->score);
}

static int rows_new(struct rows *rows, uint32_t nodes, size_t count, struct cdp_err *err)
{
    rows->offset = cdp_zalloc((size_t)nodes + 2, sizeof *rows->offset, "pairs", err);
    rows->partner = cdp_alloc(count, sizeof *rows->partner, "pairs", err);
    rows->score = cdp_alloc(count, sizeof *rows->score, "pairs", err);
    if (rows->offset && rows->partner && rows->score)
        return 0;
    rows_free(rows);
    return -1;
}

// Makes offsets of the numbers of partners, which are at offset + 2; filling at offset + 1 then
// leaves each row's beginning at offset.
static void rows_begin(struct rows *rows, uint32_t nodes)
{
    for (uint32_t i = 0; i < nodes; i++)
        rows->offset[i + 2] += rows->offset[i + 1];
}

static void rows_put(struct rows *rows, uint32_t row, uint32_t partner, float score)
{
    uint64_t at = rows->offset[row + 1]++;
    rows->partner[at] = partner;
    rows->score[at] = score;
}

// Takes the pairs' memory.
static int rows_of_pairs(struct rows *rows, struct pairs *pairs, uint32_t nodes,
                         struct cdp_err *err)
{
    if (rows_new(rows, nodes, 2 * pairs->count, err))
        return -1;
    for (size_t p = 0; p < pairs->count; p++) {
        rows->offset[pairs->pair[p].i + 2]++;
        rows->offset[pairs->pair[p].j + 2]++;
    }
    rows_begin(rows, nodes);
    for (size_t p = 0; p < pairs->count; p++) {
        const struct pair *e = &pairs->pair[p];
        rows_put(rows, e->i, e->j, e->score);
        rows_put(rows, e->j, e->i, e->score);
    }
    free(pairs->pair);
    *pairs = (struct pairs){0};
    return 0;
}

// Sorts the partners of each row by number: rows of a symmetric graph are its columns, so going
// through them in order and appending each node to the rows of its partners sorts them all.
static int rows_sort(struct rows *rows, uint32_t nodes, struct cdp_err *err)
{
    struct rows sorted;
    if (rows_new(&sorted, nodes, rows->offset[nodes], err))
        return -1;
    for (uint32_t i = 0; i < nodes; i++)
        sorted.offset[i + 2] = rows->offset[i + 1] - rows->offset[i];
    rows_begin(&sorted, nodes);
    for (uint32_t i = 0; i < nodes; i++) {
        for (uint64_t p = rows->offset[i]; p < rows->offset[i + 1]; p++)
            rows_put(&sorted, rows->partner[p], i, rows->score[p]);
    }
    rows_free(rows);
    *rows = sorted;
    return 0;
}

// Takes the rows' memory. Of a repeated pair the highest score counts.
static int flow_of_rows(struct cdp_flow *flow, struct rows *rows, struct cdp_err *err)
{
    flow->offset = rows->offset;
    flow->partner = rows->partner;
    rows->offset = NULL;
    rows->partner = NULL;
    flow->weight = cdp_alloc(flow->offset[flow->nodes], sizeof *flow->weight, "pairs", err);
    flow->strength = cdp_alloc(flow->nodes, sizeof *flow->strength, "items", err);
    if (!flow->weight || !flow->strength)
        return -1;
    uint64_t count = 0, p = 0;
    for (uint32_t i = 0; i < flow->nodes; i++) {
        uint64_t begin = count, end = flow->offset[i + 1];
        flow->strength[i] = UNIT;
        for (flow->offset[i] = begin; p < end; p++) {
            uint64_t weight = pair_weight(rows->score[p]);
            bool repeated = count > begin && flow->partner[count - 1] == flow->partner[p];
            if (repeated && weight > flow->weight[count - 1]) {
                flow->strength[i] += weight - flow->weight[count - 1];
                flow->weight[count - 1] = weight;
            } else if (!repeated && weight > 0) {
                flow->strength[i] += weight;
                flow->partner[count] = flow->partner[p];
                flow->weight[count++] = weight;
            }
        }
        flow->total += flow->strength[i];
    }
    flow->offset[flow->nodes] = count;
    return 0;
}

static int flow_of_pairs(struct cdp_flow *flow, struct cdp_map *map, uint32_t items,
                         struct cdp_err *err)
{
    struct rows rows, apart;
    *flow = (struct cdp_flow){.nodes = items};
    if (rows_of_pairs(&rows, &map->scored, items, err))
        return -1;
    int status = rows_sort(&rows, items, err) || flow_of_rows(flow, &rows, err) ? -1 : 0;
    rows_free(&rows);
    if (!status && map->apart.count > 0) {
        status = rows_of_pairs(&apart, &map->apart, items, err);
        if (!status) {
            flow->apart_offset = apart.offset;
            flow->apart = apart.partner;
            free(apart.score);
        }
    }
    if (status)
        cdp_flow_free(flow);
    return status;
}

// ---- must-links

static uint32_t find(uint32_t *parent, uint32_t i)
{
    for (; parent[i] != i; i = parent[i])
        parent[i] = parent[parent[i]];
    return i;
}

// Makes items that are linked one node; node[i] is that of item i.
static int contract(struct cdp_flow *flow, const struct pairs *together, uint32_t *node,
                    struct cdp_err *err)
{
    for (uint32_t i = 0; i < flow->nodes; i++)
        node[i] = i;
    if (together->count == 0)
        return 0;
    for (size_t p = 0; p < together->count; p++) {
        uint32_t i = find(node, together->pair[p].i), j = find(node, together->pair[p].j);
        node[i > j ? i : j] = i > j ? j : i;
    }
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

// Merges modules with each other, level after level, until none moves. Returns their number.
static int64_t merge_modules(const struct cdp_flow *flow, uint32_t *module, int64_t modules,
                             struct cdp_err *err)
{
    struct cdp_flow level, next;
    if (cdp_modules_merge(flow, module, (uint32_t)modules, &level, err))
        return -1;
    uint32_t *merged = cdp_alloc((size_t)modules, sizeof *merged, "clusters", err);
    int64_t moves = merged ? 1 : -1;
    while (moves > 0) {
        for (uint32_t c = 0; c < level.nodes; c++)
            merged[c] = c;
        moves = cdp_modules_move(&level, merged, err);
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
    cdp_flow_free(&level);
    free(merged);
    return moves < 0 ? -1 : modules;
}

// Moves nodes and modules in turns while the code gets shorter. Returns its length, NaN after a
// failure.
static double shorten(const struct cdp_flow *flow, uint32_t *module, struct cdp_err *err)
{
    uint32_t *best = cdp_alloc(flow->nodes, sizeof *best, "clusters", err);
    double length = INFINITY;
    for (int round = 0; best && round < ROUNDS; round++) {
        int64_t modules = -1;
        if (cdp_modules_move(flow, module, err) >= 0)
            modules = cdp_modules_number(module, flow->nodes, err);
        if (modules >= 0)
            modules = merge_modules(flow, module, modules, err);
        double now = modules < 0 ? NAN : cdp_modules_length(flow, module, err);
        if (isnan(now)) {
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
                        struct cdp_err *err)
{
    if (items > UINT32_MAX - 2)
        return cdp_fail(err, "%llu items: up to 2^32 - 2 are supported", (unsigned long long)items);
    *codelength = 0;
    if (items == 0)
        return 0;
    struct cdp_flow flow;
    if (flow_of_pairs(&flow, map, (uint32_t)items, err))
        return -1;
    int64_t clusters = -1;
    double length = items_length(&flow);
    uint32_t *module = NULL;
    if (!contract(&flow, &map->together, label, err))
        module = cdp_alloc(flow.nodes, sizeof *module, "clusters", err);
    if (module) {
        for (uint32_t i = 0; i < flow.nodes; i++)
            module[i] = i;
        length += shorten(&flow, module, err);
        if (!isnan(length))
            clusters = number_clusters(&flow, module, items, label, err);
        *codelength = length;
    }
    free(module);
    cdp_flow_free(&flow);
    return clusters;
}
