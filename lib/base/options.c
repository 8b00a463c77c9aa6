// SPDX-License-Identifier: MIT
#include "base/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"

enum {
    LONG_BASE = 256, // getopt_long's values of long options start above all letters
    HELP_COLUMN = 27,
    HELP_WIDTH = 80,
};

static int parse_count(const char *text, uint64_t *value, char end, const char **rest)
{
    if (!isdigit((unsigned char)*text))
        return -1;
    char *stop;
    errno = 0;
    unsigned long long number = strtoull(text, &stop, 10);
    if (errno || *stop != end)
        return -1;
    *value = number;
    if (rest)
        *rest = stop + 1;
    return 0;
}

static int parse_range(const char *text, uint64_t range[2])
{
    const char *last = strchr(text, ':');
    if (!last)
        return -1;
    if (*text != ':' && parse_count(text, &range[0], ':', NULL))
        return -1;
    if (last[1] && parse_count(last + 1, &range[1], '\0', NULL))
        return -1;
    return range[0] < range[1] ? 0 : -1;
}

static int parse_steps(const char *text, double steps[3])
{
    char *stop;
    for (int i = 0; i < 3; i++, text = stop + 1) {
        steps[i] = strtod(text, &stop);
        if (stop == text || *stop != (i < 2 ? ':' : '\0') || !isfinite(steps[i]))
            return -1;
    }
    return steps[0] <= steps[1] && steps[2] > 0 ? 0 : -1;
}

static int parse_bounded(const struct cdp_option *option, const char *text, uint64_t *value,
                         struct cdp_err *err)
{
    bool bounded = option->min != 0 || option->max != 0;
    uint64_t number;
    if (!parse_count(text, &number, '\0', NULL) &&
        (!bounded || ((double)number >= option->min && (double)number <= option->max))) {
        *value = number;
        return 0;
    }
    if (bounded)
        return cdp_fail(err, "--%s must be a whole number from %.0f to %.0f, not '%s'",
                        option->name, option->min, option->max, text);
    return cdp_fail(err, "--%s must be a whole number, not '%s'", option->name, text);
}

// Tries the aliases; one that is near offers its choice.
static void try_aliases(struct cdp_spelling *spelling, const struct cdp_option *option)
{
    for (const char *at = option->aliases; at && *at; at += strspn(at, " ")) {
        char alias[32], choice[32];
        if (sscanf(at, "%31[^=]=%31s", alias, choice) != 2)
            return;
        struct cdp_spelling one = *spelling;
        cdp_spelling_try(&one, alias);
        for (int i = 0; one.distance < spelling->distance && option->choices[i]; i++) {
            if (!strcmp(option->choices[i], choice))
                *spelling = (struct cdp_spelling){one.word, option->choices[i], one.distance};
        }
        at += strcspn(at, " ");
    }
}

static int fail_choice(const struct cdp_option *option, const char *text, struct cdp_err *err)
{
    char names[256] = "";
    struct cdp_spelling spelling = cdp_spelling(text);
    for (int i = 0; option->choices[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s",
                 i == 0                   ? ""
                 : option->choices[i + 1] ? ", "
                                          : " or ",
                 option->choices[i]);
        cdp_spelling_try(&spelling, option->choices[i]);
    }
    try_aliases(&spelling, option);
    return cdp_fail(err, "--%s must be %s, not '%s'%s%s%s", option->name, names, text,
                    spelling.best ? " (did you mean " : "", spelling.best ? spelling.best : "",
                    spelling.best ? "?)" : "");
}

