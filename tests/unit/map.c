// SPDX-License-Identifier: MIT
#include "propagate/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/logs.h"
#include "base/random.h"
#include "propagate/modules.h"
#include "tap.h"

// The map equation against the definition in propagate/map.h, computed here in floating point, and
// against an exhaustive search of the partitions of small graphs.

enum { MOST = 9 };

static double plogp(double x)
{
    return x > 0 ? x * log2(x) : 0;
}

struct graph {
    uint32_t nodes;
    float score[MOST][MOST]; // 0: no pair
};

static double codelength(const struct graph *g, const uint32_t *label)
{
    double strength[MOST], total = 0, exits = 0, length = 0;
    double exit[MOST] = {0}, visits[MOST] = {0};
    for (uint32_t i = 0; i < g->nodes; i++) {
        strength[i] = 1;
        for (uint32_t j = 0; j < g->nodes; j++)
            strength[i] += fmin(-log10(1 - (double)g->score[i][j]), CDP_MAP_MOST);
        total += strength[i];
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        visits[label[i]] += strength[i] / total;
        length -= plogp(strength[i] / total);
        for (uint32_t j = 0; j < g->nodes; j++) {
            if (label[i] != label[j])
                exit[label[i]] += fmin(-log10(1 - (double)g->score[i][j]), CDP_MAP_MOST) / total;
        }
    }
    for (uint32_t c = 0; c < g->nodes; c++) {
        exits += exit[c];
        length += plogp(exit[c] + visits[c]) - 2 * plogp(exit[c]);
    }
    return length + plogp(exits);
}

// The least codelength of the partitions that keep what is `apart`, by restricted growth strings.
static double shortest(const struct graph *g, const uint32_t (*apart)[2], size_t aparts)
{
    uint32_t label[MOST] = {0}, most[MOST] = {0};
    double least = INFINITY;
    for (;;) {
        bool allowed = true;
        for (size_t p = 0; p < aparts; p++)
            allowed &= label[apart[p][0]] != label[apart[p][1]];
        if (allowed)
            least = fmin(least, codelength(g, label));
        uint32_t i = g->nodes - 1;
        while (i > 0 && label[i] > most[i - 1])
            i--;
        if (i == 0)
            return least;
        label[i]++;
        most[i] = label[i] > most[i - 1] ? label[i] : most[i - 1];
        for (uint32_t j = i + 1; j < g->nodes; j++) {
            label[j] = 0;
            most[j] = most[i];
        }
    }
}

static void draw(struct graph *g, uint64_t seed)
{
    *g = (struct graph){.nodes = 3 + (uint32_t)(seed % (MOST - 2))};
    unsigned density = 20 + (unsigned)(cdp_random(seed, 0) % 60);
    for (uint32_t i = 0; i < g->nodes; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint64_t r = cdp_random(seed, 1 + i * MOST + j);
            bool same = i % 3 == j % 3;
            if (r % 100 < (same ? 90 : density))
                g->score[i][j] = g->score[j][i] =
                    (float)(r >> 40) * 0x1p-24F * (same ? 0.99F : 0.6F);
        }
    }
}

// Adds the pairs, in another order, direction and with lower repeats where `seed` says so.
static int add_pairs(struct cdp_map *map, const struct graph *g, uint64_t seed, struct cdp_err *err)
{
    for (uint32_t k = 0; k < g->nodes * g->nodes; k++) {
        uint32_t at =
            (uint32_t)((k * (seed % 2 ? 1 : g->nodes * g->nodes - 1)) % (g->nodes * g->nodes));
        uint64_t i = at / g->nodes, j = at % g->nodes;
        float score = g->score[i][j], lower = score / 2;
        if (score == 0 || (i < j) == (seed % 3 == 0))
            continue;
        if ((seed % 5 == 0 && cdp_map_add(map, &j, &i, &lower, 1, err)) ||
            cdp_map_add(map, &i, &j, &score, 1, err))
            return -1;
    }
    return 0;
}

