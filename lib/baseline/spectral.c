// SPDX-License-Identifier: MIT
#include "baseline/spectral.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "base/vectors.h"
#include "baseline/adjacency.h"
#include "baseline/dense.h"

// All is computed for N = D^-1/2 W D^-1/2, whose largest eigenvalues are 1 less the smallest of the
// Laplacian. Items have places: those of a component follow each other, in breadth-first order, so
// that adjacent items are near in memory.

struct component {
    uint64_t first, items; // places
    uint64_t wanted;       // eigenvalues, the largest
    uint64_t block;        // columns of `vector`
    double cut;            // filters damp eigenvalues of the Laplacian from here on
    double *vector;        // items x block: the first `wanted` columns are eigenvectors
    double *value;         // `wanted` eigenvalues of N, descending
    uint64_t chosen;       // that are among the C of all components
};

struct spectral {
    uint64_t items;
    uint32_t *item;   // of each place
    uint64_t *begin;  // edges of each place
    uint32_t *target; // places
    double *weight;   // numbers of N
    double *root;     // of the degree of each place; 1 if it is 0
    struct component *component;
    uint64_t components;
    int threads;
    struct cdp_progress *progress;
};

// ---- the graph

static int begin_component(struct spectral *s, uint64_t first, size_t *room, struct cdp_err *err)
{
    if (s->components == *room &&
        cdp_grow(&s->component, room, s->components + 1, sizeof *s->component, "components", err))
        return -1;
    s->component[s->components++] = (struct component){.first = first};
    return 0;
}

// Sets item[] and the components; place[i] is that of item i.
static int find_components(struct spectral *s, const struct cdp_adjacency *graph, uint32_t *place,
                           struct cdp_err *err)
{
    uint64_t end = 0, from = 0;
    size_t room = 0;
    memset(place, 0xff, s->items * sizeof *place);
    for (uint64_t i = 0; i < s->items; i++) {
        if (place[i] != UINT32_MAX)
            continue;
        if (begin_component(s, end, &room, err))
            return -1;
        place[i] = (uint32_t)end;
        s->item[end++] = (uint32_t)i;
        for (; from < end; from++) {
            uint32_t own = s->item[from];
            for (uint64_t e = graph->begin[own]; e < graph->begin[own + 1]; e++) {
                uint32_t target = graph->target[e];
                if (place[target] == UINT32_MAX) {
                    place[target] = (uint32_t)end;
                    s->item[end++] = target;
                }
            }
        }
        struct component *last = &s->component[s->components - 1];
        last->items = end - last->first;
    }
    return 0;
}

static void fill_edges(struct spectral *s, const struct cdp_adjacency *graph, const uint32_t *place)
{
    uint64_t at = 0;
    for (uint64_t p = 0; p < s->items; p++) {
        uint32_t own = s->item[p];
        double degree = 0;
        s->begin[p] = at;
        for (uint64_t e = graph->begin[own]; e < graph->begin[own + 1]; e++, at++) {
            s->target[at] = place[graph->target[e]];
            s->weight[at] = graph->mutual[e] ? 1 : 0.5;
            degree += s->weight[at];
        }
        s->root[p] = degree > 0 ? sqrt(degree) : 1;
    }
    s->begin[s->items] = at;
    for (uint64_t p = 0; p < s->items; p++) {
        for (uint64_t e = s->begin[p]; e < s->begin[p + 1]; e++)
            s->weight[e] /= s->root[p] * s->root[s->target[e]];
    }
}

