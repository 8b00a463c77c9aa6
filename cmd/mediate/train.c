// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "combine/measure.h"
#include "mediate/commands.h"

static const char *labels_name, *groups = "relationship,affinity,structure";
static struct cdp_recipe recipe;
static bool original;
static double holdout = 0.2;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .group = "Data",
     .help = "file of true labels, one per line",
     .value = &labels_name,
     .required = true},
    {.type = CDP_OPTION_TEXT,
     .name = "input",
     .arg = "GROUPS",
     .help = "groups of columns to use",
     .value = &groups,
     .not_file = true},
    {.type = CDP_OPTION_COUNT,
     .name = "epochs",
     .arg = "N",
     .group = "Training",
     .help = "number of passes over the pairs",
     .value = &recipe.epochs,
     .unset = "2, or more for 2,000 batches",
     .min = 1,
     .max = 1e6},
    {.type = CDP_OPTION_REAL,
     .name = "rate",
     .arg = "R",
     .help = "learning rate",
     .value = &recipe.rate,
     .unset = "0.01",
     .min = 1e-9,
     .max = 1e9},
    {.type = CDP_OPTION_FLAG,
     .name = "scale",
     .help = "standardize inputs to mean 0, standard deviation 1",
     .value = &recipe.scale},
    {.type = CDP_OPTION_FLAG,
     .name = "balance",
     .help = "give both classes the same total weight",
     .value = &recipe.balance},
    {.type = CDP_OPTION_COUNT,
     .name = "patience",
     .arg = "N",
     .help = "end after N epochs without a lower held-out loss",
     .value = &recipe.patience,
     .unset = "never",
     .min = 1,
     .max = 1e6},
    {.type = CDP_OPTION_FLAG,
     .name = "calibrate",
     .help = "temperature scaling by the held-out loss",
     .value = &recipe.calibrate},
    {.type = CDP_OPTION_REAL,
     .name = "holdout",
     .arg = "S",
     .group = "Data",
     .help = "share of the identities to hold out",
     .value = &holdout,
     .min = 0,
     .max = 0.9},
    {.type = CDP_OPTION_COUNT,
     .name = "seed",
     .arg = "N",
     .group = "Training",
     .help = "seed of weights, order and held-out identities",
     .value = &recipe.seed},
    {.type = CDP_OPTION_FLAG,
     .name = "original",
     .help = "the paper's recipe: 2 epochs at rate 0.001",
     .value = &original},
    {0},
};

const struct tool train_tool = {
    .name = "cdp-mediate train",
    .summary = "Trains on labelled pairs; prints the operating points",
    .synopsis = "--labels META [OPTION]... FEATURES.cdp",
    .example = "cdp-mediate train --labels meta.txt features.cdp >model\n",
    .options = options,
};

// The labelled pairs, split into training and held-out ones.
struct data {
    struct cdp_labels labels;
    uint8_t *held; // of each identity: 1 = held out
    struct cdp_examples examples, check;
};

static void read_pairs(struct data *d, const struct cdp_mediator *m, struct cdp_reader *reader)
{
    struct cdp_block block;
    struct cdp_err err;
    int status;
    cdp_progress_start(tool_progress(), "reading", "pairs", 0);
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        if (cdp_examples_add(&d->examples, &block, m->input, &err))
            tool_fail("%s: %s", cdp_reader_name(reader), err.text);
        cdp_progress_add(tool_progress(), block.edges);
    }
    tool_check(status, &err);
}

// Labels the pairs that were read from `name`, and splits off the held-out ones.
static void label_pairs(struct data *d, const struct cdp_reader *reader, const char *name)
{
    struct cdp_err err;
    uint64_t unknown, nodes = cdp_reader_totals(reader)->nodes;
    if (!cdp_reader_header(reader)->nodes && d->labels.items > nodes)
        nodes = d->labels.items; // the largest ids may have no pair
    tool_check(cdp_labels_match(&d->labels, labels_name, cdp_reader_names(reader), nodes, name,
                                &unknown, &err),
               &err);
    tool_note_unknown(labels_name, unknown, nodes);
    d->held = cdp_alloc(d->labels.groups, 1, "identities", &err);
    tool_check(d->held ? cdp_hold_out(&d->labels, holdout, recipe.seed, d->held, &err) : -1, &err);
    if (cdp_examples_split(&d->examples, &d->check, &d->labels, d->held, &err))
        tool_fail("%s: %s", labels_name, err.text);
}

// Initializes a mediator, without its network, and reads the data to train it on.
static void read_data(struct data *d, struct cdp_mediator *m, const char *name)
{
    struct cdp_err err;
    tool_check(cdp_labels_read(&d->labels, labels_name, false, &err), &err);
    struct cdp_reader *reader = open_features(name);
    const struct cdp_header *header = cdp_reader_header(reader);
    int inputs = cdp_mediator_init(m, header, groups, &err);
    if (inputs < 0)
        tool_fail("%s: %s", name, err.text);
    d->examples.inputs = d->check.inputs = (unsigned)inputs;
    read_pairs(d, m, reader);
    label_pairs(d, reader, name);
    tool_provenance(&m->header);
    tool_check(cdp_header_note(&m->header, &err, "input: %s", groups), &err);
    tool_check(cdp_header_note(&m->header, &err, "features: digest %016llx",
                               (unsigned long long)cdp_reader_totals(reader)->digest),
               &err);
    tool_check(cdp_header_inherit(&m->header, header, &err), &err);
    cdp_reader_close(reader);
}

static void complete_recipe(void)
{
    if ((recipe.patience || recipe.calibrate) && !(holdout > 0))
        tool_usage("--patience and --calibrate want something held out: --holdout above 0");
    struct cdp_recipe basis = original ? cdp_recipe_original : cdp_recipe_default;
    recipe.epochs = recipe.epochs ? recipe.epochs : basis.epochs;
    recipe.rate = recipe.rate > 0 ? recipe.rate : basis.rate;
    recipe.threads = (int)common.threads;
    recipe.progress = tool_progress();
}

void run_train(const char *name)
{
    struct data d = {0};
    struct cdp_mediator m;
    struct cdp_trained trained;
    struct cdp_err err;
    complete_recipe();
    struct cdp_output *output = tool_output(true);
    read_data(&d, &m, name);
    if (cdp_mediator_train(&m, &d.examples, holdout > 0 ? &d.check : NULL, &d.labels, d.held,
                           &recipe, &trained, &err))
        tool_fail("%s: %s", name, err.text);
    if (m.held_out) {
        cdp_progress_start(tool_progress(), "clustering", "pairs", 0);
        tool_check(
            cdp_measure_clusters(&m, &d.examples, &d.check, &d.labels, (int)common.threads, &err),
            &err);
    }
    tool_check(cdp_header_note(&m.header, &err,
                               "trained: %zu pairs, %zu held out, %llu epochs, loss %.5f, held "
                               "out %.5f",
                               d.examples.count, d.check.count, (unsigned long long)trained.epochs,
                               trained.loss, trained.check),
               &err);
    tool_check(cdp_mediator_write(&m, output, &err), &err);
    tool_progress_end();
    tool_say("%zu pairs, %zu held out; %llu epochs, loss %.5f, held out %.5f", d.examples.count,
             d.check.count, (unsigned long long)trained.epochs, trained.loss, trained.check);
    if (m.held_out && !common.quiet)
        print_points(&m, stderr);
    cdp_mediator_free(&m);
    cdp_examples_free(&d.examples);
    cdp_examples_free(&d.check);
    cdp_labels_free(&d.labels);
    free(d.held);
    tool_finish(output);
}
