// SPDX-License-Identifier: MIT
#include "baseline/seeds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "knn/data/operand.h"

enum {
    TILE = CDP_TILE_COLUMNS,
    CANDIDATES = 32, // 2 + ln K is below 25
    LIMIT = 1 << 29, // of offsets
};

// The sample: columns, and what is known of them.
struct sample {
    const struct cdp_points *points;
    uint32_t count, tiles;
    uint32_t *row;              // of each column
    struct cdp_columns columns; // their offsets hold the squared distance that is to be beaten
    float error;                // largest code error of all columns
    double *square;             // of each column, to its nearest centroid
    double *sum;                // of each tile's squares
    uint64_t seed;              // of the random numbers
    // Of the candidates:
    uint32_t candidates, column[CANDIDATES];
    double *number;   // CANDIDATES x dim
    uint32_t *word;   // packed codes
    double *gain;     // tiles x CANDIDATES: by how much they make the tile's sum smaller
    uint64_t *nearer; // tiles x CANDIDATES: the columns that they may be nearer to
};

// Codes are precise enough where the square of their error is at most this part of a square.
static const double FINE = 0.01;

static void free_sample(struct sample *s)
{
    free(s->row);
    cdp_columns_free(&s->columns);
    free(s->square);
    free(s->sum);
    free(s->number);
    free(s->word);
    free(s->gain);
    free(s->nearer);
}

static int new_sample(struct sample *s, const struct cdp_points *p, uint64_t most, uint64_t seed,
                      int threads, struct cdp_err *err)
{
    uint64_t rows = p->rows->count;
    *s = (struct sample){.points = p, .count = cdp_min(rows, most), .seed = seed};
    size_t tiles = s->tiles = (s->count + TILE - 1) / TILE, all = tiles * TILE;
    s->row = cdp_alloc(all, sizeof *s->row, "a choice of rows", err);
    s->square = cdp_zalloc(all, sizeof *s->square, "distances", err);
    s->sum = cdp_alloc(tiles, sizeof *s->sum, "distances", err);
    s->number = cdp_alloc(CANDIDATES, p->rows->dim * sizeof *s->number, "candidates", err);
    s->word =
        cdp_alloc_aligned(CANDIDATES, cdp_points_line(p) * sizeof *s->word, "candidates", err);
    s->gain = cdp_alloc(tiles, CANDIDATES * sizeof *s->gain, "candidates", err);
    s->nearer = cdp_alloc(tiles, CANDIDATES * sizeof *s->nearer, "candidates", err);
    if (!s->row || !s->square || !s->sum || !s->number || !s->word || !s->gain || !s->nearer ||
        cdp_columns_new(&s->columns, p, s->count, err))
        return -1;
    for (uint64_t i = 0; i < s->count; i++) {
        uint64_t from = i * rows / s->count, to = (i + 1) * rows / s->count;
        s->row[i] = (uint32_t)(from + cdp_random(seed, i) % (to - from));
        s->error = fmaxf(s->error, p->codes.sketch[s->row[i]].error);
    }
    s->seed = cdp_random(seed, UINT64_MAX - 1);
    cdp_columns_pack(&s->columns, p, &p->codes, s->row, s->count, threads);
    return 0;
}

// Sets the squared distance of a column to its nearest centroid. With codes v of a candidate and w
// of the column, the candidate may be nearer only if |v - w| is at most r, its root in steps and
// the errors of both: if v.w + (r^2 - w.w) / 2 is at least v.v / 2.
static void set_square(struct sample *s, uint32_t column, double square)
{
    const struct cdp_sketcher *sketcher = &s->points->sketcher;
    const struct cdp_sketch *code = &s->points->codes.sketch[s->row[column]];
    double radius = sqrt(square) / sketcher->step + (double)code->error + (double)s->error;
    double offset = (radius * radius * (1 + 1e-9) - code->square) / 2 + 2;
    s->square[column] = square;
    s->columns.offset[column] = (int32_t)fmax(-LIMIT, fmin(LIMIT, ceil(offset)));
}

