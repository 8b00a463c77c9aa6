// SPDX-License-Identifier: MIT
#include "stream/reader.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/threads.h"
#include "stream/frame.h"

// A block being read: in order from the input, then decompressed and decoded by one thread.
struct slot {
    struct cdp_announce announce;
    uint64_t number; // in its stream, for messages
    unsigned char *data, *raw;
    size_t data_room;
    ZSTD_DCtx *zstd;
    struct cdp_edges edges;
    struct cdp_err err;
    int status;
};

struct cdp_reader {
    struct cdp_input *input;
    unsigned types;
    const char *wanted;
    struct cdp_header header; // the first stream's
    struct cdp_header part;   // the current one's
    struct cdp_totals totals; // over all streams
    struct cdp_totals seen;   // of the current one, counted
    uint64_t top;             // of the current one: one more than the largest id
    XXH64_state_t *digest;    // of the current one
    unsigned version;         // of the current one's format
    unsigned parts;           // number of complete streams
    struct cdp_names *names;  // of the streams ended so far
    struct cdp_names *adding; // of the current one
    bool inside;              // between a header and its end mark
    bool short_block;         // the stream's last block was read
    bool naming;              // its names have begun
    struct slot *slots;
    int threads, filled, next;
    uint64_t last_source, last_target;
    float last_distance;
    unsigned char *frame;
};

const struct cdp_header *cdp_reader_header(const struct cdp_reader *r)
{
    return &r->header;
}

const struct cdp_totals *cdp_reader_totals(const struct cdp_reader *r)
{
    return &r->totals;
}

const struct cdp_names *cdp_reader_names(const struct cdp_reader *r)
{
    return r->names;
}

struct cdp_names *cdp_reader_take_names(struct cdp_reader *r)
{
    struct cdp_names *names = r->names;
    r->names = NULL;
    return names;
}

const char *cdp_reader_name(const struct cdp_reader *r)
{
    return cdp_input_name(r->input);
}

static int damaged(const struct cdp_reader *r, const char *what, struct cdp_err *err)
{
    return cdp_fail(err, "%s: block %llu: %s: the file is damaged", cdp_reader_name(r),
                    (unsigned long long)r->seen.blocks, what);
}

static int fail_cut(const struct cdp_reader *r, struct cdp_err *err)
{
    return cdp_fail(err,
                    "%s: block %llu: the stream ends without its end mark: the file is cut, or the "
                    "program that wrote it failed",
                    cdp_reader_name(r), (unsigned long long)r->seen.blocks);
}

static int read_exactly(struct cdp_reader *r, void *bytes, size_t size, struct cdp_err *err)
{
    ssize_t count = cdp_input_read(r->input, bytes, size, err);
    if (count < 0)
        return -1;
    return (size_t)count == size ? 0 : fail_cut(r, err);
}

static bool is_frame(const unsigned char *bytes)
{
    return cdp_get_le(bytes, 4) == CDP_FRAME_MAGIC && !memcmp(bytes + 8, "cdp", 3);
}

int cdp_reader_sniff(struct cdp_input *input, struct cdp_err *err)
{
    const unsigned char *bytes;
    ssize_t size = cdp_input_peek(input, &bytes, CDP_FRAME_HEAD, err);
    return size < 0 ? -1 : size == CDP_FRAME_HEAD && is_frame(bytes);
}

// Reads a frame: its kind, and its fields, at r->frame + CDP_FRAME_HEAD.
static int read_frame(struct cdp_reader *r, char *kind, size_t *fields, struct cdp_err *err)
{
    if (read_exactly(r, r->frame, CDP_FRAME_HEAD, err))
        return -1;
    size_t size = cdp_get_le(r->frame + 4, 4) + 8;
    if (!is_frame(r->frame) || size < CDP_FRAME_HEAD + CDP_FRAME_SUM || size > CDP_MAX_FRAME)
        return damaged(r, "a frame of the stream is expected here", err);
    if (read_exactly(r, r->frame + CDP_FRAME_HEAD, size - CDP_FRAME_HEAD, err))
        return -1;
    if (cdp_get_le(r->frame + size - CDP_FRAME_SUM, 8) != XXH64(r->frame, size - CDP_FRAME_SUM, 0))
        return damaged(r, "checksum mismatch", err);
    *kind = (char)r->frame[CDP_FRAME_HEAD - 1];
    *fields = size - CDP_FRAME_HEAD - CDP_FRAME_SUM;
    return 0;
}

