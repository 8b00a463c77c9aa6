// SPDX-License-Identifier: MIT
#ifndef CDP_SPELLING_H
#define CDP_SPELLING_H

#include <stddef.h>

// The known word that a mistyped one most likely means, for "did you mean" in messages.
struct cdp_spelling {
    const char *word; // as it was typed
    const char *best; // the nearest candidate so far; NULL = none is near
    size_t distance;  // of the best: Damerau-Levenshtein edits
};

// A search for `word`, without candidates yet.
struct cdp_spelling cdp_spelling(const char *word);

// Considers a candidate, which must outlive the search. One is near within a third of the word's
// length, rounded up; of equally near ones the first counts.
void cdp_spelling_try(struct cdp_spelling *spelling, const char *candidate);

#endif
