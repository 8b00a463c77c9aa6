// SPDX-License-Identifier: MIT
// Opening by name: file, decompressor, archive member, and another decompressor if it is
// compressed.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/input.h"
#include "io/kind.h"
#include "io/layer.h"

static bool is_file(const char *path)
{
    struct stat info;
    return !stat(path, &info) && !S_ISDIR(info.st_mode);
}

// The place of the colon in ARCHIVE:MEMBER, where `name` is that.
static const char *member_colon(const char *name)
{
    struct stat info;
    if (!stat(name, &info))
        return NULL;
    for (const char *colon = strchr(name, ':'); colon; colon = strchr(colon + 1, ':')) {
        char *archive = strndup(name, (size_t)(colon - name));
        bool found = archive && is_file(archive);
        free(archive);
        if (found)
            return colon;
    }
    return NULL;
}

int cdp_input_open(struct cdp_input **input, const char *name, int binary, struct cdp_err *err)
{
    *input = NULL;
    struct cdp_input *in = NULL;
    const char *colon = strcmp(name, "-") ? member_colon(name) : NULL;
    char *path = colon ? strndup(name, (size_t)(colon - name)) : strdup(name);
    int status = path ? 0 : cdp_fail(err, "%s: out of memory", name);
    if (!status)
        status = cdp_input_file(&in, path, binary, err);
    if (!status)
        status = cdp_input_decompress(&in, in->name, err);
    if (!status && colon) {
        status = cdp_input_member(&in, path, colon + 1, name, err);
        if (!status)
            status = cdp_input_decompress(&in, name, err);
    }
    free(path);
    if (status) {
        cdp_input_close(in);
        return -1;
    }
    *input = in;
    return 0;
}

int cdp_input_text(struct cdp_input *input, struct cdp_err *err)
{
    const unsigned char *bytes;
    ssize_t size = cdp_input_peek(input, &bytes, 512, err);
    if (size < 0)
        return -1;
    if (size >= 2 && (!memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2)))
        return cdp_fail(err, "%s: UTF-16 text: convert it with iconv -f UTF-16 -t UTF-8",
                        input->name);
    const char *kind = cdp_kind(bytes, (size_t)size);
    if (kind)
        return cdp_fail(err, "%s: text is wanted, and this is %s", input->name, kind);
    unsigned char mark[3];
    bool marked = size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3);
    return marked && cdp_input_read(input, mark, 3, err) < 0 ? -1 : 0;
}

int cdp_input_open_text(struct cdp_input **input, const char *name, struct cdp_err *err)
{
    if (cdp_input_open(input, name, 0, err))
        return -1;
    if (!cdp_input_text(*input, err))
        return 0;
    cdp_input_close(*input);
    *input = NULL;
    return -1;
}
