// SPDX-License-Identifier: MIT
#include "config/config.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/input.h"

const char *data_folder = "data", *archive = "data.tar.gz", *cache_name;

struct member {
    char *path;
    uint64_t size, lines;
};

static struct member *members;
static size_t member_count, member_room;

static uint64_t count_lines(struct cdp_input *input, struct cdp_err *err, int *status)
{
    static char buffer[1 << 16];
    uint64_t ended = 0, lines = 0; // lines: up to the last one that is not blank
    ssize_t count;
    while ((count = cdp_input_read(input, buffer, sizeof buffer, err)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (buffer[i] == '\n')
                ended++;
            else if (buffer[i] != ' ' && buffer[i] != '\t' && buffer[i] != '\r')
                lines = ended + 1;
        }
    }
    *status = count < 0 ? -1 : 0;
    return lines;
}

static int add_member(const char *path, uint64_t size, uint64_t lines, struct cdp_err *err)
{
    if (cdp_grow(&members, &member_room, member_count + 1, sizeof *members, "members", err))
        return -1;
    members[member_count++] = (struct member){text_need(strdup(path)), size, lines};
    return 0;
}

static int each_member(void *context, const char *path, uint64_t size, struct cdp_input *content,
                       struct cdp_err *err)
{
    (void)context;
    int status = 0;
    uint64_t lines = ends(path, ".txt") ? count_lines(content, err, &status) : 0;
    return status || strpbrk(path, "\n\r") ? status : add_member(path, size, lines, err);
}

// The state of the archive when its members were listed.
static char *archive_state(const struct stat *info)
{
    return text_join("%" PRIu64 " %" PRIu64 " %lld.%09ld %lld.%09ld", (uint64_t)info->st_ino,
                     (uint64_t)info->st_size, (long long)info->st_mtim.tv_sec,
                     info->st_mtim.tv_nsec, (long long)info->st_ctim.tv_sec, info->st_ctim.tv_nsec);
}

// 0 = the cache was used.
static int read_cache(const char *state)
{
    char *line = NULL, *path;
    size_t room = 0;
    struct cdp_err err;
    FILE *file = cache_name ? fopen(cache_name, "r") : NULL;
    if (!file)
        return -1;
    bool good = getline(&line, &room, file) > 0 && !strncmp(line, state, strlen(state)) &&
                line[strlen(state)] == '\n';
    while (good && getline(&line, &room, file) > 0) {
        uint64_t size = strtoull(line, &path, 10), lines = strtoull(path, &path, 10);
        line[strcspn(line, "\n")] = '\0';
        if (*path == ' ')
            tool_check(add_member(path + 1, size, lines, &err), &err);
    }
    free(line);
    fclose(file);
    return good ? 0 : -1;
}

static void write_cache(const char *state)
{
    struct cdp_output *output;
    struct cdp_err err;
    tool_check(cdp_output_open(&output, cache_name, false, &err), &err);
    tool_check(cdp_output_printf(output, &err, "%s\n", state), &err);
    for (size_t i = 0; i < member_count; i++)
        tool_check(cdp_output_printf(output, &err, "%" PRIu64 " %" PRIu64 " ", members[i].size,
                                     members[i].lines) ||
                       cdp_output_write(output, members[i].path, strlen(members[i].path), &err) ||
                       cdp_output_write(output, "\n", 1, &err),
                   &err);
    tool_check(cdp_output_commit(output, &err), &err);
}

// The members of the archive, listed at the first use.
static void list_members(void)
{
    static bool listed;
    struct stat info;
    struct cdp_err err;
    if (listed || stat(archive, &info))
        return;
    listed = true;
    char *state = archive_state(&info);
    if (!read_cache(state))
        return;
    member_count = 0;
    tool_say("%s: reading what it holds", archive);
    tool_check(cdp_input_members(archive, each_member, NULL, &err), &err);
    if (cache_name)
        write_cache(state);
}

struct file look(const char *data_name, const char *rest)
{
    static const char *const below[] = {"unlabeled/", "labeled/", ""};
    bool absolute = *data_name == '/';
    for (int i = absolute ? 2 : 0; i < 3; i++) {
        struct stat info;
        char *name = absolute ? text_join("%s/%s", data_name, rest)
                              : text_join("%s/%s%s/%s", data_folder, below[i], data_name, rest);
        if (!stat(name, &info) && S_ISREG(info.st_mode)) {
            struct file file = {.name = name, .size = (uint64_t)info.st_size};
            struct cdp_input *input;
            struct cdp_err err;
            int status = 0;
            if (ends(rest, ".txt")) {
                tool_check(cdp_input_open(&input, name, 0, &err), &err);
                file.lines = count_lines(input, &err, &status);
                tool_check(status, &err);
                cdp_input_close(input);
            }
            return file;
        }
    }
    list_members();
    for (int i = 0; i < 3 && !absolute; i++) {
        char *path = text_join("data/%s%s/%s", below[i], data_name, rest);
        for (size_t m = 0; m < member_count; m++) {
            if (!strcmp(members[m].path, path))
                return (struct file){text_join("%s:%s", archive, path), members[m].size,
                                     members[m].lines};
        }
    }
    return (struct file){0};
}

char *places(const char *data_name, const char *rest)
{
    if (*data_name == '/')
        return text_join("%s/%s", data_name, rest);
    return text_join("%s/%s in %s/unlabeled, %s/labeled, %s%s%s", data_name, rest, data_folder,
                     data_folder, data_folder, member_count ? " or " : "",
                     member_count ? archive : "");
}
