// SPDX-License-Identifier: MIT
#include "knn/search/scan.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/search/ownlist.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    TOGETHER = 16384, // rows that probe together, at most,
    PARTS = 32,       // or one in so many, where these are more,
    MOST = 65536,     // but not more than that,
    WANTED = 1 << 22, // and sets that they want, in all
    FEWEST = 4,       // parts, or more, so that
    SHARED = 64,      // so many rows want a set
    OWN = 1024,       // items that look into their own sets together
    BEFORE = 4,       // rows whose scores' memory is asked for before they are computed
};

// So many of n rows probe together, which want `depth` of the sets each.
static uint32_t together(uint64_t n, uint64_t sets, uint32_t depth)
{
    uint64_t few = n / PARTS, many = cdp_min(n / FEWEST, SHARED * sets / depth);
    uint64_t most = cdp_min(few > TOGETHER ? few : TOGETHER, MOST);
    uint32_t rows = cdp_min(many > few ? many : few, cdp_min(WANTED / depth, most));
    return rows < 1 ? 1 : rows;
}

// ---- picking

// Adds the columns from `first` on that have passed to the list of row r.
static void add(struct cdp_operand *rows, uint32_t r, const struct cdp_operand *columns,
                uint32_t first, uint64_t passed, struct cdp_candidates *lists)
{
    uint32_t own = rows->id[r], items[COLUMNS], count = 0, k = lists->k;
    uint64_t *list = lists->entry + (uint64_t)rows->list[r] * k;
    float score[COLUMNS];
    for (; passed; passed &= passed - 1) {
        uint32_t id = columns->id[first + (uint32_t)__builtin_ctzll(passed)];
        items[count] = id;
        count += id != CDP_NONE && id != own;
    }
    cdp_dataset_scores(rows->data, own, columns->data, items, count, score);
    cdp_candidates_add(list, k, rows->data->kernel, items, score, count);
    float least = cdp_candidate_score(list[k - 1]);
    if (least > rows->threshold[r])
        cdp_operand_set_threshold(rows, r, least);
}

// Asks the memory for what that reads.
static void ask(const struct cdp_operand *rows, uint32_t r, const struct cdp_operand *columns,
                uint32_t first, uint64_t passed, const struct cdp_candidates *lists)
{
    cdp_dataset_prefetch(rows->data, rows->id[r]);
    cdp_fetch(lists->entry + (uint64_t)rows->list[r] * lists->k, lists->k * sizeof *lists->entry);
    for (; passed; passed &= passed - 1) {
        uint32_t id = columns->id[first + (uint32_t)__builtin_ctzll(passed)];
        if (id != CDP_NONE)
            cdp_dataset_prefetch(columns->data, id);
    }
}

// Lets at most a tile's rows pick from the columns from `first` to `end` - 1, and from what is on
// their panels besides. `first` is a multiple of CDP_PANEL_COLUMNS.
static void pick(struct cdp_operand *rows, const uint32_t *row, uint32_t count,
                 const struct cdp_operand *columns, uint32_t first, uint32_t end,
                 struct cdp_candidates *lists)
{
    const struct cdp_dataset *data = rows->data;
    cdp_tile_function *tile_function = data->kernel->metric[data->metric].tile;
    const uint32_t *words[ROWS];
    int32_t start[ROWS];
    union cdp_threshold bar[ROWS];
    struct cdp_tile tile = {.rows = count, .row = words, .start = start, .threshold = bar};
    for (uint32_t i = 0; i < count; i++) {
        words[i] = rows->row[row[i]];
        start[i] = rows->start[row[i]];
    }
    for (; first < end; first += COLUMNS) {
        struct cdp_column_bounds asked = cdp_operand_error_bounds(columns, first);
        cdp_operand_gather_thresholds(rows, row, count, asked, bar);
        cdp_operand_tile(&tile, columns, first, end);
        struct cdp_hits passed[ROWS];
        uint32_t some = tile_function(&tile, passed);
        for (uint32_t s = 0; s < some + BEFORE; s++) {
            if (s < some)
                ask(rows, row[passed[s].row], columns, first, passed[s].columns, lists);
            if (s >= BEFORE) {
                struct cdp_hits p = passed[s - BEFORE];
                add(rows, row[p.row], columns, first, p.columns, lists);
            }
        }
    }
}

// ---- probing

// A thread's memory: rows that probe together, and which of them want which sets.
struct prober {
    struct cdp_operand rows;
    struct cdp_ivf_visits wants;
    struct cdp_own within;
};

static void free_probers(struct prober *probers, int threads)
{
    for (int t = 0; probers && t < threads; t++) {
        cdp_operand_free(&probers[t].rows);
        cdp_ivf_visits_free(&probers[t].wants);
        cdp_own_free(&probers[t].within);
    }
    free(probers);
}

static struct prober *new_probers(const struct cdp_dataset *data, uint64_t sets, uint32_t depth,
                                  uint32_t rows, int threads, struct cdp_err *err)
{
    struct prober *probers = cdp_zalloc((size_t)threads, sizeof *probers, "threads", err);
    for (int t = 0; probers && t < threads; t++) {
        struct prober *p = &probers[t];
        if (cdp_operand_new_rows(&p->rows, data, rows, err) ||
            cdp_ivf_visits_new(&p->wants, sets, depth, rows, err) ||
            (data->vector && cdp_own_new(&p->within, data, err))) {
            free_probers(probers, threads);
            return NULL;
        }
    }
    return probers;
}

