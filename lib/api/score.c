// SPDX-License-Identifier: MIT
// Scored pairs and pair features.
#include "score/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/mem.h"
#include "combine/clusterer.h"
#include "score/consensus.h"

// Pairs whose items are those of lists.
static struct api_edges *new_pairs(enum cdp_type type, struct cdp_err *err)
{
    struct cdp_header header;
    cdp_header_init(&header, type);
    return api_edges_new(&header, err);
}

// Views of each model's lists, for free(); NULL after an error.
static struct cdp_table *tables_of(const struct libcdp_edges *const *lists, unsigned models,
                                   struct cdp_err *err)
{
    struct cdp_table *tables = cdp_alloc(models, sizeof *tables, "lists", err);
    if (!tables || api_tables(tables, lists, models, err)) {
        free(tables);
        return NULL;
    }
    return tables;
}

// Views of each model's features, of as many rows as items, for free(); NULL after an error.
static struct cdp_matrix *matrices_of(const struct libcdp_matrix *callers, unsigned models,
                                      uint64_t items, struct cdp_err *err)
{
    struct cdp_matrix *matrices = cdp_alloc(models, sizeof *matrices, "features", err);
    for (unsigned m = 0; matrices && m < models; m++) {
        int status = api_matrix(&matrices[m], &callers[m], err);
        if (!status && matrices[m].rows != items)
            status = cdp_fail(err, "model %u: %llu rows, but the lists are of %llu items", m,
                              (unsigned long long)matrices[m].rows, (unsigned long long)items);
        if (status) {
            free(matrices);
            return NULL;
        }
    }
    return matrices;
}

// ---- votes

// As cdp-score vote chooses it: 0 for cosine and for no metric, otherwise the largest distance.
static float choose_scale(const struct cdp_table *base, float scale)
{
    float largest = 0;
    if (!isnan(scale))
        return scale;
    if (base->header.metric == CDP_COSINE || base->header.metric == CDP_METRIC_NONE)
        return 0;
    for (uint64_t e = 0; e < base->offset[base->rows]; e++)
        largest = base->distance[e] > largest ? base->distance[e] : largest;
    return largest > 0 ? largest : 1;
}

static int vote(struct api_edges *pairs, struct cdp_table *tables, unsigned models, unsigned accept,
                float threshold, float scale, int threads, struct cdp_err *err)
{
    struct cdp_table base = tables[0];
    uint64_t count = base.offset[base.rows];
    base.distance = cdp_alloc(count, sizeof *base.distance, "similarities", err);
    uint32_t *votes = cdp_zalloc(count, sizeof *votes, "votes", err);
    uint8_t *keep = cdp_alloc(count, 1, "votes", err);
    int status = base.distance && votes && keep ? 0 : -1;
    for (unsigned m = 1; !status && m < models; m++)
        cdp_vote_count(&base, &tables[m], votes, threads);
    if (!status) {
        if (count)
            memcpy(base.distance, tables[0].distance, count * sizeof *base.distance);
        pairs->header.scale = pairs->shown.scale = choose_scale(&tables[0], scale);
        cdp_similarities(&base, pairs->header.scale);
        cdp_vote_keep(&base, votes, accept, threshold, keep);
        status = cdp_pairs(&base, keep, (uint64_t[]){0, base.rows}, api_edges_sink, pairs, err);
    }
    free(base.distance);
    free(votes);
    free(keep);
    return status;
}

