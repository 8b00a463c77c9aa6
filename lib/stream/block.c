// SPDX-License-Identifier: MIT
// The columns of a block as bytes. Integers are split into byte planes (all first bytes, all second
// bytes, ...), which suits a byte-wise entropy coder: the upper planes are nearly constant, and the
// noise is confined to the lower ones.
#include "stream/block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

// Codings of the targets; the stream stores the number.
enum { TARGET_PLAIN, TARGET_OFFSET, TARGET_GAP };

int cdp_edges_init(struct cdp_edges *edges, unsigned columns, struct cdp_err *err)
{
    memset(edges, 0, sizeof *edges);
    edges->columns = columns;
    edges->source = cdp_alloc(CDP_BLOCK_EDGES, sizeof *edges->source, "block", err);
    edges->target = cdp_alloc(CDP_BLOCK_EDGES, sizeof *edges->target, "block", err);
    edges->scratch = cdp_alloc(CDP_BLOCK_EDGES + 1, sizeof *edges->scratch, "block", err);
    edges->value = cdp_zalloc(columns, sizeof *edges->value, "block", err);
    if (!edges->source || !edges->target || !edges->scratch || !edges->value)
        return -1;
    for (unsigned i = 0; i < columns; i++) {
        edges->value[i] = cdp_alloc(CDP_BLOCK_EDGES, sizeof **edges->value, "block", err);
        if (!edges->value[i])
            return -1;
    }
    return 0;
}

void cdp_edges_free(struct cdp_edges *edges)
{
    for (unsigned i = 0; edges->value && i < edges->columns; i++)
        free(edges->value[i]);
    free(edges->value);
    free(edges->source);
    free(edges->target);
    free(edges->scratch);
}

size_t cdp_raw_bound(size_t edges, unsigned columns)
{
    return 64 + edges * (24 + 4 * (size_t)columns) + 2 * (size_t)columns;
}

// ---- planes

static void cut(struct cdp_cuts *cuts, const unsigned char *raw, const unsigned char *at)
{
    cuts->end[cuts->count++] = (uint32_t)(at - raw);
}

static unsigned char *put_planes(unsigned char *at, const uint64_t *values, size_t count,
                                 const unsigned char *raw, struct cdp_cuts *cuts)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= values[i];
    int width = 0;
    for (; all; all >>= 8)
        width++;
    *at++ = (unsigned char)width;
    cut(cuts, raw, at);
    for (int plane = 0; plane < width; plane++) {
        for (size_t i = 0; i < count; i++)
            at[i] = (unsigned char)(values[i] >> 8 * plane);
        at += count;
        cut(cuts, raw, at);
    }
    return at;
}

static unsigned char *put_planes32(unsigned char *at, const uint32_t *values, size_t count,
                                   const unsigned char *raw, struct cdp_cuts *cuts)
{
    *at++ = 4;
    cut(cuts, raw, at);
    for (int plane = 0; plane < 4; plane++) {
        for (size_t i = 0; i < count; i++)
            at[i] = (unsigned char)(values[i] >> 8 * plane);
        at += count;
        cut(cuts, raw, at);
    }
    return at;
}

struct source {
    const unsigned char *at, *end;
};

// The planes of `count` integers of at most `widest` bytes, or NULL if they exceed the data.
static const unsigned char *take_planes(struct source *s, size_t count, int widest, int *width)
{
    if (s->at == s->end)
        return NULL;
    *width = *s->at++;
    const unsigned char *planes = s->at;
    if (*width > widest || (size_t)(s->end - s->at) < (size_t)*width * count)
        return NULL;
    s->at += (size_t)*width * count;
    return planes;
}

static int get_planes(struct source *s, uint64_t *values, size_t count)
{
    int width;
    const unsigned char *p = take_planes(s, count, 8, &width);
    if (!p)
        return -1;
    switch (width) {
    case 0:
        memset(values, 0, count * sizeof *values);
        break;
    case 1:
        for (size_t i = 0; i < count; i++)
            values[i] = p[i];
        break;
    case 2:
        for (size_t i = 0; i < count; i++)
            values[i] = p[i] | (uint32_t)p[count + i] << 8;
        break;
    case 3:
        for (size_t i = 0; i < count; i++)
            values[i] = p[i] | (uint32_t)p[count + i] << 8 | (uint32_t)p[2 * count + i] << 16;
        break;
    default:
        for (size_t i = 0; i < count; i++)
            values[i] = p[i] | (uint32_t)p[count + i] << 8 | (uint32_t)p[2 * count + i] << 16 |
                        (uint32_t)p[3 * count + i] << 24;
        for (int plane = 4; plane < width; plane++) {
            for (size_t i = 0; i < count; i++)
                values[i] |= (uint64_t)p[(size_t)plane * count + i] << 8 * plane;
        }
    }
    return 0;
}

