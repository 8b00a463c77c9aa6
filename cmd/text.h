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

// The text, which lives until the program ends.
char *text_close(struct text *text);

// Ends the program if memory is NULL; returns it.
void *text_need(void *memory);

// Texts that live until the program ends: one of malloc(), and a formatted one.
char *text_keep(char *text);
char *text_join(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
