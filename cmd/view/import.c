// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/input.h"
#include "names.h"
#include "stream/convert.h"
#include "view/view.h"

// The length of the longest neighbour list: the k of imported lists.
static uint32_t longest_row(const struct cdp_list *list)
{
    uint32_t longest = 0, run = 0;
    for (size_t e = 0; e < list->count; e++) {
        run = e && list->edge[e].source == list->edge[e - 1].source ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

// Splits --columns into the columns of the form. They point into a static buffer.
static void choose_columns(struct cdp_text_form *form, const char *columns)
{
    static char text[1024];
    char *at = text;
    if (!columns)
        return;
    if (snprintf(text, sizeof text, "%s", columns) >= (int)sizeof text)
        tool_usage("--columns is longer than %zu bytes", sizeof text - 1);
    int count = 0;
    for (; at && count < 3; count++) {
        form->column[count] = strsep(&at, ",");
        if (!*form->column[count])
            break;
    }
    if (at || count < 2)
        tool_usage("--columns must be I,J or I,J,S, columns by number or name with commas between, "
                   "not '%s'",
                   columns);
    form->unscored = count == 2;
}

static void open_names(struct cdp_text_form *form, const struct import *import, bool names_wanted)
{
    struct cdp_err err;
    form->known = import->ids != NULL;
    form->automatic = !import->ids && !import->named && !names_wanted;
    if (import->ids)
        names_read(&form->names, import->ids);
    else if (import->format == FROM_TSV || import->format == FROM_CSV)
        tool_check(cdp_names_new(&form->names, &err), &err);
}

static int read_file(struct cdp_list *list, struct cdp_text_form *form, int format, char **file,
                     int count, enum cdp_type *type, uint64_t *rows, struct cdp_err *err)
{
    switch (format) {
    case FROM_NPZ:
        return cdp_list_from_npz(list, file[0], type, rows, err);
    case FROM_MTX:
        return cdp_list_from_mtx(list, file[0], rows, err);
    case FROM_NPY:
        return cdp_list_from_npy(list, file[0], count > 1 ? file[1] : NULL, err);
    default:
        return cdp_list_from_text(list, file[0], form, err);
    }
}

// Reads all files into a list. Returns the type of their edges; raises *rows to the number of items
// if the format has one.
static enum cdp_type read_files(struct cdp_list *list, struct cdp_text_form *form,
                                const struct import *import, char **files, int count,
                                uint64_t *rows)
{
    enum cdp_type type = import->type ? CDP_KNN : CDP_PAIRS;
    int step = import->format == FROM_NPY ? count : 1; // ids and scores of npy are one input
    struct cdp_err err;
    for (int f = 0; f < count; f += step) {
        enum cdp_type before = type;
        tool_check(read_file(list, form, import->format, files + f, count - f, &type, rows, &err),
                   &err);
        if (f > 0 && type != before)
            tool_fail("%s: holds %s, but the files before it hold %s", cdp_input_shown(files[f]),
                      cdp_type_name(type), cdp_type_name(before));
    }
    if (list->self_pairs)
        tool_warn("%llu pair%s of an item with itself left out",
                  (unsigned long long)list->self_pairs, tool_s(list->self_pairs));
    if (list->head_lines)
        tool_warn("the first line is read as a header line: its score is not a number");
    return type;
}

// Ids of a table's key, taken as numbers, leave most numbers without a pair. Where they are too
// large for a bit each, the number of ids in the pairs bounds how many.
static void warn_sparse(const struct cdp_list *list)
{
    uint64_t last = 0, used = 2 * (uint64_t)list->count;
    struct cdp_err err;
    for (size_t e = 0; e < list->count; e++) {
        const struct cdp_edge *edge = &list->edge[e];
        uint64_t larger = edge->source > edge->target ? edge->source : edge->target;
        last = larger > last ? larger : last;
    }
    bool exact = last / 64 <= list->count;
    if (exact) {
        uint64_t *seen = cdp_zalloc(last / 64 + 1, sizeof *seen, "ids that occur", &err);
        tool_check(seen ? 0 : -1, &err);
        for (size_t e = 0; e < list->count; e++) {
            seen[list->edge[e].source / 64] |= UINT64_C(1) << list->edge[e].source % 64;
            seen[list->edge[e].target / 64] |= UINT64_C(1) << list->edge[e].target % 64;
        }
        used = 0;
        for (uint64_t word = 0; word <= last / 64; word++)
            used += (uint64_t)__builtin_popcountll(seen[word]);
        free(seen);
    }
    if (list->count && last + 1 > 2 * used)
        tool_warn("ids are taken as item numbers 0 to %llu, %s%llu of which occur in no pair: "
                  "--named keeps them as names",
                  (unsigned long long)last, exact ? "" : "at least ",
                  (unsigned long long)(last + 1 - used));
}

void import_files(const struct import *import, struct cdp_output *output,
                  struct cdp_output *names_output, char **files, int count)
{
    struct cdp_list list = {0};
    struct cdp_text_form form = {.csv = import->format == FROM_CSV};
    uint64_t rows = 0;
    struct cdp_header header;
    struct cdp_writer *writer;
    struct cdp_err err;
    const char *all = count == 1 ? cdp_input_shown(files[0]) : "the input files";
    choose_columns(&form, import->columns);
    open_names(&form, import, names_output != NULL);
    cdp_header_init(&header, read_files(&list, &form, import, files, count, &rows));
    if (header.type == CDP_KNN && (import->distance || import->rescale))
        tool_usage("--distance and --rescale are for pairs: %s holds neighbour lists", all);
    if (header.type == CDP_PAIRS && cdp_list_scores(&list, import->distance, import->rescale, &err))
        tool_fail("%s: %s", all, err.text);
    if (list.clamped)
        tool_warn("%llu score%s off 0 or 1 by at most 1e-6 rounded to it",
                  (unsigned long long)list.clamped, tool_s(list.clamped));
    tool_check(cdp_list_sort(&list, header.type, &err), &err);
    if (header.type == CDP_KNN) {
        header.metric = (enum cdp_metric)import->metric;
        header.k = longest_row(&list);
    }
    const struct cdp_names *names = !form.automatic || form.named ? form.names : NULL;
    if (form.names && !names && !import->nodes)
        warn_sparse(&list);
    if (import->ids && rows && cdp_names_count(names) != rows)
        tool_fail("%s: %llu name%s, but %s has %llu items%s", cdp_input_shown(import->ids),
                  (unsigned long long)cdp_names_count(names), tool_s(cdp_names_count(names)), all,
                  (unsigned long long)rows, names_hint(cdp_names_count(names), rows));
    header.nodes = import->nodes ? import->nodes : names ? cdp_names_count(names) : rows;
    header.named = names != NULL;
    tool_provenance(&header);
    tool_check(
        cdp_writer_open(&writer, output, &header, (int)common.level, (int)common.threads, &err),
        &err);
    for (size_t e = 0; e < list.count; e++) {
        const struct cdp_edge *edge = &list.edge[e];
        if (cdp_writer_add(writer, edge->source, edge->target, &edge->value, &err))
            tool_fail("%s: %s", all, err.text);
    }
    cdp_writer_names(writer, names);
    tool_check(cdp_writer_finish(writer, NULL, &err), &err);
    if (names_output)
        print_names(names_output, names, all);
    cdp_names_free(form.names);
    cdp_writer_free(writer);
    cdp_header_free(&header);
    free(list.edge);
}
