// SPDX-License-Identifier: MIT
#include "knn/data/means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/data/build.h"
#include "knn/data/quantize.h"

enum { SPREAD = 4 }; // a centroid is farther by one in so many of its items' mean square distance

int cdp_dataset_select(struct cdp_dataset *p, const struct cdp_dataset *s, unsigned level,
                       const uint32_t *items, uint64_t count, struct cdp_err *err)
{
    *p = (struct cdp_dataset){.matrix = s->matrix,
                              .kernel = s->kernel,
                              .quantizer = s->quantizer,
                              .metric = s->metric,
                              .words = cdp_dataset_level_words(s, level),
                              .error = s->error,
                              .sketcher = s->sketcher,
                              .levels = 1,
                              .level = level};
    if (s->vector
            ? cdp_dataset_alloc_sketches(p, count, err) || cdp_dataset_alloc_bytes(p, count, err)
            : cdp_dataset_alloc_words(p, count, err)) {
        cdp_dataset_free(p);
        return -1;
    }
    size_t bytes = p->byte_words * sizeof *p->bytes;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = items[i];
        memcpy(p->word + i * p->words, cdp_dataset_words(s, id), p->words * sizeof *p->word);
        if (p->vector) {
            p->sketch[i] = *cdp_dataset_sketch(s, id, level);
            p->vector[i] = s->vector[id];
            memcpy((char *)p->bytes + i * bytes, (const char *)s->bytes + id * bytes, bytes);
        }
    }
    return 0;
}

// A thread's memory: a sum, and means that are sketched together.
struct means {
    double *sum;
    float *vector; // of each mean, shortened
    uint32_t *word;
    uint32_t count;
    uint64_t item[CDP_SKETCH_BLOCK]; // that each mean becomes,
    double square[CDP_SKETCH_BLOCK]; // and the mean square of its items
};

static void free_means(struct means *means, int threads)
{
    for (int t = 0; means && t < threads; t++) {
        free(means[t].sum);
        free(means[t].vector);
        free(means[t].word);
    }
    free(means);
}

static struct means *new_means(const struct cdp_dataset *s, size_t numbers, int threads,
                               struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    struct means *means = cdp_zalloc((size_t)threads, sizeof *means, "threads", err);
    for (int t = 0; means && t < threads; t++) {
        struct means *m = &means[t];
        m->sum = cdp_alloc(numbers, sizeof *m->sum, "means", err);
        m->vector = cdp_alloc(BLOCK, numbers * sizeof *m->vector, "means", err);
        m->word = cdp_alloc(BLOCK, s->words * sizeof *m->word, "means", err);
        if (!m->sum || !m->vector || !m->word) {
            free_means(means, threads);
            return NULL;
        }
    }
    return means;
}

// Adds an item to the sum, bits as numbers.
static void add_item(const struct cdp_dataset *s, uint64_t id, double *sum, size_t numbers)
{
    const uint32_t *word = cdp_dataset_words(s, id);
    if (s->vector) {
        const uint32_t *bytes = s->bytes + id * s->byte_words;
        s->quantizer->add(sum, numbers, (double)s->vector[id].scale, (const int8_t *)bytes);
    } else if (s->metric == CDP_HAMMING) {
        for (size_t d = 0; d < numbers; d++)
            sum[d] += word[d / 32] >> d % 32 & 1;
    } else {
        const float *x = (const float *)word;
        for (size_t d = 0; d < numbers; d++)
            sum[d] += (double)x[d];
    }
}

// Sketches the means that wait.
static void sketch_means(struct cdp_dataset *p, struct means *m)
{
    unsigned levels = p->sketcher->levels;
    struct cdp_sketch sketch[CDP_SKETCH_BLOCK * CDP_SKETCH_LEVELS];
    cdp_sketch(p->sketcher, m->vector, m->count, p->error, m->sum, sketch, m->word);
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t item = m->item[i];
        p->sketch[item] = sketch[i * levels + p->level];
        double spread = fmax(0, m->square[i] + 2 * (double)p->vector[item].offset) / SPREAD;
        p->vector[item].offset -= (float)(spread / 2);
        p->sketch[item].square += (int32_t)(spread / (p->sketcher->step * p->sketcher->step));
        memcpy(p->word + item * p->words, m->word + i * p->sketcher->words,
               p->words * sizeof *p->word);
    }
    m->count = 0;
}

// Makes item i the mean of items whose mean square is `square`, sketches excepted.
static void set_item(struct cdp_dataset *p, uint64_t i, struct means *m, double square,
                     size_t numbers)
{
    uint32_t *word = p->word + i * p->words;
    const double *mean = m->sum;
    if (p->vector) {
        cdp_dataset_quantize(p, i, mean);
        p->quantizer->shorten(mean, numbers, m->vector + m->count * numbers);
        m->item[m->count] = i;
        m->square[m->count++] = square;
    } else if (p->metric == CDP_HAMMING) {
        memset(word, 0, p->words * sizeof *word);
        for (size_t d = 0; d < numbers; d++)
            word[d / 32] |= (uint32_t)(mean[d] > 0.5) << d % 32;
    } else {
        for (size_t d = 0; d < numbers; d++)
            ((float *)word)[d] = (float)mean[d];
    }
}

// Makes item i the mean of a set's items, unless there are none.
static void move_item(struct cdp_dataset *p, const struct cdp_dataset *s,
                      const struct cdp_ivf_lists *sets, uint64_t i, struct means *m, size_t numbers)
{
    uint64_t first = sets->start[i], end = sets->start[i + 1];
    double square = 0, count = (double)(end - first);
    if (first == end)
        return;
    memset(m->sum, 0, numbers * sizeof *m->sum);
    for (uint64_t at = first; at < end; at++) {
        add_item(s, sets->member[at], m->sum, numbers);
        square -= s->vector ? 2 * (double)s->vector[sets->member[at]].offset : 0;
    }
    for (size_t d = 0; d < numbers; d++)
        m->sum[d] /= count;
    set_item(p, i, m, square / count, numbers);
}

int cdp_dataset_set_means(struct cdp_dataset *p, const struct cdp_dataset *s,
                          const struct cdp_ivf_lists *sets, int threads, struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    size_t numbers = s->metric == CDP_HAMMING ? 32 * s->words : s->matrix->dim;
    struct means *means = new_means(s, numbers, threads, err);
    if (!means)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < sets->count; from += BLOCK) {
        struct means *m = &means[cdp_thread()];
        for (uint64_t i = from; i < sets->count && i < from + BLOCK; i++)
            move_item(p, s, sets, i, m, numbers);
        if (m->count > 0)
            sketch_means(p, m);
    }
    free_means(means, threads);
    return 0;
}
