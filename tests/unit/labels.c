// SPDX-License-Identifier: MIT
#include "io/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "base/hash.h"
#include "scratch.h"
#include "tap.h"

enum { MANY = 20000, DISTINCT = 7001 };

// What reading `content` gives, in words: the kind, the number of groups and each item's group
// ("-" for none), or the error.
static const char *outcome(const char *content, size_t size, bool discards)
{
    static char text[sizeof(struct cdp_err)];
    struct cdp_labels labels;
    struct cdp_err err;
    scratch_write("meta.txt", content, size);
    int status = cdp_labels_read(&labels, "meta.txt", discards, &err);
    unlink("meta.txt");
    if (status) {
        snprintf(text, sizeof text, "%s", err.text);
        return text;
    }
    int end = snprintf(text, sizeof text, "%s, %" PRIu32 ":",
                       labels.integers ? "integers" : "strings", labels.groups);
    for (uint64_t i = 0; i < labels.items && end < 1000; i++) {
        if (labels.group[i] == CDP_NO_LABEL)
            end += snprintf(text + end, sizeof text - (size_t)end, " -");
        else
            end += snprintf(text + end, sizeof text - (size_t)end, " %" PRIu32, labels.group[i]);
    }
    cdp_labels_free(&labels);
    return text;
}

#define CONTENT(text) text, sizeof(text) - 1

