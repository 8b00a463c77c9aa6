// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "text.h"

char *variables;

void assign(const char *name, const char *value)
{
    // $() expands to nothing, and protects blanks and backslashes at either end.
    char *quoted = text_keep(malloc(strlen(value) * 2 + 1)), *to = quoted;
    for (const char *at = value; *at; at++) {
        size_t slashes = strspn(at, "\\");
        if (at[slashes] == '#') {
            for (size_t i = 0; i < 2 * slashes + 1; i++)
                *to++ = '\\';
            at += slashes;
        } else if (*at == '$') {
            *to++ = '$';
        }
        *to++ = *at;
    }
    *to = '\0';
    bool plain = !value[strcspn(value, "\t\\$#")] && *value != ' ' && !ends(value, " ");
    char *text = plain ? text_join("%s%s := %s\n", variables ? variables : "", name, quoted)
                       : text_join("%s%s := $()%s$()\n", variables ? variables : "", name, quoted);
    variables = text;
}
