// SPDX-License-Identifier: MIT
#include "score/posterior.c" // its static functions too

#include <string.h>

#include "base/random.h"
#include "tap.h"

// Estimates from a cohort whose cosines are two Gaussians with known shares.

enum { ROWS = 64, ITEMS = 1000000 };

struct mixture {
    double mean, deviation;           // of pairs by chance
    double true_mean, true_deviation; // of true pairs
    double partners;                  // of each item
};

// Adds about `pairs` pairs to a row; what is less than one is carried to the next bin. Rows differ
// in what they begin with.
static void add_gaussian(uint32_t *counts, size_t row, double mean, double deviation, double pairs)
{
    double carried = ((double)row + 0.5) / ROWS;
    for (size_t b = 0; b < CDP_COSINE_BINS; b++) {
        double low = (bin_cosine((double)b) - mean) / deviation;
        double high = (bin_cosine((double)b + 1) - mean) / deviation;
        carried += pairs * (tail(low) - tail(high));
        uint32_t whole = (uint32_t)carried;
        counts[b] += whole;
        carried -= whole;
    }
}

static void make_cohort(struct cdp_cohort *cohort, uint32_t *inside, const struct mixture *m)
{
    memset(cohort->counts, 0, (size_t)ROWS * CDP_COSINE_BINS * sizeof *cohort->counts);
    memset(inside, 0, (size_t)ROWS * CDP_COSINE_BINS * sizeof *inside);
    for (size_t r = 0; r < ROWS; r++) {
        uint32_t *counts = cohort->counts + r * CDP_COSINE_BINS,
                 *own = inside + r * CDP_COSINE_BINS;
        add_gaussian(own, r, m->true_mean, m->true_deviation, m->partners);
        memcpy(counts, own, CDP_COSINE_BINS * sizeof *own);
        add_gaussian(counts, (r * 29) % ROWS, m->mean, m->deviation, ITEMS - 1 - m->partners);
    }
}

static void test_null(const struct cdp_cohort *cohort, const uint32_t *inside,
                      const struct mixture *m)
{
    double ratio;
    struct cdp_null null = cdp_null_estimate(cohort);
    ok(fabs(null.mean - m->mean) < 1e-3 && fabs(null.deviation / m->deviation - 1) < 0.01,
       "null %.4f +- %.4f of %.4f +- %.4f", null.mean, null.deviation, m->mean, m->deviation);
    volatile float mean = (float)null.mean, deviation = (float)null.deviation;
    ok((double)mean == null.mean && (double)deviation == null.deviation,
       "of 24 bits each, on every machine");
    struct cdp_null refined = cdp_null_refine(cohort, inside, null, &ratio);
    ok(fabs(refined.mean - m->mean) < 1e-3 && fabs(refined.deviation / m->deviation - 1) < 0.01 &&
           fabs(ratio - 1) < 0.01,
       "refined %.4f +- %.4f", refined.mean, refined.deviation);
    struct cdp_null far = {null.mean, null.deviation * 2};
    refined = cdp_null_refine(cohort, inside, far, &ratio);
    ok(fabs(ratio - 0.5) < 0.01 && fabs(refined.deviation / far.deviation - 0.85) < 1e-6,
       "bounded where the first was wrong, and the ratio says so");
}

static void test_excess(const struct cdp_posterior *p, const struct mixture *m)
{
    double most = 0, true_pairs = 0;
    int falls = 0;
    for (int b = 0; b < p->bins; b++) {
        falls += b > 0 && (p->excess[b] < p->excess[b - 1] || p->edge[b] <= p->edge[b - 1]);
        falls +=
            p->true_above[b] < p->true_above[b + 1] || p->chance_above[b] < p->chance_above[b + 1];
        double low = p->edge[b] * p->null.deviation + p->null.mean;
        double high = p->edge[b + 1] * p->null.deviation + p->null.mean;
        double true_share = tail((low - m->true_mean) / m->true_deviation) -
                            tail((high - m->true_mean) / m->true_deviation);
        double chance =
            tail((low - m->mean) / m->deviation) - tail((high - m->mean) / m->deviation);
        double odds = m->partners * true_share / (chance * ITEMS);
        true_pairs += odds > LEAST_EXCESS ? true_share * m->partners : 0;
        if (odds > 1 && odds < 1e4 && true_share * m->partners * ROWS > 100)
            most = fmax(most, fabs(log10(p->excess[b] / odds)));
    }
    ok(falls == 0, "the excess does not fall, the tails do not rise");
    ok(most < 0.15 && true_pairs > 1, "the odds are those of the mixture: off by 10^%.2f", most);
    double partners = p->all_true * ITEMS;
    ok(fabs(partners / true_pairs - 1) < 0.1,
       "%.2f true pairs an item of %.2f that are more than chance's errors", partners, true_pairs);
    falls = 0;
    for (double z = -2, last = 0; z < 12; z += 0.01) {
        double now = cdp_posterior_weight(p, z);
        falls += now < last || isnan(now);
        last = now;
    }
    ok(falls == 0, "weights do not fall");
}

