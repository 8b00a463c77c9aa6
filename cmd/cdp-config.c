// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/mem.h"
#include "io/input.h"
#include "tool.h"

// The original system's config.yaml, checked with all the files that it names, as variables of
// pipelines/cdp.mk. Whatever is wrong is told, a line each.

enum { MOST_BYTES = 1 << 20, MOST_TEXT = 4096, MOST_NAMES = CDP_MOST_TEXTS - 1 };

static const char *data_folder = "data", *archive = "data.tar.gz", *cache_name;

static const struct cdp_option options[] = {
    {CDP_OPTION_TEXT, 0, "data", "FOLDER", "where data_name is looked for (data)", &data_folder, 0,
     0, NULL},
    {CDP_OPTION_TEXT, 0, "archive", "FILE", "where it is looked for next (data.tar.gz)", &archive,
     0, 0, NULL},
    {CDP_OPTION_TEXT, 0, "cache", "FILE", "remember there what the archive holds", &cache_name, 0,
     0, NULL},
    {0},
};

static const struct tool tool = {
    .name = "cdp-config",
    .summary = "Checks an original config.yaml and its files, and writes variables for cdp.mk",
    .synopsis = "[OPTION]... CONFIG.yaml",
    .example = "cdp-config experiments/emore_u200k_single/config.yaml\n",
    .options = options,
};

static const char *config;
static int problems;

static void wrong(size_t line, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Of a line of the configuration, or, with 0, of all of it.
static void wrong(size_t line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line)
        tool_problem("%s: line %zu: %s", config, line, text);
    else
        tool_problem("%s: %s", config, text);
    problems++;
}

static void *need(void *memory)
{
    if (!memory)
        tool_fail("out of memory");
    return memory;
}

// Texts live as long as the program does; here they all are.
static char *keep(char *text)
{
    static char **kept;
    static size_t count, room;
    struct cdp_err err;
    need(text);
    tool_check(cdp_grow(&kept, &room, count + 1, sizeof *kept, "texts", &err), &err);
    return kept[count++] = text;
}

