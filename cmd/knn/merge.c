// SPDX-License-Identifier: MIT
#include "stream/merge.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/input.h"
#include "knn/merge.h"
#include "tool.h"

static int write_row(void *writer, uint64_t item, const uint32_t *target, const float *distance,
                     uint32_t count, struct cdp_err *err)
{
    return cdp_writer_add_row(writer, item, target, distance, count, err);
}

// Adds the rows of a stream to those of the others (0, 0: all rows).
static void join_rows(uint64_t rows[2], const uint64_t more[2], const char *file)
{
    if (!rows[1] || !more[1]) {
        rows[0] = rows[1] = 0;
        return;
    }
    if (more[0] > rows[1] || more[1] < rows[0])
        tool_fail(
            "%s: the lists of rows %llu:%llu, but those of the streams before end at %llu:%llu: "
            "name the streams in the order of their rows",
            file, (unsigned long long)more[0], (unsigned long long)more[1],
            (unsigned long long)rows[0], (unsigned long long)rows[1]);
    rows[0] = more[0] < rows[0] ? more[0] : rows[0];
    rows[1] = more[1] > rows[1] ? more[1] : rows[1];
}

// Takes a stream's properties over into the header of all.
static void join_header(struct cdp_header *all, const struct cdp_reader *reader, bool first)
{
    const struct cdp_header *header = cdp_reader_header(reader);
    const char *file = cdp_input_shown(cdp_reader_name(reader));
    static const char *const none = "no";
    struct cdp_err err;
    if (first) {
        all->metric = header->metric;
        all->named = header->named;
        all->nodes = header->nodes;
        all->rows[0] = header->rows[0];
        all->rows[1] = header->rows[1];
    } else {
        if (header->metric != all->metric)
            tool_fail("%s: %s distances, but those of the streams before are of %s", file,
                      header->metric ? cdp_metric_names[header->metric] : none,
                      all->metric ? cdp_metric_names[all->metric] : none);
        if (header->named != all->named)
            tool_fail("%s: its items have %s, but those of the streams before have %s", file,
                      header->named ? "names" : "numbers", all->named ? "names" : "numbers");
        all->nodes = !header->nodes || !all->nodes ? 0
                     : header->nodes > all->nodes  ? header->nodes
                                                   : all->nodes;
        join_rows(all->rows, header->rows, file);
    }
    tool_check(cdp_header_inherit(all, header, &err), &err);
}

// The names of all streams, of which the shorter lists are prefixes.
static struct cdp_names *join_names(struct cdp_reader *const *readers, int count)
{
    struct cdp_names *names = cdp_reader_take_names(readers[0]);
    struct cdp_err err;
    for (int r = 1; names && r < count; r++) {
        if (cdp_names_join(&names, cdp_reader_take_names(readers[r]), &err))
            tool_fail("%s: %s: all lists must be of the same items in the same order",
                      cdp_reader_name(readers[r]), err.text);
    }
    return names;
}

void merge_streams(char *const *files, int count, uint32_t k)
{
    struct cdp_output *output = tool_output(true);
    struct cdp_header header;
    struct cdp_writer *writer;
    struct cdp_totals totals;
    struct cdp_err err;
    struct cdp_reader **readers = cdp_zalloc((size_t)count, sizeof(*readers), "streams", &err);
    tool_check(readers ? 0 : -1, &err);
    cdp_header_init(&header, CDP_KNN);
    header.k = k;
    tool_provenance(&header);
    for (int r = 0; r < count; r++) {
        tool_check(cdp_reader_open(&readers[r], files[r], 1 << CDP_KNN, "--merge takes knn streams",
                                   (int)common.threads, &err),
                   &err);
        join_header(&header, readers[r], r == 0);
    }
    if (header.rows[0] == 0 && header.rows[1] == header.nodes)
        header.rows[1] = 0; // all rows
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    cdp_progress_start(tool_progress(), "merging", "neighbours", 0);
    tool_check(
        cdp_merge_lists(readers, (unsigned)count, k, write_row, writer, tool_progress(), &err),
        &err);
    struct cdp_names *names = join_names(readers, count);
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, &totals, &err), &err);
    tool_progress_end();
    tool_say("%llu neighbours of %llu items", (unsigned long long)totals.edges,
             (unsigned long long)totals.nodes);
    cdp_writer_free(writer);
    cdp_names_free(names);
    for (int r = 0; r < count; r++)
        cdp_reader_close(readers[r]);
    free(readers);
    cdp_header_free(&header);
    tool_finish(output);
}
