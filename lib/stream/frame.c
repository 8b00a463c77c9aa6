// SPDX-License-Identifier: MIT
#include "stream/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"

static void put_columns(struct cdp_cursor *c, const struct cdp_header *header)
{
    cdp_put(c, 2, header->columns);
    for (unsigned i = 0; i < header->columns; i++) {
        size_t length = strlen(header->column[i]);
        cdp_put(c, 1, length);
        cdp_put_text(c, header->column[i], length);
    }
}

static struct cdp_cursor frame_begin(unsigned char *bytes, char kind)
{
    struct cdp_cursor c = {bytes};
    cdp_put(&c, 4, CDP_FRAME_MAGIC);
    cdp_put(&c, 4, 0);
    cdp_put_text(&c, "cdp", 3);
    cdp_put(&c, 1, (unsigned char)kind);
    return c;
}

static size_t frame_seal(unsigned char *bytes, struct cdp_cursor *c)
{
    size_t size = (size_t)(c->at - bytes);
    cdp_put_le(bytes + 4, 4, size + CDP_FRAME_SUM - 8);
    cdp_put(c, CDP_FRAME_SUM, XXH64(bytes, size, 0));
    return size + CDP_FRAME_SUM;
}

size_t cdp_frame_header(unsigned char *bytes, const struct cdp_header *header)
{
    struct cdp_cursor c = frame_begin(bytes, 'H');
    size_t length = header->provenance ? strlen(header->provenance) : 0;
    cdp_put(&c, 2, CDP_FORMAT_VERSION);
    cdp_put(&c, 1, header->type);
    cdp_put(&c, 1, header->metric);
    cdp_put(&c, 4, header->k);
    cdp_put(&c, 8, header->nodes);
    cdp_put(&c, 8, header->rows[0]);
    cdp_put(&c, 8, header->rows[1]);
    cdp_put(&c, 4, cdp_float_bits(header->scale));
    cdp_put(&c, 1, header->named);
    put_columns(&c, header);
    cdp_put(&c, 4, length);
    if (length)
        cdp_put_text(&c, header->provenance, length);
    return frame_seal(bytes, &c);
}

size_t cdp_frame_announce(unsigned char *bytes, const struct cdp_announce *a)
{
    struct cdp_cursor c = frame_begin(bytes, 'B');
    cdp_put(&c, 4, a->edges);
    cdp_put(&c, 4, a->runs);
    cdp_put(&c, 4, a->raw_size);
    cdp_put(&c, 4, a->data_size);
    cdp_put(&c, 8, a->first_source);
    cdp_put(&c, 8, a->content);
    cdp_put(&c, 8, a->data);
    return frame_seal(bytes, &c);
}

size_t cdp_frame_names(unsigned char *bytes, const struct cdp_announce_names *a)
{
    struct cdp_cursor c = frame_begin(bytes, 'N');
    cdp_put(&c, 4, a->names);
    cdp_put(&c, 4, a->raw_size);
    cdp_put(&c, 4, a->data_size);
    cdp_put(&c, 8, a->content);
    cdp_put(&c, 8, a->data);
    return frame_seal(bytes, &c);
}

size_t cdp_frame_end(unsigned char *bytes, const struct cdp_totals *totals)
{
    struct cdp_cursor c = frame_begin(bytes, 'E');
    cdp_put(&c, 8, totals->edges);
    cdp_put(&c, 8, totals->blocks);
    cdp_put(&c, 8, totals->nodes);
    cdp_put(&c, 4, cdp_float_bits(totals->floor));
    cdp_put(&c, 4, cdp_float_bits(totals->ceiling));
    cdp_put(&c, 8, totals->names);
    cdp_put(&c, 8, totals->digest);
    return frame_seal(bytes, &c);
}