static int read_header(struct cdp_reader *r, struct cdp_err *err)
{
    char kind;
    size_t fields;
    struct cdp_err why;
    memset(&r->seen, 0, sizeof r->seen);
    if (read_frame(r, &kind, &fields, err))
        return -1;
    if (kind != 'H')
        return damaged(r, "a header is expected here", err);
    if (cdp_parse_header(&r->part, &r->version, r->frame + CDP_FRAME_HEAD, fields, &why))
        return cdp_fail(err, "%s: %s", cdp_reader_name(r), why.text);
    r->seen.floor = INFINITY;
    r->seen.ceiling = -INFINITY;
    r->top = 0;
    r->inside = true;
    r->short_block = r->naming = false;
    XXH64_reset(r->digest, 0);
    return r->part.named ? cdp_names_new(&r->adding, err) : 0;
}

static int open_slots(struct cdp_reader *r, struct cdp_err *err)
{
    r->slots = cdp_zalloc((size_t)r->threads, sizeof *r->slots, "blocks", err);
    for (int i = 0; r->slots && i < r->threads; i++) {
        struct slot *slot = &r->slots[i];
        slot->zstd = ZSTD_createDCtx();
        slot->raw = cdp_alloc(cdp_raw_bound(CDP_BLOCK_EDGES, r->header.columns), 1, "block", err);
        if (!slot->zstd)
            return cdp_fail(err, "out of memory: zstd decompressor");
        if (!slot->raw || cdp_edges_init(&slot->edges, r->header.columns, err))
            return -1;
    }
    return r->slots ? 0 : -1;
}

int cdp_reader_open_input(struct cdp_reader **reader, struct cdp_input *input, unsigned types,
                          const char *wanted, int threads, struct cdp_err *err)
{
    *reader = NULL;
    struct cdp_reader *r = cdp_zalloc(1, sizeof *r, "reader", err);
    if (!r) {
        cdp_input_close(input);
        return -1;
    }
    r->input = input;
    r->types = types;
    r->wanted = wanted;
    r->threads = cdp_threads(threads);
    r->frame = cdp_alloc(CDP_MAX_FRAME, 1, "frame", err);
    r->digest = XXH64_createState();
    if (!r->digest)
        cdp_fail(err, "out of memory: digest");
    if (!r->frame || !r->digest)
        goto fail;
    int is_stream = cdp_reader_sniff(input, err);
    if (is_stream == 0)
        cdp_fail(err, "%s: not a cdp edge stream (cdp-view --from makes one of other formats)",
                 cdp_input_name(input));
    if (is_stream <= 0 || read_header(r, err))
        goto fail;
    r->header = r->part;
    r->part.provenance = NULL;
    if (!(types >> r->header.type & 1)) {
        cdp_fail(err, "%s: a %s stream; %s", cdp_reader_name(r), cdp_type_name(r->header.type),
                 wanted);
        goto fail;
    }
    if (open_slots(r, err))
        goto fail;
    *reader = r;
    return 0;
fail:
    cdp_reader_close(r);
    return -1;
}

int cdp_reader_open(struct cdp_reader **reader, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err)
{
    struct cdp_input *input;
    *reader = NULL;
    if (cdp_input_open(&input, name, 1, err))
        return -1;
    return cdp_reader_open_input(reader, input, types, wanted, threads, err);
}

