// SPDX-License-Identifier: MIT
#include "baseline/discretize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "baseline/dense.h"

struct work {
    double *row; // of the embedding
    size_t rows, k, stride;
    uint32_t *label;
    double *sum;       // k x k: of the rows of each cluster, or the chosen rows
    double *rotation;  // k x k: the direction of each cluster, one a row
    double *square;    // k x k
    double *value;     // k
    size_t likely;     // clusters that are noted of each row
    uint32_t *cluster; // rows x likely
    uint32_t *list;    // rows whose products are all taken
    bool *certain;     // rows that need not
    uint32_t *before;  // labels of the round before
    int threads;
    const struct cdp_progress *progress;
};

static double *row_of(const struct work *w, size_t row)
{
    return w->row + row * w->stride;
}

// ---- the first rows

enum { SAMPLE_EACH = 4, SAMPLE_LEAST = 4096 };

// Copies the rows to choose from: all, or as many evenly spread ones.
static double *sample(const struct work *w, size_t *count, struct cdp_err *err)
{
    size_t most = SAMPLE_EACH * w->k;
    most = most < SAMPLE_LEAST ? SAMPLE_LEAST : most;
    *count = w->rows < most ? w->rows : most;
    double *rows = cdp_alloc_aligned(*count, w->k * sizeof *rows, "a sample of rows", err);
    for (size_t i = 0; rows && i < *count; i++)
        memcpy(rows + i * w->k, row_of(w, i * w->rows / *count), w->k * sizeof *rows);
    return rows;
}

// Discretize: each row is that whose products with the rows before have the smallest sum of
// magnitudes. Cluster-QR: pivots of a QR decomposition, each the row with the largest part
// orthogonal to those before. Both: ties to the smaller row.
static int choose(const struct work *w, enum cdp_assign assign, struct cdp_err *err)
{
    size_t count, k = w->k;
    bool qr = assign == CDP_ASSIGN_CLUSTER_QR;
    double *row = sample(w, &count, err);
    double *room = cdp_alloc(2 * count + k, sizeof *room, "a sample of rows", err);
    int status = row && room ? 0 : -1;
    double *key = room, *product = key + count, *part = product + count;
    for (size_t i = 0; i < count && !status; i++) {
        key[i] = 0;
        for (size_t d = 0; d < k && qr; d++)
            key[i] -= row[i * k + d] * row[i * k + d];
    }
    for (size_t c = 0; c < k && !status; c++) {
        size_t best = 0;
        status = cdp_progress_check(w->progress, err);
        for (size_t i = 1; i < count; i++)
            best = key[i] < key[best] ? i : best;
        memcpy(w->sum + c * k, row + best * k, k * sizeof *part);
        memcpy(part, row + best * k, k * sizeof *part);
        if (qr) {
            // w->square holds the directions so far; twice, which keeps them orthogonal
            for (int pass = 0; pass < 2; pass++) {
                cdp_dense_products(part, w->square, c, k, k, w->value, w->threads);
                for (size_t b = 0; b < c; b++) {
                    for (size_t d = 0; d < k; d++)
                        part[d] -= w->value[b] * w->square[b * k + d];
                }
            }
            double square = 0;
            for (size_t d = 0; d < k; d++)
                square += part[d] * part[d];
            for (size_t d = 0; d < k; d++)
                part[d] = square > 0 ? part[d] / sqrt(square) : 0;
            memcpy(w->square + c * k, part, k * sizeof *part);
        }
        cdp_dense_products(part, row, count, k, k, product, w->threads);
        for (size_t i = 0; i < count; i++)
            key[i] += qr ? product[i] * product[i] : fabs(product[i]);
        key[best] = INFINITY;
    }
    free(row);
    free(room);
    return status;
}

// ---- partition and rotation

