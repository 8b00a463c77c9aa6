// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "mediate/commands.h"

static const char *model_name;
static double threshold = -1, precision; // -1: not given; NaN: auto

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "model",
     .arg = "FILE",
     .group = "Model",
     .help = "model written by cdp-mediate train",
     .value = &model_name,
     .required = true},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "probability that a pair must exceed",
     .value = &threshold,
     .unset = "0.99",
     .min = 0,
     .max = 1,
     .choices = (const char *const[]){"auto", NULL}},
    {.type = CDP_OPTION_REAL,
     .name = "precision",
     .arg = "P",
     .help = "use the lowest operating point of at least precision P",
     .value = &precision,
     .unset = "none",
     .min = 0,
     .max = 1,
     .without = "threshold"},
    {0},
};

const struct tool apply_tool = {
    .name = "cdp-mediate apply",
    .summary = "Keeps pairs of a probability above a threshold",
    .synopsis = "--model FILE [OPTION]... FEATURES.cdp",
    .example = "cdp-mediate apply --model model --threshold auto features.cdp >pairs.cdp\n",
    .options = options,
    .stream = "",
};

static double choose_threshold(const struct cdp_mediator *m)
{
    bool automatic = isnan(threshold);
    if (!automatic && !(precision > 0))
        return threshold < 0 ? 0.99 : threshold;
    if (!m->held_out)
        tool_fail("%s: nothing was held out when it was trained, so nothing is known of "
                  "thresholds: give one by --threshold",
                  model_name);
    const struct cdp_point *point =
        automatic ? cdp_point_best(m->point) : cdp_point_precision(m->point, precision);
    if (point)
        return (double)point->threshold;
    tool_fail("%s: no threshold has held-out precision %g; see 'cdp-mediate show'", model_name,
              precision);
}

// Warns if fewer than 3 % of the pairs were kept.
static void warn_of_few(const struct cdp_mediator *m, uint64_t kept, uint64_t all)
{
    const double few = 0.03;
    if ((double)kept >= few * (double)all)
        return;
    double better = m->held_out ? (double)cdp_point_best(m->point)->threshold : 1;
    char hint[128] = "these pairs may be unlike those that the model learned from";
    if (better < threshold)
        snprintf(hint, sizeof hint, "--threshold auto would take %.7g", better);
    tool_warn("only %.2g %% of %llu pairs are kept at threshold %.7g: %s",
              100 * (double)kept / (double)all, (unsigned long long)all, threshold, hint);
}

void run_apply(const char *name)
{
    struct cdp_output *output = tool_output(true);
    struct cdp_mediator m;
    struct cdp_writer *writer;
    struct cdp_header header;
    struct cdp_block block;
    struct cdp_totals totals;
    struct cdp_err err;
    uint64_t digest;
    int status;
    tool_check(cdp_mediator_read(&m, model_name, &digest, &err), &err);
    threshold = choose_threshold(&m);
    struct cdp_reader *reader = open_features(name);
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
    cdp_progress_start(tool_progress(), "scoring", "pairs", 0);
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        tool_check(cdp_mediator_apply(&m, &block, p, (int)common.threads, &err), &err);
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
    tool_finish(output);
}
