// SPDX-License-Identifier: MIT
#include "knn/pick.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/build.h"

enum { SPREAD = 4 }; // a centre is farther by one in so many of its items' mean square distance

int cdp_space_pick(struct cdp_space *p, const struct cdp_space *s, unsigned level,
                   const uint32_t *items, uint64_t count, struct cdp_err *err)
{
    *p = (struct cdp_space){.matrix = s->matrix,
                            .kernel = s->kernel,
                            .rounder = s->rounder,
                            .metric = s->metric,
                            .words = cdp_space_level(s, level),
                            .error = s->error,
                            .sketcher = s->sketcher,
                            .levels = 1,
                            .level = level};
    if (s->vector ? cdp_space_new_sketches(p, count, err) || cdp_space_new_bytes(p, count, err)
                  : cdp_space_new_words(p, count, err)) {
        cdp_space_free(p);
        return -1;
    }
    size_t bytes = p->byte_words * sizeof *p->bytes;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = items[i];
        memcpy(p->word + i * p->words, cdp_space_words(s, id), p->words * sizeof *p->word);
        if (p->vector) {
            p->sketch[i] = *cdp_space_sketch(s, id, level);
            p->vector[i] = s->vector[id];
            memcpy((char *)p->bytes + i * bytes, (const char *)s->bytes + id * bytes, bytes);
        }
    }
    return 0;
}

// Adds an item to the sum, bits as numbers.
static void add_item(const struct cdp_space *s, uint64_t id, double *sum, size_t numbers)
{
    const uint32_t *word = cdp_space_words(s, id);
    if (s->vector) {
        const int8_t *q = (const int8_t *)(s->bytes + id * s->byte_words);
        for (size_t d = 0; d < numbers; d++)
            sum[d] += (double)s->vector[id].scale * q[d];
    } else if (s->metric == CDP_HAMMING) {
        for (size_t d = 0; d < numbers; d++)
            sum[d] += word[d / 32] >> d % 32 & 1;
    } else {
        const float *x = (const float *)word;
        for (size_t d = 0; d < numbers; d++)
            sum[d] += (double)x[d];
    }
}

// Makes item i the mean of items whose mean square is `square`; `room` holds as many numbers,
// `sketch` the words of a sketch.
static void set_item(struct cdp_space *p, uint64_t i, double *mean, double square, size_t numbers,
                     float *room, uint32_t *sketch)
{
    uint32_t *word = p->word + i * p->words;
    struct cdp_sketch levels[CDP_SKETCH_LEVELS];
    if (p->vector) {
        cdp_space_set_bytes(p, i, mean);
        cdp_shorten(mean, numbers, room);
        cdp_sketch(p->sketcher, room, 1, p->error, mean, levels, sketch);
        p->sketch[i] = levels[p->level];
        double spread = fmax(0, square + 2 * (double)p->vector[i].offset) / SPREAD;
        p->vector[i].offset -= (float)(spread / 2);
        p->sketch[i].square += (int32_t)(spread / (p->sketcher->step * p->sketcher->step));
        memcpy(word, sketch, p->words * sizeof *word);
    } else if (p->metric == CDP_HAMMING) {
        memset(word, 0, p->words * sizeof *word);
        for (size_t d = 0; d < numbers; d++)
            word[d / 32] |= (uint32_t)(mean[d] > 0.5) << d % 32;
    } else {
        for (size_t d = 0; d < numbers; d++)
            ((float *)word)[d] = (float)mean[d];
    }
}

int cdp_space_move(struct cdp_space *p, const struct cdp_space *s, const struct cdp_sets *sets,
                   int threads, struct cdp_err *err)
{
    size_t numbers = s->metric == CDP_HAMMING ? 32 * s->words : s->matrix->dim;
    double *sums = cdp_alloc((size_t)threads, numbers * sizeof *sums, "means", err);
    float *rooms = cdp_alloc((size_t)threads, numbers * sizeof *rooms, "means", err);
    uint32_t *sketches = cdp_alloc((size_t)threads, s->words * sizeof *sketches, "means", err);
    int status = sums && rooms && sketches ? 0 : -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
    for (uint64_t i = 0; i < (status ? 0 : sets->count); i++) {
        uint64_t first = sets->start[i], end = sets->start[i + 1];
        double *sum = sums + (size_t)cdp_thread() * numbers;
        double square = 0;
        memset(sum, 0, numbers * sizeof *sum);
        for (uint64_t m = first; m < end; m++) {
            add_item(s, sets->member[m], sum, numbers);
            square -= s->vector ? 2 * (double)s->vector[sets->member[m]].offset : 0;
        }
        for (size_t d = 0; d < numbers; d++)
            sum[d] /= (double)(end - first);
        if (end > first)
            set_item(p, i, sum, square / (double)(end - first), numbers,
                     rooms + (size_t)cdp_thread() * numbers,
                     sketches + (size_t)cdp_thread() * s->words);
    }
    free(sketches);
    free(sums);
    free(rooms);
    return status;
}
