// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "eval/commands.h"
#include "text.h"

// ---- json and tsv: metrics with dotted names, "pairwise.kept.recall"; json nests by the dots

enum { MAX_METRICS = 64 };

struct metrics {
    int count;
    struct metric {
        const char *name;
        double value; // NaN = undefined
    } metric[MAX_METRICS];
};

static void add(struct metrics *m, const char *name, double value)
{
    m->metric[m->count++] = (struct metric){name, value};
}

// The length of the first `depth` parts of a dotted name.
static size_t path_length(const char *name, int depth)
{
    const char *at = name;
    for (int d = 0; d < depth && *at; d++)
        at += strcspn(at + (d > 0), ".") + (d > 0);
    return (size_t)(at - name);
}

static int path_depth(const char *name)
{
    int depth = 1;
    for (; *name; name++)
        depth += *name == '.';
    return depth;
}

// How many objects two adjacent metrics are both in.
static int shared_depth(const char *a, const char *b)
{
    int depth = 0;
    while (depth + 1 < path_depth(a) && depth + 1 < path_depth(b)) {
        size_t length = path_length(a, depth + 1);
        if (length != path_length(b, depth + 1) || memcmp(a, b, length))
            break;
        depth++;
    }
    return depth;
}

static void print_number(FILE *file, double value, const char *undefined)
{
    if (isnan(value))
        fputs(undefined, file);
    else
        fprintf(file, "%.17g", value);
}

static void close_objects(FILE *file, int count)
{
    for (; count > 0; count--)
        fputc('}', file);
}

static void print_json(FILE *file, const struct metrics *m)
{
    int open = 0;
    fputc('{', file);
    for (int i = 0; i < m->count; i++) {
        const char *name = m->metric[i].name, *last = strrchr(name, '.');
        int depth = path_depth(name) - 1;
        int shared = i ? shared_depth(m->metric[i - 1].name, name) : 0;
        close_objects(file, open - shared);
        if (i)
            fputs(", ", file);
        for (open = shared; open < depth; open++) {
            const char *part = name + path_length(name, open) + (open > 0);
            fprintf(file, "\"%.*s\": {", (int)strcspn(part, "."), part);
        }
        fprintf(file, "\"%s\": ", last ? last + 1 : name);
        print_number(file, m->metric[i].value, "null");
    }
    close_objects(file, open);
    fputs("}\n", file);
}

static void print_tsv(FILE *file, const struct metrics *m)
{
    for (int i = 0; i < m->count; i++) {
        fprintf(file, "%s\t", m->metric[i].name);
        print_number(file, m->metric[i].value, "nan");
        fputc('\n', file);
    }
}

static void print_metrics(FILE *file, const struct metrics *m)
{
    if (eval_format == EVAL_JSON)
        print_json(file, m);
    else
        print_tsv(file, m);
}

// ---- clusters

static double percent(double share)
{
    return 100 * share;
}

static void collect(struct metrics *m, const struct cdp_eval *e)
{
    const struct cdp_scores *k = &e->kept, *r = &e->removed;
    add(m, "pairwise.kept.precision", percent(k->pairwise.precision));
    add(m, "pairwise.kept.recall", percent(k->pairwise.recall));
    add(m, "pairwise.kept.fscore", percent(k->pairwise.fscore));
    add(m, "pairwise.removed.precision", percent(r->pairwise.precision));
    add(m, "pairwise.removed.recall", percent(r->pairwise.recall));
    add(m, "pairwise.removed.fscore", percent(r->pairwise.fscore));
    add(m, "bcubed.kept.precision", percent(k->bcubed.precision));
    add(m, "bcubed.kept.recall", percent(k->bcubed.recall));
    add(m, "bcubed.kept.fscore", percent(k->bcubed.fscore));
    add(m, "bcubed.removed.precision", percent(r->bcubed.precision));
    add(m, "bcubed.removed.recall", percent(r->bcubed.recall));
    add(m, "bcubed.removed.fscore", percent(r->bcubed.fscore));
    add(m, "nmi.kept", percent(k->vmeasure));
    add(m, "nmi.removed", percent(r->vmeasure));
    add(m, "ari.kept", percent(k->ari));
    add(m, "ari.removed", percent(r->ari));
    add(m, "vmeasure.kept.homogeneity", percent(k->homogeneity));
    add(m, "vmeasure.kept.completeness", percent(k->completeness));
    add(m, "vmeasure.kept.v", percent(k->vmeasure));
    add(m, "vmeasure.removed.homogeneity", percent(r->homogeneity));
    add(m, "vmeasure.removed.completeness", percent(r->completeness));
    add(m, "vmeasure.removed.v", percent(r->vmeasure));
    add(m, "items", (double)e->items);
    add(m, "items_kept", (double)(e->items - e->discarded));
    add(m, "discarded", (double)e->discarded);
    add(m, "discard_ratio", (double)e->discarded / (double)e->items);
    add(m, "classes", (double)e->kept.classes);
    add(m, "clusters", (double)e->clusters);
    add(m, "singletons", (double)e->singletons);
    add(m, "mean_size", e->mean_size);
    static const char *const names[CDP_QUANTILES] = {"size.min", "size.p10", "size.p25", "size.p50",
                                                     "size.p75", "size.p90", "size.max"};
    for (int q = 0; q < CDP_QUANTILES; q++)
        add(m, names[q], e->clusters ? (double)e->size_quantile[q] : NAN);
}

