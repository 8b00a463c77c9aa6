// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static void note(const char *format, va_list args)
{
    fprintf(stderr, "%s: ", tool_name());
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

_Noreturn void tool_usage(const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s: ", tool_name());
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; try '%s --help'\n", tool_name());
    exit(2);
}

_Noreturn void tool_fail(const char *format, ...)
{
    va_list args;
    cdp_output_abandon_all();
    tool_progress_end();
    va_start(args, format);
    note(format, args);
    va_end(args);
    exit(1);
}

void tool_problem(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}

int tool_check(int status, const struct cdp_err *err)
{
    if (status < 0)
        tool_fail("%s", err->text);
    return status;
}

void tool_warn(const char *format, ...)
{
    if (common.quiet)
        return;
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}

void tool_say(const char *format, ...)
{
    if (!common.verbose)
        return;
    va_list args;
    va_start(args, format);
    note(format, args);
    va_end(args);
}
