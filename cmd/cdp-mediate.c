// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mediate/mediator.h"
#include "tool.h"

static const char *labels_name, *groups = "relationship,affinity,structure", *model_name;
static struct cdp_recipe recipe;
static bool original;
static double holdout = 0.2, threshold = -1, precision; // -1: not given; NaN: auto

static const struct cdp_option train_options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .help = "the true label of each item, one a line",
     .value = &labels_name,
     .required = true},
    {.type = CDP_OPTION_TEXT,
     .name = "input",
     .arg = "GROUPS",
     .help = "columns to judge by (relationship,affinity,structure)",
     .value = &groups},
    {.type = CDP_OPTION_COUNT,
     .name = "epochs",
     .arg = "N",
     .help = "times to go through the pairs (2, or for 2,000 steps)",
     .value = &recipe.epochs,
     .min = 1,
     .max = 1e6},
    {.type = CDP_OPTION_REAL,
     .name = "rate",
     .arg = "R",
     .help = "rate of learning (0.01)",
     .value = &recipe.rate,
     .min = 1e-9,
     .max = 1e9},
    {.type = CDP_OPTION_FLAG,
     .name = "scale",
     .help = "scale inputs to mean 0, deviation 1",
     .value = &recipe.scale},
    {.type = CDP_OPTION_FLAG,
     .name = "balance",
     .help = "weigh pairs of one and of two identities alike",
     .value = &recipe.balance},
    {.type = CDP_OPTION_COUNT,
     .name = "patience",
     .arg = "N",
     .help = "end after N epochs without a lower held-out loss",
     .value = &recipe.patience,
     .min = 1,
     .max = 1e6},
    {.type = CDP_OPTION_FLAG,
     .name = "calibrate",
     .help = "fit a temperature to what is held out",
     .value = &recipe.calibrate},
    {.type = CDP_OPTION_REAL,
     .name = "holdout",
     .arg = "S",
     .help = "share of identities that is held out (0.2)",
     .value = &holdout,
     .min = 0,
     .max = 0.9},
    {.type = CDP_OPTION_COUNT,
     .name = "seed",
     .arg = "N",
     .help = "another seed, another model (0)",
     .value = &recipe.seed},
    {.type = CDP_OPTION_FLAG,
     .name = "original",
     .help = "the paper's recipe: 2 epochs at rate 0.001",
     .value = &original},
    {0},
};

static const struct cdp_option apply_options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "model",
     .arg = "FILE",
     .help = "what cdp-mediate train has written",
     .value = &model_name,
     .required = true},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "keep pairs of probability above T, or auto (0.99)",
     .value = &threshold,
     .min = 0,
     .max = 1,
     .choices = (const char *const[]){"auto", NULL}},
    {.type = CDP_OPTION_REAL,
     .name = "precision",
     .arg = "P",
     .help = "the lowest threshold of held-out precision P",
     .value = &precision,
     .unset = "none",
     .min = 0,
     .max = 1,
     .without = "threshold"},
    {0},
};

static const struct cdp_option show_options[] = {{0}};

static const struct tool train_tool = {
    .name = "cdp-mediate train",
    .summary = "Learns from labelled pairs, and prints how well it judges others",
    .synopsis = "--labels META [OPTION]... FEATURES.cdp",
    .example = "cdp-mediate train --labels meta.txt features.cdp >model\n",
    .options = train_options,
};

static const struct tool apply_tool = {
    .name = "cdp-mediate apply",
    .summary = "Keeps the pairs that a model takes for one identity",
    .synopsis = "--model FILE [OPTION]... FEATURES.cdp",
    .example = "cdp-mediate apply --model model --threshold auto features.cdp >pairs.cdp\n",
    .options = apply_options,
    .stream = "",
};

static const struct tool show_tool = {
    .name = "cdp-mediate show",
    .summary = "Tells what a model was trained on, and how good it is",
    .synopsis = "[OPTION]... MODEL",
    .example = "cdp-mediate show model\n",
    .options = show_options,
};

