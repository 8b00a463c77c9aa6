// SPDX-License-Identifier: MIT
#include "eval/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"

const char *const cdp_quantile_names[CDP_QUANTILES] = {"min", "p10", "p25", "p50",
                                                       "p75", "p90", "max"};

// Sums over a contingency table n_ij (cluster i, class j), from which all metrics follow. Squares
// of counts sum to below 2^64, since there are fewer than 2^32 items.
struct sums {
    uint64_t items, clusters, classes;
    uint64_t cell_squares, cluster_squares, class_squares;
    double cell_logs, cluster_logs, class_logs; // of n log n
    double precision, recall;                   // BCubed, summed over the items
};

struct work {
    uint64_t *begin;    // cluster c is item[begin[c]] .. item[begin[c + 1] - 1]
    uint32_t *item;     // grouped by cluster
    uint64_t *in_class; // number of considered items of each class
    uint32_t *cell;     // of the current cluster: n_ij of each class
    uint32_t *touched;  // and its classes
};

static double n_log_n(uint64_t n)
{
    return n > 1 ? (double)n * log((double)n) : 0;
}

static void add_cluster(struct sums *s, uint64_t size)
{
    s->clusters++;
    s->items += size;
    s->cluster_squares += size * size;
    s->cluster_logs += n_log_n(size);
}

// A cell of `count` items, in a cluster of `size` and a class of `class_size`.
static void add_cell(struct sums *s, uint64_t count, uint64_t size, uint64_t class_size)
{
    double square = (double)count * (double)count;
    s->cell_squares += count * count;
    s->cell_logs += n_log_n(count);
    s->precision += square / (double)size;
    s->recall += square / (double)class_size;
}

static void add_classes(struct sums *s, const uint64_t *in_class, uint32_t classes)
{
    for (uint32_t c = 0; c < classes; c++) {
        s->classes += in_class[c] > 0;
        s->class_squares += in_class[c] * in_class[c];
        s->class_logs += n_log_n(in_class[c]);
    }
}

static struct cdp_scores measures(const struct sums *s)
{
    struct cdp_scores m = {.items = s->items, .clusters = s->clusters, .classes = s->classes};
    double items = (double)s->items;
    double both = (double)(s->cell_squares - s->items);
    double in_clusters = (double)(s->cluster_squares - s->items);
    double in_classes = (double)(s->class_squares - s->items);
    m.pairwise = cdp_pairwise(both, in_clusters, in_classes);
    m.bcubed = cdp_bcubed(s->precision, s->recall, items);

    double expected = cdp_ratio(in_clusters * in_classes, items * (items - 1));
    double most = (in_clusters + in_classes) / 2;
    m.ari = !s->items ? NAN : both == most ? 1 : cdp_ratio(both - expected, most - expected);

    // Entropies times the number of items. Rounding may make them slightly negative.
    double whole = n_log_n(s->items);
    double of_clusters = fmax(whole - s->cluster_logs, 0);
    double of_classes = fmax(whole - s->class_logs, 0);
    double shared = fmax(whole - s->cluster_logs - s->class_logs + s->cell_logs, 0);
    m.homogeneity = of_classes > 0 ? shared / of_classes : 1;
    m.completeness = of_clusters > 0 ? shared / of_clusters : 1;
    m.vmeasure = cdp_prf(m.homogeneity, m.completeness).fscore;
    if (!s->items)
        m.homogeneity = m.completeness = m.vmeasure = NAN;
    return m;
}

// Groups the items by cluster, without those in no cluster or of unknown label.
static void sort_items(struct work *w, const struct cdp_labels *predicted,
                       const struct cdp_labels *truth)
{
    for (uint64_t i = 0; i < predicted->items; i++) {
        if (predicted->group[i] != CDP_NO_LABEL && truth->group[i] != CDP_NO_LABEL)
            w->begin[predicted->group[i] + 2]++;
    }
    cdp_group_begins(w->begin, predicted->groups);
    for (uint64_t i = 0; i < predicted->items; i++) {
        if (predicted->group[i] != CDP_NO_LABEL && truth->group[i] != CDP_NO_LABEL)
            w->item[w->begin[predicted->group[i] + 1]++] = (uint32_t)i;
    }
}

