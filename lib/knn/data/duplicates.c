// SPDX-License-Identifier: MIT
#include "knn/data/duplicates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/threads.h"

#define FREE UINT32_MAX

static bool equal(const struct cdp_matrix *m, uint64_t a, uint64_t b, float *room)
{
    const float *x = cdp_matrix_row(m, a, room), *y = cdp_matrix_row(m, b, room + m->dim);
    size_t d = 0;
    while (d < m->dim && x[d] == y[d])
        d++;
    return d == m->dim;
}

// Hashes each row, -0 as 0. `room` holds two rows a thread.
static void hash_rows(uint64_t *hash, const struct cdp_matrix *m, float *room, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < m->rows; row++) {
        float *own = room + (size_t)cdp_thread() * 2 * m->dim;
        const float *x = cdp_matrix_row(m, row, own);
        for (size_t d = 0; d < m->dim; d++)
            own[d] = x[d] + 0.0F;
        hash[row] = XXH3_64bits(own, m->dim * sizeof *own);
    }
}

// Numbers the groups. `table`, `size` free places, a power of two, becomes the hash table of their
// first rows.
static void number_groups(struct cdp_duplicates *c, const struct cdp_matrix *m,
                          const uint64_t *hash, uint32_t *table, uint64_t size, float *room)
{
    for (uint64_t row = 0; row < c->rows; row++) {
        uint64_t at = hash[row] & (size - 1);
        while (table[at] != FREE &&
               (hash[table[at]] != hash[row] || !equal(m, table[at], row, room)))
            at = (at + 1) & (size - 1);
        if (table[at] == FREE) {
            table[at] = (uint32_t)row;
            c->group[row] = (uint32_t)c->groups++;
        } else {
            c->group[row] = c->group[table[at]];
        }
    }
}

static int list_members(struct cdp_duplicates *c, struct cdp_err *err)
{
    c->first = cdp_alloc(c->groups, sizeof *c->first, "equal rows", err);
    c->start = cdp_zalloc(c->groups + 1, sizeof *c->start, "equal rows", err);
    c->member = cdp_alloc(c->rows, sizeof *c->member, "equal rows", err);
    if (!c->first || !c->start || !c->member)
        return -1;
    for (uint64_t row = 0; row < c->rows; row++)
        c->start[c->group[row]]++;
    for (uint64_t g = 0, sum = 0; g <= c->groups; g++) {
        sum += c->start[g];
        c->start[g] = sum;
    }
    for (uint64_t row = c->rows; row-- > 0;) {
        uint32_t g = c->group[row];
        c->member[--c->start[g]] = (uint32_t)row;
        c->first[g] = (uint32_t)row;
    }
    return 0;
}

int cdp_duplicates_find(struct cdp_duplicates *c, const struct cdp_matrix *m, int threads,
                        struct cdp_err *err)
{
    uint64_t size = 2;
    while (size < 2 * m->rows)
        size *= 2;
    *c = (struct cdp_duplicates){.rows = m->rows};
    c->group = cdp_alloc_aligned(m->rows, sizeof *c->group, "equal rows", err);
    uint64_t *hash = cdp_alloc_aligned(m->rows, sizeof *hash, "equal rows", err);
    uint32_t *table = cdp_alloc_aligned(size, sizeof *table, "equal rows", err);
    float *room = cdp_alloc((size_t)threads, 2 * m->dim * sizeof *room, "rows", err);
    int status = c->group && hash && table && room ? 0 : -1;
    if (!status) {
        hash_rows(hash, m, room, threads);
        memset(table, 0xFF, size * sizeof *table);
        number_groups(c, m, hash, table, size, room);
    }
    free(hash);
    free(table);
    free(room);
    if (!status && c->groups < c->rows) {
        status = list_members(c, err);
    } else {
        free(c->group);
        c->group = NULL;
    }
    return status;
}

void cdp_duplicates_free(struct cdp_duplicates *c)
{
    free(c->first);
    free(c->group);
    free(c->start);
    free(c->member);
    *c = (struct cdp_duplicates){0};
}

uint64_t cdp_duplicates_before(const struct cdp_duplicates *c, uint64_t row)
{
    uint64_t low = 0, high = c->groups;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (cdp_duplicates_first(c, middle) < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Inserts the members of a group, except row `but`, into `count` ascending rows, and keeps the
// `most` smallest. Returns the new count.
static uint32_t add_members(const struct cdp_duplicates *c, uint32_t group, uint64_t but,
                            uint32_t *row, uint32_t count, uint32_t most)
{
    for (uint64_t m = c->start[group]; m < c->start[group + 1]; m++) {
        uint32_t own = c->member[m], at;
        if (count == most && own > row[count - 1])
            break;
        if (own == but)
            continue;
        for (at = count < most ? count++ : most - 1; at > 0 && row[at - 1] > own; at--)
            row[at] = row[at - 1];
        row[at] = own;
    }
    return count;
}

uint32_t cdp_duplicates_expand(const struct cdp_duplicates *c, uint64_t row, const uint32_t *groups,
                               const double *key, uint32_t found, double min_key, uint32_t k,
                               uint32_t *target, double *out)
{
    if (!c->group) {
        memcpy(target, groups, found * sizeof *target);
        memcpy(out, key, found * sizeof *out);
        return found;
    }
    uint32_t total = add_members(c, c->group[row], row, target, 0, k), r = 0, from = 0;
    for (double at = min_key;; at = key[r]) {
        for (; r < found && key[r] == at; r++)
            total = from + add_members(c, groups[r], row, target + from, total - from, k - from);
        for (; from < total; from++)
            out[from] = at;
        if (total == k || r == found)
            return total;
    }
}
