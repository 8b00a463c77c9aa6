// SPDX-License-Identifier: MIT
#include "base/isa.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

// AMX is detected by cpuid: compilers have no common name for it. Linux grants its registers on
// request, and may refuse.
static bool has_amx(void)
{
#ifdef SYS_arch_prctl
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 }; // asm/prctl.h
    enum { TILE = 1 << 24, INT8 = 1 << 25 };                        // cpuid 7, edx
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & TILE && d & INT8 &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return false;
#endif
}
#elif defined __aarch64__ && defined __linux__
#include <sys/auxv.h>
#endif

static bool has(enum cdp_isa isa)
{
    switch (isa) {
#ifdef __x86_64__
    case CDP_ISA_AMX:
        return has(CDP_ISA_AVX512VNNI) && __builtin_cpu_supports("avx512vl") && has_amx();
    case CDP_ISA_AVX512VNNI:
        return has(CDP_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
    case CDP_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined __aarch64__
    case CDP_ISA_NEON:
        return true;
#ifdef __linux__
    case CDP_ISA_DOTPROD:
        return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
    case CDP_ISA_I8MM:
        return has(CDP_ISA_DOTPROD) && getauxval(AT_HWCAP2) & HWCAP2_I8MM;
#endif
#endif
    default:
        return isa == CDP_ISA_PLAIN;
    }
}

const char *cdp_isa_name(enum cdp_isa isa)
{
    static const char *const names[] = {"plain", "avx2",    "avx512vnni", "amx",
                                        "neon",  "dotprod", "i8mm"};
    return names[isa];
}

static enum cdp_isa best(void)
{
    int isa = CDP_ISAS - 1;
    while (!has((enum cdp_isa)isa))
        isa--;
    return (enum cdp_isa)isa;
}

// The instruction set named by CDP_ISA; -1 if the name is unknown.
static int named(void)
{
    const char *name = getenv("CDP_ISA");
    int isa = CDP_ISAS - 1;
    while (isa >= 0 && (!name || strcmp(name, cdp_isa_name((enum cdp_isa)isa)) != 0))
        isa--;
    return isa;
}

enum cdp_isa cdp_isa(void)
{
    int isa = named();
    return isa >= 0 && has((enum cdp_isa)isa) ? (enum cdp_isa)isa : best();
}

int cdp_isa_check(struct cdp_err *err)
{
    const char *name = getenv("CDP_ISA");
    int isa = named();
    if (isa >= 0 && !has((enum cdp_isa)isa))
        return cdp_fail(err,
                        "CDP_ISA: this processor or system does not run '%s': use '%s', or unset "
                        "CDP_ISA",
                        name, cdp_isa_name(best()));
    if (isa < 0 && name && *name)
        return cdp_fail(err,
                        "CDP_ISA: unknown instruction set '%s': use amx, avx512vnni, avx2, i8mm, "
                        "dotprod, neon or plain, or unset CDP_ISA",
                        name);
    return 0;
}
