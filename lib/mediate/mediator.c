// SPDX-License-Identifier: MIT
#include "mediate/mediator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// ---- columns

static size_t stem(const char *column)
{
    size_t length = strlen(column);
    while (length && column[length - 1] >= '0' && column[length - 1] <= '9')
        length--;
    return length;
}

// The columns' names, "relationship1 affinity0 ...", truncated to fit a message.
static void describe(const struct cdp_header *header, char *text, size_t size)
{
    size_t used = 0;
    for (unsigned c = 0; c < header->columns && used < size; c++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", c ? " " : "", header->column[c]);
    if (used >= size)
        memcpy(text + size - 4, "...", 4);
}

int cdp_mediator_init(struct cdp_mediator *m, const struct cdp_header *features, const char *groups,
                      struct cdp_err *err)
{
    unsigned inputs = 0;
    memset(m, 0, sizeof *m);
    m->header = *features;
    m->header.provenance = NULL;
    m->header.named = false; // a model refers to columns, not to items
    m->temperature = 1;
    for (const char *group = groups; group;) {
        size_t length = strcspn(group, ",");
        unsigned before = inputs;
        for (unsigned c = 0; c < features->columns; c++) {
            if (stem(features->column[c]) != length || memcmp(features->column[c], group, length))
                continue;
            for (unsigned i = 0; i < inputs; i++) {
                if (m->input[i] == c)
                    return cdp_fail(err, "group '%.*s' is named twice", (int)length, group);
            }
            m->input[inputs++] = c;
        }
        // Without a committee there is no relationship.
        if (inputs == before &&
            (length != strlen("relationship") || strncmp(group, "relationship", length))) {
            char columns[400];
            describe(features, columns, sizeof columns);
            return cdp_fail(err, "no column of group '%.*s'; there are %s", (int)length, group,
                            columns);
        }
        group = group[length] ? group + length + 1 : NULL;
    }
    if (!inputs)
        return cdp_fail(err, "no columns of the groups '%s'", groups);
    return (int)inputs;
}

void cdp_mediator_free(struct cdp_mediator *m)
{
    cdp_header_free(&m->header);
    cdp_network_free(&m->network);
}

// ---- training

static int require_both(const struct cdp_examples *e, const char *what, struct cdp_err *err)
{
    for (int same = 0; same < 2; same++) {
        if (!(cdp_examples_weight(e, same) > 0))
            return cdp_fail(err, "no pair of %s among the %zu %s; pairs of both kinds are needed",
                            same ? "one identity" : "two identities", e->count, what);
    }
    return 0;
}

float *cdp_mediator_score(const struct cdp_mediator *m, const struct cdp_examples *e, int threads,
                          struct cdp_err *err)
{
    float *probability = cdp_alloc(e->count, sizeof *probability, "probabilities", err);
    if (!probability ||
        cdp_network_margins(&m->network, e->row, e->count, probability, threads, err)) {
        free(probability);
        return NULL;
    }
    for (size_t n = 0; n < e->count; n++)
        probability[n] = cdp_probability((double)probability[n]);
    return probability;
}

static int measure(struct cdp_mediator *m, const struct cdp_examples *check,
                   const struct cdp_labels *labels, const uint8_t *held, int threads,
                   struct cdp_err *err)
{
    float *probability = cdp_mediator_score(m, check, threads, err);
    int status = probability ? cdp_points(check, probability, labels, held, m->point, err) : -1;
    free(probability);
    m->held_out = !status;
    return status;
}

int cdp_mediator_train(struct cdp_mediator *m, struct cdp_examples *examples,
                       const struct cdp_examples *check, const struct cdp_labels *labels,
                       const uint8_t *held, const struct cdp_recipe *recipe,
                       struct cdp_trained *trained, struct cdp_err *err)
{
    struct cdp_network *n = &m->network;
    if (require_both(examples, "to learn from", err) ||
        (check && require_both(check, "held out", err)) ||
        cdp_network_new(n, examples->inputs, recipe->seed, err))
        return -1;
    cdp_examples_measure(examples, m->mean, m->deviation);
    for (unsigned i = 0; recipe->scale && i < n->inputs; i++) {
        n->shift[i] = m->mean[i];
        n->scale[i] = m->deviation[i] > 0 ? 1 / m->deviation[i] : 1;
    }
    if (recipe->balance) {
        double of[2] = {cdp_examples_weight(examples, 0), cdp_examples_weight(examples, 1)};
        for (size_t e = 0; e < examples->count; e++)
            examples->weight[e] = (float)((of[0] + of[1]) / 2 / of[examples->same[e]]);
    }
    if (cdp_train(n, examples, check, recipe, trained, err))
        return -1;
    if (recipe->calibrate && cdp_calibrate(n, check, recipe->threads, &m->temperature, err))
        return -1;
    return check ? measure(m, check, labels, held, recipe->threads, err) : 0;
}

// ---- applying

int cdp_mediator_fits(const struct cdp_mediator *m, const char *name,
                      const struct cdp_header *features, struct cdp_err *err)
{
    bool same = features->columns == m->header.columns;
    for (unsigned c = 0; same && c < features->columns; c++)
        same = !strcmp(features->column[c], m->header.column[c]);
    if (same)
        return 0;
    char has[400], wants[400];
    describe(features, has, sizeof has);
    describe(&m->header, wants, sizeof wants);
    return cdp_fail(err, "%s: its columns are %s, but the model was trained on %s", name, has,
                    wants);
}

int cdp_mediator_apply(const struct cdp_mediator *m, const struct cdp_block *block,
                       float *probability, int threads, struct cdp_err *err)
{
    unsigned inputs = m->network.inputs;
    float *row = cdp_alloc(block->edges, inputs * sizeof *row, "pair features", err);
    if (!row)
        return -1;
    for (unsigned i = 0; i < inputs; i++) {
        const float *value = block->value[m->input[i]];
        for (size_t e = 0; e < block->edges; e++)
            row[e * inputs + i] = value[e];
    }
    int status = cdp_network_margins(&m->network, row, block->edges, probability, threads, err);
    for (size_t e = 0; e < block->edges; e++)
        probability[e] = cdp_probability((double)probability[e]);
    free(row);
    return status;
}
