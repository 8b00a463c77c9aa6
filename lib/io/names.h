// SPDX-License-Identifier: MIT
#ifndef CDP_NAMES_H
#define CDP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/output.h"

// Names of items, numbered from 0 on in the order in which they come: 1 to 65535 bytes of any
// encoding, without tab, line feed, carriage return and NUL, and not beginning with a byte order
// mark. So every text file here holds every name as it is. Memory: the names, and some 24 bytes
// each.
struct cdp_names;

#define CDP_NAME_WANTED \
    "a name: 1 to 65535 bytes without tab, line break, NUL or a byte order mark at its start"

bool cdp_name_valid(const char *name, size_t length);

int cdp_names_new(struct cdp_names **names, struct cdp_err *err);
void cdp_names_free(struct cdp_names *names);

int cdp_names_copy(struct cdp_names **copy, const struct cdp_names *names, struct cdp_err *err);

// Reads a file of names, one a line, all different. On failure *names is NULL.
int cdp_names_read(struct cdp_names **names, const char *file, struct cdp_err *err);

// Writes them, one a line.
int cdp_names_write(const struct cdp_names *names, struct cdp_output *output, struct cdp_err *err);

uint64_t cdp_names_count(const struct cdp_names *names);

// The number of a name, if it has one.
bool cdp_names_find(const struct cdp_names *names, const char *name, size_t length, uint64_t *id);

// The number of a name, a new one where it has none. Refused: one that is not valid, and more than
// 2^32 - 2.
int cdp_names_add(struct cdp_names *names, const char *name, size_t length, uint64_t *id,
                  struct cdp_err *err);

// A name by its number; valid until the next is added. Not ended by NUL.
const char *cdp_names_get(const struct cdp_names *names, uint64_t id, size_t *length);

// XXH64 over each name's length (u32, little-endian) and bytes; never 0.
uint64_t cdp_names_digest(const struct cdp_names *names);

// Makes *all the longer of two lists, which the shorter one must begin, or ids would mean different
// items. Frees the other, `more` on failure too. The error names the first id that differs, without
// the file.
int cdp_names_join(struct cdp_names **all, struct cdp_names *more, struct cdp_err *err);

// Writes an item: its name, or its number where names are NULL.
int cdp_item_write(struct cdp_output *output, const struct cdp_names *names, uint64_t id,
                   struct cdp_err *err);

// The same as a text for messages, cut where it is long and with ? for what does not print.
enum { CDP_ITEM_TEXT = 80 };
const char *cdp_item_text(const struct cdp_names *names, uint64_t id, char text[CDP_ITEM_TEXT]);

#endif
