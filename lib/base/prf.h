// SPDX-License-Identifier: MIT
#ifndef CDP_PRF_H
#define CDP_PRF_H

// Precision, recall and F of clusters against true classes.

struct cdp_prf {
    double precision, recall, fscore; // 0 to 1; NaN = undefined
};

// part / whole; NaN if whole is 0.
double cdp_ratio(double part, double whole);

// F is the harmonic mean; 0 if both are 0.
struct cdp_prf cdp_prf(double precision, double recall);

// Pairwise: of pairs of items, how many share a cluster and a class, a cluster, a class.
struct cdp_prf cdp_pairwise(double both, double in_cluster, double in_class);

// BCubed (Amigo et al., Information Retrieval 12 (2009), section 3.2): the sums over all items of
// their precision, the share of their cluster that is of their class, and of their recall, the
// share of their class that is in their cluster. A cell of n items that share both, in a cluster of
// c and a class of k items, adds n^2 / c and n^2 / k.
struct cdp_prf cdp_bcubed(double precision, double recall, double items);

#endif
