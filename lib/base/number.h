// SPDX-License-Identifier: MIT
#ifndef CDP_NUMBER_H
#define CDP_NUMBER_H

#include <stddef.h>
#include <stdint.h>

// Numbers in text, as all files of text are read. The text need not end in NUL; blanks and tabs
// around the number are ignored, and nothing else may be there.

// A whole number below 2^63, digits alone: 0, or -1 where it is none.
int cdp_parse_id(const char *text, size_t length, uint64_t *id);

// The nearest finite float of a decimal number of at most 511 characters: 0, or -1 where it is
// none. Hexadecimal numbers, "inf" and "nan" are none.
int cdp_parse_float(const char *text, size_t length, float *value);

#endif
