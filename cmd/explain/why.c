// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "base/spelling.h"
#include "explain/explain.h"
#include "propagate/explain.h"
#include "tool.h"

static _Noreturn void fail_unknown_name(const struct cdp_names *names, const char *word)
{
    static struct cdp_spelling spelling; // static, so that its candidate can be reached until exit
    spelling = cdp_spelling(word);
    for (uint64_t i = 0; i < cdp_names_count(names); i++) {
        size_t length;
        const char *name = cdp_names_get(names, i, &length);
        char *candidate = strndup(name, length);
        if (candidate)
            cdp_spelling_try(&spelling, candidate);
        if (candidate != spelling.best)
            free(candidate);
    }
    if (spelling.best)
        tool_fail("no item is named '%s' (did you mean '%s'?)", word, spelling.best);
    tool_fail("no item is named '%s'", word);
}

static uint64_t find_item(const struct cdp_names *names, uint64_t items, const char *word)
{
    uint64_t id;
    if (names) {
        if (!cdp_names_find(names, word, strlen(word), &id))
            fail_unknown_name(names, word);
        return id;
    }
    char *stop;
    id = strtoull(word, &stop, 10);
    if (*word < '0' || *word > '9' || *stop)
        tool_fail("'%s' is no item: the pairs have no names, so items are numbers", word);
    if (id >= items)
        tool_fail("no item %s: the %llu item%s are 0 to %llu", word, (unsigned long long)items,
                  tool_s(items), (unsigned long long)items - 1);
    return id;
}

static void write_step(const struct cdp_step *step, bool weakest, const struct cdp_names *names,
                       struct cdp_output *output)
{
    char score[32];
    struct cdp_err err;
    tool_check(cdp_item_write(output, names, step->from, &err), &err);
    tool_check(cdp_output_write(output, "\t", 1, &err), &err);
    tool_check(cdp_item_write(output, names, step->to, &err), &err);
    tool_check(cdp_output_printf(output, &err, "\t%s%s\n", explain_score(step->score, score),
                                 weakest ? "\tweakest" : ""),
               &err);
}

void explain_why(const struct pairs *pairs, const struct cdp_tree *tree, char *const word[2],
                 struct cdp_output *output)
{
    struct cdp_step *path;
    struct cdp_err err;
    uint64_t from = find_item(pairs->names, tree->items, word[0]);
    uint64_t to = find_item(pairs->names, tree->items, word[1]);
    if (from == to)
        tool_fail("'%s' and '%s' are one item: expected two", word[0], word[1]);
    int64_t steps = cdp_why(tree, from, to, &path, &err);
    tool_check(steps < 0 ? -1 : 0, &err);
    if (!steps)
        tool_fail("no pairs connect item %s and item %s", word[0], word[1]);
    float weakest = INFINITY;
    for (int64_t s = 0; s < steps; s++)
        weakest = fminf(weakest, path[s].score);
    for (int64_t s = 0; s < steps; s++)
        write_step(&path[s], isfinite(weakest) && path[s].score <= weakest, pairs->names, output);
    free(path);
}
