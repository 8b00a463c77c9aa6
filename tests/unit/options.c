// SPDX-License-Identifier: MIT
// The option table: what options need, what they exclude, and what a mistyped one may mean.
#include "base/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "tap.h"

static bool check, sorted;
static const char *from, *labels;
static int format, chosen_metric;
static const struct cdp_option table[] = {
    {.type = CDP_OPTION_TEXT, .name = "from", .arg = "F", .value = &from},
    {.type = CDP_OPTION_FLAG, .name = "check", .value = &check, .without = "from sorted"},
    {.type = CDP_OPTION_FLAG, .name = "sorted", .value = &sorted, .with = "format=b from"},
    {.type = CDP_OPTION_TEXT, .name = "labels", .arg = "L", .value = &labels, .required = true},
    {.type = CDP_OPTION_CHOICE,
     .name = "format",
     .arg = "F",
     .value = &format,
     .choices = (const char *const[]){"a", "b", NULL}},
    {.type = CDP_OPTION_CHOICE,
     .name = "metric",
     .arg = "M",
     .value = &chosen_metric,
     .choices = (const char *const[]){"cosine", "l2", "linf", NULL},
     .aliases = "euclidean=l2 chebyshev=linf"},
    {0},
};
static const struct cdp_option wrong[] = {
    {.type = CDP_OPTION_FLAG, .name = "check", .value = &check, .with = "chekc"},
    {0},
};

// Parses and checks words separated by blanks; NULL after success, the error's text otherwise.
static const char *run(const struct cdp_option *own, const char *line)
{
    static struct cdp_err err;
    const struct cdp_option *const tables[] = {own, NULL};
    struct cdp_options options;
    char text[256], *at = text, *argv[16] = {(char[]){"tool"}};
    int argc = 1, operands;
    format = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&at, " "));)
        argv[argc++] = word;
    if (cdp_options_init(&options, tables, &err) ||
        cdp_options_parse(&options, argc, argv, &operands, &err) ||
        cdp_options_check(&options, &err))
        return err.text;
    return NULL;
}

static void is(const char *line, const char *wanted)
{
    const char *got = run(table, line);
    ok(got && wanted ? !strcmp(got, wanted) : got == wanted, "%s: %s", line, got ? got : "passes");
}

// Bounds, and what is not a number.
static void test_numbers(void)
{
    static uint64_t count, rows[2];
    static double real, steps[3];
    static const struct cdp_option own[] = {
        {.type = CDP_OPTION_COUNT, .name = "k", .arg = "K", .value = &count, .min = 2, .max = 9},
        {.type = CDP_OPTION_REAL, .name = "recall", .arg = "R", .value = &real, .min = 0, .max = 1},
        {.type = CDP_OPTION_STEPS, .name = "sweep", .arg = "S", .value = steps},
        {.type = CDP_OPTION_RANGE, .name = "rows", .arg = "R", .value = rows},
        {0},
    };
    static const char *const taken[] = {"--k 2",      "--k 9",         "--recall 0",
                                        "--recall 1", "--sweep 0:0:1", "--rows 3:4"};
    static const char *const refused[] = {"--k 1",         "--k 10",        "--k +3",
                                          "--k 3x",        "--recall -0.1", "--recall 1.1",
                                          "--recall inf",  "--recall nan",  "--sweep 1:0:1",
                                          "--sweep 0:1:0", "--sweep 0:1",   "--rows 3:3"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const char *got = run(own, taken[i]);
        ok(!got, "%s: %s", taken[i], got ? got : "passes");
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *got = run(own, refused[i]);
        ok(got != NULL, "%s: %s", refused[i], got ? got : "passes");
    }
}

