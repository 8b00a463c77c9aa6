// SPDX-License-Identifier: MIT
#include "cluster/steps.h"

#include <stdio.h>
#include <string.h>

#include "cluster/command.h"
#include "text.h"
#include "tool.h"

static void add_common(struct command *command, bool verbose)
{
    if (common.threads)
        command_option(command, "-t", text_join("%llu", (unsigned long long)common.threads));
    if (common.quiet)
        command_add(command, "-q");
    else if (verbose || common.verbose)
        command_add(command, "-v");
    if (common.progress != TOOL_PROGRESS_AUTO)
        command_add(command, common.progress == TOOL_PROGRESS_ALWAYS ? "--progress=always"
                                                                     : "--progress=never");
}

void cluster_step(const struct command *command, bool to_error)
{
    if (cluster_options.dry_run)
        puts(command_text(command));
    else
        command_run(command, to_error);
}

// The file of a model's lists: the features' own name in the folder, and a number if several models
// have that name.
char *cluster_lists(const char *folder, const struct model *models, int m)
{
    const char *name = models[m].features + strlen(models[m].features);
    while (name > models[m].features && !strchr("/:", name[-1]))
        name--;
    char *lists = text_join("%s/knn-%.*s.cdp", folder, (int)strcspn(name, "."), name);
    for (int i = 0; i < m; i++) {
        if (!strcmp(lists, models[i].lists))
            return text_join("%s/knn-%.*s-%d.cdp", folder, (int)strcspn(name, "."), name, m + 1);
    }
    return lists;
}

void cluster_neighbours(const struct model *model, uint64_t k)
{
    struct command knn = {0};
    command_add(&knn, "cdp-knn");
    add_common(&knn, false);
    command_option(&knn, "-k", text_join("%llu", (unsigned long long)k));
    command_option(&knn, "--dim", text_join("%llu", (unsigned long long)model->dim));
    command_option(&knn, "--ids", cluster_options.ids);
    command_option(&knn, "-o", model->lists);
    command_add(&knn, model->features);
    cluster_step(&knn, false);
}

void cluster_score(const struct model *models, int count, const char *pairs)
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
    cluster_step(&score, false);
}

void cluster_propagate(const char *pairs, const char *labels)
{
    struct command propagate = {0};
    command_add(&propagate, "cdp-propagate");
    add_common(&propagate, true);
    command_option(&propagate, "--method", "map");
    command_option(&propagate, "--must-link", cluster_options.must_link);
    command_option(&propagate, "--cannot-link", cluster_options.cannot_link);
    command_option(&propagate, "-o", labels);
    command_add(&propagate, pairs);
    cluster_step(&propagate, false);
}

// Writes labels to a file, or to standard output if that is NULL.
void cluster_labels(const char *labels, const char *previous, const char *output)
{
    struct command relabel = {{"cdp-relabel"}, 1};
    command_option(&relabel, "--previous", previous);
    command_option(&relabel, "--changes", previous ? cluster_options.changes : NULL);
    command_option(&relabel, "-o", output);
    command_add(&relabel, labels);
    cluster_step(&relabel, false);
}

void cluster_evaluate(const char *labels, bool to_error)
{
    struct command eval = {{"cdp-eval"}, 1};
    command_option(&eval, "--ids", cluster_options.ids);
    command_add(&eval, labels);
    command_add(&eval, cluster_options.truth);
    cluster_step(&eval, to_error);
}

// A name beside that of a file.
static const char *corrected(const char *name)
{
    const char *last = strrchr(name, '/');
    int folder = last ? (int)(last + 1 - name) : 0;
    return text_join("%.*scorrected-%s", folder, name, name + folder);
}

static void add_links(struct command *command)
{
    command_option(command, "--must-link", "must-link.txt");
    command_option(command, "--cannot-link", "cannot-link.txt");
}

// The commands of the next run, with the corrections: where pairs are kept, from these.
static const char *next_run(const struct model *models, int count, const char *pairs)
{
    const char *before = common.output ? common.output : "LABELS", *after = corrected(before);
    const char *page = corrected(cluster_options.report);
    if (cluster_options.keep) {
        struct command propagate = {{"cdp-propagate", "--method", "map"}, 3};
        struct command relabel = {{"cdp-relabel", "--previous", before, "-o", after, "-"}, 6};
        struct command report = {{"cdp-report", "--pairs", pairs}, 3};
        add_links(&propagate);
        command_add(&propagate, pairs);
        add_links(&report);
        command_option(&report, "--truth", cluster_options.truth);
        command_option(&report, "--previous", before);
        command_option(&report, "--list", cluster_options.images ? cluster_options.ids : NULL);
        command_option(&report, "--images", cluster_options.images);
        command_option(&report, "-o", page);
        command_add(&report, after);
        return text_join("%s | %s\n%s", command_text(&propagate), command_text(&relabel),
                         command_text(&report));
    }
    struct command again = {{"cdp-cluster"}, 1};
    if (cluster_options.neighbours)
        command_option(&again, "-k",
                       text_join("%llu", (unsigned long long)cluster_options.neighbours));
    if (cluster_options.dims.count) {
        const char *dims = text_join("%llu", (unsigned long long)models[0].dim);
        for (int m = 1; m < count; m++)
            dims = text_join("%s,%llu", dims, (unsigned long long)models[m].dim);
        command_option(&again, "--dim", dims);
    }
    command_option(&again, "--ids", cluster_options.ids);
    command_option(&again, "--truth", cluster_options.truth);
    command_option(&again, "--images", cluster_options.images);
    add_links(&again);
    command_option(&again, "--previous", before);
    command_option(&again, "--report", page);
    command_option(&again, "-o", after);
    for (int m = 0; m < count; m++)
        command_add(&again, models[m].features);
    return command_text(&again);
}

void cluster_report(const struct model *models, int count, const char *pairs, const char *labels)
{
    struct command report = {{"cdp-report"}, 1};
    command_option(&report, "--title", common.output ? common.output : "labels");
    command_option(&report, "--command", next_run(models, count, pairs));
    command_option(&report, "--pairs", pairs);
    command_option(&report, "--must-link", cluster_options.must_link);
    command_option(&report, "--cannot-link", cluster_options.cannot_link);
    command_option(&report, "--ids", cluster_options.ids);
    command_option(&report, "--truth", cluster_options.truth);
    command_option(&report, "--previous", cluster_options.previous);
    command_option(&report, "--list", cluster_options.images ? cluster_options.ids : NULL);
    command_option(&report, "--images", cluster_options.images);
    command_option(&report, "-o", cluster_options.report);
    command_add(&report, labels);
    cluster_step(&report, false);
}
