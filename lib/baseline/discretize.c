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
    double *sum;      // k x k: of the rows of each cluster, or the chosen rows
    double *rotation; // k x k
    double *square;   // k x k
    double *value;    // k
    int threads;
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

// rotation = the transposed orthogonal factor of the polar decomposition of `sum`; returns the sum
// of its singular values. With sum' sum = Q' S^2 Q, one eigenvector a row of Q, the factor is sum
// Q' S^-1 Q; directions of singular values below 1e-7 of the largest are left out.
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
    if (cdp_dense_multiply(&square, w->threads, err) ||
        cdp_dense_eigen(w->square, k, w->value, w->threads, err))
        return -1;
    *singular = 0;
    double *q = w->square, *inverse = w->rotation; // S^-1/2 Q, then its square
    for (size_t i = 0; i < k; i++) {
        bool used = w->value[i] > 1e-14 * w->value[0];
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
    struct cdp_dense_product turn = {.a = {inverse, k, 1},
                                     .b = {w->sum, 1, k},
                                     .rows = k,
                                     .columns = k,
                                     .depth = k,
                                     .c = q,
                                     .stride = k};
    if (cdp_dense_multiply(&invert, w->threads, err) || cdp_dense_multiply(&turn, w->threads, err))
        return -1;
    memcpy(w->rotation, q, k * k * sizeof *q);
    return 0;
}

// assign_rows for `count` rows from `from` on.
static int assign_panel(const struct work *w, size_t from, size_t count, bool magnitudes,
                        struct cdp_err *err)
{
    size_t k = w->k;
    int changed = 0;
    double *room = cdp_alloc_aligned(count, k * sizeof *room, "rotated rows", err);
    struct cdp_dense_product turn = {.a = {row_of(w, from), w->stride, 1},
                                     .b = {w->rotation, k, 1},
                                     .rows = count,
                                     .columns = k,
                                     .depth = k,
                                     .c = room,
                                     .stride = k};
    if (!room || cdp_dense_multiply(&turn, 1, err)) {
        free(room);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const double *turned = room + i * k;
        uint32_t best = 0;
        for (uint32_t c = 1; c < k; c++) {
            if (magnitudes ? fabs(turned[c]) > fabs(turned[best]) : turned[c] > turned[best])
                best = c;
        }
        changed |= w->label[from + i] != best;
        w->label[from + i] = best;
    }
    free(room);
    return changed;
}

// Each row's cluster: the largest number of the rotated row, or of its magnitudes. Ties: the
// smaller cluster. Returns whether a label changed, or -1.
static int assign_rows(const struct work *w, bool magnitudes, struct cdp_err *err)
{
    enum { PANEL = 1024 };
    int changed = 0;
#pragma omp parallel for num_threads(w->threads) schedule(dynamic)
    for (size_t from = 0; from < w->rows; from += PANEL) {
        struct cdp_err own;
        size_t count = w->rows - from < PANEL ? w->rows - from : PANEL;
        int status = assign_panel(w, from, count, magnitudes, &own);
#pragma omp critical(assign_rows)
        {
            if (status < 0 && changed >= 0)
                *err = own;
            changed = status < 0 || changed < 0 ? -1 : changed | status;
        }
    }
    return changed;
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
    for (size_t c = 0; c < w->k; c++) {
        for (size_t d = 0; d < w->k; d++)
            w->rotation[d * w->k + c] = w->sum[c * w->k + d];
    }
    double before = -1;
    for (int round = 0; round < ROUNDS; round++) {
        double singular;
        int changed = assign_rows(w, false, err);
        if (changed <= 0)
            return changed;
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
    return assign_rows(w, true, err) < 0 ? -1 : 0;
}

int cdp_discretize(double *embedding, const double *root, size_t rows, size_t k, size_t stride,
                   enum cdp_assign assign, uint32_t *label, int threads, struct cdp_err *err)
{
    struct work w = {.row = embedding,
                     .rows = rows,
                     .k = k,
                     .stride = stride,
                     .label = label,
                     .threads = threads};
    w.sum = cdp_alloc_aligned(k, k * sizeof *w.sum, "sums of clusters", err);
    w.rotation = cdp_alloc_aligned(k, k * sizeof *w.rotation, "a rotation", err);
    w.square = cdp_alloc_aligned(k, k * sizeof *w.square, "a rotation", err);
    w.value = cdp_alloc(k, sizeof *w.value, "a rotation", err);
    int status = w.sum && w.rotation && w.square && w.value ? 0 : -1;
    for (size_t i = 0; i < rows; i++)
        label[i] = UINT32_MAX;
    if (!status)
        status = assign == CDP_ASSIGN_DISCRETIZE ? discretize(&w, root, err) : cluster_qr(&w, err);
    free(w.sum);
    free(w.rotation);
    free(w.square);
    free(w.value);
    return status;
}
