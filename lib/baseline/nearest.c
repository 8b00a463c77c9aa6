// SPDX-License-Identifier: MIT
#include "baseline/nearest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/threads.h"
#include "base/vectors.h"
#include "knn/data/operand.h"

enum {
    TILE = CDP_TILE_COLUMNS,
    BATCH = CDP_SKETCH_BLOCK,
    LEARN_ROWS =
        4095,  // for the origin and the step; of more, sketches would be of principal directions
    ROWS = 60, // compared together; they fit the L1 cache with a tile
    CANDIDATES = 16, // of a row; when there are more, they are measured
};

static const enum cdp_metric PRODUCTS = CDP_COSINE; // the kernels of dot products

// Squares of distances, at most 2 and the errors of codes, keep below 2^29 in steps.
static const double MIN_STEP = 0x1p-13;

// ---- exact distances

CDP_INLINE cdp_doubles widened(const float *at)
{
    typedef float floats4 __attribute__((vector_size(16)));
    floats4 v;
    memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, cdp_doubles);
}

CDP_INLINE cdp_doubles apart(const float *x, cdp_doubles unit, const double *c)
{
    cdp_doubles at;
    memcpy(&at, c, sizeof at);
    return widened(x) * unit - at;
}

CDP_INLINE double square_to(const float *x, double unit, const double *c, size_t dim)
{
    cdp_doubles low = {0}, high = {0}, units = {unit, unit, unit, unit};
    size_t d = 0;
    for (; d + 8 <= dim; d += 8) {
        cdp_doubles a = apart(x + d, units, c + d), b = apart(x + d + 4, units, c + d + 4);
        low += a * a;
        high += b * b;
    }
    if (d < dim) {
        float rest[8] = {0};
        double from[8] = {0};
        memcpy(rest, x + d, (dim - d) * sizeof *rest);
        memcpy(from, c + d, (dim - d) * sizeof *from);
        cdp_doubles a = apart(rest, units, from), b = apart(rest + 4, units, from + 4);
        low += a * a;
        high += b * b;
    }
    cdp_doubles s = low + high;
    return (s[0] + s[2]) + (s[1] + s[3]);
}

#define SQUARE(isa, attribute)                                                            \
    attribute static double square_##isa(const float *x, double inverse, const double *c, \
                                         size_t dim)                                      \
    {                                                                                     \
        return square_to(x, inverse, c, dim);                                             \
    }

SQUARE(plain, )
#ifdef __x86_64__
SQUARE(avx2, __attribute__((target("avx2"))))
#endif

double cdp_points_square(const struct cdp_points *p, uint64_t row, const double *centroid)
{
    const float *x = cdp_rows_at(p->rows, row);
    double inverse = p->rows->inverse[row];
    return p->square(x, inverse, centroid, p->rows->dim);
}

// ---- codes

static int new_codes(struct cdp_codes *codes, const struct cdp_points *p, uint64_t count,
                     struct cdp_err *err)
{
    size_t words = p->sketcher.words;
    codes->word = cdp_alloc_aligned(count, words * sizeof *codes->word, "codes", err);
    codes->sketch = cdp_alloc(count, sizeof *codes->sketch, "codes", err);
    return codes->word && codes->sketch ? 0 : -1;
}

static void free_codes(struct cdp_codes *codes)
{
    free(codes->word);
    free(codes->sketch);
}

// Error of the numbers of a vector of length 1 or less, beside that of its code: they are computed
// in double.
static double error_of(const struct cdp_points *p)
{
    return ((double)p->rows->dim + 16) * 0x1p-51;
}

// A thread's memory for vectors that are encoded together.
struct encoder {
    double *room;
    float *vector;  // BATCH vectors
    uint32_t *word; // and their codes
};

static void free_encoders(struct encoder *e, int threads)
{
    for (int t = 0; e && t < threads; t++) {
        free(e[t].room);
        free(e[t].vector);
        free(e[t].word);
    }
    free(e);
}

static struct encoder *new_encoders(const struct cdp_points *p, int threads, struct cdp_err *err)
{
    size_t dim = p->rows->dim;
    struct encoder *e = cdp_zalloc((size_t)threads, sizeof *e, "threads", err);
    for (int t = 0; e && t < threads; t++) {
        e[t].room = cdp_alloc(dim, sizeof *e[t].room, "codes", err);
        e[t].vector = cdp_alloc(dim, BATCH * sizeof *e[t].vector, "codes", err);
        e[t].word = cdp_alloc(p->sketcher.words, BATCH * sizeof *e[t].word, "codes", err);
        if (!e[t].room || !e[t].vector || !e[t].word) {
            free_encoders(e, threads);
            return NULL;
        }
    }
    return e;
}