static int assign(const struct cdp_option *option, const char *text, struct cdp_err *err)
{
    bool bounded = option->min != 0 || option->max != 0;
    switch (option->type) {
    case CDP_OPTION_FLAG:
        *(bool *)option->value = true;
        return 0;
    case CDP_OPTION_TEXT:
        *(const char **)option->value = text;
        return 0;
    case CDP_OPTION_TEXTS: {
        struct cdp_texts *texts = option->value;
        if (texts->count == CDP_MOST_TEXTS)
            return cdp_fail(err, "--%s can be given %d times at most", option->name,
                            CDP_MOST_TEXTS);
        texts->text[texts->count++] = text;
        return 0;
    }
    case CDP_OPTION_COUNT:
        return parse_bounded(option, text, option->value, err);
    case CDP_OPTION_COUNTS: {
        struct cdp_counts *counts = option->value;
        counts->count = 0;
        for (const char *at = text, *end; at; at = *end ? end + 1 : NULL) {
            char number[32];
            end = strchrnul(at, ',');
            if (counts->count == CDP_MOST_TEXTS)
                return cdp_fail(err, "--%s takes %d numbers at most", option->name, CDP_MOST_TEXTS);
            snprintf(number, sizeof number, "%.*s", (int)(end - at), at);
            if (parse_bounded(option, number, &counts->number[counts->count++], err))
                return -1;
        }
        return 0;
    }
    case CDP_OPTION_STEPS:
        if (parse_steps(text, option->value))
            return cdp_fail(err, "--%s must be FIRST:LAST:STEP, not '%s'", option->name, text);
        return 0;
    case CDP_OPTION_REAL: {
        const char *word = option->choices ? option->choices[0] : NULL;
        if (word && !strcmp(text, word)) {
            *(double *)option->value = NAN;
            return 0;
        }
        char *stop;
        double number = strtod(text, &stop);
        if (stop != text && !*stop && isfinite(number) &&
            (!bounded || (number >= option->min && number <= option->max))) {
            *(double *)option->value = number;
            return 0;
        }
        char other[64] = "";
        if (word)
            snprintf(other, sizeof other, "%s or ", word);
        if (bounded && isinf(option->min))
            return cdp_fail(err, "--%s must be %sa number of at most %g, not '%s'", option->name,
                            other, option->max, text);
        if (bounded)
            return cdp_fail(err, "--%s must be %sa number from %g to %g, not '%s'", option->name,
                            other, option->min, option->max, text);
        return cdp_fail(err, "--%s must be %sa number, not '%s'", option->name, other, text);
    }
    case CDP_OPTION_CHOICE:
        for (int i = 0; option->choices[i]; i++) {
            if (!strcmp(option->choices[i], text)) {
                *(int *)option->value = i;
                return 0;
            }
        }
        return fail_choice(option, text, err);
    case CDP_OPTION_RANGE:
        if (parse_range(text, option->value))
            return cdp_fail(err, "--%s must be A:B with A below B, not '%s'", option->name, text);
        return 0;
    case CDP_OPTION_END:
        break;
    }
    return cdp_fail(err, "--%s: no such type of option", option->name);
}

// The error for `word`, "--name" or "--name=value", that getopt_long does not know.
static int fail_unknown(const struct cdp_options *options, const char *word, struct cdp_err *err)
{
    char name[128];
    size_t length = strcspn(word + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, word + 2);
    struct cdp_spelling spelling = cdp_spelling(name);
    const struct cdp_option *prefixed[2];
    int prefixes = 0;
    for (int i = 0; i < options->count; i++) {
        const struct cdp_option *o = options->option[i];
        if (!strncmp(o->name, name, length) && prefixes < 2)
            prefixed[prefixes++] = o;
        cdp_spelling_try(&spelling, o->name);
    }
    if (prefixes > 1)
        return cdp_fail(err, "ambiguous option '--%s' (--%s or --%s?)", name, prefixed[0]->name,
                        prefixed[1]->name);
    if (spelling.best)
        return cdp_fail(err, "unknown option '--%s' (did you mean --%s?)", name, spelling.best);
    return cdp_fail(err, "unknown option '--%s'", name);
}

// The index of the option of this name of `length` bytes; -1 where there is none.
static int find(const struct cdp_options *options, const char *name, size_t length)
{
    for (int i = 0; i < options->count; i++) {
        const char *other = options->option[i]->name;
        if (strlen(other) == length && !strncmp(other, name, length))
            return i;
    }
    return -1;
}