static const struct tool *const commands[] = {&train_tool, &apply_tool, &show_tool, NULL};

static const struct tool whole = {
    .name = "cdp-mediate",
    .summary = "Judges pairs by a network that has learned from labelled ones",
    .synopsis = "COMMAND [OPTION]... FILE",
    .example =
        "cdp-mediate train --labels meta.txt labelled.cdp >model\n"
        "         cdp-mediate apply --model model --threshold auto unlabelled.cdp >pairs.cdp\n",
};

static const char wanted[] = "cdp-mediate reads features streams";

// ---- what is told of a model

static void print_ladder(const struct cdp_mediator *m, FILE *file)
{
    enum { STEP = 8 };
    const struct cdp_rung *even = cdp_ladder_balance(m->rung);
    fprintf(file, "%-10s %9s %7s %7s %15s %12s\n", "threshold", "precision", "recall", "kept",
            "items' precision", "items' recall");
    for (int r = 0; r < CDP_RUNGS; r++) {
        const struct cdp_rung *rung = &m->rung[r];
        if (rung == even || (r % STEP == 0 && rung->kept > 0))
            fprintf(file, "%-10.7g %9.4f %7.4f %7.4f %15.4f %12.4f%s\n", (double)rung->threshold,
                    (double)rung->precision, (double)rung->recall, (double)rung->kept,
                    (double)rung->item_precision, (double)rung->item_recall,
                    rung == even ? "  auto" : "");
    }
}

static void print_model(const struct cdp_mediator *m, uint64_t digest, FILE *file)
{
    const struct cdp_network *n = &m->network;
    fprintf(file, "digest\t%016llx\nnetwork\t%u inputs, %u and %u units\n",
            (unsigned long long)digest, n->inputs, CDP_HIDDEN * n->inputs, CDP_HIDDEN * n->inputs);
    fprintf(file, "temperature\t%g\nk\t%u\ncolumns\t", (double)m->temperature, m->header.k);
    for (unsigned c = 0; c < m->header.columns; c++)
        fprintf(file, "%s%s", m->header.column[c], c + 1 < m->header.columns ? " " : "\n");
    fprintf(file, "provenance\n%s", m->header.provenance ? m->header.provenance : "");
    fprintf(file, "\n%-24s %12s %12s\n", "input", "mean", "deviation");
    for (unsigned i = 0; i < n->inputs; i++)
        fprintf(file, "%-24s %12.6g %12.6g\n", m->header.column[m->input[i]], (double)m->mean[i],
                (double)m->deviation[i]);
    fputc('\n', file);
    if (m->held_out)
        print_ladder(m, file);
    else
        fputs("nothing was held out, so nothing is known of thresholds\n", file);
}

static void show(const char *name, struct cdp_output *output)
{
    struct cdp_mediator m;
    struct cdp_err err;
    uint64_t digest;
    tool_check(cdp_mediator_read(&m, name, &digest, &err), &err);
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file)
        print_model(&m, digest, file);
    if (!file || fclose(file))
        tool_fail("%s: out of memory", name);
    tool_check(cdp_output_write(output, text, size, &err), &err);
    free(text);
    cdp_mediator_free(&m);
}

// ---- train

// The labelled pairs, in two sets.
struct lesson {
    struct cdp_labels labels;
    uint8_t *held; // by identity
    struct cdp_examples examples, check;
};

static void read_pairs(struct lesson *l, const struct cdp_mediator *m, struct cdp_reader *reader)
{
    struct cdp_block block;
    struct cdp_err err;
    int status;
    cdp_progress_start(tool_progress(), "reading", "pairs", 0);
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        if (cdp_examples_add(&l->examples, &block, m->input, &err))
            tool_fail("%s: %s", cdp_reader_name(reader), err.text);
        cdp_progress_add(tool_progress(), block.edges);
    }
    tool_check(status, &err);
}