static int get_planes32(struct source *s, uint32_t *values, size_t count)
{
    int width;
    const unsigned char *p = take_planes(s, count, 4, &width);
    if (!p)
        return -1;
    if (width == 4) {
        for (size_t i = 0; i < count; i++)
            values[i] = p[i] | (uint32_t)p[count + i] << 8 | (uint32_t)p[2 * count + i] << 16 |
                        (uint32_t)p[3 * count + i] << 24;
        return 0;
    }
    memset(values, 0, count * sizeof *values);
    for (int plane = 0; plane < width; plane++) {
        for (size_t i = 0; i < count; i++)
            values[i] |= (uint32_t)p[(size_t)plane * count + i] << 8 * plane;
    }
    return 0;
}

// ---- encoding

static uint64_t zigzag(uint64_t target, uint64_t source)
{
    int64_t offset = (int64_t)(target - source);
    return (uint64_t)offset << 1 ^ -(uint64_t)(offset < 0);
}

static int bit_length(uint64_t value)
{
    return value ? 64 - __builtin_clzll(value) : 0;
}

static int choose_coding(enum cdp_type type, const struct cdp_edges *edges)
{
    if (type != CDP_KNN)
        return TARGET_GAP;
    uint64_t plain = 0, offset = 0;
    for (size_t i = 0; i < edges->count; i++) {
        plain += (uint64_t)bit_length(edges->target[i]);
        offset += (uint64_t)bit_length(zigzag(edges->target[i], edges->source[i]));
    }
    return offset < plain ? TARGET_OFFSET : TARGET_PLAIN;
}

// Whether edge i is the first of its source in the block.
static int starts_run(const struct cdp_edges *edges, size_t i)
{
    return i == 0 || edges->source[i] != edges->source[i - 1];
}

static unsigned char *put_runs(unsigned char *at, const struct cdp_edges *edges, uint32_t *runs,
                               const unsigned char *raw, struct cdp_cuts *cuts)
{
    uint64_t *list = edges->scratch;
    size_t count = 0;
    uint64_t before = edges->source[0];
    for (size_t i = 0; i < edges->count; i++) {
        if (starts_run(edges, i)) {
            list[count++] = edges->source[i] - before;
            before = edges->source[i];
        }
    }
    at = put_planes(at, list, count, raw, cuts);
    count = 0;
    for (size_t i = 0; i < edges->count; i++) {
        if (starts_run(edges, i))
            list[count++] = 0;
        else
            list[count - 1]++;
    }
    *runs = (uint32_t)count;
    return put_planes(at, list, count, raw, cuts);
}

static unsigned char *put_targets(unsigned char *at, enum cdp_type type,
                                  const struct cdp_edges *edges, const unsigned char *raw,
                                  struct cdp_cuts *cuts)
{
    int coding = choose_coding(type, edges);
    *at++ = (unsigned char)coding;
    if (coding == TARGET_PLAIN)
        return put_planes(at, edges->target, edges->count, raw, cuts);
    for (size_t i = 0; i < edges->count; i++) {
        if (coding == TARGET_OFFSET)
            edges->scratch[i] = zigzag(edges->target[i], edges->source[i]);
        else
            edges->scratch[i] = edges->target[i] -
                                (starts_run(edges, i) ? edges->source[i] : edges->target[i - 1]) -
                                1;
    }
    return put_planes(at, edges->scratch, edges->count, raw, cuts);
}

static unsigned char *put_values(unsigned char *at, bool differences, const float *values,
                                 const struct cdp_edges *edges, const unsigned char *raw,
                                 struct cdp_cuts *cuts)
{
    uint32_t *bits = (uint32_t *)edges->scratch;
    memcpy(bits, values, edges->count * sizeof *bits);
    for (size_t i = edges->count; differences && i-- > 0;) {
        if (!starts_run(edges, i))
            bits[i] -= bits[i - 1];
    }
    *at++ = differences;
    return put_planes32(at, bits, edges->count, raw, cuts);
}

static void summarize(struct cdp_edges *edges)
{
    uint64_t top = 0;
    float floor = edges->value[0][0], ceiling = floor;
    for (size_t i = 0; i < edges->count; i++) {
        uint64_t larger = edges->source[i] > edges->target[i] ? edges->source[i] : edges->target[i];
        top = larger > top ? larger : top;
    }
    for (size_t i = 0; i < edges->count; i++) {
        float value = edges->value[0][i];
        floor = value < floor ? value : floor;
        ceiling = value > ceiling ? value : ceiling;
    }
    edges->top = top;
    edges->floor = floor + 0.0F; // -0 becomes +0
    edges->ceiling = ceiling + 0.0F;
}

