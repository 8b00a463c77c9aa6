// SPDX-License-Identifier: MIT
#include "config/config.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "io/input.h"

enum { MOST_BYTES = 1 << 20, MOST_TEXT = 4096 };

static size_t section_line[SECTIONS];

static yaml_parser_t parser;
static yaml_event_t event;

// Ends the program if the text is not YAML: the rest cannot be parsed.
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

// Anchors, aliases and tags: no configuration needs them, and aliases can expand without bound.
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

// Skips the node that begins here.
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
    return text_keep(strdup((const char *)event.data.scalar.value));
}

// Reads the scalar or list of scalars that begins here. Returns 0, or -1 if it is neither or
// refused.
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

void read_config(void)
{
    struct cdp_input *input;
    struct cdp_err err;
    static unsigned char bytes[MOST_BYTES + 1];
    tool_check(cdp_input_open(&input, config, 0, &err), &err);
    ssize_t size = cdp_input_read(input, bytes, sizeof bytes, &err);
    tool_check(size < 0 ? -1 : 0, &err);
    if (size > MOST_BYTES)
        tool_fail("%s: more than 1 MiB: not a configuration", cdp_input_shown(config));
    cdp_input_close(input);

    if (!yaml_parser_initialize(&parser))
        text_need(NULL);
    yaml_parser_set_input_string(&parser, bytes, (size_t)size);
    next();
    next();
    if (event.type == YAML_STREAM_END_EVENT)
        tool_fail("%s: empty; keys such as base and data_name are wanted", cdp_input_shown(config));
    next();
    if (event.type != YAML_MAPPING_START_EVENT || forbidden())
        tool_fail("%s: line %zu: keys such as base and data_name are wanted",
                  cdp_input_shown(config), here());
    read_mapping(NO_SECTION);
    next();
    next();
    if (event.type != YAML_STREAM_END_EVENT)
        wrong(here(), "a second document; one is wanted");
    yaml_event_delete(&event);
    yaml_parser_delete(&parser);
}
