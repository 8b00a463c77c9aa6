// SPDX-License-Identifier: MIT
#include "knn/probe.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    PANEL = CDP_PANEL_COLUMNS,
    TOGETHER = 1024 // rows that probe together
};

// ---- shelves

int cdp_shelf_new(struct cdp_shelf *shelf, const struct cdp_space *space,
                  const struct cdp_sets *sets, int threads, struct cdp_err *err)
{
    uint64_t count = sets->start[sets->count];
    *shelf = (struct cdp_shelf){.sets = sets};
    if (cdp_side_new_columns(&shelf->columns, space, (uint32_t)count, err)) {
        cdp_shelf_free(shelf);
        return -1;
    }
    cdp_side_columns(&shelf->columns, space, cdp_run_of(sets->member), cdp_run_from(CDP_NONE),
                     (uint32_t)count, threads);
    return 0;
}

void cdp_shelf_free(struct cdp_shelf *shelf)
{
    cdp_side_free(&shelf->columns);
}

// ---- picking

// The columns from `first` on that have passed the test of row r.
static void add(cdp_add_function *add_entry, const struct cdp_side *rows, uint32_t r,
                const struct cdp_side *columns, uint32_t first, uint64_t passed,
                const float product[COLUMNS], uint64_t *list, uint32_t k, bool self)
{
    for (; passed; passed &= passed - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(passed), c = first + i, id = columns->id[c];
        if (id == CDP_NONE || (!self && rows->id[r] == id))
            continue;
        uint64_t entry = cdp_entry(cdp_side_score(rows, r, columns, c, product[i]), id);
        if (entry < list[k - 1])
            add_entry(list, k, entry);
    }
}

void cdp_pick(const struct cdp_space *space, const struct cdp_side *rows,
              const struct cdp_pickers *pickers, const struct cdp_side *columns, uint32_t first,
              uint32_t end, uint32_t k, bool self)
{
    const struct cdp_kernel *kernel = space->kernel;
    cdp_tile_function *score = kernel->metric[space->metric].tile;
    float product[ROWS][COLUMNS] __attribute__((aligned(64)));
    struct cdp_tile tile = {.words = space->words};
    for (int i = 0; i < ROWS; i++)
        cdp_side_row(&tile, i, rows, pickers->row[i]);
    for (; first < end; first += COLUMNS) {
        struct cdp_most most = cdp_side_most(columns, first);
        float least[ROWS], error[ROWS];
        for (uint32_t i = 0; i < ROWS; i++) {
            uint32_t r = pickers->row[i];
            least[i] = cdp_entry_score(pickers->list[i][k - 1]);
            error[i] = cdp_side_rounding(rows, r, most);
            tile.bar[i] = cdp_side_bar(rows, r, most, least[i], error[i], error[i]);
        }
        cdp_side_tile(&tile, columns, first);
        if (!score(&tile, product))
            continue;
        for (uint32_t i = 0; i < pickers->count; i++) {
            uint32_t r = pickers->row[i];
            struct cdp_test test = cdp_side_test(rows, r, columns, first, least[i], error[i]);
            uint64_t passed = kernel->test(&test, product[i]);
            if (passed)
                add(kernel->add, rows, r, columns, first, passed, product[i], pickers->list[i], k,
                    self);
        }
    }
}

// ---- probing

// A thread's memory: rows that probe together, and which of them want which sets.
struct prober {
    struct cdp_side rows;
    uint32_t *wanted; // by how many, of each set; 0 between uses
    uint32_t *set;    // that are wanted, in the order in which they are probed
    uint32_t *end;    // of each set's rows
    uint32_t *row;    // the rows that want the sets, set after set
};

static void free_probers(struct prober *probers, int threads)
{
    for (int t = 0; probers && t < threads; t++) {
        cdp_side_free(&probers[t].rows);
        free(probers[t].wanted);
        free(probers[t].set);
        free(probers[t].end);
        free(probers[t].row);
    }
    free(probers);
}

