// SPDX-License-Identifier: MIT
// Edges and features in memory.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clamp.h"
#include "base/mem.h"
#include "stream/list.h"

// ---- matrices

int api_matrix(struct cdp_matrix *matrix, const struct libcdp_matrix *callers, struct cdp_err *err)
{
    static char name[] = "the matrix";
    if (callers->number < 0 || callers->number > LIBCDP_BOOL)
        return cdp_fail(err, "a matrix of numbers of type %d", (int)callers->number);
    if (!callers->rows || !callers->dim)
        return cdp_fail(err, "a matrix of %llu x %llu numbers", (unsigned long long)callers->rows,
                        (unsigned long long)callers->dim);
    if (callers->rows >= UINT32_MAX)
        return cdp_fail(err, "a matrix of %llu rows: at most 2^32 - 2 can be",
                        (unsigned long long)callers->rows);
    _Static_assert((int)LIBCDP_F16 == (int)CDP_F16 && (int)LIBCDP_BOOL == (int)CDP_BOOL,
                   "numbers have one order");
    *matrix = (struct cdp_matrix){.rows = callers->rows,
                                  .dim = callers->dim,
                                  .dimensions = 2,
                                  .number = (enum cdp_number)callers->number,
                                  .data = callers->data,
                                  .row_stride = callers->row_stride,
                                  .number_stride = callers->number_stride,
                                  .name = name};
    return 0;
}

// ---- making edges

PUBLIC void libcdp_edges_free(struct libcdp_edges *shown)
{
    struct api_edges *e = (struct api_edges *)shown; // its first member
    if (!e)
        return;
    cdp_header_free(&e->header);
    for (unsigned c = 0; c < e->shown.columns; c++)
        free(e->value[c]);
    free(e->shown.offset);
    free(e->shown.target);
    free(e->shown.names);
    free(e);
}

struct api_edges *api_edges_new(const struct cdp_header *header, struct cdp_err *err)
{
    struct api_edges *e = cdp_zalloc(1, sizeof *e, "edges", err);
    if (!e)
        return NULL;
    e->header = *header;
    e->header.provenance = NULL;
    e->shown = (struct libcdp_edges){.type = (int32_t)header->type,
                                     .metric = (int32_t)header->metric,
                                     .k = header->k,
                                     .columns = header->columns,
                                     .value = e->value,
                                     .column = e->column,
                                     .scale = header->scale,
                                     .floor = NAN};
    for (unsigned c = 0; c < header->columns; c++)
        e->column[c] = e->header.column[c];
    return e;
}

int api_edges_reserve(struct api_edges *e, uint64_t items, uint64_t count, struct cdp_err *err)
{
    if (cdp_grow(&e->shown.target, &e->target_room, count, sizeof *e->shown.target, "edges", err) ||
        cdp_grow(&e->shown.offset, &e->offset_room, items + 1, sizeof *e->shown.offset, "items",
                 err))
        return -1;
    for (unsigned c = 0; c < e->shown.columns; c++) {
        if (cdp_grow(&e->value[c], &e->value_room[c], count, sizeof **e->value, "edges", err))
            return -1;
    }
    return 0;
}

int api_edges_add(struct api_edges *e, uint64_t source, uint64_t target, const float *values,
                  struct cdp_err *err)
{
    struct libcdp_edges *s = &e->shown;
    uint64_t top = source > target ? source : target;
    if (top >= UINT32_MAX - 1)
        return cdp_fail(err, "item %llu: items are numbered from 0 to 2^32 - 3",
                        (unsigned long long)top);
    if (api_edges_reserve(e, source + 1, s->count + 1, err))
        return -1;
    for (unsigned c = 0; c < s->columns; c++)
        e->value[c][s->count] = values[c];
    while (e->last <= source) // the offsets up to that of the edge's source
        s->offset[e->last++] = s->count;
    s->target[s->count++] = (uint32_t)target;
    s->floor = s->floor < values[0] ? s->floor : values[0];
    s->nodes = s->nodes > top ? s->nodes : top + 1;
    return 0;
}

int api_edges_sink(void *edges, uint64_t i, uint64_t j, const float *values, struct cdp_err *err)
{
    return api_edges_add(edges, i, j, values, err);
}

static int complete(struct api_edges *e, uint64_t nodes, struct cdp_err *err)
{
    struct libcdp_edges *s = &e->shown;
    if (nodes && s->nodes > nodes)
        return cdp_fail(err, "item %llu, but there are %llu items",
                        (unsigned long long)s->nodes - 1, (unsigned long long)nodes);
    s->nodes = e->header.nodes = nodes ? nodes : s->nodes;
    if (cdp_grow(&s->offset, &e->offset_room, s->nodes + 1, sizeof *s->offset, "items", err))
        return -1;
    while (e->last <= s->nodes)
        s->offset[e->last++] = s->count;
    return 0;
}

