// SPDX-License-Identifier: MIT
#include "score/cohort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/isa.h"
#include "base/random.h"
#include "tap.h"

// Integer rows, their products, normalisation and counts against plain loops, with each
// instruction set in a process of its own, since a process settles for one.

enum { ITEMS = 503, CLUSTERS = 251, DIM0 = 19, DIM1 = 40, ROWS = 37 };

static float rows0[ITEMS][DIM0], rows1[ITEMS][DIM1];
static uint32_t label[ITEMS], few[ITEMS];
static const double weight[] = {0.3, 0.7};

// Row 5 is all zeros in the first model.
static void draw_rows(float *row, size_t dim, uint64_t seed)
{
    for (uint64_t i = 0; i < ITEMS; i++) {
        for (size_t d = 0; d < dim; d++)
            row[i * dim + d] = (float)(cdp_random(seed, i * dim + d) >> 40) * 0x1p-24F - 0.4F;
    }
}

static struct cdp_matrix matrix(float *row, size_t dim)
{
    static char name[] = "rows";
    return (struct cdp_matrix){.rows = ITEMS,
                               .dim = dim,
                               .dimensions = 2,
                               .number = CDP_F32,
                               .data = (unsigned char *)row,
                               .row_stride = dim * sizeof *row,
                               .number_stride = sizeof *row,
                               .name = name};
}

static double dot(const float *x, const float *y, size_t dim)
{
    double sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += (double)x[d] * (double)y[d];
    return sum;
}

static double cosine(const float *x, const float *y, size_t dim)
{
    double lengths = sqrt(dot(x, x, dim) * dot(y, y, dim));
    return lengths > 0 ? dot(x, y, dim) / lengths : 0;
}

static int32_t naive_product(const struct cdp_fused *f, size_t i, size_t j)
{
    int32_t sum = 0;
    for (size_t d = 0; d < f->dim; d++)
        sum += f->unit[i * f->dim + d] * f->unit[j * f->dim + d];
    return sum;
}

static int32_t naive_score(const struct cdp_fused *f, size_t i, size_t j)
{
    int32_t product = naive_product(f, i, j);
    if (!f->slope)
        return product;
    double score = product * ((double)f->slope[i] + (double)f->slope[j]) -
                   ((double)f->shift[i] + (double)f->shift[j]);
    return (int32_t)fmax(fmin(score, 0x1p28), -0x1p28);
}

static void test_scores(const struct cdp_fused *f)
{
    double most = 0;
    int wrong = 0;
    for (uint32_t i = 0; i < ITEMS; i += 7) {
        uint32_t other[ITEMS];
        int32_t score[ITEMS];
        for (uint32_t j = 0; j < ITEMS; j++)
            other[j] = (j * 17 + i) % ITEMS;
        cdp_fused_scores(f, i, other, ITEMS, score);
        for (uint32_t k = 0; k < ITEMS; k++) {
            uint32_t j = other[k];
            double wanted = weight[0] * cosine(rows0[i], rows0[j], DIM0) +
                            weight[1] * cosine(rows1[i], rows1[j], DIM1);
            wrong += score[k] != naive_score(f, i, j);
            most = fmax(most, fabs(naive_product(f, i, j) * 0x1p-28 - wanted));
        }
    }
    ok(wrong == 0, "scores are those of plain loops%s", f->slope ? ", normalised" : "");
    ok(most < 3e-4, "and the weighted cosines: off by %.1g at most", most);
}

static void test_cohort(const struct cdp_fused *f, uint32_t rows, int threads)
{
    struct cdp_cohort cohort;
    struct cdp_err err;
    if (!ok(!cdp_cohort_new(&cohort, f, rows, threads, NULL, &err), "a cohort"))
        return;
    uint32_t *inside = cdp_cohort_inside(&cohort, f, label, CLUSTERS, threads, &err);
    int wrong = 0, unsorted = 0;
    for (uint32_t r = 0; r < cohort.rows && inside; r++) {
        static uint32_t all[CDP_COSINE_BINS], own[CDP_COSINE_BINS];
        memset(all, 0, sizeof all);
        memset(own, 0, sizeof own);
        uint32_t item = cohort.item[r];
        for (uint32_t j = 0; j < ITEMS; j++) {
            uint32_t bin = cdp_cosine_bin(naive_score(f, item, j));
            all[bin] += j != item;
            own[bin] += j != item && label[j] == label[item];
        }
        size_t row = (size_t)r * CDP_COSINE_BINS;
        wrong += memcmp(all, cohort.counts + row, sizeof all) != 0;
        wrong += memcmp(own, inside + row, sizeof own) != 0;
        unsorted += r > 0 && item <= cohort.item[r - 1];
    }
    ok(inside && wrong == 0 && unsorted == 0 && cohort.rows == (rows < ITEMS ? rows : ITEMS),
       "counts of %u rows and of their clusters, %d threads", cohort.rows, threads);
    free(inside);
    cdp_cohort_free(&cohort);
}

static int descending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x < y) - (x > y);
}

