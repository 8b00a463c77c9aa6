// SPDX-License-Identifier: MIT
#include "baseline/dense.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/threads.h"
#include "base/vectors.h"

CDP_INLINE cdp_doubles load(const double *at)
{
    cdp_doubles v;
    memcpy(&v, at, sizeof v);
    return v;
}

CDP_INLINE void store(double *at, cdp_doubles v)
{
    memcpy(at, &v, sizeof v);
}

// ---- inner loops, once for each instruction set

enum {
    TALL = 4,   // rows of a tile: number (i, l) of A is packed at [l * TALL + i]
    WIDE = 8,   // columns: number (l, j) of B at [l * WIDE + j]
    DEEP = 256, // terms that are summed in registers: a packed tile of A and B is 24 KiB
    HIGH = 128, // rows of A that are packed at once: 256 KiB
    BATCH = 16, // numbers of a row that rotations pass through: 2,500 rows of them are 320 KiB
};

// C += A B for a tile.
CDP_INLINE void tile_of(const double *a, const double *b, size_t depth, double *c)
{
    cdp_doubles sum[TALL][2] = {0};
    for (size_t l = 0; l < depth; l++) {
        cdp_doubles low = load(b + l * WIDE), high = load(b + l * WIDE + 4);
        _Pragma("GCC unroll 4") for (int i = 0; i < TALL; i++)
        {
            sum[i][0] += a[l * TALL + (size_t)i] * low;
            sum[i][1] += a[l * TALL + (size_t)i] * high;
        }
    }
    for (size_t i = 0; i < TALL; i++) {
        store(c + i * WIDE, load(c + i * WIDE) + sum[i][0]);
        store(c + i * WIDE + 4, load(c + i * WIDE + 4) + sum[i][1]);
    }
}

// Eight partial sums, added pairwise; those of less than eight numbers at the end follow.
CDP_INLINE double dot_of(const double *x, const double *y, size_t n)
{
    cdp_doubles low = {0}, high = {0};
    size_t d = 0;
    for (; d + 8 <= n; d += 8) {
        low += load(x + d) * load(y + d);
        high += load(x + d + 4) * load(y + d + 4);
    }
    low += high;
    double sum = (low[0] + low[2]) + (low[1] + low[3]);
    for (; d < n; d++)
        sum += x[d] * y[d];
    return sum;
}

// x += by * y
CDP_INLINE void add_of(double *x, const double *y, double by, size_t n)
{
    size_t d = 0;
    for (; d + 4 <= n; d += 4)
        store(x + d, load(x + d) + by * load(y + d));
    for (; d < n; d++)
        x[d] += by * y[d];
}

// Turns rows i and i + 1 of BATCH numbers each.
CDP_INLINE void turn_of(double *row, double c, double s)
{
    for (size_t d = 0; d < BATCH; d += 4) {
        cdp_doubles x = load(row + d), y = load(row + BATCH + d);
        store(row + BATCH + d, s * x + c * y);
        store(row + d, c * x - s * y);
    }
}

struct turn {
    double c, s;
    size_t row;
};

struct loops {
    void (*tile)(const double *a, const double *b, size_t depth, double *c);
    double (*dot)(const double *x, const double *y, size_t n);
    void (*add)(double *x, const double *y, double by, size_t n);
    void (*turn)(double *rows, const struct turn *turn, size_t count);
};

#define LOOPS(isa, attribute)                                                                   \
    attribute static void tile_##isa(const double *a, const double *b, size_t depth, double *c) \
    {                                                                                           \
        tile_of(a, b, depth, c);                                                                \
    }                                                                                           \
    attribute static double dot_##isa(const double *x, const double *y, size_t n)               \
    {                                                                                           \
        return dot_of(x, y, n);                                                                 \
    }                                                                                           \
    attribute static void add_##isa(double *x, const double *y, double by, size_t n)            \
    {                                                                                           \
        add_of(x, y, by, n);                                                                    \
    }                                                                                           \
    attribute static void turn_##isa(double *rows, const struct turn *turn, size_t count)       \
    {                                                                                           \
        for (size_t t = 0; t < count; t++)                                                      \
            turn_of(rows + turn[t].row * BATCH, turn[t].c, turn[t].s);                          \
    }                                                                                           \
    static const struct loops loops_##isa = {tile_##isa, dot_##isa, add_##isa, turn_##isa};