static int set_names(struct libcdp_edges *edges, const char *names, uint64_t size,
                     struct cdp_err *err)
{
    char *copy = cdp_alloc(size, 1, "names", err);
    if (!copy)
        return -1;
    memcpy(copy, names, size);
    free(edges->names);
    edges->names = copy;
    edges->names_size = size;
    return 0;
}

struct libcdp_edges *api_edges_end(struct api_edges *e, int status, uint64_t nodes,
                                   const struct libcdp_edges *from, struct cdp_err *err)
{
    if (!e)
        return NULL;
    if (!status)
        status = complete(e, nodes, err);
    if (!status && from && from->names)
        status = set_names(&e->shown, from->names, from->names_size, err);
    if (!status)
        return &e->shown;
    libcdp_edges_free(&e->shown);
    return NULL;
}

// ---- from arrays

static float distance_of(float distance)
{
    const float least = -1e-6F;
    return distance < 0 && distance >= least ? 0 : distance;
}

PUBLIC struct libcdp_edges *libcdp_edges_from_lists(uint64_t items, uint64_t k,
                                                    const int64_t *neighbour, const float *distance,
                                                    int metric, struct libcdp_err *err)
{
    struct cdp_header header;
    struct cdp_err why;
    cdp_header_init(&header, CDP_KNN);
    header.metric = (enum cdp_metric)metric;
    struct api_edges *e = metric < 0 || metric >= CDP_METRICS
                              ? (cdp_fail(&why, "metric %d", metric), NULL)
                              : api_edges_new(&header, &why);
    int status = e ? 0 : -1;
    for (uint64_t i = 0; !status && i < items; i++) {
        for (uint64_t n = i * k; !status && n < (i + 1) * k; n++) {
            float value = distance_of(distance[n]);
            if (neighbour[n] == -1 || neighbour[n] == (int64_t)i)
                continue;
            if (neighbour[n] < 0 || (uint64_t)neighbour[n] >= items)
                status = cdp_fail(&why, "item %llu: neighbour %lld is not below %llu",
                                  (unsigned long long)i, (long long)neighbour[n],
                                  (unsigned long long)items);
            else if (!isfinite(value) || value < 0)
                status =
                    cdp_fail(&why, "item %llu: neighbour %lld is at a distance of %.9g",
                             (unsigned long long)i, (long long)neighbour[n], (double)distance[n]);
            else if (e->shown.count && e->last == i + 1 && value < e->value[0][e->shown.count - 1])
                status = cdp_fail(&why, "item %llu: neighbour %lld is nearer than the one before",
                                  (unsigned long long)i, (long long)neighbour[n]);
            else
                status = api_edges_add(e, i, (uint64_t)neighbour[n], &value, &why);
        }
    }
    struct libcdp_edges *done = api_edges_end(e, status, items, NULL, &why);
    if (!done)
        api_tell(err, &why);
    return done;
}

static int check_pair(uint64_t i, uint64_t j, float score, size_t p, struct cdp_err *err)
{
    if (i == j)
        return cdp_fail(err, "pair %zu: item %llu with itself", p, (unsigned long long)i);
    if (!isfinite(score))
        return cdp_fail(err, "pair %zu: a score of %.9g: scores are finite and at most 1", p,
                        (double)score);
    return 0;
}

static int list_pairs(struct cdp_list *list, const uint64_t *i, const uint64_t *j,
                      const float *score, size_t count, struct cdp_err *err)
{
    struct cdp_clamp clamp = {0};
    const float *scores;
    int status = cdp_clamp_scores(&clamp, score, count, &scores, err);
    for (size_t p = 0; !status && p < count; p++)
        status = check_pair(i[p], j[p], score[p], p, err) ||
                         cdp_list_add(list, i[p], j[p], scores[p], err)
                     ? -1
                     : 0;
    free(clamp.copy);
    return status ? status : cdp_list_sort(list, CDP_PAIRS, err);
}

PUBLIC struct libcdp_edges *libcdp_edges_from_pairs(uint64_t items, const uint64_t *i,
                                                    const uint64_t *j, const float *score,
                                                    size_t count, struct libcdp_err *err)
{
    struct cdp_header header;
    struct cdp_list list = {0};
    struct cdp_err why;
    cdp_header_init(&header, CDP_PAIRS);
    struct api_edges *e = api_edges_new(&header, &why);
    int status = e ? list_pairs(&list, i, j, score, count, &why) : -1;
    for (size_t p = 0; !status && p < list.count; p++)
        status =
            api_edges_add(e, list.edge[p].source, list.edge[p].target, &list.edge[p].value, &why);
    free(list.edge);
    struct libcdp_edges *done = api_edges_end(e, status, items, NULL, &why);
    if (!done)
        api_tell(err, &why);
    return done;
}