// Lays out rows, which ask for what is missing in their lists.
static void lay_rows(struct prober *p, struct cdp_ids items, struct cdp_ids lists_of,
                     uint32_t count, const struct cdp_ivf_packed *shelf,
                     const struct cdp_candidates *lists)
{
    cdp_operand_pack_rows(&p->rows, items, lists_of, count);
    p->rows.fraction = shelf->part;
    for (uint32_t r = 0; r < count; r++) {
        const uint64_t *list = lists->entry + (uint64_t)p->rows.list[r] * lists->k;
        cdp_operand_set_threshold(&p->rows, r, cdp_candidate_score(list[lists->k - 1]));
    }
}

// Lets the rows pick from all the sets that they want.
static void probe(struct prober *p, const struct cdp_candidates *probes, uint32_t first,
                  const struct cdp_ivf_packed *shelf, struct cdp_candidates *lists)
{
    uint32_t sets = cdp_ivf_visits_sort(&p->wants, probes, p->rows.list, p->rows.count, first);
    cdp_kernel_begin(p->rows.data->kernel, p->rows.words);
    for (uint32_t s = 0; s < sets; s++) {
        uint32_t set = p->wants.set[s], count;
        const uint32_t *row = cdp_ivf_visits_take(&p->wants, set, &count);
        for (uint32_t r = 0; r < count; r += ROWS)
            pick(&p->rows, row + r, cdp_min(count - r, ROWS), &shelf->columns,
                 cdp_ivf_packed_begin(shelf, set), cdp_ivf_packed_end(shelf, set), lists);
    }
    cdp_kernel_end(p->rows.data->kernel);
}

int cdp_scan(const struct cdp_dataset *data, const uint32_t *items,
             const struct cdp_candidates *probes, uint32_t first,
             const struct cdp_ivf_packed *shelf, struct cdp_candidates *lists, int threads,
             struct cdp_progress *progress, struct cdp_err *err)
{
    // Rows that want the same set first probe together, most of them.
    struct cdp_ivf_lists order;
    uint64_t n = lists->count;
    uint32_t most = together(n, shelf->sets->count, probes->k);
    if (cdp_ivf_lists_new(&order, probes, 1, shelf->sets->count, threads, err))
        return -1;
    struct prober *probers = new_probers(data, shelf->sets->count, probes->k, most, threads, err);
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
        for (uint64_t from = 0; from < n; from += most) {
            struct prober *p = &probers[cdp_thread()];
            uint32_t count = cdp_min(n - from, most);
            lay_rows(p, cdp_ids_of((ids ? ids : order.member) + from),
                     cdp_ids_of(order.member + from), count, shelf, lists);
            probe(p, probes, first, shelf, lists);
            cdp_progress_add(progress, count);
        }
    }
    free(ids);
    free_probers(probers, threads);
    cdp_ivf_lists_free(&order);
    return status;
}

// Items of one set, from `first` to `end` - 1.
static void probe_own(struct prober *p, const struct cdp_ivf_packed *shelf, uint32_t set,
                      uint64_t first, uint64_t end, struct cdp_candidates *lists)
{
    const struct cdp_dataset *data = p->rows.data;
    uint64_t start = shelf->sets->start[set], members = shelf->sets->start[set + 1] - start;
    if (data->vector && members <= CDP_OWN) {
        cdp_own(&p->within, (uint32_t)first, (uint32_t)(end - first), (uint32_t)start,
                (uint32_t)members, lists);
        return;
    }
    uint32_t row[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        row[i] = i;
    cdp_kernel_begin(data->kernel, p->rows.words);
    for (uint64_t from = first; from < end; from += ROWS) {
        uint32_t count = cdp_min(end - from, ROWS);
        lay_rows(p, cdp_ids_from(from), cdp_ids_from(from), count, shelf, lists);
        pick(&p->rows, row, count, &shelf->columns, cdp_ivf_packed_begin(shelf, set),
             cdp_ivf_packed_end(shelf, set), lists);
    }
    cdp_kernel_end(data->kernel);
}

// The set of member i.
static uint32_t set_of(const struct cdp_ivf_lists *sets, uint64_t i)
{
    uint64_t low = 0, high = sets->count;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (sets->start[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

int cdp_scan_own(const struct cdp_dataset *data, const struct cdp_ivf_packed *shelf,
                 struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                 struct cdp_err *err)
{
    const struct cdp_ivf_lists *sets = shelf->sets;
    struct prober *probers = new_probers(data, 1, 1, ROWS, threads, err);
    int status = probers ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < (status ? 0 : lists->count); from += OWN) {
        uint64_t end = lists->count - from < OWN ? lists->count : from + OWN;
        uint32_t set = set_of(sets, from);
        for (uint64_t at = from; at < end; set++) {
            uint64_t last = sets->start[set + 1] < end ? sets->start[set + 1] : end;
            if (last > at)
                probe_own(&probers[cdp_thread()], shelf, set, at, last, lists);
            at = last;
        }
        cdp_progress_add(progress, end - from);
    }
    free_probers(probers, threads);
    return status;
}
