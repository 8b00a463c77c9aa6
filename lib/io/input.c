// SPDX-License-Identifier: MIT
#include "io/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/layer.h"

struct cdp_input *cdp_input_new(const char *name, struct cdp_err *err)
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
    if (input->state)
        input->free_state(input->state);
    cdp_input_close(input->below);
    if (input->map)
        munmap(input->map, input->size);
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    free(input->content);
    free(input->name);
    free(input);
}

const char *cdp_input_name(const struct cdp_input *input)
{
    return input->name;
}

const char *cdp_input_shown(const char *name)
{
    return strcmp(name, "-") ? name : "standard input";
}

int cdp_input_file(struct cdp_input **input, const char *path, int binary, struct cdp_err *err)
{
    static bool standard_read;
    bool standard = !strcmp(path, "-");
    struct cdp_input *in = *input = cdp_input_new(cdp_input_shown(path), err);
    if (!in)
        return -1;
    if (standard && standard_read)
        return cdp_fail(err, "standard input: can be read once, but several files are '-'");
    standard_read = standard_read || standard;
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

// One read, of the available bytes.
static ssize_t read_some(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err)
{
    ssize_t count;
    if (input->content) {
        size_t left = input->size - (size_t)input->made;
        count = (ssize_t)(size < left ? size : left);
        memcpy(buffer, input->content + input->made, (size_t)count);
    } else if (input->read) {
        count = input->read(input, buffer, size, err);
    } else {
        do {
            count = read(input->fd, buffer, size);
        } while (count < 0 && errno == EINTR);
        if (count < 0)
            cdp_fail_errno(err, "%s: cannot read", input->name);
    }
    if (count > 0)
        input->made += (uint64_t)count;
    return count;
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
    input->consumed += done;
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

int cdp_input_check_pipe(struct cdp_input *input, const char *name, struct cdp_err *err)
{
    const unsigned char *byte;
    if (strcmp(name, "-") != 0)
        return 0;
    ssize_t some = cdp_input_peek(input, &byte, 1, err);
    if (!some)
        return cdp_fail(err, "standard input: empty: the program before it in the pipe failed");
    return some < 0 ? -1 : 0;
}

// Maps a plain regular file from its start; 0 = not one.
static int map_plain(struct cdp_input *input)
{
    struct stat info;
    if (input->fd < 0 || fstat(input->fd, &info) || !S_ISREG(info.st_mode) || info.st_size <= 0)
        return 0;
    off_t at = lseek(input->fd, 0, SEEK_CUR);
    if (at < 0 || (uint64_t)at != input->made || input->consumed > (uint64_t)info.st_size)
        return 0; // standard input that another program has read from
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, input->fd, 0);
    if (map == MAP_FAILED)
        return 0;
    input->map = map;
    input->size = (size_t)info.st_size;
    return 1;
}

static int read_whole(struct cdp_input *input, struct cdp_err *err)
{
    unsigned char *content = NULL;
    size_t room = 0, size = 0;
    for (;;) {
        ssize_t count = -1;
        if (!cdp_grow(&content, &room, size + CDP_INPUT_CHUNK, 1, input->name, err))
            count = cdp_input_read(input, content + size, room - size, err);
        if (count < 0) {
            free(content);
            return -1;
        }
        size += (size_t)count;
        if (size < room)
            break;
    }
    input->consumed = 0; // relative to the content
    input->content = content;
    input->size = size;
    return 0;
}

int cdp_input_whole(struct cdp_input *input, const unsigned char **bytes, size_t *size,
                    struct cdp_err *err)
{
    if (!input->map && !input->content && !map_plain(input) && read_whole(input, err))
        return -1;
    const unsigned char *all = input->map ? input->map : input->content;
    *bytes = all + input->consumed;
    *size = input->size - (size_t)input->consumed;
    return 0;
}
