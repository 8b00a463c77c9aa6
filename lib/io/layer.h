// SPDX-License-Identifier: MIT
#ifndef CDP_LAYER_H
#define CDP_LAYER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

// Internals of inputs. An input is a file descriptor, bytes in memory, or a layer over another
// input: a decompressor, or the content of an archive member. A compressed member of a compressed
// archive is a stack of several inputs.

enum { CDP_INPUT_PEEK = 4096, CDP_INPUT_CHUNK = 1 << 17 };

struct cdp_input {
    char *name;
    int fd;                  // -1 = not a file
    struct cdp_input *below; // a layer's input; closed with it
    void *state;             // of a layer
    // Reads some bytes of a layer: their number, 0 at the end and after it, or -1.
    ssize_t (*read)(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err);
    void (*free_state)(void *state);
    uint64_t made;     // bytes read, including those in `peeked`
    uint64_t consumed; // bytes consumed before `whole`
    unsigned char peeked[CDP_INPUT_PEEK];
    size_t peek_start, peek_end;
    void *map;              // of a plain file
    unsigned char *content; // in memory, owned
    size_t size;            // of the map or the content
};

// Allocates an input.
struct cdp_input *cdp_input_new(const char *name, struct cdp_err *err);

// Opens a file, or standard input for "-", without decompression.
int cdp_input_file(struct cdp_input **input, const char *path, int binary, struct cdp_err *err);

// Puts a decompressor on top of *input if its first bytes are those of a known compression.
int cdp_input_decompress(struct cdp_input **input, const char *name, struct cdp_err *err);

// Replaces *input, an archive, by the content of a member, in memory. `path` is the archive's name.
int cdp_input_member(struct cdp_input **input, const char *path, const char *member,
                     const char *name, struct cdp_err *err);

// Refuses decompression bombs: `made` bytes from `used` compressed ones.
int cdp_input_check_ratio(const char *name, uint64_t made, uint64_t used, struct cdp_err *err);

#endif
