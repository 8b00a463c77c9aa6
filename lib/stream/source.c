// SPDX-License-Identifier: MIT
#include "stream/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream/tsv.h"

struct cdp_source {
    struct cdp_reader *reader; // of a stream
    struct cdp_tsv *tsv;       // of text
    char *name;
};

static int fail_empty(const struct cdp_input *input, const char *name, struct cdp_err *err)
{
    size_t length = strlen(name);
    if (length >= 4 && !strcmp(name + length - 4, ".cdp"))
        return cdp_fail(err, "%s: an empty file, not a stream, which has a header and an end mark",
                        cdp_input_name(input));
    return 0;
}

static int open_input(struct cdp_source *s, struct cdp_input *input, const char *name,
                      unsigned types, const char *wanted, int threads, struct cdp_err *err)
{
    const unsigned char *byte;
    int is_stream = cdp_reader_sniff(input, err);
    ssize_t some = is_stream < 0 || cdp_input_check_pipe(input, name, err)
                       ? -1
                       : cdp_input_peek(input, &byte, 1, err);
    if (!some)
        some = fail_empty(input, name, err);
    s->name = strdup(cdp_input_name(input));
    if (some >= 0 && !s->name)
        some = cdp_fail(err, "out of memory: a name");
    if (some < 0) {
        cdp_input_close(input);
        return -1;
    }
    return is_stream ? cdp_reader_open_input(&s->reader, input, types, wanted, threads, err)
                     : cdp_tsv_open(&s->tsv, input, &(struct cdp_text_form){0}, err);
}

int cdp_source_open(struct cdp_source **source, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err)
{
    struct cdp_input *input;
    *source = cdp_zalloc(1, sizeof **source, "input", err);
    if (!*source)
        return -1;
    if (!cdp_input_open(&input, name, 0, err) &&
        !open_input(*source, input, name, types, wanted, threads, err))
        return 0;
    cdp_source_close(*source);
    *source = NULL;
    return -1;
}

void cdp_source_close(struct cdp_source *s)
{
    if (s && s->reader)
        cdp_reader_close(s->reader);
    if (s && s->tsv)
        cdp_tsv_close(s->tsv);
    if (s)
        free(s->name);
    free(s);
}

const char *cdp_source_name(const struct cdp_source *s)
{
    return s->name;
}

int cdp_source_next(struct cdp_source *s, struct cdp_block *block, struct cdp_err *err)
{
    return s->reader ? cdp_reader_next(s->reader, block, err) : cdp_tsv_next(s->tsv, block, err);
}

uint64_t cdp_source_self_pairs(const struct cdp_source *s)
{
    return s->tsv ? cdp_tsv_notes(s->tsv)->self_pairs : 0;
}

struct cdp_reader *cdp_source_reader(const struct cdp_source *s)
{
    return s->reader;
}
