// SPDX-License-Identifier: MIT
#ifndef CDP_NAMES_H
#define CDP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/output.h"

// Names of items, numbered from 0 on in the order in which they come. A name is any bytes but line
// breaks and NUL, of any encoding, at least one. Memory: the names, and some 24 bytes each.
struct cdp_names;

int cdp_names_new(struct cdp_names **names, struct cdp_err *err);
void cdp_names_free(struct cdp_names *names);

// Reads a file of names, one a line, all different. On failure *names is NULL.
int cdp_names_read(struct cdp_names **names, const char *file, struct cdp_err *err);

// Writes them, one a line.
int cdp_names_write(const struct cdp_names *names, struct cdp_output *output, struct cdp_err *err);

uint64_t cdp_names_count(const struct cdp_names *names);

// The number of a name, if it has one.
bool cdp_names_find(const struct cdp_names *names, const char *name, size_t length, uint64_t *id);

// The number of a name, a new one where it has none; at most 2^32 - 2.
int cdp_names_add(struct cdp_names *names, const char *name, size_t length, uint64_t *id,
                  struct cdp_err *err);

// A name by its number; valid until the next is added. Not ended by NUL.
const char *cdp_names_get(const struct cdp_names *names, uint64_t id, size_t *length);

#endif