// rotation = the orthogonal factor of the polar decomposition of `sum`; returns the sum of its
// singular values. With sum' sum = Q' S^2 Q, one eigenvector a row of Q, the factor is sum Q' S^-1
// Q. Singular values below 1e-6 of the largest are left out: rounding changes the squares by some
// 1e-15 of the largest, so the others are right to 1e-3.
static int rotate(const struct work *w, double *singular, struct cdp_err *err)
{
    size_t k = w->k;
    struct cdp_dense_product square = {.a = {w->sum, 1, k},
                                       .b = {w->sum, k, 1},
                                       .rows = k,
                                       .columns = k,
                                       .depth = k,
                                       .c = w->square,
                                       .stride = k};
    if (cdp_dense_multiply(&square, w->threads, w->progress, err) ||
        cdp_dense_eigen(w->square, k, w->value, w->threads, w->progress, err))
        return -1;
    *singular = 0;
    double *q = w->square, *inverse = w->rotation; // S^-1/2 Q, then its square
    for (size_t i = 0; i < k; i++) {
        bool used = w->value[i] > 1e-12 * w->value[0];
        double root = used ? sqrt(w->value[i]) : 0, by = used ? 1 / sqrt(root) : 0;
        *singular += root;
        for (size_t d = 0; d < k; d++)
            q[i * k + d] *= by;
    }
    struct cdp_dense_product invert = {.a = {q, 1, k},
                                       .b = {q, k, 1},
                                       .rows = k,
                                       .columns = k,
                                       .depth = k,
                                       .c = inverse,
                                       .stride = k};
    struct cdp_dense_product turn = {.a = {w->sum, k, 1},
                                     .b = {inverse, k, 1},
                                     .rows = k,
                                     .columns = k,
                                     .depth = k,
                                     .c = q,
                                     .stride = k};
    if (cdp_dense_multiply(&invert, w->threads, w->progress, err) ||
        cdp_dense_multiply(&turn, w->threads, w->progress, err))
        return -1;
    memcpy(w->rotation, q, k * k * sizeof *q);
    return 0;
}

// The products of a row with the directions are at most 1 % longer than the row (see rotate), so
// that squares of some of them bound the others.
enum { LIKELY = 16 };
static const double LONGEST = 1.01;

// Sets a row's label if some of its likely clusters rule out the others.
static bool assign_likely(const struct work *w, size_t row)
{
    double rest = LONGEST, most = 0;
    uint32_t best = 0;
    for (size_t l = 0; l < w->likely; l++) {
        uint32_t c = w->cluster[row * w->likely + l];
        double product;
        cdp_dense_products(row_of(w, row), w->rotation + c * w->k, 1, w->k, w->k, &product, 1);
        rest -= product * product;
        if (product > most || (product == most && c < best)) {
            most = product;
            best = c;
        }
        if (most * most > rest) {
            w->label[row] = best;
            return true;
        }
    }
    return false;
}

// Notes the clusters of the largest magnitudes, descending. `magnitude` has room for LIKELY.
static void note_likely(const struct work *w, const double *turned, double *magnitude,
                        uint32_t *cluster)
{
    size_t count = 0;
    for (size_t c = 0; c < w->k; c++) {
        double own = fabs(turned[c]);
        if (count == w->likely && own <= magnitude[count - 1])
            continue;
        size_t at = count < w->likely ? count++ : count - 1;
        for (; at > 0 && own > magnitude[at - 1]; at--) {
            magnitude[at] = magnitude[at - 1];
            cluster[at] = cluster[at - 1];
        }
        magnitude[at] = own;
        cluster[at] = (uint32_t)c;
    }
}

// Sets the labels of `count` rows from all their products, and notes their likely clusters.
static int assign_panel(const struct work *w, const uint32_t *list, size_t count, bool magnitudes,
                        struct cdp_err *err)
{
    size_t k = w->k;
    double *room = cdp_alloc_aligned(2 * count, k * sizeof *room, "rotated rows", err);
    double *rows = room + count * k;
    for (size_t i = 0; room && i < count; i++)
        memcpy(rows + i * k, row_of(w, list[i]), k * sizeof *rows);
    struct cdp_dense_product turn = {.a = {rows, k, 1},
                                     .b = {w->rotation, 1, k},
                                     .rows = count,
                                     .columns = k,
                                     .depth = k,
                                     .c = room,
                                     .stride = k};
    int status = room ? cdp_dense_multiply(&turn, 1, w->progress, err) : -1;
    for (size_t i = 0; i < count && !status; i++) {
        const double *turned = room + i * k;
        double magnitude[LIKELY];
        uint32_t best = 0;
        for (uint32_t c = 1; c < k; c++) {
            if (magnitudes ? fabs(turned[c]) > fabs(turned[best]) : turned[c] > turned[best])
                best = c;
        }
        w->label[list[i]] = best;
        note_likely(w, turned, magnitude, w->cluster + list[i] * w->likely);
    }
    free(room);
    return status;
}

// Each row's cluster: the largest product with the directions, or the largest magnitude. Ties: the
// smaller cluster. Unless `all`, rows whose likely clusters rule out the others take no other
// products.
static int assign_rows(const struct work *w, bool all, bool magnitudes, struct cdp_err *err)
{
    enum { PANEL = 512 };
    size_t count = 0;
    int status = 0;
#pragma omp parallel for num_threads(w->threads) schedule(dynamic, 256)
    for (size_t i = 0; i < w->rows; i++)
        w->certain[i] = !all && !cdp_progress_stopped(w->progress) && assign_likely(w, i);
    for (size_t i = 0; i < w->rows; i++) {
        if (!w->certain[i])
            w->list[count++] = (uint32_t)i;
    }
#pragma omp parallel for num_threads(w->threads) schedule(dynamic)
    for (size_t from = 0; from < count; from += PANEL) {
        struct cdp_err own;
        if (assign_panel(w, w->list + from, count - from < PANEL ? count - from : PANEL, magnitudes,
                         &own)) {
#pragma omp critical
            {
                status = -1;
                *err = own;
            }
        }
    }
    return status;
}

