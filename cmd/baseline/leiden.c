// SPDX-License-Identifier: MIT
#include "baseline/commands.h"

enum { CPM, MODULARITY, MOST_ITERATIONS = 100 };

#ifdef CDP_IGRAPH
#include <igraph.h>
#include <math.h>

static void check(igraph_error_t error)
{
    if (error != IGRAPH_SUCCESS)
        tool_fail("igraph: %s", igraph_strerror(error));
}

// Each link once: its ends and its weight.
static void add_links(const struct cdp_links *links, igraph_vector_int_t *ends,
                      igraph_vector_t *weight)
{
    for (uint64_t i = 0; i < links->items; i++) {
        for (uint64_t e = links->begin[i]; e < links->begin[i + 1]; e++) {
            if (links->target[e] < i)
                continue;
            check(igraph_vector_int_push_back(ends, (igraph_integer_t)i));
            check(igraph_vector_int_push_back(ends, (igraph_integer_t)links->target[e]));
            check(igraph_vector_push_back(weight, (igraph_real_t)links->weight[e]));
        }
    }
}

// With weights w of links, k of items (sums of their links) and m of all links, modularity is the
// sum over clusters of w - k k R / 2m, the constant Potts model of w - R.
static double set_items(const struct cdp_links *links, igraph_vector_t *item)
{
    double all = 0, factor = plan.resolution >= 0         ? plan.resolution
                             : plan.quality == MODULARITY ? 1
                                                          : 0.1;
    for (uint64_t i = 0; i < links->items; i++) {
        double own = 0;
        for (uint64_t e = links->begin[i]; e < links->begin[i + 1]; e++)
            own += (double)links->weight[e];
        VECTOR(*item)[i] = plan.quality == MODULARITY ? own : 1;
        all += own;
    }
    return plan.quality == MODULARITY && all > 0 ? factor / all : factor;
}

static void cluster(const struct cdp_links *links, uint32_t *label)
{
    static const double RANDOMNESS = 0.01; // of the refinement; the value of the paper
    igraph_t graph;
    igraph_vector_int_t ends, member;
    igraph_vector_t weight, item;
    igraph_set_error_handler(igraph_error_handler_ignore);
    check(igraph_vector_int_init(&ends, 0));
    check(igraph_vector_int_init(&member, 0));
    check(igraph_vector_init(&weight, 0));
    check(igraph_vector_init(&item, (igraph_integer_t)links->items));
    add_links(links, &ends, &weight);
    check(igraph_create(&graph, &ends, (igraph_integer_t)links->items, IGRAPH_UNDIRECTED));
    igraph_vector_int_destroy(&ends);
    check(igraph_rng_seed(igraph_rng_default(), plan.seed));
    double factor = set_items(links, &item);
    // igraph's own loop until nothing changes may not end, so this one ends when the quality does
    // not become better.
    double before = -INFINITY, now = 0;
    for (int i = 0; i < MOST_ITERATIONS && now > before; i++) {
        before = i > 0 ? now : before;
        check(igraph_community_leiden(&graph, &weight, &item, factor, RANDOMNESS, i > 0, 1, &member,
                                      NULL, &now));
    }
    for (uint64_t i = 0; i < links->items; i++)
        label[i] = (uint32_t)VECTOR(member)[i];
    igraph_vector_int_destroy(&member);
    igraph_vector_destroy(&weight);
    igraph_vector_destroy(&item);
    igraph_destroy(&graph);
}
#else
static void cluster(const struct cdp_links *links, uint32_t *label)
{
    (void)links;
    (void)label;
}
#endif

static void run(const struct cdp_method *method, const char *input)
{
    struct job job;
    struct cdp_links links;
    struct cdp_err err;
#ifndef CDP_IGRAPH
    tool_fail("built without igraph, which leiden needs: install it (Debian: libigraph-dev) and "
              "build again after make clean");
#endif
    job_open(&job, method, input);
    tool_check(cdp_baseline_links(&links, &plan, &job.data, &err), &err);
    job_labels(&job);
    cluster(&links, job.result.label);
    cdp_links_free(&links);
    int64_t clusters = cdp_result_number(job.result.label, job.data.items, &err);
    tool_check(clusters < 0 ? -1 : 0, &err);
    job.result.clusters = (uint64_t)clusters;
    job_write_labels(&job);
    job_finish(&job);
}

const struct command leiden_command = {
    {.name = "cdp-baseline leiden",
     .summary = "Leiden's method on the graph of similar neighbours, by igraph",
     .synopsis = "[OPTION]... [FEATURES]",
     .example = "cdp-baseline leiden --resolution 0.2 --dim 256 m0.bin >labels.txt\n"},
    run,
};
