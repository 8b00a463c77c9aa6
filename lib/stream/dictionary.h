// SPDX-License-Identifier: MIT
#ifndef CDP_DICTIONARY_H
#define CDP_DICTIONARY_H

#include <stdint.h>

#include "base/err.h"
#include "io/names.h"

// Names as bytes (cdp-stream(5)).

// The header of a part of the names, which precedes its data.
struct cdp_announce_names {
    uint32_t names, raw_size, data_size;
    uint64_t content, data; // XXH64 of the raw and of the compressed data
};

enum { CDP_NAMES_RAW = 1 << 20 }; // upper bound of the raw bytes of a part

// Encodes as many names from `first` on as fit into `raw` (capacity: CDP_NAMES_RAW). Sets the
// announcement's names and raw_size.
void cdp_names_encode(const struct cdp_names *names, uint64_t first, unsigned char *raw,
                      struct cdp_announce_names *announce);

// Adds the names of raw data. The error does not name the file and the part.
int cdp_names_decode(struct cdp_names *names, const unsigned char *raw,
                     const struct cdp_announce_names *announce, struct cdp_err *err);

#endif
