// SPDX-License-Identifier: MIT
#include "base/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *length)
{
    while (*length && is_blank((*text)[*length - 1]))
        --*length;
    for (; *length && is_blank(**text); ++*text)
        --*length;
}

int cdp_parse_id(const char *text, size_t length, uint64_t *id)
{
    enum { SAFE = 18 }; // digits that cannot overflow
    uint64_t value = 0;
    trim(&text, &length);
    if (length < 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || (i >= SAFE && value > ((uint64_t)INT64_MAX - digit) / 10))
            return -1;
        value = value * 10 + digit;
    }
    *id = value;
    return 0;
}

// The nearest float of a short decimal number, by double arithmetic: exact where the digits are
// below 2^53 and the power of ten is at most 22, unless the double lies halfway between two floats.
static bool parse_short(const char *c, const char *end, float *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = c < end && *c == '-';
    c += negative;
    uint64_t digits = 0;
    int count = 0, places = 0;
    bool point = false;
    for (; c < end; c++) {
        unsigned digit = (unsigned)(*c - '0');
        if (digit <= 9) {
            digits = digits * 10 + digit;
            places += point;
            count++;
        } else if (*c == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (count < 1 || count > 18 || digits >> 53 || places > 22)
        return false;
    double number = (double)digits / powers[places];
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    if ((bits & 0x1FFFFFFF) == 0x10000000 || (number != 0 && number < 1e-30))
        return false;
    *value = (float)(negative ? -number : number);
    return true;
}

int cdp_parse_float(const char *text, size_t length, float *value)
{
    char word[512], *stop;
    trim(&text, &length);
    if (parse_short(text, text + length, value))
        return 0;
    if (length < 1 || length >= sizeof word)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (!memchr("0123456789.eE+-", text[i], 15))
            return -1;
    }
    memcpy(word, text, length);
    word[length] = '\0';
    *value = strtof(word, &stop);
    return stop == word || *stop || !isfinite(*value) ? -1 : 0;
}
