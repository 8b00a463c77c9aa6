// SPDX-License-Identifier: MIT
#include "baseline/spectral.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "baseline/eigenpairs.h"
#include "baseline/laplacian.h"
#include "baseline/spectrum.h"

struct component {
    struct cdp_eigenpairs pairs;
    uint64_t chosen; // eigenvectors that are among the C of all components
};

struct spectral {
    struct cdp_laplacian laplacian;
    struct component *component;
    uint64_t components;
    int threads;
    struct cdp_progress *progress;
};

// An eigenvalue of the Laplacian.
struct level {
    double value;
    uint64_t items, component; // of the component
    uint64_t index;            // among those of the component
};

static int by_level(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (x->items != y->items)
        return x->items > y->items ? -1 : 1;
    if (x->component != y->component)
        return x->component < y->component ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int solve(const struct spectral *s, struct cdp_eigenpairs *pairs, struct cdp_err *err)
{
    return cdp_eigenpairs_find(pairs, &s->laplacian, s->threads, s->progress, err);
}

// Solves the components that are dense for any number of wanted eigenvalues, and those of which
// only the first is wanted.
static int solve_small(struct spectral *s, bool first_only, struct cdp_err *err)
{
    for (uint64_t i = 0; i < s->components; i++) {
        struct cdp_eigenpairs *c = &s->component[i].pairs;
        if (!first_only && c->places.items > CDP_EIGENPAIRS_DENSE)
            continue;
        c->wanted = first_only ? 1 : c->places.items;
        if (!first_only && solve(s, c, err))
            return -1;
    }
    return 0;
}

// For the components that are not solved: how many eigenvalues are wanted, so that with those of
// the others there are likely `count` below a common limit, and 5 % and 8 more to iterate with.
static int plan_blocks(struct spectral *s, uint64_t count, struct cdp_err *err)
{
    struct cdp_spectrum_grid grid;
    cdp_spectrum_grid_init(&grid);
    struct cdp_spectrum *spectrum = cdp_alloc(s->components, sizeof *spectrum, "spectra", err);
    if (!spectrum)
        return -1;
    for (uint64_t i = 0; i < s->components; i++) {
        if (s->component[i].pairs.places.items > CDP_EIGENPAIRS_DENSE &&
            cdp_spectrum_new(&spectrum[i], &s->laplacian, s->component[i].pairs.places, s->threads,
                             s->progress, err)) {
            free(spectrum);
            return -1;
        }
    }
    double below = 0;
    int limit = 0;
    while (limit + 1 < CDP_SPECTRUM_GRID && below < (double)count) {
        below = 0;
        limit++;
        for (uint64_t i = 0; i < s->components; i++) {
            const struct cdp_eigenpairs *c = &s->component[i].pairs;
            for (uint64_t j = 0; c->value && j < c->places.items; j++)
                below += c->value[j] > cdp_spectrum_value(&grid, limit);
            if (!c->value)
                below += fmax(1, cdp_spectrum_count(&spectrum[i], &grid, limit));
        }
    }
    for (uint64_t i = 0; i < s->components; i++) {
        struct cdp_eigenpairs *c = &s->component[i].pairs;
        if (c->value)
            continue;
        double own = fmax(1, cdp_spectrum_count(&spectrum[i], &grid, limit));
        uint64_t most = count - s->components + 1; // each other one has the eigenvalue 0
        most = most < c->places.items ? most : c->places.items;
        c->wanted = (uint64_t)(own * 1.1) + 4;
        c->wanted = c->wanted < most ? c->wanted : most;
        c->block = c->wanted + c->wanted / 20 + 8;
        int cut = 1;
        while (cut + 1 < CDP_SPECTRUM_GRID &&
               cdp_spectrum_count(&spectrum[i], &grid, cut) < (double)c->block)
            cut++;
        c->cut = 1 - cdp_spectrum_value(&grid, cut);
    }
    free(spectrum);
    return 0;
}

// Sets level[] to the eigenvalues that are known, ascending, and returns their number.
static uint64_t collect(const struct spectral *s, struct level *level)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < s->components; i++) {
        const struct cdp_eigenpairs *c = &s->component[i].pairs;
        for (uint64_t j = 0; j < c->wanted; j++)
            level[count++] =
                (struct level){j > 0 ? fmax(0, 1 - c->value[j]) : 0, c->places.items, i, j};
    }
    qsort(level, count, sizeof *level, by_level);
    return count;
}

