// SPDX-License-Identifier: MIT
#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { BUFFER = 1 << 17, MOST_OPEN = 16 };

struct cdp_output {
    int fd;
    int slot;     // index in `hidden`, or -1
    char *target; // the final name; NULL = written in place
    char *name;   // for error messages
    size_t used;
    unsigned char buffer[BUFFER];
};

// The hidden files, for the signal handler, and the open outputs, which the lock guards.
static char *hidden[MOST_OPEN];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cdp_output *opened[MOST_OPEN + 1]; // standard output has no hidden file

static int claim_slot(char *path)
{
    for (int i = 0; i < MOST_OPEN; i++) {
        char *empty = NULL;
        if (__atomic_compare_exchange_n(&hidden[i], &empty, path, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return i;
    }
    return -1;
}

void cdp_output_abandon_all(void)
{
    for (int i = 0; i < MOST_OPEN; i++) {
        char *path = __atomic_load_n(&hidden[i], __ATOMIC_SEQ_CST);
        if (path)
            unlink(path);
    }
}

// The absolute path of `name`, links resolved, if its folder exists; NULL = out of memory.
static char *resolve(const char *name)
{
    char *path = realpath(name, NULL), *folder = strdup(name), *base = strdup(name);
    char *absolute = !path && folder && base ? realpath(dirname(folder), NULL) : NULL;
    if (absolute && asprintf(&path, "%s/%s", absolute, basename(base)) < 0)
        path = NULL;
    else if (!path && !absolute)
        path = strdup(name);
    free(absolute);
    free(folder);
    free(base);
    return path;
}

static int file_status(const struct cdp_output *output, struct stat *info)
{
    return output->target ? stat(output->target, info) : fstat(output->fd, info);
}

// Whether two outputs would overwrite or mix: the same target, the same descriptor, or one file or
// pipe under two names, like /dev/stdout. Any number of outputs may be one device.
static bool same_file(const struct cdp_output *a, const struct cdp_output *b)
{
    if (a->target && b->target)
        return !strcmp(a->target, b->target);
    struct stat x, y;
    return (!a->target && !b->target && a->fd == b->fd) ||
           (!file_status(a, &x) && !file_status(b, &y) && !S_ISCHR(x.st_mode) &&
            x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

// Registers an open output. A second one of the same file is an error.
static int note_opened(struct cdp_output *output, struct cdp_err *err)
{
    int empty = -1, status = 0;
    pthread_mutex_lock(&lock);
    for (int i = MOST_OPEN; i >= 0 && !status; i--) {
        const struct cdp_output *other = opened[i];
        if (!other)
            empty = i;
        else if (same_file(output, other))
            status = cdp_fail(err, "%s: two outputs of one name", output->name);
    }
    if (!status && empty < 0)
        status = cdp_fail(err, "%s: more than %d outputs at once", output->name, MOST_OPEN);
    if (!status)
        opened[empty] = output;
    pthread_mutex_unlock(&lock);
    return status;
}

// Creates a file of a name of its own, of at most 250 bytes, beside the target, with the
// permissions that the process gives to new files. Returns its descriptor and its path, or -1 with
// errno set.
static int create_beside(const char *folder, const char *base, char **path)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        uint32_t number;
        if (getrandom(&number, sizeof number, 0) != sizeof number ||
            asprintf(path, "%s/.%.240s.%08x", folder, base, number) < 0) {
            *path = NULL;
            return -1;
        }
        int fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
        free(*path);
        *path = NULL;
    }
    return -1;
}

// Opens a hidden file beside the target.
static int open_hidden(struct cdp_output *output, const char *name, struct cdp_err *err)
{
    char *folder = strdup(output->target), *base = strdup(output->target);
    char *path = NULL;
    int status = -1;
    if (!folder || !base) {
        cdp_fail(err, "%s: out of memory", name);
        goto end;
    }
    output->fd = create_beside(dirname(folder), basename(base), &path);
    if (output->fd < 0) {
        cdp_fail_errno(err, "%s: cannot create", name);
        goto end;
    }
    output->slot = claim_slot(path);
    if (output->slot < 0) {
        cdp_fail(err, "%s: more than %d outputs at once", name, MOST_OPEN);
        unlink(path);
        close(output->fd);
        goto end;
    }
    struct stat old;
    if (!stat(name, &old)) // the permissions of the file that is replaced
        fchmod(output->fd, old.st_mode & 07777);
    path = NULL;
    status = 0;
end:
    free(path);
    free(folder);
    free(base);
    return status;
}

static void release(struct cdp_output *output)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i <= MOST_OPEN; i++)
        opened[i] = opened[i] == output ? NULL : opened[i];
    pthread_mutex_unlock(&lock);
    if (output->slot >= 0)
        free(__atomic_exchange_n(&hidden[output->slot], NULL, __ATOMIC_SEQ_CST));
    free(output->target);
    free(output->name);
    free(output);
}