static struct prober *new_probers(const struct cdp_space *space, uint64_t sets, uint32_t depth,
                                  int threads, struct cdp_err *err)
{
    struct prober *probers = cdp_zalloc((size_t)threads, sizeof *probers, "threads", err);
    for (int t = 0; probers && t < threads; t++) {
        struct prober *p = &probers[t];
        int status = cdp_side_new_rows(&p->rows, space, TOGETHER, err);
        p->wanted = cdp_zalloc(sets, sizeof *p->wanted, "cells", err);
        p->set = cdp_alloc(TOGETHER, depth * sizeof *p->set, "cells", err);
        p->end = cdp_alloc(sets, sizeof *p->end, "cells", err);
        p->row = cdp_alloc(TOGETHER, depth * sizeof *p->row, "cells", err);
        if (status || !p->wanted || !p->set || !p->end || !p->row) {
            free_probers(probers, threads);
            return NULL;
        }
    }
    return probers;
}

// Sorts the rows by the sets that they want, nearest sets first. Returns the number of sets.
static uint32_t sort_rows(struct prober *p, const struct cdp_shortlists *probes)
{
    uint32_t sets = 0, k = probes->k;
    for (uint32_t r = 0; r < k; r++) {
        for (uint32_t i = 0; i < p->rows.count; i++) {
            uint64_t entry = probes->entry[(uint64_t)p->rows.list[i] * k + r];
            if (entry != CDP_NOBODY && p->wanted[cdp_entry_id(entry)]++ == 0)
                p->set[sets++] = cdp_entry_id(entry);
        }
    }
    uint32_t sum = 0;
    for (uint32_t s = 0; s < sets; s++) {
        p->end[p->set[s]] = sum;
        sum += p->wanted[p->set[s]];
    }
    for (uint32_t i = 0; i < p->rows.count; i++) {
        const uint64_t *list = probes->entry + (uint64_t)p->rows.list[i] * k;
        for (uint32_t r = 0; r < k && list[r] != CDP_NOBODY; r++)
            p->row[p->end[cdp_entry_id(list[r])]++] = i;
    }
    return sets;
}

static void probe(struct prober *p, const struct cdp_space *space,
                  const struct cdp_shortlists *probes, const struct cdp_shelf *shelf,
                  struct cdp_shortlists *lists, bool self)
{
    uint32_t sets = sort_rows(p, probes), k = lists->k;
    for (uint32_t s = 0; s < sets; s++) {
        uint32_t set = p->set[s], last = p->end[set], r = last - p->wanted[set];
        p->wanted[set] = 0;
        uint32_t first = (uint32_t)(shelf->sets->start[set] / PANEL * PANEL);
        uint32_t end = (uint32_t)shelf->sets->start[set + 1];
        for (; r < last; r += ROWS) {
            struct cdp_pickers pickers = {.count = cdp_least(last - r, ROWS)};
            for (uint32_t i = 0; i < ROWS; i++) {
                pickers.row[i] = p->row[i < pickers.count ? r + i : r];
                pickers.list[i] = lists->entry + (uint64_t)p->rows.list[pickers.row[i]] * k;
            }
            cdp_pick(space, &p->rows, &pickers, &shelf->columns, first, end, k, self);
        }
    }
}

int cdp_probe(const struct cdp_space *space, const uint32_t *items,
              const struct cdp_shortlists *probes, const struct cdp_shelf *shelf,
              struct cdp_shortlists *lists, bool self, int threads, struct cdp_progress *progress,
              struct cdp_err *err)
{
    // Rows that want the same set first probe together, most of them.
    struct cdp_sets order;
    uint64_t n = lists->count;
    if (cdp_sets_of(&order, probes, 1, shelf->sets->count, threads, err))
        return -1;
    struct prober *probers = new_probers(space, shelf->sets->count, probes->k, threads, err);
    int status = probers ? 0 : -1;
    uint32_t *ids = NULL;
    if (!status && items && (ids = cdp_alloc(n, sizeof *ids, "items", err))) {
        for (uint64_t i = 0; i < n; i++)
            ids[i] = items[order.member[i]];
    }
    if (items && !ids)
        status = -1;
    if (!status) {
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (uint64_t from = 0; from < n; from += TOGETHER) {
            struct prober *p = &probers[cdp_thread()];
            uint32_t count = cdp_least(n - from, TOGETHER);
            cdp_side_rows(&p->rows, space, cdp_run_of((ids ? ids : order.member) + from),
                          cdp_run_of(order.member + from), count);
            probe(p, space, probes, shelf, lists, self);
            cdp_progress_add(progress, count);
        }
    }
    free(ids);
    free_probers(probers, threads);
    cdp_sets_free(&order);
    return status;
}
