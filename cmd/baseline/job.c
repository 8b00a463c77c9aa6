// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baseline/commands.h"
#include "io/input.h"
#include "lists.h"

struct baseline_options baseline_options;

// Entries of a list for a spanning tree: the longer, the fewer pairs its scan compares.
enum { SPANNING_NEIGHBOURS = 15 };

static void open_features(struct job *job, const char *input)
{
    struct cdp_err err;
    tool_check(cdp_matrix_open(&job->matrix, input, (enum cdp_matrix_format)baseline_options.format,
                               baseline_options.dim, 0, &err),
               &err);
    tool_check(cdp_rows_new(&job->rows, &job->matrix, (int)common.threads, &err), &err);
    job->features = true;
    job->items = job->matrix.rows;
}

static void open_lists(struct job *job)
{
    struct cdp_err err;
    const char *name = baseline_options.knn, *shown = cdp_input_shown(name);
    tool_check(
        cdp_table_read(&job->table, name, "--knn takes knn streams", (int)common.threads, &err),
        &err);
    if (job->features && job->table.rows != job->items)
        tool_fail("%s: lists of %llu items, but %s has %llu rows", shown,
                  (unsigned long long)job->table.rows, job->matrix.name,
                  (unsigned long long)job->items);
    if (job->table.header.rows[1])
        tool_fail("%s: the lists of rows %llu:%llu only: join all parts by cat, in the order of "
                  "their rows",
                  shown, (unsigned long long)job->table.header.rows[0],
                  (unsigned long long)job->table.header.rows[1]);
    const char *notes = job->table.header.provenance ? job->table.header.provenance : "";
    if (strstr(notes, " --copies=once"))
        tool_fail("%s: copies of a row are listed once: write lists by cdp-knn --copies list",
                  shown);
    if (strstr(notes, "method: approx"))
        tool_warn("%s: lists of an approximate search: the result is exact for these lists only",
                  shown);
    lists_round_up_to_zero(&job->table, shown);
    job->items = job->table.rows;
    job->names = job->table.names;
    job->table.names = NULL;
}

static void open_names(struct job *job)
{
    struct cdp_err err;
    const char *shown = cdp_input_shown(baseline_options.ids);
    cdp_names_free(job->names);
    tool_check(cdp_names_read(&job->names, baseline_options.ids, &err), &err);
    if (cdp_names_count(job->names) != job->items)
        tool_fail("%s: %llu name%s, but there are %llu items", shown,
                  (unsigned long long)cdp_names_count(job->names),
                  tool_s(cdp_names_count(job->names)), (unsigned long long)job->items);
}

void job_open(struct job *job, const char *input, const char *features)
{
    *job = (struct job){.output = NULL};
    if (!input && !baseline_options.knn)
        tool_usage("FEATURES is missing");
    if (!input && features)
        tool_usage("FEATURES is missing: %s", features);
    if (!input && (baseline_options.dim || baseline_options.format))
        tool_usage("FEATURES is missing, whose form --dim and --format tell");
    job->output = tool_output(false);
    if (input)
        open_features(job, input);
    if (baseline_options.knn)
        open_lists(job);
    if (baseline_options.ids)
        open_names(job);
}

void job_neighbours(const struct job *job, uint64_t k, struct cdp_neighbours *lists)
{
    struct cdp_err err;
    int status;
    if (baseline_options.knn)
        status =
            cdp_neighbours_take(lists, &job->table, k, cdp_input_shown(baseline_options.knn), &err);
    else
        status = cdp_neighbours_search(lists, &job->matrix, k, (int)common.threads, tool_progress(),
                                       &err);
    tool_check(status, &err);
}

void job_spanning_lists(const struct job *job, uint64_t min_samples, struct cdp_neighbours *lists)
{
    uint64_t least = 1 < min_samples && min_samples <= job->items ? min_samples - 1 : 1;
    uint64_t k = SPANNING_NEIGHBOURS;
    if (baseline_options.knn) {
        k = job->items;
        for (uint64_t i = 0; i < job->table.rows; i++) {
            uint64_t entries = job->table.offset[i + 1] - job->table.offset[i];
            k = entries < k ? entries : k;
        }
    }
    job_neighbours(job, k > least ? k : least, lists);
}

struct cdp_radius job_radius(const struct job *job, const struct cdp_neighbours *lists,
                             double distance)
{
    return (struct cdp_radius){.rows = job->features ? &job->rows : NULL,
                               .lists = lists,
                               .file = job->features ? NULL : cdp_input_shown(baseline_options.knn),
                               .distance = distance};
}

void job_links(const struct job *job, uint64_t k, double similarity, struct cdp_links *links)
{
    struct cdp_neighbours lists;
    struct cdp_err err;
    job_neighbours(job, k, &lists);
    tool_check(cdp_links_new(links, &lists, similarity, (int)common.threads, &err), &err);
    cdp_neighbours_free(&lists);
}

uint32_t *job_labels(const struct job *job)
{
    struct cdp_err err;
    uint32_t *label = cdp_alloc(job->items, sizeof *label, "labels", &err);
    tool_check(label ? 0 : -1, &err);
    for (uint64_t i = 0; i < job->items; i++)
        label[i] = CDP_NO_LABEL;
    return label;
}

void job_write_labels(struct job *job, uint32_t *label)
{
    struct cdp_err err;
    int64_t clusters = cdp_result_number(label, job->items, &err);
    tool_check(clusters < 0 ? -1 : 0, &err);
    uint64_t none = 0;
    for (uint64_t i = 0; i < job->items; i++)
        none += label[i] == CDP_NO_LABEL;
    tool_check(cdp_labels_write(job->output, label, job->items, job->names, &err), &err);
    tool_say("%lld cluster%s, %llu item%s in none", (long long)clusters, tool_s((uint64_t)clusters),
             (unsigned long long)none, tool_s(none));
    free(label);
}

void job_write_tree(struct job *job, struct cdp_merged *row)
{
    struct cdp_err err;
    for (uint64_t r = 0; r + 1 < job->items; r++)
        tool_check(cdp_output_printf(job->output, &err, "%u\t%u\t%.9g\t%u\n", row[r].node[0],
                                     row[r].node[1], row[r].height, row[r].size),
                   &err);
    free(row);
}

void job_finish(struct job *job)
{
    cdp_names_free(job->names);
    cdp_table_free(&job->table);
    if (job->features) {
        cdp_rows_free(&job->rows);
        cdp_matrix_close(&job->matrix);
    }
    tool_finish(job->output);
}
