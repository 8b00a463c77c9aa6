// SPDX-License-Identifier: MIT
#include "io/input.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PEEK = 4096, CHUNK = 1 << 17 };

// An input is a file descriptor, or libarchive on top of another input: an archive's member, or
// what a compressed input decompresses to. A compressed file inside a compressed archive is three
// of them.
struct cdp_input {
    char *name;
    int fd;                // -1 for the other kind
    struct archive *layer; // reads from `below`
    struct cdp_input *below;
    unsigned char *chunk;   // what libarchive is handed
    struct cdp_err failure; // of `below`, met while libarchive was reading
    unsigned char peeked[PEEK];
    size_t peek_start, peek_end;
    void *map;
    unsigned char *content;
    size_t size;
};

static struct cdp_input *input_new(const char *name, struct cdp_err *err)
{
    struct cdp_input *input = cdp_zalloc(1, sizeof *input, "input", err);
    if (!input)
        return NULL;
    input->fd = -1;
    input->name = strdup(name);
    if (!input->name) {
        cdp_fail(err, "out of memory: input name");
        free(input);
        return NULL;
    }
    return input;
}

void cdp_input_close(struct cdp_input *input)
{
    if (!input)
        return;
    if (input->layer)
        archive_read_free(input->layer);
    cdp_input_close(input->below);
    if (input->map)
        munmap(input->map, input->size);
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    free(input->content);
    free(input->chunk);
    free(input->name);
    free(input);
}

const char *cdp_input_name(const struct cdp_input *input)
{
    return input->name;
}

static la_ssize_t feed(struct archive *layer, void *context, const void **bytes)
{
    struct cdp_input *input = context;
    ssize_t count = cdp_input_read(input->below, input->chunk, CHUNK, &input->failure);
    if (count < 0) {
        archive_set_error(layer, EIO, "%s", input->failure.text);
        return -1;
    }
    *bytes = input->chunk;
    return count;
}

static int fail_layer(struct cdp_input *input, const char *doing, struct cdp_err *err)
{
    if (input->failure.text[0])
        return cdp_fail(err, "%s", input->failure.text);
    const char *why = archive_error_string(input->layer);
    return cdp_fail(err, "%s: %s: %s", input->name, doing, why ? why : "damaged");
}

// Goes on to the next entry: 1, or 0 at the end. *path is NULL where it is no regular file.
static int next_entry(struct cdp_input *input, const char **path, uint64_t *size,
                      struct cdp_err *err)
{
    struct archive_entry *entry;
    *path = NULL;
    *size = 0;
    int status = archive_read_next_header(input->layer, &entry);
    if (status == ARCHIVE_EOF)
        return 0;
    if (status < ARCHIVE_WARN)
        return fail_layer(input, "cannot read", err);
    *path = archive_entry_filetype(entry) == AE_IFREG ? archive_entry_pathname(entry) : NULL;
    *size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
    if (*path && !strncmp(*path, "./", 2))
        *path += 2;
    return 1;
}

// Puts libarchive on top of *input: to read an archive, or else to undo the compression `filter`,
// just that, since what it held may look compressed and be meant so.
static int add_layer(struct cdp_input **input, const char *name, bool archive, int filter,
                     struct cdp_err *err)
{
    struct cdp_input *top = input_new(name, err);
    if (!top)
        return -1;
    top->below = *input;
    *input = top;
    top->chunk = cdp_alloc(CHUNK, 1, "input buffer", err);
    top->layer = archive_read_new();
    if (!top->chunk || !top->layer)
        return cdp_fail(err, "%s: out of memory", name);
    if (archive) {
        archive_read_support_filter_all(top->layer);
        archive_read_support_format_tar(top->layer);
        archive_read_support_format_zip(top->layer);
    } else {
        archive_read_support_format_raw(top->layer);
        archive_read_append_filter(top->layer, filter);
    }
    if (archive_read_open(top->layer, top, NULL, feed, NULL) != ARCHIVE_OK)
        return fail_layer(top, "cannot read", err);
    return 0;
}

static int find_member(struct cdp_input *input, const char *member, struct cdp_err *err)
{
    const char *path;
    uint64_t size;
    int status;
    do {
        status = next_entry(input, &path, &size, err);
    } while (status > 0 && (!path || strcmp(path, member)));
    if (!status)
        return cdp_fail(err, "%s: the archive has no member '%s'", input->below->name, member);
    return status < 0 ? -1 : 0;
}

// The compression that the first bytes tell of, or ARCHIVE_FILTER_NONE.
static int compression(const unsigned char *bytes, ssize_t size)
{
    static const struct {
        unsigned char magic[6];
        ssize_t size;
        int filter;
    } known[] = {{{0x1f, 0x8b, 0x08}, 3, ARCHIVE_FILTER_GZIP},
                 {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, ARCHIVE_FILTER_XZ},
                 {{0x28, 0xb5, 0x2f, 0xfd}, 4, ARCHIVE_FILTER_ZSTD},
                 {{0x04, 0x22, 0x4d, 0x18}, 4, ARCHIVE_FILTER_LZ4},
                 {{'B', 'Z', 'h'}, 3, ARCHIVE_FILTER_BZIP2}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (size >= known[i].size && !memcmp(bytes, known[i].magic, (size_t)known[i].size))
            return known[i].filter;
    }
    return ARCHIVE_FILTER_NONE;
}

