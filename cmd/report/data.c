// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/threads.h"
#include "propagate/spine.h"
#include "report/blob.h"
#include "report/report.h"
#include "tool.h"

// The data of the page as page.js reads them.

enum { MOST_SUGGESTIONS = 1000 };

static const double SURE = 0.99; // a cluster is not split at a pair of this score

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
static int64_t least_of(const struct report *r, uint32_t c)
{
    return thousandths(r->least[c]);
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
    return r->of_cluster[c].identities;
}
static int64_t strangers_of(const struct report *r, uint32_t c)
{
    return r->of_cluster[c].known - r->of_cluster[c].largest;
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
        add_cluster_list(b, r, ",\"least\":[", least_of);
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

// The place of each cluster in the order.
static uint32_t *find_places(const struct report *r)
{
    uint32_t *place = report_alloc(r->clusters.clusters, sizeof *place);
    for (uint32_t n = 0; n < r->clusters.clusters; n++)
        place[r->order[n]] = n;
    return place;
}

// Clusters that might be one, by the sum of the scores for each item of the smaller one: of
// rankings by sum, best pair, mean of all possible pairs and others it showed most clusters of one
// identity among its first 300 (tests/bench/NOTES.md). [cluster, cluster, pairs, best score, its
// items].
static struct blob *make_between(const struct report *r)
{
    struct blob *b = blob_new("between");
    uint32_t *place = find_places(r);
    struct report_rank *rank = report_alloc(r->betweens, sizeof *rank);
    for (uint64_t n = 0; n < r->betweens; n++) {
        const struct cdp_between *x = &r->between[n];
        uint64_t a = report_size(r, x->cluster[0]), c = report_size(r, x->cluster[1]);
        rank[n] = (struct report_rank){x->sum / (double)(a < c ? a : c), (uint32_t)n};
    }
    report_sort(rank, r->betweens);
    blob_add(b, "[");
    for (uint64_t n = 0; n < r->betweens && n < MOST_SUGGESTIONS; n++) {
        const struct cdp_between *x = &r->between[rank[n].at];
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
    free(rank);
    return b;
}

// Clusters that might be two, the weakest pair between the parts first. [cluster, item, its next
// item, items of the smaller part, score of the pair].
static struct blob *make_splits(const struct report *r)
{
    struct blob *b = blob_new("splits");
    struct report_rank *rank = report_alloc(r->clusters.clusters, sizeof *rank);
    size_t count = 0;
    for (uint32_t n = 0; n < r->clusters.clusters; n++) {
        uint32_t item = r->split[r->order[n]];
        if (item != CDP_NO_ITEM && (double)r->score[item] < SURE)
            rank[count++] = (struct report_rank){-(double)r->score[item], n};
    }
    report_sort(rank, count);
    blob_add(b, "[");
    for (size_t n = 0; n < count && n < MOST_SUGGESTIONS; n++) {
        uint32_t cluster = r->order[rank[n].at], item = r->split[cluster], part = r->below[item];
        uint32_t others = r->below[r->audit[cluster].medoid] - part;
        blob_add(b, "[");
        blob_number(b, rank[n].at);
        blob_number(b, item);
        blob_number(b, r->next[item]);
        blob_number(b, part < others ? part : others);
        blob_number(b, score_number((double)r->score[item]));
        blob_close(b, "],");
    }
    blob_close(b, "]");
    free(rank);
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

static void add_links(struct blob *b, const char *name, const struct cdp_list *links)
{
    blob_add(b, name);
    for (size_t e = 0; e < links->count; e++) {
        blob_add(b, "[");
        blob_number(b, (int64_t)links->edge[e].source);
        blob_number(b, (int64_t)links->edge[e].target);
        blob_close(b, "],");
    }
    blob_close(b, "]");
}

// Corrections before, to be saved together with new ones.
static struct blob *make_links(const struct report *r)
{
    struct blob *b = blob_new("links");
    add_links(b, "{\"must\":[", &r->must);
    add_links(b, ",\"cannot\":[", &r->cannot);
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

// ---- all of it

void report_data(const struct report *r, struct cdp_output *output)
{
    struct blob *clusters, *between = NULL, *splits = NULL, *links = NULL, *items, *names;
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
                links = make_links(r);
            }
        }
    }
    struct blob *const all[] = {clusters, between, splits, links, items, names};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        blob_write(all[i], output);
}
