/* SPDX-License-Identifier: MIT */
#ifndef CDP_H
#define CDP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libcdp: neighbours, scored pairs, clusters and their evaluation, on arrays in memory, with the
 * results of the tools (Consensus-Driven Propagation: Zhan et al., ECCV 2018). cdp(3) tells more.
 * No function prints or exits. Those that can fail return -1, or NULL, after filling *err, which
 * may be NULL, with a sentence. Arrays stay the caller's. Different objects may be used by
 * different threads at once, one object by one thread at a time; what is const may be shared.
 *
 * Structures that begin with `size` may get new members at their end. Set them by their init
 * function, with the size that the program was compiled with: members that an older program does
 * not have get their defaults; a larger size than the library's own is refused.
 */

struct libcdp_err {
    char text[1024];
};

/* The label of an item that is in no cluster. */
#define LIBCDP_NONE UINT32_MAX

/* ---- long computations */

/*
 * How a computation runs, and how far it is. Functions take NULL for the defaults. One run belongs
 * to one computation at a time, but other threads may read `what` and `done` and set `stop`, all
 * atomically.
 */
struct libcdp_run {
    uint64_t size;    /* see above; set by libcdp_run_init */
    int32_t threads;  /* 0: one for each processor that this process may use */
    int32_t stop;     /* set it to 1: the computation fails soon, with "interrupted" */
    double done;      /* from 0 to 1; negative where it is unknown */
    const char *what; /* what is being done, a constant; NULL before and after */
};

void libcdp_run_init(struct libcdp_run *run, uint64_t size);

/* ---- features */

/* Types of numbers. Half precision numbers are IEEE's or, for BF16, the upper half of a float. */
enum {
    LIBCDP_F16,
    LIBCDP_BF16,
    LIBCDP_F32,
    LIBCDP_F64,
    LIBCDP_U8,
    LIBCDP_I8,
    LIBCDP_I16,
    LIBCDP_U16,
    LIBCDP_I32,
    LIBCDP_U32,
    LIBCDP_I64,
    LIBCDP_U64,
    LIBCDP_BOOL
};

/* A row for each item; in native byte order, at any alignment. The rows stay the caller's. */
struct libcdp_matrix {
    const void *data; /* the first number of the first row */
    uint64_t rows, dim;
    uint64_t row_stride, number_stride; /* bytes from a row, or a number, to the next */
    int32_t number;                     /* LIBCDP_F32 ... */
};

/* ---- edges: neighbour lists, scored pairs, pair features, spanning forests */

enum { LIBCDP_KNN = 1, LIBCDP_PAIRS = 2, LIBCDP_FEATURES = 3, LIBCDP_FOREST = 4 };
enum {
    LIBCDP_NO_METRIC,
    LIBCDP_COSINE,
    LIBCDP_L2,
    LIBCDP_L1,
    LIBCDP_LINF,
    LIBCDP_ANGULAR,
    LIBCDP_HAMMING
};

/*
 * What an edge stream holds (cdp-stream(5)), in its order: the lists of an item nearest first, of
 * all other types pairs with source < target. Made by the library, which owns the arrays; to be
 * read only. Freed by libcdp_edges_free.
 */
struct libcdp_edges {
    int32_t type;   /* LIBCDP_KNN ... */
    int32_t metric; /* LIBCDP_COSINE ...; LIBCDP_NO_METRIC = none, or unknown */
    uint32_t k;     /* neighbours of an item; 0 = unknown, or they differ */
    uint32_t columns;
    uint64_t nodes, count; /* items, which are numbered from 0, and edges */
    uint64_t *offset;    /* nodes + 1: edges offset[i] to offset[i + 1] - 1 are those of source i */
    uint32_t *target;    /* of each edge */
    float *const *value; /* value[column][edge] */
    const char *const *column; /* the columns' names: "distance", "score", "affinity0", ... */
    float scale;               /* scores are 1 - distance / scale; 0 = no scale */
    float floor;               /* the lowest value of the first column; of a forest, of its pairs */
    char *names;               /* of the items, each ended by a line feed; NULL = none */
    uint64_t names_size;       /* bytes of them */
};

void libcdp_edges_free(struct libcdp_edges *edges);

/*
 * Lists of up to k neighbours of `items` items: neighbour is items x k, nearest first, -1 where
 * there are fewer; the item itself is passed over. Distances are finite; those down to -1e-6 are
 * rounding errors and become 0.
 */
