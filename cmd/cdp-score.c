// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "score/score.h"
#include "tool.h"

static uint64_t accept_count;
static double threshold = 0.6;
static const char *labels_name;
static struct cdp_texts features;
static bool extra;

static const struct cdp_option vote_options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "accept",
     .arg = "N",
     .help = "members of the committee that must agree (0)",
     .value = &accept_count,
     .min = 0,
     .max = 65535},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "keep pairs whose similarity is above T (0.6)",
     .value = &threshold,
     .min = -1,
     .max = 1},
    {0},
};

static const struct cdp_option truth_options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "labels",
     .arg = "META",
     .help = "the true label of each item, one a line",
     .value = &labels_name,
     .required = true},
    {0},
};

static const struct cdp_option features_options[] = {
    {.type = CDP_OPTION_TEXTS,
     .name = "features",
     .arg = "FILE",
     .help = "a model's features: once for each list, in their order",
     .value = &features},
    {.type = CDP_OPTION_FLAG,
     .name = "extra",
     .help = "ranks and densities too, beyond the paper",
     .value = &extra},
    {0},
};

static const struct tool vote_tool = {
    .name = "cdp-score vote",
    .summary = "Keeps the base model's neighbours that enough of a committee agree on",
    .synopsis = "[OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "cdp-score vote --accept 2 --threshold 0.5 base.cdp m1.cdp m2.cdp m3.cdp "
               ">pairs.cdp\n",
    .options = vote_options,
    .stream = "",
};

static const struct tool truth_tool = {
    .name = "cdp-score truth",
    .summary = "Keeps the base model's neighbours of the same identity: an upper bound",
    .synopsis = "--labels META [OPTION]... BASE.cdp",
    .example = "cdp-score truth --labels meta.txt base.cdp | cdp-propagate >labels.txt\n",
    .options = truth_options,
    .stream = "",
};

static const struct tool features_tool = {
    .name = "cdp-score features",
    .summary = "Computes what a mediator judges the base model's neighbours by",
    .synopsis = "--features FILE... [OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "         cdp-score features --features m0.bin --features m1.bin m0.cdp m1.cdp "
               ">pairs.cdp\n",
    .options = features_options,
    .stream = "",
};

static const struct tool *const commands[] = {&vote_tool, &features_tool, &truth_tool, NULL};

static const struct tool whole = {
    .name = "cdp-score",
    .summary = "Makes scored pairs of neighbour lists",
    .synopsis = "COMMAND [OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "cdp-score vote --threshold 0.6 base.cdp | cdp-propagate >labels.txt\n",
};

static struct cdp_header header;               // of what is written
static struct cdp_table lists[CDP_MOST_TEXTS]; // the base's first
static struct cdp_matrix matrices[CDP_MOST_TEXTS];
static struct cdp_model models[CDP_MOST_TEXTS];

static void read_lists(struct cdp_table *table, const char *name, const char *role)
{
    struct cdp_err err;
    tool_check(
        cdp_table_read(table, name, "cdp-score reads knn streams", (int)common.threads, &err),
        &err);
    tool_check(cdp_header_note(&header, &err, "%s: digest %016llx", role,
                               (unsigned long long)table->totals.digest) ||
                       cdp_header_inherit(&header, &table->header, &err)
                   ? -1
                   : 0,
               &err);
}

static void read_member(struct cdp_table *member, char **names, size_t m)
{
    read_lists(member, names[m], "member");
    if (member->rows != lists[0].rows) {
        tool_fail("%s: %llu nodes, but the base, %s, has %llu", names[m],
                  (unsigned long long)member->rows, names[0], (unsigned long long)lists[0].rows);
    }
}

static uint8_t *all_edges(void)
{
    struct cdp_err err;
    uint8_t *keep = cdp_alloc(lists[0].offset[lists[0].rows], 1, "kept edges", &err);
    tool_check(keep ? 0 : -1, &err);
    return keep;
}

