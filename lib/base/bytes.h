// SPDX-License-Identifier: MIT
#ifndef CDP_BYTES_H
#define CDP_BYTES_H

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

#endif