// ---- rows

// The vector of a row: less the origin.
static void set_vector(const struct cdp_points *p, uint64_t row, float *vector)
{
    const float *x = cdp_rows_at(p->rows, row);
    for (size_t d = 0; d < p->rows->dim; d++)
        vector[d] = (float)((double)x[d] * p->rows->inverse[row] - p->origin[d]);
}

// Sets the origin and the step of codes from a sample.
static int learn(struct cdp_points *p, int threads, struct cdp_err *err)
{
    uint64_t rows = p->rows->count, count = rows < LEARN_ROWS ? rows : LEARN_ROWS;
    size_t dim = p->rows->dim;
    float *vectors = cdp_alloc(count, dim * sizeof *vectors, "a choice of rows", err);
    if (!vectors)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = i * rows / count;
        for (size_t d = 0; d < dim; d++)
            p->origin[d] +=
                (double)cdp_rows_at(p->rows, row)[d] * p->rows->inverse[row] / (double)count;
    }
    for (uint64_t i = 0; i < count; i++)
        set_vector(p, i * rows / count, vectors + i * dim);
    int status = cdp_sketcher_new(&p->sketcher, vectors, count, dim, NULL, 0, false, cdp_kernel(),
                                  threads, err);
    p->sketcher.step = fmax(p->sketcher.step, MIN_STEP);
    free(vectors);
    return status;
}

static int encode_rows(struct cdp_points *p, int threads, struct cdp_err *err)
{
    uint64_t rows = p->rows->count;
    size_t dim = p->rows->dim, words = p->sketcher.words;
    struct encoder *encoders = new_encoders(p, threads, err);
    if (!encoders || new_codes(&p->codes, p, rows, err)) {
        free_encoders(encoders, threads);
        return -1;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < rows; row += BATCH) {
        struct encoder *e = &encoders[cdp_thread()];
        size_t here = rows - row < BATCH ? rows - row : BATCH;
        for (size_t i = 0; i < here; i++)
            set_vector(p, row + i, e->vector + i * dim);
        cdp_sketch(&p->sketcher, e->vector, here, error_of(p), e->room, p->codes.sketch + row,
                   p->codes.word + row * words);
    }
    free_encoders(encoders, threads);
    return 0;
}

int cdp_points_new(struct cdp_points *p, const struct cdp_rows *rows, int threads,
                   struct cdp_err *err)
{
    *p = (struct cdp_points){.rows = rows, .square = square_plain};
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2)
        p->square = square_avx2;
#endif
    p->origin = cdp_zalloc(rows->dim, sizeof *p->origin, "the mean", err);
    return p->origin && !learn(p, threads, err) && !encode_rows(p, threads, err) ? 0 : -1;
}

void cdp_points_free(struct cdp_points *p)
{
    free(p->origin);
    cdp_sketcher_free(&p->sketcher);
    free_codes(&p->codes);
    *p = (struct cdp_points){0};
}

size_t cdp_points_line(const struct cdp_points *p)
{
    cdp_pack_function *pack = p->sketcher.kernel->metric[PRODUCTS].pack;
    return pack ? pack(NULL, p->sketcher.words, NULL) : p->sketcher.words;
}

void cdp_points_pack(const struct cdp_points *p, uint64_t row, uint32_t *line)
{
    cdp_pack_function *pack = p->sketcher.kernel->metric[PRODUCTS].pack;
    size_t words = p->sketcher.words;
    if (pack)
        pack(p->codes.word + row * words, words, line);
    else
        memcpy(line, p->codes.word + row * words, words * sizeof *line);
}

// ---- columns

int cdp_columns_new(struct cdp_columns *c, const struct cdp_points *p, uint32_t capacity,
                    struct cdp_err *err)
{
    size_t tiles = ((size_t)capacity + TILE - 1) / TILE, words = p->sketcher.words;
    *c = (struct cdp_columns){0};
    c->panel = cdp_alloc_aligned(tiles * TILE, words * sizeof *c->panel, "columns", err);
    c->offset = cdp_alloc_aligned(tiles * TILE, sizeof *c->offset, "columns", err);
    c->error = cdp_alloc(tiles * TILE, sizeof *c->error, "columns", err);
    c->max_error = cdp_alloc(tiles, sizeof *c->max_error, "columns", err);
    return c->panel && c->offset && c->error && c->max_error ? 0 : -1;
}

