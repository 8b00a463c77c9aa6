// SPDX-License-Identifier: MIT
#include "combine/measure.h"

#include <math.h>
#include <stdlib.h>

#include "propagate/sweep.h"

// The labelled pairs of a training, as propagation takes them.
struct scored {
    struct cdp_forest *forest;
    struct cdp_floors floors;
};

static int add_examples(struct scored *s, const struct cdp_mediator *m,
                        const struct cdp_examples *e, int threads, struct cdp_err *err)
{
    float *probability = cdp_mediator_score(m, e, threads, err);
    int status = probability ? 0 : -1;
    for (size_t n = 0; !status && n < e->count; n++) {
        uint64_t i = e->item[n][0], j = e->item[n][1];
        if (i != j && (cdp_forest_add(s->forest, &i, &j, &probability[n], 1, err) ||
                       cdp_floors_add_score(&s->floors, probability[n], err)))
            status = -1;
    }
    free(probability);
    return status;
}

static int measure(struct cdp_outcome outcome[CDP_POINTS], const struct scored *s,
                   const struct cdp_labels *labels, int threads, struct cdp_err *err)
{
    const struct cdp_propagate_plan plan = CDP_PROPAGATE_DEFAULTS;
    struct cdp_tree tree = {0};
    struct cdp_truth truth = {0};
    int status = cdp_tree_new(&tree, s->forest, NULL, err) ||
                         cdp_truth_new(&truth, &tree, labels, err) ||
                         cdp_sweep(&tree, &s->floors, &plan, &plan.max_size, 1, &truth, outcome,
                                   threads, NULL, err)
                     ? -1
                     : 0;
    cdp_truth_free(&truth);
    cdp_tree_free(&tree);
    return status;
}

int cdp_measure_clusters(struct cdp_mediator *m, const struct cdp_examples *examples,
                         const struct cdp_examples *check, const struct cdp_labels *labels,
                         int threads, struct cdp_err *err)
{
    struct scored s = {0};
    struct cdp_outcome outcome[CDP_POINTS];
    int status = cdp_forest_new(&s.forest, false, err) ||
                         cdp_forest_reserve(s.forest, labels->items, err) ||
                         cdp_floors_new(&s.floors, 0, 0, CDP_POINTS, err)
                     ? -1
                     : 0;
    for (int r = 0; !status && r < CDP_POINTS; r++)
        s.floors.threshold[r] = m->point[r].threshold;
    if (!status)
        status = add_examples(&s, m, examples, threads, err) ||
                         add_examples(&s, m, check, threads, err) ||
                         cdp_floors_settle(&s.floors, err) ||
                         measure(outcome, &s, labels, threads, err)
                     ? -1
                     : 0;
    for (int r = 0; !status && r < CDP_POINTS; r++)
        m->point[r].fscore = isfinite(outcome[r].fscore) ? (float)outcome[r].fscore : 0;
    cdp_floors_free(&s.floors);
    cdp_forest_free(s.forest);
    return status;
}
