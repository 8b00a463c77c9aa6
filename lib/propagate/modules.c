// SPDX-License-Identifier: MIT
#include "propagate/modules.h"

#include <math.h>
#include <stdlib.h>

#include "base/logs.h"
#include "base/mem.h"

// In bits; smaller gains may be rounding errors of the sum.
static const double LEAST_GAIN = 1e-12;

// Tries of a node on average, at most: a bound for graphs on which greedy moves go on and on.
enum { MOST_TRIES = 100 };

static inline double plogp(double x)
{
    return x > 0 ? x * cdp_log2(x) : 0;
}

void cdp_flow_free(struct cdp_flow *flow)
{
    free(flow->offset);
    free(flow->partner);
    free(flow->weight);
    free(flow->strength);
    free(flow->apart_offset);
    free(flow->apart);
    *flow = (struct cdp_flow){0};
}

// ---- the code of a partition

struct code {
    struct module {
        uint64_t strength, exit; // sums over its nodes, and over the pairs that leave it
        double length;           // its part of the codelength
        uint32_t nodes;
    } * module;
    uint64_t exits; // of all modules
    double scale;   // 1 / W
};

static double module_length(const struct code *code, uint64_t exit, uint64_t strength)
{
    double e = (double)exit * code->scale;
    return plogp(e + (double)strength * code->scale) - 2 * plogp(e);
}

static double exits_length(const struct code *code, uint64_t exits)
{
    return plogp((double)exits * code->scale);
}

static int code_new(struct code *code, const struct cdp_flow *flow, const uint32_t *module,
                    struct cdp_err *err)
{
    *code = (struct code){.scale = flow->total ? 1 / (double)flow->total : 1};
    code->module = cdp_zalloc(flow->nodes, sizeof *code->module, "clusters", err);
    if (!code->module)
        return -1;
    for (uint32_t i = 0; i < flow->nodes; i++) {
        struct module *m = &code->module[module[i]];
        m->nodes++;
        m->strength += flow->strength[i];
        for (uint64_t p = flow->offset[i]; p < flow->offset[i + 1]; p++) {
            if (module[flow->partner[p]] != module[i])
                m->exit += flow->weight[p];
        }
    }
    for (uint32_t c = 0; c < flow->nodes; c++) {
        struct module *m = &code->module[c];
        m->length = module_length(code, m->exit, m->strength);
        code->exits += m->exit;
    }
    return 0;
}

double cdp_modules_length(const struct cdp_flow *flow, const uint32_t *module, struct cdp_err *err)
{
    struct code code;
    if (code_new(&code, flow, module, err))
        return NAN;
    double length = exits_length(&code, code.exits);
    for (uint32_t c = 0; c < flow->nodes; c++)
        length += code.module[c].length;
    free(code.module);
    return length;
}

// ---- moves

// What a search for a node's best module needs.
struct mover {
    const struct cdp_flow *flow;
    uint32_t *module;
    struct code code;
    uint64_t *toward; // weight of a node's pairs with each module; 0 between searches
    uint32_t *met;    // the modules of its partners
    uint32_t *empty;  // modules without nodes, as a stack
    uint32_t empties; // their number
    uint32_t *queue;  // of nodes to be tried, a ring of `nodes`
    bool *waiting;    // in the queue
    uint32_t first, waits;
};

static void mover_free(struct mover *m)
{
    free(m->code.module);
    free(m->toward);
    free(m->met);
    free(m->empty);
    free(m->queue);
    free(m->waiting);
}

static int mover_new(struct mover *m, const struct cdp_flow *flow, uint32_t *module,
                     struct cdp_err *err)
{
    size_t nodes = flow->nodes;
    *m = (struct mover){.flow = flow, .module = module};
    if (code_new(&m->code, flow, module, err))
        return -1;
    m->toward = cdp_zalloc(nodes, sizeof *m->toward, "clusters", err);
    m->met = cdp_alloc(nodes + 1, sizeof *m->met, "clusters", err);
    m->empty = cdp_alloc(nodes, sizeof *m->empty, "clusters", err);
    m->queue = cdp_alloc(nodes, sizeof *m->queue, "clusters", err);
    m->waiting = cdp_alloc(nodes, sizeof *m->waiting, "clusters", err);
    if (!m->toward || !m->met || !m->empty || !m->queue || !m->waiting) {
        mover_free(m);
        return -1;
    }
    for (uint32_t i = 0; i < nodes; i++) {
        m->queue[i] = i;
        m->waiting[i] = true;
    }
    m->waits = flow->nodes;
    for (uint32_t c = flow->nodes; c-- > 0;) {
        if (!m->code.module[c].nodes)
            m->empty[m->empties++] = c;
    }
    return 0;
}

