// SPDX-License-Identifier: MIT
#ifndef CDP_BYTES_H
#define CDP_BYTES_H

#include <stdint.h>

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

#endif
