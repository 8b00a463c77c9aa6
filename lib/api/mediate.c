// SPDX-License-Identifier: MIT
// The mediator.
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/mem.h"
#include "combine/measure.h"
#include "mediate/mediator.h"

struct libcdp_mediator {
    struct cdp_mediator own;
};

PUBLIC void libcdp_mediator_free(struct libcdp_mediator *mediator)
{
    if (mediator)
        cdp_mediator_free(&mediator->own);
    free(mediator);
}

static struct api_view *view_of(const struct libcdp_edges *edges, struct cdp_err *err)
{
    return api_expect(edges, 1 << CDP_FEATURES, "pair features", err) ? NULL
                                                                      : api_view_new(edges, err);
}

// ---- training

PUBLIC void libcdp_training_init(struct libcdp_training *training, uint64_t size)
{
    const struct libcdp_training standard = {.groups = "relationship,affinity,structure",
                                             .rate = cdp_recipe_default.rate,
                                             .holdout = 0.2};
    api_init(training, size, &standard, sizeof standard);
}

// Labelled pairs, split into training and held-out ones.
struct data {
    struct cdp_labels labels;
    uint8_t *held; // of each identity: 1 = held out
    struct cdp_examples examples, check;
};

static void free_data(struct data *d)
{
    cdp_examples_free(&d->examples);
    cdp_examples_free(&d->check);
    cdp_labels_free(&d->labels);
    free(d->held);
}

static int read_data(struct data *d, struct cdp_mediator *m, struct api_view *v,
                     const uint32_t *label, const struct libcdp_training *t, struct cdp_err *err)
{
    const struct cdp_header *header = &((const struct api_edges *)v->edges)->header;
    int inputs = cdp_mediator_init(m, header, t->groups, err);
    if (inputs < 0)
        return -1;
    d->examples.inputs = d->check.inputs = (unsigned)inputs;
    while (api_view_next(v)) {
        if (cdp_examples_add(&d->examples, &v->block, m->input, err))
            return -1;
    }
    if (api_labels(&d->labels, label, v->edges->nodes, err))
        return -1;
    d->held = cdp_alloc(d->labels.groups, 1, "identities", err);
    return !d->held || cdp_hold_out(&d->labels, t->holdout, t->seed, d->held, err) ||
                   cdp_examples_split(&d->examples, &d->check, &d->labels, d->held, err)
               ? -1
               : 0;
}

static int check_training(const struct libcdp_training *t, struct cdp_err *err)
{
    if (!(t->holdout >= 0 && t->holdout <= 0.9))
        return cdp_fail(err, "a holdout of %g: it is from 0 to 0.9", t->holdout);
    if (!(t->rate > 0 && isfinite(t->rate)))
        return cdp_fail(err, "a rate of %g: it is above 0", t->rate);
    if ((t->patience || t->calibrate) && !(t->holdout > 0))
        return cdp_fail(err, "patience and calibrate want something held out: a holdout above 0");
    return 0;
}

static int train(struct libcdp_mediator *mediator, struct api_view *v, const uint32_t *label,
                 const struct libcdp_training *t, struct api_run *api, struct cdp_err *err)
{
    struct data d = {0};
    struct cdp_mediator *m = &mediator->own;
    struct cdp_trained trained;
    struct cdp_recipe recipe = {.epochs = t->epochs,
                                .rate = t->rate,
                                .patience = t->patience,
                                .scale = t->scale != 0,
                                .balance = t->balance != 0,
                                .calibrate = t->calibrate != 0,
                                .seed = t->seed,
                                .threads = api->threads,
                                .progress = &api->progress};
    int status = read_data(&d, m, v, label, t, err) ||
                         cdp_mediator_train(m, &d.examples, t->holdout > 0 ? &d.check : NULL,
                                            &d.labels, d.held, &recipe, &trained, err)
                     ? -1
                     : 0;
    if (!status && m->held_out)
        status = cdp_measure_clusters(m, &d.examples, &d.check, &d.labels, api->threads, err);
    free_data(&d);
    return status;
}