LOOPS(plain, )
#ifdef __x86_64__
LOOPS(avx2, __attribute__((target("avx2"))))
#endif

static const struct loops *loops(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2)
        return &loops_avx2;
#endif
    return &loops_plain;
}

// ---- products of matrices

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Packs `depth` terms from `first` on of `count` rows of A (or columns of B) from `from` on in
// groups of `group`; rows beyond `end` count as 0.
static void pack(const struct cdp_dense *matrix, bool columns, size_t from, size_t end,
                 size_t group, size_t first, size_t depth, double *out)
{
    size_t along = columns ? matrix->down : matrix->across;
    size_t apart = columns ? matrix->across : matrix->down;
    for (size_t at = from; at < end; at += group, out += depth * group) {
        size_t filled = smaller(group, end - at);
        for (size_t l = 0; l < depth; l++) {
            const double *in = matrix->at + (first + l) * along + at * apart;
            for (size_t i = 0; i < filled; i++)
                out[l * group + i] = in[i * apart];
            for (size_t i = filled; i < group; i++)
                out[l * group + i] = 0;
        }
    }
}

// Adds `depth` terms from packed A, of the rows from `from` to `end` - 1, and packed B.
static void add_block(const struct cdp_dense_product *p, const double *a, const double *b,
                      size_t from, size_t end, size_t depth)
{
    const struct loops *run = loops();
    for (size_t j = p->upper ? from / WIDE * WIDE : 0; j < p->columns; j += WIDE) {
        for (size_t i = from; i < end; i += TALL) {
            double c[TALL * WIDE] = {0};
            size_t rows = smaller(TALL, end - i), columns = smaller(WIDE, p->columns - j);
            for (size_t r = 0; r < rows; r++)
                memcpy(c + r * WIDE, p->c + (i + r) * p->stride + j, columns * sizeof *c);
            run->tile(a + (i - from) * depth, b + j * depth, depth, c);
            for (size_t r = 0; r < rows; r++)
                memcpy(p->c + (i + r) * p->stride + j, c + r * WIDE, columns * sizeof *c);
        }
    }
}

int cdp_dense_multiply(const struct cdp_dense_product *p, int threads,
                       const struct cdp_progress *progress, struct cdp_err *err)
{
    size_t groups = (p->columns + WIDE - 1) / WIDE, blocks = (p->rows + HIGH - 1) / HIGH;
    double *b = cdp_alloc_aligned(groups, WIDE * DEEP * sizeof *b, "a packed matrix", err);
    double *a = cdp_alloc_aligned((size_t)threads, HIGH * DEEP * sizeof *a, "packed rows", err);
    int status = a && b ? 0 : -1;
    for (size_t i = 0; i < p->rows && !status; i++)
        memset(p->c + i * p->stride, 0, p->columns * sizeof *p->c);
    if (!status) {
#pragma omp parallel num_threads(threads)
        for (size_t first = 0; first < p->depth; first += DEEP) {
            size_t depth = smaller(DEEP, p->depth - first);
#pragma omp for schedule(static)
            for (size_t g = 0; g < groups; g++)
                pack(&p->b, true, g * WIDE, smaller((g + 1) * WIDE, p->columns), WIDE, first, depth,
                     b + g * WIDE * depth);
#pragma omp for schedule(dynamic)
            for (size_t block = 0; block < blocks; block++) {
                size_t from = block * HIGH, end = smaller(from + HIGH, p->rows);
                double *own = a + (size_t)cdp_thread() * HIGH * DEEP;
                if (cdp_progress_stopped(progress))
                    continue;
                pack(&p->a, false, from, end, TALL, first, depth, own);
                add_block(p, own, b, from, end, depth);
            }
        }
    }
    free(a);
    free(b);
    return status ? status : cdp_progress_check(progress, err);
}

