// SPDX-License-Identifier: MIT
#include "score/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "score/score.h"

// ---- pairs of lists

// Edges grouped by one end, as cdp_group_begins() has them: the other ends, and scores unless NULL.
struct groups {
    uint64_t *begin; // groups + 2
    uint32_t *other;
    float *score;
};

static int groups_alloc(struct groups *g, uint64_t groups, bool scored, struct cdp_err *err)
{
    cdp_group_begins(g->begin, groups);
    uint64_t count = g->begin[groups + 1];
    g->other = cdp_alloc(count, sizeof *g->other, "pairs", err);
    g->score = scored ? cdp_alloc(count, sizeof *g->score, "pairs", err) : NULL;
    return g->other && (g->score || !scored) ? 0 : -1;
}

static void groups_free(struct groups *g)
{
    free(g->begin);
    free(g->other);
    free(g->score);
    *g = (struct groups){0};
}

static void put(struct groups *g, uint64_t group, uint32_t other, float score)
{
    uint64_t at = g->begin[group + 1]++;
    g->other[at] = other;
    if (g->score)
        g->score[at] = score;
}

// The edges that pairs are made of.
struct edges {
    const struct cdp_table *tables;
    unsigned count;
    const uint8_t *keep;
    const uint64_t *rows;
};

// Whether edge e of a table, i -> j, has its smaller id among the rows.
static bool is_wanted(const struct edges *edges, uint64_t i, uint64_t j, uint64_t e)
{
    uint64_t smaller = i < j ? i : j;
    return smaller - edges->rows[0] < edges->rows[1] - edges->rows[0] && i != j &&
           (!edges->keep || edges->keep[e]);
}

// Counts the edges from a smaller id at the larger one, and all edges at the smaller one.
static void count_edges(const struct edges *edges, uint64_t *at_larger, uint64_t *at_smaller)
{
    for (unsigned m = 0; m < edges->count; m++) {
        const struct cdp_table *t = &edges->tables[m];
        for (uint64_t i = 0; i < t->rows; i++) {
            for (uint64_t e = t->offset[i]; e < t->offset[i + 1]; e++) {
                uint64_t j = t->target[e];
                if (!is_wanted(edges, i, j, e))
                    continue;
                at_larger[j + 2] += i < j;
                at_smaller[(i < j ? i : j) - edges->rows[0] + 2]++;
            }
        }
    }
}

static void group_by_larger(const struct edges *edges, struct groups *from_smaller)
{
    for (unsigned m = 0; m < edges->count; m++) {
        const struct cdp_table *t = &edges->tables[m];
        for (uint64_t i = edges->rows[0]; i < edges->rows[1]; i++) {
            for (uint64_t e = t->offset[i]; e < t->offset[i + 1]; e++) {
                if (i < t->target[e] && is_wanted(edges, i, t->target[e], e))
                    put(from_smaller, t->target[e], (uint32_t)i, t->distance[e]);
            }
        }
    }
}

// Each row ascends, since the larger ids come in their order; first those of edges from the smaller
// id.
static void group_by_smaller(const struct edges *edges, const struct groups *from_smaller,
                             struct groups *pairs)
{
    for (uint64_t j = edges->rows[0]; j < edges->tables->rows; j++) {
        for (uint64_t n = from_smaller->begin[j]; n < from_smaller->begin[j + 1]; n++)
            put(pairs, from_smaller->other[n] - edges->rows[0], (uint32_t)j,
                from_smaller->score ? from_smaller->score[n] : 0);
        for (unsigned m = 0; m < edges->count; m++) {
            const struct cdp_table *t = &edges->tables[m];
            for (uint64_t e = t->offset[j]; e < t->offset[j + 1]; e++) {
                if (t->target[e] < j && is_wanted(edges, j, t->target[e], e))
                    put(pairs, t->target[e] - edges->rows[0], (uint32_t)j, t->distance[e]);
            }
        }
    }
}

// Leaves the first of each pair.
static void drop_repeated(struct groups *pairs, uint64_t rows)
{
    uint64_t count = 0, begin = 0;
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t end = pairs->begin[r + 1], first = begin;
        pairs->begin[r] = count;
        for (; begin < end; begin++) {
            if (begin > first && pairs->other[begin] == pairs->other[begin - 1])
                continue;
            pairs->other[count] = pairs->other[begin];
            if (pairs->score)
                pairs->score[count] = pairs->score[begin];
            count++;
        }
    }
    pairs->begin[rows] = count;
}

