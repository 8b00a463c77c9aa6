// SPDX-License-Identifier: MIT
// libcdp_baseline gives what cdp-baseline writes, for each method, of features, of lists, of both.
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/cdp.h"
#include "scratch.h"
#include "synth/synth.h"
#include "tap.h"

enum { ITEMS = 700, DIM = 16 };

static float features[ITEMS * DIM];
static uint32_t label[ITEMS];
static double tree[ITEMS - 1][4];
static struct libcdp_edges *lists;
static struct libcdp_err err;

static const struct libcdp_matrix matrix = {
    features, ITEMS, DIM, DIM * sizeof *features, sizeof *features, LIBCDP_F32};

static void make_data(void)
{
    static uint32_t truth[ITEMS];
    struct cdp_synth synth = cdp_synth_default;
    struct libcdp_knn_plan plan;
    synth.items = ITEMS;
    synth.identities = 30;
    synth.dim = DIM;
    cdp_synth_labels(&synth, truth);
    cdp_synth_rows(&synth, truth, 0, 0, ITEMS, 0, features);
    scratch_write("features.bin", features, sizeof features);
    libcdp_knn_init(&plan, sizeof plan);
    plan.k = 120;
    lists = libcdp_knn(&matrix, &plan, NULL, NULL, &err);
    if (!lists || libcdp_edges_write(lists, "lists.cdp", 1, NULL, &err))
        scratch_fail(err.text);
}

static struct libcdp_baseline_plan plan_of(const char *options)
{
    static const struct {
        const char *name;
        size_t offset;
        bool real;
    } members[] = {
#define COUNT(option, member) {option, offsetof(struct libcdp_baseline_plan, member), false}
#define REAL(option, member)                                        \
    {                                                               \
        option, offsetof(struct libcdp_baseline_plan, member), true \
    }
        COUNT("--clusters", clusters),
        COUNT("--neighbours", neighbours),
        COUNT("--min-samples", min_samples),
        COUNT("--min-cluster-size", min_cluster_size),
        COUNT("--starts", starts),
        COUNT("--batch", batch),
        COUNT("--rounds", rounds),
        COUNT("--partition", partition),
        COUNT("--seed", seed),
        REAL("--eps", eps),
        REAL("--similarity", similarity),
        REAL("--distance", distance),
        REAL("--threshold", threshold),
        REAL("--tolerance", tolerance),
    };
    struct libcdp_baseline_plan plan;
    char name[32], value[32];
    int length;
    libcdp_baseline_init(&plan, sizeof plan);
    for (; sscanf(options, " %31s %31s%n", name, value, &length) == 2; options += length) {
        if (!strcmp(name, "--select"))
            plan.select = !strcmp(value, "leaf") ? LIBCDP_LEAF : LIBCDP_EXCESS;
        else if (!strcmp(name, "--assign"))
            plan.assign = !strcmp(value, "cluster-qr") ? LIBCDP_CLUSTER_QR : LIBCDP_DISCRETIZE;
        else if (!strcmp(name, "--centres"))
            plan.centres = &matrix;
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            void *member = (char *)&plan + members[m].offset;
            if (strcmp(name, members[m].name))
                continue;
            if (members[m].real)
                *(double *)member = atof(value);
            else
                *(uint64_t *)member = strtoull(value, NULL, 10);
        }
    }
    plan.approximate = !strcmp(options, " --approximate");
    return plan;
}

// The tool's output in numbers; NULL if it fails.
static FILE *run_tool(const char *method, const char *options, bool with_matrix, bool with_lists)
{
    char command[4096];
    const char *bin = getenv("CDP_BIN");
    snprintf(command, sizeof command, "%s/cdp-baseline %s %s%s%s -q -o out 2>err",
             bin ? bin : "build/bin", method, options, with_lists ? " --knn lists.cdp" : "",
             with_matrix ? " --dim 16 features.bin" : "");
    return system(command) ? NULL : fopen("out", "r");
}

static void check_labels(const char *method, const char *options, bool with_matrix, bool with_lists)
{
    struct libcdp_baseline_plan plan = plan_of(options);
    long long wanted, most = -1;
    size_t same = 0;
    int64_t clusters = libcdp_baseline(method, with_matrix ? &matrix : NULL,
                                       with_lists ? lists : NULL, &plan, label, NULL, &err);
    FILE *tool = run_tool(method, options, with_matrix, with_lists);
    for (size_t i = 0; tool && i < ITEMS && fscanf(tool, "%lld", &wanted) == 1; i++) {
        same += wanted == (label[i] == LIBCDP_NONE ? -1 : (long long)label[i]);
        most = wanted > most ? wanted : most;
    }
    if (tool)
        fclose(tool);
    ok(tool ? same == ITEMS && clusters == most + 1 : clusters == -1, "%s %s:%s%s: %s", method,
       options, with_matrix ? " features" : "", with_lists ? " lists" : "",
       tool ? "labels" : "both fail");
    if (clusters < 0)
        printf("# %s\n", err.text);
}

