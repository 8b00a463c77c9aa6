// SPDX-License-Identifier: MIT
#ifndef CDP_THREADS_H
#define CDP_THREADS_H

// The number of threads to use for the option value `asked`: 0 means one per processor that this
// process may use: by its affinity, and by the CPU quotas of its control groups, which are read at
// the first call. Safe to call from several threads. Results do not depend on it. All `threads` in
// declarations are such values, but where "at least 1" is said.
int cdp_threads(int asked);

// The number of the calling thread in a parallel region, from 0.
int cdp_thread(void);

#endif