// Labels the pairs that were read from `name`, and holds some of them out.
static void label_pairs(struct lesson *l, const struct cdp_reader *reader, const char *name)
{
    struct cdp_err err;
    uint64_t unknown, nodes = cdp_reader_totals(reader)->nodes;
    if (!cdp_reader_header(reader)->nodes && l->labels.items > nodes)
        nodes = l->labels.items; // the largest ids may be in no pair
    tool_check(cdp_labels_match(&l->labels, labels_name, cdp_reader_names(reader), nodes, name,
                                &unknown, &err),
               &err);
    tool_note_unknown(labels_name, unknown, nodes);
    l->held = cdp_alloc(l->labels.groups, 1, "identities", &err);
    tool_check(l->held ? cdp_hold_out(&l->labels, holdout, recipe.seed, l->held, &err) : -1, &err);
    if (cdp_examples_split(&l->examples, &l->check, &l->labels, l->held, &err))
        tool_fail("%s: %s", labels_name, err.text);
}

// Makes a mediator without a network, and fills the lesson.
static void read_lesson(struct lesson *l, struct cdp_mediator *m, const char *name)
{
    struct cdp_reader *reader;
    struct cdp_err err;
    tool_check(cdp_labels_read(&l->labels, labels_name, false, &err), &err);
    tool_check(cdp_reader_open(&reader, name, 1 << CDP_FEATURES, wanted, (int)common.threads, &err),
               &err);
    const struct cdp_header *header = cdp_reader_header(reader);
    int inputs = cdp_mediator_init(m, header, groups, &err);
    if (inputs < 0)
        tool_fail("%s: %s", name, err.text);
    l->examples.inputs = l->check.inputs = (unsigned)inputs;
    read_pairs(l, m, reader);
    label_pairs(l, reader, name);
    tool_provenance(&m->header);
    tool_check(cdp_header_note(&m->header, &err, "input: %s", groups), &err);
    tool_check(cdp_header_note(&m->header, &err, "features: digest %016llx",
                               (unsigned long long)cdp_reader_totals(reader)->digest),
               &err);
    tool_check(cdp_header_inherit(&m->header, header, &err), &err);
    cdp_reader_close(reader);
}

static void train(const char *name, struct cdp_output *output)
{
    struct lesson l = {0};
    struct cdp_mediator m;
    struct cdp_trained trained;
    struct cdp_err err;
    read_lesson(&l, &m, name);
    if (cdp_mediator_learn(&m, &l.examples, holdout > 0 ? &l.check : NULL, &l.labels, l.held,
                           &recipe, &trained, &err))
        tool_fail("%s: %s", name, err.text);
    tool_check(cdp_header_note(&m.header, &err,
                               "trained: %zu pairs, %zu held out, %llu epochs, loss %.5f, held "
                               "out %.5f",
                               l.examples.count, l.check.count, (unsigned long long)trained.epochs,
                               trained.loss, trained.check),
               &err);
    tool_check(cdp_mediator_write(&m, output, &err), &err);
    tool_progress_end();
    tool_say("%zu pairs, %zu held out; %llu epochs, loss %.5f, held out %.5f", l.examples.count,
             l.check.count, (unsigned long long)trained.epochs, trained.loss, trained.check);
    if (m.held_out && !common.quiet)
        print_ladder(&m, stderr);
    cdp_mediator_free(&m);
    cdp_examples_free(&l.examples);
    cdp_examples_free(&l.check);
    cdp_labels_free(&l.labels);
    free(l.held);
}

// ---- apply

static double choose_threshold(const struct cdp_mediator *m)
{
    bool automatic = isnan(threshold);
    if (!automatic && !(precision > 0))
        return threshold < 0 ? 0.99 : threshold;
    if (!m->held_out)
        tool_fail("%s: nothing was held out when it was trained, so nothing is known of "
                  "thresholds: give one by --threshold",
                  model_name);
    const struct cdp_rung *rung =
        automatic ? cdp_ladder_balance(m->rung) : cdp_ladder_precision(m->rung, precision);
    if (rung)
        return (double)rung->threshold;
    tool_fail("%s: no threshold has held-out precision %g; see 'cdp-mediate show'", model_name,
              precision);
}

