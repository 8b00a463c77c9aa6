// SPDX-License-Identifier: MIT
#include "io/input.h"
#include "score/commands.h"

static struct cdp_texts features;
static bool extra;
static uint64_t rows[2] = {0, UINT64_MAX};

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXTS,
     .name = "features",
     .arg = "FILE",
     .group = "Input",
     .help = "features of a model: once per list, in their order",
     .value = &features,
     .required = true},
    {.type = CDP_OPTION_FLAG,
     .name = "extra",
     .group = "Output",
     .help = "add ranks and densities, which the paper does not have",
     .value = &extra},
    {.type = CDP_OPTION_RANGE,
     .name = "rows",
     .arg = "A:B",
     .help = "only pairs whose smaller id is A to B - 1",
     .value = rows,
     .unset = "all rows"},
    {0},
};

const struct tool features_tool = {
    .name = "cdp-score features",
    .summary = "Computes a mediator's inputs for the base model's neighbours",
    .synopsis = "--features FILE... [OPTION]... BASE [MEMBER]...",
    .example = "cdp-score features --features m0.bin --features m1.bin m0.cdp m1.cdp >f.cdp\n",
    .options = options,
    .stream = "",
};

static struct cdp_table members[CDP_MOST_TEXTS]; // from 1 on; model 0 is the base
static struct cdp_matrix matrices[CDP_MOST_TEXTS];
static struct cdp_model models[CDP_MOST_TEXTS];

static void check_usage(int count)
{
    if (features.count != (size_t)count)
        tool_usage("--features is given %zu times, but there are %d lists", features.count, count);
    if (extra && cdp_feature_columns((unsigned)count, true) > CDP_MAX_COLUMNS)
        tool_usage("--extra, but %d models are too many for %d columns", count, CDP_MAX_COLUMNS);
}

// Bounds --rows by the number of items.
static void choose_rows(const struct cdp_table *base, const char *name)
{
    bool given = rows[0] || rows[1] != UINT64_MAX;
    if (rows[1] == UINT64_MAX)
        rows[1] = base->rows;
    if (given && (rows[0] >= rows[1] || rows[1] > base->rows))
        tool_fail("%s: --rows %llu:%llu, but there are %llu rows", name,
                  (unsigned long long)rows[0], (unsigned long long)rows[1],
                  (unsigned long long)base->rows);
}

static void open_model(struct job *job, size_t m)
{
    struct cdp_err err;
    job_open_features(job, &matrices[m], features.text[m]);
    tool_check(cdp_model_init(&models[m], m ? &members[m] : &job->base, &matrices[m],
                              (int)common.threads, &err),
               &err);
}

void run_features(char **files, int count)
{
    struct job job;
    struct cdp_err err;
    check_usage(count);
    job_open(&job, CDP_FEATURES, files[0]);
    require_rows(&job.base, cdp_input_shown(files[0]), (uint64_t[2]){0, 0});
    choose_rows(&job.base, cdp_input_shown(files[0]));
    job.rows[0] = rows[0];
    job.rows[1] = rows[1];
    job_note_base(&job);
    job.header.k = job.base.header.k;
    job.header.columns = cdp_feature_columns((unsigned)count, extra);
    cdp_feature_names((unsigned)count, extra, job.header.column);
    for (int m = 1; m < count; m++)
        job_read_member(&job, &members[m], files[m]);
    for (int m = 0; m < count; m++)
        open_model(&job, (size_t)m);
    job_begin_pairs(&job);
    tool_check(cdp_features(models, (unsigned)count, extra, job.rows, job_write_pair, &job,
                            (int)common.threads, tool_progress(), &err),
               &err);
    for (int m = 0; m < count; m++) {
        cdp_model_free(&models[m]);
        cdp_matrix_close(&matrices[m]);
        cdp_table_free(&members[m]);
    }
    job_finish(&job);
}
