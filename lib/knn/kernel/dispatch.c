// SPDX-License-Identifier: MIT
#include "knn/kernel/kernel.h"

#include "base/isa.h"

const struct cdp_kernel *cdp_kernel(void)
{
    static const struct cdp_kernel *const kernels[] = {
        [CDP_ISA_PLAIN] = &cdp_kernel_plain,
#ifdef __x86_64__
        [CDP_ISA_AVX2] = &cdp_kernel_avx2,
        [CDP_ISA_AVX512VNNI] = &cdp_kernel_avx512vnni,
        [CDP_ISA_AMX] = &cdp_kernel_amx,
#elif defined __aarch64__
        [CDP_ISA_NEON] = &cdp_kernel_neon,
        [CDP_ISA_DOTPROD] = &cdp_kernel_dotprod,
        [CDP_ISA_I8MM] = &cdp_kernel_i8mm,
#endif
    };
    return kernels[cdp_isa()];
}
