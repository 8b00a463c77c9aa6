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

static int add(struct cdp_examples *e, const struct cdp_block *block, size_t edge,
               const unsigned *input, uint8_t same, float weight, struct cdp_err *err)
{
    if (cdp_grow(&e->row, &e->row_room, (e->count + 1) * e->inputs, sizeof *e->row, "examples",
                 err) ||
        cdp_grow(&e->item, &e->item_room, e->count + 1, sizeof *e->item, "examples", err) ||
        cdp_grow(&e->same, &e->same_room, e->count + 1, sizeof *e->same, "examples", err) ||
        cdp_grow(&e->weight, &e->weight_room, e->count + 1, sizeof *e->weight, "examples", err))
        return -1;
    for (unsigned i = 0; i < e->inputs; i++)
        e->row[e->count * e->inputs + i] = block->value[input[i]][edge];
    e->item[e->count][0] = (uint32_t)block->source[edge];
    e->item[e->count][1] = (uint32_t)block->target[edge];
    e->same[e->count] = same;
    e->weight[e->count++] = weight;
    return 0;
}

int cdp_examples_add(struct cdp_examples *train, struct cdp_examples *check,
                     const struct cdp_block *block, const unsigned *input,
                     const struct cdp_labels *labels, const uint8_t *held, struct cdp_err *err)
{
    for (size_t e = 0; e < block->edges; e++) {
        uint64_t i = block->source[e], j = block->target[e];
        if (i >= labels->items || j >= labels->items)
            return cdp_fail(err, "pair %llu, %llu, but there are only %llu labels",
                            (unsigned long long)i, (unsigned long long)j,
                            (unsigned long long)labels->items);
        uint32_t a = labels->group[i], b = labels->group[j];
        if (a == CDP_NO_LABEL || b == CDP_NO_LABEL)
            continue;
        int out = held[a] + held[b];
        if (add(out ? check : train, block, e, input, a == b, out == 1 ? 0.5F : 1, err))
            return -1;
    }
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
