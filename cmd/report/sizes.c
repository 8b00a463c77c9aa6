// SPDX-License-Identifier: MIT
#include <math.h>

#include "base/prf.h"
#include "report/report.h"

// Sizes of clusters, in bins of 1, 2 to 3, 4 to 7, ...

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