struct libcdp_edges *libcdp_edges_from_lists(uint64_t items, uint64_t k, const int64_t *neighbour,
                                             const float *distance, int metric,
                                             struct libcdp_err *err);

/*
 * Scored pairs in any order, of different items below `items` (0: one more than the largest); of a
 * repeated pair the highest score counts. Scores are finite and at most 1, as for libcdp_pairs_add.
 */
struct libcdp_edges *libcdp_edges_from_pairs(uint64_t items, const uint64_t *i, const uint64_t *j,
                                             const float *score, size_t count,
                                             struct libcdp_err *err);

/* Gives the items names: text of `nodes` names, each ended by a line feed (cdp-stream(5)). */
int libcdp_edges_name(struct libcdp_edges *edges, const char *names, uint64_t size,
                      struct libcdp_err *err);

/* Reads a stream, compressed or not, of at most 2^32 - 2 items; "-" is standard input. */
struct libcdp_edges *libcdp_edges_read(const char *file, struct libcdp_run *run,
                                       struct libcdp_err *err);

/* Writes a stream atomically, with zstd at `level` (1 to 19). The digest is that of the tools'. */
int libcdp_edges_write(const struct libcdp_edges *edges, const char *file, int level,
                       struct libcdp_run *run, struct libcdp_err *err);

/* ---- neighbours: cdp-knn(1) */

enum { LIBCDP_AUTO, LIBCDP_EXACT, LIBCDP_APPROX };
enum { LIBCDP_COPIES_LIST, LIBCDP_COPIES_ONCE };

struct libcdp_knn_plan {
    uint64_t size;
    uint32_t k;     /* neighbours of a row, itself not counted */
    int32_t metric; /* LIBCDP_COSINE ... */
    int32_t method; /* LIBCDP_AUTO ... */
    int32_t copies; /* LIBCDP_COPIES_LIST ... */
    double recall;  /* at which an approximate search stops */
};

/* 15, cosine, auto, list, 0.99 */
void libcdp_knn_init(struct libcdp_knn_plan *plan, uint64_t size);

struct libcdp_found {
    double recall;    /* of the lists, measured on a sample; 1 = exact */
    uint64_t crowded; /* rows whose lists hold only rows equal to them */
};

/* `found` may be NULL. */
struct libcdp_edges *libcdp_knn(const struct libcdp_matrix *matrix,
                                const struct libcdp_knn_plan *plan, struct libcdp_found *found,
                                struct libcdp_run *run, struct libcdp_err *err);

/* ---- scores: cdp-score(1). Lists are of the same items; those of model 0 are the base's. */

/* `scale`: distance of similarity 0; NaN: as cdp-score vote chooses it. */
struct libcdp_edges *libcdp_score_vote(const struct libcdp_edges *const *lists, unsigned models,
                                       unsigned accept, float threshold, float scale,
                                       struct libcdp_run *run, struct libcdp_err *err);

/* Pair features for a mediator. `extra`: with ranks and densities. */
struct libcdp_edges *libcdp_score_features(const struct libcdp_matrix *matrices,
                                           const struct libcdp_edges *const *lists, unsigned models,
                                           int extra, struct libcdp_run *run,
                                           struct libcdp_err *err);

/* Pairs of lists whose items have one known label, as scores of 1. */
struct libcdp_edges *libcdp_score_truth(const struct libcdp_edges *lists, const uint32_t *label,
                                        struct libcdp_err *err);

/* What a consensus found; see cdp-score(1). */
enum { LIBCDP_MODELS = 64 };
struct libcdp_consensus {
    uint64_t size;
    int32_t signal;    /* 0: the cosines are those of chance */
    int32_t normalise; /* 1: of normalised cosines */
    double threshold;  /* the least cosine of a pair, normalised or not */
    double deviations; /* the same, in deviations of pairs by chance */
    double alarms;     /* false pairs of an item expected above it */
    double partners;   /* true pairs of an item expected */
    double recall;     /* of the pairs in clusters: the share above the threshold */
    double strength;   /* of the models: from 0, weak, to 1, strong */
    double ratio;      /* of the deviation of pairs by chance to that before clustering */
    double weight[LIBCDP_MODELS];     /* of each model */
    double separation[LIBCDP_MODELS]; /* of its true pairs, in deviations; NaN = unknown */
};