static int make_graph(struct spectral *s, const struct cdp_neighbours *lists, struct cdp_err *err)
{
    struct cdp_adjacency graph;
    if (cdp_adjacency_new(&graph, lists, err))
        return -1;
    s->items = lists->rows;
    uint64_t ends = graph.begin[s->items];
    uint32_t *place = cdp_alloc(s->items, sizeof *place, "places of items", err);
    s->item = cdp_alloc(s->items, sizeof *s->item, "items", err);
    s->begin = cdp_alloc(s->items + 1, sizeof *s->begin, "edges", err);
    s->target = cdp_alloc(ends, sizeof *s->target, "edges", err);
    s->weight = cdp_alloc(ends, sizeof *s->weight, "edges", err);
    s->root = cdp_alloc(s->items, sizeof *s->root, "degrees", err);
    int status = place && s->item && s->begin && s->target && s->weight && s->root ? 0 : -1;
    if (!status)
        status = find_components(s, &graph, place, err);
    if (!status)
        fill_edges(s, &graph, place);
    free(place);
    cdp_adjacency_free(&graph);
    return status;
}

// ---- products with the sparse matrix

enum { WIDE = 16 }; // columns that pass the graph together: two cache lines

// out = by * (N - middle I) x - before, for WIDE columns of a component; out may be `before`.
struct step {
    const double *x, *before; // before: NULL = none
    double *out;
    double by, middle;
};

CDP_INLINE cdp_doubles load(const double *at)
{
    cdp_doubles v;
    memcpy(&v, at, sizeof v);
    return v;
}

CDP_INLINE void step_rows_of(const struct spectral *s, const struct component *c,
                             const struct step *step, uint64_t from, uint64_t end)
{
    for (uint64_t i = from; i < end; i++) {
        cdp_doubles sum[WIDE / 4] = {0};
        for (uint64_t e = s->begin[c->first + i]; e < s->begin[c->first + i + 1]; e++) {
            const double *x = step->x + (s->target[e] - c->first) * WIDE;
            for (int d = 0; d < WIDE / 4; d++)
                sum[d] += s->weight[e] * load(x + d * 4);
        }
        for (int d = 0; d < WIDE / 4; d++) {
            uint64_t at = i * WIDE + (uint64_t)d * 4;
            cdp_doubles out = step->by * (sum[d] - step->middle * load(step->x + at));
            if (step->before)
                out -= load(step->before + at);
            memcpy(step->out + at, &out, sizeof out);
        }
    }
}

#define STEP_ROWS(isa, attribute)                                                               \
    attribute static void step_rows_##isa(const struct spectral *s, const struct component *c,  \
                                          const struct step *step, uint64_t from, uint64_t end) \
    {                                                                                           \
        step_rows_of(s, c, step, from, end);                                                    \
    }

STEP_ROWS(plain, )
#ifdef __x86_64__
STEP_ROWS(avx2, __attribute__((target("avx2"))))
#endif

static void step_rows(const struct spectral *s, const struct component *c, const struct step *step,
                      uint64_t from, uint64_t end)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2) {
        step_rows_avx2(s, c, step, from, end);
        return;
    }
#endif
    step_rows_plain(s, c, step, from, end);
}

// A step by all threads.
static void step_shared(const struct spectral *s, const struct component *c,
                        const struct step *step)
{
    enum { CHUNK = 1024 };
#pragma omp parallel for num_threads(s->threads) schedule(dynamic) if (c->items > CHUNK)
    for (uint64_t from = 0; from < c->items; from += CHUNK)
        step_rows(s, c, step, from, from + CHUNK < c->items ? from + CHUNK : c->items);
}

// Columns from `first` on of the component's vectors, and back; those beyond the block are 0.
static void take_columns(const struct component *c, uint64_t first, double *out)
{
    uint64_t count = c->block - first < WIDE ? c->block - first : WIDE;
    for (uint64_t i = 0; i < c->items; i++) {
        memcpy(out + i * WIDE, c->vector + i * c->block + first, count * sizeof *out);
        memset(out + i * WIDE + count, 0, (WIDE - count) * sizeof *out);
    }
}

static void put_columns(const struct component *c, uint64_t first, const double *in)
{
    uint64_t count = c->block - first < WIDE ? c->block - first : WIDE;
    for (uint64_t i = 0; i < c->items; i++)
        memcpy(c->vector + i * c->block + first, in + i * WIDE, count * sizeof *in);
}

