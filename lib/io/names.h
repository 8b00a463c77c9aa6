// SPDX-License-Identifier: MIT
#ifndef CDP_NAMES_H
#define CDP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/output.h"

// Names of items, numbered from 0 in order of addition: 1 to 65535 bytes of any encoding, without
// tab, line feed, carriage return and NUL, and without a leading byte order mark, so that all text
// formats here can hold every name unquoted. Memory: the names, and about 32 bytes each.
struct cdp_names;

#define CDP_NAME_WANTED \
    "a name: 1 to 65535 bytes without tab, line break, NUL or a byte order mark at its start"

bool cdp_name_valid(const char *name, size_t length);

int cdp_names_new(struct cdp_names **names, struct cdp_err *err);
void cdp_names_free(struct cdp_names *names);

int cdp_names_copy(struct cdp_names **copy, const struct cdp_names *names, struct cdp_err *err);

// Reads a file of distinct names, one per line. On failure *names is NULL.
int cdp_names_read(struct cdp_names **names, const char *file, struct cdp_err *err);

// Writes them, one per line.
int cdp_names_write(const struct cdp_names *names, struct cdp_output *output, struct cdp_err *err);

uint64_t cdp_names_count(const struct cdp_names *names);

// Looks up the number of a name.
bool cdp_names_find(const struct cdp_names *names, const char *name, size_t length, uint64_t *id);

// The number of a name, which is added if new. Errors: an invalid name, more than 2^32 - 2 names.
int cdp_names_add(struct cdp_names *names, const char *name, size_t length, uint64_t *id,
                  struct cdp_err *err);

// A name by its number; valid until the next is added. Not NUL-terminated.
const char *cdp_names_get(const struct cdp_names *names, uint64_t id, size_t *length);

// XXH64 over each name's length (u32, little-endian) and bytes; never 0.
uint64_t cdp_names_digest(const struct cdp_names *names);

// Sets *all to the longer of two lists, of which the shorter must be a prefix, or ids would mean
// different items. Frees the other; `more` on failure too. The error names the first id that
// differs, without the file.
int cdp_names_join(struct cdp_names **all, struct cdp_names *more, struct cdp_err *err);

// Writes an item: its name, or its number if names is NULL.
int cdp_item_write(struct cdp_output *output, const struct cdp_names *names, uint64_t id,
                   struct cdp_err *err);

// The same as text for messages: truncated, with ? for unprintable bytes.
enum { CDP_ITEM_TEXT = 80 };
const char *cdp_item_text(const struct cdp_names *names, uint64_t id, char text[CDP_ITEM_TEXT]);

#endif
