// SPDX-License-Identifier: MIT
#include "text.h"

#include <stdlib.h>

#include "tool.h"

void text_open(struct text *text)
{
    text->file = open_memstream(&text->bytes, &text->size);
    if (!text->file)
        tool_fail("out of memory: text");
}

void text_write(struct text *text, struct cdp_output *output)
{
    struct cdp_err err;
    if (fclose(text->file))
        tool_fail("out of memory: text");
    tool_check(cdp_output_write(output, text->bytes, text->size, &err), &err);
    free(text->bytes);
}
