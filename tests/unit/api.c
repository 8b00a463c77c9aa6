// SPDX-License-Identifier: MIT
// libcdp under the sanitizers: every stage on good input, and what is refused. That results are
// those of the tools is for tests/python.sh and tests/library.sh.
#include "api/cdp.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "scratch.h"
#include "synth/synth.h"
#include "tap.h"

enum { ITEMS = 600, DIM = 24, K = 12 };

static float features[2][ITEMS * DIM];
static uint32_t truth[ITEMS], label[ITEMS];
static struct libcdp_matrix matrix[2];
static struct libcdp_edges *lists[2];
static struct libcdp_err err;

static bool fails(bool failed, const char *part)
{
    bool good = failed && strstr(err.text, part);
    ok(good, "refused: %s", part);
    if (!good)
        printf("# %s\n", failed ? err.text : "not refused");
    err.text[0] = 0;
    return good;
}

static void make_data(void)
{
    struct cdp_synth synth = cdp_synth_default;
    struct libcdp_knn_plan plan;
    synth.items = ITEMS;
    synth.identities = 30;
    synth.dim = DIM;
    cdp_synth_labels(&synth, truth);
    libcdp_knn_init(&plan, sizeof plan);
    plan.k = K;
    for (unsigned m = 0; m < 2; m++) {
        cdp_synth_rows(&synth, truth, m, 0, ITEMS, 0, features[m]);
        matrix[m] = (struct libcdp_matrix){features[m],         ITEMS,         DIM,
                                           DIM * sizeof(float), sizeof(float), LIBCDP_F32};
        lists[m] = libcdp_knn(&matrix[m], &plan, NULL, NULL, &err);
        if (!lists[m])
            scratch_fail(err.text);
    }
}

static const struct libcdp_edges *const *both(void)
{
    return (const struct libcdp_edges *const *)lists;
}

static void test_matrices(void)
{
    struct libcdp_knn_plan plan;
    struct libcdp_matrix wrong = matrix[0];
    struct libcdp_found found;
    libcdp_knn_init(&plan, sizeof plan);
    plan.method = LIBCDP_APPROX;
    struct libcdp_edges *approximate = libcdp_knn(&matrix[0], &plan, &found, NULL, &err);
    ok(approximate && found.recall > 0.9 && approximate->count == (uint64_t)ITEMS * 15,
       "approximate lists");
    libcdp_edges_free(approximate);
    wrong.number = 13;
    fails(!libcdp_knn(&wrong, &plan, NULL, NULL, &err), "type 13");
    wrong = matrix[0];
    wrong.dim = 0;
    fails(!libcdp_knn(&wrong, &plan, NULL, NULL, &err), "600 x 0");
    wrong = matrix[0];
    wrong.rows = 1;
    fails(!libcdp_knn(&wrong, &plan, NULL, NULL, &err), "k is 15, but there are 1 rows");
    plan.metric = 7;
    fails(!libcdp_knn(&matrix[0], &plan, NULL, NULL, &err), "metric 7");
    plan.size++;
    fails(!libcdp_knn(&matrix[0], &plan, NULL, NULL, &err), "but this library knows");
    plan.size = offsetof(struct libcdp_knn_plan, metric); // of an older header
    struct libcdp_edges *old = libcdp_knn(&matrix[0], &plan, NULL, NULL, &err);
    ok(old && old->metric == LIBCDP_COSINE, "members that an older plan does not have");
    libcdp_edges_free(old);
}

