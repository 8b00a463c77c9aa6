// SPDX-License-Identifier: MIT
// Members of tar and zip archives.
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/input.h"
#include "io/kind.h"
#include "io/layer.h"

// An archive being read, entry by entry.
struct walk {
    struct archive *handle;
    struct cdp_input *input;
    bool zip, whole;        // in memory
    locale_t locale;        // UTF-8, which libarchive needs for names; or 0
    uint64_t start;         // offset of the content of this entry
    struct cdp_err failure; // of `input`, during a read by libarchive
    unsigned char *chunk;
};

static la_ssize_t feed(struct archive *handle, void *context, const void **bytes)
{
    struct walk *w = context;
    ssize_t count = cdp_input_read(w->input, w->chunk, CDP_INPUT_CHUNK, &w->failure);
    if (count < 0) {
        archive_set_error(handle, EIO, "%s", w->failure.text);
        return -1;
    }
    *bytes = w->chunk;
    return count;
}

static int fail_walk(const struct walk *w, struct cdp_err *err)
{
    const char *why = archive_error_string(w->handle);
    return w->failure.text[0] ? cdp_fail(err, "%s", w->failure.text)
                              : cdp_fail(err, "%s: damaged archive: %s", w->input->name,
                                         why ? why : "unexpected bytes");
}

static void walk_end(struct walk *w)
{
    if (w->handle)
        archive_read_free(w->handle);
    if (w->locale)
        freelocale(w->locale);
    free(w->chunk);
}

static int fail_kind(const struct walk *w, const unsigned char *bytes, size_t size,
                     struct cdp_err *err)
{
    const char *kind =
        w->zip ? "a damaged zip archive: its directory is missing" : cdp_kind(bytes, size);
    return cdp_fail(err, "%s: not a tar or zip archive%s%s", w->input->name, kind ? ", but " : "",
                    kind ? kind : "");
}

// A compressed tar archive is read as a stream. All others are mapped or read as a whole, a zip
// archive because its directory is at its end. libarchive's own filters are off.
static int walk_begin(struct walk *w, struct cdp_input *input, struct cdp_err *err)
{
    const unsigned char *bytes;
    *w = (struct walk){.input = input, .handle = archive_read_new()};
    w->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    w->chunk = cdp_alloc(CDP_INPUT_CHUNK, 1, "input buffer", err);
    if (!w->chunk || !w->handle)
        return cdp_fail(err, "%s: out of memory", input->name);
    ssize_t peeked = cdp_input_peek(input, &bytes, 512, err);
    if (peeked < 0)
        return -1;
    w->whole = !input->read || input->content || cdp_kind_is_zip(bytes, (size_t)peeked);
    size_t size = (size_t)peeked;
    if (w->whole && cdp_input_whole(input, &bytes, &size, err))
        return -1;
    w->zip = cdp_kind_is_zip(bytes, size);
    if (w->zip)
        archive_read_support_format_zip_seekable(w->handle);
    else
        archive_read_support_format_tar(w->handle);
    int status = w->whole ? archive_read_open_memory(w->handle, bytes, size)
                          : archive_read_open(w->handle, w, NULL, feed, NULL);
    if (status == ARCHIVE_OK)
        return 0;
    return w->failure.text[0] ? fail_walk(w, err) : fail_kind(w, bytes, size, err);
}

// Advances to the next entry: 1, or 0 at the end of the file.
static int walk_next(struct walk *w, struct archive_entry **entry, struct cdp_err *err)
{
    locale_t before = uselocale(w->locale);
    int status = archive_read_next_header(w->handle, entry);
    uselocale(before);
    w->start = (uint64_t)archive_filter_bytes(w->handle, -1);
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) // RETRY would skip a damaged header
        return 1;
    if (status != ARCHIVE_EOF)
        return fail_walk(w, err);
    ssize_t count = 1;
    while (count > 0 && !w->whole)
        count = cdp_input_read(w->input, w->chunk, CDP_INPUT_CHUNK, err);
    return count < 0 ? -1 : 0;
}

