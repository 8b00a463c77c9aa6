// SPDX-License-Identifier: MIT
#include "names.h"

#include <string.h>

#include "io/input.h"
#include "tool.h"

static size_t count_commas(const struct cdp_names *names, uint64_t id)
{
    size_t length, commas = 0;
    const char *at = cdp_names_get(names, id, &length), *end = at + length;
    while ((at = memchr(at, ',', (size_t)(end - at)))) {
        at++;
        commas += at == end || *at != ' '; // "Cole, Jo" is a name
    }
    return commas;
}

static bool are_rows(const struct cdp_names *names)
{
    uint64_t count = cdp_names_count(names);
    size_t commas = count > 1 ? count_commas(names, 0) : 0;
    for (uint64_t i = 1; commas && i < count; i++) {
        if (count_commas(names, i) != commas)
            return false;
    }
    return commas > 0;
}

void names_read(struct cdp_names **names, const char *file)
{
    struct cdp_err err;
    tool_check(cdp_names_read(names, file, &err), &err);
    if (are_rows(*names))
        tool_warn("%s: are these rows of a csv file? names only are wanted, one a line",
                  cdp_input_shown(file));
}
