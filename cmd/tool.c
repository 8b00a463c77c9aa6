// SPDX-License-Identifier: MIT
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/isa.h"
#include "base/spelling.h"
#include "io/input.h"

struct tool_common common = {.level = 3};

static const struct tool *current;
static const struct tool *const *commands; // of a tool of several; NULL where one was chosen
static bool help, version, list_options;
static struct timespec begun;

static const struct cdp_option output_options[] = {
    {.type = CDP_OPTION_TEXT,
     .letter = 'o',
     .name = "output",
     .arg = "FILE",
     .group = "Output",
     .help = "write to FILE",
     .value = &common.output,
     .unset = "standard output"},
    {0},
};

// Field `with` is set from the tool.
static struct cdp_option level_options[] = {
    {.type = CDP_OPTION_COUNT,
     .name = "level",
     .arg = "N",
     .group = "Output",
     .help = "zstd level of the stream, 1 to 19",
     .value = &common.level,
     .min = 1,
     .max = 19},
    {0},
};

static const struct cdp_option common_options[] = {
    {.type = CDP_OPTION_COUNT,
     .letter = 't',
     .name = "threads",
     .arg = "N",
     .group = "Common options",
     .help = "number of threads",
     .value = &common.threads,
     .unset = "0: one per processor",
     .min = 0,
     .max = 1024},
    {.type = CDP_OPTION_FLAG,
     .letter = 'q',
     .name = "quiet",
     .help = "print no warnings",
     .value = &common.quiet},
    {.type = CDP_OPTION_FLAG,
     .letter = 'v',
     .name = "verbose",
     .help = "print notes, and at the end time and peak memory",
     .value = &common.verbose},
    {.type = CDP_OPTION_CHOICE,
     .name = "progress",
     .arg = "WHEN",
     .help = "when to show progress",
     .value = &common.progress,
     .choices = (const char *const[]){"auto", "always", "never", NULL}},
    {.type = CDP_OPTION_FLAG,
     .letter = 'h',
     .name = "help",
     .help = "print this help",
     .value = &help},
    {.type = CDP_OPTION_FLAG,
     .letter = 'V',
     .name = "version",
     .help = "print the version",
     .value = &version},
    {.type = CDP_OPTION_FLAG, .name = "list-options", .value = &list_options},
    {0},
};

const char *tool_name(void)
{
    return current->name;
}

// ---- start and end

static void on_signal(int number)
{
    cdp_output_abandon_all();
    signal(number, SIG_DFL);
    raise(number);
}

// The next file opened would get the number of a closed standard descriptor, and output would go
// there. Opens one on which reading or writing fails instead.
static void hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
    }
}

static _Noreturn void print_and_exit(void)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "%s: standard output: cannot write: %s\n", current->name, strerror(errno));
        exit(1);
    }
    exit(0);
}

static _Noreturn void show_version(void)
{
    printf("%s %s\n", current->name, CDP_VERSION);
    print_and_exit();
}

// For completion, before the options: the name and the summary of each command.
static void list_commands(void)
{
    for (int i = 0; commands && commands[i]; i++)
        printf("%s\t%s\n", strrchr(commands[i]->name, ' ') + 1, commands[i]->summary);
}

static void show_usage(void)
{
    printf("usage: %s %s\n%s.\n", current->name, current->synopsis, current->summary);
}

static void show_example(void)
{
    puts("\nExample:");
    for (const char *line = current->example; *line; line += strcspn(line, "\n") + 1)
        printf("  %.*s\n", (int)strcspn(line, "\n"), line);
}

static _Noreturn void show_help(const struct cdp_options *options)
{
    show_usage();
    cdp_options_help(options, stdout);
    show_example();
    print_and_exit();
}

