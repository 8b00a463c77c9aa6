// SPDX-License-Identifier: MIT
#include "io/names.h"

#include "scratch.h"
#include "tap.h"

// Which names are valid, what a file of names may not hold, and what a digest tells apart.

static struct cdp_err err;

static uint64_t digest(const char *const *name, int count)
{
    struct cdp_names *names;
    uint64_t id, digest;
    if (cdp_names_new(&names, &err))
        scratch_fail(err.text);
    for (int n = 0; n < count; n++) {
        if (cdp_names_add(names, name[n], strlen(name[n]), &id, &err))
            scratch_fail(err.text);
    }
    digest = cdp_names_digest(names);
    cdp_names_free(names);
    return digest;
}

static void refuses(const char *content, const char *wanted)
{
    struct cdp_names *names;
    scratch_write("names.txt", content, strlen(content));
    ok(cdp_names_read(&names, "names.txt", &err) < 0 && !names, "refused: %s", wanted);
    is_text(err.text, wanted, "and told");
    unlink("names.txt");
}

// Names of several lengths; the table grows several times.
static size_t make(char text[32], unsigned n)
{
    return (size_t)sprintf(text, "%0*u", 1 + (int)(n % 7) * 3, n);
}

static bool all_found(const struct cdp_names *names, unsigned count)
{
    char text[32];
    uint64_t id;
    for (unsigned n = 0; n < count; n++) {
        size_t length = make(text, n), got;
        const char *name = cdp_names_get(names, n, &got);
        if (got != length || memcmp(name, text, got) != 0 ||
            !cdp_names_find(names, text, length, &id) || id != n)
            return false;
    }
    return !cdp_names_find(names, "none", 4, &id) && cdp_names_count(names) == count;
}

static void find_many(void)
{
    enum { MANY = 20000 };
    struct cdp_names *names, *copy = NULL;
    char text[32];
    uint64_t id;
    if (cdp_names_new(&names, &err) || cdp_names_copy(&copy, names, &err))
        scratch_fail(err.text);
    ok(!cdp_names_find(names, "0", 1, &id) && all_found(copy, 0), "no names, and a copy of none");
    cdp_names_free(copy);
    for (unsigned n = 0; n < MANY; n++) {
        if (cdp_names_add(names, text, make(text, n), &id, &err) || id != n)
            scratch_fail("a name is not the next");
    }
    ok(all_found(names, MANY), "each of %d names is found by its number and its text", MANY);
    ok(!cdp_names_add(names, text, make(text, 77), &id, &err) && id == 77,
       "a name again has the same number");
    if (cdp_names_copy(&copy, names, &err))
        scratch_fail(err.text);
    cdp_names_free(names);
    ok(all_found(copy, MANY), "a copy has the same names");
    for (unsigned n = MANY; n < 2 * MANY; n++) {
        if (cdp_names_add(copy, text, make(text, n), &id, &err) || id != n)
            scratch_fail("a name is not the next");
    }
    ok(all_found(copy, 2 * MANY), "and takes more");
    cdp_names_free(copy);
}

int main(void)
{
    static const char *const cut[][2] = {{"ab", "c"}, {"a", "bc"}, {"c", "ab"}, {"ab", "d"}};
    static char most[UINT16_MAX + 1];
    scratch_enter();
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++)
            ok(digest(cut[i], 2) != digest(cut[j], 2), "names %d and %d have other digests", i, j);
    }
    ok(digest(cut[0], 2) == digest(cut[0], 2) && digest(cut[0], 1) != digest(cut[0], 2),
       "equal names have one, fewer names another");

    memset(most, 'a', sizeof most);
    ok(cdp_name_valid(most, UINT16_MAX) && !cdp_name_valid(most, UINT16_MAX + 1),
       "a name has 65,535 bytes at most");
    ok(!cdp_name_valid("", 0) && !cdp_name_valid("a\0b", 3) && !cdp_name_valid("\xEF\xBB\xBF", 3) &&
           cdp_name_valid("\xEF\xBB", 2) && cdp_name_valid("a\xEF\xBB\xBF", 4),
       "no NUL, no byte order mark before a name");
    refuses("a\nb\na\n", "names.txt: line 3: expected a name that no line before has, got 'a'");
    find_many();
    scratch_leave();
    return done();
}