// Two decimals, or a dash for an undefined value.
static const char *cell(double value, char text[32])
{
    if (isnan(value))
        return "-";
    snprintf(text, 32, "%.2f", value);
    return text;
}

static void print_row(FILE *file, const char *name, const struct cdp_prf *removed,
                      const struct cdp_prf *kept)
{
    char text[6][32];
    fprintf(file, "%-10s%9s %9s %9s    %9s %9s %9s\n", name,
            cell(percent(removed->precision), text[0]), cell(percent(removed->recall), text[1]),
            cell(percent(removed->fscore), text[2]), cell(percent(kept->precision), text[3]),
            cell(percent(kept->recall), text[4]), cell(percent(kept->fscore), text[5]));
}

static void print_text(FILE *file, const struct cdp_eval *e)
{
    const struct cdp_scores *k = &e->kept, *r = &e->removed;
    struct cdp_prf kept_v = {k->homogeneity, k->completeness, k->vmeasure};
    struct cdp_prf removed_v = {r->homogeneity, r->completeness, r->vmeasure};
    char text[2][32];
    fprintf(file, "%-10s%-29s    %s\n", "", "singular removed", "singular kept");
    fprintf(file, "%-10s%9s %9s %9s    %9s %9s %9s\n", "", "precision", "recall", "F", "precision",
            "recall", "F");
    print_row(file, "pairwise", &r->pairwise, &k->pairwise);
    print_row(file, "BCubed", &r->bcubed, &k->bcubed);
    print_row(file, "V-measure", &removed_v, &kept_v);
    fprintf(file, "%-10s%29s    %29s\n", "ARI", cell(percent(r->ari), text[0]),
            cell(percent(k->ari), text[1]));
    fprintf(file, "%-10s%29s    %29s\n\n", "NMI", cell(percent(r->vmeasure), text[0]),
            cell(percent(k->vmeasure), text[1]));
    fprintf(file,
            "items     %" PRIu64 ", in clusters %" PRIu64 ", discarded %" PRIu64 " (ratio %.4f)\n",
            e->items, e->items - e->discarded, e->discarded,
            (double)e->discarded / (double)e->items);
    fprintf(file,
            "classes   %" PRIu64 "\nclusters  %" PRIu64 ", of one item %" PRIu64
            ", mean size %s\nsizes    ",
            k->classes, e->clusters, e->singletons, cell(e->mean_size, text[0]));
    for (int q = 0; q < CDP_QUANTILES; q++)
        fprintf(file, "%s %s %" PRIu64, q ? "," : "", cdp_quantile_names[q], e->size_quantile[q]);
    fputc('\n', file);
}

void print_clusters(struct cdp_output *output, const struct cdp_eval *result)
{
    struct text text;
    struct metrics metrics = {0};
    text_open(&text);
    if (eval_format == EVAL_TEXT) {
        print_text(text.file, result);
    } else {
        collect(&metrics, result);
        print_metrics(text.file, &metrics);
    }
    text_write(&text, output);
}

// ---- pairs

void print_pairs(struct cdp_output *output, const struct cdp_pair_counts *counts)
{
    struct text text;
    double accuracy = counts->known ? (double)counts->same / (double)counts->known : NAN;
    text_open(&text);
    if (eval_format == EVAL_TEXT) {
        char digits[32];
        fprintf(text.file, "pairs %" PRIu64 ", true %" PRIu64 ", accuracy %s\n", counts->known,
                counts->same, cell(percent(accuracy), digits));
    } else {
        struct metrics metrics = {0};
        add(&metrics, "pairs", (double)counts->known);
        add(&metrics, "true_pairs", (double)counts->same);
        add(&metrics, "pair_accuracy", accuracy);
        print_metrics(text.file, &metrics);
    }
    text_write(&text, output);
}