static bool is_apart(const struct mover *m, uint32_t node, uint32_t module)
{
    const struct cdp_flow *flow = m->flow;
    if (!flow->apart_offset)
        return false;
    for (uint64_t p = flow->apart_offset[node]; p < flow->apart_offset[node + 1]; p++) {
        if (m->module[flow->apart[p]] == module)
            return true;
    }
    return false;
}

// A module as it would be without a node, or with it: `outside` is the weight of the node's pairs
// with others, `inside` that of those with the module.
static uint64_t exit_without(const struct module *m, uint64_t outside, uint64_t inside)
{
    return m->exit + 2 * inside - outside;
}

static uint64_t exit_with(const struct module *m, uint64_t outside, uint64_t inside)
{
    return m->exit + outside - 2 * inside;
}

// Moves a node where that shortens the code.
static bool try_node(struct mover *m, uint32_t node)
{
    const struct cdp_flow *flow = m->flow;
    struct code *code = &m->code;
    uint64_t outside = 0;
    uint32_t met = 0, from = m->module[node];
    for (uint64_t p = flow->offset[node]; p < flow->offset[node + 1]; p++) {
        uint32_t to = m->module[flow->partner[p]];
        if (!m->toward[to])
            m->met[met++] = to;
        m->toward[to] += flow->weight[p];
        outside += flow->weight[p];
    }
    uint32_t partners = met;
    struct module *old = &code->module[from];
    if (old->nodes > 1)
        m->met[met++] = m->empty[m->empties - 1];
    uint64_t left_exit = exit_without(old, outside, m->toward[from]);
    uint64_t strength = flow->strength[node], left_strength = old->strength - strength;
    double left = module_length(code, left_exit, left_strength) - old->length -
                  exits_length(code, code->exits);
    uint32_t best = from;
    double most = LEAST_GAIN;
    for (uint32_t k = 0; k < met; k++) {
        uint32_t to = m->met[k];
        const struct module *new = &code->module[to];
        if (to == from || is_apart(m, node, to))
            continue;
        uint64_t exit = exit_with(new, outside, m->toward[to]);
        uint64_t exits = code->exits - old->exit - new->exit + left_exit + exit;
        double gain = -(left + exits_length(code, exits) +
                        module_length(code, exit, new->strength + strength) - new->length);
        if (gain > most) {
            most = gain;
            best = to;
        }
    }
    if (best != from) {
        struct module *new = &code->module[best];
        uint64_t exit = exit_with(new, outside, m->toward[best]);
        code->exits += left_exit + exit - old->exit - new->exit;
        old->exit = left_exit;
        old->strength = left_strength;
        new->exit = exit;
        new->strength += strength;
        old->length = module_length(code, old->exit, old->strength);
        new->length = module_length(code, new->exit, new->strength);
        if (!new->nodes++)
            m->empties--;
        if (!--old->nodes)
            m->empty[m->empties++] = from;
        m->module[node] = best;
    }
    for (uint32_t k = 0; k < partners; k++)
        m->toward[m->met[k]] = 0;
    return best != from;
}

