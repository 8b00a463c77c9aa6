// SPDX-License-Identifier: MIT
#ifndef CDP_TEXT_H
#define CDP_TEXT_H

#include <stdio.h>

#include "io/output.h"

// Text written by stdio: it is collected in memory, and checked for errors once, at the end.
// Failures end the program.
struct text {
    FILE *file; // to print to
    char *bytes;
    size_t size;
};

void text_open(struct text *text);

// Writes the text to an output and frees it.
void text_write(struct text *text, struct cdp_output *output);

#endif
