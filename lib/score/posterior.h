// SPDX-License-Identifier: MIT
#ifndef CDP_POSTERIOR_H
#define CDP_POSTERIOR_H

#include "score/cohort.h"

// How probable it is that a pair of a cosine is of one identity, estimated without labels: from
// what the cohort's cosines have beyond those of chance.

// Cosines of pairs of different items: Gaussian.
struct cdp_null {
    double mean, deviation;
};

// From the middle of the distribution, where true pairs hardly count: the mean is the median, the
// deviation the least that a quantile of 0.6 to 0.9 gives.
struct cdp_null cdp_null_estimate(const struct cdp_cohort *cohort);

// The same when clusters are known: pairs inside of them (`inside`, of cdp_cohort_inside) are left
// out, and the quantile lies as far out as they allow. The deviation stays from 0.85 to 1.1 of that
// of `first`; *ratio is what it would be without these bounds, in units of that of `first`.
struct cdp_null cdp_null_refine(const struct cdp_cohort *cohort, const uint32_t *inside,
                                struct cdp_null first, double *ratio);

enum { CDP_POSTERIOR_BINS = 300 };

// Pairs by chance for each item that a threshold lets through at least and at most.
#define CDP_LEAST_ALARMS 1e-3
#define CDP_MOST_ALARMS 12.0

// By z = (cosine - mean) / deviation, in `bins` bins from edge[b] to edge[b + 1].
struct cdp_posterior {
    struct cdp_null null;
    uint64_t items;
    int bins;
    double edge[CDP_POSTERIOR_BINS + 1];
    double excess[CDP_POSTERIOR_BINS]; // true pairs for each pair by chance: the odds
    double weight[CDP_POSTERIOR_BINS]; // log10(1 + excess)
    double true_above[CDP_POSTERIOR_BINS + 1], chance_above[CDP_POSTERIOR_BINS + 1];
    double all_true; // shares of all pairs: true ones, true and by chance above an edge
};

// The excess of the cosines observed over those of the null, never smaller at a larger z. Each row
// of the cohort counts (1 + its expected number of true partners)^-power, so that large identities
// do not outvote small ones. Memory: 3 KiB a row of the cohort.
int cdp_posterior_new(struct cdp_posterior *posterior, const struct cdp_cohort *cohort,
                      struct cdp_null null, double power, uint64_t items, struct cdp_err *err);

// The odds as base-10 logarithm, log10(1 + excess), by straight lines between the bins' middles.
// Minus that is the logarithm of the probability that the pair is false.
double cdp_posterior_weight(const struct cdp_posterior *posterior, double z);

// The z above which the pairs have the best F measure of weight beta, (1 + beta^2) TP / (TP + FP +
// beta^2 P), between the bounds above. *recall = TP / P.
double cdp_posterior_threshold(const struct cdp_posterior *posterior, double beta, double *recall);

// The z of the first bin with such an excess; INFINITY where there is none.
double cdp_excess_threshold(const struct cdp_posterior *posterior, double excess);

// As cdp_posterior_threshold when clusters are known: their pairs are the true ones, the others
// those by chance.
double cdp_inside_threshold(const struct cdp_posterior *posterior, const struct cdp_cohort *cohort,
                            const uint32_t *inside, double power, double beta, double *recall);

// The z above which so many pairs by chance are expected for each item, and the other way round.
double cdp_false_alarms_threshold(double alarms, uint64_t items);
double cdp_false_alarms(double z, uint64_t items);

#endif