int64_t cdp_modules_move(const struct cdp_flow *flow, uint32_t *module, struct cdp_err *err)
{
    struct mover m;
    if (mover_new(&m, flow, module, err))
        return -1;
    int64_t moves = 0;
    for (uint64_t tries = (uint64_t)MOST_TRIES * flow->nodes; m.waits && tries; tries--) {
        uint32_t node = m.queue[m.first];
        m.first = m.first + 1 < flow->nodes ? m.first + 1 : 0;
        m.waits--;
        m.waiting[node] = false;
        if (!try_node(&m, node))
            continue;
        moves++;
        for (uint64_t p = flow->offset[node]; p < flow->offset[node + 1]; p++) {
            uint32_t partner = flow->partner[p];
            if (module[partner] == module[node] || m.waiting[partner])
                continue;
            uint64_t last = (uint64_t)m.first + m.waits++;
            m.queue[last < flow->nodes ? last : last - flow->nodes] = partner;
            m.waiting[partner] = true;
        }
    }
    mover_free(&m);
    return moves;
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
static int members(const uint32_t *module, uint32_t nodes, uint32_t modules, uint32_t **offset,
                   uint32_t **node, struct cdp_err *err)
{
    *offset = cdp_zalloc((size_t)modules + 2, sizeof **offset, "clusters", err);
    *node = cdp_alloc(nodes, sizeof **node, "clusters", err);
    if (!*offset || !*node) {
        free(*offset);
        free(*node);
        return -1;
    }
    uint32_t *fill = *offset + 1; // becomes the offsets by filling
    for (uint32_t i = 0; i < nodes; i++)
        fill[module[i] + 1]++;
    for (uint32_t c = 0; c < modules; c++)
        fill[c + 1] += fill[c];
    for (uint32_t i = 0; i < nodes; i++)
        (*node)[fill[module[i]]++] = i;
    return 0;
}

// The pairs of modules of which nodes are apart; repeated where nodes are.
static int merge_apart(const struct cdp_flow *flow, const uint32_t *module, const uint32_t *offset,
                       const uint32_t *node, struct cdp_flow *merged, struct cdp_err *err)
{
    if (!flow->apart_offset)
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
        for (uint32_t k = offset[c]; k < offset[c + 1]; k++) {
            for (uint64_t p = flow->apart_offset[node[k]]; p < flow->apart_offset[node[k] + 1]; p++)
                merged->apart[count++] = module[flow->apart[p]];
        }
    }
    merged->apart_offset[merged->nodes] = count;
    return 0;
}

int cdp_modules_merge(const struct cdp_flow *flow, const uint32_t *module, uint32_t modules,
                      struct cdp_flow *merged, struct cdp_err *err)
{
    uint32_t *offset, *node;
    uint64_t between = 0;
    *merged = (struct cdp_flow){.nodes = modules, .total = flow->total};
    for (uint32_t i = 0; i < flow->nodes; i++) {
        for (uint64_t p = flow->offset[i]; p < flow->offset[i + 1]; p++)
            between += module[flow->partner[p]] != module[i];
    }
    if (members(module, flow->nodes, modules, &offset, &node, err))
        return -1;
    uint64_t *toward = cdp_zalloc(modules, sizeof *toward, "clusters", err);
    merged->offset = cdp_alloc((size_t)modules + 1, sizeof *merged->offset, "clusters", err);
    merged->partner = cdp_alloc(between, sizeof *merged->partner, "pairs", err);
    merged->weight = cdp_alloc(between, sizeof *merged->weight, "pairs", err);
    merged->strength = cdp_zalloc(modules, sizeof *merged->strength, "clusters", err);
    int status = -1;
    if (!toward || !merged->offset || !merged->partner || !merged->weight || !merged->strength ||
        merge_apart(flow, module, offset, node, merged, err))
        goto out;
    uint64_t count = 0;
    for (uint32_t c = 0; c < modules; c++) {
        uint64_t begin = merged->offset[c] = count;
        for (uint32_t k = offset[c]; k < offset[c + 1]; k++) {
            uint32_t i = node[k];
            merged->strength[c] += flow->strength[i];
            for (uint64_t p = flow->offset[i]; p < flow->offset[i + 1]; p++) {
                uint32_t to = module[flow->partner[p]];
                if (to == c)
                    continue;
                if (!toward[to])
                    merged->partner[count++] = to;
                toward[to] += flow->weight[p];
            }
        }
        for (uint64_t p = begin; p < count; p++) {
            merged->weight[p] = toward[merged->partner[p]];
            toward[merged->partner[p]] = 0;
        }
    }
    merged->offset[modules] = count;
    status = 0;
out:
    if (status)
        cdp_flow_free(merged);
    free(toward);
    free(offset);
    free(node);
    return status;
}
