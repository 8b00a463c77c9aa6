// SPDX-License-Identifier: MIT
#ifndef CDP_THREADS_H
#define CDP_THREADS_H

// The number of threads to use where `asked` were asked for: 0 means one for each processor that
// this process may run on. Results never depend on it.
int cdp_threads(int asked);

// The number of the thread that asks, inside a parallel region: 0 or more.
int cdp_thread(void);

#endif
