// SPDX-License-Identifier: MIT
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// A folder of the test's own under $TMPDIR, and small files in it. What fails here ends the test.

static char scratch_path[4096];

static inline void scratch_fail(const char *what)
{
    perror(what);
    exit(1);
}

// Makes the folder and goes there, so that error texts bear the plain names of files.
static inline void scratch_enter(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(scratch_path, sizeof scratch_path, "%s/cdp-unit.XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(scratch_path) || chdir(scratch_path))
        scratch_fail(scratch_path);
}

static inline void scratch_write(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        scratch_fail(name);
}

// The folder must be empty again.
static inline void scratch_leave(void)
{
    if (chdir("/") || rmdir(scratch_path))
        scratch_fail(scratch_path);
}

#endif
