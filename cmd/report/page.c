// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "propagate/spine.h"
#include "report/blob.h"
#include "report/pictures.h"
#include "report/report.h"
#include "tool.h"

// page.css and page.js as strings (Makefile).
extern const char report_css[], report_js[];

enum { MOST_SUGGESTIONS = 1000 };

static const double MOST_SPLIT = 0.2; // mean score between the parts of a cluster that might be two

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
        report_write(output, "<tr><th scope=row>%s, %s<td>%.2f<td>%.2f<td>%.2f\n",
                     kind % 2 ? "BCubed" : "pairwise",
                     kind / 2 ? "without items in no cluster" : "all items", 100 * p->precision,
                     100 * p->recall, 100 * p->fscore);
    }
    report_write(output, "</tbody></table></div>\n");
}

// ---- data for the script

static void add_label(struct blob *blob, int64_t label)
{
    char text[24];
    const int64_t exact = 1LL << 53; // numbers of JavaScript
    if (label <= exact && label >= -exact)
        blob_number(blob, label);
    else
        blob_string(blob, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)label));
}

static int64_t thousandths(double share)
{
    return isfinite(share) ? (int64_t)floor(1000 * share + 0.5) : -1;
}

// A score in thousandths; from 0.9995 on 1000 + ten times the negative logarithm of what it lacks
// to 1, as that is what differs between sure pairs.
static int64_t score_number(double score)
{
    return !(score >= 0.9995) ? thousandths(score)
           : score >= 1       ? 1100
                              : (int64_t)floor(1000 - 10 * log10(1 - score) + 0.5);
}

// ---- lists of a number for each cluster, in their order

typedef int64_t number_of_cluster(const struct report *r, uint32_t cluster);

static int64_t size_of(const struct report *r, uint32_t c)
{
    return (int64_t)report_size(r, c);
}
static int64_t medoid_of(const struct report *r, uint32_t c)
{
    return (int64_t)r->audit[c].medoid;
}
static int64_t cohesion_of(const struct report *r, uint32_t c)
{
    return thousandths(r->cohesion[c]);
}
static int64_t weakest_of(const struct report *r, uint32_t c)
{
    return score_number((double)r->audit[c].weakest);
}
static int64_t bridges_of(const struct report *r, uint32_t c)
{
    return (int64_t)r->audit[c].bridges;
}
static int64_t identities_of(const struct report *r, uint32_t c)
{
    return r->identities[c];
}
static int64_t strangers_of(const struct report *r, uint32_t c)
{
    return r->known[c] - r->largest[c];
}

static void add_cluster_list(struct blob *b, const struct report *r, const char *name,
                             number_of_cluster *number)
{
    blob_add(b, name);
    for (uint32_t n = 0; n < r->clusters.clusters; n++)
        blob_number(b, number(r, r->order[n]));
    blob_close(b, "]");
}

static struct blob *make_clusters(const struct report *r)
{
    struct blob *b = blob_new("clusters");
    blob_add(b, "{\"label\":[");
    for (uint32_t n = 0; n < r->clusters.clusters; n++)
        add_label(b, r->labels.value[r->order[n]]);
    blob_close(b, "]");
    add_cluster_list(b, r, ",\"size\":[", size_of);
    if (r->audit) {
        add_cluster_list(b, r, ",\"medoid\":[", medoid_of);
        add_cluster_list(b, r, ",\"cohesion\":[", cohesion_of);
        add_cluster_list(b, r, ",\"weakest\":[", weakest_of);
        add_cluster_list(b, r, ",\"bridges\":[", bridges_of);
    }
    if (r->truth) {
        add_cluster_list(b, r, ",\"identities\":[", identities_of);
        add_cluster_list(b, r, ",\"strangers\":[", strangers_of);
    }
    blob_add(b, "}");
    return b;
}

static struct blob *make_between(const struct report *r)
{
    struct blob *b = blob_new("between");
    uint32_t *place = report_alloc(r->clusters.clusters, sizeof *place);
    for (uint32_t n = 0; n < r->clusters.clusters; n++)
        place[r->order[n]] = n;
    blob_add(b, "[");
    for (uint64_t n = 0; n < r->betweens && n < MOST_SUGGESTIONS; n++) {
        const struct cdp_between *x = &r->between[n];
        blob_add(b, "[");
        blob_number(b, place[x->cluster[0]]);
        blob_number(b, place[x->cluster[1]]);
        blob_number(b, (int64_t)x->pairs);
        blob_number(b, score_number((double)x->score));
        blob_number(b, x->best[0]);
        blob_number(b, x->best[1]);
        blob_close(b, "],");
    }
    blob_close(b, "]");
    free(place);
    return b;
}

// The clusters that might be two: [cluster, item, its next item, items of the smaller part, mean
// score between the parts].
struct split {
    uint32_t place, cluster;
    const struct cdp_split *at;
};

