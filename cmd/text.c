// SPDX-License-Identifier: MIT
#include "text.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tool.h"

void text_open(struct text *text)
{
    text->file = open_memstream(&text->bytes, &text->size);
    if (!text->file)
        tool_fail("out of memory: text");
}

static void end(struct text *text)
{
    if (fclose(text->file))
        tool_fail("out of memory: text");
}

void text_write(struct text *text, struct cdp_output *output)
{
    struct cdp_err err;
    end(text);
    tool_check(cdp_output_write(output, text->bytes, text->size, &err), &err);
    free(text->bytes);
}

char *text_close(struct text *text)
{
    end(text);
    return text_keep(text->bytes);
}

void *text_need(void *memory)
{
    if (!memory)
        tool_fail("out of memory");
    return memory;
}

char *text_keep(char *text)
{
    static char **kept;
    static size_t count, room;
    struct cdp_err err;
    text_need(text);
    tool_check(cdp_grow(&kept, &room, count + 1, sizeof *kept, "texts", &err), &err);
    return kept[count++] = text;
}

char *text_join(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text_need(NULL);
    va_end(args);
    return text_keep(text);
}