static void sum_clusters(const struct work *w)
{
    memset(w->sum, 0, w->k * w->k * sizeof *w->sum);
    for (size_t i = 0; i < w->rows; i++) {
        double *sum = w->sum + w->label[i] * w->k;
        const double *row = row_of(w, i);
        for (size_t d = 0; d < w->k; d++)
            sum[d] += row[d];
    }
}

// D^-1/2 times the eigenvectors, each column scaled to one length and the first row negative, then
// rows to length 1.
static void normalize(const struct work *w, const double *root)
{
    memset(w->value, 0, w->k * sizeof *w->value);
    for (size_t i = 0; i < w->rows; i++) {
        double *row = row_of(w, i);
        for (size_t d = 0; d < w->k; d++) {
            row[d] /= root[i];
            w->value[d] += row[d] * row[d];
        }
    }
    for (size_t d = 0; d < w->k; d++) {
        double by = w->value[d] > 0 ? 1 / sqrt(w->value[d]) : 0;
        w->value[d] = w->row[d] > 0 ? -by : by;
    }
    for (size_t i = 0; i < w->rows; i++) {
        double *row = row_of(w, i), square = 0;
        for (size_t d = 0; d < w->k; d++) {
            row[d] *= w->value[d];
            square += row[d] * row[d];
        }
        double by = square > 0 ? 1 / sqrt(square) : 0;
        for (size_t d = 0; d < w->k; d++)
            row[d] *= by;
    }
}

static int discretize(const struct work *w, const double *root, struct cdp_err *err)
{
    enum { ROUNDS = 30 };
    normalize(w, root);
    if (choose(w, CDP_ASSIGN_DISCRETIZE, err))
        return -1;
    memcpy(w->rotation, w->sum, w->k * w->k * sizeof *w->rotation);
    double before = -1;
    for (int round = 0; round < ROUNDS; round++) {
        double singular;
        memcpy(w->before, w->label, w->rows * sizeof *w->before);
        if (assign_rows(w, round == 0, false, err)) // the chosen rows are no rotation
            return -1;
        if (memcmp(w->before, w->label, w->rows * sizeof *w->before) == 0)
            break;
        sum_clusters(w);
        if (rotate(w, &singular, err))
            return -1;
        if (fabs(singular - before) < 0x1p-52)
            break;
        before = singular;
    }
    return 0;
}

static int cluster_qr(const struct work *w, struct cdp_err *err)
{
    double singular;
    if (choose(w, CDP_ASSIGN_CLUSTER_QR, err) || rotate(w, &singular, err))
        return -1;
    return assign_rows(w, true, true, err);
}

int cdp_discretize(double *embedding, const double *root, size_t rows, size_t k, size_t stride,
                   enum cdp_assign assign, uint32_t *label, int threads,
                   const struct cdp_progress *progress, struct cdp_err *err)
{
    struct work w = {.row = embedding,
                     .rows = rows,
                     .k = k,
                     .stride = stride,
                     .label = label,
                     .likely = k < LIKELY ? k : LIKELY,
                     .threads = threads,
                     .progress = progress};
    w.sum = cdp_alloc_aligned(k, k * sizeof *w.sum, "sums of clusters", err);
    w.rotation = cdp_alloc_aligned(k, k * sizeof *w.rotation, "a rotation", err);
    w.square = cdp_alloc_aligned(k, k * sizeof *w.square, "a rotation", err);
    w.value = cdp_alloc(k, sizeof *w.value, "a rotation", err);
    w.cluster = cdp_alloc(rows, w.likely * sizeof *w.cluster, "likely clusters", err);
    w.list = cdp_alloc(rows, sizeof *w.list, "rows", err);
    w.certain = cdp_alloc(rows, sizeof *w.certain, "rows", err);
    w.before = cdp_alloc(rows, sizeof *w.before, "labels", err);
    int status =
        w.sum && w.rotation && w.square && w.value && w.cluster && w.list && w.certain && w.before
            ? 0
            : -1;
    for (size_t i = 0; i < rows; i++)
        label[i] = UINT32_MAX;
    if (!status)
        status = assign == CDP_ASSIGN_DISCRETIZE ? discretize(&w, root, err) : cluster_qr(&w, err);
    free(w.sum);
    free(w.rotation);
    free(w.square);
    free(w.value);
    free(w.cluster);
    free(w.list);
    free(w.certain);
    free(w.before);
    return status;
}
