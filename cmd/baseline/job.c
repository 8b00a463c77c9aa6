// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baseline/commands.h"
#include "io/input.h"
#include "lists.h"
#include "names.h"

struct cdp_baseline_plan plan;
bool make_tree;

static uint64_t dim; // 0 = from the file
static int format;   // enum cdp_matrix_format
static const char *ids, *knn;

// ---- options

static const struct cdp_option tree_option = {
    .type = CDP_OPTION_FLAG,
    .name = "tree",
    .group = "Output",
    .help = "write the merge tree, as SciPy's linkage, no labels",
    .value = &make_tree,
    .without = "ids",
};

static const struct cdp_option knn_option = {
    .type = CDP_OPTION_TEXT,
    .name = "knn",
    .arg = "LISTS.cdp",
    .group = "Input",
    .help = "knn stream to use instead of a search",
    .value = &knn,
};

static const struct cdp_option features_options[] = {
    {.type = CDP_OPTION_CHOICE,
     .name = "format",
     .arg = "NAME",
     .group = "Input",
     .help = "format of FEATURES",
     .value = &format,
     .choices = (const char *const[]){"auto", "raw", "npy", "fvecs", "bvecs", NULL}},
    {.type = CDP_OPTION_COUNT,
     .name = "dim",
     .arg = "D",
     .help = "numbers per row; required for raw float32",
     .value = &dim,
     .unset = "from the file",
     .min = 1,
     .max = 1e9},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of row names, one per line, written before the labels",
     .value = &ids},
    {0},
};

const struct cdp_option *baseline_table(const struct cdp_method *method,
                                        const struct cdp_option *others)
{
    static struct cdp_option table[CDP_MOST_OPTIONS];
    struct cdp_option *next = table;
    cdp_baseline_defaults(&plan, method);
    for (const struct cdp_parameter *p = method->parameters; p->option.name; p++) {
        *next = p->option;
        next++->value = (char *)&plan + p->offset;
    }
    while (others && others->name)
        *next++ = *others++;
    if (method->tree)
        *next++ = tree_option;
    if (method->lists)
        *next++ = knn_option;
    memcpy(next, features_options, sizeof features_options);
    return table;
}

// ---- input

static void open_features(struct job *job, const char *input)
{
    struct cdp_err err;
    tool_check(cdp_matrix_open(&job->matrix, input, (enum cdp_matrix_format)format, dim, 0, &err),
               &err);
    tool_check(cdp_rows_new(&job->rows, &job->matrix, (int)common.threads, &err), &err);
    job->data.matrix = &job->matrix;
    job->data.rows = &job->rows;
    job->data.items = job->matrix.rows;
}

static void open_lists(struct job *job)
{
    struct cdp_err err;
    const char *shown = cdp_input_shown(knn);
    tool_check(
        cdp_table_read(&job->table, knn, "--knn takes knn streams", (int)common.threads, &err),
        &err);
    const char *notes = job->table.header.provenance ? job->table.header.provenance : "";
    job->data.table = &job->table;
    job->data.file = shown;
    tool_check(cdp_baseline_check_lists(&job->data, notes, &err), &err);
    if (strstr(notes, "method: approx"))
        tool_warn("%s: lists of an approximate search: the result is exact for these lists only",
                  shown);
    lists_round_up_to_zero(&job->table, shown);
    job->data.items = job->table.rows;
    job->names = job->table.names;
    job->table.names = NULL;
}

static void open_names(struct job *job)
{
    uint64_t items = job->data.items;
    cdp_names_free(job->names);
    names_read(&job->names, ids);
    uint64_t names = cdp_names_count(job->names);
    if (names != items)
        tool_fail("%s: %llu name%s, but there are %llu items%s", cdp_input_shown(ids),
                  (unsigned long long)names, tool_s(names), (unsigned long long)items,
                  names_hint(names, items));
}

void job_open(struct job *job, const struct cdp_method *method, const char *input)
{
    const char *features =
        make_tree && !method->features ? "a tree needs distances of rows" : method->features;
    *job = (struct job){.method = method,
                        .data = {.threads = (int)common.threads, .progress = tool_progress()}};
    if (!input && !knn)
        tool_usage("FEATURES is missing");
    if (!input && features)
        tool_usage("FEATURES is missing: %s", features);
    if (!input && (dim || format))
        tool_usage("FEATURES is missing, whose form --dim and --format tell");
    job->output = tool_output(false);
    if (input)
        open_features(job, input);
    if (knn)
        open_lists(job);
    if (ids)
        open_names(job);
}

// ---- runs

void job_run(struct job *job)
{
    struct cdp_err err;
    tool_check(cdp_baseline_run(job->method, &plan, &job->data, &job->result, &err), &err);
}

void job_labels(struct job *job)
{
    struct cdp_err err;
    job->result.label = cdp_alloc(job->data.items, sizeof *job->result.label, "labels", &err);
    tool_check(job->result.label ? 0 : -1, &err);
}

void job_write_labels(struct job *job)
{
    struct cdp_err err;
    uint32_t *label = job->result.label;
    uint64_t none = 0, clusters = job->result.clusters;
    for (uint64_t i = 0; i < job->data.items; i++)
        none += label[i] == CDP_NO_LABEL;
    tool_check(cdp_labels_write(job->output, label, job->data.items, job->names, &err), &err);
    tool_say("%llu cluster%s, %llu item%s in none", (unsigned long long)clusters, tool_s(clusters),
             (unsigned long long)none, tool_s(none));
    free(label);
}

static void write_tree(struct job *job)
{
    struct cdp_err err;
    const struct cdp_merged *row = job->result.tree;
    for (uint64_t r = 0; r + 1 < job->data.items; r++)
        tool_check(cdp_output_printf(job->output, &err, "%u\t%u\t%.9g\t%u\n", row[r].node[0],
                                     row[r].node[1], row[r].height, row[r].size),
                   &err);
}

void job_finish(struct job *job)
{
    cdp_names_free(job->names);
    cdp_table_free(&job->table);
    if (job->data.matrix) {
        cdp_rows_free(&job->rows);
        cdp_matrix_close(&job->matrix);
    }
    tool_finish(job->output);
}

void job_do(const struct cdp_method *method, const char *input)
{
    struct job job;
    struct cdp_err err;
    job_open(&job, method, input);
    if (make_tree) {
        struct cdp_merged *tree = cdp_alloc(job.data.items, sizeof *tree, "a merge tree", &err);
        tool_check(tree ? 0 : -1, &err);
        job.result.tree = tree;
        job_run(&job);
        write_tree(&job);
        free(tree);
    } else {
        job_labels(&job);
        job_run(&job);
        job_write_labels(&job);
    }
    job_finish(&job);
}
