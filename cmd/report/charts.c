// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prf.h"
#include "io/input.h"
#include "report/report.h"
#include "tool.h"

// ---- sizes of clusters: bins of 1, 2 to 3, 4 to 7, ...

enum { BINS = 32 };

struct bin {
    uint64_t clusters, items;
    uint64_t known, mixed;    // items of known identity; clusters of several identities
    double precision, recall; // sums over these items (BCubed)
};

static int bin_of(uint64_t size)
{
    return size ? 63 - __builtin_clzll(size) : 0;
}

static void fill_bins(const struct report *r, struct bin bin[BINS])
{
    for (uint32_t c = 0; c < r->clusters.clusters; c++) {
        struct bin *b = &bin[bin_of(report_size(r, c))];
        b->clusters++;
        b->items += report_size(r, c);
        if (!r->truth)
            continue;
        const struct report_truth *truth = &r->of_cluster[c];
        b->known += truth->known;
        b->mixed += truth->identities > 1;
        b->precision += truth->precision;
        b->recall += truth->recall;
    }
}

void report_share(struct cdp_output *output, double share)
{
    if (isnan(share))
        report_write(output, "<td>-");
    else
        report_write(output, "<td>%.2f", 100 * share);
}

void report_sizes(const struct report *r, struct cdp_output *output)
{
    struct bin bin[BINS] = {0};
    uint64_t most = 1;
    int last = 0;
    fill_bins(r, bin);
    for (int b = 0; b < BINS; b++) {
        if (bin[b].clusters)
            last = b;
        most = bin[b].items > most ? bin[b].items : most;
    }
    report_write(output, "<table><thead><tr><th>items of a cluster<th>clusters<th>items<th>");
    if (r->truth)
        report_write(output, "<th>of several identities<th>BCubed precision<th>recall<th>F");
    report_write(output, "</thead><tbody>\n");
    for (int b = 0; b <= last; b++) {
        uint64_t from = 1ULL << b, to = 2 * from - 1;
        report_write(output, from == to ? "<tr><td>%llu" : "<tr><td>%llu to %llu",
                     (unsigned long long)from, (unsigned long long)to);
        report_write(output,
                     "<td>%llu<td>%llu<td class=bar><svg viewBox=\"0 0 100 8\" role=img "
                     "aria-label=\"%.1f %% of the items\"><rect width=\"%.2f\" height=8 /></svg>",
                     (unsigned long long)bin[b].clusters, (unsigned long long)bin[b].items,
                     100 * (double)bin[b].items /
                         (double)(r->clusters.items ? r->clusters.items : 1),
                     100 * (double)bin[b].items / (double)most);
        if (r->truth) {
            struct cdp_prf prf = cdp_bcubed(bin[b].precision, bin[b].recall, (double)bin[b].known);
            report_write(output, "<td>%llu", (unsigned long long)bin[b].mixed);
            report_share(output, prf.precision);
            report_share(output, prf.recall);
            report_share(output, prf.fscore);
        }
        report_write(output, "\n");
    }
    if (report_size(r, r->clusters.clusters))
        report_write(output, "<tr><td>in no cluster<td><td>%llu<td>%s\n",
                     (unsigned long long)report_size(r, r->clusters.clusters),
                     r->truth ? "<td><td><td><td>" : "");
    report_write(output, "</tbody></table>\n");
}

// ---- curves over thresholds

enum { WIDTH = 640, HEIGHT = 260, LEFT = 40, BOTTOM = 30, CURVES = 4 };

// The columns that are shown; without true labels the last ones, as parts of their largest value.
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
enum { KNOWN_CURVES = sizeof curves / sizeof curves[0] };

struct sweep {
    const char *name;
    size_t rows, room;
    double (*row)[1 + KNOWN_CURVES]; // threshold, values; NaN = no such column
};

static int split(char *line, char *word[64])
{
    int count = 0;
    for (char *at = line; count < 64;) {
        word[count++] = at;
        at = strchr(at, '\t');
        if (!at)
            break;
        *at++ = 0;
    }
    return count;
}