int cdp_pair_lists_new(struct cdp_pair_lists *lists, const struct cdp_table *tables, unsigned count,
                       const uint8_t *keep, bool scored, const uint64_t rows[2],
                       struct cdp_err *err)
{
    struct edges edges = {tables, count, keep, rows};
    uint64_t some = rows[1] - rows[0];
    struct groups larger = {.begin =
                                cdp_zalloc(tables->rows + 2, sizeof *larger.begin, "pairs", err)};
    struct groups pairs = {.begin = cdp_zalloc(some + 2, sizeof *pairs.begin, "pairs", err)};
    int status = larger.begin && pairs.begin ? 0 : -1;
    if (!status) {
        count_edges(&edges, larger.begin, pairs.begin);
        status = groups_alloc(&larger, tables->rows, scored, err) ||
                         groups_alloc(&pairs, some, scored, err)
                     ? -1
                     : 0;
    }
    if (!status) {
        group_by_larger(&edges, &larger);
        group_by_smaller(&edges, &larger, &pairs);
        drop_repeated(&pairs, some);
    }
    groups_free(&larger);
    if (status)
        groups_free(&pairs);
    *lists = (struct cdp_pair_lists){{rows[0], rows[1]}, pairs.begin, pairs.other, pairs.score};
    return status;
}

void cdp_pair_lists_free(struct cdp_pair_lists *pairs)
{
    free(pairs->begin);
    free(pairs->other);
    free(pairs->score);
    *pairs = (struct cdp_pair_lists){0};
}

int cdp_pairs(const struct cdp_table *base, const uint8_t *keep, const uint64_t rows[2],
              cdp_pair_sink *sink, void *context, struct cdp_err *err)
{
    struct cdp_pair_lists pairs;
    if (cdp_pair_lists_new(&pairs, base, 1, keep, true, rows, err))
        return -1;
    int status = 0;
    for (uint64_t i = rows[0]; !status && i < rows[1]; i++) {
        for (uint64_t p = pairs.begin[i - rows[0]]; !status && p < pairs.begin[i - rows[0] + 1];
             p++)
            status = sink(context, i, pairs.other[p], &pairs.score[p], err);
    }
    cdp_pair_lists_free(&pairs);
    return status;
}

// ---- an order of the items

enum { ROUNDS = 2, NEIGHBOURS = 16 }; // of label propagation; that are asked of each list

// The most frequent label of an item's neighbours; its own where none is more frequent than
// another.
static uint32_t majority(const struct cdp_table *lists, uint64_t item, const uint32_t *label,
                         uint32_t *votes)
{
    uint64_t begin = lists->offset[item], end = lists->offset[item + 1];
    uint32_t best = label[item], most = 0;
    end = end - begin < NEIGHBOURS ? end : begin + NEIGHBOURS;
    for (uint64_t e = begin; e < end; e++) {
        uint32_t of_other = label[lists->target[e]], got = ++votes[of_other];
        if (got > most || (got == most && of_other < best)) {
            most = got;
            best = of_other;
        }
    }
    for (uint64_t e = begin; e < end; e++)
        votes[label[lists->target[e]]] = 0;
    return best;
}

int cdp_order_by_lists(uint32_t *order, const struct cdp_table *lists, struct cdp_err *err)
{
    uint64_t rows = lists->rows;
    uint32_t *label = cdp_alloc(rows, sizeof *label, "an order", err);
    uint32_t *votes = cdp_zalloc(rows, sizeof *votes, "an order", err);
    uint64_t *begin = cdp_zalloc(rows + 2, sizeof *begin, "an order", err);
    int status = label && votes && begin ? 0 : -1;
    if (!status) {
        for (uint64_t i = 0; i < rows; i++)
            label[i] = (uint32_t)i;
        for (int round = 0; round < ROUNDS; round++) {
            for (uint64_t i = 0; i < rows; i++)
                label[i] = majority(lists, i, label, votes);
        }
        for (uint64_t i = 0; i < rows; i++)
            begin[label[i] + 2]++;
        cdp_group_begins(begin, rows);
        for (uint64_t i = 0; i < rows; i++)
            order[begin[label[i] + 1]++] = (uint32_t)i;
    }
    free(label);
    free(votes);
    free(begin);
    return status;
}
