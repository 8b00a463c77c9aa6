// SPDX-License-Identifier: MIT
// The option table: what options need, what they exclude, and what a mistyped one may mean.
#include "base/options.h"

#include <string.h>

#include "base/spelling.h"
#include "tap.h"

static bool check, sorted;
static const char *from, *labels;
static int format;
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
    char text[256], *at = text, *argv[16] = {(char[]){"tool"}};
    int argc = 1, operands;
    format = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&at, " "));)
        argv[argc++] = word;
    if (cdp_options_parse(tables, argc, argv, &operands, &err) || cdp_options_check(tables, &err))
        return err.text;
    return NULL;
}

static void is(const char *line, const char *wanted)
{
    const char *got = run(table, line);
    ok(got && wanted ? !strcmp(got, wanted) : got == wanted, "%s: %s", line, got ? got : "passes");
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
    const char *got = run(wrong, "");
    ok(got && !strcmp(got, "the option table has no 'chekc'"), "a condition that names no option");

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