static void test_edges(void)
{
    const int64_t neighbour[] = {1, -1, 0, 1};
    const float distance[] = {0.2F, 0, 0.2F, 0};
    const uint64_t i[] = {5, 1, 1}, j[] = {1, 5, 2};
    const float score[] = {0.3F, 0.4F, 0.9F};
    struct libcdp_edges *made = libcdp_edges_from_lists(2, 2, neighbour, distance, 0, &err);
    ok(made && made->count == 2 && made->offset[1] == 1 && made->target[1] == 0, "lists");
    libcdp_edges_free(made);
    fails(!libcdp_edges_from_lists(1, 2, neighbour, distance, 0, &err), "is not below 1");
    fails(!libcdp_edges_from_lists(2, 2, neighbour, distance, 9, &err), "metric 9");
    made = libcdp_edges_from_pairs(0, i, j, score, 3, &err);
    ok(made && made->count == 2 && made->nodes == 6 && made->target[1] == 5 &&
           made->value[0][1] == 0.4F,
       "pairs");
    fails(libcdp_edges_name(made, "a\nb\n", 4, &err), "2 names, but there are 6");
    fails(libcdp_edges_name(made, "a", 1, &err), "no line feed");
    fails(libcdp_edges_name(made, "a\na\n", 4, &err), "equal");
    ok(!libcdp_edges_name(made, "a\nb\nc\nd\ne\nf\n", 12, &err), "names");
    fails(libcdp_edges_write(made, "pairs.cdp", 20, NULL, &err), "from 1 to 19");
    ok(!libcdp_edges_write(made, "pairs.cdp", 3, NULL, &err), "written");
    struct libcdp_edges *read = libcdp_edges_read("pairs.cdp", NULL, &err);
    ok(read && read->count == 2 && read->names_size == 12 && !strcmp(read->column[0], "score"),
       "and read");
    libcdp_edges_free(read);
    libcdp_edges_free(made);
    unlink("pairs.cdp");
    fails(!libcdp_edges_from_pairs(5, i, j, score, 3, &err), "there are 5 items");
    fails(!libcdp_edges_read("pairs.cdp", NULL, &err), "No such file");
    libcdp_edges_free(NULL);
}

static void test_scores(void)
{
    struct libcdp_consensus found = {.size = sizeof found};
    struct libcdp_edges *short_lists = libcdp_edges_from_lists(1, 0, NULL, NULL, 0, &err);
    const struct libcdp_edges *mixed[] = {lists[0], short_lists};
    struct libcdp_edges *pairs = libcdp_score_vote(both(), 2, 1, 0.3F, NAN, NULL, &err);
    ok(pairs && pairs->count > 0, "votes");
    fails(!libcdp_score_vote(both(), 2, 2, 0.3F, NAN, NULL, &err), "there are 1");
    fails(!libcdp_score_vote(both(), 2, 1, NAN, NAN, NULL, &err), "threshold");
    fails(!libcdp_score_vote(both(), 2, 1, 0.3F, -1, NULL, &err), "scale");
    fails(!libcdp_score_vote(mixed, 2, 1, 0.3F, NAN, NULL, &err), "lists of 1 items");
    libcdp_edges_free(short_lists);
    mixed[1] = pairs;
    fails(!libcdp_score_vote(mixed, 2, 1, 0.3F, NAN, NULL, &err), "expected neighbour lists");
    libcdp_edges_free(pairs);
    pairs = libcdp_score_truth(lists[0], truth, &err);
    ok(pairs && pairs->count > 0 && pairs->value[0][0] == 1, "the truth");
    libcdp_edges_free(pairs);
    pairs = libcdp_score_consensus(matrix, both(), 2, 0, &found, NULL, &err);
    ok(pairs && found.signal && fabs(found.weight[0] + found.weight[1] - 1) < 1e-6, "consensus");
    libcdp_edges_free(pairs);
    fails(!libcdp_score_consensus(matrix, both(), 0, 0, NULL, NULL, &err), "no lists");
    fails(!libcdp_score_consensus(matrix, both(), 65, 0, NULL, NULL, &err), "at most 64");
    fails(!libcdp_score_consensus(matrix, both(), 2, -1, NULL, NULL, &err), "from 0 to 100");
    found.size = 4;
    fails(!libcdp_score_consensus(matrix, both(), 2, 0, &found, NULL, &err),
          "libcdp_consensus of 4");
}