void cdp_dense_products(const double *x, const double *row, size_t rows, size_t stride, size_t n,
                        double *sum, int threads)
{
    const struct loops *run = loops();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t i = 0; i < rows; i++)
        sum[i] = run->dot(x, row + i * stride, n);
}

// ---- eigenvalues
//
// Reflections Q_k = I - u u' make the matrix tridiagonal from the last row up: row k gets its
// numbers before k - 1 zeroed, by u of k numbers, |u|^2 = 2.

struct eigen {
    size_t n;
    double *matrix;            // what is not yet reduced; row k holds its u afterwards
    double *diagonal, *beside; // beside[k] is next to k and k + 1
    double *u, *v, *w;         // A := A - u w' - w u'
    struct turn *turn;
    size_t turns, room;
};

// Reflects row k, whose numbers before k are final, and sets beside[k - 1].
static void reflect_row(struct eigen *e, size_t k)
{
    double *row = e->matrix + k * e->n, largest = 0, square = 0;
    for (size_t d = 0; d < k; d++)
        largest = fmax(largest, fabs(row[d]));
    for (size_t d = 0; d < k && largest > 0; d++)
        square += row[d] / largest * (row[d] / largest);
    double length = largest * sqrt(square), last = row[k - 1];
    double to = last > 0 ? -length : length; // what the row's last number becomes
    e->beside[k - 1] = to;
    // u = (row - to) / sqrt(length (length + |last|)), scaled against overflow
    double by = length > 0 ? 1 / (sqrt(length) * sqrt(length + fabs(last))) : 0;
    row[k - 1] -= to;
    for (size_t d = 0; d < k; d++)
        row[d] *= by;
}

// One pass: rows of the rest take the update of u and w before, and give their product with the
// next u.
static int tridiagonalize(struct eigen *e, int threads, const struct cdp_progress *progress,
                          struct cdp_err *err)
{
    const struct loops *run = loops();
    size_t n = e->n;
    memset(e->u, 0, n * sizeof *e->u);
    memset(e->w, 0, n * sizeof *e->w);
    for (size_t k = n; k-- > 1;) {
        double *next = e->matrix + k * n;
        if (cdp_progress_check(progress, err))
            return -1;
        run->add(next, e->w, -e->u[k], k + 1);
        run->add(next, e->u, -e->w[k], k + 1);
        e->diagonal[k] = next[k];
        reflect_row(e, k);
#pragma omp parallel for num_threads(threads) schedule(static) if (k > 128)
        for (size_t i = 0; i < k; i++) {
            double *row = e->matrix + i * n;
            run->add(row, e->w, -e->u[i], k);
            run->add(row, e->u, -e->w[i], k);
            e->v[i] = run->dot(row, next, k);
        }
        memcpy(e->u, next, k * sizeof *e->u);
        double half = run->dot(e->u, e->v, k) / 2; // w = A u - u (u' A u) / 2
        for (size_t i = 0; i < k; i++)
            e->w[i] = e->v[i] - half * e->u[i];
    }
    // of the last row, what is left of the last update
    e->diagonal[0] = e->matrix[0] - (n > 1 ? 2 * e->u[0] * e->w[0] : 0);
    return 0;
}

static int add_turn(struct eigen *e, double c, double s, size_t row, struct cdp_err *err)
{
    if (e->turns == e->room &&
        cdp_grow(&e->turn, &e->room, e->turns + 1, sizeof *e->turn, "rotations", err))
        return -1;
    e->turn[e->turns++] = (struct turn){c, s, row};
    return 0;
}

