// SPDX-License-Identifier: MIT
// The five compressions, each by its own library: libarchive's filters verify no checksum of gzip,
// and report no error for damage after a member.
#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "io/input.h"
#include "io/layer.h"

int cdp_input_check_ratio(const char *name, uint64_t made, uint64_t used, struct cdp_err *err)
{
    enum { SMALL = 256 << 20, RATIO = 500 };
    if (made <= SMALL || made / RATIO <= used)
        return 0;
    return cdp_fail(err,
                    "%s: %llu compressed bytes expand to more than %d times as many: if that is "
                    "intended, decompress the file first",
                    name, (unsigned long long)used, RATIO);
}

// ---- the decoders: what they read and write, and one state each

struct flow {
    const unsigned char *in;
    size_t in_size;
    unsigned char *out;
    size_t out_size;
};

enum step { BAD = -1, MORE, MEMBER_END };

union state {
    z_stream gzip;
    bz_stream bzip2;
    lzma_stream xz;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
};

static unsigned bounded(size_t size)
{
    return size < 1U << 30 ? (unsigned)size : 1U << 30;
}

static void advance(struct flow *f, size_t in, size_t out)
{
    f->in += in;
    f->in_size -= in;
    f->out += out;
    f->out_size -= out;
}

static bool begin_gzip(union state *s)
{
    enum { GZIP_ONLY = 16 };
    s->gzip = (z_stream){0};
    return inflateInit2(&s->gzip, MAX_WBITS + GZIP_ONLY) == Z_OK;
}

static enum step step_gzip(union state *s, struct flow *f, const char **why)
{
    unsigned in = bounded(f->in_size), out = bounded(f->out_size);
    s->gzip.next_in = (unsigned char *)(uintptr_t)f->in;
    s->gzip.avail_in = in;
    s->gzip.next_out = f->out;
    s->gzip.avail_out = out;
    int status = inflate(&s->gzip, Z_NO_FLUSH);
    advance(f, in - s->gzip.avail_in, out - s->gzip.avail_out);
    *why = s->gzip.msg;
    return status == Z_STREAM_END                    ? MEMBER_END
           : status == Z_OK || status == Z_BUF_ERROR ? MORE
                                                     : BAD;
}

static void end_gzip(union state *s)
{
    inflateEnd(&s->gzip);
}

static bool begin_bzip2(union state *s)
{
    s->bzip2 = (bz_stream){0};
    return BZ2_bzDecompressInit(&s->bzip2, 0, 0) == BZ_OK;
}

static enum step step_bzip2(union state *s, struct flow *f, const char **why)
{
    unsigned in = bounded(f->in_size), out = bounded(f->out_size);
    s->bzip2.next_in = (char *)(uintptr_t)f->in;
    s->bzip2.avail_in = in;
    s->bzip2.next_out = (char *)f->out;
    s->bzip2.avail_out = out;
    int status = BZ2_bzDecompress(&s->bzip2);
    advance(f, in - s->bzip2.avail_in, out - s->bzip2.avail_out);
    *why = status == BZ_DATA_ERROR ? "a checksum or the data are wrong" : NULL;
    return status == BZ_STREAM_END ? MEMBER_END : status == BZ_OK ? MORE : BAD;
}

static void end_bzip2(union state *s)
{
    BZ2_bzDecompressEnd(&s->bzip2);
}

static bool begin_xz(union state *s)
{
    enum { MOST_MEMORY = 1 << 30 };
    s->xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&s->xz, MOST_MEMORY, 0) == LZMA_OK;
}

static enum step step_xz(union state *s, struct flow *f, const char **why)
{
    s->xz.next_in = f->in;
    s->xz.avail_in = f->in_size;
    s->xz.next_out = f->out;
    s->xz.avail_out = f->out_size;
    lzma_ret status = lzma_code(&s->xz, LZMA_RUN);
    advance(f, f->in_size - s->xz.avail_in, f->out_size - s->xz.avail_out);
    *why = status == LZMA_MEMLIMIT_ERROR ? "more than 1 GiB of memory is needed"
           : status == LZMA_DATA_ERROR   ? "a checksum or the data are wrong"
                                         : NULL;
    return status == LZMA_STREAM_END                       ? MEMBER_END
           : status == LZMA_OK || status == LZMA_BUF_ERROR ? MORE
                                                           : BAD;
}

static void end_xz(union state *s)
{
    lzma_end(&s->xz);
}

static bool begin_zstd(union state *s)
{
    return (s->zstd = ZSTD_createDStream()) != NULL;
}

static enum step step_zstd(union state *s, struct flow *f, const char **why)
{
    ZSTD_inBuffer in = {f->in, f->in_size, 0};
    ZSTD_outBuffer out = {f->out, f->out_size, 0};
    size_t status = ZSTD_decompressStream(s->zstd, &out, &in);
    advance(f, in.pos, out.pos);
    *why = ZSTD_isError(status) ? ZSTD_getErrorName(status) : NULL;
    return *why ? BAD : status ? MORE : MEMBER_END;
}

static void end_zstd(union state *s)
{
    ZSTD_freeDStream(s->zstd);
}