static double cluster(const struct graph *g, uint64_t seed, const uint32_t (*apart)[2],
                      size_t aparts, uint32_t *label)
{
    struct cdp_map *map;
    struct cdp_err err;
    double length = NAN;
    if (cdp_map_new(&map, &err))
        return NAN;
    bool failed = add_pairs(map, g, seed, &err);
    for (size_t p = 0; p < aparts; p++)
        failed |= cdp_map_part(map, apart[p][0], apart[p][1], &err) != 0;
    if (failed ||
        cdp_map_cluster(map, g->nodes, label, &length, 1 + (int)(seed % 3), NULL, &err) < 0)
        length = NAN;
    uint32_t next = g->nodes;
    for (uint32_t i = 0; i < g->nodes; i++)
        label[i] = label[i] == CDP_NO_LABEL ? --next : label[i]; // clusters of their own
    cdp_map_free(map);
    return length;
}

static void test_small(void)
{
    enum { RUNS = 300 };
    static const uint32_t apart[][2] = {{0, 1}, {2, 0}};
    for (size_t aparts = 0; aparts <= 2; aparts += 2) {
        int wrong = 0, longer = 0, order = 0, together = 0;
        for (uint64_t seed = 0; seed < RUNS; seed++) {
            struct graph g;
            uint32_t label[MOST], other[MOST];
            draw(&g, seed);
            double length = cluster(&g, 0, apart, aparts, label);
            wrong += !(fabs(length - codelength(&g, label)) < 1e-5);
            longer += length > shortest(&g, apart, aparts) + 1e-5;
            for (uint64_t variant = 1; variant < 6; variant++) {
                cluster(&g, variant, apart, aparts, other);
                order += memcmp(label, other, g.nodes * sizeof *label) != 0;
            }
            for (size_t p = 0; p < aparts; p++)
                together += label[apart[p][0]] == label[apart[p][1]];
        }
        ok(wrong == 0, "the codelength is that of the labels, by its definition");
        ok(longer <= RUNS / 20, "of %d graphs, %d have a shorter code with %zu pairs apart", RUNS,
           longer, aparts);
        ok(order == 0, "neither order, direction nor lower repeats of pairs matter");
        ok(together == 0, "what is apart stays apart");
    }
}

// Two groups of equal pairs that one pair joins: one component, two clusters; links change that.
static void test_links(void)
{
    enum { EACH = 6, ITEMS = 2 * EACH + 1 };
    for (int links = 0; links < 2; links++) {
        struct cdp_map *map;
        struct cdp_err err;
        uint32_t label[ITEMS];
        double length;
        if (!ok(!cdp_map_new(&map, &err), "a map"))
            return;
        int failed = 0;
        for (uint64_t i = 0; i < 2 * EACH; i++) {
            for (uint64_t j = 0; j < i; j++) {
                float score = 0.9F;
                if (i / EACH == j / EACH || (i == EACH && j == EACH - 1))
                    failed |= cdp_map_add(map, &i, &j, &score, 1, &err);
            }
        }
        if (links) {
            failed |= cdp_map_link(map, 0, 2 * EACH - 1, &err);
            failed |= cdp_map_part(map, 0, 1, &err);
            failed |= cdp_map_part(map, 0, 2 * EACH - 1, &err); // together has precedence
        }
        ok(!failed && cdp_map_cluster(map, ITEMS, label, &length, 1, NULL, &err) > 0, "two groups");
        ok((label[0] == label[2 * EACH - 1]) == links, "%s by a must-link",
           links ? "joined" : "not joined");
        ok((label[0] == label[1]) == !links, "a cannot-link parts its items");
        ok(label[EACH + 1] == label[EACH + 2], "other items stay with their group");
        ok(label[2 * EACH] == CDP_NO_LABEL, "an item without a pair has no label");
        cdp_map_free(map);
    }
}