// A number in (-1, 1) for a column and a place.
static double noise(uint64_t column, uint64_t place)
{
    return (double)(int64_t)cdp_random(column, place) * 0x1p-63;
}

// ---- how many eigenvalues lie below a number
//
// By moments of the spectrum, the traces of Chebyshev polynomials of N, estimated with WIDE random
// vectors, and the Jackson kernel (Di Napoli, Polizzi, Saad: Efficient estimation of eigenvalue
// counts in an interval, Numer. Linear Algebra Appl. 23 (2016)). Eigenvalues of N above cos(pi q /
// GRID) are counted for each q.

enum { GRID = 1024, MOMENTS = 200 };

// sine[q] = sin(pi q / GRID), by turning, since a C library's sine may differ between processors.
static void sines(double sine[2 * GRID])
{
    const double c = 0x1.ffff621621d02p-1, d = 0x1.921f8becca4bap-9; // of pi / GRID
    double x = 1, y = 0;
    for (int q = 0; q < 2 * GRID; q++) {
        sine[q] = y;
        double next = x * c - y * d;
        y = x * d + y * c;
        x = next;
    }
}

static double cosine(const double sine[2 * GRID], int q)
{
    return sine[(q + GRID / 2) % (2 * GRID)];
}

// The moments of a component, as shares: moment[0] = 1.
static int moments(const struct spectral *s, const struct component *c, double *moment,
                   struct cdp_err *err)
{
    uint64_t numbers = c->items * WIDE;
    double *room = cdp_alloc_aligned(numbers, 2 * sizeof *room, "random vectors", err);
    if (!room)
        return -1;
    double *x = room, *y = room + numbers;
    for (uint64_t i = 0; i < numbers; i++)
        x[i] = noise(i % WIDE, c->first + i / WIDE) < 0 ? -1 : 1;
    step_shared(s, c, &(struct step){.x = x, .out = y, .by = 1});
    moment[0] = 1;
    for (int j = 0; j < MOMENTS / 2; j++) { // x = T_j, y = T_j+1
        double even = 0, odd = 0;
        for (uint64_t i = 0; i < numbers; i++) {
            even += x[i] * x[i];
            odd += x[i] * y[i];
        }
        even = 2 * even / (double)numbers - 1;
        odd = 2 * odd / (double)numbers - (j > 0 ? moment[1] : 0);
        moment[2 * j] = j > 0 ? even : 1;
        moment[2 * j + 1] = j > 0 ? odd : odd / 2;
        step_shared(s, c, &(struct step){.x = y, .before = x, .out = x, .by = 2});
        double *next = x;
        x = y;
        y = next;
    }
    free(room);
    return 0;
}

// The estimated number of eigenvalues of N above cos(pi q / GRID).
static double count_above(const double *moment, uint64_t items, int q, const double *sine)
{
    const double pi = 0x1.921fb54442d18p+1;
    // Jackson's damping by multiples of pi / GRID in place of pi / (MOMENTS + 1): a wider kernel
    const int step = GRID / MOMENTS + 1;
    double sum = (double)q / GRID, rows = (double)GRID / step;
    for (int j = 1; j < MOMENTS && j < rows; j++) {
        double damp = ((rows - j) * cosine(sine, j * step % (2 * GRID)) +
                       sine[j * step % (2 * GRID)] * cosine(sine, step) / sine[step]) /
                      rows;
        sum += damp * 2 * sine[(int)((long)j * q % (2 * GRID))] / (j * pi) * moment[j];
    }
    return sum * (double)items;
}

// ---- one component

enum { DENSE = 256 }; // items up to which a component is solved as a dense matrix

static bool is_dense(const struct component *c)
{
    return c->items <= DENSE || 2 * c->block >= c->items;
}