static void test_mediator(void)
{
    struct libcdp_training training;
    libcdp_training_init(&training, sizeof training);
    training.epochs = 2;
    struct libcdp_edges *edges = libcdp_score_features(matrix, both(), 2, 1, NULL, &err);
    ok(edges && edges->columns > 5 && !strcmp(edges->column[0], "relationship1"), "pair features");
    struct libcdp_mediator *m = libcdp_mediator_train(edges, truth, &training, NULL, &err);
    ok(m && libcdp_mediator_threshold(m, 0, &err) > 0, "training");
    ok(!libcdp_mediator_write(m, "model", &err), "a model file");
    struct libcdp_mediator *again = libcdp_mediator_read("model", &err);
    struct libcdp_edges *pairs = libcdp_mediator_apply(again, edges, 0.5, NULL, &err);
    fails(!libcdp_mediator_apply(m, edges, 2, NULL, &err), "from 0 to 1");
    fails(!libcdp_mediator_apply(m, pairs, 0.5, NULL, &err), "expected pair features");
    fails(!libcdp_mediator_train(pairs, truth, &training, NULL, &err), "expected pair features");
    training.holdout = 1;
    fails(!libcdp_mediator_train(edges, truth, &training, NULL, &err), "holdout");
    training.holdout = 0;
    training.patience = 1;
    fails(!libcdp_mediator_train(edges, truth, &training, NULL, &err), "held out");
    training.patience = 0;
    training.groups = "hair";
    fails(!libcdp_mediator_train(edges, truth, &training, NULL, &err), "hair");
    fails(!libcdp_mediator_read("none", &err), "No such file");
    libcdp_edges_free(pairs);
    libcdp_edges_free(edges);
    libcdp_mediator_free(m);
    libcdp_mediator_free(again);
    libcdp_mediator_free(NULL);
    unlink("model");
}

static void test_clusters(const struct libcdp_edges *pairs)
{
    const uint64_t must[] = {0, 1, 1, 2}, cannot[] = {0, 2}, outside[] = {0, ITEMS};
    struct libcdp_cluster_plan plan;
    double threshold;
    libcdp_cluster_init(&plan, sizeof plan);
    plan.max_size = 60;
    for (int32_t method = LIBCDP_LADDER; method <= LIBCDP_MAP; method++) {
        plan.method = method;
        plan.must_link = must;
        plan.must_links = 2;
        ok(libcdp_cluster(pairs, &plan, label, &threshold, NULL, &err) > 1 &&
               label[0] == label[2] && threshold == -INFINITY,
           "must-links, method %d", method);
        plan.cannot_link = cannot;
        plan.cannot_links = 1;
        fails(libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) < 0, "must-links connect");
        plan.must_links = 0;
        ok(libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) > 1 &&
               (label[0] != label[2] || label[0] == LIBCDP_NONE),
           "cannot-links, method %d", method);
        plan.cannot_link = outside;
        fails(libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) < 0, "expected two different");
        plan.cannot_links = 0;
    }
    plan.method = 2;
    fails(libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) < 0, "method 2");
    plan.method = LIBCDP_LADDER;
    plan.threshold = NAN;
    ok(libcdp_cluster(pairs, &plan, label, &threshold, NULL, &err) > 1 && threshold >= 0,
       "a threshold without labels");
    plan.step = 2;
    fails(libcdp_cluster(pairs, &plan, label, NULL, NULL, &err) < 0, "a step from 0 to 1");
}

