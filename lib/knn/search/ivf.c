// SPDX-License-Identifier: MIT
#include "knn/search/ivf.h"

#include <math.h>
#include <stdlib.h>

#include "base/floats.h"
#include "base/mem.h"

// Timed (README.md).
enum {
    LIST = 56,    // items of a list on average, at least; or 5 k / 2
    SAMPLE = 256, // items whose candidates tell `fraction`:
    ONE_IN = 10,  // of all their radii but one in this many; of items that search once more
    AGAIN_ONE_IN = 2,
};

// A list is skipped if its centroid is this much farther than the k-th candidate: squared distances
// for dot products, distances for l1, linf and hamming. Timed (README.md).
static const float SKIP = 1.5F;

// Of the time that a search takes from there on: measured at 300,000 rows.
static const double ASSIGN_SHARE = 0.45, SCAN_SHARE = 0.6;

static const uint64_t ASSIGNED_BYTES = UINT64_C(1) << 29; // of nearest centroids at a time

// ---- how far apart sketches of neighbours are

// The largest sketch distance of an item and its candidates, as a fraction of the k-th distance; 0
// if rounding may be all of it.
static float fraction_of(const struct cdp_dataset *data, uint32_t id, const uint64_t *list,
                         uint32_t k)
{
    float most = 0, radius = cdp_dataset_radius(data, cdp_candidate_score(list[k - 1]));
    const struct cdp_sketch *own = cdp_dataset_sketch(data, id, data->levels - 1);
    for (uint32_t r = 0; r < k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint32_t other = cdp_candidate_id(list[r]);
        float score, error = own->error;
        error += cdp_dataset_sketch(data, other, data->levels - 1)->error;
        cdp_dataset_sketch_scores(data, id, data, &other, 1, &score);
        float distance = sqrtf(fmaxf(0, (float)own->square - 2 * score));
        if (radius > error)
            most = fmaxf(most, (distance - error) / radius);
    }
    return most;
}

// Learns `fraction` from the lists of at most SAMPLE items: it is exceeded by one in `one_in`.
static void learn_fraction(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                           const uint32_t *item, const struct cdp_candidates *found,
                           uint64_t one_in)
{
    float fraction[SAMPLE];
    for (uint64_t i = 0; i < found->count; i++)
        fraction[i] = fraction_of(data, item[i], cdp_candidates_list(found, i), found->k);
    cdp_sort_floats(fraction, found->count);
    float usual = fraction[found->count - 1 - found->count / one_in];
    if (usual > 0 && usual < 1)
        ivf->fraction = usual;
}

// A scan of all lists, or of those from place `first` on.
static struct cdp_scan scan_of(const struct cdp_ivf *ivf, const struct cdp_dataset *data,
                               const uint32_t *items, const struct cdp_candidates *visits,
                               uint32_t first)
{
    return (struct cdp_scan){.data = data,
                             .items = items,
                             .columns = &ivf->lists.columns,
                             .lists = &ivf->lists,
                             .visits = visits,
                             .first = first,
                             .last = visits->k,
                             .fraction = ivf->fraction};
}

// Learns `fraction` from a search for a few items.
static int learn_first(struct cdp_ivf *ivf, const struct cdp_dataset *data, uint32_t k,
                       uint64_t seed, int threads, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows, samples = n < SAMPLE ? n : SAMPLE;
    struct cdp_candidates visits = {0}, found = {0};
    uint32_t *item = cdp_coarse_sample(n, samples, seed, err);
    int status = !item || cdp_candidates_new(&found, samples, k, threads, err) ||
                 cdp_candidates_gather(&visits, &ivf->assigned, item, samples, threads, err);
    if (!status) {
        struct cdp_scan scan = scan_of(ivf, data, item, &visits, 0);
        status = cdp_scan_items(&scan, &found, threads, NULL, err);
    }
    if (!status)
        learn_fraction(ivf, data, item, &found, ONE_IN);
    free(item);
    cdp_candidates_free(&visits);
    cdp_candidates_free(&found);
    return status ? -1 : 0;
}

static int learn_again(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                       const struct cdp_candidates *found, const uint32_t *items, uint64_t count,
                       int threads, struct cdp_err *err)
{
    struct cdp_candidates some = {0};
    uint32_t sample[SAMPLE];
    uint64_t samples = cdp_min(count, SAMPLE);
    for (uint64_t i = 0; i < samples; i++)
        sample[i] = items[i * count / samples];
    int status = cdp_candidates_gather(&some, found, sample, samples, threads, err);
    if (!status)
        learn_fraction(ivf, data, sample, &some, AGAIN_ONE_IN);
    cdp_candidates_free(&some);
    return status;
}

// ---- building and searching

