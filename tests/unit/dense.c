// SPDX-License-Identifier: MIT
#include "baseline/dense.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tap.h"

// What baseline/dense.h promises: products as by their definition, eigenvectors of symmetric
// matrices, the same bits for any number of threads and instruction set.

enum { MOST = 330 };

static double number(uint64_t stream, uint64_t index)
{
    return (double)(int64_t)cdp_random(stream, index) * 0x1p-63;
}

// A product of matrices that lie row by row or column by column.
static bool product_is_right(size_t rows, size_t columns, size_t depth, bool turned, bool upper)
{
    static double a[MOST * MOST], b[MOST * MOST], c[2][MOST * MOST];
    for (size_t i = 0; i < MOST * MOST; i++) {
        a[i] = number(1, i);
        b[i] = number(2, i);
        c[0][i] = c[1][i] = NAN;
    }
    struct cdp_dense_product product = {.a = {a, turned ? 1 : depth, turned ? rows : 1},
                                        .b = {b, turned ? 1 : columns, turned ? depth : 1},
                                        .rows = rows,
                                        .columns = columns,
                                        .depth = depth,
                                        .c = c[0],
                                        .stride = columns + 3,
                                        .upper = upper};
    struct cdp_err err;
    if (cdp_dense_multiply(&product, 1, NULL, &err))
        return false;
    product.c = c[1];
    if (cdp_dense_multiply(&product, 3, NULL, &err) || memcmp(c[0], c[1], sizeof c[0]) != 0)
        return false;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = upper ? i : 0; j < columns; j++) {
            double sum = 0;
            for (size_t l = 0; l < depth; l++)
                sum += a[i * product.a.down + l * product.a.across] *
                       b[l * product.b.down + j * product.b.across];
            if (!(fabs(sum - c[0][i * product.stride + j]) < 1e-12))
                return false;
        }
        if (!isnan(c[0][i * product.stride + columns]))
            return false; // written beyond the row
    }
    return true;
}

enum kind { RANDOM, DIAGONAL, TIES, ZERO };

static double entry(enum kind kind, size_t i, size_t j)
{
    size_t low = i < j ? i : j, high = i < j ? j : i;
    switch (kind) {
    case RANDOM:
        return number(3, high * 1000 + low);
    case DIAGONAL:
        return i == j ? number(4, i) : 0;
    case TIES:
        return (i == j) + (i / 3 == j / 3); // 4 or 1, many times
    default:
        return 0;
    }
}

static bool eigen_is_right(size_t n, enum kind kind)
{
    static double v[2][MOST * MOST], value[2][MOST];
    struct cdp_err err;
    for (int run = 0; run < 2; run++) {
        for (size_t i = 0; i < n * n; i++)
            v[run][i] = entry(kind, i / n, i % n);
        if (cdp_dense_eigen(v[run], n, value[run], run ? 3 : 1, NULL, &err))
            return false;
    }
    if (memcmp(v[0], v[1], n * n * sizeof **v) != 0 || memcmp(value[0], value[1], n * 8) != 0)
        return false;
    for (size_t e = 0; e < n; e++) {
        const double *own = v[0] + e * n;
        if (e > 0 && value[0][e] > value[0][e - 1])
            return false;
        for (size_t i = 0; i < n; i++) {
            double sum = 0, dot = 0;
            for (size_t j = 0; j < n; j++) {
                sum += entry(kind, i, j) * own[j];
                dot += own[j] * v[0][i * n + j];
            }
            if (!(fabs(sum - value[0][e] * own[i]) < 1e-11) || !(fabs(dot - (i == e)) < 1e-11))
                return false;
        }
    }
    return true;
}

// A digest of what both functions and the inner products give, to compare instruction sets.
static uint64_t digest(void)
{
    static double a[MOST * MOST], value[MOST], c[MOST * MOST];
    struct cdp_err err;
    for (size_t i = 0; i < MOST * MOST; i++)
        a[i] = entry(RANDOM, i / MOST, i % MOST);
    struct cdp_dense_product product = {.a = {a, MOST, 1},
                                        .b = {a, 1, MOST},
                                        .rows = MOST,
                                        .columns = MOST - 3,
                                        .depth = MOST,
                                        .c = c,
                                        .stride = MOST - 3};
    uint64_t sum = 0;
    if (cdp_dense_multiply(&product, 2, NULL, &err) ||
        cdp_dense_eigen(a, MOST - 1, value, 2, NULL, &err))
        return 0;
    cdp_dense_products(a, c, MOST - 5, MOST, MOST - 7, value, 2);
    for (size_t i = 0; i < 3 * MOST; i++) {
        uint64_t bits;
        const double *from = i < MOST       ? a + i * 7
                             : i < 2 * MOST ? c + i * 5
                                            : value + i % (MOST - 5);
        memcpy(&bits, from, sizeof bits);
        sum = cdp_random(sum, bits);
    }
    return sum;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        printf("%016llx\n", (unsigned long long)digest());
        return 0;
    }
    static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 31, 64, 129, 300};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int s = 0; s < SIZES; s++) {
        size_t n = sizes[s], other = sizes[(s + 3) % SIZES], depth = sizes[(s + 7) % SIZES];
        ok(product_is_right(n, other, depth, false, false) &&
               product_is_right(n, other, depth, true, false) &&
               product_is_right(n, n, depth, true, true),
           "products of %zu x %zu x %zu", n, depth, other);
        for (int kind = RANDOM; kind <= ZERO; kind++)
            ok(eigen_is_right(n, (enum kind)kind), "eigenvectors of %zu rows, kind %d", n, kind);
    }
    ok(product_is_right(20, 10, 0, false, false), "a product of depth 0");
    double nothing = NAN, value;
    struct cdp_err err;
    double pair[4] = {NAN, 1, 1, 2}, values[2];
    ok(!cdp_dense_eigen(&nothing, 0, &value, 1, NULL, &err), "no rows");
    ok(cdp_dense_eigen(pair, 2, values, 1, NULL, &err) < 0, "numbers that are not finite");
    char command[4096], plain[32] = "", best[32] = "";
    snprintf(command, sizeof command, "CDP_ISA=plain %s x; %s x", argv[0], argv[0]);
    FILE *both = popen(command, "r");
    ok(both && fscanf(both, "%31s %31s", plain, best) == 2, "both instruction sets run");
    if (both)
        pclose(both);
    is_text(best, plain, "the same bits");
    return done();
}
