// SPDX-License-Identifier: MIT
#ifndef CDP_INPUT_H
#define CDP_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// The one way into any file. NAME is a file, "-" for standard input, or ARCHIVE:MEMBER for a member
// of a tar or zip archive (npz is one; the name of an existing file wins over that reading). What
// is compressed with gzip, xz, zstd, lz4 or bzip2 is decompressed, inside an archive too; a cdp
// edge stream, though made of zstd frames, is not, since its reader wants the frames.
struct cdp_input;

// Opens for reading; refuses a terminal when `binary`. On failure *input is NULL.
int cdp_input_open(struct cdp_input **input, const char *name, int binary, struct cdp_err *err);
void cdp_input_close(struct cdp_input *input);

// Calls `each` for every regular file in the archive NAME, with its path, its size and, to be read
// during the call, its content. Ends where `each` fails.
typedef int cdp_member_each(void *context, const char *path, uint64_t size,
                            struct cdp_input *content, struct cdp_err *err);
int cdp_input_members(const char *name, cdp_member_each *each, void *context, struct cdp_err *err);

// The name as given ("standard input" for "-"); valid until the close.
const char *cdp_input_name(const struct cdp_input *input);

// Reads up to `size` bytes, fewer only at the end; returns the number read, or -1.
ssize_t cdp_input_read(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err);

// Up to `size` (at most 4,096) of the next bytes without taking them; *bytes is valid until the
// next call. Returns how many there are, fewer only at the end, or -1.
ssize_t cdp_input_peek(struct cdp_input *input, const unsigned char **bytes, size_t size,
                       struct cdp_err *err);

// The whole content at once, before anything was taken: mapped where the file is plain, otherwise
// read into memory. Owned by the input.
int cdp_input_whole(struct cdp_input *input, const unsigned char **bytes, size_t *size,
                    struct cdp_err *err);

#endif
