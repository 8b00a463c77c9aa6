// SPDX-License-Identifier: MIT
#include "knn/kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/random.h"
#include "tap.h"

// Tiles of each instruction set that the processor has: the rows that pass, ascending, their
// columns and their scores, for any number of rows and words and rows from anywhere; and nothing
// else. Projections: the same bits.

enum { MOST_ROWS = 130, MOST_WORDS = 80, COLUMNS = CDP_TILE_COLUMNS, PANEL = CDP_PANEL_COLUMNS };

// A number from -most to most.
static int32_t about(uint64_t seed, uint64_t i, int32_t most)
{
    return (int32_t)(cdp_random(seed, i) % (2 * (uint64_t)most + 1)) - most;
}

// Rows and columns of small bytes.
struct items {
    int8_t row[MOST_ROWS][4 * MOST_WORDS], column[COLUMNS][4 * MOST_WORDS];
    int32_t offset[COLUMNS], product[MOST_ROWS][COLUMNS];
    union cdp_threshold bar[MOST_ROWS];
};

// Few columns, or none, pass with a row; with one in five many.
static void make(struct items *it, uint32_t rows, size_t words)
{
    for (size_t b = 0; b < 4 * words; b++) {
        for (uint32_t r = 0; r < rows; r++)
            it->row[r][b] = (int8_t)about(1, r * 4 * MOST_WORDS + b, 15);
        for (uint32_t c = 0; c < COLUMNS; c++)
            it->column[c][b] = (int8_t)about(2, c * 4 * MOST_WORDS + b, 15);
    }
    for (uint32_t c = 0; c < COLUMNS; c++)
        it->offset[c] = about(3, c, 900);
    for (uint32_t r = 0; r < rows; r++) {
        int32_t most = INT32_MIN;
        for (uint32_t c = 0; c < COLUMNS; c++) {
            int32_t sum = it->offset[c];
            for (size_t b = 0; b < 4 * words; b++)
                sum += it->row[r][b] * it->column[c][b];
            it->product[r][c] = sum;
            most = sum > most ? sum : most;
        }
        it->bar[r].product = r % 5 == 0 ? it->product[r][r % COLUMNS] : most + about(4, r, 1);
    }
}

// Lays the items out: rows one after the other, or here and there.
static void lay(const struct cdp_kernel *kernel, const struct items *it, uint32_t rows,
                size_t words, bool together, const uint32_t **row, uint32_t *word, uint32_t *panel)
{
    cdp_pack_function *own = kernel->metric[CDP_COSINE].pack;
    size_t laid = own ? own(NULL, words, NULL) : words;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t *at = word + (together ? r : r * 37 % MOST_ROWS) * laid, bytes[MOST_WORDS];
        memcpy(bytes, it->row[r], words * sizeof *bytes);
        if (own)
            own(bytes, words, at);
        else
            memcpy(at, bytes, words * sizeof *at);
        row[r] = at;
    }
    for (uint32_t c = 0; c < COLUMNS; c++) {
        for (size_t w = 0; w < words; w++) {
            uint32_t own_word;
            memcpy(&own_word, it->column[c] + 4 * w, sizeof own_word);
            panel[(c / PANEL * words + w) * PANEL + c % PANEL] = own_word ^ CDP_DOT_FLIP;
        }
    }
}

static bool right(const struct items *it, uint32_t rows, uint32_t panels,
                  const struct cdp_hits *passed, uint32_t count, float score[][COLUMNS])
{
    uint32_t at = 0;
    for (uint32_t r = 0; r < rows; r++) {
        uint64_t columns = 0;
        for (uint32_t c = 0; c < panels * PANEL; c++)
            columns |= (uint64_t)(it->product[r][c] >= it->bar[r].product) << c;
        if (!columns)
            continue;
        if (at == count || passed[at].row != r || passed[at].columns != columns)
            return false;
        for (uint32_t c = 0; score && c < panels * PANEL; c++) {
            if (score[r][c] != (float)it->product[r][c])
                return false;
        }
        at++;
    }
    return at == count && passed[rows].row == UINT32_MAX;
}