static int is_name(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

int cdp_parse_header(struct cdp_header *header, unsigned *version, const unsigned char *fields,
                     size_t size, struct cdp_err *err)
{
    struct cdp_fields f = {fields, fields + size, 0};
    memset(header, 0, sizeof *header);
    *version = (unsigned)cdp_get(&f, 2);
    if (*version > CDP_FORMAT_VERSION)
        return cdp_fail(err, "format version %u; this program knows versions up to %d: update it",
                        *version, CDP_FORMAT_VERSION);
    header->type = (enum cdp_type)cdp_get(&f, 1);
    header->metric = (enum cdp_metric)cdp_get(&f, 1);
    header->k = (uint32_t)cdp_get(&f, 4);
    header->nodes = cdp_get(&f, 8);
    uint64_t named = 0;
    if (*version >= 2) {
        header->rows[0] = cdp_get(&f, 8);
        header->rows[1] = cdp_get(&f, 8);
        header->scale = cdp_bits_float((uint32_t)cdp_get(&f, 4));
        named = cdp_get(&f, 1);
        header->named = named == 1;
    }
    header->columns = (unsigned)cdp_get(&f, 2);
    bool all_rows = !header->rows[0] && !header->rows[1];
    bool rows_fit = header->type == CDP_KNN && header->rows[0] < header->rows[1] &&
                    header->rows[1] <= header->nodes;
    if (*version < 1 || !cdp_type_name(header->type) || header->metric >= CDP_METRICS ||
        header->nodes >> 63 || header->columns < 1 || header->columns > CDP_MAX_COLUMNS ||
        !(all_rows || rows_fit) || named > 1 || !(header->scale >= 0 && isfinite(header->scale)))
        return cdp_fail(err, "the header holds a value that the format does not know");
    for (unsigned i = 0; i < header->columns; i++) {
        size_t length = cdp_get(&f, 1);
        if (length >= CDP_COLUMN_NAME || (size_t)(f.end - f.at) < length)
            return cdp_fail(err, "the header's column names are damaged");
        memcpy(header->column[i], f.at, length);
        f.at += length;
        if (!is_name(header->column[i]))
            return cdp_fail(err, "the header's column names are damaged");
    }
    size_t length = cdp_get(&f, 4);
    if (f.short_of || length > CDP_MAX_PROVENANCE || length != (size_t)(f.end - f.at))
        return cdp_fail(err, "the header's size does not fit its fields");
    if (length) {
        header->provenance = strndup((const char *)f.at, length);
        if (!header->provenance)
            return cdp_fail(err, "out of memory: provenance needs %zu bytes", length);
    }
    return 0;
}

int cdp_parse_announce(struct cdp_announce *a, unsigned columns, const unsigned char *fields,
                       size_t size, struct cdp_err *err)
{
    struct cdp_fields f = {fields, fields + size, 0};
    a->edges = (uint32_t)cdp_get(&f, 4);
    a->runs = (uint32_t)cdp_get(&f, 4);
    a->raw_size = (uint32_t)cdp_get(&f, 4);
    a->data_size = (uint32_t)cdp_get(&f, 4);
    a->first_source = cdp_get(&f, 8);
    a->content = cdp_get(&f, 8);
    a->data = cdp_get(&f, 8);
    size_t bound = cdp_raw_bound(a->edges, columns);
    if (f.short_of || f.at != f.end || a->edges < 1 || a->edges > CDP_BLOCK_EDGES || a->runs < 1 ||
        a->runs > a->edges || a->raw_size > bound || a->data_size < 1 ||
        a->data_size > 2 * bound + 4096)
        return cdp_fail(err, "the block's sizes contradict each other");
    return 0;
}

int cdp_parse_names(struct cdp_announce_names *a, const unsigned char *fields, size_t size,
                    struct cdp_err *err)
{
    struct cdp_fields f = {fields, fields + size, 0};
    a->names = (uint32_t)cdp_get(&f, 4);
    a->raw_size = (uint32_t)cdp_get(&f, 4);
    a->data_size = (uint32_t)cdp_get(&f, 4);
    a->content = cdp_get(&f, 8);
    a->data = cdp_get(&f, 8);
    if (f.short_of || f.at != f.end || a->names < 1 || a->raw_size > CDP_NAMES_RAW ||
        a->data_size < 1 || a->data_size > 2 * CDP_NAMES_RAW)
        return cdp_fail(err, "the sizes of the names contradict each other");
    return 0;
}

int cdp_parse_end(struct cdp_totals *totals, unsigned version, const unsigned char *fields,
                  size_t size, struct cdp_err *err)
{
    struct cdp_fields f = {fields, fields + size, 0};
    totals->edges = cdp_get(&f, 8);
    totals->blocks = cdp_get(&f, 8);
    totals->nodes = cdp_get(&f, 8);
    totals->floor = cdp_bits_float((uint32_t)cdp_get(&f, 4));
    totals->ceiling = cdp_bits_float((uint32_t)cdp_get(&f, 4));
    totals->names = version >= 2 ? cdp_get(&f, 8) : 0;
    totals->digest = cdp_get(&f, 8);
    if (f.short_of || f.at != f.end)
        return cdp_fail(err, "the end mark's size does not fit its fields");
    return 0;
}

void cdp_digest_block(XXH64_state_t *state, const struct cdp_announce *announce)
{
    unsigned char bytes[12];
    cdp_put_le(bytes, 4, announce->edges);
    cdp_put_le(bytes + 4, 8, announce->content);
    XXH64_update(state, bytes, sizeof bytes);
}

uint64_t cdp_digest_seal(XXH64_state_t *state, const struct cdp_header *header,
                         const struct cdp_totals *totals)
{
    unsigned char bytes[64 + CDP_MAX_COLUMNS * (CDP_COLUMN_NAME + 1)];
    struct cdp_cursor c = {bytes};
    cdp_put(&c, 1, header->type);
    cdp_put(&c, 1, header->metric);
    cdp_put(&c, 4, header->k);
    cdp_put(&c, 8, totals->nodes);
    cdp_put(&c, 4, cdp_float_bits(totals->floor));
    cdp_put(&c, 4, cdp_float_bits(totals->ceiling));
    put_columns(&c, header);
    if (header->rows[1] || header->scale != 0 || totals->names) {
        cdp_put(&c, 8, header->rows[0]);
        cdp_put(&c, 8, header->rows[1]);
        cdp_put(&c, 4, cdp_float_bits(header->scale));
        cdp_put(&c, 8, totals->names);
    }
    XXH64_update(state, bytes, (size_t)(c.at - bytes));
    return XXH64_digest(state);
}