static void add_up(struct sample *s, uint32_t tile)
{
    s->sum[tile] = 0;
    for (uint32_t i = tile * TILE; i < (tile + 1) * TILE; i++)
        s->sum[tile] += s->square[i]; // 0 after the last column
}

static double uniform(const struct sample *s, uint64_t index)
{
    return (double)(cdp_random(s->seed, index) >> 11) * 0x1p-53;
}

// A column with a probability proportional to its square; the sum of all is `total`.
static uint32_t draw(const struct sample *s, double total, double part)
{
    double left = part * total;
    uint32_t tile = 0, last = 0;
    for (; tile + 1 < s->tiles && left >= s->sum[tile]; tile++)
        left -= s->sum[tile];
    for (uint32_t i = tile * TILE; i < cdp_min(s->count, (tile + 1) * TILE); i++) {
        if (s->square[i] > 0)
            last = i;
        if (s->square[i] > left)
            return i;
        left -= s->square[i];
    }
    return last;
}

static void set_candidate(struct sample *s, uint32_t i, uint32_t column)
{
    const struct cdp_points *p = s->points;
    s->column[i] = column;
    cdp_rows_unit(p->rows, s->row[column], s->number + i * p->rows->dim);
    cdp_points_pack(p, s->row[column], s->word + i * cdp_points_line(p));
}

// By how much a candidate makes a column's square smaller; -1 if it cannot. By codes, whose
// integers are the same everywhere, or measured where these are too coarse.
static double gain_of(const struct sample *s, uint32_t candidate, size_t column, float score)
{
    const struct cdp_points *p = s->points;
    const struct cdp_sketch *v = &p->codes.sketch[s->row[s->column[candidate]]];
    const struct cdp_sketch *w = &p->codes.sketch[s->row[column]];
    double before = s->square[column], step = p->sketcher.step;
    double error = ((double)v->error + (double)w->error) * step, most = sqrt(before) + error;
    double product = (double)score - s->columns.offset[column];
    double now = ((double)v->square + w->square - 2 * product) * step * step;
    if (now > most * most * (1 + 1e-6))
        return -1;
    if (error * error > FINE * before)
        now = cdp_points_square(p, s->row[column], s->number + candidate * p->rows->dim);
    return now < before ? before - now : 0;
}

