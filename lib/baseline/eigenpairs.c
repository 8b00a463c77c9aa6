// SPDX-License-Identifier: MIT
#include "baseline/eigenpairs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "baseline/dense.h"

struct solver {
    const struct cdp_laplacian *laplacian;
    int threads;
    struct cdp_progress *progress;
};

// Columns from `first` on of the component's vectors, and back; those beyond the block are 0.
static void take_columns(const struct cdp_eigenpairs *c, uint64_t first, double *out)
{
    uint64_t count = c->block - first < CDP_LAPLACIAN_WIDE ? c->block - first : CDP_LAPLACIAN_WIDE;
    for (uint64_t i = 0; i < c->places.items; i++) {
        memcpy(out + i * CDP_LAPLACIAN_WIDE, c->vector + i * c->block + first, count * sizeof *out);
        memset(out + i * CDP_LAPLACIAN_WIDE + count, 0, (CDP_LAPLACIAN_WIDE - count) * sizeof *out);
    }
}

static void put_columns(const struct cdp_eigenpairs *c, uint64_t first, const double *in)
{
    uint64_t count = c->block - first < CDP_LAPLACIAN_WIDE ? c->block - first : CDP_LAPLACIAN_WIDE;
    for (uint64_t i = 0; i < c->places.items; i++)
        memcpy(c->vector + i * c->block + first, in + i * CDP_LAPLACIAN_WIDE, count * sizeof *in);
}

// A number in (-1, 1) for a column and a place.
static double noise(uint64_t column, uint64_t place)
{
    return (double)(int64_t)cdp_random(column, place) * 0x1p-63;
}

static bool is_dense(const struct cdp_eigenpairs *c)
{
    return c->places.items <= CDP_EIGENPAIRS_DENSE || 2 * c->block >= c->places.items;
}

static int solve_dense(const struct solver *s, struct cdp_eigenpairs *c, struct cdp_err *err)
{
    uint64_t n = c->places.items;
    c->block = n;
    c->vector = cdp_zalloc(n, n * sizeof *c->vector, "a component", err);
    c->value = cdp_alloc(n, sizeof *c->value, "eigenvalues", err);
    if (!c->vector || !c->value)
        return -1;
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t e = s->laplacian->begin[c->places.first + i];
             e < s->laplacian->begin[c->places.first + i + 1]; e++)
            c->vector[i * n + s->laplacian->target[e] - c->places.first] = s->laplacian->weight[e];
    }
    if (cdp_dense_eigen(c->vector, n, c->value, s->threads, s->progress, err))
        return -1;
    for (uint64_t i = 0; i < n; i++) { // one eigenvector a column
        for (uint64_t j = 0; j < i; j++) {
            double number = c->vector[i * n + j];
            c->vector[i * n + j] = c->vector[j * n + i];
            c->vector[j * n + i] = number;
        }
    }
    return 0;
}

// The degree of a filter: so high that the eigenvalue 0 of the Laplacian is amplified `most` times
// as much as those from the cut on.
enum { MOST_DEGREE = 100 };

static int degree_of(double cut, double most)
{
    double at = (1 + cut / 2) / (1 - cut / 2), before = 1, now = at;
    int degree = 1;
    for (; now < most && degree < MOST_DEGREE; degree++) {
        double next = 2 * at * now - before;
        before = now;
        now = next;
    }
    return degree;
}

