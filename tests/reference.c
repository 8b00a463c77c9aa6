// SPDX-License-Identifier: MIT
// The algorithms in their plainest form, quadratic and serial, sharing nothing with lib/: what the
// tests hold the tools against.
//
//   reference knn METRIC K DIM FILE              raw float32 rows; prints i, j, distance
//   reference knn-double METRIC K DIM STEP FILE  the same of each STEPth row, in double precision,
//                                                with sums in the order that lib/base/sums.h
//                                                defines
//   reference vote ACCEPT THRESHOLD BASE MEMBER... lists as knn prints them; prints i, j, score
//   reference features DIM BASE MEMBER... -- BASE.bin MEMBER.bin...   prints i, j, pair features
//   reference propagate MAX STEP ITER split|merge NODES   pairs on stdin; prints labels
//   reference eval PREDICTED META                prints name, value as cdp-eval --format tsv
//   reference random-pairs SEED NODES PAIRS      prints i, j, score, with ties and scores of 1
//   reference random-rows SEED ROWS DIM KIND     raw float32 rows: normal, integers, bits, copies,
//                                                wild, near (nearly parallel or opposite),
//                                                parallel (but for numbers near 1e-16 of others)
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    long i, j;
    float score;
};

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        exit(3);
    return memory;
}

static FILE *open_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        exit(3);
    }
    return file;
}

static uint64_t state;

static double uniform(void) // xorshift64*
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * UINT64_C(2685821657736338717) >> 11) * 0x1p-53;
}

static void seed(const char *text)
{
    state = strtoull(text, NULL, 10) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int i = 0; i < 20; i++)
        uniform();
}

// ---- neighbours

struct near {
    double distance;
    long id;
};

