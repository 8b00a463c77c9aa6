// SPDX-License-Identifier: MIT
#include "knn/bytes.h"

#include <math.h>

#include "knn/kernel.h"

double cdp_bytes_scale(const double *v, size_t dim)
{
    double most = 0, longest = 0, all = 0;
    double chunk[2] = {0};
    for (size_t d = 0; d < dim; d += 2) {
        double a = fabs(v[d]), b = d + 1 < dim ? fabs(v[d + 1]) : 0;
        most = a + b > most ? a + b : most;
        chunk[d / 2 % 2] += a * a + b * b;
        if (d + 2 >= dim || (d + 2) % (4 * CDP_DOT_CHUNK) == 0) {
            longest = fmax(longest, fmax(chunk[0], chunk[1]));
            all += chunk[0] + chunk[1];
            chunk[0] = chunk[1] = 0;
        }
    }
    double part = sqrt(longest) / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double whole = sqrt(all) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
    return fmax(most / (CDP_DOT_PAIR - 1), fmax(part, whole)) * (1 + 1e-6);
}

struct cdp_bytes cdp_bytes_round(const double *v, size_t dim, double scale, int8_t *q)
{
    struct cdp_bytes bytes = {0};
    double inverse = 1 / scale;
    for (size_t d = 0; d < dim; d++) {
        // Adding and taking away 1.5 x 2^52 rounds to an integer.
        double rounded = v[d] * inverse + 0x1.8p52 - 0x1.8p52;
        q[d] = (int8_t)rounded;
        bytes.sum += q[d];
        bytes.square += q[d] * q[d];
        double e = v[d] - scale * rounded;
        bytes.residual += e * e;
    }
    return bytes;
}