// The threshold of the best F of the true mixture, by a fine search.
static double naive_threshold(const struct mixture *m, double beta)
{
    double best = 0, most = -1;
    for (double z = 0.5; z < 12; z += 0.001) {
        double cosine = z * m->deviation + m->mean;
        double hits = m->partners * tail((cosine - m->true_mean) / m->true_deviation);
        double alarms = ITEMS * tail(z);
        double f = (1 + beta * beta) * hits / (hits + alarms + beta * beta * m->partners);
        if (f > most) {
            most = f;
            best = z;
        }
    }
    return best;
}

// Where the densities of true pairs and of chance have these odds, by a fine search.
static double naive_odds_threshold(const struct mixture *m, double odds)
{
    double z = 0.5;
    for (; z < 12; z += 0.001) {
        double own = (z * m->deviation + m->mean - m->true_mean) / m->true_deviation;
        double ratio = m->partners / ITEMS * m->deviation / m->true_deviation;
        if (ratio * exp((z * z - own * own) / 2) >= odds)
            break;
    }
    return z;
}

static void test_thresholds(const struct cdp_posterior *p, const struct cdp_cohort *cohort,
                            const uint32_t *inside, const struct mixture *m)
{
    double last = INFINITY, recall, last_recall = 0;
    int rises = 0;
    for (double beta = 0.125; beta < 3; beta *= 2) {
        double z = cdp_posterior_threshold(p, beta, &recall), wanted = naive_threshold(m, beta);
        rises += z > last || recall < last_recall;
        last = z;
        last_recall = recall;
        ok(fabs(z - wanted) < 0.2, "beta %.3f: threshold %.3f of %.3f", beta, z, wanted);
        double own = cdp_inside_threshold(p, cohort, inside, 0.5, beta, &recall);
        ok(fabs(own - wanted) < 0.15, "by clusters %.3f", own);
    }
    ok(rises == 0, "a larger beta gives no higher threshold and no smaller recall");
    for (double odds = 0.5; odds < 20; odds *= 4) {
        double z = cdp_excess_threshold(p, odds), wanted = naive_odds_threshold(m, odds);
        ok(fabs(z - wanted) < 0.15, "odds %g from %.3f on, of %.3f", odds, z, wanted);
    }
    ok(isinf(cdp_excess_threshold(p, 1e31)), "odds that no bin has");
}

static void test_false_alarms(void)
{
    double most = 0, last = INFINITY;
    int rises = 0;
    for (double alarms = 1e-6; alarms < 100; alarms *= 3) {
        double z = cdp_false_alarms_threshold(alarms, ITEMS);
        rises += z >= last;
        last = z;
        most = fmax(most, fabs(cdp_false_alarms(z, ITEMS) / alarms - 1));
    }
    ok(most < 1e-6 && rises == 0, "false alarms and their thresholds: off by %.1g", most);
    ok(cdp_false_alarms_threshold(100, 3) > 0, "more false alarms than items");
}