static ssize_t walk_read(struct walk *w, void *buffer, size_t size, uint64_t before,
                         struct cdp_err *err)
{
    la_ssize_t count = archive_read_data(w->handle, buffer, size);
    if (count < 0)
        return fail_walk(w, err);
    uint64_t used = (uint64_t)archive_filter_bytes(w->handle, -1) - w->start;
    return cdp_input_check_ratio(w->input->name, before + (uint64_t)count, used, err) ? -1 : count;
}

// ---- paths

// A path without "." and empty parts and with ".." resolved, relative to the folder of `from`,
// which may be NULL.
static char *normal_path(const char *from, const char *path, struct cdp_err *err)
{
    const char *slash = from && *path != '/' ? strrchr(from, '/') : NULL;
    size_t used = 0, base = slash ? (size_t)(slash - from) : 0;
    char *out = cdp_alloc(base + strlen(path) + 2, 1, "a path", err);
    if (!out)
        return NULL;
    memcpy(out, from ? from : "", base);
    used = base;
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && !memcmp(path, "..", 2)) {
            while (used && out[used - 1] != '/')
                used--;
            used -= used > 0;
        } else if (length && !(length == 1 && *path == '.')) {
            if (used)
                out[used++] = '/';
            memcpy(out + used, path, length);
            used += length;
        }
        path += length + (path[length] == '/');
    }
    out[used] = '\0';
    return out;
}

// ---- one member

struct search {
    char *wanted; // normalized path
    const char *name;
    bool exact;              // found under its name, not with .npy appended
    struct cdp_input *found; // its content
    char *link;              // or the path of its content
    uint64_t members;
    char listed[400]; // the first members, for the error
    bool cut;         // there are more
};

