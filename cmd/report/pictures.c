// SPDX-License-Identifier: MIT
#include "report/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/input.h"
#include "report/blob.h"
#include "tool.h"

// The most doubtful clusters come first, of each the medoid and those with least support.
enum { EMBEDDED_BYTES = 16 << 20, EMBEDDED_A_CLUSTER = 12 };

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {{".jpg", "jpeg"}, {".jpeg", "jpeg"}, {".png", "png"},
                                           {".gif", "gif"},  {".webp", "webp"}, {".bmp", "bmp"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++) {
        if (!strcasecmp(dot, types[i][0]))
            return types[i][1];
    }
    return NULL;
}

struct embedding {
    const struct report *report;
    struct text html;
    uint64_t bytes, count, missing;
};

static void embed(struct embedding *e, uint32_t item)
{
    size_t length, size;
    const char *name = cdp_names_get(e->report->list, item, &length);
    const unsigned char *bytes;
    struct cdp_input *input;
    struct cdp_err err;
    char path[4096];
    int path_length =
        snprintf(path, sizeof path, "%s/%.*s", report_options.images, (int)length, name);
    const char *type = path_length < (int)sizeof path ? type_of(path) : NULL;
    if (!type || cdp_input_open(&input, path, 0, &err)) {
        e->missing++;
        return;
    }
    if (cdp_input_whole(input, &bytes, &size, &err)) {
        e->missing++;
    } else if (e->bytes + size <= EMBEDDED_BYTES) {
        fprintf(e->html.file, "%s\"%u\":\"data:image/%s;base64,", e->count ? "," : "", item, type);
        blob_base64(e->html.file, bytes, size);
        putc('"', e->html.file);
        e->bytes += size;
        e->count++;
    }
    cdp_input_close(input);
}

// The item of the most support, which is the medoid if pairs are given, then those of the least.
static void embed_cluster(struct embedding *e, uint32_t cluster)
{
    const struct report *r = e->report;
    uint64_t size = report_size(r, cluster);
    struct report_rank *rank = report_alloc(size, sizeof *rank);
    for (uint64_t n = 0; n < size; n++) {
        uint32_t item = r->member[r->begin[cluster] + n];
        rank[n] = (struct report_rank){r->support ? (double)r->support[item] : 0, item};
    }
    report_sort(rank, size);
    embed(e, rank[0].at);
    for (uint64_t n = 1; n < size && n < EMBEDDED_A_CLUSTER; n++)
        embed(e, rank[size - n].at);
    free(rank);
}

void report_pictures(const struct report *r, struct cdp_output *output)
{
    struct blob *b = blob_new("images");
    blob_add(b, "[");
    blob_string(b, report_options.images, strlen(report_options.images));
    blob_close(b, "]");
    blob_write(b, output);
    if (!report_options.embed)
        return;
    struct embedding e = {.report = r};
    text_open(&e.html);
    fputs("<script type=\"text/plain\" id=\"embedded\">{", e.html.file);
    for (uint32_t n = 0; n < r->clusters.clusters && e.bytes < EMBEDDED_BYTES * 0.95; n++)
        embed_cluster(&e, r->order[n]);
    fputs("}</script>\n", e.html.file);
    text_write(&e.html, output);
    tool_say("%llu pictures embedded, %.1f MB", (unsigned long long)e.count, (double)e.bytes / 1e6);
    if (e.missing)
        tool_warn("%llu pictures are not below %s, or no jpg, png, gif, webp or bmp",
                  (unsigned long long)e.missing, report_options.images);
}
