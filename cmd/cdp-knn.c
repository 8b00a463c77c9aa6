// SPDX-License-Identifier: MIT
#include <string.h>

#include "base/isa.h"
#include "io/input.h"
#include "io/matrix.h"
#include "knn/knn.h"
#include "knn/merge.h"
#include "names.h"
#include "tool.h"

static uint64_t k = 15, dim, rows[2] = {0, UINT64_MAX};
static int metric, format, method, copies;
static double recall = 0.99;
static bool merge;
static const char *ids_name;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .letter = 'k',
     .name = "neighbours",
     .arg = "K",
     .group = "Search",
     .help = "number of neighbours, the row itself not counted",
     .value = &k,
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_CHOICE,
     .name = "metric",
     .arg = "NAME",
     .help = "distance",
     .value = &metric,
     .choices = cdp_metric_names + CDP_COSINE,
     .without = "merge",
     .aliases = TOOL_METRIC_ALIASES},
    {.type = CDP_OPTION_CHOICE,
     .name = "method",
     .arg = "NAME",
     .help = "search",
     .value = &method,
     .choices = (const char *const[]){"auto", "exact", "approx", NULL},
     .without = "merge"},
    {.type = CDP_OPTION_REAL,
     .name = "recall",
     .arg = "R",
     .help = "recall at which the approximate search stops",
     .value = &recall,
     .min = 0,
     .max = 1,
     .with = "method=auto method=approx",
     .without = "merge"},
    {.type = CDP_OPTION_RANGE,
     .name = "rows",
     .arg = "A:B",
     .help = "search only for the neighbours of rows A to B - 1",
     .value = rows,
     .unset = "all rows",
     .without = "merge"},
    {.type = CDP_OPTION_CHOICE,
     .name = "copies",
     .arg = "HOW",
     .help = "how often duplicate rows are listed as neighbours",
     .value = &copies,
     .choices = (const char *const[]){"list", "once", NULL},
     .without = "merge"},
    {.type = CDP_OPTION_FLAG,
     .name = "merge",
     .help = "merge knn streams instead: the K nearest of their lists",
     .value = &merge},
    {.type = CDP_OPTION_CHOICE,
     .name = "format",
     .arg = "NAME",
     .group = "Input",
     .help = "format of FEATURES",
     .value = &format,
     .choices = (const char *const[]){"auto", "raw", "npy", "fvecs", "bvecs", NULL},
     .without = "merge"},
    {.type = CDP_OPTION_COUNT,
     .name = "dim",
     .arg = "D",
     .help = "numbers per row; required for raw float32",
     .value = &dim,
     .unset = "from the file",
     .min = 1,
     .max = 1e9,
     .without = "merge"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of row names, one per line, stored in the stream",
     .value = &ids_name,
     .without = "merge"},
    {0},
};

static const struct tool tool = {
    .name = "cdp-knn",
    .summary = "Finds the k nearest neighbours of every row of a feature matrix",
    .synopsis = "[OPTION]... FEATURES | --merge [OPTION]... LISTS.cdp...",
    .example = "cdp-knn -k 14 --dim 256 features/m0.bin >m0.cdp\n"
               "cdp-knn --rows 0:50000 data.tar.gz:features/m0.npy >shard0.cdp\n"
               "cdp-knn --merge -k 14 lists1.cdp lists2.cdp >m0.cdp\n",
    .options = options,
    .stream = "",
};

static int write_row(void *writer, uint64_t row, const uint32_t *target, const float *distance,
                     uint32_t count, struct cdp_err *err)
{
    return cdp_writer_add_row(writer, row, target, distance, count, err);
}

// Reads the names of --ids and checks their number.
static struct cdp_names *read_names(const struct cdp_matrix *matrix)
{
    if (!ids_name)
        return NULL;
    struct cdp_names *names;
    names_read(&names, ids_name);
    uint64_t count = cdp_names_count(names);
    if (count != matrix->rows)
        tool_fail("%s: %llu name%s, but %s has %llu rows%s", cdp_input_shown(ids_name),
                  (unsigned long long)count, tool_s(count), matrix->name,
                  (unsigned long long)matrix->rows, names_hint(count, matrix->rows));
    return names;
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, -1);
    if (merge) {
        merge_streams(argv + first, argc - first, (uint32_t)k);
        return 0;
    }
    if (argc - first > 1)
        tool_usage("unexpected operand '%s': one FEATURES file is expected, except by --merge",
                   argv[first + 1]);
    struct cdp_output *output = tool_output(true);
    struct cdp_matrix matrix;
    struct cdp_err err;
    tool_check(cdp_matrix_open(&matrix, argv[first], (enum cdp_matrix_format)format, dim, 0, &err),
               &err);
    if (rows[1] == UINT64_MAX)
        rows[1] = matrix.rows;
    struct cdp_names *names = read_names(&matrix);
    uint64_t digest;
    tool_check(cdp_matrix_digest(&matrix, (int)common.threads, &digest, &err), &err);

    struct cdp_header header;
    cdp_header_init(&header, CDP_KNN);
    header.metric = (enum cdp_metric)(metric + CDP_COSINE);
    header.k = (uint32_t)k;
    header.nodes = matrix.rows;
    header.named = names != NULL;
    if (rows[0] > 0 || rows[1] < matrix.rows)
        memcpy(header.rows, rows, sizeof rows);
    tool_provenance(&header);
    tool_check(cdp_header_note(&header, &err, "features: %llu x %llu, XXH64 %016llx",
                               (unsigned long long)matrix.rows, (unsigned long long)matrix.dim,
                               (unsigned long long)digest),
               &err);
    struct cdp_knn_plan plan = {.k = (uint32_t)k,
                                .metric = header.metric,
                                .first = rows[0],
                                .last = rows[1],
                                .threads = (int)common.threads,
                                .progress = tool_progress(),
                                .method = (enum cdp_knn_method)method,
                                .recall = recall,
                                .copies = (enum cdp_knn_copies)copies};
    bool exact = cdp_knn_choose(&matrix, &plan) == CDP_KNN_EXACT;
    tool_check(cdp_header_note(&header, &err, "method: %s", exact ? "exact" : "approx"), &err);
    struct cdp_writer *writer;
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    tool_say("%s: %llu x %llu, %s, %s instructions", matrix.name, (unsigned long long)matrix.rows,
             (unsigned long long)matrix.dim, exact ? "exact" : "approximate",
             cdp_isa_name(cdp_isa()));

    struct cdp_knn_result result;
    tool_check(cdp_knn(&matrix, &plan, write_row, writer, &result, &err), &err);
    if (!exact)
        tool_say("recall %.4f, measured on a sample of rows", result.recall);
    if (result.crowded > 0)
        tool_warn(
            "%s: lists that hold only duplicates of their row: %llu: to find other neighbours, use "
            "--copies once, or a k above the number of duplicates",
            matrix.name, (unsigned long long)result.crowded);
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    cdp_writer_free(writer);
    cdp_names_free(names);
    cdp_header_free(&header);
    cdp_matrix_close(&matrix);
    tool_finish(output);
}
