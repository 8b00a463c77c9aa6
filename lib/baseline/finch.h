// SPDX-License-Identifier: MIT
#ifndef CDP_FINCH_H
#define CDP_FINCH_H

#include "baseline/neighbours.h"
#include "baseline/rows.h"

// FINCH (Sarfraz, Sharma, Stiefelhagen, Efficient parameter-free clustering using first neighbor
// relations, CVPR 2019): each item is linked to its nearest other item; clusters are connected
// components. The next partition links the means of these clusters in the same way, and so on. The
// last one has at least two clusters, unless the first has only one.
//
// A mean is that of rows divided by their lengths, added in double in the order of rows, as
// float32. Nearest is by cosine, ties: the cluster of the smaller first row. The first row of a
// cluster stands for a mean of zeros, which has no direction.

enum { CDP_FINCH_PARTITIONS = 32 }; // each has at most half as many clusters as the one before

struct cdp_finch {
    uint32_t partitions;                   // at least 1
    uint32_t *label[CDP_FINCH_PARTITIONS]; // of each item: clusters are numbered by first rows
    uint32_t clusters[CDP_FINCH_PARTITIONS];
};

// `first`: lists of one entry, or none if there is one row. Free `finch` also after an error.
// Memory: 4 bytes an item and
// partition, 4 x dim bytes a cluster of the first partition, and that of cdp_knn for these.
int cdp_finch(struct cdp_finch *finch, const struct cdp_rows *rows,
              const struct cdp_neighbours *first, int threads, struct cdp_progress *progress,
              struct cdp_err *err);
void cdp_finch_free(struct cdp_finch *finch);

#endif
