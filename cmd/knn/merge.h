// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_KNN_MERGE_H
#define CDP_CMD_KNN_MERGE_H

#include <stdint.h>

// cdp-knn --merge: the k nearest of each item's neighbours in several knn streams. Failures end the
// program.
void merge_streams(char *const *files, int count, uint32_t k);

#endif
