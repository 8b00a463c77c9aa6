// SPDX-License-Identifier: MIT
#ifndef CDP_ISA_H
#define CDP_ISA_H

// Instruction sets that some inner loop is written for, AVX2 with fused multiply-adds. Who has one
// has those before it too.
enum cdp_isa { CDP_ISA_PLAIN, CDP_ISA_AVX2, CDP_ISA_AVX512VNNI, CDP_ISA_AMX };

// The best that this processor runs and the system allows, or a lower one where the environment
// variable CDP_ISA names it: "amx", "avx512vnni", "avx2" or "plain". Thread-safe.
enum cdp_isa cdp_isa(void);

// Its name there.
const char *cdp_isa_name(enum cdp_isa isa);

#endif