// Solves components until the `count` smallest eigenvalues of all are known. *level, which the
// caller frees, is set to the known ones, ascending, of which there are at least `count`.
static int find_eigenvalues(struct spectral *s, uint64_t count, struct level **level,
                            struct cdp_err *err)
{
    bool first_only = s->components >= count;
    if (solve_small(s, first_only, err) || (!first_only && plan_blocks(s, count, err)))
        return -1;
    for (uint64_t i = 0; i < s->components && !first_only; i++) {
        if (!s->component[i].pairs.value && solve(s, &s->component[i].pairs, err))
            return -1;
    }
    for (bool again = true; again;) {
        uint64_t known = 0;
        for (uint64_t i = 0; i < s->components; i++)
            known += s->component[i].pairs.wanted;
        free(*level);
        *level = cdp_alloc(known, sizeof **level, "eigenvalues", err);
        if (!*level)
            return -1;
        collect(s, *level);
        // a component whose last known eigenvalue is among these may have more of them
        again = false;
        double limit = known > count ? (*level)[count - 1].value : INFINITY;
        for (uint64_t i = 0; i < s->components && !first_only; i++) {
            struct cdp_eigenpairs *c = &s->component[i].pairs;
            if (c->wanted == c->places.items || 1 - c->value[c->wanted - 1] >= limit ||
                c->wanted >= count - s->components + 1)
                continue;
            again = true;
            c->wanted =
                c->wanted * 3 / 2 + 8 < c->places.items ? c->wanted * 3 / 2 + 8 : c->places.items;
            c->block = c->wanted + c->wanted / 20 + 8;
            if (solve(s, c, err))
                return -1;
        }
    }
    return 0;
}

// Makes clusters of each component's chosen eigenvectors; labels by place.
static int assign(struct spectral *s, enum cdp_assign how, uint32_t *label, struct cdp_err *err)
{
    uint32_t clusters = 0, largest = 0;
    uint64_t items = 0;
    for (uint64_t i = 0; i < s->components; i++) {
        const struct cdp_eigenpairs *c = &s->component[i].pairs;
        uint64_t chosen = s->component[i].chosen;
        for (uint64_t p = 0; p < c->places.items && chosen < 2; p++)
            label[c->places.first + p] = 0;
        if (chosen > 1 &&
            cdp_discretize(c->vector, s->laplacian.root + c->places.first, c->places.items, chosen,
                           c->block, how, label + c->places.first, s->threads, s->progress, err))
            return -1;
        for (uint64_t p = 0; p < c->places.items && chosen > 0; p++)
            label[c->places.first + p] += clusters;
        if (c->places.items > items) {
            items = c->places.items;
            largest = clusters;
        }
        clusters += (uint32_t)chosen;
    }
    for (uint64_t i = 0; i < s->components; i++) {
        const struct cdp_eigenpairs *c = &s->component[i].pairs;
        for (uint64_t p = 0; p < c->places.items && s->component[i].chosen == 0; p++)
            label[c->places.first + p] = largest;
    }
    return 0;
}

static int label_items(struct spectral *s, const struct cdp_spectral_plan *plan,
                       const struct level *level, uint32_t *label, struct cdp_err *err)
{
    uint32_t *placed = cdp_alloc(s->laplacian.items, sizeof *placed, "labels", err);
    if (!placed)
        return -1;
    for (uint64_t l = 0; l < plan->clusters && l < s->laplacian.items; l++)
        s->component[level[l].component].chosen++;
    int status = assign(s, plan->assign, placed, err);
    for (uint64_t p = 0; p < s->laplacian.items && !status; p++)
        label[s->laplacian.item[p]] = placed[p];
    free(placed);
    return status;
}

static void release(struct spectral *s)
{
    for (uint64_t i = 0; i < s->components; i++)
        cdp_eigenpairs_free(&s->component[i].pairs);
    free(s->component);
    cdp_laplacian_free(&s->laplacian);
}

static int make_components(struct spectral *s, const struct cdp_neighbours *lists,
                           struct cdp_err *err)
{
    if (cdp_laplacian_new(&s->laplacian, lists, s->threads, s->progress, err))
        return -1;
    uint64_t count = s->laplacian.components;
    s->component = cdp_zalloc(count, sizeof *s->component, "components", err);
    if (!s->component)
        return -1;
    s->components = count;
    for (uint64_t i = 0; i < count; i++)
        s->component[i].pairs.places = s->laplacian.component[i];
    return 0;
}

int cdp_spectral(const struct cdp_neighbours *lists, const struct cdp_spectral_plan *plan,
                 uint32_t *label, double *values, struct cdp_err *err)
{
    struct spectral s = {.threads = cdp_threads(plan->threads), .progress = plan->progress};
    struct level *level = NULL;
    uint64_t count = plan->clusters + (values ? 1 : 0);
    if (count > lists->rows)
        count = lists->rows;
    int status = make_components(&s, lists, err);
    cdp_progress_start(s.progress, "eigenvectors", "columns", 0);
    if (!status && count > 0)
        status = find_eigenvalues(&s, count, &level, err);
    for (uint64_t l = 0; l < count && values && !status; l++)
        values[l] = level[l].value;
    if (!values && !status)
        status = label_items(&s, plan, level, label, err);
    free(level);
    release(&s);
    return status;
}