void cdp_reader_close(struct cdp_reader *r)
{
    if (!r)
        return;
    for (int i = 0; r->slots && i < r->threads; i++) {
        cdp_edges_free(&r->slots[i].edges);
        ZSTD_freeDCtx(r->slots[i].zstd);
        free(r->slots[i].data);
        free(r->slots[i].raw);
    }
    free(r->slots);
    free(r->frame);
    XXH64_freeState(r->digest);
    cdp_header_free(&r->header);
    cdp_header_free(&r->part);
    cdp_names_free(r->names);
    cdp_names_free(r->adding);
    cdp_input_close(r->input);
    free(r);
}

// ---- blocks

static int read_block(struct cdp_reader *r, struct slot *slot, size_t fields, struct cdp_err *err)
{
    struct cdp_err why;
    struct cdp_announce *a = &slot->announce;
    if (r->short_block || r->naming)
        return damaged(r, r->naming ? "a block follows names" : "a block follows a short one", err);
    if (cdp_parse_announce(a, r->header.columns, r->frame + CDP_FRAME_HEAD, fields, &why))
        return damaged(r, why.text, err);
    if (cdp_grow(&slot->data, &slot->data_room, a->data_size, 1, "compressed block", err) ||
        read_exactly(r, slot->data, a->data_size, err))
        return -1;
    slot->number = r->seen.blocks++;
    r->short_block = a->edges < CDP_BLOCK_EDGES;
    r->seen.edges += a->edges;
    cdp_digest_block(r->digest, a);
    return 0;
}

// Reads a part of the names.
static int read_names(struct cdp_reader *r, size_t fields, struct cdp_err *err)
{
    struct cdp_announce_names a;
    struct cdp_err why;
    r->naming = true;
    if (!r->part.named)
        return damaged(r, "names that the header does not announce", err);
    if (cdp_parse_names(&a, r->frame + CDP_FRAME_HEAD, fields, &why))
        return damaged(r, why.text, err);
    unsigned char *raw = cdp_alloc(a.raw_size, 1, "names", err);
    unsigned char *data = cdp_alloc(a.data_size, 1, "compressed names", err);
    int status = raw && data ? read_exactly(r, data, a.data_size, err) : -1;
    if (!status && XXH64(data, a.data_size, 0) != a.data)
        status = damaged(r, "names: checksum mismatch", err);
    if (!status) {
        size_t size = ZSTD_decompressDCtx(r->slots[0].zstd, raw, a.raw_size, data, a.data_size);
        if (ZSTD_isError(size) || size != a.raw_size || XXH64(raw, size, 0) != a.content)
            status = damaged(r, "the names are not those announced", err);
        else if (cdp_names_decode(r->adding, raw, &a, &why))
            status = damaged(r, why.text, err);
    }
    free(raw);
    free(data);
    return status;
}

static int decode_slot(const struct cdp_reader *r, struct slot *slot)
{
    const struct cdp_announce *a = &slot->announce;
    struct cdp_err why;
    const char *name = cdp_reader_name(r);
    unsigned long long number = slot->number;
    if (XXH64(slot->data, a->data_size, 0) != a->data)
        return cdp_fail(&slot->err, "%s: block %llu: checksum mismatch: the file is damaged", name,
                        number);
    size_t size = ZSTD_decompressDCtx(slot->zstd, slot->raw, a->raw_size, slot->data, a->data_size);
    if (ZSTD_isError(size))
        return cdp_fail(&slot->err, "%s: block %llu: cannot decompress: %s", name, number,
                        ZSTD_getErrorName(size));
    if (size != a->raw_size || XXH64(slot->raw, size, 0) != a->content)
        return cdp_fail(&slot->err, "%s: block %llu: the content is not the one announced", name,
                        number);
    uint64_t limit = r->part.nodes ? r->part.nodes : (uint64_t)1 << 63;
    if (cdp_block_decode(r->part.type, &slot->edges, slot->raw, a, limit, &why))
        return cdp_fail(&slot->err, "%s: block %llu: %s", name, number, why.text);
    return 0;
}

