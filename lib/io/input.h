// SPDX-License-Identifier: MIT
#ifndef CDP_INPUT_H
#define CDP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// Opens every file that is read. NAME is a file, "-" for standard input, or ARCHIVE:MEMBER for a
// member of a tar or zip archive (an npz is a zip archive; the name of an existing file takes
// precedence). Five compressions are decompressed, inside an archive too: gzip, xz, zstd, lz4 and
// bzip2. No other is, and no program is run. A cdp edge stream, though made of zstd frames, is not
// decompressed, since its reader needs the frames.
//
// Damage is an error at the latest when the end is read: checksums are verified, and only zero
// bytes may follow the last compressed member. Content of more than 256 MiB and more than 500 times
// its compressed size is refused.
struct cdp_input;

// Opens for reading; refuses a terminal when `binary`. On failure *input is NULL.
int cdp_input_open(struct cdp_input **input, const char *name, int binary, struct cdp_err *err);
void cdp_input_close(struct cdp_input *input);

// Opens a text file as cdp_input_open does, and checks it as cdp_input_text does.
int cdp_input_open_text(struct cdp_input **input, const char *name, struct cdp_err *err);

// Skips a UTF-8 byte order mark, and refuses content that is no text by its first bytes: UTF-16 and
// the formats of cdp_kind (io/kind.h). To be called before anything is read.
int cdp_input_text(struct cdp_input *input, struct cdp_err *err);

// Opens a member of the zip archive that `archive` reads; `archive` stays open, so that other
// members can be opened too. A member NAME.npy is found as NAME as well.
int cdp_input_open_in(struct cdp_input **input, struct cdp_input *archive, const char *member,
                      struct cdp_err *err);

// Calls `each` for every regular file in the archive NAME, with its path, its size and, to be read
// during the call, its content. Stops where `each` fails.
typedef int cdp_member_each(void *context, const char *path, uint64_t size,
                            struct cdp_input *content, struct cdp_err *err);
int cdp_input_members(const char *name, cdp_member_each *each, void *context, struct cdp_err *err);

// The same for the zip archive that `archive` reads.
int cdp_input_members_in(struct cdp_input *archive, cdp_member_each *each, void *context,
                         struct cdp_err *err);

// A name for messages: "standard input" for "-", all others as they are.
const char *cdp_input_shown(const char *name);

// The same of an open input; valid until the close.
const char *cdp_input_name(const struct cdp_input *input);

// Reads up to `size` bytes, fewer only at the end; returns the number read, or -1.
ssize_t cdp_input_read(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err);

// Up to `size` (at most 4,096) of the next bytes without taking them; *bytes is valid until the
// next call. Returns how many there are, fewer only at the end, or -1.
ssize_t cdp_input_peek(struct cdp_input *input, const unsigned char **bytes, size_t size,
                       struct cdp_err *err);

// Refuses an empty input named "-": a program that failed leaves an empty pipe behind.
int cdp_input_check_pipe(struct cdp_input *input, const char *name, struct cdp_err *err);

// All that was not read yet: mapped where the file is plain, otherwise read into memory. Owned by
// the input.
int cdp_input_whole(struct cdp_input *input, const unsigned char **bytes, size_t *size,
                    struct cdp_err *err);

#endif