int tool_start(const struct tool *tool, int argc, char **argv, int least, int most)
{
    current = tool;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    hold_standard_descriptors();
    signal(SIGXFSZ, SIG_IGN); // a file grown to its limit is an error of write()
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (signal(signals[i], on_signal) == SIG_IGN)
            signal(signals[i], SIG_IGN);
    }

    const struct cdp_option *tables[5] = {tool->options};
    int count = 1;
    if (!tool->folder)
        tables[count++] = output_options;
    if (tool->stream) {
        level_options[0].with = *tool->stream ? tool->stream : NULL;
        tables[count++] = level_options;
    }
    tables[count] = common_options;
    struct cdp_options parsed;
    int operands;
    struct cdp_err err;
    if (cdp_options_init(&parsed, tables, &err) ||
        cdp_options_parse(&parsed, argc, argv, &operands, &err))
        tool_usage("%s", err.text);
    if (version)
        show_version();
    if (help)
        show_help(&parsed);
    if (list_options) {
        list_commands();
        cdp_options_list(&parsed, stdout);
        print_and_exit();
    }
    if (cdp_options_check(&parsed, &err))
        tool_usage("%s", err.text);
    if (argc - operands < least)
        tool_usage("too few operands; usage: %s %s", tool->name, tool->synopsis);
    if (most >= 0 && argc - operands > most)
        tool_usage("unexpected operand '%s'", argv[operands + most]);
    tool_check(cdp_isa_check(&err), &err);
    return operands;
}

const struct tool *tool_choose(const struct tool *whole, const struct tool *const *list,
                               const struct tool *fallback, int *argc, char **argv)
{
    current = whole;
    commands = list;
    for (int i = 0; *argc > 1 && commands[i]; i++) {
        const char *command = strrchr(commands[i]->name, ' ');
        if (command && !strcmp(argv[1], command + 1)) {
            memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof *argv);
            --*argc;
            commands = NULL;
            return list[i];
        }
    }
    if (fallback)
        return fallback;
    const char *word = *argc > 1 ? argv[1] : "";
    if (!strcmp(word, "--version") || !strcmp(word, "-V"))
        show_version();
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
        show_usage();
        puts("\nCommands (each has its own --help):");
        size_t width = 0;
        for (int i = 0; commands[i]; i++) {
            size_t length = strlen(strrchr(commands[i]->name, ' ') + 1);
            width = length > width ? length : width;
        }
        for (int i = 0; commands[i]; i++)
            printf("  %-*s %s\n", (int)width, strrchr(commands[i]->name, ' ') + 1,
                   commands[i]->summary);
        show_example();
        print_and_exit();
    }
    if (!strcmp(word, "--list-options")) {
        list_commands();
        print_and_exit();
    }
    struct cdp_spelling spelling = cdp_spelling(word);
    for (int i = 0; commands[i]; i++)
        cdp_spelling_try(&spelling, strrchr(commands[i]->name, ' ') + 1);
    if (*argc > 1 && spelling.best)
        tool_usage("unknown command '%s' (did you mean '%s'?)", word, spelling.best);
    if (*argc > 1)
        tool_usage("unknown command '%s'", word);
    tool_usage("a command is missing");
}

struct cdp_output *tool_output(bool binary)
{
    struct cdp_output *output;
    struct cdp_err err;
    tool_check(cdp_output_open(&output, common.output, binary, &err), &err);
    return output;
}

static struct cdp_output *side_output;

struct cdp_output *tool_side_output(const char *name)
{
    struct cdp_err err;
    tool_check(cdp_output_open(&side_output, name, false, &err), &err);
    return side_output;
}

void tool_note_unknown(const char *file, uint64_t unknown, uint64_t items)
{
    if (items && unknown == items)
        tool_fail("%s: no true label for any of the %llu items", cdp_input_shown(file),
                  (unsigned long long)items);
    if (unknown)
        tool_warn("%s: no true label for %llu of %llu items: left out", cdp_input_shown(file),
                  (unsigned long long)unknown, (unsigned long long)items);
}

void tool_provenance(struct cdp_header *header)
{
    char values[1024];
    struct cdp_err err;
    cdp_options_values(current->options, values, sizeof values);
    tool_check(cdp_header_note(header, &err, "%s %s%s", current->name, CDP_VERSION, values), &err);
}

void tool_finish(struct cdp_output *output)
{
    struct cdp_err err;
    tool_progress_end();
    struct cdp_output *const outputs[] = {output, side_output};
    tool_check(cdp_output_commit_all(outputs, 2, &err), &err);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds =
        (double)(now.tv_sec - begun.tv_sec) + 1e-9 * (double)(now.tv_nsec - begun.tv_nsec);
    tool_say("%.2f s, %.2f s of CPU time, %ld MB peak memory", seconds,
             (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
             used.ru_maxrss / 1024);
}
