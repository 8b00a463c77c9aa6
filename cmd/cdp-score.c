// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "score/score.h"
#include "tool.h"

static uint64_t accept_count;
static double threshold = 0.6;
static const char *labels_name;
static struct cdp_texts features;

static const struct cdp_option vote_options[] = {
    {CDP_OPTION_COUNT, 0, "accept", "N", "members of the committee that must agree (0)",
     &accept_count, 0, 65535, NULL},
    {CDP_OPTION_REAL, 0, "threshold", "T", "keep pairs whose similarity is above T (0.6)",
     &threshold, 0, 0, NULL},
    {0},
};

static const struct cdp_option truth_options[] = {
    {CDP_OPTION_TEXT, 0, "labels", "META", "the true label of each item, one a line", &labels_name,
     0, 0, NULL},
    {0},
};

static const struct cdp_option features_options[] = {
    {CDP_OPTION_TEXTS, 0, "features", "FILE",
     "a model's features: once for each list, in their order", &features, 0, 0, NULL},
    {0},
};

static const struct tool vote_tool = {
    .name = "cdp-score vote",
    .summary = "Keeps the base model's neighbours that enough of a committee agree on",
    .synopsis = "[OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "  cdp-score vote --accept 2 --threshold 0.5 base.cdp m1.cdp m2.cdp m3.cdp "
               ">pairs.cdp\n",
    .options = vote_options,
};

static const struct tool truth_tool = {
    .name = "cdp-score truth",
    .summary = "Keeps the base model's neighbours of the same identity: an upper bound",
    .synopsis = "--labels META [OPTION]... BASE.cdp",
    .example = "  cdp-score truth --labels meta.txt base.cdp | cdp-propagate >labels.txt\n",
    .options = truth_options,
};

static const struct tool features_tool = {
    .name = "cdp-score features",
    .summary = "Computes what a mediator judges the base model's neighbours by",
    .synopsis = "--features FILE... [OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example =
        "  cdp-score features --features m0.bin --features m1.bin m0.cdp m1.cdp >pairs.cdp\n",
    .options = features_options,
};

static const struct tool *const commands[] = {&vote_tool, &features_tool, &truth_tool, NULL};

static const struct tool whole = {
    .name = "cdp-score",
    .summary = "Makes scored pairs of neighbour lists",
    .synopsis = "COMMAND [OPTION]... BASE.cdp [MEMBER.cdp]...",
    .example = "  cdp-score vote --threshold 0.6 base.cdp | cdp-propagate >labels.txt\n",
};

static void read_member(struct cdp_table *member, const struct cdp_table *base,
                        const char *base_name, const char *name, struct cdp_header *header)
{
    struct cdp_err err;
    tool_check(
        cdp_table_read(member, name, "cdp-score reads knn streams", (int)common.threads, &err),
        &err);
    if (member->rows != base->rows) {
        cdp_fail(&err, "%s: %llu nodes, but the base, %s, has %llu", name,
                 (unsigned long long)member->rows, base_name, (unsigned long long)base->rows);
        tool_fail(&err);
    }
    tool_check(cdp_header_note(header, &err, "member: digest %016llx",
                               (unsigned long long)member->totals.digest),
               &err);
    tool_check(cdp_header_inherit(header, &member->header, &err), &err);
}

static void count_votes(const struct cdp_table *base, const char *base_name, const char *name,
                        uint16_t *votes, struct cdp_header *header)
{
    struct cdp_table member;
    read_member(&member, base, base_name, name, header);
    cdp_vote_count(base, &member, votes, (int)common.threads);
    cdp_table_free(&member);
}

// Fills `keep` by vote.
static void vote(struct cdp_table *base, char **names, int members, uint8_t *keep,
                 struct cdp_header *header)
{
    struct cdp_err err;
    uint64_t edges = base->offset[base->rows];
    uint16_t *votes = cdp_zalloc(edges, sizeof *votes, "votes", &err);
    tool_check(votes ? 0 : -1, &err);
    for (int m = 1; m <= members; m++)
        count_votes(base, names[0], names[m], votes, header);
    cdp_similarities(base);
    cdp_vote_keep(base, votes, (unsigned)accept_count, (float)threshold, keep);
    free(votes);
}

static void truth(struct cdp_table *base, const char *name, uint8_t *keep)
{
    struct cdp_labels labels;
    struct cdp_err err;
    tool_check(cdp_labels_read(&labels, labels_name, false, &err), &err);
    if (labels.items != base->rows) {
        cdp_fail(&err, "%s: %llu labels, but %s has %llu nodes", labels_name,
                 (unsigned long long)labels.items, name, (unsigned long long)base->rows);
        tool_fail(&err);
    }
    cdp_truth_keep(base, &labels, keep);
    cdp_labels_free(&labels);
}

// A committee, and the pairs that wait for their features.
struct committee {
    unsigned count;
    struct cdp_table *lists; // of the members; the base's are the caller's
    struct cdp_matrix *matrices;
    struct cdp_model *models;
    struct cdp_pair *pairs; // CDP_BLOCK_EDGES
    float *values;          // of each pair
    size_t waiting;
    struct cdp_writer *writer;
};