static char *join(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *join(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        need(NULL);
    va_end(args);
    return keep(text);
}

// ---- the keys

enum kind { NAME, NAMES, PATH, COUNT, REAL, TRUTH, STRATEGY, GROUPS, ANYTHING };

enum { NO_SECTION, VOTE, MEDIATOR, PROPAGATION, SECTIONS };
static const char *const section_names[SECTIONS] = {"", "vote", "mediator", "propagation"};
static size_t section_line[SECTIONS];

struct key {
    int section;
    const char *name;
    enum kind kind;
    double min, max;
    const char *value; // as variables have it; NULL = not given
    size_t line;
};

enum {
    BASE,
    COMMITTEE,
    DATA_NAME,
    FEAT_DIM,
    K,
    THE_STRATEGY,
    EVALUATION,
    ACCEPT_NUM,
    VOTE_THRESHOLD,
    TRAIN_DATA_NAME,
    MEDIATOR_THRESHOLD,
    INPUT,
    FORCE_RETRAIN,
    GPUS,
    MAX_SZ,
    STEP,
    MAX_ITER,
    KEYS
};

static struct key keys[KEYS] = {
    [BASE] = {NO_SECTION, "base", NAME},
    [COMMITTEE] = {NO_SECTION, "committee", NAMES},
    [DATA_NAME] = {NO_SECTION, "data_name", PATH},
    [FEAT_DIM] = {NO_SECTION, "feat_dim", COUNT, 1, 1e6},
    [K] = {NO_SECTION, "k", COUNT, 2, 65536},
    [THE_STRATEGY] = {NO_SECTION, "strategy", STRATEGY},
    [EVALUATION] = {NO_SECTION, "evaluation", TRUTH},
    [ACCEPT_NUM] = {VOTE, "accept_num", COUNT, 0, 65535},
    [VOTE_THRESHOLD] = {VOTE, "threshold", REAL, -1, 1},
    [TRAIN_DATA_NAME] = {MEDIATOR, "train_data_name", PATH},
    [MEDIATOR_THRESHOLD] = {MEDIATOR, "threshold", REAL, 0, 1},
    [INPUT] = {MEDIATOR, "input", GROUPS},
    [FORCE_RETRAIN] = {MEDIATOR, "force_retrain", TRUTH},
    [GPUS] = {MEDIATOR, "gpus", ANYTHING},
    [MAX_SZ] = {PROPAGATION, "max_sz", COUNT, 1, 4294967295.0},
    [STEP] = {PROPAGATION, "step", REAL, 0, 1},
    [MAX_ITER] = {PROPAGATION, "max_iter", COUNT, 0, 1e6},
};

// "threshold of vote"
static const char *called(const struct key *key)
{
    return key->section ? join("%s of %s", key->name, section_names[key->section]) : key->name;
}

// How many letters must be put in, left out or changed to make one word of the other.
static size_t distance(const char *a, const char *b)
{
    size_t width = strlen(b), row[64];
    if (width >= sizeof row / sizeof row[0] || strlen(a) >= sizeof row / sizeof row[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[width];
}

static void unknown_key(int section, const char *name, size_t line)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 2 + 2;
    for (int i = 0; i < KEYS; i++) {
        // A key that stands in the wrong place is nearer than one that is spelled wrong.
        size_t far = distance(name, keys[i].name) + (keys[i].section != section && *keys[i].name);
        if (far < least) {
            least = far;
            nearest = called(&keys[i]);
        }
    }
    for (int s = 1; s < SECTIONS; s++) {
        size_t far = distance(name, section_names[s]) + (section != NO_SECTION);
        if (far < least) {
            least = far;
            nearest = section_names[s];
        }
    }
    wrong(line, "unknown key '%s'%s%s%s%s%s", name, section ? " in " : "", section_names[section],
          nearest ? "; is it '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

// ---- values

// What stands behind a key: one scalar, or a list of them.
struct value {
    size_t line, count;
    bool list, quoted;
    const char *text[MOST_NAMES];
};

static bool is_name(const char *text)
{
    return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789._+-")] == '\0';
}

static bool is_null(const struct value *v)
{
    return !v->list && !v->quoted &&
           (!*v->text[0] || !strcmp(v->text[0], "~") || !strcasecmp(v->text[0], "null"));
}

static void refuse(const struct key *key, const struct value *v, const char *wanted)
{
    if (v->list)
        wrong(v->line, "%s: %s is wanted, not a list", called(key), wanted);
    else
        wrong(v->line, "%s: %s is wanted, not %s'%.60s'", called(key), wanted,
              v->quoted ? "the text " : "", v->text[0]);
}

static void take_number(struct key *key, const struct value *v)
{
    const char *text = v->text[0], *rest = text;
    if (key->kind == REAL && (*rest == '-' || *rest == '+'))
        rest++;
    size_t digits = strspn(rest, "0123456789"), more = 0;
    // With a leading 0 YAML would have it octal.
    bool plain = !v->list && !v->quoted && !(key->kind == COUNT && *rest == '0' && digits > 1);
    rest += digits;
    if (key->kind == REAL && *rest == '.')
        rest += 1 + (more = strspn(rest + 1, "0123456789"));
    if (key->kind == REAL && (*rest == 'e' || *rest == 'E')) {
        rest++;
        rest += *rest == '-' || *rest == '+';
        rest += strspn(rest, "0123456789");
    }
    double number = strtod(text, NULL);
    if (plain && digits + more && !*rest && number >= key->min && number <= key->max) {
        key->value = join("%.15g", number);
        return;
    }
    refuse(key, v,
           join("a %snumber from %.10g to %.10g", key->kind == COUNT ? "whole " : "", key->min,
                key->max));
}

// YAML 1.1's words.
static void take_truth(struct key *key, const struct value *v)
{
    static const char *const words[2][3] = {{"no", "false", "off"}, {"yes", "true", "on"}};
    for (int truth = 0; truth < 2 && !v->list && !v->quoted; truth++) {
        for (int w = 0; w < 3; w++) {
            if (!strcasecmp(v->text[0], words[truth][w]))
                key->value = words[truth][0];
        }
    }
    if (!key->value)
        refuse(key, v, "True or False");
}

static void take_names(struct key *key, const struct value *v)
{
    if (!v->list && !is_null(v)) {
        refuse(key, v, "a list of names");
        return;
    }
    key->value = "";
    for (size_t i = 0; v->list && i < v->count; i++) {
        if (is_name(v->text[i]))
            key->value = join("%s%s%s", key->value, i ? " " : "", v->text[i]);
        else
            wrong(v->line, "%s: '%.60s': a name may have letters, digits and . _ + - only",
                  called(key), v->text[i]);
    }
}

// 111, or the list of the groups; distribution is what structure once was called.
static void take_groups(struct key *key, const struct value *v)
{
    static const char *const groups[] = {"relationship", "affinity", "structure"};
    char bits[] = "000";
    bool bad = !v->list && strlen(v->text[0]) != 3;
    for (size_t i = 0; i < (v->list ? v->count : 0); i++) {
        const char *word = strcmp(v->text[i], "distribution") ? v->text[i] : groups[2];
        int g = 0;
        while (g < 3 && strcmp(word, groups[g]))
            g++;
        if (g < 3)
            bits[g] = '1';
        else
            bad = true;
    }
    for (int g = 0; !v->list && g < 3 && !bad; g++) {
        bits[g] = v->text[0][g];
        bad = bits[g] != '0' && bits[g] != '1';
    }
    if (bad || !strcmp(bits, "000"))
        wrong(v->line, "%s: 111, 110 or a list of relationship, affinity and structure is wanted",
              called(key));
    else
        key->value = keep(strdup(bits));
}

static void take(struct key *key, const struct value *v)
{
    const char *text = v->list ? "" : v->text[0];
    switch (key->kind) {
    case NAME:
        if (is_name(text))
            key->value = text;
        else
            refuse(key, v, "a name of letters, digits and . _ + -");
        break;
    case PATH:
        if (*text && !strpbrk(text, "\n\r"))
            key->value = text;
        else
            refuse(key, v, "the name of a folder");
        break;
    case STRATEGY:
        if (!strcmp(text, "vote") || !strcmp(text, "mediator") || !strcmp(text, "groundtruth"))
            key->value = text;
        else
            refuse(key, v, "vote, mediator or groundtruth");
        break;
    case REAL:
        if (key == &keys[MEDIATOR_THRESHOLD] && !strcmp(text, "auto"))
            key->value = text;
        else
            take_number(key, v);
        break;
    case COUNT:
        take_number(key, v);
        break;
    case TRUTH:
        take_truth(key, v);
        break;
    case NAMES:
        take_names(key, v);
        break;
    case GROUPS:
        take_groups(key, v);
        break;
    case ANYTHING:
        break;
    }
}

// ---- YAML

static yaml_parser_t parser;
static yaml_event_t event;

// Ends all where the text is not YAML, since what comes after cannot be told.
static void next(void)
{
    yaml_event_delete(&event);
    if (yaml_parser_parse(&parser, &event))
        return;
    wrong(parser.problem_mark.line + 1, "column %zu: not YAML: %s%s%s",
          parser.problem_mark.column + 1, parser.problem ? parser.problem : "out of memory",
          parser.context ? ", " : "", parser.context ? parser.context : "");
    exit(1);
}

static size_t here(void)
{
    return event.start_mark.line + 1;
}

// Nothing that a configuration needs: refused before it can do harm.
static const char *forbidden(void)
{
    if (event.type == YAML_ALIAS_EVENT)
        return "an alias (*name) is not taken: write the value itself";
    if (event.type == YAML_SCALAR_EVENT) {
        if (event.data.scalar.anchor || event.data.scalar.tag)
            return "anchors (&name) and tags (!name) are not taken";
        if (event.data.scalar.length > MOST_TEXT)
            return "a text of more than 4096 bytes";
        if (memchr(event.data.scalar.value, '\0', event.data.scalar.length))
            return "a text with a NUL in it";
    }
    if (event.type == YAML_SEQUENCE_START_EVENT &&
        (event.data.sequence_start.anchor || event.data.sequence_start.tag))
        return "anchors (&name) and tags (!name) are not taken";
    if (event.type == YAML_MAPPING_START_EVENT &&
        (event.data.mapping_start.anchor || event.data.mapping_start.tag))
        return "anchors (&name) and tags (!name) are not taken";
    return NULL;
}

// Passes over the node that begins here.
static void skip_node(void)
{
    int depth = 0;
    do {
        const char *why = forbidden();
        if (why)
            wrong(here(), "%s", why);
        if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
            depth++;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            depth--;
        if (depth)
            next();
    } while (depth);
}

static char *scalar(void)
{
    return keep(strdup((const char *)event.data.scalar.value));
}

// The scalar, or list of scalars, that begins here: 0, or -1 where it is neither or is refused.
static int read_value(struct value *v)
{
    *v = (struct value){.line = here()};
    const char *why = forbidden();
    if (!why && event.type == YAML_SCALAR_EVENT) {
        v->text[v->count++] = scalar();
        v->quoted = event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return 0;
    }
    if (why || event.type != YAML_SEQUENCE_START_EVENT) {
        if (!why)
            wrong(v->line, "a value or a list is wanted here, not keys of its own");
        skip_node();
        return -1;
    }
    v->list = true;
    int status = 0;
    for (next(); event.type != YAML_SEQUENCE_END_EVENT; next()) {
        if (event.type == YAML_SCALAR_EVENT && !forbidden() && v->count < MOST_NAMES) {
            v->text[v->count++] = scalar();
            continue;
        }
        if (v->count == MOST_NAMES)
            wrong(here(), "a list of more than %d", MOST_NAMES);
        else if (!forbidden())
            wrong(here(), "a list of plain values is wanted here");
        status = -1;
        skip_node();
        if (v->count == MOST_NAMES)
            exit(1);
    }
    return status;
}

static void read_mapping(int section);

static void read_entry(int section)
{
    size_t line = here();
    const char *why = forbidden();
    if (why || event.type != YAML_SCALAR_EVENT) {
        if (!why)
            wrong(line, "a key is wanted here");
        skip_node();
        next();
        skip_node();
        return;
    }
    char *name = scalar();
    next();
    for (int s = 1; section == NO_SECTION && s < SECTIONS; s++) {
        if (strcmp(name, section_names[s]))
            continue;
        if (section_line[s]) {
            wrong(line, "%s is there twice, first in line %zu", name, section_line[s]);
            skip_node();
        } else if (event.type == YAML_MAPPING_START_EVENT && !forbidden()) {
            read_mapping(s);
        } else {
            wrong(line, "%s: keys of its own are wanted", name);
            skip_node();
        }
        section_line[s] = line;
        return;
    }
    for (int i = 0; i < KEYS; i++) {
        struct key *key = &keys[i];
        if (key->section != section || strcmp(name, key->name))
            continue;
        struct value v;
        if (key->line)
            wrong(line, "%s is there twice, first in line %zu", called(key), key->line);
        key->line = line;
        if (key->kind == ANYTHING)
            skip_node();
        else if (!read_value(&v))
            take(key, &v);
        return;
    }
    unknown_key(section, name, line);
    skip_node();
}

static void read_mapping(int section)
{
    for (next(); event.type != YAML_MAPPING_END_EVENT; next())
        read_entry(section);
}

static void read_config(void)
{
    struct cdp_input *input;
    struct cdp_err err;
    static unsigned char bytes[MOST_BYTES + 1];
    tool_check(cdp_input_open(&input, config, 0, &err), &err);
    ssize_t size = cdp_input_read(input, bytes, sizeof bytes, &err);
    tool_check(size < 0 ? -1 : 0, &err);
    if (size > MOST_BYTES)
        tool_fail("%s: more than 1 MiB: not a configuration", config);
    cdp_input_close(input);

    if (!yaml_parser_initialize(&parser))
        need(NULL);
    yaml_parser_set_input_string(&parser, bytes, (size_t)size);
    next();
    next();
    if (event.type == YAML_STREAM_END_EVENT)
        tool_fail("%s: empty; keys such as base and data_name are wanted", config);
    next();
    if (event.type != YAML_MAPPING_START_EVENT || forbidden())
        tool_fail("%s: line %zu: keys such as base and data_name are wanted", config, here());
    read_mapping(NO_SECTION);
    next();
    next();
    if (event.type != YAML_STREAM_END_EVENT)
        wrong(here(), "a second document; one is wanted");
    yaml_event_delete(&event);
    yaml_parser_delete(&parser);
}

// ---- files

struct file {
    char *name; // a file, or ARCHIVE:MEMBER; NULL = none
    uint64_t size, lines;
};

struct member {
    char *path;
    uint64_t size, lines;
};

static struct member *members;
static size_t member_count, member_room;

static bool ends(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && !strcmp(text + size - tail, end);
}

static uint64_t count_lines(struct cdp_input *input, struct cdp_err *err, int *status)
{
    static char buffer[1 << 16];
    uint64_t lines = 0;
    ssize_t count;
    char last = '\n';
    while ((count = cdp_input_read(input, buffer, sizeof buffer, err)) > 0) {
        for (const char *at = buffer; (at = memchr(at, '\n', (size_t)(buffer + count - at))); at++)
            lines++;
        last = buffer[count - 1];
    }
    *status = count < 0 ? -1 : 0;
    return lines + (last != '\n');
}

static int add_member(const char *path, uint64_t size, uint64_t lines, struct cdp_err *err)
{
    if (cdp_grow(&members, &member_room, member_count + 1, sizeof *members, "members", err))
        return -1;
    members[member_count++] = (struct member){need(strdup(path)), size, lines};
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

// The archive as it was when its members were listed.
static char *archive_state(const struct stat *info)
{
    return join("%" PRIu64 " %" PRIu64 " %lld.%09ld %lld.%09ld", (uint64_t)info->st_ino,
                (uint64_t)info->st_size, (long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec,
                (long long)info->st_ctim.tv_sec, info->st_ctim.tv_nsec);
}

// 0 = the cache has been of use.
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

// What the archive holds, read once where it is wanted at all.
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

// Looks for a data set's file where the original has it: in data/unlabeled, data/labeled or data,
// as a file, then as a member of the archive.
static struct file look(const char *data_name, const char *rest)
{
    static const char *const below[] = {"unlabeled/", "labeled/", ""};
    bool absolute = *data_name == '/';
    for (int i = absolute ? 2 : 0; i < 3; i++) {
        struct stat info;
        char *name = absolute ? join("%s/%s", data_name, rest)
                              : join("%s/%s%s/%s", data_folder, below[i], data_name, rest);
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
        char *path = join("data/%s%s/%s", below[i], data_name, rest);
        for (size_t m = 0; m < member_count; m++) {
            if (!strcmp(members[m].path, path))
                return (struct file){join("%s:%s", archive, path), members[m].size,
                                     members[m].lines};
        }
    }
    return (struct file){0};
}

// Where a file that is nowhere was looked for.
static char *places(const char *data_name, const char *rest)
{
    if (*data_name == '/')
        return join("%s/%s", data_name, rest);
    return join("%s/%s in %s/unlabeled, %s/labeled, %s%s%s", data_name, rest, data_folder,
                data_folder, data_folder, member_count ? " or " : "", member_count ? archive : "");
}

// ---- what is written

static char *output_text;

static void assign(const char *name, const char *value)
{
    // $() is nothing, and keeps blanks and backslashes at either end.
    char *quoted = keep(malloc(strlen(value) * 2 + 1)), *to = quoted;
    for (const char *at = value; *at; at++) {
        size_t slashes = strspn(at, "\\");
        if (at[slashes] == '#') {
            for (size_t i = 0; i < 2 * slashes + 1; i++)
                *to++ = '\\';
            at += slashes;
        } else if (*at == '$') {
            *to++ = '$';
        }
        *to++ = *at;
    }
    *to = '\0';
    bool plain = !value[strcspn(value, "\t\\$#")] && *value != ' ' && !ends(value, " ");
    char *text = plain ? join("%s%s := %s\n", output_text ? output_text : "", name, quoted)
                       : join("%s%s := $()%s$()\n", output_text ? output_text : "", name, quoted);
    output_text = text;
}

// The features of one model: they must be whole rows, as many as everything else has.
static void check_features(const char *prefix, const char *data_name, const char *model,
                           uint64_t dim, uint64_t *rows, const char **of)
{
    char *rest = join("features/%s.bin", model);
    struct file file = look(data_name, rest);
    if (!file.name) {
        wrong(0, "%s: no such file: %s", model, places(data_name, rest));
        return;
    }
    assign(join("%sfeatures_%s", prefix, model), file.name);
    if (!dim)
        return;
    if (!file.size || file.size % (dim * 4)) {
        wrong(0,
              "%s: %" PRIu64 " bytes, but rows of feat_dim = %" PRIu64 " float32 numbers are "
              "%" PRIu64 " bytes each",
              file.name, file.size, dim, dim * 4);
        return;
    }
    uint64_t count = file.size / (dim * 4);
    if (!*of) {
        *rows = count;
        *of = file.name;
    } else if (count != *rows) {
        wrong(0, "%s: %" PRIu64 " rows, but %s has %" PRIu64, file.name, count, *of, *rows);
    }
}

static void check_data(const char *prefix, const char *data_name, bool members_too, bool meta)
{
    uint64_t rows = 0, dim = keys[FEAT_DIM].value ? strtoull(keys[FEAT_DIM].value, NULL, 10) : 0;
    const char *of = NULL;
    struct file list = look(data_name, "list.txt");
    if (list.name) {
        rows = list.lines;
        of = list.name;
    }
    if (keys[BASE].value)
        check_features(prefix, data_name, keys[BASE].value, dim, &rows, &of);
    if (members_too && keys[COMMITTEE].value) {
        char *names = keep(strdup(keys[COMMITTEE].value)), *rest = names, *seen = join(" %s ", "");
        for (const char *model; (model = strsep(&rest, " "));) {
            char *word = join(" %s ", model);
            if (*model && strcmp(model, keys[BASE].value ? keys[BASE].value : "") &&
                !strstr(seen, word))
                check_features(prefix, data_name, model, dim, &rows, &of);
            seen = join("%s%s ", seen, model);
        }
    }
    if (meta) {
        struct file truth = look(data_name, "meta.txt");
        if (!truth.name)
            wrong(0, "%s: no such file: %s",
                  *prefix ? "the labels of the training data" : "evaluation is True",
                  places(data_name, "meta.txt"));
        else if (of && truth.lines != rows)
            wrong(0, "%s: %" PRIu64 " lines, but %s has %" PRIu64 " items", truth.name, truth.lines,
                  of, rows);
        else
            assign(join("%smeta", prefix), truth.name);
    }
    if (rows && keys[K].value && strtoull(keys[K].value, NULL, 10) > rows)
        wrong(keys[K].line, "k: %s with the item itself, but %s has %" PRIu64 " items only",
              keys[K].value, of, rows);
}

static void require(int which)
{
    if (!keys[which].line)
        wrong(0, "%s is missing", called(&keys[which]));
}

static size_t words(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, " "); *text; count++) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return count;
}

static void assign_key(const char *name, int which)
{
    if (keys[which].value)
        assign(name, keys[which].value);
}

static void check(void)
{
    const char *strategy = keys[THE_STRATEGY].value ? keys[THE_STRATEGY].value : "";
    bool vote = !strcmp(strategy, "vote"), mediator = !strcmp(strategy, "mediator"),
         truth = !strcmp(strategy, "groundtruth");
    static const int always[] = {BASE, DATA_NAME, FEAT_DIM, K, THE_STRATEGY};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        require(always[i]);
    if (vote) {
        require(ACCEPT_NUM);
        require(VOTE_THRESHOLD);
    }
    if (mediator) {
        require(TRAIN_DATA_NAME);
        require(MEDIATOR_THRESHOLD);
        require(INPUT);
        if (keys[COMMITTEE].value && !*keys[COMMITTEE].value)
            wrong(keys[COMMITTEE].line, "committee: the mediator judges by one, and it is empty");
        else
            require(COMMITTEE);
    }
    size_t members_wanted = keys[COMMITTEE].value ? words(keys[COMMITTEE].value) : 0;
    if (vote && keys[ACCEPT_NUM].value &&
        strtoull(keys[ACCEPT_NUM].value, NULL, 10) > members_wanted)
        wrong(keys[ACCEPT_NUM].line, "accept_num of vote: %s, but the committee has %zu members",
              keys[ACCEPT_NUM].value, members_wanted);

    const char *slash = strrchr(config, '/');
    assign("output", slash ? join("%.*s/output", (int)(slash - config), config) : "output");
    assign_key("base", BASE);
    assign_key("committee", COMMITTEE);
    assign_key("dim", FEAT_DIM);
    assign_key("k", K);
    assign_key("strategy", THE_STRATEGY);
    assign_key("accept", ACCEPT_NUM);
    assign_key("threshold", mediator ? MEDIATOR_THRESHOLD : VOTE_THRESHOLD);
    assign_key("input", INPUT);
    assign_key("max_size", MAX_SZ);
    assign_key("step", STEP);
    assign_key("max_iter", MAX_ITER);
    assign("forced_stop", "merge"); // as the original does
    assign("evaluation", keys[EVALUATION].value ? keys[EVALUATION].value : "no");
    if (keys[DATA_NAME].value) {
        assign_key("data", DATA_NAME);
        bool evaluated = keys[EVALUATION].value && !strcmp(keys[EVALUATION].value, "yes");
        check_data("", keys[DATA_NAME].value, vote || mediator, truth || evaluated);
    }
    if (mediator && keys[TRAIN_DATA_NAME].value) {
        assign_key("train_data", TRAIN_DATA_NAME);
        check_data("train_", keys[TRAIN_DATA_NAME].value, true, true);
    }
    if (mediator && keys[FORCE_RETRAIN].value && !strcmp(keys[FORCE_RETRAIN].value, "yes"))
        tool_warn("%s: force_retrain: training again would give the same model, since the same "
                  "data, options and seed do; one that is kept is used",
                  config);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, 1);
    config = argv[first];
    read_config();
    check();
    if (problems)
        exit(1);
    struct cdp_output *output = tool_output(false);
    struct cdp_err err;
    tool_check(cdp_output_write(output, output_text, strlen(output_text), &err), &err);
    tool_finish(output);
}