void cdp_columns_free(struct cdp_columns *c)
{
    free(c->panel);
    free(c->offset);
    free(c->error);
    free(c->max_error);
    *c = (struct cdp_columns){0};
}

static uint32_t id_at(const struct cdp_columns *c, uint32_t column)
{
    return c->id ? c->id[column] : column;
}

static void pack_tile(struct cdp_columns *c, size_t words, const struct cdp_codes *codes,
                      uint32_t first)
{
    const uint32_t *item[TILE] = {0};
    uint32_t here = cdp_min(c->count - first, TILE);
    float most = 0;
    for (uint32_t i = 0; i < TILE; i++)
        c->offset[first + i] = 0;
    for (uint32_t i = 0; i < here; i++) {
        uint32_t id = id_at(c, first + i);
        item[i] = codes->word + id * words;
        c->offset[first + i] = -(codes->sketch[id].square / 2);
        c->error[first + i] = codes->sketch[id].error;
        most = fmaxf(most, codes->sketch[id].error);
    }
    c->max_error[first / TILE] = most;
    for (uint32_t i = 0; i < here; i += CDP_PANEL_COLUMNS)
        cdp_operand_pack_panel(c->panel + (first + i) * words, item + i,
                               cdp_min(here - i, CDP_PANEL_COLUMNS), words, CDP_DOT_FLIP);
}

void cdp_columns_pack(struct cdp_columns *c, const struct cdp_points *p,
                      const struct cdp_codes *codes, const uint32_t *id, uint32_t count,
                      int threads)
{
    c->id = id;
    c->count = count;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint32_t first = 0; first < count; first += TILE)
        pack_tile(c, p->sketcher.words, codes, first);
}

// ---- centroids

int cdp_centroids_new(struct cdp_centroids *c, const struct cdp_points *p, uint32_t count,
                      struct cdp_err *err)
{
    *c = (struct cdp_centroids){.count = count};
    c->number = cdp_alloc(count, p->rows->dim * sizeof *c->number, "centroids", err);
    return !c->number || new_codes(&c->codes, p, count, err) ||
                   cdp_columns_new(&c->columns, p, count, err)
               ? -1
               : 0;
}

void cdp_centroids_free(struct cdp_centroids *c)
{
    free(c->number);
    free_codes(&c->codes);
    cdp_columns_free(&c->columns);
    *c = (struct cdp_centroids){0};
}

int cdp_centroids_encode(struct cdp_centroids *c, const struct cdp_points *p, const uint32_t *id,
                         uint32_t count, int threads, struct cdp_err *err)
{
    size_t dim = p->rows->dim, words = p->sketcher.words;
    struct encoder *encoders = new_encoders(p, threads, err);
    if (!encoders)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint32_t i = 0; i < count; i++) {
        struct encoder *e = &encoders[cdp_thread()];
        uint32_t own = id ? id[i] : i;
        for (size_t d = 0; d < dim; d++)
            e->vector[d] = (float)(c->number[own * dim + d] - p->origin[d]);
        cdp_sketch(&p->sketcher, e->vector, 1, error_of(p), e->room, c->codes.sketch + own,
                   c->codes.word + own * words);
    }
    free_encoders(encoders, threads);
    cdp_columns_pack(&c->columns, p, &c->codes, NULL, c->count, threads);
    return 0;
}

// ---- the search

int cdp_assignment_new(struct cdp_assignment *a, uint64_t rows, struct cdp_err *err)
{
    a->label = cdp_alloc(rows, sizeof *a->label, "labels", err);
    a->square = cdp_alloc(rows, sizeof *a->square, "distances", err);
    a->lower = cdp_alloc(rows, sizeof *a->lower, "distances", err);
    return a->label && a->square && a->lower ? 0 : -1;
}

void cdp_assignment_clear(struct cdp_assignment *a, uint64_t rows)
{
    for (uint64_t row = 0; row < rows; row++) {
        a->label[row] = CDP_NO_CENTROID;
        a->square[row] = INFINITY;
        a->lower[row] = INFINITY;
    }
}

void cdp_assignment_free(struct cdp_assignment *a)
{
    free(a->label);
    free(a->square);
    free(a->lower);
    *a = (struct cdp_assignment){0};
}

struct best {
    uint32_t label;
    double square;
};