// Mean and deviation of the largest tenth of the cosines with the first items of other clusters.
static void test_normalise(struct cdp_fused *f, int threads)
{
    struct cdp_err err;
    double most = 0;
    ok(!cdp_fused_normalise(f, label, CLUSTERS, threads, NULL, &err) && f->slope, "normalisation");
    for (uint32_t i = 0; i < ITEMS && f->slope; i++) {
        int32_t other[CLUSTERS] = {0};
        size_t others = 0;
        bool seen[CLUSTERS] = {false};
        for (uint32_t j = 0; j < ITEMS; j++) {
            if (!seen[label[j]] && label[j] != label[i])
                other[others++] = naive_product(f, i, j);
            seen[label[j]] = true;
        }
        qsort(other, others, sizeof *other, descending);
        double sum = 0, square = 0, top = (double)(others / 10);
        for (size_t k = 0; k < others / 10; k++)
            sum += other[k] * 0x1p-28;
        for (size_t k = 0; k < others / 10; k++)
            square += pow(other[k] * 0x1p-28 - sum / top, 2);
        double deviation = sqrt(square / top);
        most = fmax(most, fabs((double)f->slope[i] * 2 * CDP_NORMAL_RANGE * deviation - 1));
        most = fmax(most, fabs((double)f->shift[i] / (double)f->slope[i] * 0x1p-28 - sum / top));
    }
    ok(most < 1e-4, "means and deviations by sorting: off by %.1g at most", most);
}

// Rows of zeros are not drawn, also where they are those of the smallest hashes.
static void test_zeros(void)
{
    enum { MANY = 20000, WANTED = 512 };
    static float row[MANY][2];
    struct cdp_matrix of = matrix(&row[0][0], 2);
    struct cdp_fused f;
    struct cdp_cohort cohort;
    struct cdp_err err;
    uint64_t live = 0;
    of.rows = MANY;
    for (uint64_t i = 0; i < MANY; i++) {
        bool zero = cdp_random(0, i) < UINT64_MAX / 8;
        row[i][0] = zero ? 0 : 1;
        live += !zero;
    }
    if (!ok(!cdp_fused_new(&f, &of, (double[]){1}, 1, 2, &err) &&
                !cdp_cohort_new(&cohort, &f, WANTED, 2, NULL, &err),
            "a cohort beside rows of zeros"))
        return;
    bool drawn = cohort.rows == WANTED && f.live == live, all = true;
    for (uint32_t r = 0; r < cohort.rows; r++) {
        uint64_t sum = 0;
        drawn = drawn && !f.zero[cohort.item[r]];
        for (int b = 0; b < CDP_COSINE_BINS; b++)
            sum += cohort.counts[(size_t)r * CDP_COSINE_BINS + b];
        all = all && sum == live - 1;
    }
    ok(drawn, "no row of zeros is drawn");
    ok(all, "cosines with all other live items are counted");
    cdp_cohort_free(&cohort);
    cdp_fused_free(&f);
}

static void test_bad(void)
{
    struct cdp_matrix model[] = {matrix(rows0[0], DIM0), matrix(rows1[0], DIM1)};
    struct cdp_fused f;
    struct cdp_err err;
    float old = rows1[77][3];
    rows1[77][3] = NAN;
    ok(cdp_fused_new(&f, model, weight, 2, 2, &err) && strstr(err.text, "rows: row 77"),
       "a row with a number that is not finite is named");
    rows1[77][3] = old;
}

static int run(void)
{
    struct cdp_matrix model[] = {matrix(rows0[0], DIM0), matrix(rows1[0], DIM1)};
    struct cdp_fused f;
    struct cdp_err err;
    test_bad();
    test_zeros();
    for (int threads = 1; threads < 4; threads += 2) {
        if (!ok(!cdp_fused_new(&f, model, weight, 2, threads, &err), "two models as one"))
            continue;
        ok(f.dim % 32 == 0 && f.items == ITEMS, "%zu numbers a row", f.dim);
        ok(!cdp_fused_normalise(&f, few, CDP_LEAST_CLUSTERS - 1, 1, NULL, &err) && !f.slope,
           "too few clusters change nothing");
        test_scores(&f);
        test_cohort(&f, ROWS, threads);
        test_normalise(&f, threads);
        test_scores(&f);
        test_cohort(&f, ITEMS + 5, threads);
        cdp_fused_plain(&f);
        test_scores(&f);
        cdp_fused_free(&f);
    }
    return done();
}

int main(void)
{
    draw_rows(rows0[0], DIM0, 1);
    draw_rows(rows1[0], DIM1, 2);
    memset(rows0[5], 0, sizeof rows0[5]);
    for (uint32_t i = 0; i < ITEMS; i++)
        label[i] = i * 5 % CLUSTERS;
    for (uint32_t i = 0; i < ITEMS; i++)
        few[i] = i % (CDP_LEAST_CLUSTERS - 1);
    int failed = 0;
    for (enum cdp_isa isa = CDP_ISA_PLAIN; isa < CDP_ISAS; isa++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct cdp_err err;
            setenv("CDP_ISA", cdp_isa_name(isa), 1);
            if (cdp_isa_check(&err))
                _exit(0);
            if (!freopen("/dev/null", "w", stdout))
                _exit(1);
            _exit(run());
        }
        int status = 1;
        waitpid(child, &status, 0);
        failed += !ok(status == 0, "instruction set %s", cdp_isa_name(isa));
    }
    return failed ? done() : run();
}
