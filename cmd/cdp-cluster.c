// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/command.h"
#include "cluster/models.h"
#include "score/consensus.h"
#include "tool.h"

// Features to labels without labels or thresholds, by running the filters one after another.

// Lists of 80 gave the best clusters on all data of tests/bench/NOTES.md; more cost time and gain
// little.
enum { NEIGHBOURS = 80 };

static uint64_t neighbours;
static struct cdp_counts dims;
static const char *ids_name, *truth_name, *report_name, *images_name, *folder_name;
static bool dry;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .letter = 'k',
     .name = "neighbours",
     .arg = "K",
     .group = "Clusters",
     .help = "nearest neighbours of an item that may share its cluster",
     .value = &neighbours,
     .unset = "80",
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_COUNTS,
     .name = "dim",
     .arg = "D,...",
     .group = "Input",
     .help = "numbers per row, of all files or of each",
     .value = &dims,
     .unset = "from the files",
     .min = 1,
     .max = 1e9},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of the items' names, one per line",
     .value = &ids_name},
    {.type = CDP_OPTION_TEXT,
     .name = "truth",
     .arg = "META",
     .group = "Results",
     .help = "true labels: print precision, recall and F",
     .value = &truth_name},
    {.type = CDP_OPTION_TEXT,
     .name = "report",
     .arg = "PAGE",
     .help = "write a page to look at the clusters",
     .value = &report_name},
    {.type = CDP_OPTION_TEXT,
     .name = "images",
     .arg = "ROOT",
     .help = "folder of the items' pictures, whose paths are NAMES",
     .value = &images_name,
     .with = "report"},
    {.type = CDP_OPTION_TEXT,
     .name = "keep",
     .arg = "FOLDER",
     .help = "leave neighbour lists and pairs there",
     .value = &folder_name},
    {.type = CDP_OPTION_FLAG,
     .letter = 'n',
     .name = "dry-run",
     .help = "print the commands instead of running them",
     .value = &dry},
    {0},
};

static const struct tool tool = {
    .name = "cdp-cluster",
    .summary = "Clusters items by their features, without labels and thresholds",
    .synopsis = "[OPTION]... FEATURES...",
    .example = "cdp-cluster --report page.html -o labels.txt a.npy b.npy\n"
               "cdp-cluster --dim 256 -n a.bin\n",
    .options = options,
};

static __attribute__((format(printf, 1, 2))) char *text(const char *format, ...)
{
    char *out;
    va_list values;
    va_start(values, format);
    if (vasprintf(&out, format, values) < 0)
        tool_fail("not enough memory");
    va_end(values);
    return out;
}

static void add_common(struct command *command, bool verbose)
{
    if (common.threads)
        command_option(command, "-t", text("%llu", (unsigned long long)common.threads));
    if (common.quiet)
        command_add(command, "-q");
    else if (verbose || common.verbose)
        command_add(command, "-v");
    if (common.progress != TOOL_PROGRESS_AUTO)
        command_add(command, common.progress == TOOL_PROGRESS_ALWAYS ? "--progress=always"
                                                                     : "--progress=never");
}

static void step(const struct command *command, bool to_error)
{
    if (dry)
        command_print(command);
    else
        command_run(command, to_error);
}

// The file of a model's lists: the features' own name in the folder, and a number if several models
// have that name.
static char *lists_name(const char *folder, const struct model *models, int m)
{
    const char *name = models[m].features + strlen(models[m].features);
    while (name > models[m].features && !strchr("/:", name[-1]))
        name--;
    char *lists = text("%s/knn-%.*s.cdp", folder, (int)strcspn(name, "."), name);
    for (int i = 0; i < m; i++) {
        if (!strcmp(lists, models[i].lists))
            return text("%s/knn-%.*s-%d.cdp", folder, (int)strcspn(name, "."), name, m + 1);
    }
    return lists;
}

