// SPDX-License-Identifier: MIT
#ifndef CDP_KIND_H
#define CDP_KIND_H

#include <stdbool.h>
#include <stddef.h>

// File formats by their first bytes.

// What a file is by its first bytes, with an article ("a Parquet file"), where that is a known
// format other than text, npy and npz; otherwise NULL.
const char *cdp_kind(const unsigned char *bytes, size_t size);

// Whether the first bytes of a file are those of a zip archive, such as an npz.
bool cdp_kind_is_zip(const unsigned char *bytes, size_t size);

// Whether the first bytes of a file look like text: printable ASCII throughout.
bool cdp_kind_is_text(const unsigned char *bytes, size_t size);

#endif
