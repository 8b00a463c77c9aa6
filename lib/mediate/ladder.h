// SPDX-License-Identifier: MIT
#ifndef CDP_LADDER_H
#define CDP_LADDER_H

#include "mediate/examples.h"

// What thresholds do to pairs of which the truth is known. The rungs stand at steps of 1/8 in the
// log of the odds, from 1 : 1096 to 442,413 : 1, each rounded to two digits of the smaller of the
// threshold and what it leaves to 1: close where scores saturate.
enum { CDP_RUNGS = 161, CDP_RUNG_EVEN = 56 }; // all, and the number of the one at 0.5

// All are shares; 0 where there is nothing to take a share of.
struct cdp_rung {
    float threshold;
    float precision;      // of the pairs above it: those of one identity
    float recall;         // of the pairs of one identity: those above it
    float kept;           // of all pairs: those above it
    float item_precision; // of the items with a pair above it: those with none of two identities
    float item_recall;    // of the items with a pair of one identity: those with one above it
};

// Fills the ladder by the probabilities of examples, `items` being above all their ids. Pairs count
// by weight; items where counted[their group] is set. Memory: 8 bytes an item.
int cdp_ladder(const struct cdp_examples *examples, const float *probability,
               const struct cdp_labels *labels, const uint8_t *counted,
               struct cdp_rung rung[CDP_RUNGS], struct cdp_err *err);

// The rung at which the items' precision, which rises, meets their recall, which falls; where it
// never does, the last one that keeps a pair. Why items: a pair of two identities joins two
// clusters, while a missed pair is made up for by the others of its items, so the pairs' own
// balance keeps far too many.
const struct cdp_rung *cdp_ladder_balance(const struct cdp_rung rung[CDP_RUNGS]);

// The lowest rung of at least this precision of pairs, or NULL.
const struct cdp_rung *cdp_ladder_precision(const struct cdp_rung rung[CDP_RUNGS],
                                            double precision);

#endif
