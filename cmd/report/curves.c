// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/input.h"
#include "report/report.h"
#include "tool.h"

// Curves over thresholds, from a table of cdp-sweep.

enum { WIDTH = 640, HEIGHT = 260, LEFT = 40, BOTTOM = 30, MOST_COLUMNS = 64 };

// The columns that are shown: with true labels the first ones, in per cent; otherwise the last
// ones, as parts of their largest value.
static const struct curve {
    const char *column, *name;
    bool scaled;
} curves[] = {{"precision", "precision", false},
              {"recall", "recall", false},
              {"fscore", "F", false},
              {"bcubed", "BCubed F", false},
              {"clusters", "clusters", true},
              {"largest", "largest cluster", true},
              {"items", "items in clusters", true}};
enum { CURVES = sizeof curves / sizeof curves[0] };

struct row {
    double threshold, value[CURVES]; // NaN = undefined
};

struct sweep {
    const char *name;
    int threshold, max_size, column[CURVES]; // places of columns, -1 = not there
    bool truth;
    char size[32]; // max_size of the rows that are shown
    size_t rows, room;
    struct row *row;
};

static int split(char *line, char *word[MOST_COLUMNS])
{
    int count = 0;
    for (char *at = line; at && count < MOST_COLUMNS;)
        word[count++] = strsep(&at, "\t");
    return count;
}

// The place of a column in the header line, or -1.
static int find(char *const *word, int words, const char *name)
{
    int at = words - 1;
    while (at >= 0 && strcmp(word[at], name) != 0)
        at--;
    return at;
}

static void read_header(struct sweep *s, char *line)
{
    char *word[MOST_COLUMNS];
    int words = split(line, word);
    s->threshold = find(word, words, "threshold");
    s->max_size = find(word, words, "max_size");
    for (int c = 0; c < CURVES; c++)
        s->column[c] = find(word, words, curves[c].column);
    s->truth = find(word, words, "fscore") >= 0;
    if (s->threshold < 0)
        tool_fail("%s: line 1: no column 'threshold': expected a table of cdp-sweep",
                  cdp_input_shown(s->name));
}

static double number(char *const *word, int words, int column)
{
    char *end = NULL;
    double value = column < 0 || column >= words ? NAN : strtod(word[column], &end);
    return end && end == word[column] ? NAN : value;
}

// Adds a row; of several largest sizes those of the first.
static void read_row(struct sweep *s, char *line, size_t at)
{
    char *word[MOST_COLUMNS];
    struct cdp_err err;
    int words = split(line, word);
    const char *size = s->max_size >= 0 && s->max_size < words ? word[s->max_size] : "";
    if (s->rows == 0)
        snprintf(s->size, sizeof s->size, "%s", size);
    if (strcmp(s->size, size) != 0)
        return;
    tool_check(cdp_grow(&s->row, &s->room, s->rows + 1, sizeof *s->row, "a table", &err), &err);
    struct row *row = &s->row[s->rows++];
    row->threshold = number(word, words, s->threshold);
    if (!isfinite(row->threshold))
        tool_fail("%s: line %zu: expected a threshold", cdp_input_shown(s->name), at);
    for (int c = 0; c < CURVES; c++)
        row->value[c] = number(word, words, s->column[c]);
}

static void read_table(struct sweep *s)
{
    struct cdp_input *input;
    struct cdp_err err;
    const unsigned char *bytes;
    size_t size, line = 1;
    tool_check(cdp_input_open_text(&input, s->name, &err), &err);
    tool_check(cdp_input_whole(input, &bytes, &size, &err), &err);
    char *text = report_alloc(size + 1, 1), *next = memcpy(text, bytes, size);
    cdp_input_close(input);
    read_header(s, strsep(&next, "\n"));
    for (char *at; (at = strsep(&next, "\n"));) {
        line++;
        if (*at)
            read_row(s, at, line);
    }
    free(text);
    if (!s->rows)
        tool_fail("%s: no thresholds", cdp_input_shown(s->name));
}

static double across(const struct sweep *s, double threshold)
{
    double from = s->row[0].threshold, to = s->row[s->rows - 1].threshold;
    return LEFT + (WIDTH - LEFT - 10) * (to > from ? (threshold - from) / (to - from) : 0.5);
}

static void write_curve(const struct sweep *s, int curve, int shown, struct cdp_output *output)
{
    double most = 100;
    for (size_t i = 0; curves[curve].scaled && i < s->rows; i++)
        most = i && s->row[i].value[curve] <= most ? most : s->row[i].value[curve];
    report_write(output, "<polyline class=c%d points=\"", shown);
    for (size_t i = 0; i < s->rows; i++) {
        double value = s->row[i].value[curve];
        if (isfinite(value))
            report_write(output, "%.1f,%.1f ", across(s, s->row[i].threshold),
                         HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 10) * (most > 0 ? value / most : 0));
    }
    report_write(output, "\" /><text class=c%d x=%d y=%d>%s</text>\n", shown,
                 LEFT + 10 + 150 * shown, HEIGHT - 4, curves[curve].name);
}

void report_sweep(const char *name, double threshold, struct cdp_output *output)
{
    struct sweep s = {.name = name};
    read_table(&s);
    report_write(output,
                 "<svg class=chart viewBox=\"0 0 %d %d\" role=img aria-label=\"curves over "
                 "thresholds\">\n",
                 WIDTH, HEIGHT);
    for (int tick = 0; tick <= 4; tick++) {
        double y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 10) * tick / 4.0;
        size_t row = (s.rows - 1) * (size_t)tick / 4;
        report_write(output,
                     "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f /><text x=2 y=%.1f>%d %%</text>"
                     "<text x=%.1f y=%d text-anchor=%s>%.4g</text>\n",
                     LEFT, WIDTH - 10, y, y, y + 4, 25 * tick, across(&s, s.row[row].threshold),
                     HEIGHT - BOTTOM + 13, tick == 4 ? "end" : "middle", s.row[row].threshold);
    }
    for (int c = 0, shown = 0; c < CURVES; c++) {
        if (curves[c].scaled != s.truth)
            write_curve(&s, c, shown++, output);
    }
    if (threshold >= s.row[0].threshold && threshold <= s.row[s.rows - 1].threshold)
        report_write(
            output, "<line class=mark x1=%.1f x2=%.1f y1=10 y2=%d /><text x=%.1f y=9>%.4g</text>\n",
            across(&s, threshold), across(&s, threshold), HEIGHT - BOTTOM,
            across(&s, threshold) + 3, threshold);
    report_write(output, "</svg>\n");
    free(s.row);
}
