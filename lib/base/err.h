// SPDX-License-Identifier: MIT
#ifndef CDP_ERR_H
#define CDP_ERR_H

#include <stddef.h>
#include <stdint.h>

// A failure, told in one sentence fit to be printed as it is: lower case, no full stop, the file
// first, then the place in it, what was expected, and a way out where there is one.
// The library never prints and never exits: a function that can fail takes a caller's struct
// cdp_err, returns 0 (or what its header says) on success, and -1 after filling it.
struct cdp_err {
    char text[1024];
};

// Fills err (which may be NULL) and returns -1, so that a failing function ends with
// `return cdp_fail(err, "...")`. A text too long for the struct is cut.
int cdp_fail(struct cdp_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same, followed by ": " and the system's text for errno.
int cdp_fail_errno(struct cdp_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// "FILE: line N: expected WANTED, got 'TEXT'", the text cut where it is long and with ? for what
// does not print.
int cdp_fail_line(struct cdp_err *err, const char *file, uint64_t line, const char *wanted,
                  const char *text, size_t length);

#endif
