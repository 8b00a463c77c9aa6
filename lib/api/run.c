// SPDX-License-Identifier: MIT
// Errors, structures of several versions, and runs.
#include <string.h>

#include "api/api.h"
#include "base/threads.h"

void api_tell(struct libcdp_err *err, const struct cdp_err *why)
{
    _Static_assert(sizeof(struct libcdp_err) == sizeof(struct cdp_err), "errors have one size");
    if (err)
        memcpy(err->text, why->text, sizeof err->text);
}

// ---- structures that begin with their size

void api_init(void *callers, uint64_t size, const void *whole, size_t own)
{
    memset(callers, 0, size);
    memcpy(callers, whole, size < own ? size : own);
    if (size >= sizeof size)
        memcpy(callers, &size, sizeof size);
}

static int check_size(const void *callers, size_t own, const char *what, uint64_t *size,
                      struct cdp_err *err)
{
    memcpy(size, callers, sizeof *size);
    if (*size < sizeof *size || *size > own)
        return cdp_fail(err, "%s of %llu bytes, but this library knows %zu: set its size", what,
                        (unsigned long long)*size, own);
    return 0;
}

int api_take(void *whole, size_t own, const void *callers, const char *what, struct cdp_err *err)
{
    uint64_t size;
    if (check_size(callers, own, what, &size, err))
        return -1;
    memcpy(whole, callers, size);
    return 0;
}

int api_give(void *callers, const void *whole, size_t own, const char *what, struct cdp_err *err)
{
    uint64_t size;
    if (check_size(callers, own, what, &size, err))
        return -1;
    memcpy((char *)callers + sizeof size, (const char *)whole + sizeof size, size - sizeof size);
    return 0;
}

// ---- runs

PUBLIC void libcdp_run_init(struct libcdp_run *run, uint64_t size)
{
    const struct libcdp_run standard = {.done = -1};
    api_init(run, size, &standard, sizeof standard);
}

// The caller may read while the library writes.
static void show(struct cdp_progress *progress)
{
    struct api_run *api = (struct api_run *)progress; // its first member
    double done = cdp_progress_fraction(progress);
    __atomic_store(&api->run->done, &done, __ATOMIC_RELAXED);
    __atomic_store_n(&api->run->what, progress->what, __ATOMIC_RELAXED);
}

static void ignore(struct cdp_progress *progress)
{
    (void)progress;
}

int api_begin(struct api_run *api, struct libcdp_run *run, struct cdp_err *err)
{
    *api = (struct api_run){.progress = {.show = ignore}};
    if (!run)
        return 0;
    if (run->size != sizeof *run)
        return cdp_fail(err,
                        "a run of %llu bytes, but this library knows %zu: set it by "
                        "libcdp_run_init",
                        (unsigned long long)run->size, sizeof *run);
    if (run->threads < 0)
        return cdp_fail(err, "%d threads", (int)run->threads);
    api->run = run;
    api->threads = run->threads;
    api->progress = (struct cdp_progress){.show = show, .stop = &run->stop};
    return 0;
}

void api_end(struct api_run *api)
{
    if (api->run)
        __atomic_store_n(&api->run->what, NULL, __ATOMIC_RELAXED);
}
