// SPDX-License-Identifier: MIT
#include "mediate/commands.h"
#include "text.h"

static const struct cdp_option options[] = {{0}};

const struct tool show_tool = {
    .name = "cdp-mediate show",
    .summary = "Prints a model's provenance, inputs and operating points",
    .synopsis = "[OPTION]... MODEL",
    .example = "cdp-mediate show model\n",
    .options = options,
};

void print_points(const struct cdp_mediator *m, FILE *file)
{
    enum { STEP = 8 };
    const struct cdp_point *best = cdp_point_best(m->point);
    fprintf(file, "%-10s %9s %7s %7s %16s %13s %9s\n", "threshold", "precision", "recall", "kept",
            "items' precision", "items' recall", "F");
    for (int r = 0; r < CDP_POINTS; r++) {
        const struct cdp_point *point = &m->point[r];
        if (point == best || (r % STEP == 0 && point->kept > 0))
            fprintf(file, "%-10.7g %9.4f %7.4f %7.4f %16.4f %13.4f %9.4f%s\n",
                    (double)point->threshold, (double)point->precision, (double)point->recall,
                    (double)point->kept, (double)point->item_precision, (double)point->item_recall,
                    (double)point->fscore, point == best ? "  auto" : "");
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
        print_points(m, file);
    else
        fputs("nothing was held out, so nothing is known of thresholds\n", file);
}

void run_show(const char *name)
{
    struct cdp_output *output = tool_output(false);
    struct cdp_mediator m;
    struct text text;
    struct cdp_err err;
    uint64_t digest;
    tool_check(cdp_mediator_read(&m, name, &digest, &err), &err);
    text_open(&text);
    print_model(&m, digest, text.file);
    text_write(&text, output);
    cdp_mediator_free(&m);
    tool_finish(output);
}
