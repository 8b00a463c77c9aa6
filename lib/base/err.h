// SPDX-License-Identifier: MIT
#ifndef CDP_ERR_H
#define CDP_ERR_H

#include <stddef.h>
#include <stdint.h>

// The message of a failure: "FILE: PLACE: what is wrong: what to do", in lower case, without a full
// stop. The library does not print or exit: a function that can fail takes a caller's struct
// cdp_err, returns 0 (or what its header says) on success, and -1 after filling it.
struct cdp_err {
    char text[1024];
};

// Fills err (which may be NULL) and returns -1: `return cdp_fail(err, "...")`. Cuts a message that
// is longer than the struct.
int cdp_fail(struct cdp_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same, followed by ": " and the system's text for errno.
int cdp_fail_errno(struct cdp_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// "FILE: line N: expected WANTED, got 'TEXT'", with at most 40 characters of the text and ? for
// unprintable ones.
int cdp_fail_line(struct cdp_err *err, const char *file, uint64_t line, const char *wanted,
                  const char *text, size_t length);

#endif
