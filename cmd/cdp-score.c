// SPDX-License-Identifier: MIT
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "score/score.h"
#include "tool.h"

static uint64_t accept_count;
static double threshold = 0.6, scale = NAN; // NaN: max
static const char *labels_name;
static struct cdp_texts features;
static bool extra;
static uint64_t rows[2] = {0, UINT64_MAX};

static const struct cdp_option vote_options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "accept",
     .arg = "N",
     .help = "members of the committee that must agree (0)",
     .value = &accept_count,
     .min = 0,
     .max = UINT32_MAX},
    {.type = CDP_OPTION_REAL,
     .name = "threshold",
     .arg = "T",
     .help = "keep pairs whose similarity is above T (0.6)",
     .value = &threshold,
     .min = -1,
     .max = 1},
    {.type = CDP_OPTION_REAL,
     .name = "scale",
     .arg = "D",
     .help = "similarity = 1 - distance / D; max: the largest distance (max)",
     .value = &scale,
     .min = FLT_MIN,
     .max = FLT_MAX,
     .choices = (const char *const[]){"max", NULL}},
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
     .value = &features,
     .required = true},
    {.type = CDP_OPTION_FLAG,
     .name = "extra",
     .help = "ranks and densities too, beyond the paper",
     .value = &extra},
    {.type = CDP_OPTION_RANGE,
     .name = "rows",
     .arg = "A:B",
     .help = "only the pairs whose smaller id is A to B - 1",
     .value = rows},
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

static struct cdp_header header;               // of the output
static struct cdp_names *names;                // of the items; NULL = no list has some
static struct cdp_table lists[CDP_MOST_TEXTS]; // the base's first
static struct cdp_matrix matrices[CDP_MOST_TEXTS];
static struct cdp_model models[CDP_MOST_TEXTS];

// Takes the names of the first list that has some; those of the others must be the same.
static void take_names(struct cdp_table *table, const char *name)
{
    struct cdp_err err;
    if (!names)
        names = table->names;
    else if (table->names && cdp_names_join(&names, table->names, &err))
        tool_fail("%s: %s: all lists must be of the same items in the same order", name, err.text);
    table->names = NULL;
}

static void read_lists(struct cdp_table *table, const char *name)
{
    struct cdp_err err;
    tool_check(
        cdp_table_read(table, name, "cdp-score reads knn streams", (int)common.threads, &err),
        &err);
}

static void note_lists(const struct cdp_table *table, const char *role)
{
    struct cdp_err err;
    tool_check(cdp_header_note(&header, &err, "%s: digest %016llx", role,
                               (unsigned long long)table->totals.digest) ||
                       cdp_header_inherit(&header, &table->header, &err)
                   ? -1
                   : 0,
               &err);
}

// Fails unless a table has the lists of all of these rows; both 0 = of all.
static void require_rows(const struct cdp_table *table, const char *name, const uint64_t needed[2])
{
    const uint64_t *has = table->header.rows;
    if (!has[1] || (needed[1] && has[0] <= needed[0] && needed[1] <= has[1]))
        return;
    char wanted[64] = "all rows";
    if (needed[1])
        snprintf(wanted, sizeof wanted, "rows %llu:%llu", (unsigned long long)needed[0],
                 (unsigned long long)needed[1]);
    tool_fail("%s: the lists of rows %llu:%llu only, but those of %s are needed: join all parts "
              "by cat, in the order of their rows",
              name, (unsigned long long)has[0], (unsigned long long)has[1], wanted);
}

static void read_base(const char *name, bool all)
{
    struct cdp_table *base = &lists[0];
    read_lists(base, name);
    if (all)
        require_rows(base, name, (uint64_t[2]){0, 0});
    take_names(base, name);
    bool given = rows[0] || rows[1] != UINT64_MAX;
    if (rows[1] == UINT64_MAX)
        rows[1] = base->rows;
    if (given && (rows[0] >= rows[1] || rows[1] > base->rows))
        tool_fail("%s: --rows %llu:%llu, but there are %llu rows", name,
                  (unsigned long long)rows[0], (unsigned long long)rows[1],
                  (unsigned long long)base->rows);
    tool_provenance(&header);
    note_lists(base, "base");
}

static void read_member(struct cdp_table *member, const char *name)
{
    read_lists(member, name);
    note_lists(member, "member");
    if (member->rows != lists[0].rows)
        tool_fail("%s: %llu nodes, but the base has %llu", name, (unsigned long long)member->rows,
                  (unsigned long long)lists[0].rows);
    take_names(member, name);
    require_rows(member, name, lists[0].header.rows);
    uint32_t k = member->header.k, base = lists[0].header.k;
    if (k && base && k != base)
        tool_warn("%s: lists of k = %u, but the base's are of k = %u", name, k, base);
}