static void check_tree(const char *method, const char *options, bool with_lists)
{
    char whole[256];
    struct libcdp_baseline_plan plan = plan_of(options);
    double wanted[4];
    size_t same = 0;
    snprintf(whole, sizeof whole, "%s --tree", options);
    int status =
        libcdp_baseline_tree(method, &matrix, with_lists ? lists : NULL, &plan, *tree, NULL, &err);
    FILE *tool = run_tool(method, whole, true, with_lists);
    for (size_t r = 0;
         tool && r < ITEMS - 1 &&
         fscanf(tool, "%lf %lf %lf %lf", &wanted[0], &wanted[1], &wanted[2], &wanted[3]) == 4;
         r++)
        same += wanted[0] == tree[r][0] && wanted[1] == tree[r][1] && wanted[3] == tree[r][3] &&
                fabs(wanted[2] - tree[r][2]) <= 1e-8 * wanted[2];
    if (tool)
        fclose(tool);
    ok(!status && same == ITEMS - 1, "%s %s: the tree%s", method, options,
       with_lists ? ", of lists" : "");
}

static void check_methods(void)
{
    static const struct {
        const char *method, *options;
        bool lists, alone; // it takes them, also without features
    } cases[] = {
        {"chinese-whispers", "", true, true},
        {"chinese-whispers", "--neighbours 40 --similarity 0.3 --rounds 3 --seed 9", true, true},
        {"dbscan", "", true, true},
        {"dbscan", "--eps 0.6 --min-samples 4", true, true},
        {"finch", "", true, false},
        {"finch", "--partition 2", true, false},
        {"finch", "--partition 20", true, false},
        {"hdbscan", "", true, false},
        {"hdbscan", "--min-cluster-size 5 --min-samples 1 --select leaf", true, false},
        {"hdbscan", "--min-samples 3 --approximate", true, false},
        {"kmeans", "--clusters 25", false, false},
        {"kmeans", "--clusters 25 --tolerance 0.1 --starts 3 --seed 0", false, false},
        {"kmeans", "--clusters 700 --centres features.bin", false, false},
        {"kmeans", "--clusters 2000", false, false},
        {"knn-dbscan", "", true, true},
        {"knn-dbscan", "--neighbours 30 --similarity 0.5 --eps 0.4 --min-samples 3", true, true},
        {"minibatch", "--clusters 25", false, false},
        {"minibatch", "--clusters 25 --batch 100 --starts 2 --seed 5", false, false},
        {"rank-order", "", true, true},
        {"rank-order", "--neighbours 30 --threshold 2", true, true},
        {"single", "", true, true},
        {"single", "--distance 0.4", true, true},
        {"spectral", "--clusters 25", true, true},
        {"spectral", "--clusters 25 --neighbours 20 --assign cluster-qr", true, true},
        {"ward", "--clusters 25", true, false},
        {"ward", "--clusters 25 --neighbours 5", true, false},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        check_labels(cases[c].method, cases[c].options, true, false);
        if (cases[c].lists)
            check_labels(cases[c].method, cases[c].options, true, true);
        if (cases[c].alone)
            check_labels(cases[c].method, cases[c].options, false, true);
    }
    for (int with_lists = 0; with_lists < 2; with_lists++) {
        check_tree("single", "", with_lists);
        check_tree("hdbscan", "--min-samples 4", with_lists);
        check_tree("hdbscan", "--min-samples 4 --approximate", with_lists);
        check_tree("ward", "", with_lists);
        check_tree("ward", "--neighbours 5", with_lists);
    }
}

static void fails(const char *method, const struct libcdp_matrix *m, const struct libcdp_edges *e,
                  const struct libcdp_baseline_plan *plan, const char *wanted)
{
    int64_t clusters = libcdp_baseline(method, m, e, plan, label, NULL, &err);
    is_text(clusters == -1 ? err.text : "no error", wanted, wanted);
}