/*
 * `alarms`: false pairs of an item to accept; 0: as many as give the best expected F. `found` may
 * be NULL; otherwise its size is set.
 */
struct libcdp_edges *libcdp_score_consensus(const struct libcdp_matrix *matrices,
                                            const struct libcdp_edges *const *lists,
                                            unsigned models, double alarms,
                                            struct libcdp_consensus *found, struct libcdp_run *run,
                                            struct libcdp_err *err);

/* ---- the mediator: cdp-mediate(1) */

struct libcdp_mediator;

struct libcdp_training {
    uint64_t size;
    const char *groups; /* groups of columns, with commas */
    uint64_t epochs;    /* 0: 2, or more for 2,000 batches */
    double rate;
    uint64_t patience; /* epochs without a lower held-out loss; 0 = no early end */
    int32_t scale, balance, calibrate;
    double holdout; /* share of the identities, 0 to 0.9 */
    uint64_t seed;
};

/* "relationship,affinity,structure", 0, 0.01, 0, 0, 0, 0, 0.2, 0 */
void libcdp_training_init(struct libcdp_training *training, uint64_t size);

/* Learns from pair features and their items' true labels, LIBCDP_NONE where unknown. */
struct libcdp_mediator *libcdp_mediator_train(const struct libcdp_edges *features,
                                              const uint32_t *label,
                                              const struct libcdp_training *training,
                                              struct libcdp_run *run, struct libcdp_err *err);
void libcdp_mediator_free(struct libcdp_mediator *mediator);

/* Reads and writes the file of cdp-mediate. */
struct libcdp_mediator *libcdp_mediator_read(const char *file, struct libcdp_err *err);
int libcdp_mediator_write(const struct libcdp_mediator *mediator, const char *file,
                          struct libcdp_err *err);

/*
 * The threshold whose clusters of the labelled pairs had the highest F, or with precision > 0 the
 * lowest one whose pairs had it; NaN after a failure.
 */
double libcdp_mediator_threshold(const struct libcdp_mediator *mediator, double precision,
                                 struct libcdp_err *err);

/* The pairs of a probability above a threshold. */
struct libcdp_edges *libcdp_mediator_apply(const struct libcdp_mediator *mediator,
                                           const struct libcdp_edges *features, double threshold,
                                           struct libcdp_run *run, struct libcdp_err *err);

/* ---- clusters: cdp-propagate(1), cdp-forest(1), cdp-sweep(1), cdp-relabel(1) */

enum { LIBCDP_LADDER, LIBCDP_MAP };

struct libcdp_cluster_plan {
    uint64_t size;
    int32_t method;    /* LIBCDP_LADDER or LIBCDP_MAP */
    int32_t merge;     /* as in libcdp_plan */
    double threshold;  /* only pairs with a score above it; NaN: found without labels (ladder) */
    uint64_t max_size; /* this and what follows: for the ladder */
    double step;
    uint64_t max_iter;
    /* Pairs of items that are to be in one cluster, and in different ones: 2 ids each. */
    const uint64_t *must_link, *cannot_link;
    uint64_t must_links, cannot_links;
};

/* The ladder, 0, -INFINITY, 600, 0.05, 100, no links. */
void libcdp_cluster_init(struct libcdp_cluster_plan *plan, uint64_t size);

/*
 * The clusters of scored pairs, or of a forest by the ladder: label[item] = 0, 1, 2, ... in order
 * of first appearance, or LIBCDP_NONE, for pairs->nodes items. `threshold` gets the one that was
 * used, unless it is NULL. Returns the number of clusters, or -1.
 */
int64_t libcdp_cluster(const struct libcdp_edges *pairs, const struct libcdp_cluster_plan *plan,
                       uint32_t *label, double *threshold, struct libcdp_run *run,
                       struct libcdp_err *err);

/* A maximum spanning forest of scored pairs or of a forest. */
struct libcdp_edges *libcdp_forest(const struct libcdp_edges *pairs, struct libcdp_err *err);

/*
 * The merge tree, as SciPy's linkage: 4 numbers for each of items - 1 rows: two nodes, the
 * distance, which is 1 - score or infinite where no pair joins them, and the number of items. Links
 * as in the plan, whose other members do not count.
 */
int libcdp_linkage(const struct libcdp_edges *pairs, const struct libcdp_cluster_plan *plan,
                   double *row, struct libcdp_err *err);

