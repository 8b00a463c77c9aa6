// SPDX-License-Identifier: MIT
// A path has the same weight in both directions, so each item gathers what others spread to it, and
// threads share nothing.
#include "propagate/soft.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

enum { DEPTH = 5, BATCH = 1024 };
static const double DECAY = 0.6;

// A thread's memory.
struct walk {
    uint8_t *depth;   // of each item that was reached, the first being 1; else 0
    double *weight;   // of those
    uint32_t *queue;  // items in the order in which they were reached
    double *of_label; // sums, else 0
    uint32_t *label;  // that have one
};

// An item's shares until they are handed on.
struct gathered {
    struct cdp_share *share;
    size_t shares, room;
};

static void free_walks(struct walk *walk, int threads)
{
    for (int t = 0; walk && t < threads; t++) {
        free(walk[t].depth);
        free(walk[t].weight);
        free(walk[t].queue);
        free(walk[t].of_label);
        free(walk[t].label);
    }
    free(walk);
}

static struct walk *new_walks(uint64_t items, uint32_t clusters, int threads, struct cdp_err *err)
{
    struct walk *walk = cdp_zalloc((size_t)threads, sizeof *walk, "threads", err);
    for (int t = 0; walk && t < threads; t++) {
        struct walk *w = &walk[t];
        w->depth = cdp_zalloc(items, sizeof *w->depth, "weights", err);
        w->weight = cdp_alloc(items, sizeof *w->weight, "weights", err);
        w->queue = cdp_alloc(items, sizeof *w->queue, "weights", err);
        w->of_label = cdp_zalloc(clusters, sizeof *w->of_label, "weights", err);
        w->label = cdp_alloc(clusters, sizeof *w->label, "weights", err);
        if (!w->depth || !w->weight || !w->queue || !w->of_label || !w->label) {
            free_walks(walk, threads);
            return NULL;
        }
    }
    return walk;
}

// Marks the items of components of more than max_size items.
static uint8_t *mark_cut(const struct cdp_graph *g, uint64_t max_size, struct cdp_err *err)
{
    uint8_t *cut = cdp_zalloc(g->items, 1, "components", err);
    uint8_t *seen = cdp_zalloc(g->items, 1, "components", err);
    uint32_t *queue = cdp_alloc(g->items, sizeof *queue, "components", err);
    if (!cut || !seen || !queue) {
        free(cut);
        cut = NULL;
    }
    for (uint64_t start = 0; cut && start < g->items; start++) {
        uint64_t found = 0;
        if (!seen[start])
            queue[found++] = (uint32_t)start;
        seen[start] = 1;
        for (uint64_t at = 0; at < found; at++) {
            for (uint64_t e = g->offset[queue[at]]; e < g->offset[queue[at] + 1U]; e++) {
                if (!seen[g->partner[e].item])
                    queue[found++] = g->partner[e].item;
                seen[g->partner[e].item] = 1;
            }
        }
        for (uint64_t at = 0; found > max_size && at < found; at++)
            cut[queue[at]] = 1;
    }
    free(seen);
    free(queue);
    return cut;
}

static int heavier(const void *a, const void *b)
{
    const struct cdp_share *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

// Finds all items within DEPTH steps of the start; returns their number.
static uint64_t walk_from(const struct cdp_graph *g, struct walk *w, uint32_t start)
{
    uint64_t found = 1;
    w->queue[0] = start;
    w->depth[start] = 1;
    w->weight[start] = 1;
    for (uint64_t at = 0; at < found && w->depth[w->queue[at]] <= DEPTH; at++) {
        uint32_t item = w->queue[at];
        uint8_t next = (uint8_t)(w->depth[item] + 1);
        for (uint64_t e = g->offset[item]; e < g->offset[item + 1U]; e++) {
            uint32_t other = g->partner[e].item;
            double weight = w->weight[item] * DECAY * (double)g->partner[e].score;
            if (!(weight > 0))
                continue;
            if (!w->depth[other]) {
                w->depth[other] = next;
                w->weight[other] = weight;
                w->queue[found++] = other;
            } else if (w->depth[other] == next && weight > w->weight[other]) {
                w->weight[other] = weight;
            }
        }
    }
    return found;
}

static int gather(const struct cdp_graph *g, const struct cdp_clusters *c, struct walk *w,
                  uint32_t item, struct gathered *out, struct cdp_err *err)
{
    uint64_t found = walk_from(g, w, item);
    uint32_t labels = 0;
    double sum = 0;
    for (uint64_t at = 0; at < found; at++) {
        uint32_t other = w->queue[at], label = c->label[other];
        w->depth[other] = 0;
        if (label == CDP_NO_LABEL)
            continue;
        if (!(w->of_label[label] > 0))
            w->label[labels++] = label;
        w->of_label[label] += w->weight[other];
        sum += w->weight[other];
    }
    out->shares = labels;
    int status = cdp_grow(&out->share, &out->room, labels, sizeof *out->share, "shares", err);
    for (uint32_t l = 0; l < labels; l++) {
        uint32_t label = w->label[l];
        if (!status)
            out->share[l] = (struct cdp_share){label, w->of_label[label] / sum};
        w->of_label[label] = 0;
    }
    if (!status)
        qsort(out->share, labels, sizeof *out->share, heavier);
    return status;
}

// The shares of items first .. last - 1.
static int gather_batch(const struct cdp_graph *g, const struct cdp_clusters *c, struct walk *walk,
                        const uint8_t *cut, uint64_t first, uint64_t last,
                        struct gathered *gathered, int threads, struct cdp_err *err)
{
    int status = 0;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (uint64_t i = first; i < last; i++) {
        struct gathered *out = &gathered[i - first];
        struct cdp_err why;
        int failed;
        if (cut[i]) {
            failed = gather(g, c, &walk[cdp_thread()], (uint32_t)i, out, &why);
        } else {
            out->shares = c->label[i] != CDP_NO_LABEL;
            failed = cdp_grow(&out->share, &out->room, 1, sizeof *out->share, "shares", &why);
            if (!failed)
                out->share[0] = (struct cdp_share){c->label[i], 1};
        }
        if (failed) {
#pragma omp critical
            {
                *err = why;
                status = -1;
            }
        }
    }
    return status;
}

int cdp_soft(const struct cdp_graph *g, const struct cdp_clusters *c, uint64_t max_size,
             cdp_share_sink *sink, void *context, int threads, struct cdp_progress *progress,
             struct cdp_err *err)
{
    threads = cdp_threads(threads);
    struct gathered *gathered = cdp_zalloc(BATCH, sizeof *gathered, "shares", err);
    struct walk *walk = new_walks(g->items, c->clusters, threads, err);
    uint8_t *cut = mark_cut(g, max_size, err);
    int status = gathered && walk && cut ? 0 : -1;
    cdp_progress_start(progress, "soft labels", "items", g->items);
    for (uint64_t first = 0; !status && first < g->items; first += BATCH) {
        uint64_t last = g->items - first < BATCH ? g->items : first + BATCH;
        status = gather_batch(g, c, walk, cut, first, last, gathered, threads, err);
        for (uint64_t i = first; !status && i < last; i++)
            status = sink(context, i, gathered[i - first].share, gathered[i - first].shares, err);
        cdp_progress_add(progress, last - first);
    }
    for (int i = 0; gathered && i < BATCH; i++)
        free(gathered[i].share);
    free(gathered);
    free_walks(walk, threads);
    free(cut);
    return status;
}
