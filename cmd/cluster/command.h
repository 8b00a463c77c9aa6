// SPDX-License-Identifier: MIT
#ifndef CDP_COMMAND_H
#define CDP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

// Other tools as steps of this one.

enum { COMMAND_WORDS = 256 };

struct command {
    const char *word[COMMAND_WORDS]; // not owned; NULL-terminated
    size_t count;
};

// Adds a word, or an option and its value if that is not NULL.
void command_add(struct command *command, const char *word);
void command_option(struct command *command, const char *option, const char *value);

// The command as a shell reads it (a text of cmd/text.h, that is kept).
char *command_text(const struct command *command);

// Runs the command: the program beside this one's, otherwise that on PATH. `to_error`: its standard
// output is this one's standard error. Exits with its status if it fails, and dies of the signal it
// died of. Signals to this process are passed on.
void command_run(const struct command *command, bool to_error);

// A folder for intermediate files: `name`, which is made if it does not exist and stays; or, if
// that is NULL, a new one in $TMPDIR, which is removed with its files when this process ends.
const char *command_folder(const char *name);

#endif
