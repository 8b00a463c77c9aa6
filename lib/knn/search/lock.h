// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_LOCK_H
#define CDP_KNN_LOCK_H

#include <sched.h>
#include <stdint.h>

// A lock of one byte, 0 when free, for arrays of lists that are hardly ever wanted by two threads
// at once.
static inline void cdp_lock(uint8_t *lock)
{
    for (int tries = 1; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); tries++) {
        if (tries % 64 == 0)
            sched_yield();
    }
}

static inline void cdp_unlock(uint8_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
