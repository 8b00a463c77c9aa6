// SPDX-License-Identifier: MIT
// The radix sort against qsort, stability included.
#include "base/sort.h"

#include <stdlib.h>

#include "base/random.h"
#include "tap.h"

enum { COUNT = 5000 };

struct item {
    uint64_t key;
    uint32_t number; // in the order before
};

static uint64_t key_of(const void *item)
{
    return ((const struct item *)item)->key;
}

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void try_bits(int bits)
{
    static struct item item[COUNT], spare[COUNT], wanted[COUNT];
    struct cdp_radix r = {item, spare};
    int wrong = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        item[i] = (struct item){bits ? cdp_random(7, i) >> (64 - bits) : 0, i};
        wanted[i] = item[i];
    }
    qsort(wanted, COUNT, sizeof *wanted, by_key);
    cdp_radix_sort(&r, COUNT, sizeof *item, key_of);
    const struct item *got = r.items;
    for (uint32_t i = 0; i < COUNT; i++)
        wrong += got[i].key != wanted[i].key || got[i].number != wanted[i].number;
    ok(!wrong && ((r.items == item && r.spare == spare) || (r.items == spare && r.spare == item)),
       "keys of %d bits", bits);
}

int main(void)
{
    static const int bits[] = {0, 1, 8, 11, 12, 22, 23, 33, 55, 63, 64};
    for (size_t b = 0; b < sizeof bits / sizeof *bits; b++)
        try_bits(bits[b]);
    struct cdp_radix none = {NULL, NULL};
    cdp_radix_sort(&none, 0, sizeof(struct item), key_of);
    ok(!none.items && !none.spare, "no items");

    uint64_t begin[3 + 2] = {0, 0, 2, 0, 1}; // two items of group 0, one of group 2
    cdp_group_begins(begin, 3);
    begin[1] += 2;
    begin[3] += 1;
    ok(begin[0] == 0 && begin[1] == 2 && begin[2] == 2 && begin[3] == 3, "groups, one empty");
    return done();
}
