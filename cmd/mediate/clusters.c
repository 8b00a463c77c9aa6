// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "mediate/commands.h"
#include "propagate/sweep.h"

// The labelled pairs of a training, as propagation takes them.
struct scored {
    struct cdp_forest *forest;
    struct cdp_floors floors;
};

static void add_examples(struct scored *s, const struct cdp_mediator *m,
                         const struct cdp_examples *e)
{
    struct cdp_err err;
    float *probability = cdp_mediator_score(m, e, (int)common.threads, &err);
    tool_check(probability ? 0 : -1, &err);
    for (size_t n = 0; n < e->count; n++) {
        uint64_t i = e->item[n][0], j = e->item[n][1];
        if (i == j)
            continue;
        tool_check(cdp_forest_add(s->forest, &i, &j, &probability[n], 1, &err), &err);
        tool_check(cdp_floors_add_score(&s->floors, probability[n], &err), &err);
    }
    free(probability);
}

void measure_clusters(struct cdp_mediator *m, const struct cdp_examples *examples,
                      const struct cdp_examples *check, const struct cdp_labels *labels)
{
    const struct cdp_propagate_plan plan = CDP_PROPAGATE_DEFAULTS;
    struct scored s;
    struct cdp_tree tree;
    struct cdp_truth truth;
    struct cdp_outcome outcome[CDP_POINTS];
    struct cdp_err err;
    cdp_progress_start(tool_progress(), "clustering", "pairs", 0);
    tool_check(cdp_forest_new(&s.forest, false, &err), &err);
    tool_check(cdp_forest_reserve(s.forest, labels->items, &err), &err);
    tool_check(cdp_floors_new(&s.floors, 0, 0, CDP_POINTS, &err), &err);
    for (int r = 0; r < CDP_POINTS; r++)
        s.floors.threshold[r] = m->point[r].threshold;
    add_examples(&s, m, examples);
    add_examples(&s, m, check);
    tool_check(cdp_floors_settle(&s.floors, &err), &err);
    tool_check(cdp_tree_new(&tree, s.forest, NULL, &err), &err);
    tool_check(cdp_truth_new(&truth, &tree, labels, &err), &err);
    tool_check(cdp_sweep(&tree, &s.floors, &plan, &plan.max_size, 1, &truth, outcome,
                         (int)common.threads, &err),
               &err);
    for (int r = 0; r < CDP_POINTS; r++)
        m->point[r].fscore = isfinite(outcome[r].fscore) ? (float)outcome[r].fscore : 0;
    cdp_truth_free(&truth);
    cdp_tree_free(&tree);
    cdp_floors_free(&s.floors);
    cdp_forest_free(s.forest);
}