PUBLIC struct libcdp_edges *libcdp_score_vote(const struct libcdp_edges *const *lists,
                                              unsigned models, unsigned accept, float threshold,
                                              float scale, struct libcdp_run *run,
                                              struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_err why;
    struct libcdp_edges *done = NULL;
    struct cdp_table *tables = NULL;
    int status = api_begin(&api, run, &why);
    if (!status && accept >= models)
        status = cdp_fail(&why, "%u members are to agree, but there are %u", accept,
                          models ? models - 1 : 0);
    if (!status && isnan(threshold))
        status = cdp_fail(&why, "the threshold is not a number");
    if (!status && !isnan(scale) && !(scale > 0 && isfinite(scale)))
        status = cdp_fail(&why, "a scale of %g: it is above 0", (double)scale);
    if (!status && (tables = tables_of(lists, models, &why))) {
        struct api_edges *pairs = new_pairs(CDP_PAIRS, &why);
        if (pairs)
            status = vote(pairs, tables, models, accept, threshold, scale, api.threads, &why);
        done = api_edges_end(pairs, status, lists[0]->nodes, lists[0], &why);
    }
    free(tables);
    api_end(&api);
    if (!done)
        api_tell(err, &why);
    return done;
}

// ---- pair features

static int pair_features(struct api_edges *edges, const struct cdp_table *tables,
                         const struct cdp_matrix *matrices, unsigned models, bool extra,
                         struct api_run *api, struct cdp_err *err)
{
    struct cdp_model *model = cdp_zalloc(models, sizeof *model, "models", err);
    int status = model ? 0 : -1;
    for (unsigned m = 0; !status && m < models; m++)
        status = cdp_model_init(&model[m], &tables[m], &matrices[m], api->threads, err);
    if (!status)
        status = cdp_features(model, models, extra, (uint64_t[]){0, tables->rows}, api_edges_sink,
                              edges, api->threads, &api->progress, err);
    for (unsigned m = 0; model && m < models; m++)
        cdp_model_free(&model[m]);
    free(model);
    return status;
}

PUBLIC struct libcdp_edges *libcdp_score_features(const struct libcdp_matrix *callers,
                                                  const struct libcdp_edges *const *lists,
                                                  unsigned models, int extra,
                                                  struct libcdp_run *run, struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_err why;
    struct libcdp_edges *done = NULL;
    struct cdp_table *tables = NULL;
    struct cdp_matrix *matrices = NULL;
    struct cdp_header header;
    cdp_header_init(&header, CDP_FEATURES);
    int status = api_begin(&api, run, &why);
    if (!status && cdp_feature_columns(models, extra) > CDP_MAX_COLUMNS)
        status = cdp_fail(&why, "%u models are too many for %d columns", models, CDP_MAX_COLUMNS);
    if (!status && (tables = tables_of(lists, models, &why)) &&
        (matrices = matrices_of(callers, models, lists[0]->nodes, &why))) {
        header.k = lists[0]->k;
        header.columns = cdp_feature_columns(models, extra);
        cdp_feature_names(models, extra, header.column);
        struct api_edges *edges = api_edges_new(&header, &why);
        if (edges)
            status = pair_features(edges, tables, matrices, models, extra, &api, &why);
        done = api_edges_end(edges, status, lists[0]->nodes, lists[0], &why);
    }
    free(tables);
    free(matrices);
    api_end(&api);
    if (!done)
        api_tell(err, &why);
    return done;
}

// ---- the truth

static int keep_true(struct api_edges *pairs, const struct cdp_table *table,
                     const struct cdp_labels *labels, struct cdp_err *err)
{
    struct cdp_table base = *table;
    uint64_t count = base.offset[base.rows];
    base.distance = cdp_alloc(count, sizeof *base.distance, "similarities", err);
    uint8_t *keep = cdp_alloc(count, 1, "kept edges", err);
    int status = base.distance && keep ? 0 : -1;
    if (!status) {
        cdp_truth_keep(&base, labels, keep);
        status = cdp_pairs(&base, keep, (uint64_t[]){0, base.rows}, api_edges_sink, pairs, err);
    }
    free(base.distance);
    free(keep);
    return status;
}