static void check_errors(void)
{
    struct libcdp_baseline_plan plan = plan_of(""), other = plan_of("--clusters 3");
    struct libcdp_knn_plan once;
    struct libcdp_matrix small = matrix;
    struct libcdp_edges *edges;
    fails("kmean", &matrix, NULL, &plan,
          "method 'kmean': the methods are chinese-whispers, dbscan, finch, hdbscan, kmeans, "
          "knn-dbscan, minibatch, rank-order, single, spectral, ward");
    fails("kmeans", &matrix, NULL, &plan, "kmeans: clusters is 0: it is from 1 to 4294967294");
    fails("kmeans", &matrix, lists, &other, "kmeans takes no lists");
    fails("ward", &matrix, NULL, &plan, "ward: the number of clusters is missing");
    fails("ward", NULL, lists, &other, "ward: a matrix is needed");
    fails("dbscan", NULL, NULL, &plan, "dbscan: a matrix is needed, or lists");
    other.centres = &matrix;
    fails("kmeans", &matrix, NULL, &other,
          "centres of 700 x 16 numbers: 3 clusters of these rows want 3 x 16");
    plan.eps = -1;
    fails("dbscan", &matrix, NULL, &plan, "dbscan: eps is -1: it is from 0 to 1000000000");
    plan.eps = INFINITY;
    fails("dbscan", &matrix, NULL, &plan, "dbscan: eps is inf: it is from 0 to 1000000000");
    plan.select = 2;
    fails("hdbscan", &matrix, NULL, &plan, "hdbscan: select 2: from 0 to 1 are possible");
    small.rows = 500;
    fails("rank-order", &small, lists, &plan,
          "the lists: lists of 700 items, but the matrix has 500 rows");
    libcdp_knn_init(&once, sizeof once);
    once.copies = LIBCDP_COPIES_ONCE;
    edges = libcdp_knn(&matrix, &once, NULL, NULL, &err);
    fails("rank-order", NULL, edges, &plan,
          "the lists: copies of a row are listed once: list them all");
    libcdp_edges_free(edges);
    ok(libcdp_baseline_tree("finch", &matrix, NULL, &plan, *tree, NULL, &err) == -1 &&
           !strcmp(err.text, "finch has no merge tree: hdbscan, single and ward have one"),
       "a tree of a method without one");
    plan.size--;
    ok(libcdp_baseline("single", &matrix, NULL, &plan, label, NULL, &err) >= 0,
       "a plan of fewer members");
    plan.size += 2;
    ok(libcdp_baseline("single", &matrix, NULL, &plan, label, NULL, NULL) == -1,
       "a plan of more members");
}

// What a shell command writes to stream.cdp, with the tools.
static struct libcdp_edges *edges_of(const char *command)
{
    char whole[4096];
    const char *bin = getenv("CDP_BIN");
    snprintf(whole, sizeof whole, "PATH=%s:$PATH; %s", bin ? bin : "build/bin", command);
    struct libcdp_edges *edges = system(whole) ? NULL : libcdp_edges_read("stream.cdp", NULL, &err);
    if (!edges)
        scratch_fail(command);
    return edges;
}

// Lists of streams: distances that are 0 but for rounding, those below, copies listed once.
static void check_streams(void)
{
    struct libcdp_baseline_plan plan = plan_of("");
    struct libcdp_edges *edges = edges_of("printf '0\\t1\\t-1e-7\\n1\\t0\\t-1e-7\\n2\\t0\\t1\\n' |"
                                          " cdp-view --from tsv --type knn -o stream.cdp -");
    int64_t clusters = libcdp_baseline("single", NULL, edges, &plan, label, NULL, &err);
    ok(clusters == 2 && label[0] == 0 && label[1] == 0 && label[2] == 1,
       "a distance that is 0 but for rounding");
    libcdp_edges_free(edges);
    edges = edges_of("printf '0\\t1\\t-0.5\\n1\\t0\\t-0.5\\n' |"
                     " cdp-view --from tsv --type knn -o stream.cdp -");
    fails("single", NULL, edges, &plan,
          "the lists: the smallest distance is -0.5: distances are at least 0");
    libcdp_edges_free(edges);
    edges = edges_of("cdp-knn -q -k 5 --copies once --dim 16 -o stream.cdp features.bin");
    fails("rank-order", NULL, edges, &plan,
          "the lists: copies of a row are listed once: write lists by cdp-knn --copies list");
    libcdp_edges_free(edges);
}

int main(void)
{
    scratch_enter();
    make_data();
    check_methods();
    check_errors();
    check_streams();
    libcdp_edges_free(lists);
    static const char *const files[] = {"features.bin", "lists.cdp", "stream.cdp", "out", "err"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        remove(files[f]);
    scratch_leave();
    return done();
}
