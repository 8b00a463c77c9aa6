// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "explain/explain.h"
#include "propagate/explain.h"
#include "propagate/soft.h"
#include "tool.h"

const char *explain_score(float score, char text[32])
{
    if (isinf(score))
        return "must";
    snprintf(text, 32, "%.9g", (double)score);
    return text;
}

static long long number_of(const struct explained *e, uint32_t cluster)
{
    return e->number ? (long long)e->number[cluster] : (long long)cluster;
}

static struct cdp_graph make_graph(struct pairs *pairs, const struct explained *e)
{
    struct cdp_graph graph;
    struct cdp_err err;
    tool_check(cdp_graph_new(&graph, &pairs->list, e->threshold, e->clusters.items, &err), &err);
    return graph;
}

// ---- audit

static void write_row(const struct cdp_audit *a, long long number, const struct cdp_names *names,
                      struct cdp_output *output)
{
    char density[32] = "-", weakest[32];
    struct cdp_err err;
    if (a->items > 1)
        snprintf(density, sizeof density, "%.6f",
                 2 * (double)a->pairs / ((double)a->items * (double)(a->items - 1)));
    tool_check(cdp_output_printf(output, &err, "%lld\t%llu\t%llu\t%s\t%s\t%llu\t", number,
                                 (unsigned long long)a->items, (unsigned long long)a->pairs,
                                 density,
                                 isnan(a->weakest) ? "-" : explain_score(a->weakest, weakest),
                                 (unsigned long long)a->bridges),
               &err);
    tool_check(cdp_item_write(output, names, a->medoid, &err), &err);
    tool_check(cdp_output_write(output, "\n", 1, &err), &err);
}

void explain_audit(struct pairs *pairs, const struct cdp_tree *tree, const struct explained *e,
                   struct cdp_output *output)
{
    struct cdp_err err;
    struct cdp_graph graph = make_graph(pairs, e);
    struct cdp_audit *audit = cdp_alloc(e->clusters.clusters, sizeof *audit, "the audit", &err);
    tool_check(audit ? 0 : -1, &err);
    tool_check(cdp_audit(&graph, &e->clusters, audit, &err), &err);
    tool_check(cdp_audit_weakest(tree, e->threshold, &e->clusters, audit, &err), &err);
    tool_check(
        cdp_output_printf(output, &err, "label\tsize\tpairs\tdensity\tweakest\tbridges\tmedoid\n"),
        &err);
    for (uint32_t c = 0; c < e->clusters.clusters; c++)
        write_row(&audit[c], number_of(e, c), pairs->names, output);
    cdp_graph_free(&graph);
    free(audit);
}

// ---- soft labels

struct soft {
    const struct explained *explained;
    const struct cdp_names *names;
    struct cdp_output *output;
};

static int write_shares(void *context, uint64_t item, const struct cdp_share *share, size_t shares,
                        struct cdp_err *err)
{
    const struct soft *s = context;
    for (size_t i = 0; i < shares; i++) {
        if (cdp_item_write(s->output, s->names, item, err) ||
            cdp_output_printf(s->output, err, "\t%lld\t%.9g\n",
                              number_of(s->explained, share[i].label), share[i].weight))
            return -1;
    }
    return 0;
}

void explain_soft(struct pairs *pairs, const struct explained *e, struct cdp_output *output)
{
    struct cdp_err err;
    struct cdp_graph graph = make_graph(pairs, e);
    struct soft soft = {e, pairs->names, output};
    tool_check(cdp_soft(&graph, &e->clusters, pairs_options.plan.max_size, write_shares, &soft,
                        (int)common.threads, tool_progress(), &err),
               &err);
    cdp_graph_free(&graph);
}
