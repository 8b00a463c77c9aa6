// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/blob.h"
#include "report/pictures.h"
#include "report/report.h"
#include "text.h"
#include "tool.h"

// page.css and page.js as strings (Makefile).
extern const char report_css[], report_js[];

void report_write(struct cdp_output *output, const char *format, ...)
{
    char text[1024];
    va_list values;
    struct cdp_err err;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof text)
        tool_fail("a line of the page is too long");
    tool_check(cdp_output_write(output, text, (size_t)length, &err), &err);
}

void report_text(struct cdp_output *output, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t size = blob_character(text + i, length - i);
        if (!size)
            report_write(output, "&#xFFFD;");
        else if (strchr("<>&\"'", text[i]) || (unsigned char)text[i] < 0x20)
            report_write(output, "&#%d;", text[i] ? text[i] : 0xFFFD);
        else
            report_write(output, "%.*s", (int)size, text + i);
        i += size ? size : 1;
    }
}

static void write_file_name(struct cdp_output *output, const char *name)
{
    report_text(output, name, strlen(name));
}

// ---- what is read first

static void write_headline(const struct report *r, struct cdp_output *output)
{
    uint32_t clusters = r->clusters.clusters;
    uint64_t none = report_size(r, clusters), single = 0, largest = 0;
    for (uint32_t c = 0; c < clusters; c++) {
        single += report_size(r, c) == 1;
        largest = report_size(r, c) > largest ? report_size(r, c) : largest;
    }
    report_write(output,
                 "<dl><div><dt>items<dd>%llu</div><div><dt>clusters of several items<dd>%llu</div>"
                 "<div><dt>items alone<dd>%llu</div><div><dt>largest cluster<dd>%llu</div>\n",
                 (unsigned long long)r->clusters.items, (unsigned long long)(clusters - single),
                 (unsigned long long)(none + single), (unsigned long long)largest);
    if (r->audit)
        report_write(
            output,
            "<div><dt>pairs<dd>%llu</div><div><dt>of them within clusters<dd>%.1f %%</div>\n",
            (unsigned long long)r->pairs,
            r->pairs ? 100 * (double)r->inside / (double)r->pairs : 0);
    report_write(output, "</dl>\n");
    if (!r->truth)
        return;
    const struct cdp_prf *prf[2][2] = {{&r->eval.kept.pairwise, &r->eval.kept.bcubed},
                                       {&r->eval.removed.pairwise, &r->eval.removed.bcubed}};
    report_write(
        output,
        "<div class=wide><table><thead><tr><th>against the true labels, %%<th>precision<th>recall"
        "<th>F</thead><tbody>\n");
    for (int kind = 0; kind < 4; kind++) {
        const struct cdp_prf *p = prf[kind / 2][kind % 2];
        report_write(output, "<tr><th scope=row>%s, %s", kind % 2 ? "BCubed" : "pairwise",
                     kind / 2 ? "without items in no cluster" : "all items");
        report_share(output, p->precision);
        report_share(output, p->recall);
        report_share(output, p->fscore);
        report_write(output, "\n");
    }
    report_write(output, "</tbody></table></div>\n");
}

// ---- the page

static void write_section(struct cdp_output *output, const char *id, const char *title,
                          const char *text)
{
    report_write(output, "<section id=\"%s\" hidden><h2>%s</h2><p>%s</p></section>\n", id, title,
                 text);
}

// What the columns of the table of clusters are.
static const char *explain_clusters(const struct report *r)
{
    const char *first = r->truth   ? "Those with most strangers first"
                        : r->audit ? "The most doubtful first, by the mean score times that of the "
                                     "least supported item"
                                   : "The largest first";
    const char *pairs = "", *strangers = "";
    if (r->audit)
        pairs = text_join(
            " Mean score: of an item's pairs with its cluster, averaged over the items. Pairs that "
            "are missing count 0, up to %llu of an item, %s. Least supported item: the least such "
            "score of an item. Weakest pair: that the cluster needs to be connected. Bridges: "
            "pairs without which it falls apart.",
            (unsigned long long)r->neighbours,
            r->listed ? "the neighbours in its list" : "the most that one has");
    if (r->truth)
        strangers = " Strangers: items that are not of its most frequent identity.";
    return text_join("%s. Choose one to see its items.%s%s", first, pairs, strangers);
}

static void write_body(const struct report *r, struct cdp_output *output)
{
    struct cdp_err err;
    report_write(output, "<h1>");
    write_file_name(output, report_options.title ? report_options.title : r->shown);
    report_write(output, "</h1>\n");
    write_headline(r, output);
    if (r->verdict)
        report_write(output, "<p id=verdict>%s</p>\n", r->verdict);
    report_write(output, "<h2>Sizes</h2>\n<div class=wide>");
    report_sizes(r, output);
    report_write(output, "</div>\n");
    if (report_options.sweep) {
        report_write(output, "<h2>Thresholds</h2>\n");
        report_sweep(report_options.sweep, report_options.threshold, output);
    }
    report_write(output,
                 "<noscript>Clusters, pictures and suggestions need JavaScript.</noscript>\n"
                 "<p id=failed role=alert hidden></p>\n");
    write_section(output, "look", "Clusters", explain_clusters(r));
    write_section(output, "one", "", "");
    if (r->audit) {
        write_section(output, "merges", "Might be one",
                      "Clusters with strong pairs between them, the likeliest first.");
        write_section(output, "splits", "Might be two",
                      "Clusters that one pair holds together, with two items and more on either "
                      "side, the weakest "
                      "first.");
    }
    if (r->previous)
        write_section(output, "changes", "Changes", "");
    write_section(output, "corrections", "Corrections",
                  report_options.command
                      ? "Save the files for the next run:"
                      : "Save the files for the next run, with the method and the threshold of "
                        "these labels in place of METHOD and T:");
    report_write(output, "<template id=command>");
    write_file_name(output, report_options.command
                                ? report_options.command
                                : "cdp-propagate --method METHOD --threshold T --must-link "
                                  "must-link.txt --cannot-link cannot-link.txt PAIRS | "
                                  "cdp-relabel --previous LABELS -o NEW -");
    report_write(output, "</template>\n");
    report_data(r, output);
    if (report_options.images)
        report_pictures(r, output);
    report_write(output, "<script>\n");
    tool_check(cdp_output_write(output, report_js, strlen(report_js), &err), &err);
    report_write(output, "</script>\n");
}

void report_page(const struct report *r, struct cdp_output *output)
{
    struct cdp_err err;
    report_write(output,
                 "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
                 "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
                 "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
                 "img-src * data: file:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                 "<title>");
    write_file_name(output, report_options.title ? report_options.title : r->shown);
    report_write(output, "</title>\n<style>\n");
    tool_check(cdp_output_write(output, report_css, strlen(report_css), &err), &err);
    // items have names in the files that the page saves only if the labels have
    report_write(output, "</style></head><body%s>\n", r->labels.names ? " data-named=yes" : "");
    write_body(r, output);
    report_write(output, "</body></html>\n");
}
