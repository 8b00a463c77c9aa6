// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

#include "base/err.h"

// Instruction sets that some inner loop is written for, AVX2 with fused multiply-adds. A processor
// that has one has those before it too.
enum cdp_isa { CDP_ISA_PLAIN, CDP_ISA_AVX2, CDP_ISA_AVX512VNNI, CDP_ISA_AMX };

// The best that this processor runs and the system allows, or a lower one where the environment
// variable CDP_ISA names it: "amx", "avx512vnni", "avx2" or "plain"; other values are ignored.
// Thread-safe.
enum cdp_isa cdp_isa(void);

// Fails where the environment variable names what this processor or the system lacks, or no
// instruction set at all. Unset or empty it names the best.
int cdp_isa_check(struct cdp_err *err);

// Its name there.
const char *cdp_isa_name(enum cdp_isa isa);

#endif
