// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

#include "base/err.h"

// Instruction sets with inner loops of their own, in ascending order: a processor that has one has
// those before it too. AVX2 includes fused multiply-adds.
enum cdp_isa { CDP_ISA_PLAIN, CDP_ISA_AVX2, CDP_ISA_AVX512VNNI, CDP_ISA_AMX };

// The best that this processor runs and the system allows, or a lower one where the environment
// variable CDP_ISA names it: "amx", "avx512vnni", "avx2" or "plain". Other values, which
// cdp_isa_check refuses, are ignored. Thread-safe.
enum cdp_isa cdp_isa(void);

// Fails if CDP_ISA is an unknown name, or an instruction set that the processor or the system does
// not support. Unset or empty it means the best.
int cdp_isa_check(struct cdp_err *err);

// Its name in CDP_ISA.
const char *cdp_isa_name(enum cdp_isa isa);

#endif
