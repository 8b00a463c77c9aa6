// SPDX-License-Identifier: MIT
#include "stream/header.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const cdp_metric_names[] = {"none", "cosine",  "l2",      "l1",
                                        "linf", "angular", "hamming", NULL};

const char *cdp_type_name(enum cdp_type type)
{
    static const char *const names[] = {NULL, "knn", "pairs", "features", "forest"};
    return type >= CDP_KNN && type <= CDP_FOREST ? names[type] : NULL;
}

void cdp_header_init(struct cdp_header *header, enum cdp_type type)
{
    memset(header, 0, sizeof *header);
    header->type = type;
    header->columns = 1;
    snprintf(header->column[0], CDP_COLUMN_NAME, "%s", type == CDP_KNN ? "distance" : "score");
}

void cdp_header_free(struct cdp_header *header)
{
    free(header->provenance);
    header->provenance = NULL;
}

// Appends `indent` and `line`.
static int note(struct cdp_header *header, const char *indent, const char *line, size_t length,
                struct cdp_err *err)
{
    size_t old = header->provenance ? strlen(header->provenance) : 0;
    size_t size = old + strlen(indent) + length + 1;
    if (size > CDP_MAX_PROVENANCE)
        return cdp_fail(err, "the provenance is longer than %d bytes", CDP_MAX_PROVENANCE);
    char *text = realloc(header->provenance, size + 1);
    if (!text)
        return cdp_fail(err, "out of memory: provenance needs %zu bytes", size + 1);
    header->provenance = text;
    snprintf(text + old, size + 1 - old, "%s%.*s\n", indent, (int)length, line);
    for (char *c = text + old; c < text + size - 1; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    return 0;
}

int cdp_header_note(struct cdp_header *header, struct cdp_err *err, const char *format, ...)
{
    char *line;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&line, format, args);
    va_end(args);
    if (length < 0)
        return cdp_fail(err, "out of memory: provenance");
    int status = note(header, "", line, (size_t)length, err);
    free(line);
    return status;
}

int cdp_header_inherit(struct cdp_header *header, const struct cdp_header *from,
                       struct cdp_err *err)
{
    for (const char *line = from->provenance; line && *line;) {
        const char *end = strchrnul(line, '\n');
        if (note(header, " ", line, (size_t)(end - line), err))
            return -1;
        line = *end ? end + 1 : end;
    }
    return 0;
}
