// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_IVF_H
#define CDP_KNN_IVF_H

#include "base/progress.h"
#include "knn/data/operand.h"
#include "knn/search/lists.h"

// Inverted lists (IVF): each item is in the list of its nearest centroid, and a query scans the
// lists of its nprobe nearest centroids (Jegou, Douze and Schmid, Product quantization for nearest
// neighbor search, IEEE Transactions on Pattern Analysis and Machine Intelligence 33(1), 2011).

// ---- inverted lists (inverted.c): list l is member[start[l]] to member[start[l + 1] - 1],
// ascending

struct cdp_ivf_lists {
    uint64_t count;
    uint64_t *start; // count + 1
    uint32_t *member;
    struct cdp_operand columns; // the members in this order, once they are packed
};

// List l receives i if l is among the first `depth` entries of assigned[i]; l < count.
int cdp_ivf_lists_new(struct cdp_ivf_lists *lists, const struct cdp_candidates *assigned,
                      uint32_t depth, uint64_t count, int threads, struct cdp_err *err);
void cdp_ivf_lists_free(struct cdp_ivf_lists *lists);

// Packs the members, items of this dataset, as columns.
int cdp_ivf_lists_pack(struct cdp_ivf_lists *lists, const struct cdp_dataset *data, int threads,
                       struct cdp_err *err);

// ---- list scan (scan.c)

// Row i, item items[i] of `data` or item i if `items` is NULL, scans inverted lists: those that
// entries first to last - 1 of visits[i] name; or if `lists` is NULL all `columns`.
struct cdp_scan {
    const struct cdp_dataset *data;
    const uint32_t *items;
    const struct cdp_operand *columns;
    const struct cdp_ivf_lists *lists; // whose columns they are
    const struct cdp_candidates *visits;
    uint32_t first, last;
    float fraction; // cdp_scan_items skips a candidate whose sketch distance exceeds this fraction
                    // of the current k-th distance
};

// found[i] receives the best columns by sketch scores: exactly these. With depth > 0 the best
// `depth` by sketches are re-scored, and the best of these by score are inserted. Columns that
// share a panel with a scanned list may be found too.
int cdp_scan_centroids(const struct cdp_scan *scan, uint32_t depth, struct cdp_candidates *found,
                       int threads, struct cdp_progress *progress, struct cdp_err *err);

// Inserts into found[i] the best columns by score, except the row itself. Sketches rule out most
// columns.
int cdp_scan_items(const struct cdp_scan *scan, struct cdp_candidates *found, int threads,
                   struct cdp_progress *progress, struct cdp_err *err);

// Inserts into found[i] the best members of item i's own list, where members are their own numbers
// (member[m] = m) and visits[i] begins with that list. Of lists of at most CDP_SCAN_OWN members all
// scores are computed: found[i] is empty at first, so that sketches would rule out hardly any.
int cdp_scan_own_list(const struct cdp_scan *scan, struct cdp_candidates *found, int threads,
                      struct cdp_progress *progress, struct cdp_err *err);

enum { CDP_SCAN_OWN = 256 };

// ---- coarse quantizer (coarse.c)

// Centroids by k-means (Lloyd, Least squares quantization in PCM, IEEE Transactions on Information
// Theory 28(2), 1982) on a sample. From COARSE_MANY centroids on it has two levels: centroids are
// in groups, and items scan their nearest groups only.
struct cdp_coarse {
    uint64_t count;
    struct cdp_dataset data; // the centroids
    struct cdp_operand columns;
    struct cdp_coarse *groups;    // NULL: one level
    struct cdp_ivf_lists members; // centroids of each group
};

// `count` of n numbers, a random one from each n / count, ascending. The caller frees it; NULL
// after an error.
uint32_t *cdp_coarse_sample(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err);

// Learns `count` centroids of the items of a dataset, which must outlive them. NULL after an error.
struct cdp_coarse *cdp_coarse_new(const struct cdp_dataset *data, uint64_t count, uint64_t seed,
                                  int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_coarse_free(struct cdp_coarse *coarse);

// assigned[i] = the k nearest centroids, or all, of item items[i] or i. Approximate: candidates
// come from sketches, and are re-scored exactly for 2 <= k <= 16. With two levels and k <= 16,
// items near a centroid get only the nearest few.
int cdp_coarse_assign(struct cdp_candidates *assigned, const struct cdp_coarse *coarse,
                      const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                      uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err);

// Units of progress that it adds for `count` items.
uint64_t cdp_coarse_progress(const struct cdp_coarse *coarse, uint64_t count);

// ---- all of it (ivf.c)

struct cdp_ivf {
    struct cdp_coarse *coarse;
    struct cdp_candidates assigned; // nearest centroids of each item
    struct cdp_ivf_lists lists;
    float fraction; // see cdp_scan
};

// Builds inverted lists of all items, for lists of k neighbours, and permutes the dataset to their
// order. Each item gets `nprobe` centroids. The dataset must outlive them. Free them also after an
// error.
int cdp_ivf_new(struct cdp_ivf *ivf, struct cdp_dataset *data, uint32_t k, uint32_t nprobe,
                uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_ivf_free(struct cdp_ivf *ivf);

// Moves the lists, without their packed columns, to the caller.
void cdp_ivf_take_lists(struct cdp_ivf *ivf, struct cdp_ivf_lists *lists);

// Fills the lists of all items, which are empty, from the nprobe nearest lists, own list first.
// Lists whose centroid is too far for the neighbours found there are skipped, and forgotten.
int cdp_ivf_search(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                   struct cdp_candidates *found, int threads, struct cdp_progress *progress,
                   struct cdp_err *err);

// Inserts into the lists of some items the nearest items of their `nprobe` nearest lists, after
// learning `fraction` from these lists.
int cdp_ivf_search_more(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                        struct cdp_candidates *found, const uint32_t *items, uint64_t count,
                        uint32_t nprobe, int threads, struct cdp_progress *progress,
                        struct cdp_err *err);

#endif
