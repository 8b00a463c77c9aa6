// SPDX-License-Identifier: MIT
#include "config/config.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/spelling.h"
#include "io/input.h"

const char *config;
int problems;

void wrong(size_t line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line)
        tool_problem("%s: line %zu: %s", cdp_input_shown(config), line, text);
    else
        tool_problem("%s: %s", cdp_input_shown(config), text);
    problems++;
}

bool ends(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && !strcmp(text + size - tail, end);
}

// ---- keys

const char *const section_names[SECTIONS] = {"", "vote", "mediator", "propagation"};

struct key keys[KEYS] = {
    [BASE] = {NO_SECTION, "base", NAME, 0, 0, NULL, 0},
    [COMMITTEE] = {NO_SECTION, "committee", NAMES, 0, 0, NULL, 0},
    [DATA_NAME] = {NO_SECTION, "data_name", PATH, 0, 0, NULL, 0},
    [FEAT_DIM] = {NO_SECTION, "feat_dim", COUNT, 1, 1e6, NULL, 0},
    [K] = {NO_SECTION, "k", COUNT, 2, 65536, NULL, 0},
    [THE_STRATEGY] = {NO_SECTION, "strategy", STRATEGY, 0, 0, NULL, 0},
    [EVALUATION] = {NO_SECTION, "evaluation", TRUTH, 0, 0, NULL, 0},
    [ACCEPT_NUM] = {VOTE, "accept_num", COUNT, 0, 65535, NULL, 0},
    [VOTE_THRESHOLD] = {VOTE, "threshold", REAL, -1, 1, NULL, 0},
    [TRAIN_DATA_NAME] = {MEDIATOR, "train_data_name", PATH, 0, 0, NULL, 0},
    [MEDIATOR_THRESHOLD] = {MEDIATOR, "threshold", REAL, 0, 1, NULL, 0},
    [INPUT] = {MEDIATOR, "input", GROUPS, 0, 0, NULL, 0},
    [FORCE_RETRAIN] = {MEDIATOR, "force_retrain", TRUTH, 0, 0, NULL, 0},
    [GPUS] = {MEDIATOR, "gpus", ANYTHING, 0, 0, NULL, 0},
    [MAX_SZ] = {PROPAGATION, "max_sz", COUNT, 1, 4e9, NULL, 0},
    [STEP] = {PROPAGATION, "step", REAL, 0, 1, NULL, 0},
    [MAX_ITER] = {PROPAGATION, "max_iter", COUNT, 0, 1e6, NULL, 0},
};

const char *called(const struct key *key)
{
    return key->section ? text_join("%s of %s", key->name, section_names[key->section]) : key->name;
}

void unknown_key(int section, const char *name, size_t line)
{
    struct cdp_spelling spelling = cdp_spelling(name);
    const char *nearest = NULL;
    // Keys of the same section first: the first of equally near ones wins.
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        for (int i = 0; i < KEYS; i++) {
            size_t before = spelling.distance;
            if ((keys[i].section != section) == elsewhere)
                cdp_spelling_try(&spelling, keys[i].name);
            if (spelling.distance < before)
                nearest = called(&keys[i]);
        }
        for (int s = 1; s < SECTIONS; s++) {
            size_t before = spelling.distance;
            if ((section != NO_SECTION) == elsewhere)
                cdp_spelling_try(&spelling, section_names[s]);
            if (spelling.distance < before)
                nearest = section_names[s];
        }
    }
    wrong(line, "unknown key '%s'%s%s%s%s%s", name, section ? " in " : "", section_names[section],
          nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

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
    // YAML 1.1 reads a leading 0 as octal.
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
        key->value = text_join("%.15g", number);
        return;
    }
    refuse(key, v,
           text_join("a %snumber from %.10g to %.10g", key->kind == COUNT ? "whole " : "", key->min,
                     key->max));
}

// The booleans of YAML 1.1.
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
            key->value = text_join("%s%s%s", key->value, i ? " " : "", v->text[i]);
        else
            wrong(v->line, "%s: '%.60s': a name may have letters, digits and . _ + - only",
                  called(key), v->text[i]);
    }
}

// 111, or the list of groups; distribution is an older name of structure.
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
        key->value = text_keep(strdup(bits));
}

void take(struct key *key, const struct value *v)
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