// Groups, choices and defaults, which come from the values before parsing.
static void test_help(void)
{
    static uint64_t k = 15, nodes, seed, large = 600;
    static int metric, to = -1;
    static double step = 0.05, scale, adopt;
    static const char *folder = "the data", *file;
    static const char *const greatest[] = {"max", NULL};
    static const char *const metrics[] = {"cosine", "l2", NULL};
    static const struct cdp_option own[] = {
        {.type = CDP_OPTION_COUNT,
         .letter = 'k',
         .name = "neighbours",
         .arg = "K",
         .group = "Search",
         .help = "neighbours",
         .value = &k},
        {.type = CDP_OPTION_CHOICE,
         .name = "metric",
         .arg = "NAME",
         .help = "distance",
         .value = &metric,
         .choices = metrics},
        {.type = CDP_OPTION_CHOICE,
         .name = "to",
         .arg = "NAME",
         .group = "Output",
         .help = "format",
         .value = &to,
         .choices = metrics},
        {.type = CDP_OPTION_COUNT,
         .name = "nodes",
         .arg = "N",
         .group = "Search",
         .help = "items",
         .value = &nodes,
         .unset = "from the file",
         .min = 1,
         .max = 9},
        {.type = CDP_OPTION_COUNT, .name = "seed", .arg = "N", .help = "seed", .value = &seed},
        {.type = CDP_OPTION_COUNT,
         .name = "large",
         .arg = "N",
         .help = "out of bounds",
         .value = &large,
         .min = 1,
         .max = 9},
        {.type = CDP_OPTION_REAL, .name = "step", .arg = "S", .help = "step", .value = &step},
        {.type = CDP_OPTION_REAL,
         .name = "scale",
         .arg = "D",
         .help = "the distance D",
         .value = &scale,
         .choices = greatest},
        {.type = CDP_OPTION_REAL, .name = "adopt", .arg = "T", .help = "none", .value = &adopt},
        {.type = CDP_OPTION_TEXT,
         .name = "folder",
         .arg = "F",
         .help = "a text whose default stands on its second line",
         .value = &folder},
        {.type = CDP_OPTION_TEXT,
         .name = "a-name-of-many-letters",
         .arg = "FILE",
         .help = "file",
         .value = &file,
         .required = true},
        {.type = CDP_OPTION_FLAG, .name = "hidden", .value = &check},
        {0},
    };
    static const char wanted[] =
        "\n"
        "Search:\n"
        "  -k, --neighbours K       neighbours [15]\n"
        "      --metric NAME        distance: cosine, l2 [cosine]\n"
        "      --nodes N            items [from the file]\n"
        "      --seed N             seed [0]\n"
        "      --large N            out of bounds\n"
        "      --step S             step [0.05]\n"
        "      --scale D            the distance D, or max [max]\n"
        "      --adopt T            none\n"
        "      --folder F           a text whose default stands on its second line\n"
        "                           [the data]\n"
        "      --a-name-of-many-letters FILE\n"
        "                           file (required)\n"
        "\n"
        "Output:\n"
        "      --to NAME            format: cosine, l2\n";
    const struct cdp_option *const tables[] = {own, NULL};
    struct cdp_options options;
    struct cdp_err err;
    char *text, *argv[] = {(char[]){"tool"}, (char[]){"-k3"}, (char[]){"--metric=l2"}, NULL};
    size_t size;
    int operands;
    scale = NAN;
    adopt = INFINITY;
    FILE *file_of_text = open_memstream(&text, &size);
    bool parsed = !cdp_options_init(&options, tables, &err) &&
                  !cdp_options_parse(&options, 3, argv, &operands, &err);
    cdp_options_help(&options, file_of_text);
    fclose(file_of_text);
    ok(parsed && !strcmp(text, wanted), "--help: groups, choices, defaults:%s", text);
    free(text);
}

static void spelling_is(const char *word, const char *wanted)
{
    static const char *const words[] = {"threshold", "threads", "step", "why", NULL};
    struct cdp_spelling spelling = cdp_spelling(word);
    for (int i = 0; words[i]; i++)
        cdp_spelling_try(&spelling, words[i]);
    ok(wanted ? spelling.best && !strcmp(spelling.best, wanted) : !spelling.best, "%s means %s",
       word, spelling.best ? spelling.best : "nothing");
}

int main(void)
{
    is("--labels x", NULL);
    is("x", "--labels is missing");
    is("--labels x --check", NULL);
    is("--labels x --check --from y", "--check and --from exclude each other");
    is("--labels x --sorted", "--sorted has no effect without --format b or --from");
    is("--labels x --sorted --format a", "--sorted has no effect without --format b or --from");
    is("--labels x --sorted --format b", NULL);
    is("--labels x --sorted --from y", NULL);
    is("--lables x", "unknown option '--lables' (did you mean --labels?)");
    is("--lables=x", "unknown option '--lables' (did you mean --labels?)");
    is("--f x", "ambiguous option '--f' (--from or --format?)");
    is("--bogus", "unknown option '--bogus'");
    is("--labels", "option '--labels' needs an argument");
    is("--metric l3", "--metric must be cosine, l2 or linf, not 'l3' (did you mean l2?)");
    is("--metric Euclidian",
       "--metric must be cosine, l2 or linf, not 'Euclidian' (did you mean l2?)");
    is("--metric chebyshev",
       "--metric must be cosine, l2 or linf, not 'chebyshev' (did you mean linf?)");
    is("--metric jaccard", "--metric must be cosine, l2 or linf, not 'jaccard'");
    const char *got = run(wrong, "");
    ok(got && !strcmp(got, "the option table has no 'chekc'"), "a condition that names no option");

    test_numbers();
    test_help();

    spelling_is("thresold", "threshold");
    spelling_is("threshodl", "threshold");
    spelling_is("treads", "threads");
    spelling_is("hwy", "why");
    spelling_is("stepp", "step");
    spelling_is("zzzz", NULL);
    spelling_is("", NULL);
    spelling_is("an-extremely-long-word-of-more-than-sixty-three-letters-in-a-row-is-nothing",
                NULL);
    return done();
}