static void test_trees(const struct libcdp_edges *pairs)
{
    static double row[ITEMS - 1][4];
    static uint32_t other[ITEMS];
    struct libcdp_cluster_plan plan;
    struct libcdp_outcome outcome[6];
    const uint64_t sizes[] = {20, 600};
    libcdp_cluster_init(&plan, sizeof plan);
    struct libcdp_edges *forest = libcdp_forest(pairs, &err);
    ok(forest && forest->count < ITEMS && forest->floor <= forest->value[0][0], "a forest");
    int64_t clusters = libcdp_cluster(pairs, &plan, label, NULL, NULL, &err);
    ok(libcdp_cluster(forest, &plan, other, NULL, NULL, &err) == clusters &&
           !memcmp(label, other, sizeof label),
       "with the same clusters");
    fails(!libcdp_forest(lists[0], &err), "expected scored pairs");
    ok(!libcdp_linkage(pairs, &plan, row[0], &err) && row[ITEMS - 2][3] == ITEMS, "a merge tree");
    ok(!libcdp_sweep(pairs, &plan, 0.3, 0.2, 3, sizes, 2, truth, outcome, NULL, &err) &&
           outcome[5].threshold > 0.69 && outcome[5].max_size == 600 && outcome[5].fscore > 0,
       "a sweep");
    plan.method = LIBCDP_MAP;
    ok(!libcdp_sweep(pairs, &plan, 0.3, 0.2, 3, sizes, 1, NULL, outcome, NULL, &err) &&
           isnan(outcome[0].fscore) && outcome[0].items >= outcome[2].items,
       "a sweep by the map equation");
    fails(libcdp_sweep(pairs, &plan, 0.3, 0.2, 3, sizes, 2, NULL, outcome, NULL, &err),
          "takes one");
    fails(libcdp_sweep(pairs, &plan, 0.3, 0.5, 3, sizes, 1, NULL, outcome, NULL, &err),
          "at most 1");
    libcdp_edges_free(forest);
}

static void test_labels(void)
{
    const int64_t before[] = {7, 7, 3, 3, -1};
    int64_t now[] = {0, 0, 0, 1, 2};
    struct libcdp_scores kept, removed;
    ok(!libcdp_keep(5, before, now, &err) && now[0] == 7 && now[3] == 3 && now[4] == 8,
       "earlier numbers");
    ok(!libcdp_eval(truth, truth, ITEMS, &kept, &removed, &err) && kept.bcubed_fscore == 1 &&
           removed.ari == 1 && kept.vmeasure == 1,
       "metrics");
}

static void test_runs(void)
{
    struct libcdp_run run;
    struct libcdp_knn_plan plan;
    libcdp_knn_init(&plan, sizeof plan);
    libcdp_run_init(&run, sizeof run);
    ok(run.done < 0 && !run.what && !run.stop, "before a computation");
    run.threads = 2;
    struct libcdp_edges *found = libcdp_knn(&matrix[0], &plan, NULL, &run, &err);
    ok(found && run.done > 0.99 && !run.what, "after it");
    libcdp_edges_free(found);
    run.stop = 1;
    fails(!libcdp_knn(&matrix[0], &plan, NULL, &run, &err), "interrupted");
    run.stop = 0;
    run.threads = -1;
    fails(!libcdp_knn(&matrix[0], &plan, NULL, &run, &err), "-1 threads");
    run.size = 8;
    fails(!libcdp_knn(&matrix[0], &plan, NULL, &run, &err), "a run of 8 bytes");
    fails(!libcdp_knn(&matrix[0], &(struct libcdp_knn_plan){.size = 7}, NULL, NULL, &err),
          "of 7 bytes");
}

int main(void)
{
    scratch_enter();
    make_data();
    test_matrices();
    test_edges();
    test_scores();
    test_mediator();
    struct libcdp_edges *pairs = libcdp_score_vote(both(), 2, 1, 0.3F, NAN, NULL, &err);
    test_clusters(pairs);
    test_trees(pairs);
    libcdp_edges_free(pairs);
    test_labels();
    test_runs();
    libcdp_edges_free(lists[0]);
    libcdp_edges_free(lists[1]);
    scratch_leave();
    return done();
}