static int by_mean(const void *a, const void *b)
{
    const struct split *x = a, *y = b;
    if (x->at->mean != y->at->mean)
        return x->at->mean < y->at->mean ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static struct blob *make_splits(const struct report *r)
{
    struct blob *b = blob_new("splits");
    struct split *split = report_alloc(r->clusters.clusters, sizeof *split);
    size_t count = 0;
    for (uint32_t n = 0; n < r->clusters.clusters; n++) {
        const struct cdp_split *at = &r->split[r->order[n]];
        if (at->item != CDP_NO_ITEM && at->mean < MOST_SPLIT)
            split[count++] = (struct split){n, r->order[n], at};
    }
    qsort(split, count, sizeof *split, by_mean);
    blob_add(b, "[");
    for (size_t n = 0; n < count && n < MOST_SUGGESTIONS; n++) {
        const struct cdp_split *at = split[n].at;
        uint64_t others = report_size(r, split[n].cluster) - at->items;
        blob_add(b, "[");
        blob_number(b, split[n].place);
        blob_number(b, at->item);
        blob_number(b, r->next[at->item]);
        blob_number(b, (int64_t)(at->items < others ? at->items : others));
        blob_number(b, thousandths(at->mean));
        blob_close(b, "],");
    }
    blob_close(b, "]");
    free(split);
    return b;
}

// ---- lists of a number for each item, by clusters in their order, those in none at the end

typedef int64_t number_of_item(const struct report *r, uint32_t item);

static int64_t support_of(const struct report *r, uint32_t i)
{
    return (int64_t)(100 * r->support[i] + 0.5F);
}
static int64_t next_of(const struct report *r, uint32_t i)
{
    return r->next[i] == CDP_NO_ITEM ? -1 : (int64_t)r->place[r->next[i]];
}
static int64_t score_of(const struct report *r, uint32_t i)
{
    return score_number((double)r->score[i]);
}
static int64_t group_of(const struct cdp_labels *labels, uint32_t item)
{
    return labels->group[item] == CDP_NO_LABEL ? -1 : (int64_t)labels->group[item];
}
static int64_t identity_of(const struct report *r, uint32_t i)
{
    return group_of(r->truth, i);
}
static int64_t before_of(const struct report *r, uint32_t i)
{
    return group_of(r->previous, i);
}

// With a NULL `number`, the items themselves, each less the one before: that takes less room.
static void add_item_list(struct blob *b, const struct report *r, const char *name,
                          number_of_item *number)
{
    int64_t last = 0;
    blob_add(b, name);
    for (uint32_t n = 0; n <= r->clusters.clusters; n++) {
        uint32_t c = n < r->clusters.clusters ? r->order[n] : n;
        for (uint64_t m = r->begin[c]; m < r->begin[c + 1U]; m++) {
            uint32_t i = r->member[m];
            blob_number(b, number ? number(r, i) : (int64_t)i - last);
            last = i;
        }
    }
    blob_close(b, "]");
}

// What the numbers of groups mean; true labels that are strings are not kept.
static void add_values(struct blob *b, const char *name, const struct cdp_labels *labels)
{
    if (!labels->value)
        return;
    blob_add(b, name);
    for (uint32_t g = 0; g < labels->groups; g++)
        add_label(b, labels->value[g]);
    blob_close(b, "]");
}

static struct blob *make_items(const struct report *r)
{
    struct blob *b = blob_new("items");
    add_item_list(b, r, "{\"item\":[", NULL);
    if (r->audit) {
        add_item_list(b, r, ",\"support\":[", support_of);
        add_item_list(b, r, ",\"next\":[", next_of);
        add_item_list(b, r, ",\"score\":[", score_of);
    }
    if (r->truth) {
        add_item_list(b, r, ",\"identity\":[", identity_of);
        add_values(b, ",\"identities\":[", r->truth);
    }
    if (r->previous) {
        add_item_list(b, r, ",\"before\":[", before_of);
        add_values(b, ",\"befores\":[", r->previous);
    }
    blob_add(b, "}");
    return b;
}

static struct blob *make_names(const struct report *r)
{
    const struct cdp_names *names = r->list ? r->list : r->labels.names;
    if (!names)
        return NULL;
    struct blob *b = blob_new("names");
    blob_add(b, "[");
    for (uint64_t i = 0; i < r->clusters.items; i++) {
        size_t length;
        const char *name = cdp_names_get(names, i, &length);
        blob_string(b, name, length);
    }
    blob_close(b, "]");
    return b;
}

// ---- the page

static void write_section(struct cdp_output *output, const char *id, const char *title,
                          const char *text)
{
    report_write(output, "<section id=\"%s\" hidden><h2>%s</h2><p>%s</p></section>\n", id, title,
                 text);
}

static void write_body(const struct report *r, struct cdp_output *output)
{
    struct cdp_err err;
    report_write(output, "<h1>");
    write_file_name(output, report_options.title ? report_options.title : r->shown);
    report_write(output, "</h1>\n");
    write_headline(r, output);
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
    write_section(output, "look", "Clusters",
                  r->audit
                      ? "The most doubtful first. Choose one to see its items. Mean score: of all "
                        "possible pairs, a missing one counting 0. Weakest pair: that the cluster "
                        "needs to be connected. Bridges: pairs without which it falls apart. "
                        "Strangers: items that are not of its most frequent identity."
                      : "The most doubtful first. Choose one to see its items.");
    write_section(output, "one", "", "");
    if (r->audit) {
        write_section(output, "merges", "Might be one",
                      "Clusters with strong pairs between them, the likeliest first.");
        write_section(output, "splits", "Might be two",
                      "Clusters whose items are in two parts with few and weak pairs between them, "
                      "the fewest first.");
    }
    if (r->previous)
        write_section(output, "changes", "Changes", "");
    write_section(output, "corrections", "Corrections", "Save the files for the next run:");
    report_write(output, "<template id=command>");
    write_file_name(output, report_options.command
                                ? report_options.command
                                : "cdp-propagate --must-link must-link.txt --cannot-link "
                                  "cannot-link.txt PAIRS");
    report_write(output, "</template>\n");
    struct blob *clusters, *between = NULL, *splits = NULL, *items, *names;
#pragma omp parallel sections num_threads(cdp_threads((int)common.threads))
    {
#pragma omp section
        items = make_items(r);
#pragma omp section
        names = make_names(r);
#pragma omp section
        {
            clusters = make_clusters(r);
            if (r->audit) {
                between = make_between(r);
                splits = make_splits(r);
            }
        }
    }
    struct blob *const all[] = {clusters, between, splits, items, names};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        blob_write(all[i], output);
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
