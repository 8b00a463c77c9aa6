// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/data/dataset.h"

// Lines move along the cycles of the permutation, since a second array may not fit in memory. Every
// STEP-th line is saved first. A walk starts at each of these and ends before the next, so threads
// share the walks. Cycles without a saved line follow in one thread.
enum { STEP = 512 };

struct permutation {
    struct cdp_array arrays[CDP_PERMUTE_ARRAYS];
    size_t some;
    const uint32_t *order;
    char *saved;    // lines 0, STEP, 2 STEP and so on of all arrays
    size_t size;    // of a line of all arrays together, in bytes
    uint8_t *moved; // 1: the line is in its place
};

static char *line(const struct cdp_array *array, uint64_t i)
{
    return (char *)array->first + i * array->size;
}

static void save(const struct permutation *r, uint64_t i, char *to)
{
    for (size_t a = 0; a < r->some; a++) {
        memcpy(to, line(&r->arrays[a], i), r->arrays[a].size);
        to += r->arrays[a].size;
    }
}

static void put(const struct permutation *r, const char *from, uint64_t i)
{
    for (size_t a = 0; a < r->some; a++) {
        memcpy(line(&r->arrays[a], i), from, r->arrays[a].size);
        from += r->arrays[a].size;
    }
    r->moved[i] = 1;
}

static void move(const struct permutation *r, uint64_t from, uint64_t to)
{
    for (size_t a = 0; a < r->some; a++)
        memcpy(line(&r->arrays[a], to), line(&r->arrays[a], from), r->arrays[a].size);
    r->moved[to] = 1;
}

// From saved line i to before the next saved one.
static void walk(const struct permutation *r, uint64_t i)
{
    uint64_t next;
    for (; (next = r->order[i]) % STEP != 0; i = next)
        move(r, next, i);
    put(r, r->saved + next / STEP * r->size, i);
}

// The whole cycle of line i.
static void walk_cycle(const struct permutation *r, uint64_t i, char *room)
{
    uint64_t first = i, next;
    save(r, i, room);
    for (; (next = r->order[i]) != first; i = next)
        move(r, next, i);
    put(r, room, i);
}

int cdp_permute(const struct cdp_array *arrays, size_t some, uint64_t count, const uint32_t *order,
                int threads, struct cdp_err *err)
{
    struct permutation r = {.order = order};
    uint64_t walks = (count + STEP - 1) / STEP;
    for (size_t a = 0; a < some; a++) {
        if (arrays[a].first) {
            r.arrays[r.some++] = arrays[a];
            r.size += arrays[a].size;
        }
    }
    r.saved = cdp_alloc(walks + 1, r.size, "an order", err);
    r.moved = cdp_zalloc(count, sizeof *r.moved, "an order", err);
    int status = r.saved && r.moved ? 0 : -1;
    if (!status) {
        for (uint64_t w = 0; w < walks; w++)
            save(&r, w * STEP, r.saved + w * r.size);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 4)
        for (uint64_t w = 0; w < walks; w++)
            walk(&r, w * STEP);
        for (uint64_t i = 0; i < count; i++) {
            if (!r.moved[i] && order[i] != i)
                walk_cycle(&r, i, r.saved + walks * r.size);
        }
    }
    free(r.saved);
    free(r.moved);
    return status;
}
