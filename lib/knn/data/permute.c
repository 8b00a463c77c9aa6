// SPDX-License-Identifier: MIT
#include "knn/data/permute.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// Lines move along the cycles of the permutation. One line in STEP is set aside at first, so that a
// walk may begin at each, and end before the next: by any number of threads, and whole cycles by
// none but those that hold no such line.
enum { STEP = 512 };

struct reorder {
    struct cdp_array arrays[CDP_PERMUTE_ARRAYS];
    size_t some;
    const uint32_t *order;
    char *aside;    // lines 0, STEP, 2 STEP and so on of all arrays
    size_t size;    // of a line of all arrays
    uint8_t *moved; // whether each line is what it is to be
};

static char *line(const struct cdp_array *array, uint64_t i)
{
    return (char *)array->first + i * array->size;
}

static void set_aside(const struct reorder *r, uint64_t i, char *to)
{
    for (size_t a = 0; a < r->some; a++) {
        memcpy(to, line(&r->arrays[a], i), r->arrays[a].size);
        to += r->arrays[a].size;
    }
}

static void put(const struct reorder *r, const char *from, uint64_t i)
{
    for (size_t a = 0; a < r->some; a++) {
        memcpy(line(&r->arrays[a], i), from, r->arrays[a].size);
        from += r->arrays[a].size;
    }
    r->moved[i] = 1;
}

static void move(const struct reorder *r, uint64_t from, uint64_t to)
{
    for (size_t a = 0; a < r->some; a++)
        memcpy(line(&r->arrays[a], to), line(&r->arrays[a], from), r->arrays[a].size);
    r->moved[to] = 1;
}

// From line i, which was set aside, to before the next that was.
static void walk(const struct reorder *r, uint64_t i)
{
    uint64_t next;
    for (; (next = r->order[i]) % STEP != 0; i = next)
        move(r, next, i);
    put(r, r->aside + next / STEP * r->size, i);
}

// The whole cycle of line i.
static void walk_around(const struct reorder *r, uint64_t i, char *room)
{
    uint64_t first = i, next;
    set_aside(r, i, room);
    for (; (next = r->order[i]) != first; i = next)
        move(r, next, i);
    put(r, room, i);
}

int cdp_permute(const struct cdp_array *arrays, size_t some, uint64_t count, const uint32_t *order,
                int threads, struct cdp_err *err)
{
    struct reorder r = {.order = order};
    uint64_t walks = (count + STEP - 1) / STEP;
    for (size_t a = 0; a < some; a++) {
        if (arrays[a].first) {
            r.arrays[r.some++] = arrays[a];
            r.size += arrays[a].size;
        }
    }
    r.aside = cdp_alloc(walks + 1, r.size, "an order", err);
    r.moved = cdp_zalloc(count, sizeof *r.moved, "an order", err);
    int status = r.aside && r.moved ? 0 : -1;
    if (!status) {
        for (uint64_t w = 0; w < walks; w++)
            set_aside(&r, w * STEP, r.aside + w * r.size);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 4)
        for (uint64_t w = 0; w < walks; w++)
            walk(&r, w * STEP);
        for (uint64_t i = 0; i < count; i++) {
            if (!r.moved[i] && order[i] != i)
                walk_around(&r, i, r.aside + walks * r.size);
        }
    }
    free(r.aside);
    free(r.moved);
    return status;
}
