// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

#include "base/err.h"

// Instruction sets with their own inner loops, of each architecture in ascending order: a processor
// that has one also has those before it. AVX2 includes FMA. Plain is what compilers make for the
// architecture.
enum cdp_isa {
    CDP_ISA_PLAIN,
    CDP_ISA_AVX2, // x86-64
    CDP_ISA_AVX512VNNI,
    CDP_ISA_AMX,
    CDP_ISA_NEON, // AArch64
    CDP_ISA_DOTPROD,
    CDP_ISA_I8MM,
    CDP_ISAS
};

// The best one that the processor and the operating system support, or another of these that the
// environment variable CDP_ISA names by cdp_isa_name. Other values are ignored here; cdp_isa_check
// refuses them. Thread-safe.
enum cdp_isa cdp_isa(void);

// Fails if CDP_ISA is an unknown name or an instruction set that is not supported. Unset or empty
// means the best.
int cdp_isa_check(struct cdp_err *err);

// Its name in CDP_ISA.
const char *cdp_isa_name(enum cdp_isa isa);

#endif
