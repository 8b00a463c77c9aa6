// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_BLOB_H
#define CDP_CMD_BLOB_H

#include <zlib.h>

#include "io/output.h"
#include "text.h"

// Data of the page: JSON, compressed by zlib, in base64, in a script element of the id data-ID.
// Nothing in it can be taken for markup. Failures end the tool. Different blobs may be made at
// once.
struct blob {
    struct text html; // so far
    z_stream zlib;
    unsigned char text[1 << 15], packed[3 << 13]; // packed: a multiple of 3
    size_t texts;
};

struct blob *blob_new(const char *id);

// Ends a blob, writes it and frees it; NULL is allowed.
void blob_write(struct blob *blob, struct cdp_output *output);

// Add JSON: as it is, a number and a comma, or a string and a comma. Bytes of strings that are not
// UTF-8 become U+FFFD.
void blob_add(struct blob *blob, const char *json);
void blob_number(struct blob *blob, int64_t number);
void blob_string(struct blob *blob, const char *text, size_t length);

// Removes a comma at the end, and adds what closes the list.
void blob_close(struct blob *blob, const char *json);

// Writes bytes in base64.
void blob_base64(FILE *file, const unsigned char *byte, size_t count);

// The length of the valid UTF-8 character at `text`, or 0.
size_t blob_character(const char *text, size_t length);

#endif
