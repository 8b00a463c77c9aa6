// SPDX-License-Identifier: MIT
#include <math.h>

#include "pairs.h"
#include "report/report.h"
#include "tool.h"

struct report_options report_options = {.threshold = -INFINITY};

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXTS,
     .name = "pairs",
     .arg = "PAIRS",
     .group = "Input",
     .help = "scored pairs that the clusters were made of: what holds each together, "
             "suggestions; may be repeated",
     .value = &report_options.pairs},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "threshold of the clusters, for --pairs",
     .value = &report_options.threshold,
     .unset = "all pairs",
     .min = -INFINITY,
     .max = 1,
     .with = "pairs sweep"},
    PAIRS_MUST_LINK(.with = "pairs"),
    PAIRS_CANNOT_LINK(.with = "pairs"),
    {.type = CDP_OPTION_TEXT,
     .name = "truth",
     .arg = "META",
     .help = "true labels: precision, recall, F, identities",
     .value = &report_options.truth},
    {.type = CDP_OPTION_TEXT,
     .name = "previous",
     .arg = "LABELS",
     .help = "earlier labels: what changed",
     .value = &report_options.previous},
    {.type = CDP_OPTION_TEXT,
     .name = "sweep",
     .arg = "TABLE",
     .help = "table of cdp-sweep: curves over thresholds",
     .value = &report_options.sweep},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .group = "Items",
     .help = "file of the items' names, one per line, for labels without names",
     .value = &report_options.ids},
    {.type = CDP_OPTION_TEXT,
     .name = "list",
     .arg = "LIST",
     .help = "a name or path of each item, one per line",
     .value = &report_options.list},
    {.type = CDP_OPTION_TEXT,
     .name = "images",
     .arg = "ROOT",
     .help = "show pictures: folder or address of the paths of --list",
     .value = &report_options.images,
     .with = "list"},
    {.type = CDP_OPTION_FLAG,
     .name = "embed",
     .help = "put pictures of doubtful clusters into the page, up to 16 MB",
     .value = &report_options.embed,
     .with = "images"},
    {.type = CDP_OPTION_TEXT,
     .name = "command",
     .arg = "TEXT",
     .group = "Page",
     .help = "command to show for the next run, with the corrections",
     .value = &report_options.command,
     .unset = "cdp-propagate and cdp-relabel",
     .not_file = true},
    {.type = CDP_OPTION_TEXT,
     .name = "title",
     .arg = "TEXT",
     .help = "heading of the page",
     .value = &report_options.title,
     .unset = "LABELS",
     .not_file = true},
    {0},
};

static const struct tool tool = {
    .name = "cdp-report",
    .summary = "Writes a page to look at clusters and to correct them",
    .synopsis = "[OPTION]... LABELS",
    .example = "cdp-report --pairs pairs.cdp --truth meta.txt labels.txt >page.html\n",
    .options = options,
};

int main(int argc, char **argv)
{
    struct report report = {0};
    int first = tool_start(&tool, argc, argv, 1, 1);
    struct cdp_output *output = tool_output(false);
    report_read(&report, argv[first]);
    report_page(&report, output);
    report_free(&report);
    tool_finish(output);
}
