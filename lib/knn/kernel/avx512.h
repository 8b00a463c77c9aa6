// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_AVX512_H
#define CDP_KNN_AVX512_H

#include "knn/kernel/kernel.h"

// Inner loops that the kernels of all processors with AVX-512 VNNI share.
cdp_tile_function cdp_dot_avx512vnni;
cdp_pairs_function cdp_dot_pairs_avx512vnni;
cdp_project_function cdp_project_avx512;
cdp_merge_function cdp_merge_avx512;

#endif