// ---- names

// The names as a list; NULL in *names where there are none.
static int list_names(struct cdp_names **names, const char *text, uint64_t size, uint64_t nodes,
                      struct cdp_err *err)
{
    *names = NULL;
    if (!text)
        return 0;
    const char *at = text, *end = text + size;
    int status = cdp_names_new(names, err);
    while (!status && at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        uint64_t id = 0, count = cdp_names_count(*names);
        if (!feed)
            status = cdp_fail(err, "name %llu: no line feed ends it", (unsigned long long)count);
        else
            status = cdp_names_add(*names, at, (size_t)(feed - at), &id, err);
        if (!status && id != count)
            status = cdp_fail(err, "names %llu and %llu are equal", (unsigned long long)id,
                              (unsigned long long)count);
        at = feed ? feed + 1 : end;
    }
    if (!status && cdp_names_count(*names) != nodes)
        status = cdp_fail(err, "%llu names, but there are %llu items",
                          (unsigned long long)cdp_names_count(*names), (unsigned long long)nodes);
    if (status) {
        cdp_names_free(*names);
        *names = NULL;
    }
    return status;
}

PUBLIC int libcdp_edges_name(struct libcdp_edges *edges, const char *names, uint64_t size,
                             struct libcdp_err *err)
{
    struct cdp_names *list;
    struct cdp_err why;
    int status = list_names(&list, names, size, edges->nodes, &why);
    if (!status)
        status = set_names(edges, names, size, &why);
    cdp_names_free(list);
    if (status)
        api_tell(err, &why);
    return status;
}

// ---- streams

static int join_names(struct libcdp_edges *edges, const struct cdp_names *names,
                      struct cdp_err *err)
{
    size_t length, size = 0;
    uint64_t count = cdp_names_count(names);
    for (uint64_t i = 0; i < count; i++) {
        cdp_names_get(names, i, &length);
        size += length + 1;
    }
    char *text = cdp_alloc(size, 1, "names", err), *at = text;
    if (!text)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        const char *name = cdp_names_get(names, i, &length);
        memcpy(at, name, length);
        at[length] = '\n';
        at += length + 1;
    }
    edges->names = text;
    edges->names_size = size;
    return 0;
}

static int add_block(struct api_edges *e, const struct cdp_block *block, struct cdp_err *err)
{
    float values[CDP_MAX_COLUMNS];
    for (size_t n = 0; n < block->edges; n++) {
        for (unsigned c = 0; c < e->shown.columns; c++)
            values[c] = block->value[c][n];
        if (n > 0 ? block->source[n] < block->source[n - 1]
                  : e->last && block->source[0] + 1 < e->last)
            return cdp_fail(err,
                            "the edges of item %llu come behind those of a later one: parts "
                            "must be in the order of their items",
                            (unsigned long long)block->source[n]);
        if (api_edges_add(e, block->source[n], block->target[n], values, err))
            return -1;
    }
    return 0;
}

static struct libcdp_edges *read_edges(struct cdp_reader *reader, struct api_run *api,
                                       struct cdp_err *err)
{
    const struct cdp_header *header = cdp_reader_header(reader);
    struct api_edges *e = api_edges_new(header, err);
    struct cdp_block block;
    struct cdp_err why;
    int status = e ? 1 : -1;
    cdp_progress_start(&api->progress, "reading", "edges", 0);
    while (status > 0 && (status = cdp_reader_next(reader, &block, err)) > 0) {
        if (add_block(e, &block, &why))
            status = cdp_fail(err, "%s: %s", cdp_reader_name(reader), why.text);
        else if (cdp_progress_check(&api->progress, err))
            status = -1;
        cdp_progress_add(&api->progress, block.edges);
    }
    const struct cdp_totals *totals = cdp_reader_totals(reader);
    if (!status)
        status = cdp_header_inherit(&e->header, header, err);
    if (!status && cdp_reader_names(reader))
        status = join_names(&e->shown, cdp_reader_names(reader), err);
    if (!status)
        e->shown.floor = totals->floor;
    return api_edges_end(e, status, status ? 0 : totals->nodes, NULL, err);
}

PUBLIC struct libcdp_edges *libcdp_edges_read(const char *file, struct libcdp_run *run,
                                              struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_reader *reader;
    struct cdp_err why;
    struct libcdp_edges *edges = NULL;
    unsigned all = 1 << CDP_KNN | 1 << CDP_PAIRS | 1 << CDP_FEATURES | 1 << CDP_FOREST;
    if (!api_begin(&api, run, &why) &&
        !cdp_reader_open(&reader, file, all, "expected an edge stream", api.threads, &why)) {
        edges = read_edges(reader, &api, &why);
        cdp_reader_close(reader);
        api_end(&api);
    }
    if (!edges)
        api_tell(err, &why);
    return edges;
}