static const struct {
    const char *what;
    const char *content;
    size_t size;
    bool discards;
    const char *wanted;
} cases[] = {
    {"integers are numbered as they appear", CONTENT("7\n-3\n7\n0\n"), false,
     "integers, 3: 0 1 0 2"},
    {"the last line may lack its end", CONTENT("1\n2\n1"), false, "integers, 2: 0 1 0"},
    {"CR LF ends lines too", CONTENT("1\r\n2\n1\r\n"), false, "integers, 2: 0 1 0"},
    {"integers are equal as numbers", CONTENT("7\n007\n-0\n0\n"), false, "integers, 2: 0 0 1 1"},
    {"integers have 64 bits",
     CONTENT("-9223372036854775808\n9223372036854775807\n-9223372036854775807\n"), false,
     "integers, 3: 0 1 2"},
    {"one label", CONTENT("5"), false, "integers, 1: 0"},
    {"-1 is no true label", CONTENT("-1\n4\n-1\n-2\n"), false, "integers, 2: - 0 - 1"},
    {"nor one among strings", CONTENT("-1\nann\n-1\nbob\n-1 \nann\n"), false,
     "strings, 2: - 0 - 1 - 0"},
    {"all true labels unknown", CONTENT("-1\n-1\n"), false, "integers, 0: - -"},
    {"-1 is no cluster", CONTENT("-1\n4\n-1\n2\n4\n"), true, "integers, 2: - 0 - 1 0"},
    {"all in no cluster", CONTENT("-1\n-1\n"), true, "integers, 0: - -"},
    {"strings", CONTENT("ann\nbob\nann\n12\n"), false, "strings, 3: 0 1 0 2"},
    {"blanks before strings are theirs, blanks behind are not", CONTENT("a\n a\na \na\t\r\na"),
     false, "strings, 2: 0 1 0 0 0"},
    {"-1 as a float is unknown too", CONTENT("-1.0\nx\n-1.000e+00\n-1.5\n"), false,
     "strings, 2: - 0 - 1"},
    {"so do NUL bytes", CONTENT("a\0b\na\0c\na\0b\na\n"), false, "strings, 3: 0 1 0 2"},
    {"and CR within a line", CONTENT("a\rb\na\r\na\n"), false, "strings, 2: 0 1 1"},
    {"too long for an integer on line 1", CONTENT("9223372036854775808\n1\n"), false,
     "strings, 2: 0 1"},

    {"empty file", CONTENT(""), false, "meta.txt: holds no labels"},
    {"empty line", CONTENT("1\n\n2\n"), false, "meta.txt: line 2 is empty"},
    {"empty line among strings", CONTENT("a\nb\n\r\nc\n"), false, "meta.txt: line 3 is empty"},
    {"empty line at the end", CONTENT("1\n\n"), false, "meta.txt: line 2 is empty"},
    {"a word among integers", CONTENT("1\n2\nfoo\n3\n"), false,
     "meta.txt: line 3: expected an integer, as on the lines before, got 'foo'"},
    {"two numbers on a line", CONTENT("1\n2 3\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got '2 3'"},
    {"a plus sign", CONTENT("1\n+2\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got '+2'"},
    {"a lone minus sign", CONTENT("1\n-\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got '-'"},
    {"just above 64 bits", CONTENT("1\n9223372036854775808\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got '9223372036854775808'"},
    {"just below 64 bits", CONTENT("1\n-9223372036854775809\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got '-9223372036854775809'"},
    {"control characters are masked, long words cut",
     CONTENT("1\n\033[31m\0\t0123456789012345678901234567890123456789\n"), false,
     "meta.txt: line 2: expected an integer, as on the lines before, got "
     "'?[31m??012345678901234567890123456789012'"},
    {"clusters are no strings", CONTENT("foo\n1\n"), true,
     "meta.txt: line 1: expected a cluster's number, or -1, got 'foo'"},
    {"nor below -1", CONTENT("1\n-2\n"), true,
     "meta.txt: line 2: expected a cluster's number, or -1, got '-2'"},
};

// Enough labels for the table to grow.
static void test_many(const char *format, const char *what)
{
    struct cdp_labels labels;
    struct cdp_err err = {""};
    FILE *file = fopen("many.txt", "wb");
    if (!file)
        scratch_fail("many.txt");
    for (int i = 0; i < MANY; i++)
        fprintf(file, format, (i % DISTINCT) << 12);
    if (fclose(file))
        scratch_fail("many.txt");
    bool good = !cdp_labels_read(&labels, "many.txt", false, &err) && labels.items == MANY &&
                labels.groups == DISTINCT;
    for (uint32_t i = 0; good && i < MANY; i++)
        good = labels.group[i] == i % DISTINCT;
    ok(good, "many %s %s", what, err.text);
    cdp_labels_free(&labels);
    unlink("many.txt");
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Two strings that a table of 1,024 slots has in one place, with the same 32 bits of their hash.
static void test_equal_hashes(void)
{
    enum { STRINGS = 1 << 22, ROUNDS = 20 };
    static uint64_t code[STRINGS]; // 42 bits of the hash, 22 of the string
    char text[64];
    size_t at = 0;
    int length, round = 0;
    for (; !at && round < ROUNDS; round++) {
        for (uint32_t i = 0; i < STRINGS; i++) {
            length = snprintf(text, sizeof text, "%d.%" PRIu32, round, i);
            uint64_t hash = XXH3_64bits_withSeed(text, (size_t)length, cdp_hash_key());
            code[i] = hash >> 32 << 32 | (hash & 1023) << 22 | i;
        }
        qsort(code, STRINGS, sizeof *code, ascending);
        for (size_t i = 1; i < STRINGS; i++)
            at = code[i] >> 22 == code[i - 1] >> 22 ? i : at;
    }
    length =
        snprintf(text, sizeof text, "%d.%u\n%d.%u\n", round - 1,
                 (unsigned)(code[at - !!at] % STRINGS), round - 1, (unsigned)(code[at] % STRINGS));
    is_text(outcome(text, (size_t)length, false), "strings, 2: 0 1",
            "two strings whose hashes agree in 42 bits");
}

static uint64_t undo_shift(uint64_t y, int shift)
{
    uint64_t x = y;
    for (int i = 0; i < 64 / shift + 1; i++)
        x = y ^ x >> shift;
    return x;
}

static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

// Integers that splitmix64's finalizer maps to one slot of any table of up to 2^24 slots.
static void test_flood(void)
{
    enum { FLOOD = 200000 };
    struct cdp_labels labels;
    struct cdp_err err = {""};
    FILE *file = fopen("flood.txt", "wb");
    if (!file)
        scratch_fail("flood.txt");
    for (uint64_t i = 0; i < FLOOD; i++) {
        uint64_t x = undo_shift(i << 24, 31) * inverse(UINT64_C(0x94D049BB133111EB));
        x = undo_shift(x, 27) * inverse(UINT64_C(0xBF58476D1CE4E5B9));
        x = undo_shift(x, 30) - UINT64_C(0x9E3779B97F4A7C15);
        fprintf(file, "%" PRId64 "\n", (int64_t)x);
    }
    if (fclose(file))
        scratch_fail("flood.txt");
    clock_t begin = clock();
    bool good = !cdp_labels_read(&labels, "flood.txt", false, &err) && labels.groups == FLOOD;
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    ok(good && seconds < 5, "labels made to collide do not: %.2f s %s", seconds, err.text);
    cdp_labels_free(&labels);
    unlink("flood.txt");
}

static struct cdp_names *make_names(const char *const *name, int count)
{
    struct cdp_names *names;
    uint64_t id;
    cdp_names_new(&names, NULL);
    for (int i = 0; i < count; i++)
        cdp_names_add(names, name[i], strlen(name[i]), &id, NULL);
    return names;
}

// Labels of a stream's items: by name, or line by line.
static void test_match(void)
{
    const char *const items[] = {"d", "a", "x", "c"};
    struct cdp_names *names = make_names(items, 4);
    struct cdp_labels labels;
    struct cdp_err err;
    uint64_t unknown;
    scratch_write("meta.txt", CONTENT("o\t9\na\t7\nb\t7\nc\t5\nd\t5\n"));
    cdp_labels_read(&labels, "meta.txt", false, &err);
    ok(!cdp_labels_match(&labels, "meta.txt", names, 4, "s", &unknown, &err) && unknown == 1 &&
           labels.items == 4 && labels.groups == 2,
       "an item without a line is unknown");
    ok(labels.group[0] == 0 && labels.group[1] == 1 && labels.group[2] == CDP_NO_LABEL &&
           labels.group[3] == 0 && labels.value[0] == 5 && labels.value[1] == 7,
       "labels are numbered in the order of the items");
    cdp_labels_free(&labels);

    scratch_write("meta.txt", CONTENT("o\tann\np\tbob\n"));
    cdp_labels_read(&labels, "meta.txt", false, &err);
    ok(!cdp_labels_match(&labels, "meta.txt", names, 4, "s", &unknown, &err) && unknown == 4,
       "no item has a line");
    cdp_labels_free(&labels);

    scratch_write("meta.txt", CONTENT("7\n5\n7\n"));
    cdp_labels_read(&labels, "meta.txt", false, &err);
    ok(!cdp_labels_match(&labels, "meta.txt", NULL, 3, "s", &unknown, &err) && unknown == 0 &&
           labels.group[2] == 0 && labels.value[1] == 5,
       "line by line");
    ok(cdp_labels_match(&labels, "meta.txt", NULL, 2, "s", &unknown, &err), "a line too many");
    is_text(err.text, "meta.txt: 3 labels, but s has 2 nodes", "says so");
    ok(cdp_labels_match(&labels, "meta.txt", names, 4, "s", &unknown, &err), "lines without names");
    cdp_labels_free(&labels);
    cdp_names_free(names);
    unlink("meta.txt");
}

int main(void)
{
    scratch_enter();
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        is_text(outcome(cases[c].content, cases[c].size, cases[c].discards), cases[c].wanted,
                cases[c].what);
    test_many("%d\n", "integers");
    test_many("person %d\n", "strings");
    test_equal_hashes();
    test_flood();
    test_match();

    struct cdp_labels labels;
    struct cdp_err err;
    ok(cdp_labels_read(&labels, "missing.txt", false, &err) == -1 &&
           !strncmp(err.text, "missing.txt: ", 13),
       "a missing file is named");
    scratch_leave();
    return done();
}
