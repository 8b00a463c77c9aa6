// SPDX-License-Identifier: MIT
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// TAP for unit tests: ok() or is_text() for each check, and `return done()` at the end of main.

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool passed, const char *format, ...)
{
    va_list args;
    printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    tap_failed += !passed;
    return passed;
}

// Shows both texts where they differ; they are of one line.
static inline bool is_text(const char *got, const char *wanted, const char *what)
{
    bool same = !strcmp(got, wanted);
    ok(same, "%s", what);
    if (!same)
        printf("#    got: %s\n# wanted: %s\n", got, wanted);
    return same;
}

static inline int done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed > 0;
}

#endif