// Takes distances that are below 0 by rounding as 0. Others below 0 would give scores above 1.
static void round_up_to_zero(struct cdp_table *base, const char *name)
{
    const float least = -1e-6F;
    if (!(base->totals.floor < 0))
        return;
    if (base->totals.floor < least)
        tool_fail("%s: the smallest distance is %.9g: distances must be at least 0", name,
                  (double)base->totals.floor);
    uint64_t count = 0;
    for (uint64_t e = 0; e < base->offset[base->rows]; e++) {
        count += base->distance[e] < 0;
        base->distance[e] = base->distance[e] < 0 ? 0 : base->distance[e];
    }
    tool_warn("%s: %llu distances below 0, by %.9g at most, are taken as 0", name,
              (unsigned long long)count, -(double)base->totals.floor);
}

// Warns where a few far items set the scale: where the largest distance is more than 5 times the
// median of the lists' last ones. That median then has a score above 0.8, so that a usual threshold
// keeps most lists whole. Of the features of LFW by five models, and of cdp-synth, the largest is
// at most 1.9 times the median, by l2, l1, linf and angular, with 1 or 14 neighbours.
static void warn_of_far(const char *name)
{
    const float far = 5;
    float median, largest = lists[0].totals.ceiling;
    struct cdp_err err;
    tool_check(cdp_median_radius(&lists[0], &median, &err), &err);
    if (largest / far > median)
        tool_warn("%s: scores are 1 - distance / %g, the largest distance, but half of the lists "
                  "end by %.3g: a few far items set all scores: give --scale",
                  name, (double)largest, (double)median);
}

// The scale of the scores. 0: they are 1 - distance, for cosine and for lists of no metric.
static float choose_scale(const char *name)
{
    const struct cdp_table *base = &lists[0];
    if (!isnan(scale))
        return (float)scale;
    if (base->header.metric == CDP_COSINE || base->header.metric == CDP_METRIC_NONE)
        return 0;
    if (base->header.rows[1])
        tool_fail("%s: the lists of rows %llu:%llu only, whose largest %s distance is not that of "
                  "all rows: give --scale, the same for all parts",
                  name, (unsigned long long)base->header.rows[0],
                  (unsigned long long)base->header.rows[1], cdp_metric_names[base->header.metric]);
    if (!(base->totals.ceiling > 0))
        return 1; // all distances are 0
    warn_of_far(name);
    return base->totals.ceiling;
}

static uint8_t *all_edges(void)
{
    struct cdp_err err;
    uint8_t *keep = cdp_alloc(lists[0].offset[lists[0].rows], 1, "kept edges", &err);
    tool_check(keep ? 0 : -1, &err);
    return keep;
}

// The base's edges that enough members vote for. One member's lists are in memory at a time.
static uint8_t *vote(char **files, size_t count)
{
    struct cdp_table *base = &lists[0];
    struct cdp_err err;
    round_up_to_zero(base, files[0]);
    header.scale = choose_scale(files[0]);
    uint32_t *votes = cdp_zalloc(base->offset[base->rows], sizeof *votes, "votes", &err);
    tool_check(votes ? 0 : -1, &err);
    for (size_t m = 1; m < count; m++) {
        struct cdp_table member;
        read_member(&member, files[m]);
        cdp_vote_count(base, &member, votes, (int)common.threads);
        cdp_table_free(&member);
    }
    uint8_t *keep = all_edges();
    cdp_similarities(base, header.scale);
    cdp_vote_keep(base, votes, (unsigned)accept_count, (float)threshold, keep);
    free(votes);
    return keep;
}

// The base's edges between items of one identity.
static uint8_t *truth(const char *base_name)
{
    struct cdp_labels labels;
    struct cdp_err err;
    uint64_t unknown, items = lists[0].rows;
    tool_check(cdp_labels_read(&labels, labels_name, false, &err), &err);
    tool_check(cdp_labels_match(&labels, labels_name, names, items, base_name, &unknown, &err),
               &err);
    tool_note_unknown(labels_name, unknown, items);
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
    char **files = argv + first;
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
    read_base(files[0], tool == &features_tool);
    header.nodes = lists[0].rows;
    header.k = tool == &features_tool ? lists[0].header.k : 0;
    uint8_t *keep = NULL;
    if (tool == &features_tool) {
        header.columns = cdp_feature_columns((unsigned)count, extra);
        cdp_feature_names((unsigned)count, extra, header.column);
        for (size_t m = 1; m < features.count; m++)
            read_member(&lists[m], files[m]);
        for (size_t m = 0; m < features.count; m++)
            open_model(m);
    } else {
        keep = tool == &vote_tool ? vote(files, (size_t)count) : truth(files[0]);
    }
    header.named = names != NULL;

    struct cdp_writer *writer;
    struct cdp_totals totals;
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    tool_check(tool == &features_tool
                   ? cdp_features(models, (unsigned)count, extra, rows, write_pair, writer,
                                  (int)common.threads, tool_progress(), &err)
                   : cdp_pairs(&lists[0], keep, rows, write_pair, writer, &err),
               &err);
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, &totals, &err), &err);
    tool_say("%llu pairs", (unsigned long long)totals.edges);
    cdp_writer_free(writer);
    for (size_t m = 0; m < features.count; m++) {
        cdp_model_free(&models[m]);
        cdp_matrix_close(&matrices[m]);
        cdp_table_free(&lists[m]);
    }
    cdp_table_free(&lists[0]);
    cdp_names_free(names);
    cdp_header_free(&header);
    free(keep);
    tool_finish(output);
}