static void list_member(struct search *s, const char *path)
{
    size_t used = strlen(s->listed), room = sizeof s->listed - used;
    s->members++;
    if (s->cut)
        return;
    s->cut = strlen(path) + sizeof ", , ..." > room;
    snprintf(s->listed + used, room, "%s%s", used ? ", " : "", s->cut ? "..." : path);
    for (char *c = s->listed + used; *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
}

static int load_entry(struct walk *w, struct search *s, struct cdp_err *err)
{
    struct cdp_input *content = cdp_input_new(s->name, err);
    size_t room = 0;
    cdp_input_close(s->found);
    s->found = content;
    while (content) {
        if (cdp_grow(&content->content, &room, content->size + CDP_INPUT_CHUNK, 1, s->name, err))
            return -1;
        ssize_t count = walk_read(w, content->content + content->size, room - content->size,
                                  content->size, err);
        if (count <= 0)
            return (int)count;
        content->size += (size_t)count;
    }
    return -1;
}

static int look_at(struct walk *w, struct search *s, struct archive_entry *entry,
                   struct cdp_err *err)
{
    const char *path = archive_entry_pathname(entry), *hard = archive_entry_hardlink(entry);
    const char *soft =
        archive_entry_filetype(entry) == AE_IFLNK ? archive_entry_symlink(entry) : NULL;
    if (!path || (!hard && !soft && archive_entry_filetype(entry) != AE_IFREG))
        return 0;
    char *normal = normal_path(NULL, path, err);
    if (!normal)
        return -1;
    list_member(s, normal);
    size_t length = strlen(s->wanted);
    bool exact = !strcmp(normal, s->wanted);
    bool array = w->zip && !s->exact && !strncmp(normal, s->wanted, length) &&
                 !strcmp(normal + length, ".npy");
    int status = 0;
    if (exact || array) {
        s->exact = exact;
        free(s->link);
        s->link = hard   ? normal_path(NULL, hard, err)
                  : soft ? normal_path(normal, soft, err)
                         : NULL;
        status = (hard || soft) ? (s->link ? 0 : -1) : load_entry(w, s, err);
    }
    free(normal);
    return status;
}

// Reads the archive to its end, since the last of several members of one name counts.
static int search_once(struct search *s, struct cdp_input *archive, struct cdp_err *err)
{
    struct walk w;
    struct archive_entry *entry;
    int status = walk_begin(&w, archive, err);
    while (!status && (status = walk_next(&w, &entry, err)) > 0)
        status = look_at(&w, s, entry, err);
    walk_end(&w);
    return status;
}

static int fail_missing(const struct search *s, const struct cdp_input *archive, const char *member,
                        struct cdp_err *err)
{
    if (!s->members)
        return cdp_fail(err, "%s: the archive has no member '%s', nor any other", archive->name,
                        member);
    return cdp_fail(err, "%s: the archive has no member '%s': it has %s", archive->name, member,
                    s->listed);
}

// Whether the archive can be read again; it is, from its beginning.
static int read_again(struct cdp_input **archive, const char *path, struct cdp_err *err)
{
    struct stat info;
    if ((*archive)->content || (*archive)->map)
        return 1;
    if (!path || stat(path, &info) || !S_ISREG(info.st_mode))
        return 0;
    cdp_input_close(*archive);
    *archive = NULL;
    return cdp_input_file(archive, path, 1, err) || cdp_input_decompress(archive, path, err) ? -1
                                                                                             : 1;
}

// `path` is the archive's file, to open it again, or NULL.
static int find(struct cdp_input **found, struct cdp_input **archive, const char *path,
                const char *member, const char *name, struct cdp_err *err)
{
    enum { LINKS = 40 };
    struct search s = {.name = name};
    s.wanted = normal_path(NULL, member, err);
    int status = s.wanted ? search_once(&s, *archive, err) : -1;
    for (int hops = 0; !status && s.link; hops++) {
        int again = hops < LINKS ? read_again(archive, path, err) : 0;
        if (again <= 0) {
            status = again < 0
                         ? -1
                         : cdp_fail(err, "%s: a link to '%s': name that member", name, s.link);
            break;
        }
        free(s.wanted);
        cdp_input_close(s.found);
        s = (struct search){.name = name, .wanted = s.link};
        status = search_once(&s, *archive, err);
    }
    if (!status && !s.found)
        status = fail_missing(&s, *archive, s.wanted, err);
    if (status) {
        cdp_input_close(s.found);
        s.found = NULL;
    }
    free(s.wanted);
    free(s.link);
    *found = s.found;
    return status;
}

int cdp_input_member(struct cdp_input **input, const char *path, const char *member,
                     const char *name, struct cdp_err *err)
{
    struct cdp_input *found;
    if (find(&found, input, path, member, name, err))
        return -1;
    cdp_input_close(*input);
    *input = found;
    return 0;
}

int cdp_input_open_in(struct cdp_input **input, struct cdp_input *archive, const char *member,
                      struct cdp_err *err)
{
    char name[4096];
    snprintf(name, sizeof name, "%s:%s", archive->name, member);
    return find(input, &archive, NULL, member, name, err);
}

// ---- all members

// The content of the current entry of a walk.
static ssize_t read_entry(struct cdp_input *input, void *buffer, size_t size, struct cdp_err *err)
{
    return walk_read(input->state, buffer, size, input->made, err);
}

static void keep(void *state)
{
    (void)state;
}

static int call_each(struct walk *w, struct archive_entry *entry, cdp_member_each *each,
                     void *context, struct cdp_err *err)
{
    const char *path = archive_entry_pathname(entry);
    if (!path || archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFREG)
        return 0;
    char *normal = normal_path(NULL, path, err);
    struct cdp_input *content = normal ? cdp_input_new(w->input->name, err) : NULL;
    int status = -1;
    if (content) {
        content->state = w;
        content->read = read_entry;
        content->free_state = keep;
        uint64_t size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
        status = each(context, normal, size, content, err);
    }
    cdp_input_close(content);
    free(normal);
    return status;
}

int cdp_input_members_in(struct cdp_input *archive, cdp_member_each *each, void *context,
                         struct cdp_err *err)
{
    struct walk w;
    struct archive_entry *entry;
    int status = walk_begin(&w, archive, err);
    while (!status && (status = walk_next(&w, &entry, err)) > 0)
        status = call_each(&w, entry, each, context, err);
    walk_end(&w);
    return status;
}

int cdp_input_members(const char *name, cdp_member_each *each, void *context, struct cdp_err *err)
{
    struct cdp_input *in = NULL;
    int status = cdp_input_file(&in, name, 1, err);
    if (!status)
        status = cdp_input_decompress(&in, name, err);
    if (!status)
        status = cdp_input_members_in(in, each, context, err);
    cdp_input_close(in);
    return status;
}
