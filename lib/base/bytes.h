// SPDX-License-Identifier: MIT
#ifndef CDP_BYTES_H
#define CDP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Little-endian integers in byte buffers of any alignment, on machines of any byte order.

static inline uint64_t cdp_get_le(const void *bytes, int width)
{
    const unsigned char *b = bytes;
    uint64_t value = 0;
    for (int i = width - 1; i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

static inline void cdp_put_le(void *bytes, int width, uint64_t value)
{
    unsigned char *b = bytes;
    for (int i = 0; i < width; i++, value >>= 8)
        b[i] = (unsigned char)value;
}

// The bits of a float as a number, and back.
static inline uint32_t cdp_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float cdp_bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// A write position. The caller ensures that there is room.
struct cdp_cursor {
    unsigned char *at;
};

static inline void cdp_put(struct cdp_cursor *c, int width, uint64_t value)
{
    cdp_put_le(c->at, width, value);
    c->at += width;
}

static inline void cdp_put_text(struct cdp_cursor *c, const char *text, size_t size)
{
    memcpy(c->at, text, size);
    c->at += size;
}

// A read position. Reading beyond the end returns 0 and sets short_of.
struct cdp_fields {
    const unsigned char *at, *end;
    bool short_of;
};

static inline uint64_t cdp_get(struct cdp_fields *f, int width)
{
    if (f->end - f->at < width) {
        f->short_of = true;
        f->at = f->end;
        return 0;
    }
    uint64_t value = cdp_get_le(f->at, width);
    f->at += width;
    return value;
}

static inline bool cdp_little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

#endif
