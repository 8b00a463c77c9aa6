// SPDX-License-Identifier: MIT
// A fuzz target: raw data of a block, as they are behind the checksums, where a hostile file could
// have put anything. The first bytes become the announcement; the decoder must refuse or decode,
// within memory.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "stream/frame.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    enum { HEAD = 12, COLUMNS = 2 };
    static struct cdp_edges edges;
    struct cdp_err err;
    if (!edges.source && cdp_edges_init(&edges, COLUMNS, &err))
        abort();
    if (size < HEAD)
        return 0;
    struct cdp_announce announce = {
        .edges = 1 + (uint32_t)cdp_get_le(data, 2),
        .runs = 1 + (uint32_t)cdp_get_le(data + 2, 2),
        .first_source = cdp_get_le(data + 4, 2) << 48 | cdp_get_le(data + 6, 2),
    };
    enum cdp_type type = (enum cdp_type)(CDP_KNN + data[8] % 4);
    uint64_t limit = cdp_get_le(data + 9, 3);
    size -= HEAD;
    if (announce.runs > announce.edges || size > cdp_raw_bound(announce.edges, COLUMNS))
        return 0; // refused before the data are looked at
    // In memory of its own, so that a read beyond the end is seen.
    unsigned char *raw = malloc(size + !size);
    if (!raw)
        abort();
    memcpy(raw, data + HEAD, size);
    announce.raw_size = (uint32_t)size;
    cdp_block_decode(type, &edges, raw, &announce, limit, &err);
    free(raw);
    return 0;
}
