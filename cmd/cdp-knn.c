// SPDX-License-Identifier: MIT
#include "base/isa.h"
#include "io/matrix.h"
#include "knn/knn.h"
#include "tool.h"

static uint64_t k = 15, dim, rows[2] = {0, UINT64_MAX};
static int metric, format, method;
static double recall = 0.99;

static const struct cdp_option options[] = {
    {CDP_OPTION_COUNT, 'k', "neighbours", "K", "neighbours of an item, itself not counted (15)", &k,
     1, 4294967294.0, NULL},
    {CDP_OPTION_CHOICE, 0, "metric", "NAME", "cosine, l2, l1, linf, angular, hamming (cosine)",
     &metric, 0, 0, cdp_metric_names + CDP_COSINE},
    {CDP_OPTION_COUNT, 0, "dim", "D", "numbers of a row; needed for raw float32", &dim, 1, 1e9,
     NULL},
    {CDP_OPTION_CHOICE, 0, "format", "NAME", "auto, raw, npy, fvecs, bvecs (auto)", &format, 0, 0,
     (const char *const[]){"auto", "raw", "npy", "fvecs", "bvecs", NULL}},
    {CDP_OPTION_CHOICE, 0, "method", "NAME", "auto, exact, approx (auto)", &method, 0, 0,
     (const char *const[]){"auto", "exact", "approx", NULL}},
    {CDP_OPTION_REAL, 0, "recall", "R", "share of the neighbours that approx finds (0.99)", &recall,
     0, 1, NULL},
    {CDP_OPTION_RANGE, 0, "rows", "A:B", "only the neighbours of rows A to B - 1", rows, 0, 0,
     NULL},
    {0},
};

static const struct tool tool = {
    .name = "cdp-knn",
    .summary = "Finds the nearest neighbours of every item among all items",
    .synopsis = "[OPTION]... FEATURES",
    .example = "cdp-knn -k 14 --dim 256 features/m0.bin >m0.cdp\n"
               "         cdp-knn --rows 0:50000 data.tar.gz:features/m0.npy >shard0.cdp\n",
    .options = options,
};

static int write_row(void *writer, uint64_t row, const uint32_t *target, const float *distance,
                     struct cdp_err *err)
{
    return cdp_writer_add_row(writer, row, target, distance, (uint32_t)k, err);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, 1);
    struct cdp_output *output = tool_output(true);
    struct cdp_matrix matrix;
    struct cdp_err err;
    tool_check(cdp_matrix_open(&matrix, argv[first], (enum cdp_matrix_format)format, dim, 0, &err),
               &err);
    if (rows[1] == UINT64_MAX)
        rows[1] = matrix.rows;
    uint64_t digest;
    tool_check(cdp_matrix_digest(&matrix, (int)common.threads, &digest, &err), &err);

    struct cdp_header header;
    cdp_header_init(&header, CDP_KNN);
    header.metric = (enum cdp_metric)(metric + CDP_COSINE);
    header.k = (uint32_t)k;
    header.nodes = matrix.rows;
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
                                .recall = recall};
    bool exact = cdp_knn_choose(&matrix, &plan) == CDP_KNN_EXACT;
    tool_check(cdp_header_note(&header, &err, "method: %s", exact ? "exact" : "approx"), &err);
    struct cdp_writer *writer;
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    tool_say("%s: %llu x %llu, %s, %s instructions", matrix.name, (unsigned long long)matrix.rows,
             (unsigned long long)matrix.dim, exact ? "exact" : "approximate",
             cdp_isa_name(cdp_isa()));

    double found;
    tool_check(cdp_knn(&matrix, &plan, write_row, writer, &found, &err), &err);
    if (!exact)
        tool_say("recall %.4f, on a sample", found);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    cdp_writer_free(writer);
    cdp_header_free(&header);
    cdp_matrix_close(&matrix);
    tool_finish(output);
}