// The base's edges that enough members vote for. One member's lists are in memory at a time.
static uint8_t *vote(char **names, size_t count)
{
    struct cdp_table *base = &lists[0];
    struct cdp_err err;
    uint32_t *votes = cdp_zalloc(base->offset[base->rows], sizeof *votes, "votes", &err);
    tool_check(votes ? 0 : -1, &err);
    for (size_t m = 1; m < count; m++) {
        struct cdp_table member;
        read_member(&member, names, m);
        cdp_vote_count(base, &member, votes, (int)common.threads);
        cdp_table_free(&member);
    }
    uint8_t *keep = all_edges();
    cdp_similarities(base);
    cdp_vote_keep(base, votes, (unsigned)accept_count, (float)threshold, keep);
    free(votes);
    return keep;
}

// The base's edges between items of one identity.
static uint8_t *truth(const char *base_name)
{
    struct cdp_labels labels;
    tool_read_truth(&labels, labels_name);
    if (labels.items != lists[0].rows) {
        tool_fail("%s: %llu labels, but %s has %llu nodes", labels_name,
                  (unsigned long long)labels.items, base_name, (unsigned long long)lists[0].rows);
    }
    uint8_t *keep = all_edges();
    cdp_truth_keep(&lists[0], &labels, keep);
    cdp_labels_free(&labels);
    return keep;
}

static void open_model(size_t m)
{
    struct cdp_err err;
    uint64_t digest;
    tool_check(
        cdp_matrix_open(&matrices[m], features.text[m], CDP_FORMAT_AUTO, 0, lists[0].rows, &err),
        &err);
    tool_check(cdp_matrix_digest(&matrices[m], (int)common.threads, &digest, &err), &err);
    tool_check(
        cdp_header_note(&header, &err, "features: XXH64 %016llx", (unsigned long long)digest),
        &err);
    tool_check(cdp_model_init(&models[m], &lists[m], &matrices[m], (int)common.threads, &err),
               &err);
}

static int write_pair(void *writer, uint64_t i, uint64_t j, const float *values,
                      struct cdp_err *err)
{
    return cdp_writer_add(writer, i, j, values, err);
}

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    int first = tool_start(tool, argc, argv, 1, tool == &truth_tool ? 1 : -1);
    int count = argc - first;
    char **names = argv + first;
    if (tool == &vote_tool && accept_count >= (uint64_t)count)
        tool_usage("--accept %llu, but there are %d members", (unsigned long long)accept_count,
                   count - 1);
    if (tool == &features_tool && features.count != (size_t)count)
        tool_usage("--features is given %zu times, but there are %d lists", features.count, count);
    if (extra && cdp_feature_columns((unsigned)count, true) > CDP_MAX_COLUMNS)
        tool_usage("--extra, but %d models are too many for %d columns", count, CDP_MAX_COLUMNS);
    struct cdp_output *output = tool_output(true);

    struct cdp_err err;
    cdp_header_init(&header, tool == &features_tool ? CDP_FEATURES : CDP_PAIRS);
    tool_provenance(&header);
    read_lists(&lists[0], names[0], "base");
    header.nodes = lists[0].rows;
    header.k = tool == &features_tool ? lists[0].header.k : 0;
    uint8_t *keep = NULL;
    if (tool == &features_tool) {
        header.columns = cdp_feature_columns((unsigned)count, extra);
        cdp_feature_names((unsigned)count, extra, header.column);
        for (size_t m = 1; m < features.count; m++)
            read_member(&lists[m], names, m);
        for (size_t m = 0; m < features.count; m++)
            open_model(m);
    } else {
        keep = tool == &vote_tool ? vote(names, (size_t)count) : truth(names[0]);
    }

    struct cdp_writer *writer;
    struct cdp_totals totals;
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    tool_check(tool == &features_tool
                   ? cdp_features(models, (unsigned)count, extra, write_pair, writer,
                                  (int)common.threads, tool_progress(), &err)
                   : cdp_pairs(&lists[0], keep, write_pair, writer, &err),
               &err);
    tool_check(cdp_writer_finish(writer, &totals, &err), &err);
    tool_say("%llu pairs", (unsigned long long)totals.edges);
    cdp_writer_free(writer);
    for (size_t m = 0; m < features.count; m++) {
        cdp_model_free(&models[m]);
        cdp_matrix_close(&matrices[m]);
        cdp_table_free(&lists[m]);
    }
    cdp_table_free(&lists[0]);
    cdp_header_free(&header);
    free(keep);
    tool_finish(output);
}
