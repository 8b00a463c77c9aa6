// SPDX-License-Identifier: MIT
#include "propagate/modules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/threads.h"

// In bits; smaller gains may be rounding errors of the sum.
static const double LEAST_GAIN = 1e-12;

enum {
    MOST_TRIES = 100, // of a node on average: a bound for graphs on which moves go on and on
    PARALLEL = 4096,  // nodes of a graph from which on threads pay
    AHEAD = 12,       // edges ahead of which modules are prefetched
    SOON = 4,         // nodes ahead of which edges are
    TOLD = 1024,      // tries from one count of the progress to the next
};

static inline double plogp(double x)
{
    return x > 0 ? x * cdp_log2(x) : 0;
}

void cdp_flow_free(struct cdp_flow *flow)
{
    free(flow->offset);
    free(flow->edge);
    free(flow->strength);
    free(flow->apart_offset);
    free(flow->apart);
    *flow = (struct cdp_flow){0};
}

// ---- the code of a partition

// 32 bytes, so that none crosses a cache line.
struct module {
    uint64_t strength, exit; // sums over its nodes, and over the edges that leave it
    double length;           // its part of the codelength
    uint64_t toward;         // weight of the edges that a node has with it; 0 between tries
};

static double module_length(uint64_t exit, uint64_t strength, double scale)
{
    double e = (double)exit * scale;
    return plogp(e + (double)strength * scale) - 2 * plogp(e);
}

static double exits_length(uint64_t exits, double scale)
{
    return plogp((double)exits * scale);
}

static double scale_of(const struct cdp_flow *flow)
{
    return flow->total ? 1 / (double)flow->total : 1;
}

// The weight of a node's edges to other modules.
static uint64_t node_exit(const struct cdp_flow *flow, const uint32_t *module, uint32_t node)
{
    uint64_t exit = 0;
    for (uint64_t e = flow->offset[node]; e < flow->offset[node + 1]; e++)
        exit += module[flow->edge[e].partner] != module[node] ? flow->edge[e].weight : 0;
    return exit;
}

double cdp_modules_length(const struct cdp_flow *flow)
{
    uint64_t exits = 0;
    double length = 0, scale = scale_of(flow);
    for (uint32_t i = 0; i < flow->nodes; i++) {
        uint64_t exit = 0;
        for (uint64_t e = flow->offset[i]; e < flow->offset[i + 1]; e++)
            exit += flow->edge[e].weight;
        exits += exit;
        length += module_length(exit, flow->strength[i], scale);
    }
    return length + exits_length(exits, scale);
}

// ---- moves

// What a search for a node's best module needs.
struct mover {
    const struct cdp_flow *flow;
    uint32_t *of_node; // the module of each node
    struct module *module;
    uint64_t exits;  // of all modules
    double scale;    // 1 / W
    uint32_t *nodes; // of each module
    uint32_t *met;   // the modules of a node's partners
    bool *apart;     // modules with a node from which this one is apart; false between tries
    uint32_t *empty, empties; // modules without nodes, as a stack
    uint32_t *queue;          // of nodes to be tried, a ring of all nodes
    bool *waiting;            // in the queue
    uint32_t first, waits;
};

static void mover_free(struct mover *m)
{
    free(m->module);
    free(m->nodes);
    free(m->met);
    free(m->apart);
    free(m->empty);
    free(m->queue);
    free(m->waiting);
}

static void measure_modules(struct mover *m)
{
    const struct cdp_flow *flow = m->flow;
#pragma omp parallel for num_threads(flow->threads) schedule(static) if (flow->nodes > PARALLEL)
    for (uint32_t i = 0; i < flow->nodes; i++)
        m->module[i].toward = node_exit(flow, m->of_node, i);
    for (uint32_t i = 0; i < flow->nodes; i++) {
        struct module *of_node = &m->module[m->of_node[i]];
        m->nodes[m->of_node[i]]++;
        of_node->strength += flow->strength[i];
        of_node->exit += m->module[i].toward;
    }
    for (uint32_t c = 0; c < flow->nodes; c++) {
        struct module *module = &m->module[c];
        module->toward = 0;
        module->length = module_length(module->exit, module->strength, m->scale);
        m->exits += module->exit;
    }
}

