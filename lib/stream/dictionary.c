// SPDX-License-Identifier: MIT
#include "stream/dictionary.h"

#include <string.h>

#include "base/bytes.h"

// Raw data of names: all lengths as u16, then all bytes.

void cdp_names_encode(const struct cdp_names *names, uint64_t first, unsigned char *raw,
                      struct cdp_announce_names *announce)
{
    uint64_t count = cdp_names_count(names), end = first;
    size_t size = 0, length;
    for (; end < count; end++, size += 2 + length) {
        cdp_names_get(names, end, &length);
        if (size + 2 + length > CDP_NAMES_RAW)
            break;
    }
    unsigned char *at = raw + 2 * (end - first);
    for (uint64_t id = first; id < end; id++, at += length) {
        const char *name = cdp_names_get(names, id, &length);
        cdp_put_le(raw + 2 * (id - first), 2, length);
        memcpy(at, name, length);
    }
    announce->names = (uint32_t)(end - first);
    announce->raw_size = (uint32_t)size;
}

int cdp_names_decode(struct cdp_names *names, const unsigned char *raw,
                     const struct cdp_announce_names *announce, struct cdp_err *err)
{
    const unsigned char *end = raw + announce->raw_size;
    if (announce->raw_size / 2 < announce->names)
        return cdp_fail(err, "the lengths of the names exceed their data");
    const unsigned char *at = raw + 2 * (size_t)announce->names;
    for (uint32_t n = 0; n < announce->names; n++) {
        size_t length = cdp_get_le(raw + 2 * (size_t)n, 2);
        uint64_t id, next = cdp_names_count(names);
        if (length > (size_t)(end - at))
            return cdp_fail(err, "the lengths of the names exceed their data");
        if (cdp_names_add(names, (const char *)at, length, &id, err))
            return -1;
        if (id != next)
            return cdp_fail(err, "two nodes have the name '%.*s'", (int)length, (const char *)at);
        at += length;
    }
    return at == end ? 0 : cdp_fail(err, "the lengths of the names fall short of their data");
}