static int solve_dense(const struct spectral *s, struct component *c, struct cdp_err *err)
{
    uint64_t n = c->items;
    c->block = n;
    c->vector = cdp_zalloc(n, n * sizeof *c->vector, "a component", err);
    c->value = cdp_alloc(n, sizeof *c->value, "eigenvalues", err);
    if (!c->vector || !c->value)
        return -1;
    for (uint64_t i = 0; i < n; i++) {
        for (uint64_t e = s->begin[c->first + i]; e < s->begin[c->first + i + 1]; e++)
            c->vector[i * n + s->target[e] - c->first] = s->weight[e];
    }
    if (cdp_dense_eigen(c->vector, n, c->value, s->threads, err))
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
static int filter(const struct spectral *s, const struct component *c, int degree,
                  struct cdp_err *err)
{
    uint64_t numbers = c->items * WIDE;
    double *room =
        cdp_alloc_aligned((size_t)s->threads, 2 * numbers * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double middle = -c->cut / 2, half = 1 - c->cut / 2;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (uint64_t first = 0; first < c->block; first += WIDE) {
        double *x = room + (size_t)cdp_thread() * 2 * numbers, *y = x + numbers;
        take_columns(c, first, x);
        step_rows(s, c, &(struct step){x, NULL, y, 1 / half, middle}, 0, c->items);
        for (int j = 1; j < degree; j++) {
            step_rows(s, c, &(struct step){y, x, x, 2 / half, middle}, 0, c->items);
            double *next = x;
            x = y;
            y = next;
        }
        put_columns(c, first, y);
        cdp_progress_add(s->progress, 1);
    }
    free(room);
    return 0;
}

// Matrices of block x block.
struct small {
    double *gram, *image, *inverse;
    double *value;
};

// The upper halves of X'X and X'N X for the component's vectors X.
static int project(const struct spectral *s, const struct component *c, const struct small *m,
                   struct cdp_err *err)
{
    enum { TOGETHER = 64 }; // columns of a product of matrices, which packs X for each
    uint64_t b = c->block, n = c->items;
    double *room = cdp_alloc_aligned(n, (TOGETHER + 2 * WIDE) * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double *x = room + n * TOGETHER, *y = x + n * WIDE;
    struct cdp_dense_product product = {.a = {c->vector, 1, b},
                                        .b = {c->vector, b, 1},
                                        .rows = b,
                                        .columns = b,
                                        .depth = n,
                                        .c = m->gram,
                                        .stride = b,
                                        .upper = true};
    int status = cdp_dense_multiply(&product, s->threads, err);
    product.b = (struct cdp_dense){room, TOGETHER, 1};
    product.upper = false;
    for (uint64_t first = 0; first < b && !status; first += TOGETHER) {
        product.columns = b - first < TOGETHER ? b - first : TOGETHER;
        product.rows = first + product.columns;
        product.c = m->image + first;
        for (uint64_t part = 0; part < product.columns; part += WIDE) {
            take_columns(c, first + part, x);
            step_shared(s, c, &(struct step){.x = x, .out = y, .by = 1});
            for (uint64_t i = 0; i < n; i++)
                memcpy(room + i * TOGETHER + part, y + i * WIDE, WIDE * sizeof *y);
        }
        status = cdp_dense_multiply(&product, s->threads, err);
    }
    free(room);
    return status;
}

// Sets `inverse` to T, upper triangular, with T' gram T = I, by Cholesky decomposition of the gram
// matrix scaled to a diagonal of 1. Columns that depend on those before, whose pivot is below
// 1e-12, are 0. The gram matrix is overwritten.
static void orthogonalize(const struct small *m, uint64_t b, int threads)
{
    double *r = m->gram, *scale = m->value;
    for (uint64_t i = 0; i < b; i++)
        scale[i] = r[i * b + i] > 0 ? 1 / sqrt(r[i * b + i]) : 0;
    for (uint64_t i = 0; i < b; i++) {
        for (uint64_t j = i; j < b; j++)
            r[i * b + j] *= scale[i] * scale[j];
    }
    for (uint64_t k = 0; k < b; k++) {
        double *row = r + k * b;
        bool used = row[k] > 1e-12;
        double by = used ? 1 / sqrt(row[k]) : 0;
        for (uint64_t j = k; j < b; j++)
            row[j] *= by;
        if (!used)
            continue; // row[k] is 0, which marks it
#pragma omp parallel for num_threads(threads) schedule(static, 16) if (b - k > 256)
        for (uint64_t i = k + 1; i < b; i++) {
            double *other = r + i * b;
            for (uint64_t j = i; j < b; j++)
                other[j] -= row[i] * row[j];
        }
    }
    enum { COLUMNS = 32 };
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (uint64_t from = 0; from < b; from += COLUMNS) { // R T = I, from the last row up
        uint64_t end = from + COLUMNS < b ? from + COLUMNS : b;
        for (uint64_t i = b; i-- > 0;) {
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
}

// X := X Q for Q of block x block, one column a row of `turned`.
static int turn_vectors(const struct spectral *s, const struct component *c, const double *turned,
                        struct cdp_err *err)
{
    enum { PANEL = 1024 };
    uint64_t b = c->block;
    int status = 0;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (uint64_t from = 0; from < c->items; from += PANEL) {
        uint64_t count = c->items - from < PANEL ? c->items - from : PANEL;
        struct cdp_err own;
        double *room = cdp_alloc_aligned(count, b * sizeof *room, "vectors", &own);
        struct cdp_dense_product turn = {.a = {c->vector + from * b, b, 1},
                                         .b = {turned, 1, b},
                                         .rows = count,
                                         .columns = b,
                                         .depth = b,
                                         .c = room,
                                         .stride = b};
        int failed = room ? cdp_dense_multiply(&turn, 1, &own) : -1;
        if (!failed)
            memcpy(c->vector + from * b, room, count * b * sizeof *room);
        free(room);
#pragma omp critical(turn_vectors)
        if (failed && !status) {
            status = -1;
            *err = own;
        }
    }
    return status;
}

static void fill_column(const struct component *c, uint64_t column)
{
    for (uint64_t i = 0; i < c->items; i++)
        c->vector[i * c->block + column] = noise(column, c->first + i);
}

// Makes the vectors those of the largest eigenvalues within their span (Rayleigh, Ritz), which go
// to m->value. Directions that were lost become random ones, of the eigenvalue -2.
static int rayleigh_ritz(const struct spectral *s, const struct component *c, const struct small *m,
                         struct cdp_err *err)
{
    uint64_t b = c->block;
    if (project(s, c, m, err))
        return -1;
    for (uint64_t i = 0; i < b; i++) {
        for (uint64_t j = 0; j < i; j++)
            m->image[i * b + j] = m->image[j * b + i];
    }
    orthogonalize(m, b, s->threads);
    struct cdp_dense_product product = {.a = {m->image, b, 1},
                                        .b = {m->inverse, b, 1},
                                        .rows = b,
                                        .columns = b,
                                        .depth = b,
                                        .c = m->gram,
                                        .stride = b};
    if (cdp_dense_multiply(&product, s->threads, err))
        return -1;
    product.a = (struct cdp_dense){m->inverse, 1, b};
    product.b.at = m->gram;
    product.c = m->image;
    if (cdp_dense_multiply(&product, s->threads, err))
        return -1;
    for (uint64_t i = 0; i < b; i++) {
        if (m->inverse[i * b + i] == 0)
            m->image[i * b + i] = -2;
        for (uint64_t j = 0; j < i; j++) // the product is symmetric but for rounding
            m->image[i * b + j] = m->image[j * b + i];
    }
    if (cdp_dense_eigen(m->image, b, m->value, s->threads, err))
        return -1;
    product.a = (struct cdp_dense){m->image, b, 1}; // Q' = Y' T', one column of Q a row
    product.b = (struct cdp_dense){m->inverse, 1, b};
    product.c = m->gram;
    if (cdp_dense_multiply(&product, s->threads, err) || turn_vectors(s, c, m->gram, err))
        return -1;
    for (uint64_t j = 0; j < b; j++) {
        if (m->value[j] < -1.5)
            fill_column(c, j);
    }
    return 0;
}

// Sets *error to what the wanted eigenvalues may be wrong by: for the residual r of each, |r|, or
// |r|^2 divided by the distance to the cut, if that is less (Parlett: The symmetric eigenvalue
// problem, section 11.7).
static int find_error(const struct spectral *s, const struct component *c, double *error,
                      struct cdp_err *err)
{
    uint64_t numbers = c->items * WIDE;
    double *room =
        cdp_alloc_aligned((size_t)s->threads, 2 * numbers * sizeof *room, "columns", err);
    if (!room)
        return -1;
    double most = 0;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic) reduction(max : most)
    for (uint64_t first = 0; first < c->wanted; first += WIDE) {
        double *x = room + (size_t)cdp_thread() * 2 * numbers, *y = x + numbers;
        double square[WIDE] = {0};
        take_columns(c, first, x);
        step_rows(s, c, &(struct step){.x = x, .out = y, .by = 1}, 0, c->items);
        for (uint64_t i = 0; i < numbers; i++) {
            uint64_t column = first + i % WIDE;
            double residual = column < c->wanted ? y[i] - c->value[column] * x[i] : 0;
            square[i % WIDE] += residual * residual;
        }
        for (uint64_t d = 0; d < WIDE && first + d < c->wanted; d++) {
            double gap = c->cut - 1 + c->value[first + d], length = sqrt(square[d]);
            most = fmax(most, length < gap ? square[d] / gap : length);
        }
    }
    free(room);
    *error = most;
    return 0;
}

static int iterate(const struct spectral *s, struct component *c, const struct small *m,
                   struct cdp_err *err)
{
    enum { ROUNDS = 40 };
    const double enough = 5e-7;
    for (uint64_t i = 0; i < c->items; i++)
        c->vector[i * c->block] = s->root[c->first + i]; // of the eigenvalue 1
    for (uint64_t j = 1; j < c->block; j++)
        fill_column(c, j);
    for (uint64_t j = 0; j < c->wanted; j++)
        c->value[j] = -1;
    for (int round = 0; round < ROUNDS; round++) {
        // From random vectors, numbers of 1e-5 are told apart safely; Ritz vectors are orthogonal
        // and differ in scale only, which goes. Columns that are lost are the last ones.
        cdp_progress_stage(s->progress, CDP_PROGRESS_ROUND, (c->block + WIDE - 1) / WIDE);
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

static int solve_sparse(const struct spectral *s, struct component *c, struct cdp_err *err)
{
    uint64_t b = c->block;
    double *room = cdp_alloc_aligned(b, 3 * b * sizeof *room, "projected matrices", err);
    struct small m = {room, room + b * b, room + 2 * b * b,
                      cdp_alloc(b, sizeof *m.value, "eigenvalues", err)};
    c->vector = cdp_alloc_aligned(c->items, b * sizeof *c->vector, "eigenvectors", err);
    c->value = cdp_alloc(b, sizeof *c->value, "eigenvalues", err);
    int status = room && m.value && c->vector && c->value ? iterate(s, c, &m, err) : -1;
    free(room);
    free(m.value);
    return status;
}

// ---- all components

// An eigenvalue of the Laplacian.
struct level {
    double value;
    uint64_t items, component; // of the component
    uint64_t index;            // among those of the component
};

static int by_level(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (x->items != y->items)
        return x->items > y->items ? -1 : 1;
    if (x->component != y->component)
        return x->component < y->component ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

// Solves the components that are dense for any number of wanted eigenvalues, and those of which
// only the first is wanted.
static int solve_small(struct spectral *s, bool first_only, struct cdp_err *err)
{
    for (uint64_t i = 0; i < s->components; i++) {
        struct component *c = &s->component[i];
        if (!first_only && c->items > DENSE)
            continue;
        c->wanted = first_only ? 1 : c->items;
        if (!first_only && solve_dense(s, c, err))
            return -1;
    }
    return 0;
}

// For the components that are not solved: how many eigenvalues are wanted, so that with those of
// the others there are likely `count` below a common limit, and 5 % and 8 more to iterate with.
static int plan_blocks(struct spectral *s, uint64_t count, struct cdp_err *err)
{
    double sine[2 * GRID];
    sines(sine);
    double *moment = cdp_alloc(s->components, MOMENTS * sizeof *moment, "spectra", err);
    if (!moment)
        return -1;
    for (uint64_t i = 0; i < s->components; i++) {
        if (s->component[i].items > DENSE &&
            moments(s, &s->component[i], moment + i * MOMENTS, err)) {
            free(moment);
            return -1;
        }
    }
    double below = 0;
    int limit = 0;
    while (limit + 1 < GRID && below < (double)count) {
        below = 0;
        limit++;
        for (uint64_t i = 0; i < s->components; i++) {
            const struct component *c = &s->component[i];
            for (uint64_t j = 0; c->value && j < c->items; j++)
                below += c->value[j] > cosine(sine, limit);
            if (!c->value)
                below += fmax(1, count_above(moment + i * MOMENTS, c->items, limit, sine));
        }
    }
    for (uint64_t i = 0; i < s->components; i++) {
        struct component *c = &s->component[i];
        if (c->value)
            continue;
        double own = fmax(1, count_above(moment + i * MOMENTS, c->items, limit, sine));
        uint64_t most = count - s->components + 1; // each other one has the eigenvalue 0
        most = most < c->items ? most : c->items;
        c->wanted = (uint64_t)(own * 1.1) + 4;
        c->wanted = c->wanted < most ? c->wanted : most;
        c->block = c->wanted + c->wanted / 20 + 8;
        int cut = 1;
        while (cut + 1 < GRID &&
               count_above(moment + i * MOMENTS, c->items, cut, sine) < (double)c->block)
            cut++;
        c->cut = 1 - cosine(sine, cut);
    }
    free(moment);
    return 0;
}

static int solve(const struct spectral *s, struct component *c, struct cdp_err *err)
{
    free(c->vector);
    free(c->value);
    c->vector = c->value = NULL;
    return is_dense(c) ? solve_dense(s, c, err) : solve_sparse(s, c, err);
}

// Sets level[] to the eigenvalues that are known, ascending, and returns their number.
static uint64_t collect(const struct spectral *s, struct level *level)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < s->components; i++) {
        const struct component *c = &s->component[i];
        for (uint64_t j = 0; j < c->wanted; j++)
            level[count++] = (struct level){j > 0 ? fmax(0, 1 - c->value[j]) : 0, c->items, i, j};
    }
    qsort(level, count, sizeof *level, by_level);
    return count;
}

// Solves components until the `count` smallest eigenvalues of all are known. *level, which the
// caller frees, is set to the known ones, ascending, of which there are at least `count`.
static int find_eigenvalues(struct spectral *s, uint64_t count, struct level **level,
                            struct cdp_err *err)
{
    bool first_only = s->components >= count;
    if (solve_small(s, first_only, err) || (!first_only && plan_blocks(s, count, err)))
        return -1;
    for (uint64_t i = 0; i < s->components && !first_only; i++) {
        if (!s->component[i].value && solve(s, &s->component[i], err))
            return -1;
    }
    for (bool again = true; again;) {
        uint64_t known = 0;
        for (uint64_t i = 0; i < s->components; i++)
            known += s->component[i].wanted;
        free(*level);
        *level = cdp_alloc(known, sizeof **level, "eigenvalues", err);
        if (!*level)
            return -1;
        collect(s, *level);
        // a component whose last known eigenvalue is among these may have more of them
        again = false;
        double limit = known > count ? (*level)[count - 1].value : INFINITY;
        for (uint64_t i = 0; i < s->components && !first_only; i++) {
            struct component *c = &s->component[i];
            if (c->wanted == c->items || 1 - c->value[c->wanted - 1] >= limit ||
                c->wanted >= count - s->components + 1)
                continue;
            again = true;
            c->wanted = c->wanted * 3 / 2 + 8 < c->items ? c->wanted * 3 / 2 + 8 : c->items;
            c->block = c->wanted + c->wanted / 20 + 8;
            if (solve(s, c, err))
                return -1;
        }
    }
    return 0;
}

// Makes clusters of each component's chosen eigenvectors; labels by place.
static int assign(struct spectral *s, enum cdp_assign how, uint32_t *label, struct cdp_err *err)
{
    uint32_t clusters = 0, largest = 0;
    uint64_t items = 0;
    for (uint64_t i = 0; i < s->components; i++) {
        const struct component *c = &s->component[i];
        for (uint64_t p = 0; p < c->items && c->chosen < 2; p++)
            label[c->first + p] = 0;
        if (c->chosen > 1 && cdp_discretize(c->vector, s->root + c->first, c->items, c->chosen,
                                            c->block, how, label + c->first, s->threads, err))
            return -1;
        for (uint64_t p = 0; p < c->items && c->chosen > 0; p++)
            label[c->first + p] += clusters;
        if (c->items > items) {
            items = c->items;
            largest = clusters;
        }
        clusters += (uint32_t)c->chosen;
    }
    for (uint64_t i = 0; i < s->components; i++) {
        const struct component *c = &s->component[i];
        for (uint64_t p = 0; p < c->items && c->chosen == 0; p++)
            label[c->first + p] = largest;
    }
    return 0;
}

static int label_items(struct spectral *s, const struct cdp_spectral_plan *plan,
                       const struct level *level, uint32_t *label, struct cdp_err *err)
{
    uint32_t *placed = cdp_alloc(s->items, sizeof *placed, "labels", err);
    if (!placed)
        return -1;
    for (uint64_t l = 0; l < plan->clusters && l < s->items; l++)
        s->component[level[l].component].chosen++;
    int status = assign(s, plan->assign, placed, err);
    for (uint64_t p = 0; p < s->items && !status; p++)
        label[s->item[p]] = placed[p];
    free(placed);
    return status;
}

static void release(struct spectral *s)
{
    for (uint64_t i = 0; i < s->components; i++) {
        free(s->component[i].vector);
        free(s->component[i].value);
    }
    free(s->item);
    free(s->begin);
    free(s->target);
    free(s->weight);
    free(s->root);
    free(s->component);
}

int cdp_spectral(const struct cdp_neighbours *lists, const struct cdp_spectral_plan *plan,
                 uint32_t *label, double *values, struct cdp_err *err)
{
    struct spectral s = {.threads = cdp_threads(plan->threads), .progress = plan->progress};
    struct level *level = NULL;
    uint64_t count = plan->clusters + (values ? 1 : 0);
    if (count > lists->rows)
        count = lists->rows;
    cdp_progress_start(s.progress, "eigenvectors", "columns", 0);
    int status = make_graph(&s, lists, err);
    if (!status && count > 0)
        status = find_eigenvalues(&s, count, &level, err);
    for (uint64_t l = 0; l < count && values && !status; l++)
        values[l] = level[l].value;
    if (!values && !status)
        status = label_items(&s, plan, level, label, err);
    free(level);
    release(&s);
    return status;
}
