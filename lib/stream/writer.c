// SPDX-License-Identifier: MIT
#include "stream/writer.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/threads.h"
#include "stream/frame.h"

// A block being written: filled edge by edge, then encoded and compressed by one thread.
struct slot {
    struct cdp_edges edges;
    struct cdp_announce announce;
    struct cdp_cuts cuts;
    unsigned char *raw, *data;
    ZSTD_CCtx *zstd;
    const char *failure;
};

struct cdp_writer {
    struct cdp_output *output;
    struct cdp_header header;
    struct cdp_totals totals;
    bool floor_given;
    const struct cdp_names *names;
    int level;
    struct slot *slots;
    int threads, filling;    // slots[filling] takes the next edge
    uint64_t source, target; // of the edge before
    float distance;          // of the edge before, in a knn stream
    uint64_t top;            // one more than the largest id
    XXH64_state_t *digest;
    unsigned char *frame;
};

static size_t data_bound(const struct cdp_writer *w)
{
    // Each plane adds a zstd block header to the bound of a single frame.
    return ZSTD_compressBound(cdp_raw_bound(CDP_BLOCK_EDGES, w->header.columns)) +
           8 * sizeof(struct cdp_cuts) / sizeof(uint32_t);
}

static int slot_init(struct cdp_writer *w, struct slot *slot, struct cdp_err *err)
{
    if (cdp_edges_init(&slot->edges, w->header.columns, err))
        return -1;
    slot->raw = cdp_alloc(cdp_raw_bound(CDP_BLOCK_EDGES, w->header.columns), 1, "block", err);
    slot->data = cdp_alloc(data_bound(w), 1, "compressed block", err);
    slot->zstd = ZSTD_createCCtx();
    if (!slot->raw || !slot->data)
        return -1;
    if (!slot->zstd ||
        ZSTD_isError(ZSTD_CCtx_setParameter(slot->zstd, ZSTD_c_compressionLevel, w->level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(slot->zstd, ZSTD_c_checksumFlag, 1)))
        return cdp_fail(err, "out of memory: zstd compressor");
    return 0;
}

int cdp_writer_open(struct cdp_writer **writer, struct cdp_output *output,
                    const struct cdp_header *header, int level, int threads, struct cdp_err *err)
{
    *writer = NULL;
    struct cdp_writer *w = cdp_zalloc(1, sizeof *w, "writer", err);
    if (!w)
        return -1;
    w->output = output;
    w->header = *header;
    w->header.provenance = NULL;
    w->level = level;
    w->threads = cdp_threads(threads);
    w->totals.floor = INFINITY;
    w->totals.ceiling = -INFINITY;
    w->digest = XXH64_createState();
    w->frame = cdp_alloc(CDP_MAX_FRAME, 1, "frame", err);
    w->slots = cdp_zalloc((size_t)w->threads, sizeof *w->slots, "blocks", err);
    if (!w->digest)
        cdp_fail(err, "out of memory: digest");
    if (!w->digest || !w->frame || !w->slots)
        goto fail;
    XXH64_reset(w->digest, 0);
    for (int i = 0; i < w->threads; i++) {
        if (slot_init(w, &w->slots[i], err))
            goto fail;
    }
    if (cdp_output_write(output, w->frame, cdp_frame_header(w->frame, header), err))
        goto fail;
    *writer = w;
    return 0;
fail:
    cdp_writer_free(w);
    return -1;
}

void cdp_writer_free(struct cdp_writer *w)
{
    if (!w)
        return;
    for (int i = 0; w->slots && i < w->threads; i++) {
        cdp_edges_free(&w->slots[i].edges);
        free(w->slots[i].raw);
        free(w->slots[i].data);
        ZSTD_freeCCtx(w->slots[i].zstd);
    }
    free(w->slots);
    free(w->frame);
    XXH64_freeState(w->digest);
    free(w);
}

// One zstd frame, with a zstd block of its own for each plane.
static void compress_slot(struct cdp_writer *w, struct slot *slot)
{
    cdp_block_encode(w->header.type, &slot->edges, slot->raw, &slot->announce, &slot->cuts);
    size_t size = slot->announce.raw_size;
    ZSTD_CCtx_reset(slot->zstd, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(slot->zstd, size);
    ZSTD_inBuffer in = {slot->raw, 0, 0};
    ZSTD_outBuffer out = {slot->data, data_bound(w), 0};
    slot->failure = NULL;
    for (unsigned i = 0; i < slot->cuts.count; i++) {
        bool last = i + 1 == slot->cuts.count;
        in.size = slot->cuts.end[i];
        size_t left = ZSTD_compressStream2(slot->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_flush);
        if (ZSTD_isError(left) || left) {
            slot->failure = ZSTD_isError(left) ? ZSTD_getErrorName(left) : "no room";
            return;
        }
    }
    slot->announce.data_size = (uint32_t)out.pos;
    slot->announce.content = XXH64(slot->raw, size, 0);
    slot->announce.data = XXH64(slot->data, out.pos, 0);
}

static int write_slots(struct cdp_writer *w, int count, struct cdp_err *err)
{
#pragma omp parallel for num_threads(w->threads) schedule(static, 1) if (count > 1)
    for (int i = 0; i < count; i++)
        compress_slot(w, &w->slots[i]);

    for (int i = 0; i < count; i++) {
        struct slot *slot = &w->slots[i];
        if (slot->failure)
            return cdp_fail(err, "block %llu: cannot compress: %s",
                            (unsigned long long)w->totals.blocks, slot->failure);
        if (cdp_output_write(w->output, w->frame, cdp_frame_announce(w->frame, &slot->announce),
                             err) ||
            cdp_output_write(w->output, slot->data, slot->announce.data_size, err))
            return -1;
        cdp_digest_block(w->digest, &slot->announce);
        w->totals.blocks++;
        w->totals.edges += slot->edges.count;
        w->totals.floor = fminf(w->totals.floor, slot->edges.floor);
        w->totals.ceiling = fmaxf(w->totals.ceiling, slot->edges.ceiling);
        w->top = slot->edges.top >= w->top ? slot->edges.top + 1 : w->top;
        slot->edges.count = 0;
    }
    w->filling = 0;
    return 0;
}

static bool outside_rows(const struct cdp_writer *w, uint64_t source)
{
    const uint64_t *rows = w->header.rows;
    return rows[1] && (source < rows[0] || source >= rows[1]);
}

// Fills err with the reason why an edge was refused.
static int refuse(const struct cdp_writer *w, uint64_t source, uint64_t target, struct cdp_err *err)
{
    const char *why = source == target          ? "it joins a node to itself"
                      : (source | target) >> 63 ? "an id is not below 2^63"
                      : w->header.type == CDP_KNN && source == w->source
                          ? "its distance is below the one before: lists must be nearest first"
                      : w->header.type == CDP_KNN ? "its source is below the one before"
                      : source > target           ? "its ids are not in ascending order"
                                                  : "it is not above the edge before";
    if (outside_rows(w, source))
        return cdp_fail(err, "edge %llu, %llu: the rows are %llu:%llu", (unsigned long long)source,
                        (unsigned long long)target, (unsigned long long)w->header.rows[0],
                        (unsigned long long)w->header.rows[1]);
    if (w->header.nodes && (source >= w->header.nodes || target >= w->header.nodes))
        return cdp_fail(err, "edge %llu, %llu: an id is not below the number of nodes, %llu",
                        (unsigned long long)source, (unsigned long long)target,
                        (unsigned long long)w->header.nodes);
    return cdp_fail(err, "edge %llu, %llu: %s", (unsigned long long)source,
                    (unsigned long long)target, why);
}

// The bound of ids.
static uint64_t limit_of(const struct cdp_writer *w)
{
    return w->header.nodes ? w->header.nodes : (uint64_t)1 << 63;
}

int cdp_writer_add(struct cdp_writer *w, uint64_t source, uint64_t target, const float *values,
                   struct cdp_err *err)
{
    struct slot *slot = &w->slots[w->filling];
    bool first = !slot->edges.count && !w->filling && !w->totals.blocks;
    uint64_t limit = limit_of(w);
    bool ordered = w->header.type == CDP_KNN
                       ? source != target && (first || source > w->source ||
                                              (source == w->source && !(values[0] < w->distance)))
                       : source < target && (first || source > w->source ||
                                             (source == w->source && target > w->target));
    if (!ordered || source >= limit || target >= limit || outside_rows(w, source))
        return refuse(w, source, target, err);
    w->source = source;
    w->target = target;
    w->distance = values[0];
    size_t at = slot->edges.count++;
    slot->edges.source[at] = source;
    slot->edges.target[at] = target;
    for (unsigned c = 0; c < w->header.columns; c++) {
        if (!isfinite(values[c]))
            return cdp_fail(err, "edge %llu, %llu: %s %g is not finite", (unsigned long long)source,
                            (unsigned long long)target, w->header.column[c], (double)values[c]);
        slot->edges.value[c][at] = values[c];
    }
    if (slot->edges.count == CDP_BLOCK_EDGES && ++w->filling == w->threads)
        return write_slots(w, w->threads, err);
    return 0;
}

// Whether `count` edges of a source can be added in one step: valid, and fewer than the free edges
// of the block.
static bool fits(const struct cdp_writer *w, uint64_t source, const uint32_t *target,
                 const float *value, uint32_t count)
{
    const struct slot *slot = &w->slots[w->filling];
    uint64_t limit = limit_of(w);
    bool ordered = source >= w->source && source < limit && !outside_rows(w, source);
    uint32_t bad = 0;
    float before = source == w->source ? w->distance : -INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        bad |= (uint32_t)(target[i] == source) | (target[i] >= limit) | !isfinite(value[i]) |
               (value[i] < before);
        before = value[i];
    }
    return w->header.type == CDP_KNN && ordered && !bad &&
           count < CDP_BLOCK_EDGES - slot->edges.count;
}

int cdp_writer_add_row(struct cdp_writer *w, uint64_t source, const uint32_t *target,
                       const float *value, uint32_t count, struct cdp_err *err)
{
    if (!fits(w, source, target, value, count)) {
        for (uint32_t i = 0; i < count; i++) {
            if (cdp_writer_add(w, source, target[i], &value[i], err))
                return -1;
        }
        return 0;
    }
    struct cdp_edges *edges = &w->slots[w->filling].edges;
    for (uint32_t i = 0; i < count; i++) {
        edges->source[edges->count + i] = source;
        edges->target[edges->count + i] = target[i];
        edges->value[0][edges->count + i] = value[i];
    }
    edges->count += count;
    w->source = source;
    w->distance = count ? value[count - 1] : w->distance;
    return 0;
}

void cdp_writer_floor(struct cdp_writer *w, float floor)
{
    w->totals.floor = floor;
    w->floor_given = true;
}

void cdp_writer_names(struct cdp_writer *w, const struct cdp_names *names)
{
    w->names = names;
}

// Writes the names in parts.
static int write_names(struct cdp_writer *w, struct cdp_err *err)
{
    struct cdp_announce_names announce;
    uint64_t count = w->names ? cdp_names_count(w->names) : 0;
    if (count != w->totals.nodes)
        return cdp_fail(err, "%llu names for %llu nodes", (unsigned long long)count,
                        (unsigned long long)w->totals.nodes);
    unsigned char *raw = cdp_alloc(CDP_NAMES_RAW, 1, "names", err);
    size_t room = ZSTD_compressBound(CDP_NAMES_RAW);
    unsigned char *data = cdp_alloc(room, 1, "compressed names", err);
    int status = raw && data ? 0 : -1;
    for (uint64_t first = 0; !status && first < count; first += announce.names) {
        cdp_names_encode(w->names, first, raw, &announce);
        size_t size = ZSTD_compress2(w->slots[0].zstd, data, room, raw, announce.raw_size);
        if (ZSTD_isError(size)) {
            status = cdp_fail(err, "cannot compress names: %s", ZSTD_getErrorName(size));
            break;
        }
        announce.data_size = (uint32_t)size;
        announce.content = XXH64(raw, announce.raw_size, 0);
        announce.data = XXH64(data, size, 0);
        if (cdp_output_write(w->output, w->frame, cdp_frame_names(w->frame, &announce), err) ||
            cdp_output_write(w->output, data, size, err))
            status = -1;
    }
    w->totals.names = w->names ? cdp_names_digest(w->names) : 0;
    free(raw);
    free(data);
    return status;
}

int cdp_writer_finish(struct cdp_writer *w, struct cdp_totals *totals, struct cdp_err *err)
{
    float floor = w->totals.floor;
    int left = w->filling + (w->filling < w->threads && w->slots[w->filling].edges.count > 0);
    if (write_slots(w, left, err))
        return -1;
    if (w->floor_given)
        w->totals.floor = floor;
    if (!w->totals.edges)
        w->totals.floor = w->totals.ceiling = NAN;
    w->totals.nodes = w->header.nodes ? w->header.nodes : w->top;
    if (w->header.named && write_names(w, err))
        return -1;
    w->totals.digest = cdp_digest_seal(w->digest, &w->header, &w->totals);
    if (totals)
        *totals = w->totals;
    return cdp_output_write(w->output, w->frame, cdp_frame_end(w->frame, &w->totals), err);
}
