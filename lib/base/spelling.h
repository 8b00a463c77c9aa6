// SPDX-License-Identifier: MIT
#ifndef CDP_SPELLING_H
#define CDP_SPELLING_H

#include <stddef.h>

// The known word nearest to a mistyped one, for "did you mean" in messages.
struct cdp_spelling {
    const char *word; // as it was typed
    const char *best; // the nearest candidate so far; NULL = none is near enough
    size_t distance;  // of the best: Damerau-Levenshtein edits
};

// A search for `word`, without candidates yet.
struct cdp_spelling cdp_spelling(const char *word);

// Considers a candidate, which must outlive the search. It is near enough if its distance is at
// most a third of the word's length, rounded up; the first of equally near ones wins.
void cdp_spelling_try(struct cdp_spelling *spelling, const char *candidate);

#endif
