// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "knn/data/dataset.h"

cdp_sum_function *cdp_distance_sum(const struct cdp_sums *sums, enum cdp_metric metric)
{
    switch (metric) {
    case CDP_L2:
        return sums->square;
    case CDP_L1:
        return sums->absolute;
    case CDP_LINF:
        return sums->largest;
    case CDP_COSINE:
    case CDP_ANGULAR:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return sums->dot;
}

enum { SUMS = 8 }; // partial sums, so that all machines add in one order

struct sums {
    double rr[SUMS], ww[SUMS], rw[SUMS];
};

static inline void add(struct sums *s, const float *x, const float *y, double by_x, double by_y)
{
    for (int i = 0; i < SUMS; i++) {
        double a = (double)x[i] * by_x, b = (double)y[i] * by_y, r = a - b, w = a + b;
        s->rr[i] += r * r;
        s->ww[i] += w * w;
        s->rw[i] += r * w;
    }
}

static double total(const double sum[SUMS])
{
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// A power of two that scales a vector with this square to about length 1.
static double unit_of(double square)
{
    return ldexp(1, -ilogb(square) / 2);
}

// The squared sine of the angle between nearly parallel rows, however small, to nearly all digits
// of double precision. With m the place of the largest |x_m y_m|, let
//
//   r = y_m x - x_m y,  w = y_m x + x_m y.
//
// Products of float32 numbers are exact in double precision, so each number of r is rounded once,
// and r is 0 for parallel rows. The area spanned by r and w is 2 |x_m y_m| times the area spanned
// by x and y, which is |x| |y| times the sine. In |r|^2 |w|^2 - (r.w)^2 a factor of at most about
// `dim` cancels, since number m has at least 1 / dim of |w|^2. Swapping x and y changes signs only.
// Powers of two scale rows, so that nothing overflows.
static double sine_square(const float *x, const float *y, size_t dim, double xx, double yy)
{
    double unit_x = unit_of(xx), unit_y = unit_of(yy), most = 0;
    size_t m = 0, d = 0;
    for (size_t i = 0; i < dim; i++) {
        double product = fabs((double)x[i] * (double)y[i]);
        m = product > most ? i : m;
        most = product > most ? product : most;
    }
    double x_m = (double)x[m] * unit_x, y_m = (double)y[m] * unit_y;
    struct sums s = {{0}, {0}, {0}};
    for (; d + SUMS <= dim; d += SUMS)
        add(&s, x + d, y + d, y_m * unit_x, x_m * unit_y);
    if (d < dim) {
        float a[SUMS] = {0}, b[SUMS] = {0};
        memcpy(a, x + d, (dim - d) * sizeof *a);
        memcpy(b, y + d, (dim - d) * sizeof *b);
        add(&s, a, b, y_m * unit_x, x_m * unit_y);
    }
    double rw = total(s.rw), area = total(s.rr) * total(s.ww) - rw * rw, scale = 2 * x_m * y_m;
    return fmax(0, area) / (scale * scale * (xx * unit_x * unit_x) * (yy * unit_y * unit_y));
}

double cdp_distance_key(enum cdp_metric metric, double sum, const float *x, const float *y,
                        size_t dim, double xx, double yy)
{
    if (metric != CDP_COSINE && metric != CDP_ANGULAR)
        return sum;
    double cosine = sum / sqrt(xx * yy);
    if (fabs(cosine) <= 1 - CDP_CLOSE)
        return -cosine;
    double square = sine_square(x, y, dim, xx, yy);
    double versine = fmin(CDP_CLOSE, square / (1 + sqrt(1 - square))); // 1 - |cosine|
    return cosine > 0 ? -1 / versine : 1 / versine;
}

double cdp_distance_min_key(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR ? -INFINITY : 0;
}

// The angle whose cosine is 1 - x.
static double small_angle(double x)
{
    return 2 * asin(sqrt(x / 2));
}

double cdp_distance_of(enum cdp_metric metric, double key)
{
    switch (metric) {
    case CDP_COSINE:
        return key < -1 ? -1 / key : key > 1 ? 2 - 1 / key : 1 + key;
    case CDP_ANGULAR:
        return key < -1  ? small_angle(-1 / key)
               : key > 1 ? M_PI - small_angle(1 / key)
                         : acos(-key);
    case CDP_L2:
        return sqrt(key);
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return key;
}