// Replaces columns by the Chebyshev polynomial of N that is within 1 of 0 from -1 to 1 - cut.
static int filter(const struct solver *s, const struct cdp_eigenpairs *c, int degree,
                  struct cdp_err *err)
{
    uint64_t numbers = c->places.items * CDP_LAPLACIAN_WIDE;
    double *room =
        cdp_alloc_aligned((size_t)s->threads, 2 * numbers * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double middle = -c->cut / 2, half = 1 - c->cut / 2;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (uint64_t first = 0; first < c->block; first += CDP_LAPLACIAN_WIDE) {
        double *x = room + (size_t)cdp_thread() * 2 * numbers, *y = x + numbers;
        if (cdp_progress_stopped(s->progress))
            continue;
        take_columns(c, first, x);
        cdp_laplacian_step(s->laplacian, c->places,
                           &(struct cdp_laplacian_step){x, NULL, y, 1 / half, middle}, 1);
        for (int j = 1; j < degree && !cdp_progress_stopped(s->progress); j++) {
            cdp_laplacian_step(s->laplacian, c->places,
                               &(struct cdp_laplacian_step){y, x, x, 2 / half, middle}, 1);
            double *next = x;
            x = y;
            y = next;
        }
        put_columns(c, first, y);
        cdp_progress_add(s->progress, 1);
    }
    free(room);
    return cdp_progress_check(s->progress, err);
}

// Matrices of block x block.
struct small {
    double *gram, *image, *inverse;
    double *value;
};

// The upper halves of X'X and X'N X for the component's vectors X.
static int project(const struct solver *s, const struct cdp_eigenpairs *c, const struct small *m,
                   struct cdp_err *err)
{
    enum { TOGETHER = 64 }; // columns of a product of matrices, which packs X for each
    uint64_t b = c->block, n = c->places.items;
    double *room =
        cdp_alloc_aligned(n, (TOGETHER + 2 * CDP_LAPLACIAN_WIDE) * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double *x = room + n * TOGETHER, *y = x + n * CDP_LAPLACIAN_WIDE;
    struct cdp_dense_product product = {.a = {c->vector, 1, b},
                                        .b = {c->vector, b, 1},
                                        .rows = b,
                                        .columns = b,
                                        .depth = n,
                                        .c = m->gram,
                                        .stride = b,
                                        .upper = true};
    int status = cdp_dense_multiply(&product, s->threads, s->progress, err);
    product.b = (struct cdp_dense){room, TOGETHER, 1};
    product.upper = false;
    for (uint64_t first = 0; first < b && !status; first += TOGETHER) {
        product.columns = b - first < TOGETHER ? b - first : TOGETHER;
        product.rows = first + product.columns;
        product.c = m->image + first;
        for (uint64_t part = 0; part < product.columns; part += CDP_LAPLACIAN_WIDE) {
            take_columns(c, first + part, x);
            cdp_laplacian_step(s->laplacian, c->places,
                               &(struct cdp_laplacian_step){.x = x, .out = y, .by = 1}, s->threads);
            for (uint64_t i = 0; i < n; i++)
                memcpy(room + i * TOGETHER + part, y + i * CDP_LAPLACIAN_WIDE,
                       CDP_LAPLACIAN_WIDE * sizeof *y);
        }
        status = cdp_dense_multiply(&product, s->threads, s->progress, err);
    }
    free(room);
    return status;
}

// Sets `inverse` to T, upper triangular, with T' gram T = I, by Cholesky decomposition of the gram
// matrix scaled to a diagonal of 1. Columns that depend on those before, whose pivot is below
// 1e-12, are 0. The gram matrix is overwritten.
static int orthogonalize(const struct solver *s, const struct small *m, uint64_t b,
                         struct cdp_err *err)
{
    double *r = m->gram, *scale = m->value;
    for (uint64_t i = 0; i < b; i++)
        scale[i] = r[i * b + i] > 0 ? 1 / sqrt(r[i * b + i]) : 0;
    for (uint64_t i = 0; i < b; i++) {
        for (uint64_t j = i; j < b; j++)
            r[i * b + j] *= scale[i] * scale[j];
    }
    for (uint64_t k = 0; k < b && !cdp_progress_stopped(s->progress); k++) {
        double *row = r + k * b;
        bool used = row[k] > 1e-12;
        double by = used ? 1 / sqrt(row[k]) : 0;
        for (uint64_t j = k; j < b; j++)
            row[j] *= by;
        if (!used)
            continue; // row[k] is 0, which marks it
#pragma omp parallel for num_threads(s->threads) schedule(static, 16) if (b - k > 256)
        for (uint64_t i = k + 1; i < b; i++) {
            double *other = r + i * b;
            for (uint64_t j = i; j < b; j++)
                other[j] -= row[i] * row[j];
        }
    }
    enum { COLUMNS = 32 };
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (uint64_t from = 0; from < b; from += COLUMNS) { // R T = I, from the last row up
        uint64_t end = from + COLUMNS < b ? from + COLUMNS : b;
        for (uint64_t i = b; i-- > 0 && !cdp_progress_stopped(s->progress);) {
            double *own = m->inverse + i * b;
            bool used = r[i * b + i] > 0;
            for (uint64_t j = from; j < end; j++)
                own[j] = i == j && used ? 1 : 0;
            for (uint64_t k = i + 1; k < end; k++) {
                double by = r[i * b + k];
                for (uint64_t j = from; j < end; j++)
                    own[j] -= by * m->inverse[k * b + j];
            }
            for (uint64_t j = from; j < end; j++)
                own[j] = used ? own[j] / r[i * b + i] : 0;
        }
    }
    for (uint64_t i = 0; i < b; i++) {
        for (uint64_t j = 0; j < b; j++)
            m->inverse[i * b + j] *= scale[i];
    }
    return cdp_progress_check(s->progress, err);
}

// X := X Q for Q of block x block, one column a row of `turned`.
static int turn_vectors(const struct solver *s, const struct cdp_eigenpairs *c,
                        const double *turned, struct cdp_err *err)
{
    enum { PANEL = 1024 };
    uint64_t b = c->block;
    int status = 0;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (uint64_t from = 0; from < c->places.items; from += PANEL) {
        uint64_t count = c->places.items - from < PANEL ? c->places.items - from : PANEL;
        struct cdp_err own;
        double *room = cdp_alloc_aligned(count, b * sizeof *room, "vectors", &own);
        struct cdp_dense_product turn = {.a = {c->vector + from * b, b, 1},
                                         .b = {turned, 1, b},
                                         .rows = count,
                                         .columns = b,
                                         .depth = b,
                                         .c = room,
                                         .stride = b};
        int failed = room ? cdp_dense_multiply(&turn, 1, s->progress, &own) : -1;
        if (!failed)
            memcpy(c->vector + from * b, room, count * b * sizeof *room);
        free(room);
#pragma omp critical
        if (failed && !status) {
            status = -1;
            *err = own;
        }
    }
    return status;
}

static void fill_column(const struct cdp_eigenpairs *c, uint64_t column)
{
    for (uint64_t i = 0; i < c->places.items; i++)
        c->vector[i * c->block + column] = noise(column, c->places.first + i);
}

// Makes the vectors those of the largest eigenvalues within their span (Rayleigh, Ritz), which go
// to m->value. Directions that were lost become random ones, of the eigenvalue -2.
static int rayleigh_ritz(const struct solver *s, const struct cdp_eigenpairs *c,
                         const struct small *m, struct cdp_err *err)
{
    uint64_t b = c->block;
    if (project(s, c, m, err))
        return -1;
    for (uint64_t i = 0; i < b; i++) {
        for (uint64_t j = 0; j < i; j++)
            m->image[i * b + j] = m->image[j * b + i];
    }
    if (orthogonalize(s, m, b, err))
        return -1;
    struct cdp_dense_product product = {.a = {m->image, b, 1},
                                        .b = {m->inverse, b, 1},
                                        .rows = b,
                                        .columns = b,
                                        .depth = b,
                                        .c = m->gram,
                                        .stride = b};
    if (cdp_dense_multiply(&product, s->threads, s->progress, err))
        return -1;
    product.a = (struct cdp_dense){m->inverse, 1, b};
    product.b.at = m->gram;
    product.c = m->image;
    if (cdp_dense_multiply(&product, s->threads, s->progress, err))
        return -1;
    for (uint64_t i = 0; i < b; i++) {
        if (m->inverse[i * b + i] == 0)
            m->image[i * b + i] = -2;
        for (uint64_t j = 0; j < i; j++) // the product is symmetric but for rounding
            m->image[i * b + j] = m->image[j * b + i];
    }
    if (cdp_dense_eigen(m->image, b, m->value, s->threads, s->progress, err))
        return -1;
    product.a = (struct cdp_dense){m->image, b, 1}; // Q' = Y' T', one column of Q a row
    product.b = (struct cdp_dense){m->inverse, 1, b};
    product.c = m->gram;
    if (cdp_dense_multiply(&product, s->threads, s->progress, err) ||
        turn_vectors(s, c, m->gram, err))
        return -1;
    for (uint64_t j = 0; j < b; j++) {
        if (m->value[j] < -1.5)
            fill_column(c, j);
    }
    return 0;
}

// Sets *error to what the wanted eigenvalues may be wrong by: for the residual r of each, |r|, or
// |r|^2 divided by the distance to the first eigenvalue beyond the block, for which the cut stands,
// if that is less (Parlett: The symmetric eigenvalue problem, section 11.7).
static int find_error(const struct solver *s, const struct cdp_eigenpairs *c, double *error,
                      struct cdp_err *err)
{
    uint64_t numbers = c->places.items * CDP_LAPLACIAN_WIDE;
    double *room =
        cdp_alloc_aligned((size_t)s->threads, 2 * numbers * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double most = 0;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic) reduction(max : most)
    for (uint64_t first = 0; first < c->wanted; first += CDP_LAPLACIAN_WIDE) {
        double *x = room + (size_t)cdp_thread() * 2 * numbers, *y = x + numbers;
        double square[CDP_LAPLACIAN_WIDE] = {0};
        if (cdp_progress_stopped(s->progress))
            continue;
        take_columns(c, first, x);
        cdp_laplacian_step(s->laplacian, c->places,
                           &(struct cdp_laplacian_step){.x = x, .out = y, .by = 1}, 1);
        for (uint64_t i = 0; i < numbers; i++) {
            uint64_t column = first + i % CDP_LAPLACIAN_WIDE;
            double residual = column < c->wanted ? y[i] - c->value[column] * x[i] : 0;
            square[i % CDP_LAPLACIAN_WIDE] += residual * residual;
        }
        for (uint64_t d = 0; d < CDP_LAPLACIAN_WIDE && first + d < c->wanted; d++) {
            double gap = c->cut - 1 + c->value[first + d], length = sqrt(square[d]);
            most = fmax(most, length < gap ? square[d] / gap : length);
        }
    }
    free(room);
    *error = most;
    return cdp_progress_check(s->progress, err);
}

static int iterate(const struct solver *s, struct cdp_eigenpairs *c, const struct small *m,
                   struct cdp_err *err)
{
    enum { ROUNDS = 40 };
    const double enough = 5e-7;
    // Column 0 is of the eigenvalue 1. This first touches the vectors' memory.
    for (uint64_t i = 0; i < c->places.items && !cdp_progress_stopped(s->progress); i++)
        c->vector[i * c->block] = s->laplacian->root[c->places.first + i];
    for (uint64_t j = 1; j < c->block && !cdp_progress_stopped(s->progress); j++)
        fill_column(c, j);
    for (uint64_t j = 0; j < c->wanted; j++)
        c->value[j] = -1;
    for (int round = 0; round < ROUNDS; round++) {
        // From random vectors, numbers of 1e-5 are told apart safely. Ritz vectors are orthogonal
        // nearly to rounding: later filters make them differ in scale, which orthogonalize removes.
        cdp_progress_stage(s->progress, CDP_PROGRESS_ROUND,
                           (c->block + CDP_LAPLACIAN_WIDE - 1) / CDP_LAPLACIAN_WIDE);
        if (filter(s, c, degree_of(c->cut, round > 0 ? 1e12 : 1e5), err) ||
            rayleigh_ritz(s, c, m, err))
            return -1;
        double change = 0;
        for (uint64_t j = 0; j < c->wanted; j++) {
            change = fmax(change, fabs(m->value[j] - c->value[j]));
            c->value[j] = m->value[j];
        }
        double error = change;
        if (error > enough && round > 0 && find_error(s, c, &error, err))
            return -1;
        if (error <= enough)
            break;
        // The block's last eigenvalues converge last, from above: until then the estimate by
        // moments is nearer.
        double last = 1 - m->value[c->block - 1];
        if (round > 0 && last < 1.9 && (last < c->cut || 1 - c->value[c->wanted - 1] > c->cut))
            c->cut = last;
    }
    return 0;
}

static int solve_sparse(const struct solver *s, struct cdp_eigenpairs *c, struct cdp_err *err)
{
    uint64_t b = c->block;
    double *room = cdp_alloc_aligned(b, 3 * b * sizeof *room, "projected matrices", err);
    struct small m = {room, room + b * b, room + 2 * b * b,
                      cdp_alloc(b, sizeof *m.value, "eigenvalues", err)};
    c->vector = cdp_alloc_aligned(c->places.items, b * sizeof *c->vector, "eigenvectors", err);
    c->value = cdp_alloc(b, sizeof *c->value, "eigenvalues", err);
    int status = room && m.value && c->vector && c->value ? iterate(s, c, &m, err) : -1;
    free(room);
    free(m.value);
    return status;
}

int cdp_eigenpairs_find(struct cdp_eigenpairs *c, const struct cdp_laplacian *laplacian,
                        int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    struct solver s = {laplacian, threads, progress};
    cdp_eigenpairs_free(c);
    if (cdp_progress_check(progress, err))
        return -1;
    return is_dense(c) ? solve_dense(&s, c, err) : solve_sparse(&s, c, err);
}

void cdp_eigenpairs_free(struct cdp_eigenpairs *c)
{
    free(c->vector);
    free(c->value);
    c->vector = c->value = NULL;
}