// Permutes the dataset, and what belongs to its items, to the order of the lists.
static int permute(struct cdp_ivf *ivf, struct cdp_dataset *data, int threads, struct cdp_err *err)
{
    uint32_t *member = ivf->lists.member;
    uint64_t n = data->matrix->rows;
    const struct cdp_array lists = {ivf->assigned.entry,
                                    ivf->assigned.k * sizeof *ivf->assigned.entry};
    if (cdp_dataset_permute(data, member, threads, err) ||
        cdp_permute(&lists, 1, n, member, threads, err))
        return -1;
    for (uint64_t i = 0; i < n; i++)
        member[i] = (uint32_t)i;
    return 0;
}

int cdp_ivf_new(struct cdp_ivf *ivf, struct cdp_dataset *data, uint32_t k, uint32_t nprobe,
                uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err)
{
    uint64_t n = data->matrix->rows, size = 5 * (uint64_t)k / 2;
    size = size < LIST ? LIST : size;
    uint64_t nlist = (n + size - 1) / size;
    *ivf = (struct cdp_ivf){.fraction = 1};
    ivf->coarse = cdp_coarse_new(data, nlist, seed, threads, progress, err);
    if (!ivf->coarse)
        return -1;
    cdp_progress_stage(progress, ASSIGN_SHARE, cdp_coarse_progress(ivf->coarse, n));
    return cdp_coarse_assign(&ivf->assigned, ivf->coarse, data, NULL, n, nprobe, threads, progress,
                             err) ||
                   cdp_ivf_lists_new(&ivf->lists, &ivf->assigned, 1, nlist, threads, err) ||
                   permute(ivf, data, threads, err) ||
                   cdp_ivf_lists_pack(&ivf->lists, data, threads, err) ||
                   (data->vector && learn_first(ivf, data, k, seed, threads, err))
               ? -1
               : 0;
}

void cdp_ivf_free(struct cdp_ivf *ivf)
{
    cdp_coarse_free(ivf->coarse);
    cdp_candidates_free(&ivf->assigned);
    cdp_ivf_lists_free(&ivf->lists);
    *ivf = (struct cdp_ivf){0};
}

void cdp_ivf_take_lists(struct cdp_ivf *ivf, struct cdp_ivf_lists *lists)
{
    cdp_operand_free(&ivf->lists.columns);
    *lists = ivf->lists;
    ivf->lists = (struct cdp_ivf_lists){0};
}

// Removes lists that are too far, except an item's own.
static void skip_far_lists(struct cdp_candidates *visits, const struct cdp_candidates *found,
                           int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < visits->count; i++) {
        uint64_t *list = cdp_candidates_list(visits, i);
        float limit = SKIP * cdp_candidate_score(cdp_candidates_list(found, i)[found->k - 1]);
        for (uint32_t r = 1; r < visits->k; r++) {
            if (cdp_candidate_score(list[r]) < limit)
                list[r] = CDP_CANDIDATE_NONE;
        }
    }
}

int cdp_ivf_search(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                   struct cdp_candidates *found, int threads, struct cdp_progress *progress,
                   struct cdp_err *err)
{
    struct cdp_scan own = scan_of(ivf, data, NULL, &ivf->assigned, 0);
    struct cdp_scan others = scan_of(ivf, data, NULL, &ivf->assigned, 1);
    own.last = 1;
    cdp_progress_stage(progress, SCAN_SHARE, 2 * found->count);
    if (cdp_scan_own_list(&own, found, threads, progress, err))
        return -1;
    skip_far_lists(&ivf->assigned, found, threads);
    return cdp_scan_items(&others, found, threads, progress, err);
}

int cdp_ivf_search_more(struct cdp_ivf *ivf, const struct cdp_dataset *data,
                        struct cdp_candidates *found, const uint32_t *items, uint64_t count,
                        uint32_t nprobe, int threads, struct cdp_progress *progress,
                        struct cdp_err *err)
{
    // Some items at a time, since their nearest centroids may take much memory.
    uint64_t most = ASSIGNED_BYTES / (sizeof *found->entry * nprobe) + 1;
    int status =
        data->vector && count > 0 ? learn_again(ivf, data, found, items, count, threads, err) : 0;
    cdp_progress_stage(progress, CDP_PROGRESS_ROUND, 2 * count);
    for (uint64_t from = 0; !status && from < count; from += most) {
        struct cdp_candidates some = {0}, visits = {0};
        uint64_t here = cdp_min(count - from, most);
        const uint32_t *item = items + from;
        status = cdp_candidates_gather(&some, found, item, here, threads, err) ||
                 cdp_coarse_assign(&visits, ivf->coarse, data, item, here, nprobe, threads,
                                   progress, err);
        struct cdp_scan scan = scan_of(ivf, data, item, &visits, 0);
        status = status || cdp_scan_items(&scan, &some, threads, progress, err);
        if (!status)
            cdp_candidates_scatter(found, &some, item, threads);
        cdp_candidates_free(&some);
        cdp_candidates_free(&visits);
    }
    return status ? -1 : 0;
}