/* Clusters at one threshold and largest size. Metrics are 0 to 1; NaN without true labels. */
struct libcdp_outcome {
    double threshold;
    uint64_t max_size, clusters, items, largest;
    double precision, recall, fscore, bcubed; /* items in no cluster as clusters of their own */
};

/*
 * An outcome for each of count thresholds first, first + step, ... and of `sizes` largest sizes (of
 * which the map equation takes one that it ignores): count x sizes. `truth` may be NULL. Members
 * `threshold` and `max_size` of the plan do not count.
 */
int libcdp_sweep(const struct libcdp_edges *pairs, const struct libcdp_cluster_plan *plan,
                 double first, double step, size_t count, const uint64_t *max_size, size_t sizes,
                 const uint32_t *truth, struct libcdp_outcome *outcome, struct libcdp_run *run,
                 struct libcdp_err *err);

/*
 * Gives clusters the numbers of earlier ones so that the most items keep theirs; others get new
 * numbers behind the largest. before and now are of the same `items` items, below 0 = in none (or
 * not there). `now` gets the new numbers.
 */
int libcdp_keep(uint64_t items, const int64_t *before, int64_t *now, struct libcdp_err *err);

/* ---- the same for pairs that come bit by bit, by the ladder */

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

/* ---- other clusterings, for comparison: cdp-baseline(1) */

enum { LIBCDP_EXCESS, LIBCDP_LEAF };
enum { LIBCDP_DISCRETIZE, LIBCDP_CLUSTER_QR };

/*
 * The parameters of all methods, as the options of cdp-baseline: a method ignores those that it
 * does not have. A count of 0 and a real number that is NaN are the method's default.
 */
struct libcdp_baseline_plan {
    uint64_t size;
    uint64_t clusters;         /* kmeans, minibatch, spectral, ward: no default */
    uint64_t neighbours;       /* chinese-whispers, knn-dbscan, rank-order, spectral, ward */
    uint64_t min_samples;      /* dbscan, hdbscan, knn-dbscan */
    uint64_t min_cluster_size; /* hdbscan */
    uint64_t starts, batch;    /* kmeans, minibatch; 0 starts: by the size of the matrix */
    uint64_t rounds;           /* chinese-whispers */
    uint64_t partition;        /* finch: from 1, that of the most clusters, to 32 */
    uint64_t seed;             /* chinese-whispers, kmeans, minibatch; 0 is a seed, too */
    double eps;                /* dbscan, knn-dbscan */
    double similarity;         /* chinese-whispers, knn-dbscan */
    double distance;           /* single */
    double threshold;          /* rank-order */
    double tolerance;          /* kmeans */
    int32_t select;            /* hdbscan: LIBCDP_EXCESS or LIBCDP_LEAF */
    int32_t assign;            /* spectral: LIBCDP_DISCRETIZE or LIBCDP_CLUSTER_QR */
    int32_t approximate;       /* hdbscan: 1 = of pairs of the lists only */
    const struct libcdp_matrix *centres; /* kmeans, minibatch: the first ones; NULL: k-means++ */
};

/* The methods' defaults, seed 1. */
void libcdp_baseline_init(struct libcdp_baseline_plan *plan, uint64_t size);

/*
 * The clusters of a method: chinese-whispers, dbscan, finch, hdbscan, kmeans, knn-dbscan,
 * minibatch, rank-order, single, spectral or ward; label[item] = 0, 1, 2, ... in order of first
 * appearance, or LIBCDP_NONE. `matrix` may be NULL, except for finch, hdbscan, kmeans, minibatch
 * and ward; so may `lists`, which are searched then, exactly. kmeans and minibatch take none. Lists
 * are by cosine, and as long as the method needs them. Returns the number of clusters, or -1.
 */
int64_t libcdp_baseline(const char *method, const struct libcdp_matrix *matrix,
                        const struct libcdp_edges *lists, const struct libcdp_baseline_plan *plan,
                        uint32_t *label, struct libcdp_run *run, struct libcdp_err *err);

/* The merge tree of hdbscan, single or ward, of a matrix, as libcdp_linkage has it. */
int libcdp_baseline_tree(const char *method, const struct libcdp_matrix *matrix,
                         const struct libcdp_edges *lists, const struct libcdp_baseline_plan *plan,
                         double *row, struct libcdp_run *run, struct libcdp_err *err);

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
    double ari; /* adjusted Rand index, from -1 to 1 */
    double homogeneity, completeness, vmeasure;
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