PUBLIC struct libcdp_edges *libcdp_score_truth(const struct libcdp_edges *lists,
                                               const uint32_t *label, struct libcdp_err *err)
{
    struct cdp_table table;
    struct cdp_labels labels = {0};
    struct cdp_err why;
    struct libcdp_edges *done = NULL;
    if (!api_table(&table, lists, &why) && !api_labels(&labels, label, lists->nodes, &why)) {
        struct api_edges *pairs = new_pairs(CDP_PAIRS, &why);
        int status = pairs ? keep_true(pairs, &table, &labels, &why) : -1;
        done = api_edges_end(pairs, status, lists->nodes, lists, &why);
    }
    cdp_labels_free(&labels);
    if (!done)
        api_tell(err, &why);
    return done;
}

// ---- consensus

static int give_consensus(struct libcdp_consensus *to, const struct cdp_consensus *c,
                          unsigned models, struct cdp_err *err)
{
    struct libcdp_consensus whole = {.signal = c->signal,
                                     .normalise = c->normalised,
                                     .threshold = c->null.mean + c->threshold * c->null.deviation,
                                     .deviations = c->threshold,
                                     .alarms = c->alarms,
                                     .partners = c->partners,
                                     .recall = c->recall,
                                     .strength = c->strength,
                                     .ratio = c->ratio};
    _Static_assert((int)LIBCDP_MODELS == (int)CDP_MOST_MODELS, "as many models");
    for (unsigned m = 0; m < models; m++) {
        whole.weight[m] = c->weight[m];
        whole.separation[m] = models > 1 ? c->separation[m] : NAN;
    }
    return api_give(to, &whole, sizeof whole, "a libcdp_consensus", err);
}

static int consensus(struct api_edges *pairs, struct cdp_consensus *found,
                     const struct cdp_table *tables, const struct cdp_matrix *matrices,
                     unsigned models, double alarms, struct api_run *api, struct cdp_err *err)
{
    struct cdp_clusterer clusterer = {.threads = api->threads, .outer = &api->progress};
    const struct cdp_consensus_plan plan = {.models = models,
                                            .lists = tables,
                                            .features = matrices,
                                            .alarms = alarms,
                                            .add = cdp_clusterer_add,
                                            .cluster = cdp_clusterer_cluster,
                                            .context = &clusterer,
                                            .threads = api->threads,
                                            .progress = &api->progress};
    int status = cdp_consensus(found, &plan, api_edges_sink, pairs, err);
    cdp_clusterer_free(&clusterer);
    return status;
}

PUBLIC struct libcdp_edges *libcdp_score_consensus(const struct libcdp_matrix *callers,
                                                   const struct libcdp_edges *const *lists,
                                                   unsigned models, double alarms,
                                                   struct libcdp_consensus *found,
                                                   struct libcdp_run *run, struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_err why;
    struct libcdp_edges *done = NULL;
    struct cdp_table *tables = NULL;
    struct cdp_matrix *matrices = NULL;
    struct cdp_consensus *result = NULL;
    int status = api_begin(&api, run, &why);
    if (!status && !(result = cdp_alloc(1, sizeof *result, "a consensus", &why)))
        status = -1;
    if (!status && models > LIBCDP_MODELS)
        status = cdp_fail(&why, "%u models: at most %d can be", models, LIBCDP_MODELS);
    if (!status && !(alarms >= 0 && alarms <= 100))
        status = cdp_fail(&why, "%g false pairs of an item: from 0 to 100 are possible", alarms);
    if (!status && (tables = tables_of(lists, models, &why)) &&
        (matrices = matrices_of(callers, models, lists[0]->nodes, &why))) {
        struct api_edges *pairs = new_pairs(CDP_PAIRS, &why);
        if (pairs)
            status = consensus(pairs, result, tables, matrices, models, alarms, &api, &why);
        if (!status && found)
            status = give_consensus(found, result, models, &why);
        done = api_edges_end(pairs, status, lists[0]->nodes, lists[0], &why);
    }
    free(tables);
    free(matrices);
    free(result);
    api_end(&api);
    if (!done)
        api_tell(err, &why);
    return done;
}
