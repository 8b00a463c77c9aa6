// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

// The best instruction set that this processor runs and some inner loop is written for, or a lower
// one where the environment variable CDP_ISA names it: "avx512vnni", "avx2" or "plain".
// Thread-safe.
const char *cdp_isa(void);

#endif
