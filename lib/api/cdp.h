/* SPDX-License-Identifier: MIT */
#ifndef CDP_H
#define CDP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libcdp: from scored pairs to clusters by Consensus-Driven Propagation (Zhan et al., ECCV 2018).
 * cdp(3) tells more. No function prints or exits. Those that can fail return -1, or NULL, after
 * filling *err, which may be NULL, with a sentence. Arrays stay the caller's. Different objects may
 * be used by different threads at once, one object by one thread at a time.
 */

struct libcdp_err {
    char text[1024];
};

/* The label of an item that is in no cluster. */
#define LIBCDP_NONE UINT32_MAX

/* ---- pairs and their clusters */

struct libcdp_pairs;

struct libcdp_pairs *libcdp_pairs_new(struct libcdp_err *err);
void libcdp_pairs_free(struct libcdp_pairs *pairs);

/*
 * Adds pairs of different items, numbered from 0 to 2^32 - 3, with finite scores of at most 1 (one
 * that is above by at most 1e-6 counts as 1); of one that is repeated the highest score counts, and
 * their order does not matter. Not after clusters were made. A call that refuses its arguments adds
 * none of its pairs, and the object is as before. If memory runs out, all later calls but
 * libcdp_pairs_free fail. Memory: 20 bytes an item and 12 a pair.
 */
int libcdp_pairs_add(struct libcdp_pairs *pairs, const uint64_t *i, const uint64_t *j,
                     const float *score, size_t count, struct libcdp_err *err);

/*
 * New members may be added at the end. A plan of an older size is accepted, with defaults for what
 * it lacks; one larger than the library's own is refused.
 */
struct libcdp_plan {
    uint64_t size;     /* sizeof(struct libcdp_plan); set by libcdp_plan_default */
    uint64_t max_size; /* most items of a cluster */
    double step;       /* the threshold th becomes th + (1 - th) x step each round */
    uint64_t max_iter; /* rounds after the first */
    int merge;         /* what is too large after them: 1 = one cluster, 0 = left apart */
};

/* Fills `size` bytes of a plan with its size and the defaults: 600, 0.05, 100, 0. */
void libcdp_plan_init(struct libcdp_plan *plan, uint64_t size);

/* A plan of the defaults, of the size that the program was compiled with. */
static inline struct libcdp_plan libcdp_plan_default(void)
{
    struct libcdp_plan plan;
    libcdp_plan_init(&plan, sizeof plan);
    return plan;
}

/*
 * label[item] = 0, 1, 2, ... in order of first appearance, or LIBCDP_NONE for an item in no pair,
 * for `items` items, which must be more than the largest id. Returns the number of clusters, or -1.
 * Can be called again with other plans. Memory, the first time: 8 bytes a pair more, and some 60 an
 * item.
 */
int64_t libcdp_pairs_cluster(struct libcdp_pairs *pairs, const struct libcdp_plan *plan,
                             uint32_t *label, uint64_t items, struct libcdp_err *err);

/* ---- votes */

/*
 * The pairs that enough of a committee agree on. base is items x k neighbours, -1 where there are
 * fewer and the item itself passed over, distance their cosine distances, which are finite;
 * committee[m] are such lists of a member. A pair i, j is kept where j is in the base's list of i,
 * at a similarity (1 - distance) above the threshold, and in that of at least `accept` members, of
 * which there cannot be more than `members`. Fills first, second and
 * score, which have room for items x k, with first < second, sorted, each pair once. Returns their
 * number, or -1.
 */
int64_t libcdp_vote(uint64_t items, uint64_t k, const int64_t *base, const float *distance,
                    const int64_t *const *committee, unsigned members, unsigned accept,
                    float threshold, uint64_t *first, uint64_t *second, float *score,
                    struct libcdp_err *err);

/* ---- evaluation */

/* From 0 to 1; not a number where there is nothing to count. */
struct libcdp_scores {
    double pairwise_precision, pairwise_recall, pairwise_fscore;
    double bcubed_precision, bcubed_recall, bcubed_fscore;
};

/*
 * Measures labels against true ones, of any numbers: with each item of label LIBCDP_NONE a cluster
 * of its own (kept), and without these items (removed). A true label of LIBCDP_NONE is unknown: the
 * item is left out.
 */
int libcdp_eval(const uint32_t *label, const uint32_t *truth, uint64_t items,
                struct libcdp_scores *kept, struct libcdp_scores *removed, struct libcdp_err *err);

#ifdef __cplusplus
}
#endif

#endif
