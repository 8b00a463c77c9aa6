// SPDX-License-Identifier: MIT
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cdp_fail(struct cdp_err *err, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return -1;
}

int cdp_fail_errno(struct cdp_err *err, const char *format, ...)
{
    const char *reason = strerror(errno);
    if (err) {
        va_list args;
        va_start(args, format);
        int used = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof err->text)
            snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", reason);
    }
    return -1;
}

int cdp_fail_line(struct cdp_err *err, const char *file, uint64_t line, const char *wanted,
                  const char *text, size_t length)
{
    char shown[41];
    size_t size = length < sizeof shown - 1 ? length : sizeof shown - 1;
    for (size_t i = 0; i < size; i++)
        shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    shown[size] = '\0';
    return cdp_fail(err, "%s: line %llu: expected %s, got '%s'", file, (unsigned long long)line,
                    wanted, shown);
}