PUBLIC struct libcdp_mediator *libcdp_mediator_train(const struct libcdp_edges *features,
                                                     const uint32_t *label,
                                                     const struct libcdp_training *training,
                                                     struct libcdp_run *run, struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_err why;
    struct libcdp_training whole;
    struct libcdp_mediator *mediator = NULL;
    struct api_view *v = NULL;
    libcdp_training_init(&whole, sizeof whole);
    int status = api_begin(&api, run, &why) ||
                         api_take(&whole, sizeof whole, training, "a libcdp_training", &why) ||
                         check_training(&whole, &why) || !(v = view_of(features, &why)) ||
                         !(mediator = cdp_zalloc(1, sizeof *mediator, "a mediator", &why))
                     ? -1
                     : train(mediator, v, label, &whole, &api, &why);
    free(v);
    api_end(&api);
    if (!status)
        return mediator;
    libcdp_mediator_free(mediator);
    api_tell(err, &why);
    return NULL;
}

// ---- its file

PUBLIC struct libcdp_mediator *libcdp_mediator_read(const char *file, struct libcdp_err *err)
{
    struct cdp_err why;
    struct libcdp_mediator *mediator = cdp_zalloc(1, sizeof *mediator, "a mediator", &why);
    if (mediator && !cdp_mediator_read(&mediator->own, file, NULL, &why))
        return mediator;
    free(mediator);
    api_tell(err, &why);
    return NULL;
}

PUBLIC int libcdp_mediator_write(const struct libcdp_mediator *mediator, const char *file,
                                 struct libcdp_err *err)
{
    struct cdp_err why;
    struct cdp_output *output;
    int status = cdp_output_open(&output, file, true, &why);
    if (!status && cdp_mediator_write(&mediator->own, output, &why)) {
        cdp_output_abandon(output);
        status = -1;
    } else if (!status) {
        status = cdp_output_commit(output, &why);
    }
    if (status)
        api_tell(err, &why);
    return status;
}

// ---- use

PUBLIC double libcdp_mediator_threshold(const struct libcdp_mediator *mediator, double precision,
                                        struct libcdp_err *err)
{
    const struct cdp_mediator *m = &mediator->own;
    const struct cdp_point *point = NULL;
    struct cdp_err why;
    if (!m->held_out)
        cdp_fail(&why, "nothing was held out in training, so nothing is known of thresholds");
    else if (!(point = precision > 0 ? cdp_point_precision(m->point, precision)
                                     : cdp_point_best(m->point)))
        cdp_fail(&why, "no threshold has held-out precision %g", precision);
    if (!point)
        api_tell(err, &why);
    return point ? (double)point->threshold : NAN;
}

static int apply(struct api_edges *pairs, const struct cdp_mediator *m, struct api_view *v,
                 double threshold, struct api_run *api, struct cdp_err *err)
{
    float *p = cdp_alloc(CDP_BLOCK_EDGES, sizeof *p, "probabilities", err);
    int status = p ? 0 : -1;
    cdp_progress_start(&api->progress, "scoring", "pairs", v->edges->count);
    while (!status && api_view_next(v)) {
        status = cdp_mediator_apply(m, &v->block, p, api->threads, err);
        for (size_t e = 0; !status && e < v->block.edges; e++) {
            if (p[e] > (float)threshold)
                status = api_edges_add(pairs, v->source[e], v->target[e], &p[e], err);
        }
        cdp_progress_add(&api->progress, v->block.edges);
        status = status ? status : cdp_progress_check(&api->progress, err);
    }
    free(p);
    return status;
}

static struct api_edges *pairs_for(const struct libcdp_edges *features,
                                   const struct cdp_mediator *m, struct cdp_err *err)
{
    struct cdp_header header;
    if (cdp_mediator_fits(m, "features", &((const struct api_edges *)features)->header, err))
        return NULL;
    cdp_header_init(&header, CDP_PAIRS);
    return api_edges_new(&header, err);
}

PUBLIC struct libcdp_edges *libcdp_mediator_apply(const struct libcdp_mediator *mediator,
                                                  const struct libcdp_edges *features,
                                                  double threshold, struct libcdp_run *run,
                                                  struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_err why;
    struct libcdp_edges *done = NULL;
    struct api_edges *pairs = NULL;
    struct api_view *v = NULL;
    int status = api_begin(&api, run, &why);
    if (!status && !(threshold >= 0 && threshold <= 1))
        status = cdp_fail(&why, "a threshold of %g: it is from 0 to 1", threshold);
    if (!status && (v = view_of(features, &why)) &&
        (pairs = pairs_for(features, &mediator->own, &why))) {
        status = apply(pairs, &mediator->own, v, threshold, &api, &why);
        done = api_edges_end(pairs, status, features->nodes, features, &why);
    }
    free(v);
    api_end(&api);
    if (!done)
        api_tell(err, &why);
    return done;
}