static void measure(struct best *best, const struct cdp_points *p, const struct cdp_centroids *c,
                    uint64_t row, uint32_t centroid)
{
    double square = cdp_points_square(p, row, c->number + centroid * p->rows->dim);
    if (square < best->square || (square == best->square && centroid < best->label))
        *best = (struct best){centroid, square};
}

// A row that is searched for. Distances are in steps of codes.
struct query {
    uint32_t row, own; // its label before
    uint32_t columns;  // to compare with
    float upper;       // an upper bound of the distance to the nearest
    float lower[2];    // the two smallest lower bounds of distances to others than `own`,
    uint32_t nearest;  // the first of which is that of this centroid
    struct best best;  // of those that were measured, and of `own`
    uint32_t found;    // candidates: columns that may be nearest
    struct candidate {
        uint32_t centroid;
        float lower;
    } candidate[CANDIDATES];
};

// A thread's memory.
struct search {
    struct query query[ROWS];
    uint32_t *word; // packed codes of the queries
    size_t line;    // words of each
    float score[ROWS][TILE];
};

// Drops the candidates that cannot be nearest any more.
static void prune(struct query *q)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < q->found; i++) {
        if (q->candidate[i].lower <= q->upper)
            q->candidate[kept++] = q->candidate[i];
    }
    q->found = kept;
}

// Measures the candidates.
static void settle(struct query *q, const struct cdp_points *p, const struct cdp_centroids *c)
{
    prune(q);
    for (uint32_t i = 0; i < q->found; i++)
        measure(&q->best, p, c, q->row, q->candidate[i].centroid);
    q->found = 0;
    float upper = (float)(sqrt(q->best.square) / p->sketcher.step * (1 + 1e-6));
    q->upper = upper < q->upper ? upper : q->upper;
}

// A column passed, with these bounds of its distance.
static void offer(struct query *q, const struct cdp_points *p, const struct cdp_centroids *c,
                  uint32_t centroid, float lower, float upper)
{
    if (centroid == q->own)
        return;
    if (lower < q->lower[0]) {
        q->lower[1] = q->lower[0];
        q->lower[0] = lower;
        q->nearest = centroid;
    } else if (lower < q->lower[1]) {
        q->lower[1] = lower;
    }
    q->upper = upper < q->upper ? upper : q->upper;
    if (lower > q->upper)
        return;
    if (q->found == CANDIDATES)
        settle(q, p, c);
    q->candidate[q->found++] = (struct candidate){centroid, lower};
}

// Compares the queries with a tile of columns.
static void search_tile(struct search *s, uint32_t queries, const struct cdp_points *p,
                        const struct cdp_centroids *centroids, const struct cdp_columns *columns,
                        uint32_t first)
{
    const struct cdp_kernel *kernel = p->sketcher.kernel;
    const uint32_t *row[ROWS];
    int32_t start[ROWS];
    float radius[ROWS], error[ROWS], square[ROWS];
    union cdp_threshold threshold[ROWS];
    struct cdp_hits hits[ROWS];
    uint32_t id[ROWS], count = 0;
    for (uint32_t i = 0; i < queries; i++) {
        const struct query *q = &s->query[i];
        if (q->columns <= first)
            continue;
        const struct cdp_sketch *code = &p->codes.sketch[q->row];
        row[count] = s->word + i * s->line;
        start[count] = code->start;
        radius[count] = q->lower[1] > q->upper ? q->lower[1] : q->upper;
        error[count] = code->error;
        square[count] = (float)code->square;
        id[count++] = i;
    }
    if (count == 0)
        return;
    uint32_t here = cdp_min(columns->count - first, TILE);
    struct cdp_bounds bounds = {.radius = radius,
                                .error = error,
                                .square = square,
                                .count = count,
                                .column_error = columns->max_error[first / TILE]};
    struct cdp_tile tile = {.rows = count,
                            .row = row,
                            .start = start,
                            .threshold = threshold,
                            .score = s->score,
                            .offset = columns->offset + first,
                            .panel = columns->panel + first * p->sketcher.words,
                            .words = p->sketcher.words,
                            .panels = (here + CDP_PANEL_COLUMNS - 1) / CDP_PANEL_COLUMNS};
    kernel->thresholds(&bounds, threshold);
    uint32_t some = kernel->metric[PRODUCTS].tile(&tile, hits);
    for (uint32_t h = 0; h < some; h++) {
        uint32_t r = hits[h].row;
        struct query *q = &s->query[id[r]];
        uint32_t most = cdp_min(q->columns - first, here);
        for (uint64_t left = hits[h].columns; left; left &= left - 1) {
            uint32_t c = (uint32_t)__builtin_ctzll(left);
            if (c >= most)
                break;
            // Rounding of -q.q / 2 is within 1, of single precision within 2^-21 of the terms.
            float product = 2 * s->score[r][c], apart = square[r] - product;
            float slack = 2 + 0x1p-20F * (square[r] + fabsf(product));
            float least = apart > slack ? sqrtf(apart - slack) : 0;
            float e = error[r] + columns->error[first + c];
            offer(q, p, centroids, id_at(columns, first + c), least - e, sqrtf(apart + slack) + e);
        }
    }
}

