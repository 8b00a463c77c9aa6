// SPDX-License-Identifier: MIT
#include "knn/glance.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    TOGETHER = 1024, // rows
    STRETCH = 8,     // tiles between looks at what has passed
    FEW = 16,        // columns that a row scores together, at least
};

// A thread's memory.
struct glancer {
    struct cdp_side rows;
    union cdp_bar bar[TOGETHER + ROWS];
    // Of each row, the columns that have passed and wait to be scored.
    uint32_t waits[TOGETHER + ROWS];
    uint32_t waiting[TOGETHER + ROWS][FEW + COLUMNS];
    uint32_t item[TOGETHER], list[TOGETHER]; // of rows that look once more
    // What lists asked for in the end, of late, and how far from that they were.
    float asked, apart;
};

static void free_glancers(struct glancer *glancers, int threads)
{
    for (int t = 0; glancers && t < threads; t++)
        cdp_side_free(&glancers[t].rows);
    free(glancers);
}

static struct glancer *new_glancers(const struct cdp_space *space, int threads, struct cdp_err *err)
{
    struct glancer *glancers = cdp_zalloc((size_t)threads, sizeof *glancers, "threads", err);
    for (int t = 0; glancers && t < threads; t++) {
        glancers[t].asked = -INFINITY;
        if (cdp_side_new_rows(&glancers[t].rows, space, TOGETHER, err)) {
            free_glancers(glancers, threads);
            return NULL;
        }
    }
    return glancers;
}

static void set_bar(struct glancer *g, uint32_t r, float least)
{
    g->rows.least[r] = least;
    if (g->rows.space->vector)
        g->bar[r].product = (int32_t)fmaxf(least, -0x1p30F);
    else
        g->bar[r].score = least;
}

// Adds what waits to the list of row r.
static void settle(struct glancer *g, uint32_t r, const struct cdp_space *centres,
                   struct cdp_shortlists *lists)
{
    const struct cdp_space *space = g->rows.space;
    uint64_t *list = lists->entry + (uint64_t)g->rows.list[r] * lists->k;
    for (uint32_t from = 0; from < g->waits[r]; from += COLUMNS) {
        const uint32_t *waiting = g->waiting[r] + from;
        uint32_t here = cdp_least(g->waits[r] - from, COLUMNS);
        float score[COLUMNS];
        cdp_space_glances(space, g->rows.id[r], centres, waiting, here, score);
        cdp_shortlists_offer(list, lists->k, space->kernel, waiting, score, here);
    }
    g->waits[r] = 0;
    float least = cdp_entry_score(list[lists->k - 1]);
    if (least > g->rows.least[r])
        set_bar(g, r, least);
}

// Lets row r wait for the columns from `first` on that have passed.
static void pass(struct glancer *g, uint32_t r, const struct cdp_side *columns, uint32_t first,
                 uint64_t passed, struct cdp_shortlists *lists)
{
    for (; passed; passed &= passed - 1) {
        uint32_t id = columns->id[first + (uint32_t)__builtin_ctzll(passed)];
        g->waiting[r][g->waits[r]] = id;
        g->waits[r] += id != CDP_NONE;
    }
    if (g->waits[r] >= FEW)
        settle(g, r, columns->space, lists);
}

// A tile's rows from row r on, and STRETCH tiles of columns from `from` on. What has passed is
// looked at when all tiles are done, which do not wait for it then.
static void look(struct glancer *g, uint32_t r, const struct cdp_side *columns, uint32_t from,
                 struct cdp_shortlists *lists)
{
    const struct cdp_space *space = g->rows.space;
    cdp_tile_function *tile_function = space->kernel->metric[space->metric].tile;
    struct cdp_tile tile = {.row = g->rows.row + r, .start = g->rows.start + r, .bar = g->bar + r};
    uint64_t passed[STRETCH][ROWS];
    uint32_t tiles = (cdp_least(columns->count - from, STRETCH * COLUMNS) + COLUMNS - 1) / COLUMNS;
    for (uint32_t t = 0; t < tiles; t++) {
        cdp_side_tile(&tile, columns, from + t * COLUMNS);
        tile_function(&tile, passed[t]);
    }
    for (uint32_t i = 0; i < ROWS && r + i < g->rows.count; i++) {
        for (uint32_t t = 0; t < tiles; t++)
            pass(g, r + i, columns, from + t * COLUMNS, passed[t][i], lists);
    }
}

// Lets all rows pick from all columns that are not below `least`.
static void sweep(struct glancer *g, const struct cdp_side *columns, float least,
                  struct cdp_shortlists *lists)
{
    uint32_t count = g->rows.count;
    for (uint32_t r = 0; r < (count + ROWS - 1) / ROWS * ROWS; r++)
        set_bar(g, r, r < count ? least : 0x1p30F);
    for (uint32_t from = 0; from < columns->count; from += STRETCH * COLUMNS) {
        for (uint32_t r = 0; r < count; r += ROWS)
            look(g, r, columns, from, lists);
    }
    for (uint32_t r = 0; r < count; r++)
        settle(g, r, columns->space, lists);
}

// Learns what `count` lists from `first` on ask for.
static void learn(struct glancer *g, const struct cdp_shortlists *lists, uint64_t first,
                  uint32_t count)
{
    const uint64_t *last = lists->entry + (first + 1) * lists->k - 1;
    double sum = 0, apart = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)cdp_entry_score(last[(uint64_t)i * lists->k]);
    for (uint32_t i = 0; i < count; i++)
        apart += fabs((double)cdp_entry_score(last[(uint64_t)i * lists->k]) - sum / count);
    if (isfinite(apart)) {
        g->asked = (float)(sum / count);
        g->apart = (float)(apart / count);
    }
}

// Columns that are far are of no use to a list although it is not full yet: what lists asked for
// of late tells which. The rows that it was wrong for look once more.
static void glance(struct glancer *g, const struct cdp_side *columns, struct cdp_shortlists *lists)
{
    uint32_t again = 0;
    sweep(g, columns, g->asked - 3 * g->apart, lists);
    for (uint32_t r = 0; r < g->rows.count; r++) {
        g->item[again] = g->rows.id[r];
        g->list[again] = g->rows.list[r];
        again += lists->entry[(uint64_t)(g->rows.list[r] + 1) * lists->k - 1] == CDP_NOBODY;
    }
    if (again > 0) {
        cdp_side_rows(&g->rows, cdp_run_of(g->item), cdp_run_of(g->list), again);
        sweep(g, columns, -INFINITY, lists);
    }
}

int cdp_glance(const struct cdp_space *space, const uint32_t *items, const struct cdp_side *columns,
               struct cdp_shortlists *lists, int threads, struct cdp_progress *progress,
               struct cdp_err *err)
{
    struct glancer *glancers = new_glancers(space, threads, err);
    if (!glancers)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < lists->count; from += TOGETHER) {
        struct glancer *g = &glancers[cdp_thread()];
        uint32_t count = cdp_least(lists->count - from, TOGETHER);
        cdp_side_rows(&g->rows, items ? cdp_run_of(items + from) : cdp_run_from(from),
                      cdp_run_from(from), count);
        glance(g, columns, lists);
        learn(g, lists, from, count);
        cdp_progress_add(progress, count);
    }
    free_glancers(glancers, threads);
    return 0;
}
