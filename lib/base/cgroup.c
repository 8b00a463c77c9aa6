// SPDX-License-Identifier: MIT
#include "base/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// PATH_SIZE is Linux's PATH_MAX: a longer path is cut, not found, and so has no quota.
enum { PATH_SIZE = 4096, FOLDER_SIZE = 3 * PATH_SIZE };

// Reads at most two numbers from a file of a group. Returns how many.
static int read_numbers(const char *folder, const char *name, long long *first, long long *second)
{
    char path[FOLDER_SIZE + PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int count = fscanf(file, "%lld %lld", first, second);
    fclose(file);
    return count;
}

// The quota of one group. A group without one has "max" in version 2, -1 in version 1.
static int quota_of(const char *folder, bool unified)
{
    long long quota = 0, period = 0, unused;
    bool found = unified ? read_numbers(folder, "cpu.max", &quota, &period) == 2
                         : read_numbers(folder, "cpu.cfs_quota_us", &quota, &unused) > 0 &&
                               read_numbers(folder, "cpu.cfs_period_us", &period, &unused) > 0;
    if (!found || quota <= 0 || period <= 0)
        return INT_MAX;
    long long processors = (quota - 1) / period + 1;
    return processors < INT_MAX ? (int)processors : INT_MAX;
}

// Whether the words, which commas part, have "cpu".
static bool has_cpu(char *words)
{
    char *rest;
    for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
        if (!strcmp(word, "cpu"))
            return true;
    return false;
}

// Finds the group of this process: lines are "ID:CONTROLLERS:PATH", without controllers for
// version 2.
static bool find_group(const char *root, bool unified, char path[PATH_SIZE])
{
    char name[PATH_SIZE], *line = NULL;
    size_t size = 0;
    bool found = false;
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    while (!found && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'),
             *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = 0;
        found = unified ? !controllers[1] : has_cpu(controllers + 1);
        if (found)
            snprintf(path, PATH_SIZE, "%s", group);
    }
    free(line);
    fclose(file);
    return found;
}

// The smallest quota from this process's group up to the one that is mounted at `point`, whose path
// is `top`.
static int smallest_quota(const char *root, const char *top, const char *point, bool unified)
{
    char group[PATH_SIZE], folder[FOLDER_SIZE];
    if (!find_group(root, unified, group))
        return INT_MAX;
    // In a container the paths may be those of the host, where `top` is a part of them.
    size_t length = strcmp(top, "/") ? strlen(top) : 0;
    bool below = !strncmp(group, top, length) && (group[length] == '/' || !group[length]);
    size_t end = (size_t)snprintf(folder, sizeof folder, "%s%s", root, point);
    snprintf(folder + end, sizeof folder - end, "%s", below ? group + length : "");
    int least = INT_MAX;
    for (;;) {
        int quota = quota_of(folder, unified);
        least = quota < least ? quota : least;
        char *parent = strrchr(folder + end, '/');
        if (!parent)
            return least;
        *parent = 0;
    }
}

int cdp_cgroup_processors(const char *root)
{
    char name[PATH_SIZE], *line = NULL;
    size_t size = 0;
    int least = INT_MAX;
    snprintf(name, sizeof name, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(name, "re");
    if (!file)
        return INT_MAX;
    while (getline(&line, &size, file) > 0) { // its fields: proc(5)
        char top[PATH_SIZE], point[PATH_SIZE], type[16], options[PATH_SIZE];
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(rest, " - %15s %*s %4095s", type, options) != 2 ||
            sscanf(line, "%*s %*s %*s %4095s %4095s", top, point) != 2)
            continue;
        bool unified = !strcmp(type, "cgroup2");
        if (!unified && (strcmp(type, "cgroup") || !has_cpu(options)))
            continue;
        int quota = smallest_quota(root, top, point, unified);
        least = quota < least ? quota : least;
    }
    free(line);
    fclose(file);
    return least;
}