// A sweep of implicit QL on the numbers from `low` to `high`.
static int sweep(struct eigen *e, size_t low, size_t high, struct cdp_err *err)
{
    double *d = e->diagonal, *b = e->beside;
    double g = (d[low + 1] - d[low]) / (2 * b[low]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;
    g = d[high] - d[low] + b[low] / (g + (g < 0 ? -r : r));
    for (size_t i = high; i-- > low;) {
        double f = s * b[i], h = c * b[i];
        r = sqrt(f * f + g * g);
        b[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            b[high] = 0;
            return 0;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * h;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - h;
        if (add_turn(e, c, s, i, err))
            return -1;
    }
    d[low] -= p;
    b[low] = g;
    b[high] = 0;
    return 0;
}

static int diagonalize(struct eigen *e, struct cdp_err *err)
{
    const double *d = e->diagonal, *b = e->beside;
    for (size_t low = 0; low < e->n; low++) {
        for (int sweeps = 0;; sweeps++) {
            size_t high = low;
            while (high + 1 < e->n &&
                   !(fabs(b[high]) <= 0x1p-52 * (fabs(d[high]) + fabs(d[high + 1]))))
                high++;
            if (high == low)
                break;
            if (sweeps == 60)
                return cdp_fail(err, "eigenvalue %zu of %zu does not converge", low, e->n);
            if (sweep(e, low, high, err))
                return -1;
        }
    }
    return 0;
}

// The eigenvectors of the tridiagonal matrix, one a row of `out`.
static int turn_all(const struct eigen *e, double *out, int threads,
                    const struct cdp_progress *progress, struct cdp_err *err)
{
    size_t n = e->n;
    double *room = cdp_alloc_aligned((size_t)threads, n * BATCH * sizeof *room, "rotations", err);
    if (!room)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t from = 0; from < n; from += BATCH) {
        double *rows = room + (size_t)cdp_thread() * n * BATCH;
        size_t count = smaller(BATCH, n - from);
        if (cdp_progress_stopped(progress))
            continue;
        memset(rows, 0, n * BATCH * sizeof *rows);
        for (size_t i = 0; i < count; i++)
            rows[(from + i) * BATCH + i] = 1;
        loops()->turn(rows, e->turn, e->turns);
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * n + from, rows + i * BATCH, count * sizeof *out);
    }
    free(room);
    return cdp_progress_check(progress, err);
}

struct order {
    double value;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

// Reflects the eigenvectors back, in groups that pass each reflection together, and puts them into
// the matrix in their order.
static int finish(struct eigen *e, double *vector, const struct order *order, double *value,
                  int threads, const struct cdp_progress *progress, struct cdp_err *err)
{
    enum { GROUP = 8 };
    const struct loops *run = loops();
    size_t n = e->n;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t from = 0; from < n; from += GROUP) {
        for (size_t k = 1; k < n && !cdp_progress_stopped(progress); k++) {
            const double *u = e->matrix + k * n;
            for (size_t i = from; i < smaller(from + GROUP, n); i++)
                run->add(vector + i * n, u, -run->dot(u, vector + i * n, k), k);
        }
    }
    for (size_t i = 0; i < n; i++) {
        value[i] = order[i].value;
        memcpy(e->matrix + i * n, vector + order[i].at * n, n * sizeof *vector);
    }
    return cdp_progress_check(progress, err);
}

int cdp_dense_eigen(double *matrix, size_t n, double *value, int threads,
                    const struct cdp_progress *progress, struct cdp_err *err)
{
    if (n == 0)
        return 0;
    double *room = cdp_zalloc(n, 5 * sizeof *room, "eigenvalues", err);
    struct order *order = cdp_alloc(n, sizeof *order, "eigenvalues", err);
    double *vector = cdp_alloc_aligned(n, n * sizeof *vector, "eigenvectors", err);
    int status = room && order && vector ? 0 : -1;
    if (!status) {
        struct eigen e = {.n = n,
                          .matrix = matrix,
                          .diagonal = room,
                          .beside = room + n,
                          .u = room + 2 * n,
                          .v = room + 3 * n,
                          .w = room + 4 * n};
        status = tridiagonalize(&e, threads, progress, err) || diagonalize(&e, err) ||
                         turn_all(&e, vector, threads, progress, err)
                     ? -1
                     : 0;
        free(e.turn);
        for (size_t i = 0; i < n; i++)
            order[i] = (struct order){e.diagonal[i], i};
        qsort(order, n, sizeof *order, by_value);
        if (!status)
            status = finish(&e, vector, order, value, threads, progress, err);
    }
    free(room);
    free(order);
    free(vector);
    return status;
}