static int write_edges(const struct libcdp_edges *edges, struct cdp_writer *writer,
                       struct api_run *api, struct cdp_err *err)
{
    float values[CDP_MAX_COLUMNS];
    cdp_progress_start(&api->progress, "writing", "edges", edges->count);
    for (uint64_t i = 0; i < edges->nodes; i++) {
        for (uint64_t n = edges->offset[i]; n < edges->offset[i + 1]; n++) {
            for (unsigned c = 0; c < edges->columns; c++)
                values[c] = edges->value[c][n];
            if (cdp_writer_add(writer, i, edges->target[n], values, err))
                return -1;
        }
        cdp_progress_add(&api->progress, edges->offset[i + 1] - edges->offset[i]);
        if (cdp_progress_check(&api->progress, err))
            return -1;
    }
    if (edges->type == LIBCDP_FOREST)
        cdp_writer_floor(writer, edges->floor);
    return 0;
}

static int write_stream(const struct libcdp_edges *edges, struct cdp_output *output, int level,
                        struct api_run *api, struct cdp_err *err)
{
    struct cdp_header header = ((const struct api_edges *)edges)->header;
    struct cdp_names *names;
    struct cdp_writer *writer;
    if (list_names(&names, edges->names, edges->names_size, edges->nodes, err))
        return -1;
    header.nodes = edges->nodes;
    header.named = names != NULL;
    if (cdp_writer_open(&writer, output, &header, level, api->threads, err)) {
        cdp_names_free(names);
        return -1;
    }
    int status = write_edges(edges, writer, api, err);
    cdp_writer_names(writer, names);
    if (!status)
        status = cdp_writer_finish(writer, NULL, err);
    cdp_writer_free(writer);
    cdp_names_free(names);
    return status;
}

PUBLIC int libcdp_edges_write(const struct libcdp_edges *edges, const char *file, int level,
                              struct libcdp_run *run, struct libcdp_err *err)
{
    struct api_run api;
    struct cdp_output *output = NULL;
    struct cdp_err why;
    int status = api_begin(&api, run, &why);
    if (!status && (level < 1 || level > 19))
        status = cdp_fail(&why, "level %d: from 1 to 19 are possible", level);
    if (!status)
        status = cdp_output_open(&output, file, true, &why);
    if (!status)
        status = write_stream(edges, output, level, &api, &why);
    if (!status)
        status = cdp_output_commit(output, &why);
    else
        cdp_output_abandon(output);
    api_end(&api);
    if (status)
        api_tell(err, &why);
    return status;
}

// ---- views

int api_expect(const struct libcdp_edges *edges, unsigned types, const char *wanted,
               struct cdp_err *err)
{
    if (1U << edges->type & types)
        return 0;
    return cdp_fail(err, "edges of type %s: expected %s", cdp_type_name((enum cdp_type)edges->type),
                    wanted);
}

struct api_view *api_view_new(const struct libcdp_edges *edges, struct cdp_err *err)
{
    struct api_view *v = cdp_zalloc(1, sizeof *v, "a block", err);
    if (v)
        v->edges = edges;
    return v;
}

bool api_view_next(struct api_view *v)
{
    const struct libcdp_edges *e = v->edges;
    size_t count = 0;
    for (unsigned c = 0; c < e->columns; c++)
        v->value[c] = e->value[c] + v->next;
    for (; v->next < e->count && count < CDP_BLOCK_EDGES; count++, v->next++) {
        while (v->next == e->offset[v->item + 1])
            v->item++;
        v->source[count] = v->item;
        v->target[count] = e->target[v->next];
    }
    v->block = (struct cdp_block){count, v->source, v->target, v->value};
    return count > 0;
}

int api_table(struct cdp_table *table, const struct libcdp_edges *lists, struct cdp_err *err)
{
    *table = (struct cdp_table){.header = ((const struct api_edges *)lists)->header,
                                .rows = lists->nodes,
                                .offset = lists->offset,
                                .target = lists->target,
                                .distance = lists->value[0]};
    table->header.provenance = NULL;
    return api_expect(lists, 1 << CDP_KNN, "neighbour lists", err);
}

int api_tables(struct cdp_table *tables, const struct libcdp_edges *const *lists, unsigned models,
               struct cdp_err *err)
{
    if (!models)
        return cdp_fail(err, "no lists");
    for (unsigned m = 0; m < models; m++) {
        if (api_table(&tables[m], lists[m], err))
            return -1;
        if (lists[m]->nodes != lists[0]->nodes)
            return cdp_fail(err, "model %u: lists of %llu items, but those of model 0 are of %llu",
                            m, (unsigned long long)lists[m]->nodes,
                            (unsigned long long)lists[0]->nodes);
    }
    return 0;
}