static float smaller(float a, float b)
{
    return a < b ? a : b;
}

// Writes what is known of the query's row now.
static void finish(struct query *q, struct cdp_assignment *a, const struct cdp_points *p,
                   const struct cdp_centroids *c)
{
    uint64_t row = q->row;
    settle(q, p, c);
    float least = q->lower[q->best.label == q->nearest];
    float lower = cdp_lower((double)(least > 0 ? least : 0) * p->sketcher.step);
    lower = smaller(lower, a->lower[row]);
    if (q->best.label != q->own && q->own != CDP_NO_CENTROID)
        lower = smaller(lower, cdp_lower(sqrt(a->square[row])));
    a->label[row] = q->best.label;
    a->square[row] = q->best.square;
    a->lower[row] = lower;
}

// Sets a query, with no bound but those that are known.
static void start(struct search *s, uint32_t i, uint64_t job, const struct cdp_assignment *a,
                  const struct cdp_points *p)
{
    uint32_t row = (uint32_t)job;
    float lower = (float)((double)a->lower[row] / p->sketcher.step * (1 + 1e-6));
    s->query[i] = (struct query){
        .row = row,
        .own = a->label[row],
        .columns = (uint32_t)(job >> 32),
        .upper = (float)(sqrt(a->square[row]) / p->sketcher.step * (1 + 1e-6)),
        .lower = {lower, lower},
        .nearest = CDP_NO_CENTROID,
        .best = {a->label[row], a->square[row]},
    };
    cdp_points_pack(p, row, s->word + i * s->line);
}

static void search_rows(struct search *s, struct cdp_assignment *a, const struct cdp_points *p,
                        const struct cdp_centroids *c, const struct cdp_columns *columns,
                        const uint64_t *jobs, uint32_t count)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        start(s, i, jobs[i], a, p);
        most = s->query[i].columns > most ? s->query[i].columns : most;
    }
    for (uint32_t first = 0; first < most; first += TILE)
        search_tile(s, count, p, c, columns, first);
    for (uint32_t i = 0; i < count; i++)
        finish(&s->query[i], a, p, c);
}

static void free_searches(struct search *s, int threads)
{
    for (int t = 0; s && t < threads; t++)
        free(s[t].word);
    free(s);
}

static struct search *new_searches(const struct cdp_points *p, int threads, struct cdp_err *err)
{
    struct search *s = cdp_zalloc((size_t)threads, sizeof *s, "threads", err);
    for (int t = 0; s && t < threads; t++) {
        s[t].line = cdp_points_line(p);
        s[t].word = cdp_alloc_aligned(ROWS, s[t].line * sizeof *s[t].word, "threads", err);
        if (!s[t].word) {
            free_searches(s, threads);
            return NULL;
        }
    }
    return s;
}

int cdp_nearest(struct cdp_assignment *a, const struct cdp_points *p, const struct cdp_centroids *c,
                const struct cdp_columns *columns, const uint64_t *jobs, uint64_t count,
                int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    const struct cdp_kernel *kernel = p->sketcher.kernel;
    struct search *searches = new_searches(p, threads, err);
    if (!searches)
        return -1;
#pragma omp parallel num_threads(threads)
    {
        cdp_kernel_begin(kernel, p->sketcher.words);
#pragma omp for schedule(dynamic, 1)
        for (uint64_t first = 0; first < count; first += ROWS) {
            uint32_t here = cdp_min(count - first, ROWS);
            if (cdp_progress_stopped(progress))
                continue;
            search_rows(&searches[cdp_thread()], a, p, c, columns, jobs + first, here);
            cdp_progress_add(progress, here);
        }
        cdp_kernel_end(kernel);
    }
    free_searches(searches, threads);
    return cdp_progress_check(progress, err);
}