static void find_neighbours(const struct model *model, uint64_t k)
{
    struct command knn = {0};
    command_add(&knn, "cdp-knn");
    add_common(&knn, false);
    command_option(&knn, "-k", text("%llu", (unsigned long long)k));
    command_option(&knn, "--dim", text("%llu", (unsigned long long)model->dim));
    command_option(&knn, "--ids", ids_name);
    command_option(&knn, "-o", model->lists);
    command_add(&knn, model->features);
    step(&knn, false);
}

static void score_pairs(const struct model *models, int count, const char *pairs)
{
    struct command score = {0};
    command_add(&score, "cdp-score");
    command_add(&score, "consensus");
    add_common(&score, true);
    for (int m = 0; m < count; m++)
        command_option(&score, "--features", models[m].features);
    command_option(&score, "-o", pairs);
    for (int m = 0; m < count; m++)
        command_add(&score, models[m].lists);
    step(&score, false);
}

// Fails now rather than after the work if a file cannot be written.
static void check_output(const char *name)
{
    struct cdp_output *output;
    struct cdp_err err;
    tool_check(cdp_output_open(&output, name, false, &err), &err);
    cdp_output_abandon(output);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, CDP_MOST_MODELS), count = argc - first;
    struct model models[CDP_MOST_MODELS] = {0};
    if (dims.count > 1 && dims.count != (size_t)count)
        tool_usage("--dim has %zu numbers for %d files of features", dims.count, count);
    for (int m = 0; m < count; m++) {
        models[m].features = argv[first + m];
        models[m].dim = dims.count ? dims.number[dims.count > 1 ? m : 0] : 0;
        if (!strcmp(models[m].features, "-"))
            tool_usage("FEATURES is read more than once: standard input cannot be");
    }
    if (images_name && !ids_name)
        tool_usage("--images needs --ids, the paths of the pictures");
    uint64_t items = models_measure(models, count, ids_name, truth_name);
    if (items < 2)
        tool_fail("%s: %llu row: nothing to cluster", models[0].features,
                  (unsigned long long)items);
    uint64_t k = neighbours ? neighbours : items > NEIGHBOURS ? NEIGHBOURS : items - 1;
    tool_warn("%llu items, %d model%s: lists of %llu neighbours of each, by cosine",
              (unsigned long long)items, count, tool_s((uint64_t)count), (unsigned long long)k);

    check_output(common.output);
    check_output(report_name);
    const char *folder = folder_name ? folder_name : "cdp-streams";
    if (dry) {
        struct command make = {{"mkdir", "-p", folder}, 3};
        command_print(&make);
    } else {
        folder = command_folder(folder_name);
    }
    for (int m = 0; m < count; m++) {
        models[m].lists = lists_name(folder, models, m);
        find_neighbours(&models[m], k);
    }
    const char *pairs = text("%s/pairs.cdp", folder);
    score_pairs(models, count, pairs);

    bool to_file = common.output && strcmp(common.output, "-");
    const char *labels = to_file                     ? common.output
                         : truth_name || report_name ? text("%s/labels.txt", folder)
                                                     : NULL;
    struct command propagate = {0};
    command_add(&propagate, "cdp-propagate");
    add_common(&propagate, true);
    command_option(&propagate, "--method", "map");
    command_option(&propagate, "-o", labels);
    command_add(&propagate, pairs);
    step(&propagate, false);
    if (truth_name) {
        struct command eval = {{"cdp-eval", labels, truth_name}, 3};
        step(&eval, !to_file);
    }
    if (report_name) {
        struct command report = {{"cdp-report"}, 1};
        command_option(&report, "--pairs", pairs);
        command_option(&report, "--truth", truth_name);
        command_option(&report, "--list", images_name ? ids_name : NULL);
        command_option(&report, "--images", images_name);
        command_option(&report, "-o", report_name);
        command_add(&report, labels);
        step(&report, false);
    }
    if (labels && !to_file) {
        struct command print = {{"cdp-relabel", labels}, 2};
        step(&print, false);
    }
    tool_finish(NULL);
}