// Reads a table of cdp-sweep; of several largest sizes the first.
static void read_sweep(struct sweep *s)
{
    struct cdp_input *input;
    struct cdp_err err;
    const unsigned char *bytes;
    size_t size;
    tool_check(cdp_input_open_text(&input, s->name, &err), &err);
    tool_check(cdp_input_whole(input, &bytes, &size, &err), &err);
    char *text = report_alloc(size + 1, 1), *next = memcpy(text, bytes, size), *word[64];
    int column[1 + KNOWN_CURVES], sizes = -1, line = 0;
    char first[32] = "";
    cdp_input_close(input);
    for (char *at; (at = strsep(&next, "\n"));) {
        int words = split(at, word);
        if (!line++) {
            for (int c = 0; c <= KNOWN_CURVES; c++) {
                const char *wanted = c ? curves[c - 1].column : "threshold";
                column[c] = -1;
                for (int w = 0; w < words; w++) {
                    if (!strcmp(word[w], wanted))
                        column[c] = w;
                    if (!strcmp(word[w], "max_size"))
                        sizes = w;
                }
            }
            if (column[0] < 0)
                tool_fail("%s: line 1: no column 'threshold': expected a table of cdp-sweep",
                          cdp_input_shown(s->name));
            continue;
        }
        if (!*at)
            continue;
        if (sizes >= 0 && sizes < words && !*first)
            snprintf(first, sizeof first, "%s", word[sizes]);
        if (sizes >= 0 && (sizes >= words || strcmp(first, word[sizes])))
            continue;
        tool_check(cdp_grow(&s->row, &s->room, s->rows + 1, sizeof *s->row, "a table", &err), &err);
        for (int c = 0; c <= KNOWN_CURVES; c++) {
            char *end = NULL;
            double value =
                column[c] < 0 || column[c] >= words ? NAN : strtod(word[column[c]], &end);
            if (c == 0 && (!end || end == word[column[c]] || !isfinite(value)))
                tool_fail("%s: line %d: expected a threshold", cdp_input_shown(s->name), line);
            s->row[s->rows][c] = value;
        }
        s->rows++;
    }
    free(text);
}

static double across(const struct sweep *s, double threshold)
{
    double from = s->row[0][0], to = s->row[s->rows - 1][0];
    return LEFT + (WIDTH - LEFT - 10) * (to > from ? (threshold - from) / (to - from) : 0.5);
}

static void write_curve(const struct sweep *s, int curve, int shown, struct cdp_output *output)
{
    double most = 100;
    for (size_t i = 0; curves[curve].scaled && i < s->rows; i++)
        most = i && s->row[i][curve + 1] <= most ? most : s->row[i][curve + 1];
    report_write(output, "<polyline class=c%d points=\"", shown);
    for (size_t i = 0; i < s->rows; i++) {
        double value = s->row[i][curve + 1];
        if (isfinite(value))
            report_write(output, "%.1f,%.1f ", across(s, s->row[i][0]),
                         HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 10) * (most > 0 ? value / most : 0));
    }
    report_write(output, "\" /><text class=c%d x=%d y=%d>%s</text>\n", shown,
                 LEFT + 10 + 150 * shown, HEIGHT - 4, curves[curve].name);
}

void report_sweep(const char *name, double threshold, struct cdp_output *output)
{
    struct sweep s = {.name = name};
    read_sweep(&s);
    if (!s.rows)
        tool_fail("%s: no thresholds", cdp_input_shown(name));
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
                     LEFT, WIDTH - 10, y, y, y + 4, 25 * tick, across(&s, s.row[row][0]),
                     HEIGHT - BOTTOM + 13, tick == 4 ? "end" : "middle", s.row[row][0]);
    }
    bool truth = isfinite(s.row[0][3]);
    for (int c = 0, shown = 0; c < KNOWN_CURVES; c++) {
        if (curves[c].scaled != truth)
            write_curve(&s, c, shown++, output);
    }
    if (isfinite(threshold))
        report_write(
            output, "<line class=mark x1=%.1f x2=%.1f y1=10 y2=%d /><text x=%.1f y=9>%.4g</text>\n",
            across(&s, threshold), across(&s, threshold), HEIGHT - BOTTOM,
            across(&s, threshold) + 3, threshold);
    report_write(output, "</svg>\n");
    free(s.row);
}
