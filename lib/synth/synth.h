// SPDX-License-Identifier: MIT
#ifndef CDP_SYNTH_H
#define CDP_SYNTH_H

#include <stdint.h>

struct cdp_synth {
    uint64_t seed;
    uint64_t items;      // 1 to 2^32 - 2
    uint32_t identities; // 1 to items
    uint32_t dim;        // 2 to 65,536
    double crowding, alike, dissent, spread, tail, shared;
    uint32_t family;
};
void cdp_synth_labels(const struct cdp_synth *synth, uint32_t *labels);
void cdp_synth_rows(const struct cdp_synth *synth, const uint32_t *labels, uint32_t model,
                    uint64_t first, uint64_t count, int threads, float *rows);
#endif