static int check_conditions(const struct cdp_options *options, const char *conditions,
                            struct cdp_err *err)
{
    for (const char *at = conditions; at && *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (find(options, at, strcspn(at, "= ")) < 0)
            return cdp_fail(err, "the option table has no '%.*s'", (int)length, at);
        at += length;
    }
    return 0;
}

// "N,N,..."; returns its length.
static int print_counts(const struct cdp_counts *counts, char *text, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < counts->count && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, "%s%" PRIu64, i ? "," : "",
                         counts->number[i]);
    return used;
}

// The default as --help shows it; none if the value is out of the option's bounds.
static void note_default(const struct cdp_option *o, char *text, size_t size)
{
    bool bounded = o->min != 0 || o->max != 0;
    text[0] = '\0';
    if (o->type == CDP_OPTION_COUNT) {
        uint64_t count = *(uint64_t *)o->value;
        if (!bounded || ((double)count >= o->min && (double)count <= o->max))
            snprintf(text, size, "%" PRIu64, count);
    } else if (o->type == CDP_OPTION_REAL) {
        double real = *(double *)o->value;
        if (isnan(real) && o->choices)
            snprintf(text, size, "%s", o->choices[0]);
        else if (isfinite(real) && (!bounded || (real >= o->min && real <= o->max)))
            snprintf(text, size, "%g", real);
    } else if (o->type == CDP_OPTION_CHOICE && *(int *)o->value >= 0) {
        snprintf(text, size, "%s", o->choices[*(int *)o->value]);
    } else if (o->type == CDP_OPTION_TEXT && *(const char **)o->value) {
        snprintf(text, size, "%s", *(const char **)o->value);
    } else if (o->type == CDP_OPTION_COUNTS) {
        print_counts(o->value, text, size);
    } else if (o->type == CDP_OPTION_STEPS) {
        const double *steps = o->value;
        if (steps[2] > 0)
            snprintf(text, size, "%g:%g:%g", steps[0], steps[1], steps[2]);
    }
}

int cdp_options_init(struct cdp_options *options, const struct cdp_option *const *tables,
                     struct cdp_err *err)
{
    *options = (struct cdp_options){0};
    for (int t = 0; tables[t]; t++) {
        for (const struct cdp_option *o = tables[t]; o->type != CDP_OPTION_END; o++) {
            if (options->count == CDP_MOST_OPTIONS)
                return cdp_fail(err, "more than %d options in a table", CDP_MOST_OPTIONS);
            note_default(o, options->initial[options->count], sizeof *options->initial);
            options->option[options->count++] = o;
        }
    }
    for (int i = 0; i < options->count; i++) {
        const struct cdp_option *o = options->option[i];
        if (check_conditions(options, o->with, err) || check_conditions(options, o->without, err))
            return -1;
    }
    return 0;
}

int cdp_options_parse(struct cdp_options *options, int argc, char **argv, int *operands,
                      struct cdp_err *err)
{
    struct option wanted[CDP_MOST_OPTIONS + 1] = {0};
    char letters[3 * CDP_MOST_OPTIONS + 2] = ":";
    for (int i = 0; i < options->count; i++) {
        const struct cdp_option *o = options->option[i];
        bool argument = o->type != CDP_OPTION_FLAG;
        wanted[i] = (struct option){o->name, argument, NULL, LONG_BASE + i};
        if (o->letter) {
            size_t used = strlen(letters);
            snprintf(letters + used, sizeof letters - used, "%c%s", o->letter, argument ? ":" : "");
        }
    }