// Adds all clusters, measured against the class sizes in w->in_class.
static void add_clusters(struct sums *s, struct work *w, uint32_t clusters,
                         const struct cdp_labels *truth)
{
    for (uint32_t c = 0; c < clusters; c++) {
        uint64_t size = w->begin[c + 1] - w->begin[c];
        uint32_t touched = 0;
        if (!size)
            continue; // no item has a known label
        for (uint64_t e = w->begin[c]; e < w->begin[c + 1]; e++) {
            uint32_t class = truth->group[w->item[e]];
            if (w->cell[class]++ == 0)
                w->touched[touched++] = class;
        }
        add_cluster(s, size);
        for (uint32_t t = 0; t < touched; t++) {
            uint32_t class = w->touched[t];
            add_cell(s, w->cell[class], size, w->in_class[class]);
            w->cell[class] = 0;
        }
    }
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int describe_sizes(const struct work *w, uint32_t clusters, struct cdp_eval *result,
                          struct cdp_err *err)
{
    static const double quantile[CDP_QUANTILES] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
    uint64_t *size = cdp_alloc(clusters, sizeof *size, "cluster sizes", err);
    if (!size)
        return -1;
    uint64_t count = 0; // clusters with an item of known label
    for (uint32_t c = 0; c < clusters; c++) {
        size[count] = w->begin[c + 1] - w->begin[c];
        result->singletons += size[count] == 1;
        count += size[count] > 0;
    }
    result->clusters = count;
    result->mean_size = cdp_ratio((double)w->begin[clusters], (double)count);
    qsort(size, count, sizeof *size, ascending);
    for (int q = 0; count && q < CDP_QUANTILES; q++) {
        double rank = ceil(quantile[q] * (double)count);
        result->size_quantile[q] = size[rank < 1 ? 0 : (uint64_t)rank - 1];
    }
    free(size);
    return 0;
}

int cdp_eval(const struct cdp_labels *predicted, const struct cdp_labels *truth,
             struct cdp_eval *result, struct cdp_err *err)
{
    uint32_t clusters = predicted->groups, classes = truth->groups;
    struct work w = {0};
    struct sums removed = {0}, kept = {0};
    int status = -1;
    memset(result, 0, sizeof *result);
    w.begin = cdp_zalloc((size_t)clusters + 2, sizeof *w.begin, "clusters", err);
    w.item = cdp_alloc(predicted->items, sizeof *w.item, "items", err);
    w.in_class = cdp_zalloc(classes, sizeof *w.in_class, "classes", err);
    w.cell = cdp_zalloc(classes, sizeof *w.cell, "classes", err);
    w.touched = cdp_alloc(classes, sizeof *w.touched, "classes", err);
    if (!w.begin || !w.item || !w.in_class || !w.cell || !w.touched)
        goto end;
    sort_items(&w, predicted, truth);
    result->items = truth->items - cdp_labels_none(truth);
    result->discarded = result->items - w.begin[clusters];
    if (describe_sizes(&w, clusters, result, err))
        goto end;

    for (uint64_t i = 0; i < truth->items; i++) {
        if (truth->group[i] != CDP_NO_LABEL && predicted->group[i] != CDP_NO_LABEL)
            w.in_class[truth->group[i]]++;
    }
    add_classes(&removed, w.in_class, classes);
    add_clusters(&removed, &w, clusters, truth);
    result->removed = measures(&removed);

    for (uint64_t i = 0; i < truth->items; i++) {
        if (truth->group[i] != CDP_NO_LABEL && predicted->group[i] == CDP_NO_LABEL)
            w.in_class[truth->group[i]]++;
    }
    add_classes(&kept, w.in_class, classes);
    add_clusters(&kept, &w, clusters, truth);
    for (uint64_t i = 0; i < truth->items; i++) {
        if (truth->group[i] != CDP_NO_LABEL && predicted->group[i] == CDP_NO_LABEL) {
            add_cluster(&kept, 1);
            add_cell(&kept, 1, 1, w.in_class[truth->group[i]]);
        }
    }
    result->kept = measures(&kept);
    status = 0;
end:
    free(w.begin);
    free(w.item);
    free(w.in_class);
    free(w.cell);
    free(w.touched);
    return status;
}

void cdp_count_pairs(const struct cdp_labels *truth, const uint64_t *i, const uint64_t *j,
                     size_t pairs, struct cdp_pair_counts *counts)
{
    for (size_t p = 0; p < pairs; p++) {
        uint32_t a = truth->group[i[p]], b = truth->group[j[p]];
        bool known = a != CDP_NO_LABEL && b != CDP_NO_LABEL;
        counts->known += known;
        counts->same += known && a == b;
    }
}