void cdp_block_encode(enum cdp_type type, struct cdp_edges *edges, unsigned char *raw,
                      struct cdp_announce *announce, struct cdp_cuts *cuts)
{
    unsigned char *at = raw;
    cuts->count = 0;
    at = put_runs(at, edges, &announce->runs, raw, cuts);
    at = put_targets(at, type, edges, raw, cuts);
    for (unsigned c = 0; c < edges->columns; c++)
        at = put_values(at, type == CDP_KNN, edges->value[c], edges, raw, cuts);
    summarize(edges);
    announce->edges = (uint32_t)edges->count;
    announce->raw_size = (uint32_t)(at - raw);
    announce->first_source = edges->source[0];
}

// ---- decoding

// Fills the sources. Sets *bad if sources do not ascend or an id is not below 2^63.
static int get_runs(struct source *s, struct cdp_edges *edges, const struct cdp_announce *a,
                    uint64_t *bad)
{
    uint64_t *gap = edges->target, *length = edges->scratch; // filled later, free until then
    if (get_planes(s, gap, a->runs) || get_planes(s, length, a->runs))
        return -1;
    uint64_t source = a->first_source;
    size_t edge = 0;
    *bad |= source >> 63 | (gap[0] != 0);
    for (size_t r = 0; r < a->runs; r++) {
        if (length[r] >= a->edges - edge || gap[r] >> 63)
            return -1;
        *bad |= r > 0 && gap[r] == 0;
        source += gap[r];
        if (source >> 63)
            return -1;
        size_t end = edge + length[r] + 1;
        while (edge < end)
            edges->source[edge++] = source;
    }
    return edge == a->edges ? 0 : -1;
}

static int get_targets(struct source *s, enum cdp_type type, struct cdp_edges *edges)
{
    if (s->at == s->end)
        return -1;
    int coding = *s->at++;
    uint64_t *target = edges->target;
    const uint64_t *source = edges->source;
    if (coding > TARGET_GAP || (coding == TARGET_GAP && type == CDP_KNN) ||
        get_planes(s, target, edges->count))
        return -1;
    if (coding == TARGET_OFFSET) {
        for (size_t i = 0; i < edges->count; i++)
            target[i] = source[i] + (target[i] >> 1 ^ -(target[i] & 1));
    } else if (coding == TARGET_GAP) {
        uint64_t last_source = UINT64_MAX, last = 0;
        for (size_t i = 0; i < edges->count; i++) {
            last = (source[i] == last_source ? last : source[i]) + 1 + target[i];
            last_source = source[i];
            target[i] = last;
        }
    }
    return 0;
}

static int get_values(struct source *s, float *values, struct cdp_edges *edges)
{
    if (s->at == s->end)
        return -1;
    int coding = *s->at++;
    uint32_t *bits = (uint32_t *)edges->scratch;
    if (coding > 1 || get_planes32(s, bits, edges->count))
        return -1;
    if (coding == 1) {
        const uint64_t *source = edges->source;
        for (size_t i = 1; i < edges->count; i++)
            bits[i] += source[i] == source[i - 1] ? bits[i - 1] : 0;
    }
    memcpy(values, bits, edges->count * sizeof *bits);
    uint32_t bad = 0;
    for (size_t i = 0; i < edges->count; i++)
        bad |= (bits[i] & 0x7F800000U) == 0x7F800000U;
    return bad ? 1 : 0;
}

int cdp_block_decode(enum cdp_type type, struct cdp_edges *edges, const unsigned char *raw,
                     const struct cdp_announce *announce, uint64_t limit, struct cdp_err *err)
{
    struct source s = {raw, raw + announce->raw_size};
    uint64_t bad = 0;
    edges->count = announce->edges;
    if (get_runs(&s, edges, announce, &bad) || get_targets(&s, type, edges))
        return cdp_fail(err, "the columns do not fit the announced sizes");
    for (unsigned c = 0; c < edges->columns; c++) {
        int status = get_values(&s, edges->value[c], edges);
        if (status < 0)
            return cdp_fail(err, "the columns do not fit the announced sizes");
        if (status > 0)
            return cdp_fail(err, "a value is not finite");
    }
    if (s.at != s.end)
        return cdp_fail(err, "the columns do not fit the announced sizes");
    for (size_t i = 0; i < edges->count; i++)
        bad |= (type == CDP_KNN ? edges->source[i] == edges->target[i]
                                : edges->source[i] >= edges->target[i]);
    for (size_t i = 1; i < edges->count; i++) {
        bool same = edges->source[i] == edges->source[i - 1];
        bad |= same && (type == CDP_KNN ? edges->value[0][i] < edges->value[0][i - 1]
                                        : edges->target[i] <= edges->target[i - 1]);
    }
    if (bad)
        return cdp_fail(err, "the edges are not in the order of a %s stream", cdp_type_name(type));
    summarize(edges);
    if (edges->top >= limit)
        return cdp_fail(err, "an edge names node %llu, but there are only %llu nodes",
                        (unsigned long long)edges->top, (unsigned long long)limit);
    return 0;
}