int cdp_output_open(struct cdp_output **output, const char *name, int binary, struct cdp_err *err)
{
    *output = NULL;
    bool standard = !name || !strcmp(name, "-");
    struct cdp_output *o = cdp_zalloc(1, sizeof *o, "output buffer", err);
    if (!o)
        return -1;
    o->slot = -1;
    o->fd = STDOUT_FILENO;
    o->name = strdup(standard ? "standard output" : name);
    struct stat info;
    if (!o->name) {
        cdp_fail(err, "out of memory: output name");
    } else if (!standard && (stat(name, &info) || S_ISREG(info.st_mode))) {
        o->fd = -1;
        o->target = resolve(name);
        if (!o->target) {
            cdp_fail(err, "%s: out of memory", name);
        } else if (!note_opened(o, err) && !open_hidden(o, name, err)) {
            *output = o;
            return 0;
        }
    } else if (!standard && (o->fd = open(name, O_WRONLY | O_CLOEXEC)) < 0) {
        cdp_fail_errno(err, "%s: cannot open for writing", name);
    } else if (binary && isatty(o->fd)) {
        cdp_fail(err, "%s: a terminal; this output is binary, so give -o FILE or a pipe", o->name);
        if (!standard)
            close(o->fd);
    } else if (!note_opened(o, err)) {
        *output = o;
        return 0;
    }
    release(o);
    return -1;
}

static int write_all(struct cdp_output *output, const unsigned char *bytes, size_t size,
                     struct cdp_err *err)
{
    while (size) {
        ssize_t count = write(output->fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return cdp_fail_errno(err, "%s: cannot write", output->name);
        bytes += count;
        size -= (size_t)count;
    }
    return 0;
}

static int flush(struct cdp_output *output, struct cdp_err *err)
{
    size_t used = output->used;
    output->used = 0;
    return write_all(output, output->buffer, used, err);
}

int cdp_output_write(struct cdp_output *output, const void *bytes, size_t size, struct cdp_err *err)
{
    if (size > BUFFER - output->used) {
        if (flush(output, err))
            return -1;
        if (size >= BUFFER)
            return write_all(output, bytes, size, err);
    }
    memcpy(output->buffer + output->used, bytes, size);
    output->used += size;
    return 0;
}

int cdp_output_printf(struct cdp_output *output, struct cdp_err *err, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text)
        return cdp_fail(err, "%s: a line is too long to print", output->name);
    return cdp_output_write(output, text, (size_t)size, err);
}

// Flushes and closes; disks and networks report late errors here.
static int finish(struct cdp_output *output, struct cdp_err *err)
{
    if (flush(output, err))
        return -1;
    int fd = output->fd;
    output->fd = -1;
    if (close(fd) && errno != EINTR)
        return cdp_fail_errno(err, "%s: cannot write", output->name);
    return 0;
}

int cdp_output_commit_all(struct cdp_output *const *outputs, size_t count, struct cdp_err *err)
{
    int status = 0;
    for (size_t o = 0; !status && o < count; o++)
        status = outputs[o] ? finish(outputs[o], err) : 0;
    for (size_t o = 0; o < count; o++) {
        struct cdp_output *output = outputs[o];
        if (output && !status && output->target && rename(hidden[output->slot], output->target))
            status = cdp_fail_errno(err, "%s: cannot put the finished file in place", output->name);
        if (status)
            cdp_output_abandon(output);
        else if (output)
            release(output);
    }
    return status;
}

int cdp_output_commit(struct cdp_output *output, struct cdp_err *err)
{
    return cdp_output_commit_all(&output, 1, err);
}

void cdp_output_abandon(struct cdp_output *output)
{
    if (!output)
        return;
    if (output->target) {
        if (output->fd >= 0)
            close(output->fd);
        unlink(hidden[output->slot]);
    }
    release(output);
}