static void open_committee(struct committee *c, const struct cdp_table *base, char **names,
                           struct cdp_header *header)
{
    struct cdp_err err;
    header->columns = cdp_feature_columns(c->count);
    cdp_feature_names(c->count, header->column);
    c->lists = cdp_zalloc(c->count, sizeof *c->lists, "lists", &err);
    c->matrices = cdp_zalloc(c->count, sizeof *c->matrices, "features", &err);
    c->models = cdp_zalloc(c->count, sizeof *c->models, "models", &err);
    c->pairs = cdp_alloc(CDP_BLOCK_EDGES, sizeof *c->pairs, "pairs", &err);
    c->values = cdp_alloc(CDP_BLOCK_EDGES, header->columns * sizeof *c->values, "features", &err);
    tool_check(c->lists && c->matrices && c->models && c->pairs && c->values ? 0 : -1, &err);
    for (unsigned m = 0; m < c->count; m++) {
        if (m > 0)
            read_member(&c->lists[m], base, names[0], names[m], header);
        tool_check(cdp_matrix_open(&c->matrices[m], features.text[m], CDP_FORMAT_AUTO, 0,
                                   base->rows, &err),
                   &err);
        uint64_t digest;
        tool_check(cdp_matrix_digest(&c->matrices[m], &digest, &err), &err);
        tool_check(
            cdp_header_note(header, &err, "features: XXH64 %016llx", (unsigned long long)digest),
            &err);
        tool_check(cdp_model_init(&c->models[m], m ? &c->lists[m] : base, &c->matrices[m],
                                  (int)common.threads, &err),
                   &err);
    }
}

static void close_committee(struct committee *c)
{
    for (unsigned m = 0; m < c->count; m++) {
        cdp_model_free(&c->models[m]);
        cdp_matrix_close(&c->matrices[m]);
        cdp_table_free(&c->lists[m]);
    }
    free(c->lists);
    free(c->matrices);
    free(c->models);
    free(c->pairs);
    free(c->values);
}

static int write_features(struct committee *c, struct cdp_err *err)
{
    unsigned columns = cdp_feature_columns(c->count);
    if (cdp_features(c->models, c->count, c->pairs, c->waiting, c->values, (int)common.threads,
                     err))
        return -1;
    for (size_t p = 0; p < c->waiting; p++) {
        if (cdp_writer_add(c->writer, c->pairs[p].i, c->pairs[p].j, c->values + p * columns, err))
            return -1;
    }
    c->waiting = 0;
    return 0;
}

static int add_pair(void *context, uint64_t i, uint64_t j, float score, struct cdp_err *err)
{
    struct committee *c = context;
    (void)score;
    c->pairs[c->waiting++] = (struct cdp_pair){(uint32_t)i, (uint32_t)j};
    return c->waiting == CDP_BLOCK_EDGES ? write_features(c, err) : 0;
}

static int write_pair(void *context, uint64_t i, uint64_t j, float score, struct cdp_err *err)
{
    return cdp_writer_add(context, i, j, &score, err);
}

int main(int argc, char **argv)
{
    const struct tool *tool = tool_choose(&whole, commands, NULL, &argc, argv);
    bool voting = tool == &vote_tool, judging = tool == &features_tool;
    int first = tool_start(tool, argc, argv, 1, voting || judging ? -1 : 1);
    int members = argc - first - 1;
    if (voting && accept_count > (uint64_t)members)
        tool_usage("--accept %llu, but there are %d members", (unsigned long long)accept_count,
                   members);
    if (judging && features.count != (size_t)members + 1)
        tool_usage("--features is given %zu times, but there are %d lists", features.count,
                   members + 1);
    if (judging && 3 * features.count > CDP_MAX_COLUMNS)
        tool_usage("at most %d models", CDP_MAX_COLUMNS / 3);
    if (!voting && !judging && !labels_name)
        tool_usage("--labels is missing");
    struct cdp_output *output = tool_output(true);

    struct cdp_table base;
    struct cdp_err err;
    tool_check(cdp_table_read(&base, argv[first], "cdp-score reads knn streams",
                              (int)common.threads, &err),
               &err);
    struct cdp_header header;
    cdp_header_init(&header, judging ? CDP_FEATURES : CDP_PAIRS);
    header.nodes = base.rows;
    tool_provenance(&header);
    tool_check(cdp_header_note(&header, &err, "base: digest %016llx",
                               (unsigned long long)base.totals.digest),
               &err);
    tool_check(cdp_header_inherit(&header, &base.header, &err), &err);
    uint8_t *keep = cdp_alloc(base.offset[base.rows], 1, "kept edges", &err);
    tool_check(keep ? 0 : -1, &err);
    struct committee committee = {.count = judging ? (unsigned)features.count : 0};
    if (judging) {
        memset(keep, 1, base.offset[base.rows]);
        open_committee(&committee, &base, argv + first, &header);
    } else if (voting)
        vote(&base, argv + first, members, keep, &header);
    else
        truth(&base, argv[first], keep);

    struct cdp_writer *writer;
    struct cdp_totals totals;
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    committee.writer = writer;
    if (judging)
        tool_check(cdp_pairs(&base, keep, add_pair, &committee, &err) ||
                           write_features(&committee, &err)
                       ? -1
                       : 0,
                   &err);
    else
        tool_check(cdp_pairs(&base, keep, write_pair, writer, &err), &err);
    tool_check(cdp_writer_finish(writer, &totals, &err), &err);
    tool_say("%llu pairs", (unsigned long long)totals.edges);
    cdp_writer_free(writer);
    close_committee(&committee);
    cdp_header_free(&header);
    cdp_table_free(&base);
    free(keep);
    tool_finish(output);
}
