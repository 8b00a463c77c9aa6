// SPDX-License-Identifier: MIT
#ifndef CDP_NUMBER_H
#define CDP_NUMBER_H

#include <stddef.h>
#include <stdint.h>

// Numbers in text files. The text need not end in NUL; blanks and tabs around the number are
// ignored, anything else is an error.

// Parses a whole number below 2^63 of digits only. Returns 0, or -1 if it is none.
int cdp_parse_id(const char *text, size_t length, uint64_t *id);

// Parses a decimal number of at most 511 characters to the nearest finite float. Returns 0, or -1
// if it is none; hexadecimal numbers, "inf" and "nan" are not accepted.
int cdp_parse_float(const char *text, size_t length, float *value);

#endif
