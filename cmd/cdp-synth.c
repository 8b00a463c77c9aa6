// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "synth/synth.h"
#include "tool.h"

enum { IMAGES_AN_IDENTITY = 77, CHUNK = 1 << 24 };

static uint64_t items = 20000, identities, dim = 256, models = 5, seed = 1;
static int profile;

static const struct cdp_synth *const profiles[] = {&cdp_synth_default, &cdp_synth_emore};

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "items",
     .arg = "N",
     .group = "Data",
     .help = "number of items",
     .value = &items,
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_COUNT,
     .name = "identities",
     .arg = "N",
     .help = "number of identities",
     .value = &identities,
     .unset = "1 per 77 items",
     .min = 1,
     .max = 4294967294.0},
    {.type = CDP_OPTION_COUNT,
     .name = "dim",
     .arg = "D",
     .help = "numbers per row",
     .value = &dim,
     .min = 2,
     .max = 65536},
    {.type = CDP_OPTION_COUNT,
     .name = "models",
     .arg = "N",
     .help = "number of models, a feature file each",
     .value = &models,
     .min = 1,
     .max = 64},
    {.type = CDP_OPTION_CHOICE,
     .name = "profile",
     .arg = "NAME",
     .help = "what the data resemble",
     .value = &profile,
     .choices = (const char *const[]){"plain", "emore", NULL}},
    {.type = CDP_OPTION_COUNT,
     .name = "seed",
     .arg = "N",
     .help = "seed of the random numbers",
     .value = &seed},
    {0},
};

static const struct tool tool = {
    .name = "cdp-synth",
    .summary = "Generates labelled feature vectors of several models, like those of faces",
    .synopsis = "[OPTION]... FOLDER",
    .example = "cdp-synth demo\n"
               "cdp-synth --items 200000 --identities 2577 --models 1 big\n",
    .options = options,
    .folder = true,
};

// Whether the name is one of write_features: m0.bin, m1.bin and so on.
static bool is_features(const char *name)
{
    size_t digits = *name == 'm' ? strspn(name + 1, "0123456789") : 0;
    return digits && !strcmp(name + 1 + digits, ".bin");
}

static void remove_file(int folder, const char *folder_name, const char *name)
{
    struct cdp_err err;
    if (unlinkat(folder, name, 0) && errno != ENOENT)
        tool_check(cdp_fail_errno(&err, "%s/%s: cannot remove", folder_name, name), &err);
}

// Removes the files of an earlier run, so that none is mistaken for one of this run.
static void remove_earlier(const char *folder, const char *features)
{
    struct cdp_err err;
    DIR *open_folder = opendir(folder), *open_features = opendir(features);
    if (!open_folder || !open_features)
        tool_check(
            cdp_fail_errno(&err, "%s: cannot read the folder", open_folder ? features : folder),
            &err);
    remove_file(dirfd(open_folder), folder, "list.txt");
    remove_file(dirfd(open_folder), folder, "meta.txt");
    for (const struct dirent *entry; (entry = readdir(open_features));) {
        if (is_features(entry->d_name))
            remove_file(dirfd(open_features), features, entry->d_name);
    }
    closedir(open_folder);
    closedir(open_features);
}

static void make_folder(const char *name)
{
    struct cdp_err err;
    if (mkdir(name, 0777) && errno != EEXIST)
        tool_check(cdp_fail_errno(&err, "%s: cannot make the folder", name), &err);
}

static struct cdp_output *create(const char *folder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct cdp_output *create(const char *folder, const char *format, ...)
{
    char name[64], *path;
    va_list args;
    struct cdp_err err;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        tool_fail("%s: out of memory", folder);
    struct cdp_output *output;
    tool_check(cdp_output_open(&output, path, true, &err), &err);
    free(path);
    return output;
}

static void write_lists(const char *folder, const uint32_t *labels)
{
    struct cdp_err err;
    int digits = snprintf(NULL, 0, "%" PRIu64, items - 1);
    struct cdp_output *output = create(folder, "list.txt");
    for (uint64_t i = 0; i < items; i++)
        tool_check(
            cdp_output_printf(output, &err, "%0*" PRIu64 ".jpg\n", digits > 6 ? digits : 6, i),
            &err);
    tool_check(cdp_output_commit(output, &err), &err);
    output = create(folder, "meta.txt");
    for (uint64_t i = 0; i < items; i++)
        tool_check(cdp_output_printf(output, &err, "%" PRIu32 "\n", labels[i]), &err);
    tool_check(cdp_output_commit(output, &err), &err);
}

// Feature files are little-endian.
static void to_little_endian(float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cdp_put_le(&numbers[i], sizeof *numbers, cdp_float_bits(numbers[i]));
}

static void write_features(const char *folder, const struct cdp_synth *synth,
                           const uint32_t *labels, uint32_t model, float *rows, uint64_t most)
{
    struct cdp_err err;
    struct cdp_output *output = create(folder, "features/m%" PRIu32 ".bin", model);
    for (uint64_t first = 0, count; first < items; first += count) {
        count = items - first < most ? items - first : most;
        cdp_synth_rows(synth, labels, model, first, count, (int)common.threads, rows);
        to_little_endian(rows, (size_t)(count * dim));
        tool_check(cdp_output_write(output, rows, (size_t)(count * dim) * sizeof *rows, &err),
                   &err);
        cdp_progress_add(tool_progress(), count);
    }
    tool_check(cdp_output_commit(output, &err), &err);
}

int main(int argc, char **argv)
{
    const char *folder = argv[tool_start(&tool, argc, argv, 1, 1)];
    if (!identities)
        identities =
            items < IMAGES_AN_IDENTITY ? 1 : (items + IMAGES_AN_IDENTITY / 2) / IMAGES_AN_IDENTITY;
    if (identities > items)
        tool_usage("--identities %" PRIu64 " is more than --items %" PRIu64, identities, items);

    struct cdp_synth synth = *profiles[profile];
    synth.seed = seed;
    synth.items = items;
    synth.identities = (uint32_t)identities;
    synth.dim = (uint32_t)dim;

    struct cdp_err err;
    uint64_t most = CHUNK / (dim * sizeof(float));
    uint32_t *labels = cdp_alloc(items, sizeof *labels, "labels", &err);
    float *rows = labels ? cdp_alloc(most, dim * sizeof *rows, "rows", &err) : NULL;
    if (!rows)
        tool_fail("%s", err.text);
    cdp_synth_labels(&synth, labels);

    char *features;
    if (asprintf(&features, "%s/features", folder) < 0)
        tool_fail("%s: out of memory", folder);
    make_folder(folder);
    make_folder(features);
    remove_earlier(folder, features);
    cdp_progress_start(tool_progress(), "features", "rows", items * models);
    for (uint32_t model = 0; model < models; model++)
        write_features(folder, &synth, labels, model, rows, most);
    write_lists(folder, labels); // last: a folder without them is not complete
    free(features);
    free(rows);
    free(labels);
    tool_finish(NULL);
}
