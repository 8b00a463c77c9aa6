// SPDX-License-Identifier: MIT
#include "score/commands.h"

#include "base/mem.h"
#include "io/input.h"

// Takes the names of the first list that has names; those of the others must be the same.
static void take_names(struct job *job, struct cdp_table *table, const char *name)
{
    struct cdp_err err;
    if (!job->names)
        job->names = table->names;
    else if (table->names && cdp_names_join(&job->names, table->names, &err))
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

static void note_lists(struct job *job, const struct cdp_table *table, const char *role)
{
    struct cdp_err err;
    tool_check(cdp_header_note(&job->header, &err, "%s: digest %016llx", role,
                               (unsigned long long)table->totals.digest),
               &err);
    tool_check(cdp_header_inherit(&job->header, &table->header, &err), &err);
}

void require_rows(const struct cdp_table *table, const char *name, const uint64_t needed[2])
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

void job_open(struct job *job, enum cdp_type type, const char *base)
{
    *job = (struct job){.output = tool_output(true)};
    cdp_header_init(&job->header, type);
    read_lists(&job->base, base);
    take_names(job, &job->base, base);
    job->rows[1] = job->header.nodes = job->base.rows;
}

void job_note_base(struct job *job)
{
    tool_provenance(&job->header);
    note_lists(job, &job->base, "base");
}

void job_read_member(struct job *job, struct cdp_table *member, const char *name)
{
    read_lists(member, name);
    name = cdp_input_shown(name);
    note_lists(job, member, "member");
    if (member->rows != job->base.rows)
        tool_fail("%s: %llu nodes, but the base has %llu", name, (unsigned long long)member->rows,
                  (unsigned long long)job->base.rows);
    take_names(job, member, name);
    require_rows(member, name, job->base.header.rows);
    uint32_t k = member->header.k, base = job->base.header.k;
    if (k && base && k != base)
        tool_warn("%s: lists of k = %u, but the base's are of k = %u", name, k, base);
}

void job_open_features(struct job *job, struct cdp_matrix *matrix, const char *name)
{
    struct cdp_err err;
    uint64_t digest;
    tool_check(cdp_matrix_open(matrix, name, CDP_FORMAT_AUTO, 0, job->base.rows, &err), &err);
    tool_check(cdp_matrix_digest(matrix, (int)common.threads, &digest, &err), &err);
    tool_check(
        cdp_header_note(&job->header, &err, "features: XXH64 %016llx", (unsigned long long)digest),
        &err);
}

uint8_t *allocate_flags(const struct job *job)
{
    struct cdp_err err;
    uint8_t *keep = cdp_alloc(job->base.offset[job->base.rows], 1, "kept edges", &err);
    tool_check(keep ? 0 : -1, &err);
    return keep;
}

void job_begin_pairs(struct job *job)
{
    struct cdp_err err;
    job->header.named = job->names != NULL;
    tool_check(cdp_writer_open(&job->writer, job->output, &job->header, (int)common.level,
                               (int)common.threads, &err),
               &err);
}

int job_write_pair(void *job, uint64_t i, uint64_t j, const float *values, struct cdp_err *err)
{
    return cdp_writer_add(((struct job *)job)->writer, i, j, values, err);
}

void job_write_flagged(struct job *job, const uint8_t *keep)
{
    struct cdp_err err;
    job_begin_pairs(job);
    tool_check(cdp_pairs(&job->base, keep, job->rows, job_write_pair, job, &err), &err);
}

void job_finish(struct job *job)
{
    struct cdp_totals totals;
    struct cdp_err err;
    cdp_writer_names(job->writer, job->names);
    tool_check(cdp_writer_finish(job->writer, &totals, &err), &err);
    tool_say("%llu pairs", (unsigned long long)totals.edges);
    cdp_writer_free(job->writer);
    cdp_table_free(&job->base);
    cdp_names_free(job->names);
    cdp_header_free(&job->header);
    tool_finish(job->output);
}
