// SPDX-License-Identifier: MIT
#ifndef CDP_MINIBATCH_H
#define CDP_MINIBATCH_H

#include "baseline/starts.h"

// Mini-batch k-means (Sculley, Web-scale k-means clustering, WWW 2010): each batch of random rows
// moves its nearest centroids to the mean of all rows that they were given so far. Ends when the
// smoothed inertia of batches has not become smaller for 10 batches, or after 100 times as many
// rows as there are. Then each row gets its nearest centroid. Memory as cdp_kmeans.
int cdp_minibatch(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan,
                  struct cdp_kmeans_result *result, struct cdp_err *err);

#endif
