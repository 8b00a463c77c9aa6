// SPDX-License-Identifier: MIT
#include "knn/search/ivf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "knn/data/dataset.h"
#include "rows.h"
#include "tap.h"

// A scan of centroids finds exactly the best columns by sketch scores, or the best of these by
// score, of all columns or of those of some lists.

enum {
    PANEL = CDP_PANEL_COLUMNS,
    ROWS = 17000,
    COLUMNS = 300,
    DIM = 160,
    STEP = 97,
    SETS = 9,
    WANTED = 3
};

static float number[ROWS * DIM];
static uint32_t chosen[COLUMNS]; // the rows that are columns

// Rows of different lengths, whose variance falls from number to number.
static void spread(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        float size = i < ROWS / 2 ? 1 : i % 3 ? 6 : 0.2F;
        for (size_t d = 0; d < DIM; d++)
            number[i * DIM + d] =
                size * ((float)(cdp_random(1, i * DIM + d) % 2001) - 1000) / (1 + 0.2F * (float)d);
    }
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// The columns that a row scans: those of the panels of its lists, or all.
static void seen_by(const struct cdp_ivf_lists *sets, const uint64_t *probes, bool sees[COLUMNS])
{
    memset(sees, !sets, COLUMNS * sizeof *sees);
    for (uint32_t p = 0; sets && p < WANTED && probes[p] != CDP_CANDIDATE_NONE; p++) {
        uint32_t set = cdp_candidate_id(probes[p]), end = (uint32_t)sets->start[set + 1];
        for (uint32_t c = sets->start[set] / PANEL * PANEL; c < end; c += PANEL) {
            for (uint32_t i = c; i < c + PANEL; i++) {
                if (sets->columns.id[i] != CDP_NONE)
                    sees[sets->columns.id[i]] = true;
            }
        }
    }
}

// The score that tiles compute. They add one number after the other, which rounds l1 differently
// than cdp_dataset_sketch_scores.
static float seen(const struct cdp_dataset *data, uint32_t item, const struct cdp_dataset *columns,
                  uint32_t c)
{
    float score;
    cdp_dataset_sketch_scores(data, item, columns, &c, 1, &score);
    if (data->metric != CDP_L1)
        return score;
    const float *x = (const float *)cdp_dataset_words(data, item),
                *y = (const float *)cdp_dataset_words(columns, c);
    float sum = 0;
    for (size_t d = 0; d < DIM; d++)
        sum += fabsf(x[d] - y[d]);
    return -sum;
}

// The lists of all entries, sorted, one after the other.
static bool right(const struct cdp_dataset *data, const struct cdp_dataset *columns,
                  const struct cdp_ivf_lists *sets, const struct cdp_candidates *probes,
                  uint32_t depth, const uint32_t *items, const struct cdp_candidates *lists)
{
    for (uint64_t i = 0; i < lists->count; i += STEP) {
        uint64_t entry[COLUMNS];
        uint32_t item = items ? items[i] : (uint32_t)i, count = 0;
        bool sees[COLUMNS];
        seen_by(sets, probes->entry + i * probes->k, sees);
        for (uint32_t c = 0; c < COLUMNS; c++) {
            entry[count] = cdp_candidate(seen(data, item, columns, c), c);
            count += sees[c];
        }
        qsort(entry, count, sizeof *entry, by_size);
        count = cdp_min(count, depth ? depth : lists->k);
        for (uint32_t r = 0; depth && r < count; r++) {
            uint32_t column = cdp_candidate_id(entry[r]);
            float score;
            cdp_dataset_scores(data, item, columns, &column, 1, &score);
            entry[r] = cdp_candidate(score, column);
        }
        qsort(entry, count, sizeof *entry, by_size);
        while (count < lists->k)
            entry[count++] = CDP_CANDIDATE_NONE;
        if (memcmp(entry, lists->entry + i * lists->k, lists->k * sizeof *entry) != 0)
            return false;
    }
    return true;
}