// Checks a decoded block against those before it, and adds it to the counts.
static int take_slot(struct cdp_reader *r, struct slot *slot, struct cdp_err *err)
{
    const struct cdp_edges *e = &slot->edges;
    if (slot->status)
        return cdp_fail(err, "%s", slot->err.text);
    bool knn = r->header.type == CDP_KNN;
    bool ordered = slot->number == 0 || e->source[0] > r->last_source ||
                   (e->source[0] == r->last_source &&
                    (knn ? e->value[0][0] >= r->last_distance : e->target[0] > r->last_target));
    if (!ordered)
        return cdp_fail(err, "%s: block %llu: the edges are not in the order of a %s stream",
                        cdp_reader_name(r), (unsigned long long)slot->number,
                        cdp_type_name(r->header.type));
    r->last_source = e->source[e->count - 1];
    r->last_target = e->target[e->count - 1];
    r->last_distance = e->value[0][e->count - 1];
    const uint64_t *rows = r->part.rows;
    if (rows[1] && (e->source[0] < rows[0] || r->last_source >= rows[1]))
        return cdp_fail(err, "%s: block %llu: neighbours of rows other than %llu:%llu",
                        cdp_reader_name(r), (unsigned long long)slot->number,
                        (unsigned long long)rows[0], (unsigned long long)rows[1]);
    r->seen.floor = fminf(r->seen.floor, e->floor);
    r->seen.ceiling = fmaxf(r->seen.ceiling, e->ceiling);
    r->top = e->top >= r->top ? e->top + 1 : r->top;
    return 0;
}

static uint64_t join_digests(uint64_t before, uint64_t digest)
{
    unsigned char bytes[16];
    cdp_put_le(bytes, 8, before);
    cdp_put_le(bytes + 8, 8, digest);
    return XXH64(bytes, sizeof bytes, 0);
}

// Joins the names of the stream that ends with those of the streams before. One list must be a
// prefix of the other, or ids would mean different items.
static int end_names(struct cdp_reader *r, bool first, struct cdp_err *err)
{
    struct cdp_names *names = r->adding;
    r->adding = NULL;
    if (first || !names) {
        r->names = names;
        return 0;
    }
    struct cdp_err why;
    return cdp_names_join(&r->names, names, &why) ? cdp_fail(err, "%s: stream %u of the file: %s",
                                                             cdp_reader_name(r), r->parts, why.text)
                                                  : 0;
}

// Compares the end mark with what was read, and adds it to the totals.
static int end_stream(struct cdp_reader *r, size_t fields, struct cdp_err *err)
{
    struct cdp_totals end;
    struct cdp_err why;
    if (cdp_parse_end(&end, r->version, r->frame + CDP_FRAME_HEAD, fields, &why))
        return damaged(r, why.text, err);
    bool empty = end.edges == 0;
    bool forest = r->header.type == CDP_FOREST;
    uint64_t names = r->adding ? cdp_names_digest(r->adding) : 0;
    bool same = names == end.names && (!names || cdp_names_count(r->adding) == end.nodes) &&
                end.edges == r->seen.edges && end.blocks == r->seen.blocks &&
                end.nodes == (r->part.nodes ? r->part.nodes : r->top) &&
                (empty ? isnan(end.floor) && isnan(end.ceiling)
                       : end.ceiling == r->seen.ceiling &&
                             (forest ? end.floor <= r->seen.floor : end.floor == r->seen.floor)) &&
                end.digest == cdp_digest_seal(r->digest, &r->part, &end);
    if (!same)
        return damaged(r, "the end mark does not fit what is before it", err);
    struct cdp_totals *t = &r->totals;
    bool first = r->parts++ == 0;
    bool had = t->edges > 0;
    t->digest = first ? end.digest : join_digests(t->digest, end.digest);
    t->nodes = end.nodes > t->nodes ? end.nodes : t->nodes;
    if (!had || !empty) {
        t->floor = had ? fminf(t->floor, end.floor) : end.floor;
        t->ceiling = had ? fmaxf(t->ceiling, end.ceiling) : end.ceiling;
    }
    t->edges += end.edges;
    t->blocks += end.blocks;
    r->inside = false;
    if (end_names(r, first, err))
        return -1;
    t->names = r->names ? cdp_names_digest(r->names) : 0;
    return 0;
}

