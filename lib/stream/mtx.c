// SPDX-License-Identifier: MIT
// Matrix Market (Boisvert, Pozo, Remington: The Matrix Market exchange formats, NISTIR 5935).
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "io/input.h"
#include "stream/convert.h"
#include "stream/entries.h"

struct mtx {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool pattern, symmetric;
    struct cdp_matrix_size size;
    uint64_t entries;
};

struct word {
    const char *at;
    size_t length;
};

enum { WORDS = 6 };

// Splits the next line that is no comment into words. Returns their number, which may exceed WORDS,
// or 0 at the end of the file. *line is the whole line.
static int next_line(struct mtx *m, struct word word[WORDS], struct word *line)
{
    int words = 0;
    while (!words && m->at < m->end) {
        const char *stop = memchr(m->at, '\n', (size_t)(m->end - m->at)), *at = m->at;
        const char *end = stop ? stop : m->end;
        *line = (struct word){at, (size_t)(end - at)};
        m->at = stop ? stop + 1 : m->end;
        m->line++;
        while (at < end && !(m->line > 1 && *line->at == '%')) {
            const char *begin = at;
            while (at < end && *at != ' ' && *at != '\t' && *at != '\r')
                at++;
            if (at > begin && words++ < WORDS)
                word[words - 1] = (struct word){begin, (size_t)(at - begin)};
            while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
                at++;
        }
    }
    return words;
}

static bool is_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && !strncasecmp(word->at, text, word->length);
}

static int fail_mtx(const struct mtx *m, const char *wanted, const struct word *line,
                    struct cdp_err *err)
{
    return cdp_fail_line(err, m->name, m->line, wanted, line->at, line->length);
}

static int read_mtx_head(struct mtx *m, struct cdp_err *err)
{
    struct word word[WORDS], line = {"", 0};
    m->line = 0;
    int words = next_line(m, word, &line);
    if (words != 5 || !is_word(&word[0], "%%MatrixMarket") || !is_word(&word[1], "matrix"))
        return fail_mtx(m, "%%MatrixMarket matrix coordinate ...", &line, err);
    if (!is_word(&word[2], "coordinate"))
        return fail_mtx(m, "a sparse matrix ('coordinate')", &word[2], err);
    m->pattern = is_word(&word[3], "pattern");
    m->symmetric = is_word(&word[4], "symmetric");
    if (!m->pattern && !is_word(&word[3], "real") && !is_word(&word[3], "integer") &&
        !is_word(&word[3], "double"))
        return fail_mtx(m, "real, integer or pattern", &word[3], err);
    if (!m->symmetric && !is_word(&word[4], "general"))
        return fail_mtx(m, "general or symmetric", &word[4], err);
    words = next_line(m, word, &line);
    if (words != 3 || cdp_parse_id(word[0].at, word[0].length, &m->size.rows) ||
        cdp_parse_id(word[1].at, word[1].length, &m->size.columns) ||
        cdp_parse_id(word[2].at, word[2].length, &m->entries))
        return fail_mtx(m, "rows, columns and entries", &line, err);
    if (m->symmetric && m->size.rows != m->size.columns)
        return fail_mtx(m, "a symmetric matrix to be square", &line, err);
    return 0;
}

static int read_mtx_entry(struct mtx *m, struct cdp_list *list, uint64_t entry, struct cdp_err *err)
{
    struct word word[WORDS], line;
    uint64_t i, j;
    float value = 1;
    int words = next_line(m, word, &line);
    if (!words)
        return cdp_fail(err, "%s: line %llu: it ends before its %llu entries", m->name,
                        (unsigned long long)m->line, (unsigned long long)m->entries);
    if (words != (m->pattern ? 2 : 3) || cdp_parse_id(word[0].at, word[0].length, &i) ||
        cdp_parse_id(word[1].at, word[1].length, &j) || i < 1 || i > m->size.rows || j < 1 ||
        j > m->size.columns || (!m->pattern && cdp_parse_float(word[2].at, word[2].length, &value)))
        return fail_mtx(m,
                        m->pattern ? "two indices from 1 to the matrix's size"
                                   : "two indices from 1 to the matrix's size and a number",
                        &line, err);
    return cdp_list_add_entry(list, &m->size, entry, i - 1, j - 1, value, m->name, err);
}

int cdp_list_from_mtx(struct cdp_list *list, const char *name, uint64_t *nodes, struct cdp_err *err)
{
    struct cdp_input *input;
    const unsigned char *bytes;
    size_t size;
    struct word word[WORDS], line;
    if (cdp_input_open_text(&input, name, err))
        return -1;
    int status = cdp_input_whole(input, &bytes, &size, err);
    struct mtx m = {.name = cdp_input_name(input)};
    if (!status) {
        m.at = (const char *)bytes;
        m.end = m.at + size;
        status = read_mtx_head(&m, err) || cdp_matrix_items(&m.size, nodes, m.name, err) ? -1 : 0;
    }
    for (uint64_t e = 0; !status && e < m.entries; e++)
        status = read_mtx_entry(&m, list, e, err);
    if (!status && next_line(&m, word, &line))
        status = cdp_fail(err, "%s: line %llu: more than its %llu entries", m.name,
                          (unsigned long long)m.line, (unsigned long long)m.entries);
    cdp_input_close(input);
    return status;
}