static bool test(const struct cdp_kernel *kernel, uint32_t rows, size_t words)
{
    static struct items it;
    static uint32_t word[MOST_ROWS * 3 * MOST_WORDS];
    static _Alignas(64) uint32_t panel[COLUMNS * MOST_WORDS];
    static float score[MOST_ROWS][COLUMNS];
    static struct cdp_hits passed[MOST_ROWS + 1];
    const uint32_t *row[MOST_ROWS];
    int32_t start[MOST_ROWS];
    bool all = true;
    make(&it, rows, words);
    for (uint32_t r = 0; r < rows; r++) {
        start[r] = 0;
        for (size_t b = 0; b < 4 * words; b++)
            start[r] -= 128 * it.row[r][b];
    }
    for (uint32_t way = 0; way < 4 * CDP_TILE_PANELS; way++) {
        uint32_t panels = way / 4 + 1;
        lay(kernel, &it, rows, words, way % 2, row, word, panel);
        struct cdp_tile tile = {.rows = rows,
                                .row = row,
                                .start = start,
                                .threshold = it.bar,
                                .offset = it.offset,
                                .panel = panel,
                                .words = words,
                                .panels = panels,
                                .score = way % 4 < 2 ? score : NULL};
        passed[rows].row = UINT32_MAX;
        cdp_kernel_begin(kernel, words);
        uint32_t count = kernel->metric[CDP_COSINE].tile(&tile, passed);
        cdp_kernel_end(kernel);
        all &= right(&it, rows, panels, passed, count, tile.score);
    }
    return all;
}

// Whether projections of short numbers have the bits of products and sums one after the other.
static bool projects(const struct cdp_kernel *kernel)
{
    enum { COUNT = 21, DIM = 77, WIDTH = 5 * PANEL };
    static float row[COUNT * DIM], direction[DIM * WIDTH], out[COUNT * WIDTH];
    for (size_t i = 0; i < COUNT * DIM; i++)
        row[i] = cdp_round12((double)cdp_random(3, i) * 0x1p-63 - 1);
    for (size_t i = 0; i < DIM * WIDTH; i++)
        direction[i] = cdp_round12((double)cdp_random(4, i) * 0x1p-63 - 1);
    kernel->project(row, COUNT, DIM, direction, WIDTH, out);
    for (size_t i = 0; i < COUNT * WIDTH; i++) {
        float sum = 0;
        for (size_t d = 0; d < DIM; d++)
            sum += row[i / WIDTH * DIM + d] * direction[d * WIDTH + i % WIDTH];
        if (sum != out[i])
            return false;
    }
    return true;
}

int main(void)
{
    static const uint32_t rows[] = {1, 2, 3, 4, 5, 6, 7, 13, 15, 16, 17, 31, 32, 33, 48, 64, 129};
    static const size_t words[] = {1, 2, 7, 10, 15, 16, 17, 24, 31, 32, 33, 48, 63, 80};
    for (int isa = CDP_ISA_PLAIN; isa < CDP_ISAS; isa++) {
        const char *name = cdp_isa_name((enum cdp_isa)isa);
        setenv("CDP_ISA", name, 1);
        if ((int)cdp_isa() != isa) {
            ok(true, "%s # SKIP not on this processor", name);
            ok(true, "%s # SKIP not on this processor", name);
            continue;
        }
        bool all = true;
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            for (size_t w = 0; w < sizeof words / sizeof *words; w++)
                all &= test(cdp_kernel(), rows[r], words[w]);
        }
        ok(all, "%s: hits of tiles, and their scores", name);
        ok(projects(cdp_kernel()), "%s: projections of short numbers", name);
    }
    return done();
}
