// SPDX-License-Identifier: MIT
#ifndef CDP_OPTIONS_H
#define CDP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

// One table of options a tool drives parsing, --help, completion and the checks of its manual page.

enum cdp_option_type {
    CDP_OPTION_END,
    CDP_OPTION_FLAG,   // bool *
    CDP_OPTION_COUNT,  // uint64_t *, from min to max
    CDP_OPTION_REAL,   // double *, from min (-INFINITY: any) to max; or the word of `choices`: NaN
    CDP_OPTION_TEXT,   // const char **
    CDP_OPTION_TEXTS,  // struct cdp_texts *: one more each time the option is given
    CDP_OPTION_CHOICE, // int *: index of the name in `choices`; -1 = unset
    CDP_OPTION_COUNTS, // struct cdp_counts *: N,N,..., each from min to max
    CDP_OPTION_STEPS,  // double[3]: FIRST:LAST:STEP, finite, from FIRST on not above LAST
    CDP_OPTION_RANGE,  // uint64_t[2]: A:B with A < B; an A or B left out keeps its value
};

enum { CDP_MOST_TEXTS = 64, CDP_MOST_OPTIONS = 64 };

struct cdp_texts {
    size_t count;
    const char *text[CDP_MOST_TEXTS];
};

struct cdp_counts {
    size_t count;
    uint64_t number[CDP_MOST_TEXTS];
};

struct cdp_option {
    enum cdp_option_type type;
    char letter;                // 0 = none
    const char *name;           // without the dashes
    const char *arg;            // name of the argument in --help; NULL for flags
    const char *group;          // heading in --help; NULL = that of the option before
    const char *help;           // without choices and default, which --help adds; NULL = hidden
    void *value;                // holds the default before parsing
    const char *unset;          // what --help shows as the default in place of the value
    double min, max;            // COUNT, COUNTS and REAL; both 0 = any
    const char *const *choices; // NULL-terminated
    const char *aliases; // CHOICE: "WORD=CHOICE ...", words for which messages offer a choice
    bool not_file;       // TEXT, TEXTS: completion offers no files
    bool required;       // leaving it out is a usage error
    // Conditions under which the option has an effect, separated by blanks: NAME holds where that
    // option was given, NAME=CHOICE where its value is that one. A given option whose conditions do
    // not hold is a usage error.
    const char *with;    // one of these must hold; NULL = none needed
    const char *without; // none of these may hold
};

// The options of several tables, and the state of parsing them.
struct cdp_options {
    int count;
    const struct cdp_option *option[CDP_MOST_OPTIONS];
    char initial[CDP_MOST_OPTIONS][64]; // the default as --help shows it; "" = none
    bool given[CDP_MOST_OPTIONS];
};

// Collects the options of the NULL-terminated tables, which must outlive `options`, and notes the
// present values as defaults. An invalid table fills err and returns -1.
int cdp_options_init(struct cdp_options *options, const struct cdp_option *const *tables,
                     struct cdp_err *err);

// Parses argv by getopt_long (long names may be shortened; options and operands may mix; "--" ends
// the options). Afterwards the operands are argv[*operands] .. argv[argc - 1]. A usage error fills
// err and returns -1. Conditions are checked by cdp_options_check. Not thread-safe.
int cdp_options_parse(struct cdp_options *options, int argc, char **argv, int *operands,
                      struct cdp_err *err);

// Checks `required`, `with` and `without` of the options that were parsed.
int cdp_options_check(const struct cdp_options *options, struct cdp_err *err);

// The values of one table's options as they are now, " --name=value" each, without texts (names of
// files, which say nothing of their content), without flags that are off and choices that are
// unset.
void cdp_options_values(const struct cdp_option *table, char *text, size_t size);

// Writes the options as --help shows them, in at most 80 columns: groups in the order of their
// first options, each with its heading.
void cdp_options_help(const struct cdp_options *options, FILE *file);

// Writes one line an option for completion, tab-separated, - for none: --name, -letter, the
// argument's name, its values (choices separated by |, or / for a file), the default
// unless `unset` says it, the help.
void cdp_options_list(const struct cdp_options *options, FILE *file);

#endif