static int mover_new(struct mover *m, const struct cdp_flow *flow, uint32_t *module,
                     struct cdp_err *err)
{
    size_t nodes = flow->nodes;
    *m = (struct mover){.flow = flow, .of_node = module, .scale = scale_of(flow)};
    m->module = cdp_alloc_aligned(nodes, sizeof *m->module, "clusters", err);
    m->nodes = cdp_zalloc(nodes, sizeof *m->nodes, "clusters", err);
    m->met = cdp_alloc(nodes + 1, sizeof *m->met, "clusters", err);
    m->apart = cdp_zalloc(flow->apart ? nodes : 0, sizeof *m->apart, "clusters", err);
    m->empty = cdp_alloc(nodes, sizeof *m->empty, "clusters", err);
    m->queue = cdp_alloc(nodes, sizeof *m->queue, "clusters", err);
    m->waiting = cdp_alloc(nodes, sizeof *m->waiting, "clusters", err);
    if (!m->module || !m->nodes || !m->met || !m->apart || !m->empty || !m->queue || !m->waiting) {
        mover_free(m);
        return -1;
    }
    memset(m->module, 0, nodes * sizeof *m->module);
    measure_modules(m);
    for (uint32_t i = 0; i < nodes; i++) {
        m->queue[i] = i;
        m->waiting[i] = true;
    }
    m->waits = flow->nodes;
    for (uint32_t c = flow->nodes; c-- > 0;) {
        if (!m->nodes[c])
            m->empty[m->empties++] = c;
    }
    return 0;
}

static void mark_apart(struct mover *m, uint32_t node, bool apart)
{
    const struct cdp_flow *flow = m->flow;
    for (uint64_t p = flow->apart_offset[node]; p < flow->apart_offset[node + 1]; p++)
        m->apart[m->of_node[flow->apart[p]]] = apart;
}

// A module as it would be without a node, or with it: `outside` is the weight of the node's edges,
// `inside` that of those with the module.
static uint64_t exit_without(const struct module *m, uint64_t outside, uint64_t inside)
{
    return m->exit + 2 * inside - outside;
}

static uint64_t exit_with(const struct module *m, uint64_t outside, uint64_t inside)
{
    return m->exit + outside - 2 * inside;
}

// The best module for a node that has the edges counted in `toward`, their weight being `outside`.
// `met` modules are candidates.
static uint32_t best_module(const struct mover *m, uint32_t node, uint64_t outside, uint32_t met)
{
    uint32_t from = m->of_node[node], best = from;
    const struct module *old = &m->module[from];
    uint64_t left_exit = exit_without(old, outside, old->toward);
    uint64_t strength = m->flow->strength[node];
    double left = module_length(left_exit, old->strength - strength, m->scale) - old->length -
                  exits_length(m->exits, m->scale);
    double most = LEAST_GAIN;
    for (uint32_t k = 0; k < met; k++) {
        uint32_t to = m->met[k];
        const struct module *new = &m->module[to];
        if (to == from || (m->flow->apart && m->apart[to]))
            continue;
        uint64_t exit = exit_with(new, outside, new->toward);
        uint64_t exits = m->exits - old->exit - new->exit + left_exit + exit;
        double gain = -(left + exits_length(exits, m->scale) +
                        module_length(exit, new->strength + strength, m->scale) - new->length);
        if (gain > most) {
            most = gain;
            best = to;
        }
    }
    return best;
}

static void move_node(struct mover *m, uint32_t node, uint64_t outside, uint32_t to)
{
    uint32_t from = m->of_node[node];
    struct module *old = &m->module[from], *new = &m->module[to];
    uint64_t left_exit = exit_without(old, outside, old->toward);
    uint64_t exit = exit_with(new, outside, new->toward);
    m->exits += left_exit + exit - old->exit - new->exit;
    old->exit = left_exit;
    old->strength -= m->flow->strength[node];
    old->length = module_length(old->exit, old->strength, m->scale);
    new->exit = exit;
    new->strength += m->flow->strength[node];
    new->length = module_length(new->exit, new->strength, m->scale);
    if (!m->nodes[to]++)
        m->empties--;
    if (!--m->nodes[from])
        m->empty[m->empties++] = from;
    m->of_node[node] = to;
}

// Moves a node where that shortens the code.
static bool try_node(struct mover *m, uint32_t node)
{
    const struct cdp_flow *flow = m->flow;
    uint64_t outside = 0, end = flow->offset[node + 1];
    uint32_t partners = 0, from = m->of_node[node];
    for (uint64_t e = flow->offset[node]; e < end; e++) {
        if (e + AHEAD < end)
            __builtin_prefetch(&m->module[m->of_node[flow->edge[e + AHEAD].partner]]);
        uint32_t to = m->of_node[flow->edge[e].partner];
        m->met[partners] = to;
        partners += m->module[to].toward == 0;
        m->module[to].toward += flow->edge[e].weight;
        outside += flow->edge[e].weight;
    }
    uint32_t met = partners;
    if (m->nodes[from] > 1)
        m->met[met++] = m->empty[m->empties - 1];
    if (flow->apart)
        mark_apart(m, node, true);
    uint32_t best = best_module(m, node, outside, met);
    if (flow->apart)
        mark_apart(m, node, false);
    if (best != from)
        move_node(m, node, outside, best);
    for (uint32_t k = 0; k < partners; k++)
        m->module[m->met[k]].toward = 0;
    return best != from;
}

