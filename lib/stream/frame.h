// SPDX-License-Identifier: MIT
#ifndef CDP_FRAME_H
#define CDP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/block.h"
#include "stream/dictionary.h"
#include "stream/header.h"

// The frames of cdp-stream(5) as bytes, and the content digest.

enum {
    CDP_FRAME_MAGIC = 0x184D2A5C, // a zstd skippable frame
    CDP_FORMAT_VERSION = 2,
    CDP_FRAME_HEAD = 12, // magic, size, "cdp" and the kind
    CDP_FRAME_SUM = 8,   // XXH64 of all before it
    CDP_MAX_FRAME = (2 << 20),
};

// The cdp_frame functions return the number of bytes written to `bytes` (capacity: CDP_MAX_FRAME).
// The parsers take the fields between CDP_FRAME_HEAD and CDP_FRAME_SUM and return 0, or -1 if the
// fields are not valid; the error does not name the file.
size_t cdp_frame_header(unsigned char *bytes, const struct cdp_header *header);
size_t cdp_frame_announce(unsigned char *bytes, const struct cdp_announce *announce);
size_t cdp_frame_names(unsigned char *bytes, const struct cdp_announce_names *announce);
size_t cdp_frame_end(unsigned char *bytes, const struct cdp_totals *totals);
int cdp_parse_header(struct cdp_header *header, unsigned *version, const unsigned char *fields,
                     size_t size, struct cdp_err *err);
int cdp_parse_announce(struct cdp_announce *announce, unsigned columns, const unsigned char *fields,
                       size_t size, struct cdp_err *err);
int cdp_parse_names(struct cdp_announce_names *announce, const unsigned char *fields, size_t size,
                    struct cdp_err *err);
int cdp_parse_end(struct cdp_totals *totals, unsigned version, const unsigned char *fields,
                  size_t size, struct cdp_err *err);

// The content digest: starts empty; one call per block, then sealed with the header and the end
// mark.
struct XXH64_state_s;
void cdp_digest_block(struct XXH64_state_s *state, const struct cdp_announce *announce);
uint64_t cdp_digest_seal(struct XXH64_state_s *state, const struct cdp_header *header,
                         const struct cdp_totals *totals);

#endif