static int nearer(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

// 1 less the cosine of the angle between nearly parallel rows: by Lagrange's identity the square of
// the sine is the sum over all pairs of numbers, a < b, of (x_a y_b - x_b y_a)^2 / (|x|^2 |y|^2).
// No term is below 0, and products of floats are exact, so that nothing is lost.
static long double close_distance(const float *x, const float *y, long dim, long double xx,
                                  long double yy)
{
    long double square = 0;
    for (long a = 0; a < dim; a++) {
        for (long b = 0; b < a; b++) {
            long double r = (long double)x[a] * y[b] - (long double)x[b] * y[a];
            square += r * r;
        }
    }
    square = square / xx / yy;
    return square / (1 + sqrtl(1 - square));
}

static double distance(const char *metric, const float *x, const float *y, long dim)
{
    long double xy = 0, xx = 0, yy = 0, l2 = 0, l1 = 0, most = 0, bits = 0;
    for (long d = 0; d < dim; d++) {
        long double a = x[d], b = y[d], apart = fabsl(a - b);
        xy += a * b;
        xx += a * a;
        yy += b * b;
        l2 += apart * apart;
        l1 += apart;
        most = apart > most ? apart : most;
        bits += (a > 0) != (b > 0);
    }
    long double cosine = xy / sqrtl(xx * yy), left = 1;
    int cosine_metric = !strcmp(metric, "cosine"), angular = !strcmp(metric, "angular");
    if ((cosine_metric || angular) && fabsl(cosine) > 0.999L)
        left = close_distance(x, y, dim, xx, yy);
    if (cosine_metric)
        return (double)(left == 1 ? 1 - cosine : cosine > 0 ? left : 2 - left);
    if (angular && left == 1)
        return (double)acosl(cosine);
    if (angular) {
        long double angle = 2 * asinl(sqrtl(left / 2));
        return (double)(cosine > 0 ? angle : acosl(-1) - angle);
    }
    return (double)(!strcmp(metric, "l2")     ? sqrtl(l2)
                    : !strcmp(metric, "l1")   ? l1
                    : !strcmp(metric, "linf") ? most
                                              : bits);
}

static float *read_rows(const char *name, long dim, long *rows)
{
    FILE *file = open_file(name);
    fseek(file, 0, SEEK_END);
    *rows = ftell(file) / 4 / dim;
    rewind(file);
    float *x = room((size_t)(*rows * dim), sizeof *x);
    if (fread(x, (size_t)dim * 4, (size_t)*rows, file) != (size_t)*rows)
        exit(3);
    fclose(file);
    return x;
}

// Into a list of at most k, nearest first, in which count are; there is room for one more.
static void keep(struct near *list, long *count, long k, struct near new)
{
    long at = *count;
    for (; at > 0 && nearer(&new, &list[at - 1]) < 0; at--)
        list[at] = list[at - 1];
    list[at] = new;
    *count += *count < k;
}

static void show(long i, const struct near *list, long k)
{
    for (long n = 0; n < k; n++)
        printf("%ld\t%ld\t%.9g\n", i, list[n].id, (double)(float)list[n].distance);
}

static void knn(char **arg)
{
    long k = atol(arg[1]), dim = atol(arg[2]), rows;
    float *x = read_rows(arg[3], dim, &rows);
    struct near *list = room((size_t)k + 1, sizeof *list);
    for (long i = 0; i < rows; i++) {
        long count = 0;
        for (long j = 0; j < rows; j++) {
            if (j != i)
                keep(list, &count, k,
                     (struct near){distance(arg[0], x + i * dim, x + j * dim, dim), j});
        }
        show(i, list, k);
    }
}

// Number d belongs to sum d mod 8; at the end each sum of the first half is joined with its like in
// the second, until one is left.
static double sum8(const char *metric, const float *x, const float *y, long dim)
{
    double s[8] = {0};
    if (!strcmp(metric, "l2")) {
        for (long d = 0; d < dim; d++)
            s[d % 8] += ((double)x[d] - y[d]) * ((double)x[d] - y[d]);
    } else if (!strcmp(metric, "l1")) {
        for (long d = 0; d < dim; d++)
            s[d % 8] += fabs((double)x[d] - y[d]);
    } else if (!strcmp(metric, "linf")) {
        for (long d = 0; d < dim; d++)
            s[0] = fmax(s[0], fabs((double)x[d] - y[d]));
    } else if (!strcmp(metric, "hamming")) {
        for (long d = 0; d < dim; d++)
            s[d % 8] += (x[d] > 0) != (y[d] > 0);
    } else {
        for (long d = 0; d < dim; d++)
            s[d % 8] += (double)x[d] * y[d];
    }
    for (int half = 4; half > 0; half /= 2) {
        for (int i = 0; i < half; i++)
            s[i] += s[i + half];
    }
    return s[0];
}

static double double_distance(const char *metric, double sum, double xx, double yy, const float *x,
                              const float *y, long dim)
{
    double cosine = sum / sqrt(xx * yy);
    if ((!strcmp(metric, "cosine") || !strcmp(metric, "angular")) && fabs(cosine) > 1 - 0x1p-10)
        return distance(metric, x, y, dim);
    return !strcmp(metric, "cosine")    ? 1 - cosine
           : !strcmp(metric, "angular") ? acos(cosine)
           : !strcmp(metric, "l2")      ? sqrt(sum)
                                        : sum;
}

static void knn_double(char **arg)
{
    const char *metric = arg[0];
    long k = atol(arg[1]), dim = atol(arg[2]), step = atol(arg[3]), rows;
    float *x = read_rows(arg[4], dim, &rows);
    double *square = room((size_t)rows, sizeof *square);
    struct near *list = room((size_t)k + 1, sizeof *list);
    for (long i = 0; i < rows; i++)
        square[i] = sum8("", x + i * dim, x + i * dim, dim);
    for (long i = 0; i < rows; i += step) {
        long count = 0;
        for (long j = 0; j < rows; j++) {
            if (j == i)
                continue;
            double sum = sum8(metric, x + i * dim, x + j * dim, dim);
            const float *own = x + i * dim, *other = x + j * dim;
            keep(list, &count, k,
                 (struct near){double_distance(metric, sum, square[i], square[j], own, other, dim),
                               j});
        }
        show(i, list, k);
    }
}

// ---- pairs

static struct pair *read_pairs(FILE *file, long *count)
{
    long most = 1024;
    struct pair *pairs = room((size_t)most, sizeof *pairs);
    *count = 0;
    while (fscanf(file, "%ld %ld %f", &pairs[*count].i, &pairs[*count].j, &pairs[*count].score) ==
           3) {
        if (++*count == most) {
            most *= 2;
            pairs = realloc(pairs, (size_t)most * sizeof *pairs);
            if (!pairs)
                exit(3);
        }
    }
    return pairs;
}

static int by_ids(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->i != y->i)
        return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static int has(const struct pair *list, long count, long i, long j)
{
    for (long e = 0; e < count; e++) {
        if (list[e].i == i && list[e].j == j)
            return 1;
    }
    return 0;
}

static void vote(int members, char **arg)
{
    long accept = atol(arg[0]), count, sizes[16], kept = 0;
    float threshold = (float)atof(arg[1]);
    struct pair *base = read_pairs(open_file(arg[2]), &count), *lists[16];
    struct pair *pairs = room((size_t)count, sizeof *pairs);
    for (int m = 0; m < members; m++)
        lists[m] = read_pairs(open_file(arg[3 + m]), &sizes[m]);
    for (long e = 0; e < count; e++) {
        long votes = 0, i = base[e].i, j = base[e].j;
        float similarity = 1.0F - base[e].score;
        for (int m = 0; m < members; m++)
            votes += has(lists[m], sizes[m], i, j);
        if (!(similarity > threshold) || votes < accept)
            continue;
        struct pair pair = {i < j ? i : j, i < j ? j : i, similarity};
        long at = 0;
        while (at < kept && (pairs[at].i != pair.i || pairs[at].j != pair.j))
            at++;
        if (at == kept)
            pairs[kept++] = pair;
        else if (i < j)
            pairs[at] = pair;
    }
    qsort(pairs, (size_t)kept, sizeof *pairs, by_ids);
    for (long e = 0; e < kept; e++)
        printf("%ld\t%ld\t%.9g\n", pairs[e].i, pairs[e].j, (double)pairs[e].score);
}

static void features(int models, char **arg)
{
    long dim = atol(arg[0]), sizes[16], rows = 0;
    struct pair *lists[16];
    float *x[16];
    for (int m = 0; m < models; m++) {
        lists[m] = read_pairs(open_file(arg[1 + m]), &sizes[m]);
        x[m] = read_rows(arg[models + 2 + m], dim, &rows);
    }
    for (long i = 0; i < rows; i++) {
        for (long j = i + 1; j < rows; j++) {
            if (!has(lists[0], sizes[0], i, j) && !has(lists[0], sizes[0], j, i))
                continue;
            printf("%ld\t%ld", i, j);
            for (int m = 1; m < models; m++)
                printf("\t%d", has(lists[m], sizes[m], i, j) || has(lists[m], sizes[m], j, i));
            for (int m = 0; m < models; m++) {
                const float *p = x[m] + i * dim, *q = x[m] + j * dim;
                long double xy = 0, xx = 0, yy = 0;
                for (long d = 0; d < dim; d++) {
                    xy += (long double)p[d] * q[d];
                    xx += (long double)p[d] * p[d];
                    yy += (long double)q[d] * q[d];
                }
                printf("\t%.9g", (double)(xx * yy > 0 ? xy / sqrtl(xx * yy) : 0));
            }
            for (int m = 0; m < models; m++) {
                int shared = 0;
                for (long id = 0; id < rows; id++)
                    shared += (id == i || has(lists[m], sizes[m], i, id)) &&
                              (id == j || has(lists[m], sizes[m], j, id));
                printf("\t%d", shared);
            }
            putchar('\n');
        }
    }
}

// ---- propagation, round by round

static long *cluster; // of each node; -1 not settled
static char *alive;
static long nodes;

// The component of `start` over edges of at least `threshold` among nodes that are alive, in
// `list`.
static long component(long start, double threshold, const struct pair *pairs, long count,
                      long *list, char *seen)
{
    long found = 1;
    list[0] = start;
    seen[start] = 1;
    for (long at = 0; at < found; at++) {
        for (long e = 0; e < count; e++) {
            long other = pairs[e].i == list[at]   ? pairs[e].j
                         : pairs[e].j == list[at] ? pairs[e].i
                                                  : -1;
            if (other >= 0 && alive[other] && !seen[other] && (double)pairs[e].score >= threshold) {
                seen[other] = 1;
                list[found++] = other;
            }
        }
    }
    return found;
}

// Whether no repeat of the pair has a higher score.
static int is_best(const struct pair *pairs, long count, long at)
{
    for (long e = 0; e < count; e++) {
        int same = (pairs[e].i == pairs[at].i && pairs[e].j == pairs[at].j) ||
                   (pairs[e].i == pairs[at].j && pairs[e].j == pairs[at].i);
        if (same && pairs[e].score > pairs[at].score)
            return 0;
    }
    return 1;
}

static void propagate(char **arg)
{
    long max_size = atol(arg[0]), max_iter = atol(arg[2]), count, next = 0, left = 0;
    double step = atof(arg[1]), threshold = INFINITY;
    nodes = atol(arg[4]);
    struct pair *pairs = read_pairs(stdin, &count);
    cluster = room((size_t)nodes, sizeof *cluster);
    alive = room((size_t)nodes, 1);
    long *list = room((size_t)nodes, sizeof *list);
    char *seen = room((size_t)nodes, 1);
    for (long n = 0; n < nodes; n++)
        cluster[n] = -1;
    for (long e = 0; e < count; e++) {
        left += !alive[pairs[e].i];
        alive[pairs[e].i] = 1;
        left += !alive[pairs[e].j];
        alive[pairs[e].j] = 1;
        if ((double)pairs[e].score < threshold && is_best(pairs, count, e))
            threshold = (double)pairs[e].score;
    }
    for (long round = 0; left > 0; round++) {
        int last = round == max_iter;
        memset(seen, 0, (size_t)nodes);
        char *settled = room((size_t)nodes, 1);
        for (long n = 0; n < nodes; n++) {
            if (!alive[n] || seen[n])
                continue;
            long size = component(n, threshold, pairs, count, list, seen);
            int forced = last && size > max_size;
            if (size > max_size && !last)
                continue;
            for (long m = 0; m < size; m++) {
                cluster[list[m]] = forced && !strcmp(arg[3], "merge") ? nodes * 1000 : next;
                settled[list[m]] = 1;
            }
            next++;
        }
        for (long n = 0; n < nodes; n++) {
            left -= settled[n];
            alive[n] = alive[n] && !settled[n];
        }
        free(settled);
        threshold = threshold + (1 - threshold) * step;
    }
    // Numbers in order of first appearance.
    long numbered = 0;
    long *number = room((size_t)nodes, sizeof *number);
    for (long n = 0; n < nodes; n++) {
        number[n] = -1;
        for (long m = 0; m < n && cluster[n] >= 0 && number[n] < 0; m++) {
            if (cluster[m] == cluster[n])
                number[n] = number[m];
        }
        if (cluster[n] >= 0 && number[n] < 0)
            number[n] = numbered++;
        printf("%ld\n", number[n]);
    }
}

// ---- evaluation, pair by pair and item by item

static long *read_labels(const char *name, long *count)
{
    long most = 1 << 20;
    long *labels = room((size_t)most, sizeof *labels);
    FILE *file = open_file(name);
    for (*count = 0; *count < most && fscanf(file, "%ld", &labels[*count]) == 1; ++*count)
        continue;
    fclose(file);
    return labels;
}

static void print_prf(const char *name, const char *which, double precision, double recall)
{
    printf("%s.%s.precision\t%.10g\n%s.%s.recall\t%.10g\n%s.%s.fscore\t%.10g\n", name, which,
           100 * precision, name, which, 100 * recall, name, which,
           100 * 2 * precision * recall / (precision + recall));
}

static double entropy(const long *label, const long *other, long count)
{
    double sum = 0; // over the items, so each group counts once an item
    for (long i = 0; i < count; i++) {
        double same = 0;
        for (long j = 0; j < count; j++)
            same += label[i] == label[j] && (!other || other[i] == other[j]);
        sum -= log(same / (double)count) / (double)count;
    }
    return sum;
}

static void measure(const char *which, const long *p, const long *t, long count)
{
    double both = 0, in_p = 0, in_t = 0, all = 0, precision = 0, recall = 0;
    for (long i = 0; i < count; i++) {
        double same = 0, size = 0, class = 0;
        for (long j = 0; j < count; j++) {
            same += p[i] == p[j] && t[i] == t[j];
            size += p[i] == p[j];
            class += t[i] == t[j];
            if (j > i) {
                both += p[i] == p[j] && t[i] == t[j];
                in_p += p[i] == p[j];
                in_t += t[i] == t[j];
                all++;
            }
        }
        precision += same / size / (double)count;
        recall += same / class / (double)count;
    }
    print_prf("pairwise", which, both / in_p, both / in_t);
    print_prf("bcubed", which, precision, recall);
    double expected = in_p * in_t / all;
    printf("ari.%s\t%.10g\n", which, 100 * (both - expected) / ((in_p + in_t) / 2 - expected));
    double of_p = entropy(p, NULL, count), of_t = entropy(t, NULL, count);
    double shared = of_p + of_t - entropy(p, t, count);
    printf("nmi.%s\t%.10g\n", which, 100 * shared / ((of_p + of_t) / 2));
}

static void eval(char **arg)
{
    long count, same, left = 0;
    long *p = read_labels(arg[0], &count), *t = read_labels(arg[1], &same);
    long *kept = room((size_t)count, sizeof *kept), *removed = room((size_t)count, sizeof *kept);
    long *classes = room((size_t)count, sizeof *classes);
    for (long i = 0; i < count; i++) {
        kept[i] = p[i] == -1 ? -2 - i : p[i];
        if (p[i] != -1) {
            removed[left] = p[i];
            classes[left++] = t[i];
        }
    }
    measure("kept", kept, t, count);
    measure("removed", removed, classes, left);
    printf("discarded\t%ld\n", count - left);
}

// ---- data

static void random_pairs(char **arg)
{
    long n = atol(arg[1]), pairs = atol(arg[2]);
    seed(arg[0]);
    while (pairs > 0) {
        long i = (long)(uniform() * (double)n), j = (long)(uniform() * (double)n);
        double score = uniform(), kind = uniform();
        if (i == j)
            continue;
        score = kind < 0.2 ? floor(score * 8) / 8 : kind < 0.25 ? 1 : score;
        printf("%ld\t%ld\t%.9g\n", i, j, (double)(float)score);
        pairs--;
    }
}

// Three directions, two of which have a number at 0 so that rows can differ there by less than
// float32's digits; rows are off by 1e-1 to 1e-9 of their length, or not at all, a few are scaled
// by 4, which leaves equal angles equal, and one in four is turned round.
static void near_rows(long rows, long dim, float *x)
{
    float *base = room(3 * (size_t)dim, sizeof *base);
    for (long d = 0; d < 3 * dim; d++)
        base[d] = d % dim == 0 && d > 0 ? 0 : (float)floor(uniform() * 2000 - 1000) / 1000;
    for (long i = 0; i < rows; i++) {
        const float *own = base + (long)(3 * uniform()) * dim;
        double off = pow(10, -1 - floor(9 * uniform())), kind = uniform();
        int all = uniform() < 0.5, sign = uniform() < 0.25 ? -1 : 1;
        for (long d = 0; d < dim; d++) {
            double moved = own[d] + ((d == 0 || all) && kind > 0.2 ? off * (uniform() - 0.5) : 0);
            x[d] = (float)(sign * (kind < 0.1 ? 4 : 1) * moved);
        }
        fwrite(x, 4, (size_t)dim, stdout);
    }
}

// The first eight numbers are small integers times one of the row's own, so that double precision
// rounds what scales these rows to one length differently from row to row.
static void parallel_rows(long rows, long dim, float *x)
{
    for (long i = 0; i < rows; i++) {
        double size = 1 + floor(uniform() * 1000);
        for (long d = 0; d < dim; d++)
            x[d] =
                (float)(size * (d < 8 ? (double)(d * d % 11 + 1) : 1e-15 * uniform() * uniform()));
        fwrite(x, 4, (size_t)dim, stdout);
    }
}

static void random_rows(char **arg)
{
    long rows = atol(arg[1]), dim = atol(arg[2]);
    const char *kind = arg[3];
    float *x = room((size_t)dim, sizeof *x);
    seed(arg[0]);
    if (!strcmp(kind, "near")) {
        near_rows(rows, dim, x);
        return;
    }
    if (!strcmp(kind, "parallel")) {
        parallel_rows(rows, dim, x);
        return;
    }
    for (long i = 0; i < rows; i++) {
        int copy = !strcmp(kind, "copies") && i > 0 && uniform() < 0.9;
        double scale = !strcmp(kind, "wild") ? pow(10, 12 * uniform() - 6) : 1;
        for (long d = 0; d < dim && !copy; d++) {
            double u = uniform() + uniform() + uniform() - 1.5;
            x[d] = (float)(!strcmp(kind, "integers") ? floor(4 * u) + (d == 0) * 9
                           : !strcmp(kind, "bits")   ? (double)(u > 0)
                                                     : scale * u);
        }
        fwrite(x, 4, (size_t)dim, stdout);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "knn") && argc == 6)
        knn(argv + 2);
    else if (!strcmp(what, "knn-double") && argc == 7)
        knn_double(argv + 2);
    else if (!strcmp(what, "vote") && argc >= 5 && argc < 21)
        vote(argc - 5, argv + 2);
    else if (!strcmp(what, "features") && argc >= 6 && argc < 36 && argc % 2 == 0)
        features(argc / 2 - 2, argv + 2);
    else if (!strcmp(what, "propagate") && argc == 7)
        propagate(argv + 2);
    else if (!strcmp(what, "eval") && argc == 4)
        eval(argv + 2);
    else if (!strcmp(what, "random-pairs") && argc == 5)
        random_pairs(argv + 2);
    else if (!strcmp(what, "random-rows") && argc == 6)
        random_rows(argv + 2);
    else
        return 2;
    return 0;
}
