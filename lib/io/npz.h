// SPDX-License-Identifier: MIT
#ifndef CDP_NPZ_H
#define CDP_NPZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/output.h"

// Writes NumPy's .npz, a zip archive of .npy arrays. The bytes depend on the content only.
struct cdp_npz;

// The output stays the caller's.
int cdp_npz_open(struct cdp_npz **npz, struct cdp_output *output, struct cdp_err *err);

// Begins the array `name` of `type` ("<i4", "<f4", ...), rows x dim numbers of `size` bytes (dim 0:
// one dimension). All its little-endian bytes follow by cdp_npz_write.
int cdp_npz_array(struct cdp_npz *npz, const char *name, const char *type, size_t size,
                  uint64_t rows, uint64_t dim, struct cdp_err *err);
int cdp_npz_write(struct cdp_npz *npz, const void *bytes, size_t size, struct cdp_err *err);

// Ends the archive.
int cdp_npz_finish(struct cdp_npz *npz, struct cdp_err *err);
void cdp_npz_free(struct cdp_npz *npz);

#endif
