// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <omp.h>

int cdp_threads(int asked)
{
    return asked > 0 ? asked : omp_get_num_procs();
}

int cdp_thread(void)
{
    return omp_get_thread_num();
}
