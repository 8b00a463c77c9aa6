// SPDX-License-Identifier: MIT
// The mediator's file.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "mediate/mediator.h"
#include "stream/frame.h"

#define MAGIC "cdpmodel"

enum { VERSION = 2, HEAD = 20, SUM = 8, FIELDS = 7 }; // FIELDS: floats of a point

static void put_floats(struct cdp_cursor *c, const float *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cdp_put(c, 4, cdp_float_bits(value[i]));
}

int cdp_mediator_write(const struct cdp_mediator *m, struct cdp_output *output, struct cdp_err *err)
{
    const struct cdp_network *n = &m->network;
    size_t most = HEAD + 4 + CDP_MAX_FRAME + 2 + n->inputs * 18 + n->count * 4 + 8 +
                  CDP_POINTS * FIELDS * 4 + SUM;
    unsigned char *bytes = cdp_alloc(most, 1, "the model", err);
    if (!bytes)
        return -1;
    struct cdp_cursor c = {bytes};
    cdp_put_text(&c, MAGIC, 8);
    cdp_put(&c, 4, VERSION);
    c.at += 8; // the size
    size_t frame = cdp_frame_header(c.at + 4, &m->header);
    cdp_put(&c, 4, frame);
    c.at += frame;
    cdp_put(&c, 2, n->inputs);
    for (unsigned i = 0; i < n->inputs; i++)
        cdp_put(&c, 2, m->input[i]);
    put_floats(&c, m->mean, n->inputs);
    put_floats(&c, m->deviation, n->inputs);
    put_floats(&c, n->shift, n->inputs);
    put_floats(&c, n->scale, n->inputs);
    put_floats(&c, n->weight, n->count);
    put_floats(&c, &m->temperature, 1);
    cdp_put(&c, 4, m->held_out ? CDP_POINTS : 0);
    for (int r = 0; m->held_out && r < CDP_POINTS; r++) {
        const struct cdp_point *point = &m->point[r];
        float value[FIELDS] = {point->threshold, point->precision,      point->recall,
                               point->kept,      point->item_precision, point->item_recall,
                               point->fscore};
        put_floats(&c, value, FIELDS);
    }
    size_t size = (size_t)(c.at - bytes);
    cdp_put_le(bytes + 12, 8, size + SUM);
    cdp_put(&c, SUM, XXH64(bytes, size, 0));
    int status = cdp_output_write(output, bytes, size + SUM, err);
    free(bytes);
    return status;
}

static void get_floats(struct cdp_fields *f, float *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        value[i] = cdp_bits_float((uint32_t)cdp_get(f, 4));
        f->short_of |= !isfinite(value[i]);
    }
}

static int parse_body(struct cdp_mediator *m, struct cdp_fields *f, struct cdp_err *err)
{
    static const char damaged[] = "its fields contradict each other";
    size_t frame = cdp_get(f, 4);
    if (frame < CDP_FRAME_HEAD + CDP_FRAME_SUM || frame > (size_t)(f->end - f->at))
        return cdp_fail(err, "%s", damaged);
    unsigned version;
    if (cdp_parse_header(&m->header, &version, f->at + CDP_FRAME_HEAD,
                         frame - CDP_FRAME_HEAD - CDP_FRAME_SUM, err))
        return -1;
    f->at += frame;
    unsigned inputs = (unsigned)cdp_get(f, 2);
    if (m->header.type != CDP_FEATURES || !inputs || inputs > m->header.columns)
        return cdp_fail(err, "%s", damaged);
    for (unsigned i = 0; i < inputs; i++) {
        m->input[i] = (unsigned)cdp_get(f, 2);
        if (m->input[i] >= m->header.columns)
            return cdp_fail(err, "%s", damaged);
    }
    if (cdp_network_new(&m->network, inputs, 0, err))
        return -1;
    get_floats(f, m->mean, inputs);
    get_floats(f, m->deviation, inputs);
    get_floats(f, m->network.shift, inputs);
    get_floats(f, m->network.scale, inputs);
    get_floats(f, m->network.weight, m->network.count);
    get_floats(f, &m->temperature, 1);
    size_t points = cdp_get(f, 4);
    m->held_out = points > 0;
    if (points && points != CDP_POINTS)
        return cdp_fail(err, "%s", damaged);
    for (size_t r = 0; r < points; r++) {
        float value[FIELDS];
        get_floats(f, value, FIELDS);
        m->point[r] = (struct cdp_point){value[0], value[1], value[2], value[3],
                                         value[4], value[5], value[6]};
    }
    return f->short_of || f->at != f->end ? cdp_fail(err, "%s", damaged) : 0;
}

static int parse(struct cdp_mediator *m, const unsigned char *bytes, size_t size, uint64_t *digest,
                 struct cdp_err *err)
{
    if (size < HEAD || memcmp(bytes, MAGIC, 8))
        return cdp_fail(err, "no model of cdp-mediate train");
    uint64_t version = cdp_get_le(bytes + 8, 4), length = cdp_get_le(bytes + 12, 8);
    if (version != VERSION)
        return cdp_fail(err, "a model of version %llu; this program knows version %d: train again",
                        (unsigned long long)version, VERSION);
    if (length != size || size < HEAD + SUM)
        return cdp_fail(err, "%zu bytes, but the model has %llu: it is damaged", size,
                        (unsigned long long)length);
    uint64_t sum = cdp_get_le(bytes + size - SUM, SUM);
    if (sum != XXH64(bytes, size - SUM, 0))
        return cdp_fail(err, "the checksum does not match: the model is damaged");
    if (digest)
        *digest = sum;
    struct cdp_fields body = {bytes + HEAD, bytes + size - SUM, false};
    return parse_body(m, &body, err);
}

int cdp_mediator_read(struct cdp_mediator *m, const char *name, uint64_t *digest,
                      struct cdp_err *err)
{
    memset(m, 0, sizeof *m);
    struct cdp_input *input;
    if (cdp_input_open(&input, name, 1, err))
        return -1;
    const unsigned char *bytes;
    size_t size;
    int status = cdp_input_whole(input, &bytes, &size, err);
    if (!status) {
        struct cdp_err why;
        status = parse(m, bytes, size, digest, &why);
        if (status)
            cdp_fail(err, "%s: %s", cdp_input_name(input), why.text);
    }
    cdp_input_close(input);
    if (status)
        cdp_mediator_free(m);
    return status;
}