// A merged graph has the sums of weights between modules, however large, and no loops.
static void test_merge(void)
{
    enum { NODES = 90, MODULES = 4, WEIGHT = 10000000 };
    static struct cdp_flow_edge edge[NODES * NODES];
    static uint64_t offset[NODES + 1], strength[NODES];
    static uint32_t module[NODES];
    static uint64_t wanted[MODULES][MODULES], found[MODULES][MODULES];
    struct cdp_flow merged, flow = {NODES, 2, offset, edge, strength, 0, NULL, NULL};
    struct cdp_err err;
    uint64_t edges = 0, heaviest = 0, wrong = 0;
    for (uint32_t i = 0; i < NODES; i++)
        module[i] = i % 11 % MODULES;
    for (uint32_t i = 0; i < NODES; i++) {
        strength[i] = i;
        flow.total += i;
        for (uint32_t j = 0; j < NODES; j++) {
            if (i == j || (i + j) % 5 == 0)
                continue;
            edge[edges++] = (struct cdp_flow_edge){j, WEIGHT + i * j};
            wanted[module[i]][module[j]] += module[i] != module[j] ? WEIGHT + i * j : 0;
        }
        offset[i + 1] = edges;
    }
    if (!ok(!cdp_modules_merge(&flow, module, MODULES, &merged, &err), "a merged graph"))
        return;
    for (uint32_t c = 0; c < MODULES; c++) {
        uint64_t sum = 0;
        for (uint64_t e = merged.offset[c]; e < merged.offset[c + 1]; e++)
            found[c][merged.edge[e].partner] += merged.edge[e].weight;
        for (uint32_t i = 0; i < NODES; i++)
            sum += module[i] == c ? strength[i] : 0;
        wrong += sum != merged.strength[c];
        for (uint32_t d = 0; d < MODULES; d++) {
            wrong += found[c][d] != wanted[c][d];
            heaviest = wanted[c][d] > heaviest ? wanted[c][d] : heaviest;
        }
    }
    ok(wrong == 0 && merged.total == flow.total && heaviest > UINT32_MAX,
       "weights and strengths of modules are sums, the largest weight is %llu",
       (unsigned long long)heaviest);
    cdp_flow_free(&merged);
}

static void test_bounds(void)
{
    struct cdp_map *map;
    struct cdp_err err;
    uint64_t i = 0, j = UINT32_MAX - 1;
    float score = 0.5F;
    double length;
    uint32_t label[2];
    ok(!cdp_map_new(&map, &err) && cdp_map_add(map, &i, &j, &score, 1, &err) &&
           strstr(err.text, "4294967294"),
       "an id of 2^32 - 2 is refused by name");
    ok(!cdp_map_cluster(map, 0, NULL, &length, 1, NULL, &err) && length == 0, "no items");
    ok(!cdp_map_cluster(map, 2, label, &length, 1, NULL, &err) && label[0] == CDP_NO_LABEL &&
           label[1] == CDP_NO_LABEL,
       "items without pairs");
    cdp_map_free(map);
}

static void test_logs(void)
{
    int wrong = 0;
    for (uint64_t k = 0; k < 100000; k++) {
        double x = ldexp(1 + (double)(cdp_random(1, k) >> 12) * 0x1p-52, (int)(k % 200) - 180);
        wrong += fabs(cdp_log2(x) - log2(x)) > 1e-15 + 1e-15 * fabs(log2(x));
    }
    ok(wrong == 0 && cdp_log2(1) == 0 && cdp_log2(0.25) == -2,
       "logarithms are as exact as promised: %d of 100000 are not", wrong);
    wrong = 0;
    for (double x = -60; x < 60; x += 0.00317)
        wrong += fabs(cdp_exp2(x) / exp2(x) - 1) > 4.5e-16; // two units in the last place
    ok(wrong == 0 && cdp_exp2(0) == 1 && cdp_exp2(-3) == 0.125, "powers of 2");
}

int main(void)
{
    test_logs();
    test_small();
    test_links();
    test_merge();
    test_bounds();
    return done();
}
