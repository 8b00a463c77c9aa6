// SPDX-License-Identifier: MIT
#include "base/isa.h"

#include <stdlib.h>
#include <string.h>

static int usable(const char *isa)
{
#ifdef __x86_64__
    if (!strcmp(isa, "avx512vnni"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
    if (!strcmp(isa, "avx2"))
        return __builtin_cpu_supports("avx2");
#endif
    return !strcmp(isa, "plain");
}

const char *cdp_isa(void)
{
    static const char *const names[] = {"avx512vnni", "avx2", "plain"}; // the best first
    const char *wanted = getenv("CDP_ISA"), *best = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!usable(names[i]))
            continue;
        if (wanted && !strcmp(wanted, names[i]))
            return names[i];
        if (!best)
            best = names[i];
    }
    return best;
}