// Lists of columns, one empty and one short, with each column in two of them; and two or three
// lists for each row.
static bool choose_sets(struct cdp_ivf_lists *sets, struct cdp_candidates *probes)
{
    struct cdp_candidates in;
    struct cdp_err err;
    if (cdp_candidates_new(&in, COLUMNS, 2, 1, &err) ||
        cdp_candidates_new(probes, ROWS, WANTED, 1, &err))
        return false;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        in.entry[2 * c] = c < 3 ? SETS - 1 : c % 3;
        in.entry[2 * c + 1] = 3 + c % (SETS - 5);
    }
    for (uint64_t i = 0; i < ROWS; i++) {
        uint64_t first = cdp_random(2, i) % SETS;
        for (uint32_t p = 0; p < 2 + i % 2; p++)
            probes->entry[i * WANTED + p] = (first + p * (1 + i % 4)) % SETS;
    }
    bool made = !cdp_ivf_lists_new(sets, &in, 2, SETS, 1, &err);
    cdp_candidates_free(&in);
    return made;
}

// `below`: by the level below the whole sketch.
static void check(enum cdp_metric metric, bool below, const char *name)
{
    struct cdp_matrix matrix = matrix_of(number, ROWS, DIM);
    struct cdp_dataset data, centroids = {0};
    struct cdp_operand columns = {0};
    struct cdp_ivf_lists sets;
    struct cdp_candidates probes;
    struct cdp_err err;
    static uint32_t items[ROWS];
    for (uint32_t c = 0; c < COLUMNS; c++)
        chosen[c] = c * (ROWS / COLUMNS) + 3;
    for (uint32_t i = 0; i < ROWS; i++)
        items[i] = ROWS - 1 - i;
    if (!ok(!cdp_dataset_build(&data, &matrix, metric, 5, below, 2, &err) && data.levels > below &&
                !cdp_dataset_select(&centroids, &data, data.levels - 1 - below, chosen, COLUMNS,
                                    &err) &&
                !cdp_operand_new_columns(&columns, &centroids, COLUMNS, &err) &&
                choose_sets(&sets, &probes) && !cdp_ivf_lists_pack(&sets, &centroids, 1, &err),
            "%s: packed", name))
        return;
    cdp_operand_pack_columns(&columns, cdp_ids_from(0), cdp_ids_from(CDP_NONE), COLUMNS, 1);
    const char *size = getenv("CDP_TEST_SIZE"); // tests/tap.sh
    bool small = size && !strcmp(size, "small");
    for (int threads = small ? 3 : 1; threads <= 3; threads += 2) {
        const uint32_t most[] = {1, 12, 50, COLUMNS, 40}, depth[] = {9, 20, 70, COLUMNS, 0};
        for (size_t m = 0; m < sizeof most / sizeof *most; m += small ? 3 : 1) {
            const uint32_t *order = m % 2 ? items : NULL;
            struct cdp_candidates lists;
            struct cdp_scan all = {.data = &data, .items = order, .columns = &columns};
            struct cdp_scan some = {.data = &data,
                                    .items = order,
                                    .columns = &sets.columns,
                                    .lists = &sets,
                                    .visits = &probes,
                                    .last = WANTED};
            ok(!cdp_candidates_new(&lists, ROWS, most[m], threads, &err) &&
                   !cdp_scan_centroids(&all, depth[m], &lists, threads, NULL, &err) &&
                   right(&data, &centroids, NULL, &probes, depth[m], order, &lists),
               "%s: the %u nearest of %d columns, %u depth at, %d threads", name, most[m], COLUMNS,
               depth[m], threads);
            cdp_candidates_free(&lists);
            ok(!cdp_candidates_new(&lists, ROWS, most[m], threads, &err) &&
                   !cdp_scan_centroids(&some, depth[m], &lists, threads, NULL, &err) &&
                   right(&data, &centroids, &sets, &probes, depth[m], order, &lists),
               "%s: the %u nearest of some lists, %u depth at, %d threads", name, most[m], depth[m],
               threads);
            cdp_candidates_free(&lists);
        }
    }
    cdp_ivf_lists_free(&sets);
    cdp_candidates_free(&probes);
    cdp_operand_free(&columns);
    cdp_dataset_free(&centroids);
    cdp_dataset_free(&data);
}

int main(void)
{
    spread();
    check(CDP_L2, false, "l2");
    check(CDP_COSINE, false, "cosine");
    check(CDP_COSINE, true, "cosine, by the first numbers");
    check(CDP_L1, false, "l1");
    check(CDP_HAMMING, false, "hamming");
    return done();
}
