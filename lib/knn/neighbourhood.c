// SPDX-License-Identifier: MIT
#include "knn/neighbourhood.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

enum { MEMBERS = 32, ROWS = CDP_TILE_ROWS }; // at most MEMBERS of a list

// A thread's memory.
struct room {
    struct cdp_side rows, columns;
    uint64_t *list; // of the rows of a tile
};

static void free_rooms(struct room *rooms, int threads)
{
    for (int t = 0; rooms && t < threads; t++) {
        cdp_side_free(&rooms[t].rows);
        cdp_side_free(&rooms[t].columns);
        free(rooms[t].list);
    }
    free(rooms);
}

static struct room *new_rooms(const struct cdp_space *space, uint32_t k, int threads,
                              struct cdp_err *err)
{
    struct room *rooms = cdp_zalloc((size_t)threads, sizeof *rooms, "threads", err);
    for (int t = 0; rooms && t < threads; t++) {
        rooms[t].list = cdp_alloc(ROWS, k * sizeof *rooms[t].list, "neighbours", err);
        if (!rooms[t].list || cdp_side_new_rows(&rooms[t].rows, space, MEMBERS, err) ||
            cdp_side_new_columns(&rooms[t].columns, space, MEMBERS, err)) {
            free_rooms(rooms, threads);
            return NULL;
        }
    }
    return rooms;
}

// Lists are filled apart and merged, since other neighbourhoods have them too.
static void pick_members(struct room *room, const uint32_t *members, uint32_t count,
                         struct cdp_shortlists *lists)
{
    struct cdp_run run = cdp_run_of(members);
    uint32_t k = lists->k;
    cdp_side_rows(&room->rows, run, run, count);
    cdp_side_columns(&room->columns, run, run, count, 1);
    for (uint32_t r = 0; r < count; r += ROWS) {
        struct cdp_pickers pickers = {.count = cdp_least(count - r, ROWS)};
        for (uint32_t i = 0; i < ROWS; i++) {
            pickers.row[i] = i < pickers.count ? r + i : r;
            pickers.list[i] = room->list + i * k;
            if (i < pickers.count)
                cdp_shortlists_copy(lists, members[r + i], pickers.list[i]);
            cdp_side_ask(&room->rows, pickers.row[i], cdp_entry_score(pickers.list[i][k - 1]));
        }
        cdp_pick(&room->rows, &pickers, &room->columns, 0, count, k, false);
        for (uint32_t i = 0; i < pickers.count; i++)
            cdp_shortlists_merge(lists, members[r + i], pickers.list[i]);
    }
}

int cdp_neighbourhoods(const struct cdp_space *space, struct cdp_shortlists *lists, int threads,
                       struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = lists->count, k = lists->k;
    uint32_t most = cdp_least(k, MEMBERS);
    struct room *rooms = new_rooms(space, lists->k, threads, err);
    uint32_t *members = cdp_alloc(n, most * sizeof *members, "neighbours", err);
    int status = rooms && members ? 0 : -1;
    if (!status) {
        cdp_progress_start(progress, "neighbours of neighbours", "rows", n);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (uint64_t i = 0; i < n; i++) {
            for (uint32_t r = 0; r < most; r++)
                members[i * most + r] = cdp_entry_id(lists->entry[i * k + r]);
        }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 256)
        for (uint64_t i = 0; i < n; i++) {
            const uint32_t *own = members + i * most;
            uint32_t count = most;
            while (count > 0 && own[count - 1] == cdp_entry_id(CDP_NOBODY))
                count--;
            pick_members(&rooms[cdp_thread()], own, count, lists);
            cdp_progress_add(progress, 1);
        }
    }
    free(members);
    free_rooms(rooms, threads);
    return status;
}