// Extends the rows by those of a part, which must continue them.
static int join_rows(struct cdp_reader *r, struct cdp_err *err)
{
    uint64_t *rows = r->header.rows;
    const uint64_t *more = r->part.rows;
    if (more[0] != rows[1] || !more[1] != !rows[1])
        return cdp_fail(err,
                        "%s: stream %u of the file has the neighbours of rows %llu:%llu, but row "
                        "%llu is next: lay the parts end to end in the order of their rows",
                        cdp_reader_name(r), r->parts + 1, (unsigned long long)more[0],
                        (unsigned long long)more[1], (unsigned long long)rows[1]);
    rows[1] = more[1];
    if (!rows[0] && rows[1] == r->header.nodes)
        rows[1] = 0;
    return 0;
}

// Begins the next concatenated stream: 1, or 0 at the end of the input.
static int next_stream(struct cdp_reader *r, struct cdp_err *err)
{
    const unsigned char *bytes;
    ssize_t size = cdp_input_peek(r->input, &bytes, 1, err);
    if (size <= 0)
        return (int)size;
    if (read_header(r, err))
        return -1;
    bool same = r->part.type == r->header.type && r->part.metric == r->header.metric &&
                r->part.scale == r->header.scale && r->part.named == r->header.named &&
                r->part.columns == r->header.columns &&
                !memcmp(r->part.column, r->header.column, sizeof r->part.column);
    if (same && (r->part.rows[1] || r->header.rows[1]) && join_rows(r, err))
        return -1;
    cdp_header_free(&r->part);
    if (!same)
        return cdp_fail(err,
                        "%s: stream %u of the file has another type, metric, scale or columns "
                        "than the first, or only one of them has names",
                        cdp_reader_name(r), r->parts + 1);
    return 1;
}

// Reads the next blocks of the current stream into the slots, and decodes them.
static int fill(struct cdp_reader *r, struct cdp_err *err)
{
    r->filled = r->next = 0;
    bool ended = false;
    size_t fields;
    while (r->filled < r->threads) {
        char kind;
        if (read_frame(r, &kind, &fields, err))
            return -1;
        ended = kind == 'E';
        if (ended)
            break;
        if (kind == 'N') {
            if (read_names(r, fields, err))
                return -1;
            continue;
        }
        if (kind != 'B')
            return damaged(r, "a block or the end mark is expected here", err);
        if (read_block(r, &r->slots[r->filled], fields, err))
            return -1;
        r->filled++;
    }
#pragma omp parallel for num_threads(r->threads) schedule(static, 1) if (r->filled > 1)
    for (int i = 0; i < r->filled; i++)
        r->slots[i].status = decode_slot(r, &r->slots[i]);
    for (int i = 0; i < r->filled; i++) {
        if (take_slot(r, &r->slots[i], err))
            return -1;
    }
    return ended ? end_stream(r, fields, err) : 0;
}

int cdp_reader_next(struct cdp_reader *r, struct cdp_block *block, struct cdp_err *err)
{
    while (r->next == r->filled) {
        int more = r->inside ? 1 : next_stream(r, err);
        if (more <= 0)
            return more;
        if (fill(r, err))
            return -1;
    }
    const struct cdp_edges *e = &r->slots[r->next++].edges;
    block->edges = e->count;
    block->source = e->source;
    block->target = e->target;
    block->value = (const float *const *)e->value;
    return 1;
}