// The same by the min-max formula of isotonic regression.
static void test_monotone(void)
{
    double most = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        enum { MOST = 40 };
        int count = 1 + (int)(seed % MOST);
        double value[MOST] = {0}, wanted[MOST];
        for (int i = 0; i < count; i++)
            value[i] = (double)(cdp_random(seed, (uint64_t)i) >> 40) * 0x1p-24 - 0.03 * i;
        for (int i = 0; i < count; i++) {
            wanted[i] = INFINITY;
            for (int a = 0; a <= i; a++) {
                double largest = -INFINITY;
                for (int b = i; b < count; b++) {
                    double sum = 0;
                    for (int k = a; k <= b; k++)
                        sum += value[k];
                    double mean = sum / (b - a + 1);
                    largest = mean > largest ? mean : largest;
                }
                wanted[i] = fmin(wanted[i], largest);
            }
        }
        make_monotone(value, count);
        for (int i = 0; i < count; i++)
            most = fmax(most, fabs(value[i] - wanted[i]));
    }
    ok(most < 1e-12, "pool adjacent violators: off by %.1g", most);
}

// Cosines that no Gaussian explains: odds beyond single precision stay numbers.
static void test_extreme(struct cdp_cohort *cohort)
{
    struct cdp_posterior p;
    struct cdp_err err;
    memset(cohort->counts, 0, (size_t)ROWS * CDP_COSINE_BINS * sizeof *cohort->counts);
    for (size_t r = 0; r < ROWS; r++) {
        cohort->counts[r * CDP_COSINE_BINS + CDP_COSINE_BINS / 2] = 1000;
        cohort->counts[r * CDP_COSINE_BINS + CDP_COSINE_BINS - 1] = 1000;
    }
    struct cdp_null null = {0, 1e-4};
    bool sound = !cdp_posterior_new(&p, cohort, null, 1, 2001, &err);
    double recall;
    for (int b = 0; b < p.bins && sound; b++)
        sound = isfinite(p.excess[b]);
    double weight = cdp_posterior_weight(&p, 1e4);
    sound = sound && isfinite(p.all_true) && weight > 7 && weight < 300 &&
            isfinite(cdp_posterior_threshold(&p, 0.5, &recall));
    ok(sound, "odds beyond single precision: weight %.3g", weight);
}

// Rows that are all equal: no bin is above the null.
static void test_equal(struct cdp_cohort *cohort)
{
    struct cdp_posterior p;
    struct cdp_err err;
    double recall;
    memset(cohort->counts, 0, (size_t)ROWS * CDP_COSINE_BINS * sizeof *cohort->counts);
    for (size_t r = 0; r < ROWS; r++)
        cohort->counts[(r + 1) * CDP_COSINE_BINS - 1] = 500;
    struct cdp_null null = cdp_null_estimate(cohort);
    bool sound = !cdp_posterior_new(&p, cohort, null, 1, 501, &err) && p.bins == 1;
    ok(sound && isfinite(p.all_true) && isfinite(cdp_posterior_threshold(&p, 0.5, &recall)) &&
           isfinite(cdp_posterior_weight(&p, 0)),
       "cosines of 1 only");
}

int main(void)
{
    static const struct mixture mixtures[] = {
        {0.02, 0.1, 0.6, 0.06, 20}, {-0.1, 0.12, 0.5, 0.08, 50}, {0, 0.05, 0.22, 0.04, 12}};
    struct cdp_err err;
    struct cdp_cohort cohort = {.rows = ROWS};
    cohort.counts = cdp_alloc(ROWS, CDP_COSINE_BINS * sizeof *cohort.counts, "counts", &err);
    uint32_t *inside = cdp_alloc(ROWS, CDP_COSINE_BINS * sizeof *inside, "counts", &err);
    test_false_alarms();
    test_monotone();
    for (size_t k = 0; k < sizeof mixtures / sizeof *mixtures && cohort.counts && inside; k++) {
        struct cdp_posterior posterior;
        const struct mixture *m = &mixtures[k];
        make_cohort(&cohort, inside, m);
        test_null(&cohort, inside, m);
        struct cdp_null null = cdp_null_estimate(&cohort);
        if (!ok(!cdp_posterior_new(&posterior, &cohort, null, 0.5, ITEMS, &err), "a posterior"))
            continue;
        test_excess(&posterior, m);
        test_thresholds(&posterior, &cohort, inside, m);
    }
    test_extreme(&cohort);
    test_equal(&cohort);
    free(cohort.counts);
    free(inside);
    return done();
}