static uint32_t place(const struct mover *m, uint32_t later)
{
    uint64_t at = (uint64_t)m->first + later;
    return m->queue[at < m->flow->nodes ? at : at - m->flow->nodes];
}

// Asks the cache for the edges of a node that will be tried soon.
static void fetch_edges(const struct mover *m)
{
    const uint64_t *offset = m->flow->offset;
    if (m->waits > 2 * SOON) {
        __builtin_prefetch(&offset[place(m, 2 * SOON)]);
        uint32_t node = place(m, SOON);
        cdp_fetch(&m->flow->edge[offset[node]],
                  (offset[node + 1] - offset[node]) * sizeof *m->flow->edge);
    }
}

int64_t cdp_modules_move(const struct cdp_flow *flow, uint32_t *module,
                         struct cdp_progress *progress, struct cdp_err *err)
{
    struct mover m;
    if (mover_new(&m, flow, module, err))
        return -1;
    int64_t moves = 0;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, flow->nodes);
    for (uint64_t tries = (uint64_t)MOST_TRIES * flow->nodes; m.waits && tries; tries--) {
        uint32_t node = m.queue[m.first];
        if (tries % TOLD == 0) {
            cdp_progress_add(progress, TOLD);
            if (cdp_progress_stopped(progress))
                break;
        }
        fetch_edges(&m);
        m.first = m.first + 1 < flow->nodes ? m.first + 1 : 0;
        m.waits--;
        m.waiting[node] = false;
        if (!try_node(&m, node))
            continue;
        moves++;
        for (uint64_t e = flow->offset[node]; e < flow->offset[node + 1]; e++) {
            uint32_t partner = flow->edge[e].partner;
            if (module[partner] == module[node] || m.waiting[partner])
                continue;
            uint64_t last = (uint64_t)m.first + m.waits++;
            m.queue[last < flow->nodes ? last : last - flow->nodes] = partner;
            m.waiting[partner] = true;
        }
    }
    mover_free(&m);
    return cdp_progress_check(progress, err) ? -1 : moves;
}

// ---- levels

int64_t cdp_modules_number(uint32_t *module, uint32_t nodes, struct cdp_err *err)
{
    uint32_t *number = cdp_alloc(nodes, sizeof *number, "clusters", err);
    if (!number)
        return -1;
    for (uint32_t c = 0; c < nodes; c++)
        number[c] = UINT32_MAX;
    uint32_t modules = 0;
    for (uint32_t i = 0; i < nodes; i++) {
        if (number[module[i]] == UINT32_MAX)
            number[module[i]] = modules++;
        module[i] = number[module[i]];
    }
    free(number);
    return modules;
}

// Nodes by module: those of module c are at offset[c] .. offset[c + 1] - 1 of `node`.
struct members {
    uint64_t *offset; // modules + 2
    uint32_t *node;
};

static void members_free(struct members *members)
{
    free(members->offset);
    free(members->node);
}

static int members_new(struct members *members, const uint32_t *module, uint32_t nodes,
                       uint32_t modules, struct cdp_err *err)
{
    members->offset = cdp_zalloc((size_t)modules + 2, sizeof *members->offset, "clusters", err);
    members->node = cdp_alloc(nodes, sizeof *members->node, "clusters", err);
    if (!members->offset || !members->node) {
        members_free(members);
        return -1;
    }
    for (uint32_t i = 0; i < nodes; i++)
        members->offset[module[i] + 2]++;
    cdp_group_begins(members->offset, modules);
    for (uint32_t i = 0; i < nodes; i++)
        members->node[members->offset[module[i] + 1]++] = i;
    return 0;
}

// The pairs of modules of which nodes are apart; repeated where nodes are.
static int merge_apart(const struct cdp_flow *flow, const uint32_t *module,
                       const struct members *members, struct cdp_flow *merged, struct cdp_err *err)
{
    if (!flow->apart)
        return 0;
    merged->apart_offset =
        cdp_alloc((size_t)merged->nodes + 1, sizeof *merged->apart_offset, "pairs apart", err);
    merged->apart =
        cdp_alloc(flow->apart_offset[flow->nodes], sizeof *merged->apart, "pairs apart", err);
    if (!merged->apart_offset || !merged->apart)
        return -1;
    uint64_t count = 0;
    for (uint32_t c = 0; c < merged->nodes; c++) {
        merged->apart_offset[c] = count;
        for (uint64_t k = members->offset[c]; k < members->offset[c + 1]; k++) {
            uint32_t node = members->node[k];
            for (uint64_t p = flow->apart_offset[node]; p < flow->apart_offset[node + 1]; p++)
                merged->apart[count++] = module[flow->apart[p]];
        }
    }
    merged->apart_offset[merged->nodes] = count;
    return 0;
}

