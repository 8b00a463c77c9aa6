// SPDX-License-Identifier: MIT
#include "mediate/examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

void cdp_examples_free(struct cdp_examples *e)
{
    free(e->row);
    free(e->item);
    free(e->same);
    free(e->weight);
    memset(e, 0, sizeof *e);
}

// ---- holding out

struct identity {
    uint32_t group;
    uint64_t items;
};

static int larger(const void *a, const void *b)
{
    const struct identity *x = a, *y = b;
    if (x->items != y->items)
        return x->items > y->items ? -1 : 1;
    return x->group < y->group ? -1 : 1;
}

int cdp_hold_out(const struct cdp_labels *labels, double share, uint64_t seed, uint8_t *held,
                 struct cdp_err *err)
{
    struct identity *identity = cdp_zalloc(labels->groups, sizeof *identity, "identities", err);
    if (!identity)
        return -1;
    for (uint32_t g = 0; g < labels->groups; g++)
        identity[g].group = g;
    for (uint64_t i = 0; i < labels->items; i++) {
        if (labels->group[i] != CDP_NO_LABEL)
            identity[labels->group[i]].items++;
    }
    qsort(identity, labels->groups, sizeof *identity, larger);
    memset(held, 0, labels->groups);
    for (uint64_t stratum = 0; share > 0; stratum++) {
        double within = (double)(cdp_random(seed, stratum) >> 11) * 0x1p-53;
        double rank = floor(((double)stratum + within) / share);
        if (rank >= labels->groups)
            break;
        held[identity[(uint32_t)rank].group] = 1;
    }
    free(identity);
    return 0;
}

// ---- adding

static int reserve(struct cdp_examples *e, size_t more, struct cdp_err *err)
{
    size_t count = e->count + more;
    return cdp_grow(&e->row, &e->row_room, count * e->inputs, sizeof *e->row, "examples", err) ||
                   cdp_grow(&e->item, &e->item_room, count, sizeof *e->item, "examples", err) ||
                   cdp_grow(&e->same, &e->same_room, count, sizeof *e->same, "examples", err) ||
                   cdp_grow(&e->weight, &e->weight_room, count, sizeof *e->weight, "examples", err)
               ? -1
               : 0;
}

int cdp_examples_add(struct cdp_examples *e, const struct cdp_block *block, const unsigned *input,
                     struct cdp_err *err)
{
    if (reserve(e, block->edges, err))
        return -1;
    for (size_t edge = 0; edge < block->edges; edge++) {
        uint64_t i = block->source[edge], j = block->target[edge];
        if (i >= UINT32_MAX || j >= UINT32_MAX)
            return cdp_fail(err, "pair %llu, %llu: ids must be below 2^32 - 1",
                            (unsigned long long)i, (unsigned long long)j);
        for (unsigned n = 0; n < e->inputs; n++)
            e->row[e->count * e->inputs + n] = block->value[input[n]][edge];
        e->item[e->count][0] = (uint32_t)i;
        e->item[e->count++][1] = (uint32_t)j;
    }
    return 0;
}

// ---- labelling

// Copies example `from` of one set to index `to` of another, or of the same.
static void move(struct cdp_examples *into, size_t to, const struct cdp_examples *e, size_t from,
                 uint8_t same, float weight)
{
    memmove(into->row + to * e->inputs, e->row + from * e->inputs, e->inputs * sizeof *e->row);
    memmove(into->item[to], e->item[from], sizeof *e->item);
    into->same[to] = same;
    into->weight[to] = weight;
}

int cdp_examples_split(struct cdp_examples *e, struct cdp_examples *check,
                       const struct cdp_labels *labels, const uint8_t *held, struct cdp_err *err)
{
    size_t kept = 0;
    for (size_t n = 0; n < e->count; n++) {
        uint32_t i = e->item[n][0], j = e->item[n][1];
        if (i >= labels->items || j >= labels->items)
            return cdp_fail(err, "pair %u, %u, but there are only %llu labels", i, j,
                            (unsigned long long)labels->items);
        uint32_t a = labels->group[i], b = labels->group[j];
        if (a == CDP_NO_LABEL || b == CDP_NO_LABEL)
            continue;
        int out = held[a] + held[b];
        if (!out)
            move(e, kept++, e, n, a == b, 1);
        else if (reserve(check, 1, err))
            return -1;
        else
            move(check, check->count++, e, n, a == b, out == 1 ? 0.5F : 1);
    }
    e->count = kept;
    return 0;
}

// ---- measuring

void cdp_examples_measure(const struct cdp_examples *e, float *mean, float *deviation)
{
    for (unsigned i = 0; i < e->inputs; i++) {
        double sum = 0, squares = 0;
        for (size_t n = 0; n < e->count; n++)
            sum += (double)e->row[n * e->inputs + i];
        sum /= (double)e->count;
        for (size_t n = 0; n < e->count; n++) {
            double apart = (double)e->row[n * e->inputs + i] - sum;
            squares += apart * apart;
        }
        mean[i] = (float)sum;
        deviation[i] = (float)sqrt(squares / (double)e->count);
    }
}

double cdp_examples_weight(const struct cdp_examples *e, int same)
{
    double sum = 0;
    for (size_t n = 0; n < e->count; n++)
        sum += e->same[n] == same ? (double)e->weight[n] : 0;
    return sum;
}