    opterr = 0;
    optind = 0; // glibc: start afresh
    for (;;) {
        int at = optind ? optind : 1;
        int chosen = getopt_long(argc, argv, letters, wanted, NULL);
        if (chosen == -1)
            break;
        if (chosen == ':')
            return cdp_fail(err, "option '%s' needs an argument", argv[optind - 1]);
        if (chosen == '?') {
            const char *word = argv[optind > at ? optind - 1 : at];
            if (optopt >= LONG_BASE)
                return cdp_fail(err, "option '--%s' takes no argument",
                                options->option[optopt - LONG_BASE]->name);
            if (optopt)
                return cdp_fail(err, "unknown option '-%c'", optopt);
            return fail_unknown(options, word, err);
        }
        int index = chosen - LONG_BASE;
        if (index < 0) {
            for (index = 0; options->option[index]->letter != chosen; index++)
                continue;
        }
        if (assign(options->option[index], optarg, err))
            return -1;
        options->given[index] = true;
    }
    *operands = optind;
    return 0;
}

// Whether the condition of `length` bytes, NAME or NAME=CHOICE, holds.
static bool holds(const struct cdp_options *options, const char *condition, size_t length)
{
    size_t name = strcspn(condition, "= ");
    int index = find(options, condition, name);
    if (name == length)
        return options->given[index];
    const struct cdp_option *o = options->option[index];
    int value = *(int *)o->value;
    const char *wanted = condition + name + 1;
    return value >= 0 && strlen(o->choices[value]) == length - name - 1 &&
           !strncmp(o->choices[value], wanted, length - name - 1);
}

// The first of the conditions (NULL: none) that holds; NULL where none does.
static const char *first_that_holds(const struct cdp_options *options, const char *conditions)
{
    for (const char *at = conditions; at && *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (holds(options, at, length))
            return at;
        at += length;
    }
    return NULL;
}

// Conditions as a user writes them: "--from tsv or --from csv".
static void print_conditions(const char *conditions, char *text, size_t size)
{
    size_t used = 0;
    for (const char *at = conditions; *at && used < size; at += strspn(at, " ")) {
        size_t length = strcspn(at, " "), name = strcspn(at, "= ");
        used += (size_t)snprintf(text + used, size - used, "%s--%.*s", used ? " or " : "",
                                 (int)name, at);
        if (name < length && used < size)
            used += (size_t)snprintf(text + used, size - used, " %.*s", (int)(length - name - 1),
                                     at + name + 1);
        at += length;
    }
}

int cdp_options_check(const struct cdp_options *options, struct cdp_err *err)
{
    for (int i = 0; i < options->count; i++) {
        const struct cdp_option *o = options->option[i];
        char text[256] = "";
        if (o->required && !options->given[i])
            return cdp_fail(err, "--%s is missing", o->name);
        if (!options->given[i])
            continue;
        if (o->with && !first_that_holds(options, o->with)) {
            print_conditions(o->with, text, sizeof text);
            return cdp_fail(err, "--%s has no effect without %s", o->name, text);
        }
        const char *other = first_that_holds(options, o->without);
        if (other) {
            char condition[64];
            snprintf(condition, sizeof condition, "%.*s", (int)strcspn(other, " "), other);
            print_conditions(condition, text, sizeof text);
            return cdp_fail(err, "--%s and %s exclude each other", o->name, text);
        }
    }
    return 0;
}

void cdp_options_values(const struct cdp_option *table, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const struct cdp_option *o = table; o->type != CDP_OPTION_END && used < size; o++) {
        char *at = text + used;
        size_t room = size - used;
        int more = 0;
        switch (o->type) {
        case CDP_OPTION_FLAG:
            if (*(bool *)o->value)
                more = snprintf(at, room, " --%s", o->name);
            break;
        case CDP_OPTION_COUNT:
            more = snprintf(at, room, " --%s=%" PRIu64, o->name, *(uint64_t *)o->value);
            break;
        case CDP_OPTION_REAL:
            more = isnan(*(double *)o->value) // the word of `choices`
                       ? snprintf(at, room, " --%s=%s", o->name, o->choices[0])
                       : snprintf(at, room, " --%s=%.17g", o->name, *(double *)o->value);
            break;
        case CDP_OPTION_CHOICE:
            if (*(int *)o->value >= 0)
                more = snprintf(at, room, " --%s=%s", o->name, o->choices[*(int *)o->value]);
            break;
        case CDP_OPTION_RANGE: {
            const uint64_t *range = o->value;
            more = snprintf(at, room, " --%s=%" PRIu64 ":%" PRIu64, o->name, range[0], range[1]);
            break;
        }
        case CDP_OPTION_COUNTS:
            more = snprintf(at, room, " --%s=", o->name);
            if ((size_t)more < room)
                more += print_counts(o->value, at + more, room - (size_t)more);
            break;
        case CDP_OPTION_STEPS: {
            const double *steps = o->value;
            more = snprintf(at, room, " --%s=%.17g:%.17g:%.17g", o->name, steps[0], steps[1],
                            steps[2]);
            break;
        }
        case CDP_OPTION_TEXT:
        case CDP_OPTION_TEXTS:
        case CDP_OPTION_END:
            break;
        }
        used += (size_t)more;
    }
}

