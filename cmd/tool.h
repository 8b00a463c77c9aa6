// SPDX-License-Identifier: MIT
#ifndef CDP_TOOL_H
#define CDP_TOOL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/options.h"
#include "base/progress.h"
#include "io/labels.h"
#include "io/output.h"
#include "stream/stream.h"

// What every tool's main shares: options, help, errors, progress, exit codes.

struct tool {
    const char *name;     // "cdp-knn"; with a command, "cdp-score vote"
    const char *summary;  // one line
    const char *synopsis; // what follows the name
    const char *example;  // command lines, each ended by \n
    const struct cdp_option *options;
    const char *stream; // --level has an effect with these options (as cdp_option.with), which
                        // make it write a stream; "" = always, NULL = never
    bool folder;        // its output is a folder among the operands: no -o
};

enum tool_progress { TOOL_PROGRESS_AUTO, TOOL_PROGRESS_ALWAYS, TOOL_PROGRESS_NEVER };

// The common options, as parsed.
struct tool_common {
    const char *output; // NULL = standard output
    uint64_t threads;   // 0 = all
    uint64_t level;
    int progress; // enum tool_progress
    bool quiet, verbose;
};
extern struct tool_common common;

// For a tool of several commands: returns the tool of the NULL-terminated list that argv[1] names,
// and removes that word from argv. If it names none, returns `fallback`; without one, handles the
// --help and --version of the whole tool and exits, with 2 for anything else.
const struct tool *tool_choose(const struct tool *whole, const struct tool *const *commands,
                               const struct tool *fallback, int *argc, char **argv);

// Parses the options, handles --help, --version and --list-options, sets signal handlers, and
// returns the index of the first operand. There must be at least `least` operands and at most
// `most`
// (-1 = any number). Exits with 2 after a usage error.
int tool_start(const struct tool *tool, int argc, char **argv, int least, int most);

// cdp_option.aliases of an option whose choices are metrics.
#define TOOL_METRIC_ALIASES \
    "euclidean=l2 manhattan=l1 cityblock=l1 taxicab=l1 chebyshev=linf maximum=linf"

// The running tool's name: "cdp-knn", "cdp-score vote".
const char *tool_name(void);

// Prints "NAME: message; try 'NAME --help'" and exits with 2.
_Noreturn void tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints "NAME: message" and exits with 1. Open outputs are abandoned.
_Noreturn void tool_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Does so with the error's message if status is negative; otherwise returns status.
int tool_check(int status, const struct cdp_err *err);

// Prints "NAME: message" without exiting, for one of several failures; the caller exits after the
// last.
void tool_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Print "NAME: message" on standard error: unless -q; only with -v.
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The ending of a plural in a message: "" for one, otherwise "s".
static inline const char *tool_s(uint64_t count)
{
    return count == 1 ? "" : "s";
}

// The progress to hand to the library: NULL where none is shown.
struct cdp_progress *tool_progress(void);

// Clears the line of progress; to be called before standard output is used, where that may be the
// same terminal.
void tool_progress_end(void);

// The output of -o.
struct cdp_output *tool_output(bool binary);

// Another output, of text, that tool_finish commits together with that of -o.
struct cdp_output *tool_side_output(const char *name);

// Warns of the number of items without a true label in a file (-1, or no line), which are ignored.
// Fails if no item has one.
void tool_note_unknown(const char *file, uint64_t unknown, uint64_t items);

// Adds the tool, its version and its options to a stream's provenance: all that determines the
// content, and nothing that may differ between runs with equal results (threads, file names,
// level).
void tool_provenance(struct cdp_header *header);

// Commits the outputs, and with -v prints time and peak memory.
void tool_finish(struct cdp_output *output);

#endif
