// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <omp.h>
#include <pthread.h>

#include "base/cgroup.h"

// OpenMP knows the processors of the process's affinity, which a cpuset narrows, but no quotas.
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int quota;

static void read_quota(void)
{
    quota = cdp_cgroup_processors("");
}

int cdp_threads(int asked)
{
    if (asked > 0)
        return asked;
    pthread_once(&once, read_quota);
    int processors = omp_get_num_procs();
    return processors < quota ? processors : quota;
}

int cdp_thread(void)
{
    return omp_get_thread_num();
}