// The heading of option i.
static const char *heading(const struct cdp_options *options, int i)
{
    const char *group = "Options";
    for (int j = 0; j <= i; j++)
        group = options->option[j]->group ? options->option[j]->group : group;
    return group;
}

// Writes words from column HELP_COLUMN on, in as many lines as they need; what is in brackets stays
// together.
static void print_wrapped(const char *text, FILE *file)
{
    int column = HELP_COLUMN;
    for (const char *at = text; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        int length = *at == '[' ? (int)strlen(at) : (int)word, gap = at > text;
        if (column + gap + length > HELP_WIDTH) {
            fprintf(file, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
            gap = 0;
        }
        column += fprintf(file, "%*s%.*s", gap, "", length, at);
        at += length;
    }
    fputc('\n', file);
}

static void print_option(const struct cdp_option *o, const char *initial, FILE *file)
{
    char names[80], text[512];
    int length =
        snprintf(names, sizeof names, "  %c%c%c --%s %s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name, o->arg ? o->arg : "");
    if (length < HELP_COLUMN)
        fprintf(file, "%-*s", HELP_COLUMN, names);
    else
        fprintf(file, "%s\n%*s", names, HELP_COLUMN, "");

    int used = snprintf(text, sizeof text, "%s", o->help);
    for (int i = 0; o->choices && o->choices[i]; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s",
                         o->type == CDP_OPTION_REAL ? ", or "
                         : i                        ? ", "
                                                    : ": ",
                         o->choices[i]);
    if (o->unset)
        initial = o->unset;
    if (*initial || o->required)
        snprintf(text + used, sizeof text - (size_t)used, *initial ? " [%s]" : " (required)",
                 initial);
    print_wrapped(text, file);
}

void cdp_options_help(const struct cdp_options *options, FILE *file)
{
    bool printed[CDP_MOST_OPTIONS] = {false};
    for (int i = 0; i < options->count; i++) {
        if (printed[i] || !options->option[i]->help)
            continue;
        fprintf(file, "\n%s:\n", heading(options, i));
        for (int j = i; j < options->count; j++) {
            if (!options->option[j]->help || strcmp(heading(options, j), heading(options, i)) != 0)
                continue;
            print_option(options->option[j], options->initial[j], file);
            printed[j] = true;
        }
    }
}

void cdp_options_list(const struct cdp_options *options, FILE *file)
{
    for (int i = 0; i < options->count; i++) {
        const struct cdp_option *o = options->option[i];
        bool text = o->type == CDP_OPTION_TEXT || o->type == CDP_OPTION_TEXTS;
        char letter[3] = {'-', o->letter, '\0'};
        if (!o->help)
            continue;
        fprintf(file, "--%s\t%s\t%s\t", o->name, letter, o->arg ? o->arg : "-");
        for (int j = 0; o->choices && o->choices[j]; j++)
            fprintf(file, "%s%s", j ? "|" : "", o->choices[j]);
        if (!o->choices)
            fputc(text && !o->not_file ? '/' : '-', file);
        const char *initial = o->unset ? "" : options->initial[i];
        fprintf(file, "\t%s\t%s\n", *initial ? initial : "-", o->help);
    }
}
