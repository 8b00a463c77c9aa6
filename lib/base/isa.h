// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

#include "base/err.h"

// Instruction sets with their own inner loops, in ascending order: a processor that has one also
// has those before it. AVX2 includes FMA.
enum cdp_isa { CDP_ISA_PLAIN, CDP_ISA_AVX2, CDP_ISA_AVX512VNNI, CDP_ISA_AMX };

// The best one that the processor and the operating system support, or a lower one that the
// environment variable CDP_ISA names: "amx", "avx512vnni", "avx2" or "plain". Other values are
// ignored here; cdp_isa_check refuses them. Thread-safe.
enum cdp_isa cdp_isa(void);

// Fails if CDP_ISA is an unknown name or an instruction set that is not supported. Unset or empty
// means the best.
int cdp_isa_check(struct cdp_err *err);

// Its name in CDP_ISA.
const char *cdp_isa_name(enum cdp_isa isa);

#endif