static int decompress(struct cdp_input **input, const char *name, struct cdp_err *err)
{
    const unsigned char *bytes;
    ssize_t size = cdp_input_peek(*input, &bytes, 6, err);
    if (size < 0)
        return -1;
    int filter = compression(bytes, size);
    if (filter == ARCHIVE_FILTER_NONE)
        return 0;
    const char *path;
    uint64_t whole;
    if (add_layer(input, name, false, filter, err))
        return -1;
    return next_entry(*input, &path, &whole, err) < 0 ? -1 : 0;
}

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

static int open_file(struct cdp_input **input, const char *path, int binary, struct cdp_err *err)
{
    bool standard = !strcmp(path, "-");
    struct cdp_input *in = *input = input_new(standard ? "standard input" : path, err);
    if (!in)
        return -1;
    in->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (in->fd < 0 || fstat(in->fd, &info))
        return cdp_fail_errno(err, "%s: cannot open", in->name);
    if (S_ISDIR(info.st_mode))
        return cdp_fail(err, "%s: a folder, not a file", in->name);
    if (binary && isatty(in->fd))
        return cdp_fail(err, "%s: a terminal; binary data is wanted: name a file or use a pipe",
                        in->name);
    return 0;
}

int cdp_input_open(struct cdp_input **input, const char *name, int binary, struct cdp_err *err)
{
    *input = NULL;
    struct cdp_input *in = NULL;
    const char *colon = strcmp(name, "-") ? member_colon(name) : NULL;
    char *path = colon ? strndup(name, (size_t)(colon - name)) : strdup(name);
    if (!path) {
        cdp_fail(err, "%s: out of memory", name);
        goto fail;
    }
    if (open_file(&in, path, binary, err))
        goto fail;
    if (colon &&
        (add_layer(&in, name, true, ARCHIVE_FILTER_NONE, err) || find_member(in, colon + 1, err)))
        goto fail;
    if (decompress(&in, in->name, err))
        goto fail;
    free(path);
    *input = in;
    return 0;
fail:
    free(path);
    cdp_input_close(in);
    return -1;
}

int cdp_input_members(const char *name, cdp_member_each *each, void *context, struct cdp_err *err)
{
    struct cdp_input *in = NULL;
    const char *path;
    uint64_t size;
    int status = open_file(&in, name, 1, err);
    if (!status)
        status = add_layer(&in, name, true, ARCHIVE_FILTER_NONE, err);
    while (!status && (status = next_entry(in, &path, &size, err)) > 0)
        status = path ? each(context, path, size, in, err) : 0;
    cdp_input_close(in);
    return status;
}

// One read of whatever is there.
static ssize_t read_some(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err)
{
    if (input->layer) {
        la_ssize_t count = archive_read_data(input->layer, buffer, size);
        return count < 0 ? fail_layer(input, "cannot decompress", err) : count;
    }
    ssize_t count;
    do {
        count = read(input->fd, buffer, size);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? cdp_fail_errno(err, "%s: cannot read", input->name) : count;
}

ssize_t cdp_input_read(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err)
{
    unsigned char *out = buffer;
    size_t done = input->peek_end - input->peek_start;
    if (done > size)
        done = size;
    memcpy(out, input->peeked + input->peek_start, done);
    input->peek_start += done;
    while (done < size) {
        ssize_t count = read_some(input, out + done, size - done, err);
        if (count < 0)
            return -1;
        if (!count)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

ssize_t cdp_input_peek(struct cdp_input *input, const unsigned char **bytes, size_t size,
                       struct cdp_err *err)
{
    size_t have = input->peek_end - input->peek_start;
    if (have < size) {
        memmove(input->peeked, input->peeked + input->peek_start, have);
        input->peek_start = 0;
        input->peek_end = have;
        while (input->peek_end < size) {
            ssize_t count =
                read_some(input, input->peeked + input->peek_end, size - input->peek_end, err);
            if (count < 0)
                return -1;
            if (!count)
                break;
            input->peek_end += (size_t)count;
        }
        have = input->peek_end;
    }
    *bytes = input->peeked + input->peek_start;
    return (ssize_t)(have < size ? have : size);
}

// Maps a plain regular file from its start; 0 = not one.
static int map_plain(struct cdp_input *input)
{
    struct stat info;
    if (input->layer || fstat(input->fd, &info) || !S_ISREG(info.st_mode) || info.st_size <= 0)
        return 0;
    off_t at = lseek(input->fd, 0, SEEK_CUR);
    if (at < 0 || (size_t)at != input->peek_end - input->peek_start)
        return 0; // standard input that somebody has read from before
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, input->fd, 0);
    if (map == MAP_FAILED)
        return 0;
    input->map = map;
    input->size = (size_t)info.st_size;
    return 1;
}

int cdp_input_whole(struct cdp_input *input, const unsigned char **bytes, size_t *size,
                    struct cdp_err *err)
{
    if (map_plain(input)) {
        *bytes = input->map;
        *size = input->size;
        return 0;
    }
    size_t room = 0;
    for (;;) {
        if (cdp_grow(&input->content, &room, input->size + CHUNK, 1, input->name, err))
            return -1;
        ssize_t count =
            cdp_input_read(input, input->content + input->size, room - input->size, err);
        if (count < 0)
            return -1;
        input->size += (size_t)count;
        if (input->size < room)
            break;
    }
    *bytes = input->content;
    *size = input->size;
    return 0;
}
