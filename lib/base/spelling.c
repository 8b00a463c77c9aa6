// SPDX-License-Identifier: MIT
#include "base/spelling.h"

#include <string.h>

enum { LONGEST = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// The restricted Damerau-Levenshtein distance, by three rows of its table: insertions, deletions,
// substitutions and transpositions.
static size_t edits(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST)
        return LONGEST;
    size_t row[3][LONGEST + 1] = {{0}};
    for (size_t j = 0; j <= n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            now[j] =
                least(least(now[j - 1], before[j]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two[j - 2] + 1);
        }
    }
    return row[m % 3][n];
}

struct cdp_spelling cdp_spelling(const char *word)
{
    return (struct cdp_spelling){.word = word, .distance = (strlen(word) + 2) / 3 + 1};
}

void cdp_spelling_try(struct cdp_spelling *s, const char *candidate)
{
    size_t distance = edits(s->word, candidate);
    if (distance < s->distance) {
        s->distance = distance;
        s->best = candidate;
    }
}
