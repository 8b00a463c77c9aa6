// SPDX-License-Identifier: MIT
#ifndef CDP_WHISPERS_H
#define CDP_WHISPERS_H

#include "base/progress.h"
#include "baseline/links.h"

// Chinese whispers (Biemann, Chinese whispers: an efficient graph clustering algorithm, TextGraphs
// 2006): at first each item is a class. In each round the items, in a random order, take the class
// with the largest sum of weights among their neighbours; of equal sums their own class, else a
// random one. Ends after the round in which no item changes, or after `rounds`. Items take their
// turns one after the other, so there are no threads.
//
// Order and ties of a round are those of cdp_random(cdp_random(seed, round), item or class), larger
// numbers first. Sums are in double, in the order of links. Sets label[i] to the class, an item's
// number. Returns the rounds, or -1. Memory: 24 bytes an item.
int64_t cdp_whispers(const struct cdp_links *links, uint64_t seed, uint32_t rounds, uint32_t *label,
                     struct cdp_progress *progress, struct cdp_err *err);

#endif