static bool begin_lz4(union state *s)
{
    return !LZ4F_isError(LZ4F_createDecompressionContext(&s->lz4, LZ4F_VERSION));
}

static enum step step_lz4(union state *s, struct flow *f, const char **why)
{
    size_t in = f->in_size, out = f->out_size;
    size_t status = LZ4F_decompress(s->lz4, f->out, &out, f->in, &in, NULL);
    *why = LZ4F_isError(status) ? LZ4F_getErrorName(status) : NULL;
    if (!*why)
        advance(f, in, out);
    return *why ? BAD : status ? MORE : MEMBER_END;
}

static void end_lz4(union state *s)
{
    LZ4F_freeDecompressionContext(s->lz4);
}

static const struct codec {
    unsigned char magic[6];
    ssize_t size;
    bool (*begin)(union state *s); // for one member
    enum step (*step)(union state *s, struct flow *f, const char **why);
    void (*end)(union state *s);
} codecs[] = {
    {{0x1f, 0x8b, 0x08}, 3, begin_gzip, step_gzip, end_gzip},
    {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, begin_xz, step_xz, end_xz},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, begin_zstd, step_zstd, end_zstd},
    {{0x04, 0x22, 0x4d, 0x18}, 4, begin_lz4, step_lz4, end_lz4},
    {{'B', 'Z', 'h'}, 3, begin_bzip2, step_bzip2, end_bzip2},
};

// ---- the layer

struct decoder {
    const struct codec *codec;
    union state state;
    bool inside; // within a member; otherwise there is no state
    const unsigned char *in;
    size_t in_size;
    unsigned char chunk[CDP_INPUT_CHUNK];
};

static void free_decoder(void *state)
{
    struct decoder *d = state;
    if (d->inside)
        d->codec->end(&d->state);
    free(d);
}

// The number of bytes read from the file at the bottom.
static uint64_t bytes_used(const struct cdp_input *input)
{
    while (input->below)
        input = input->below;
    return input->made;
}

static int fail_damaged(const struct cdp_input *input, const char *why, struct cdp_err *err)
{
    return cdp_fail(err, "%s: cannot decompress: %s", input->name, why ? why : "damaged data");
}

// Reads more input if all is used: 1, or 0 at the end of the file.
static int feed(struct cdp_input *input, struct decoder *d, struct cdp_err *err)
{
    if (d->in_size)
        return 1;
    ssize_t count = cdp_input_read(input->below, d->chunk, sizeof d->chunk, err);
    d->in = d->chunk;
    d->in_size = count < 0 ? 0 : (size_t)count;
    return count < 0 ? -1 : count > 0;
}

// Advances to the next member, skipping zero bytes: 1, or 0 at the end of the file.
static int next_member(struct cdp_input *input, struct decoder *d, struct cdp_err *err)
{
    int more;
    while ((more = feed(input, d, err)) > 0 && !*d->in) {
        d->in++;
        d->in_size--;
    }
    if (more <= 0)
        return more;
    if (!d->codec->begin(&d->state))
        return cdp_fail(err, "%s: out of memory: decompressor", input->name);
    d->inside = true;
    return 1;
}

static int decode(struct cdp_input *input, struct decoder *d, struct flow *f, struct cdp_err *err)
{
    int more = feed(input, d, err);
    if (more < 0)
        return -1;
    const char *why = NULL;
    size_t room = f->out_size;
    f->in = d->in;
    f->in_size = d->in_size;
    enum step step = d->codec->step(&d->state, f, &why);
    d->in = f->in;
    d->in_size = f->in_size;
    if (step == MORE && !more && f->out_size == room)
        return fail_damaged(input, "it ends in the middle", err);
    if (step != MORE) {
        d->inside = false;
        d->codec->end(&d->state);
    }
    return step == BAD ? fail_damaged(input, why, err) : 0;
}

static ssize_t read_decoded(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err)
{
    struct decoder *d = input->state;
    struct flow f = {.out = buffer, .out_size = size};
    while (f.out_size == size) {
        int more = d->inside ? 1 : next_member(input, d, err);
        if (more <= 0)
            return more;
        if (decode(input, d, &f, err))
            return -1;
    }
    uint64_t made = input->made + (size - f.out_size);
    return cdp_input_check_ratio(input->name, made, bytes_used(input), err)
               ? -1
               : (ssize_t)(size - f.out_size);
}

int cdp_input_decompress(struct cdp_input **input, const char *name, struct cdp_err *err)
{
    const unsigned char *bytes;
    ssize_t size = cdp_input_peek(*input, &bytes, 6, err);
    if (size < 0)
        return -1;
    const struct codec *c = codecs, *end = codecs + sizeof codecs / sizeof codecs[0];
    while (c < end && (size < c->size || memcmp(bytes, c->magic, (size_t)c->size) != 0))
        c++;
    if (c == end)
        return 0;
    struct cdp_input *top = cdp_input_new(name, err);
    struct decoder *d = top ? cdp_zalloc(1, sizeof *d, "decompressor", err) : NULL;
    if (!d) {
        cdp_input_close(top);
        return -1;
    }
    d->codec = c;
    top->state = d;
    top->read = read_decoded;
    top->free_state = free_decoder;
    top->below = *input;
    *input = top;
    return 0;
}