// The edges of one module of the merged graph: of each other module one, or more where its weight
// has no room in one. `toward` is 0 for all modules, before and after. There are at most as many as
// edges that leave the module. Returns how many.
static uint64_t merge_edges(const struct cdp_flow *flow, const uint32_t *module,
                            const struct members *members, uint32_t c, uint64_t *toward,
                            struct cdp_flow_edge *out)
{
    uint64_t count = 0;
    for (uint64_t k = members->offset[c]; k < members->offset[c + 1]; k++) {
        uint32_t i = members->node[k];
        for (uint64_t e = flow->offset[i]; e < flow->offset[i + 1]; e++) {
            uint32_t to = module[flow->edge[e].partner];
            if (to == c)
                continue;
            if (!toward[to])
                out[count++].partner = to;
            toward[to] += flow->edge[e].weight;
        }
    }
    for (uint64_t e = 0, met = count; e < met; e++) {
        uint32_t to = out[e].partner;
        for (; toward[to] > UINT32_MAX; toward[to] -= UINT32_MAX)
            out[count++] = (struct cdp_flow_edge){to, UINT32_MAX};
        out[e].weight = (uint32_t)toward[to];
        toward[to] = 0;
    }
    return count;
}

// The edges that leave each module, counted at offset + 1; adds up strengths.
static void count_edges(const struct cdp_flow *flow, const uint32_t *module,
                        const struct members *members, struct cdp_flow *merged)
{
#pragma omp parallel for num_threads(flow->threads) \
    schedule(dynamic, 256) if (flow->nodes > PARALLEL)
    for (uint32_t c = 0; c < merged->nodes; c++) {
        uint64_t strength = 0, count = 0;
        for (uint64_t k = members->offset[c]; k < members->offset[c + 1]; k++) {
            uint32_t i = members->node[k];
            strength += flow->strength[i];
            for (uint64_t e = flow->offset[i]; e < flow->offset[i + 1]; e++)
                count += module[flow->edge[e].partner] != c;
        }
        merged->strength[c] = strength;
        merged->offset[c + 1] = count;
    }
}

int cdp_modules_merge(const struct cdp_flow *flow, const uint32_t *module, uint32_t modules,
                      struct cdp_flow *merged, struct cdp_err *err)
{
    struct members members;
    *merged = (struct cdp_flow){.nodes = modules, .total = flow->total, .threads = flow->threads};
    if (members_new(&members, module, flow->nodes, modules, err))
        return -1;
    int threads = flow->nodes > PARALLEL ? flow->threads : 1, status = -1;
    uint64_t *toward = cdp_zalloc((size_t)threads * modules, sizeof *toward, "clusters", err);
    uint64_t *count = cdp_alloc(modules, sizeof *count, "clusters", err);
    merged->offset = cdp_zalloc((size_t)modules + 1, sizeof *merged->offset, "clusters", err);
    merged->strength = cdp_alloc(modules, sizeof *merged->strength, "clusters", err);
    if (!toward || !count || !merged->offset || !merged->strength ||
        merge_apart(flow, module, &members, merged, err))
        goto out;
    count_edges(flow, module, &members, merged);
    for (uint32_t c = 0; c < modules; c++)
        merged->offset[c + 1] += merged->offset[c];
    merged->edge = cdp_alloc(merged->offset[modules], sizeof *merged->edge, "pairs", err);
    if (!merged->edge)
        goto out;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
    for (uint32_t c = 0; c < modules; c++)
        count[c] = merge_edges(flow, module, &members, c, toward + (size_t)cdp_thread() * modules,
                               merged->edge + merged->offset[c]);
    uint64_t all = 0;
    for (uint32_t c = 0; c < modules; c++) {
        memmove(merged->edge + all, merged->edge + merged->offset[c],
                count[c] * sizeof *merged->edge);
        merged->offset[c] = all;
        all += count[c];
    }
    merged->offset[modules] = all;
    status = 0;
out:
    if (status)
        cdp_flow_free(merged);
    free(toward);
    free(count);
    members_free(&members);
    return status;
}
