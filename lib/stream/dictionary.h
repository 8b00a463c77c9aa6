// SPDX-License-Identifier: MIT
#ifndef CDP_DICTIONARY_H
#define CDP_DICTIONARY_H

#include <stdint.h>

#include "base/err.h"
#include "io/names.h"

// Names as bytes (cdp-stream(5)).

// The announcement of a part of the names.
struct cdp_announce_names {
    uint32_t names, raw_size, data_size;
    uint64_t content, data; // XXH64 of the raw and of the compressed data
};

enum { CDP_NAMES_RAW = 1 << 20 }; // most bytes of the raw data of a part of the names

// Lays as many names from `first` on into `raw` (room: CDP_NAMES_RAW) as it holds, and fills the
// announcement's names and raw_size.
void cdp_names_encode(const struct cdp_names *names, uint64_t first, unsigned char *raw,
                      struct cdp_announce_names *announce);

// Adds the names of raw data. The error says what is wrong, without the file and the part.
int cdp_names_decode(struct cdp_names *names, const unsigned char *raw,
                     const struct cdp_announce_names *announce, struct cdp_err *err);

#endif
