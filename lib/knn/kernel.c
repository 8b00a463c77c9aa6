// SPDX-License-Identifier: MIT
#include "knn/kernel.h"

#include <string.h>

#include "base/isa.h"

const struct cdp_kernel *cdp_kernel(void)
{
    static const struct cdp_kernel *const kernels[] = {
#ifdef __x86_64__
        &cdp_kernel_avx512vnni,
        &cdp_kernel_avx2,
#endif
        &cdp_kernel_plain,
    };
    size_t i = 0;
    while (strcmp(kernels[i]->isa, cdp_isa()) != 0)
        i++;
    return kernels[i];
}
