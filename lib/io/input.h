// SPDX-License-Identifier: MIT
#ifndef CDP_INPUT_H
#define CDP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// All input files. NAME is a file, "-" for standard input, or ARCHIVE:MEMBER for a member of a tar
// or zip archive (an npz is a zip archive; an existing file of that name takes precedence). Files
// and members compressed by gzip, xz, zstd, lz4 or bzip2 are decompressed; no program is run. A cdp
// edge stream is not decompressed, although it consists of zstd frames: its reader needs the
// frames.
//
// Damage is an error at the latest at the end: checksums are verified, and only zero bytes may
// follow the last compressed member. Content of more than 256 MiB and more than 500 times its
// compressed size is refused.
struct cdp_input;

// Opens for reading; refuses a terminal when `binary`. On failure *input is NULL.
int cdp_input_open(struct cdp_input **input, const char *name, int binary, struct cdp_err *err);
void cdp_input_close(struct cdp_input *input);

// Opens a text file as cdp_input_open does, and checks it as cdp_input_text does.
int cdp_input_open_text(struct cdp_input **input, const char *name, struct cdp_err *err);

// Skips a UTF-8 byte order mark. Refuses UTF-16 and the formats of cdp_kind (io/kind.h), by the
// first bytes. To be called before any read.
int cdp_input_text(struct cdp_input *input, struct cdp_err *err);

// Opens a member of an open zip archive, which stays open, for other members too. NAME also finds
// the member NAME.npy.
int cdp_input_open_in(struct cdp_input **input, struct cdp_input *archive, const char *member,
                      struct cdp_err *err);

// Calls `each` for every regular file in the archive NAME, with its path, its size, and its
// content, which is readable during the call. Stops at the first failure.
typedef int cdp_member_each(void *context, const char *path, uint64_t size,
                            struct cdp_input *content, struct cdp_err *err);
int cdp_input_members(const char *name, cdp_member_each *each, void *context, struct cdp_err *err);

// The same for an open zip archive.
int cdp_input_members_in(struct cdp_input *archive, cdp_member_each *each, void *context,
                         struct cdp_err *err);

// A name for messages: "standard input" for "-", all others as they are.
const char *cdp_input_shown(const char *name);

// The same of an open input; valid until the close.
const char *cdp_input_name(const struct cdp_input *input);

// Reads up to `size` bytes, fewer only at the end; returns the number read, or -1.
ssize_t cdp_input_read(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err);

// Returns the next `size` (at most 4,096) bytes without consuming them; *bytes is valid until the
// next call. Returns their number, smaller only at the end, or -1.
ssize_t cdp_input_peek(struct cdp_input *input, const unsigned char **bytes, size_t size,
                       struct cdp_err *err);

// An empty standard input ("-") is an error: a failed program leaves an empty pipe.
int cdp_input_check_pipe(struct cdp_input *input, const char *name, struct cdp_err *err);

// All unread bytes: mapped if the file is plain, otherwise read into memory. Owned by the input.
int cdp_input_whole(struct cdp_input *input, const unsigned char **bytes, size_t *size,
                    struct cdp_err *err);

#endif
