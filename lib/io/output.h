// SPDX-License-Identifier: MIT
#ifndef CDP_OUTPUT_H
#define CDP_OUTPUT_H

#include <stddef.h>

#include "base/err.h"

// All output files. A regular file is written atomically: to a hidden file beside it, which commit
// renames and abandon removes. Standard output, devices and pipes are written directly.
struct cdp_output;

// NAME NULL or "-" is standard output. Errors: a terminal if `binary`, and a file, or standard
// output, that is open already. On failure *output is NULL. Different outputs may be used by
// different threads.
int cdp_output_open(struct cdp_output **output, const char *name, int binary, struct cdp_err *err);
int cdp_output_write(struct cdp_output *output, const void *bytes, size_t size,
                     struct cdp_err *err);
int cdp_output_printf(struct cdp_output *output, struct cdp_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Flushes, checks for late errors, and renames the file. Closes and frees the output in any case.
int cdp_output_commit(struct cdp_output *output, struct cdp_err *err);

// The same for several outputs: no file is renamed before all are written and closed without error.
// NULL among them is allowed.
int cdp_output_commit_all(struct cdp_output *const *outputs, size_t count, struct cdp_err *err);

// Closes, removes the hidden file, and frees. NULL is allowed.
void cdp_output_abandon(struct cdp_output *output);

// Removes the hidden files of all open outputs: async-signal-safe, for a signal handler that ends
// the process.
void cdp_output_abandon_all(void);

#endif