// Warns where next to nothing was kept.
static void warn_of_few(const struct cdp_mediator *m, uint64_t kept, uint64_t all)
{
    const double few = 0.03;
    if ((double)kept >= few * (double)all)
        return;
    double better = m->held_out ? (double)cdp_ladder_balance(m->rung)->threshold : 1;
    char hint[128] = "these pairs may be unlike those that the model learned from";
    if (better < threshold)
        snprintf(hint, sizeof hint, "--threshold auto would take %.7g", better);
    tool_warn("only %.2g %% of %llu pairs are kept at threshold %.7g: %s",
              100 * (double)kept / (double)all, (unsigned long long)all, threshold, hint);
}

static void apply(const char *name, struct cdp_output *output)
{
    struct cdp_mediator m;
    struct cdp_reader *reader;
    struct cdp_writer *writer;
    struct cdp_header header;
    struct cdp_block block;
    struct cdp_totals totals;
    struct cdp_err err;
    uint64_t digest;
    int status;
    tool_check(cdp_mediator_read(&m, model_name, &digest, &err), &err);
    threshold = choose_threshold(&m);
    tool_check(cdp_reader_open(&reader, name, 1 << CDP_FEATURES, wanted, (int)common.threads, &err),
               &err);
    const struct cdp_header *features = cdp_reader_header(reader);
    tool_check(cdp_mediator_fits(&m, name, features, &err), &err);
    if (features->k && m.header.k && features->k != m.header.k)
        tool_warn("%s: lists of k = %u, but the model learned from k = %u", name, features->k,
                  m.header.k);
    cdp_header_init(&header, CDP_PAIRS);
    header.nodes = features->nodes;
    header.named = features->named;
    tool_provenance(&header);
    tool_check(cdp_header_note(&header, &err, "model: digest %016llx", (unsigned long long)digest),
               &err);
    tool_check(cdp_header_inherit(&header, features, &err), &err);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    float *p = cdp_alloc(CDP_BLOCK_EDGES, sizeof *p, "probabilities", &err);
    tool_check(p ? 0 : -1, &err);
    cdp_progress_start(tool_progress(), "judging", "pairs", 0);
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        tool_check(cdp_mediator_judge(&m, &block, p, (int)common.threads, &err), &err);
        for (size_t e = 0; e < block.edges; e++) {
            if (p[e] > (float)threshold)
                tool_check(cdp_writer_add(writer, block.source[e], block.target[e], &p[e], &err),
                           &err);
        }
        cdp_progress_add(tool_progress(), block.edges);
    }
    tool_check(status, &err);
    cdp_writer_names(writer, cdp_reader_names(reader));
    tool_check(cdp_writer_finish(writer, &totals, &err), &err);
    tool_progress_end();
    uint64_t all = cdp_reader_totals(reader)->edges;
    tool_say("%llu of %llu pairs, threshold %.7g", (unsigned long long)totals.edges,
             (unsigned long long)all, threshold);
    warn_of_few(&m, totals.edges, all);
    free(p);
    cdp_writer_free(writer);
    cdp_reader_close(reader);
    cdp_header_free(&header);
    cdp_mediator_free(&m);
}

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    int first = tool_start(tool, argc, argv, 1, 1);
    if ((recipe.patience || recipe.calibrate) && !(holdout > 0))
        tool_usage("--patience and --calibrate want something held out: --holdout above 0");
    struct cdp_recipe basis = original ? cdp_recipe_original : cdp_recipe_default;
    recipe.epochs = recipe.epochs ? recipe.epochs : basis.epochs;
    recipe.rate = recipe.rate > 0 ? recipe.rate : basis.rate;
    recipe.threads = (int)common.threads;
    recipe.progress = tool_progress();
    struct cdp_output *output = tool_output(tool != &show_tool);
    if (tool == &train_tool)
        train(argv[first], output);
    else if (tool == &apply_tool)
        apply(argv[first], output);
    else
        show(argv[first], output);
    tool_finish(output);
}