// Adds up what the candidates gain in a tile.
static void try_tile(struct sample *s, uint32_t t)
{
    const struct cdp_points *p = s->points;
    const struct cdp_kernel *kernel = p->sketcher.kernel;
    const uint32_t *row[CANDIDATES];
    int32_t start[CANDIDATES];
    union cdp_threshold threshold[CANDIDATES];
    struct cdp_hits hits[CANDIDATES];
    float score[CANDIDATES][TILE];
    size_t line = cdp_points_line(p), first = (size_t)t * TILE;
    uint32_t here = cdp_min(s->count - first, TILE);
    double *gain = s->gain + (size_t)t * CANDIDATES;
    uint64_t *nearer = s->nearer + (size_t)t * CANDIDATES;
    for (uint32_t i = 0; i < s->candidates; i++) {
        const struct cdp_sketch *code = &p->codes.sketch[s->row[s->column[i]]];
        row[i] = s->word + i * line;
        start[i] = code->start;
        threshold[i].product = code->square / 2 - 1;
        gain[i] = 0;
        nearer[i] = 0;
    }
    struct cdp_tile tile = {.rows = s->candidates,
                            .row = row,
                            .start = start,
                            .threshold = threshold,
                            .score = score,
                            .offset = s->columns.offset + first,
                            .panel = s->columns.panel + first * p->sketcher.words,
                            .words = p->sketcher.words,
                            .panels = (here + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS};
    uint32_t some = kernel->metric[CDP_COSINE].tile(&tile, hits);
    for (uint32_t h = 0; h < some; h++) {
        uint32_t i = hits[h].row;
        for (uint64_t left = hits[h].columns; left; left &= left - 1) {
            uint32_t c = (uint32_t)__builtin_ctzll(left);
            if (c >= here)
                break;
            double own = gain_of(s, i, first + c, score[i][c]);
            if (own >= 0) {
                gain[i] += own;
                nearer[i] |= UINT64_C(1) << c;
            }
        }
    }
}

// The candidate that makes the sum of squares smallest.
static uint32_t best_candidate(struct sample *s, int threads)
{
    const struct cdp_kernel *kernel = s->points->sketcher.kernel;
#pragma omp parallel num_threads(threads)
    {
        cdp_kernel_begin(kernel, s->points->sketcher.words);
#pragma omp for schedule(static)
        for (uint32_t t = 0; t < s->tiles; t++)
            try_tile(s, t);
        cdp_kernel_end(kernel);
    }
    uint32_t best = 0;
    double most = -1;
    for (uint32_t i = 0; i < s->candidates; i++) {
        double gain = 0;
        for (uint32_t t = 0; t < s->tiles; t++)
            gain += s->gain[(size_t)t * CANDIDATES + i];
        if (gain > most) {
            most = gain;
            best = i;
        }
    }
    return best;
}

// What rounding leaves of the squared distance of equal directions counts as 0.
static double noticeable(const struct sample *s, double square)
{
    double noise = ((double)s->points->rows->dim + 16) * 0x1p-51;
    return square > noise * noise ? square : 0;
}

static void take(struct sample *s, uint32_t candidate)
{
    const struct cdp_points *p = s->points;
    const double *number = s->number + candidate * p->rows->dim;
    for (uint32_t t = 0; t < s->tiles; t++) {
        uint64_t nearer = s->nearer[(size_t)t * CANDIDATES + candidate];
        for (uint64_t left = nearer; left; left &= left - 1) {
            uint32_t column = t * TILE + (uint32_t)__builtin_ctzll(left);
            double square = noticeable(s, cdp_points_square(p, s->row[column], number));
            if (square < s->square[column])
                set_square(s, column, square);
        }
        if (nearer)
            add_up(s, t);
    }
}

static void take_first(struct sample *s, int threads)
{
    set_candidate(s, 0, (uint32_t)(uniform(s, 0) * s->count));
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint32_t t = 0; t < s->tiles; t++) {
        for (uint32_t i = t * TILE; i < cdp_min(s->count, (t + 1) * TILE); i++)
            set_square(s, i, noticeable(s, cdp_points_square(s->points, s->row[i], s->number)));
        add_up(s, t);
    }
}

// Takes the next centroid. Returns the candidate, or CANDIDATES if all rows are centroids.
static uint32_t take_next(struct sample *s, uint32_t number, uint32_t candidates, int threads)
{
    double total = 0;
    for (uint32_t t = 0; t < s->tiles; t++)
        total += s->sum[t];
    if (!(total > 0))
        return CANDIDATES;
    s->candidates = candidates;
    for (uint32_t i = 0; i < candidates; i++)
        set_candidate(s, i, draw(s, total, uniform(s, (uint64_t)number * CANDIDATES + i)));
    uint32_t best = best_candidate(s, threads);
    take(s, best);
    return best;
}

int cdp_seeds(struct cdp_centroids *c, const struct cdp_points *p, uint32_t count, uint64_t sample,
              uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct sample s;
    size_t dim = p->rows->dim;
    uint32_t candidates = 2 + (uint32_t)log(count), taken = 0;
    int status = new_sample(&s, p, sample, seed, threads, err);
    if (!status) {
        take_first(&s, threads);
        for (uint32_t best = 0; taken < count && best < CANDIDATES;) {
            if (cdp_progress_check(progress, err)) {
                free_sample(&s);
                return -1;
            }
            memcpy(c->number + taken++ * dim, s.number + best * dim, dim * sizeof *c->number);
            cdp_progress_add(progress, 1);
            if (taken < count)
                best = take_next(&s, taken, candidates, threads);
        }
        c->count = taken;
        cdp_progress_add(progress, count - taken);
        status = cdp_centroids_encode(c, p, NULL, taken, threads, err);
    }
    free_sample(&s);
    return status;
}
