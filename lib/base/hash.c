// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

static uint64_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw(void)
{
    if (getentropy(&key, sizeof key))
        key = 0; // predictable: hostile files can cause collisions, results stay the same
}

uint64_t cdp_hash_key(void)
{
    pthread_once(&once, draw);
    return key;
}
