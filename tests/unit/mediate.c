// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/isa.h"
#include "base/random.h"
#include "mediate/mediator.h"
#include "scratch.h"
#include "tap.h"

enum { INPUTS = 7, HIDDEN = 3 * INPUTS, PAIRS = 150, ITEMS = 60 };
enum { WEIGHTS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * HIDDEN + (HIDDEN + 1) * 2 };

static double uniform(uint64_t index)
{
    return (double)(cdp_random(7, index) >> 11) * 0x1p-53;
}

// ---- the network in double precision, layer by layer

struct naive {
    double in[INPUTS], first[HIDDEN], second[HIDDEN], out[2];
};

static void layer(const double *weight, int inputs, int outputs, const double *in, bool relu,
                  double *out)
{
    for (int o = 0; o < outputs; o++) {
        out[o] = weight[outputs * inputs + o];
        for (int i = 0; i < inputs; i++)
            out[o] += weight[o * inputs + i] * in[i];
        if (relu && out[o] < 0)
            out[o] = 0;
    }
}

static double margin(const double *weight, const float *row, struct naive *n)
{
    for (int i = 0; i < INPUTS; i++)
        n->in[i] = (double)row[i];
    const double *second = weight + (INPUTS + 1) * HIDDEN, *third = second + (HIDDEN + 1) * HIDDEN;
    layer(weight, INPUTS, HIDDEN, n->in, true, n->first);
    layer(second, HIDDEN, HIDDEN, n->first, true, n->second);
    layer(third, HIDDEN, 2, n->second, false, n->out);
    return n->out[1] - n->out[0];
}

static double loss(const double *weight, const struct cdp_examples *e)
{
    double sum = 0;
    struct naive n;
    for (size_t p = 0; p < e->count; p++) {
        double m = margin(weight, e->row + p * INPUTS, &n);
        double probability = 1 / (1 + exp(e->same[p] ? -m : m));
        sum -= (double)e->weight[p] * log(probability) / (double)e->count;
    }
    return sum;
}

// Back from the slopes by a layer's outputs to those by its weights and inputs.
static void layer_back(const double *weight, int inputs, int outputs, const double *in,
                       const double *delta, double *gradient, double *delta_in)
{
    for (int i = 0; i < inputs; i++)
        delta_in[i] = 0;
    for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
            gradient[o * inputs + i] += delta[o] * in[i];
            delta_in[i] += in[i] > 0 ? delta[o] * weight[o * inputs + i] : 0;
        }
        gradient[outputs * inputs + o] += delta[o];
    }
}

static void slopes(const double *weight, const struct cdp_examples *e, double *gradient)
{
    const size_t second = (INPUTS + 1) * HIDDEN, third = second + (HIDDEN + 1) * HIDDEN;
    memset(gradient, 0, WEIGHTS * sizeof *gradient);
    for (size_t p = 0; p < e->count; p++) {
        struct naive n;
        double m = margin(weight, e->row + p * INPUTS, &n), by_second[HIDDEN], by_first[HIDDEN];
        double slope = (1 / (1 + exp(-m)) - e->same[p]) * (double)e->weight[p] / (double)e->count;
        double delta[2] = {-slope, slope}, by_in[INPUTS];
        layer_back(weight + third, HIDDEN, 2, n.second, delta, gradient + third, by_second);
        layer_back(weight + second, HIDDEN, HIDDEN, n.first, by_second, gradient + second,
                   by_first);
        layer_back(weight, INPUTS, HIDDEN, n.in, by_first, gradient, by_in);
    }
}

// ---- examples

// Pairs whose inputs say, with errors, whether they are of one identity.
static struct cdp_examples make_examples(size_t count, uint64_t from)
{
    struct cdp_examples e = {.inputs = INPUTS, .count = count};
    e.row = malloc(count * INPUTS * sizeof *e.row);
    e.item = malloc(count * sizeof *e.item);
    e.same = malloc(count);
    e.weight = malloc(count * sizeof *e.weight);
    if (!e.row || !e.item || !e.same || !e.weight)
        exit(1);
    for (size_t p = 0; p < count; p++) {
        uint64_t at = (from + p) * 100;
        e.same[p] = uniform(at) < 0.4;
        e.weight[p] = uniform(at + 1) < 0.3 ? 0.5F : 1;
        for (unsigned i = 0; i < INPUTS; i++)
            e.row[p * INPUTS + i] =
                (float)((uniform(at + 2 + i) + 0.25 * e.same[p]) * (i > 4 ? 10 : 1));
        e.item[p][0] = (uint32_t)(uniform(at + 20) * ITEMS);
        e.item[p][1] = (uint32_t)(uniform(at + 21) * ITEMS);
    }
    return e;
}

static double farthest(const float *got, const double *wanted, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double apart = fabs((double)got[i] - wanted[i]);
        most = apart > most ? apart : most;
    }
    return most;
}

static void widen(const float *from, double *to)
{
    for (size_t w = 0; w < WEIGHTS; w++)
        to[w] = (double)from[w];
}

// ---- tests

static void test_first_weights(void)
{
    struct cdp_network a, b, c;
    struct cdp_layer place[CDP_LAYERS];
    cdp_network_new(&a, INPUTS, 1, NULL);
    cdp_network_new(&b, INPUTS, 1, NULL);
    cdp_network_new(&c, INPUTS, 2, NULL);
    ok(a.count == WEIGHTS, "three layers of weights");
    ok(!memcmp(a.weight, b.weight, WEIGHTS * sizeof *a.weight) &&
           memcmp(a.weight, c.weight, WEIGHTS * sizeof *a.weight),
       "the same weights by one seed, others by another");
    cdp_network_layers(INPUTS, place);
    for (int l = 0; l < CDP_LAYERS; l++) {
        double bound = 1 / sqrt(place[l].inputs), most = 0, sum = 0;
        size_t end = place[l].bias + place[l].outputs;
        for (size_t w = place[l].weight; w < end; w++) {
            most = fmax(most, fabs((double)a.weight[w]));
            sum += (double)a.weight[w];
        }
        ok(most <= bound && most > 0.9 * bound &&
               fabs(sum) < 0.3 * bound * (double)(end - place[l].weight),
           "layer %d: weights uniform to 1 / sqrt(%u)", l, place[l].inputs);
    }
    cdp_network_free(&a);
    cdp_network_free(&b);
    cdp_network_free(&c);
}

static void test_network(void)
{
    struct cdp_examples e = make_examples(PAIRS, 0);
    struct cdp_network n;
    static double weight[WEIGHTS], wanted[WEIGHTS], numeric[WEIGHTS];
    double probability[PAIRS];
    float got[PAIRS];
    cdp_network_new(&n, INPUTS, 3, NULL);
    for (size_t w = 0; w < WEIGHTS; w++)
        n.weight[w] *= 1.5F; // so that the probabilities are not all alike
    widen(n.weight, weight);
    for (size_t p = 0; p < PAIRS; p++) {
        struct naive naive;
        probability[p] = 1 / (1 + exp(-margin(weight, e.row + p * INPUTS, &naive)));
    }
    cdp_network_margins(&n, e.row, PAIRS, got, 1, NULL);
    for (size_t p = 0; p < PAIRS; p++)
        got[p] = cdp_probability((double)got[p]);
    ok(farthest(got, probability, PAIRS) < 1e-6, "probabilities as in double precision");

    slopes(weight, &e, wanted);
    for (size_t w = 0; w < WEIGHTS; w++) {
        const double step = 1e-6;
        double held = weight[w];
        weight[w] = held + step;
        numeric[w] = loss(weight, &e);
        weight[w] = held - step;
        numeric[w] = (numeric[w] - loss(weight, &e)) / (2 * step);
        weight[w] = held;
        numeric[w] -= wanted[w];
    }
    double most = 0;
    for (size_t w = 0; w < WEIGHTS; w++)
        most = fmax(most, fabs(numeric[w]));
    ok(most < 1e-7, "the naive gradient is that of finite differences (off by %.2g)", most);

    size_t index[PAIRS];
    for (size_t p = 0; p < PAIRS; p++)
        index[p] = p;
    static float first[WEIGHTS];
    static const char *const isas[] = {"avx512vnni", "avx2", "plain"};
    for (int t = 0; t < 6; t++) {
        struct cdp_gradient g;
        setenv("CDP_ISA", isas[t % 3], 1);
        if (t > 0 && strcmp(cdp_isa_name(cdp_isa()), isas[t % 3]) != 0) {
            ok(true, "the same bits with %s, %d threads # SKIP not on this processor", isas[t % 3],
               t < 3 ? 1 : 3);
            continue;
        }
        cdp_gradient_new(&g, &n, PAIRS, t < 3 ? 1 : 3, NULL);
        cdp_gradient_compute(&g, &n, &e, index, PAIRS);
        if (t == 0) {
            double off = farthest(g.of, wanted, WEIGHTS);
            ok(off < 1e-6, "the gradient is the naive one (off by %.2g)", off);
            ok(fabs(g.loss - loss(weight, &e)) < 1e-6, "and so is the loss");
            memcpy(first, g.of, sizeof first);
        } else {
            ok(!memcmp(first, g.of, sizeof first), "the same bits with %s, %d threads", isas[t % 3],
               t < 3 ? 1 : 3);
        }
        cdp_gradient_free(&g);
    }
    unsetenv("CDP_ISA");
    cdp_network_free(&n);
    cdp_examples_free(&e);
}

static void test_training(void)
{
    struct cdp_examples e = make_examples(PAIRS, 0);
    struct cdp_recipe recipe = cdp_recipe_original;
    struct cdp_network n;
    struct cdp_trained trained;
    struct cdp_err err;
    static double weight[WEIGHTS], velocity[WEIGHTS], gradient[WEIGHTS];
    cdp_network_new(&n, INPUTS, 5, NULL);
    widen(n.weight, weight);
    recipe.rate = 0.05;
    recipe.epochs = 10; // of one step each, since all examples are one batch
    recipe.threads = 2;
    ok(!cdp_train(&n, &e, NULL, &recipe, &trained, &err), "training");
    for (int step = 0; step < 10; step++) {
        slopes(weight, &e, gradient);
        for (size_t w = 0; w < WEIGHTS; w++) {
            velocity[w] = 0.9 * velocity[w] + gradient[w] + 1e-4 * weight[w];
            weight[w] -= 0.05 * velocity[w];
        }
    }
    double off = farthest(n.weight, weight, WEIGHTS);
    ok(off < 1e-5, "ten steps as in double precision (off by %.2g)", off);
    ok(trained.epochs == 10 && isnan(trained.check), "and nothing is held out");

    recipe.rate = 1e9;
    ok(cdp_train(&n, &e, NULL, &recipe, &trained, &err) && strstr(err.text, "the loss is"),
       "a loss that is not finite: %s", err.text);
    cdp_network_free(&n);
    cdp_examples_free(&e);
}

static double loss_of(const struct cdp_network *n, const struct cdp_examples *e, double factor)
{
    float got[PAIRS];
    double sum = 0, weight = 0;
    cdp_network_margins(n, e->row, e->count, got, 1, NULL);
    for (size_t p = 0; p < e->count; p++) {
        sum += (double)e->weight[p] * cdp_cross_entropy(factor * (double)got[p], e->same[p]);
        weight += (double)e->weight[p];
    }
    return sum / weight;
}

static void test_patience_and_temperature(void)
{
    // Few examples and many epochs: it learns them by heart, and errs the more elsewhere.
    struct cdp_examples few = make_examples(20, 0), check = make_examples(PAIRS, 1000);
    struct cdp_recipe recipe = {.epochs = 3000, .rate = 0.05, .patience = 100};
    struct cdp_trained patient, hasty;
    struct cdp_network n, m;
    float temperature;
    cdp_network_new(&n, INPUTS, 1, NULL);
    cdp_network_new(&m, INPUTS, 1, NULL);
    cdp_train(&n, &few, &check, &recipe, &patient, NULL);
    recipe.patience = 0;
    cdp_train(&m, &few, &check, &recipe, &hasty, NULL);
    ok(patient.epochs < 3000 && hasty.epochs == 3000 && patient.check < hasty.check,
       "patience keeps %llu epochs with loss %.3f, not %.3f", (unsigned long long)patient.epochs,
       patient.check, hasty.check);
    ok(fabs(loss_of(&n, &check, 1) - patient.check) < 1e-9, "and leaves the best network");

    cdp_calibrate(&m, &check, 1, &temperature, NULL);
    double best = loss_of(&m, &check, 1);
    ok(temperature > 1.1F && best < loss_of(&m, &check, 0.95) && best < loss_of(&m, &check, 1.05) &&
           best < hasty.check,
       "temperature %.3f is best", (double)temperature);
    cdp_network_free(&n);
    cdp_network_free(&m);
    cdp_examples_free(&few);
    cdp_examples_free(&check);
}

static void test_holding_out(void)
{
    enum { GROUPS = 500, MANY = 5000 };
    static uint32_t group[MANY];
    static uint8_t held[GROUPS], other[GROUPS];
    struct cdp_labels labels = {.items = MANY, .groups = GROUPS, .group = group};
    for (uint32_t i = 0; i < MANY; i++)
        group[i] = i < GROUPS ? i : (uint32_t)(uniform(i) * uniform(i + MANY) * GROUPS);
    cdp_hold_out(&labels, 0.2, 1, held, NULL);
    cdp_hold_out(&labels, 0.2, 2, other, NULL);
    int identities = 0, items = 0;
    for (int g = 0; g < GROUPS; g++)
        identities += held[g];
    for (int i = 0; i < MANY; i++)
        items += held[group[i]];
    ok(abs(identities - GROUPS / 5) < 2, "a fifth of the identities is held out");
    ok(abs(items - MANY / 5) < MANY / 50, "with %d of %d items, for all sizes are among them",
       items, MANY);
    ok(memcmp(held, other, GROUPS), "others by another seed");

    // The pairs that are held out, by weight, are of one identity as often as all are.
    struct cdp_examples learn = {.inputs = 1}, check = {.inputs = 1};
    const unsigned input = 0;
    double all[2] = {0};
    for (uint64_t i = 0; i < MANY; i++) {
        for (uint64_t j = i + 1; j < MANY && j < i + 40; j++) {
            const float value = 0, *column = &value;
            struct cdp_block block = {1, &i, &j, &column};
            cdp_examples_add(&learn, &block, &input, NULL);
            all[group[i] == group[j]]++;
        }
    }
    ok(!cdp_examples_split(&learn, &check, &labels, held, NULL), "labels");
    double share = cdp_examples_weight(&check, 1) /
                   (cdp_examples_weight(&check, 0) + cdp_examples_weight(&check, 1));
    ok(fabs(share / (all[1] / (all[0] + all[1])) - 1) < 0.2,
       "as many of one identity, %.4f, as in all", share);
    bool clean = true;
    for (size_t p = 0; p < learn.count; p++)
        clean = clean && !held[group[learn.item[p][0]]] && !held[group[learn.item[p][1]]];
    ok(clean, "nothing is learned from an identity that is held out");
    cdp_examples_free(&learn);
    cdp_examples_free(&check);
}

// Which pairs are learned from, which are held out and with which weight, and which are discarded.
static void test_splitting(void)
{
    // Identities 0 and 1 are held out; item 5 has no known one.
    uint32_t group[] = {0, 0, 1, 2, 3, CDP_NO_LABEL, 2};
    const uint8_t held[] = {1, 1, 0, 0};
    struct cdp_labels labels = {.items = 7, .groups = 4, .group = group};
    static const struct {
        uint64_t i, j;
        char set; // 'l'earn, 'c'heck, 'd'iscard
        uint8_t same;
        float weight;
    } pairs[] = {{0, 1, 'c', 1, 1}, {0, 2, 'c', 0, 1},    {0, 5, 'd', 0, 0}, {1, 3, 'c', 0, 0.5F},
                 {3, 4, 'l', 0, 1}, {2, 4, 'c', 0, 0.5F}, {3, 5, 'd', 0, 0}, {3, 6, 'l', 1, 1}};
    enum { COUNT = sizeof pairs / sizeof *pairs };
    struct cdp_examples learn = {.inputs = 2}, check = {.inputs = 2};
    const unsigned input[] = {1, 0};
    struct cdp_err err;
    for (size_t p = 0; p < COUNT; p++) {
        const float first = (float)p, second = (float)p + 100;
        const float *const column[] = {&first, &second};
        struct cdp_block block = {1, &pairs[p].i, &pairs[p].j, column};
        cdp_examples_add(&learn, &block, input, NULL);
    }
    ok(!cdp_examples_split(&learn, &check, &labels, held, &err), "pairs are labelled");
    size_t at[2] = {0}, right = 0;
    for (size_t p = 0; p < COUNT; p++) {
        if (pairs[p].set == 'd')
            continue;
        const struct cdp_examples *e = pairs[p].set == 'c' ? &check : &learn;
        size_t n = at[pairs[p].set == 'c']++;
        right += n < e->count && e->item[n][0] == pairs[p].i && e->item[n][1] == pairs[p].j &&
                 e->same[n] == pairs[p].same && e->weight[n] == pairs[p].weight &&
                 e->row[2 * n] == (float)p + 100 && e->row[2 * n + 1] == (float)p;
    }
    ok(right == at[0] + at[1] && learn.count == at[0] && check.count == at[1],
       "%zu to learn from, %zu held out, of these half the weight where one end is", learn.count,
       check.count);
    uint8_t chosen[4];
    labels.items = 6;
    ok(cdp_examples_split(&learn, &check, &labels, held, &err) &&
           !strcmp(err.text, "pair 3, 6, but there are only 6 labels"),
       "an item without a line: %s", err.text);
    ok(!cdp_hold_out(&labels, 0.5, 1, chosen, &err) &&
           chosen[0] + chosen[1] + chosen[2] + chosen[3] == 2,
       "identities are held out though an item has none");
    const uint64_t i = 1, j = UINT32_MAX;
    const float value = 0, *const column[] = {&value, &value};
    struct cdp_block block = {1, &i, &j, column};
    ok(cdp_examples_add(&learn, &block, input, &err) &&
           !strcmp(err.text, "pair 1, 4294967295: ids must be below 2^32 - 1"),
       "an id that is too large: %s", err.text);
    cdp_examples_free(&learn);
    cdp_examples_free(&check);
}

// Each point's figures, pair by pair and item by item.
static void test_points(void)
{
    struct cdp_examples e = make_examples(PAIRS, 0);
    static struct cdp_point point[CDP_POINTS];
    float probability[PAIRS];
    uint32_t group[ITEMS];
    uint8_t counted[3] = {1, 0, 1};
    struct cdp_labels labels = {.items = ITEMS, .groups = 3, .group = group};
    for (uint32_t i = 0; i < ITEMS; i++)
        group[i] = i % 10 == 7 ? CDP_NO_LABEL : i % 3;
    for (size_t p = 0; p < PAIRS; p++)
        probability[p] = (float)(p % 7 == 0 ? 0.5 : uniform(p + 9000) * (e.same[p] ? 1 : 0.8));
    cdp_points(&e, probability, &labels, counted, point, NULL);
    bool pairs = true, items = true, rising = true;
    for (int r = 0; r < CDP_POINTS; r++) {
        float t = point[r].threshold;
        double same = 0, kept = 0, all = 0, all_same = 0, linked = 0, pure = 0, found = 0, able = 0;
        rising = rising && (r == 0 || t > point[r - 1].threshold) && t > 0 && t < 1;
        for (size_t p = 0; p < PAIRS; p++) {
            double weight = (double)e.weight[p];
            all += weight;
            all_same += e.same[p] ? weight : 0;
            kept += probability[p] > t ? weight : 0;
            same += probability[p] > t && e.same[p] ? weight : 0;
        }
        for (uint32_t i = 0; i < ITEMS; i++) {
            int right = 0, wrong = 0, could = 0;
            for (size_t p = 0; p < PAIRS; p++) {
                if (e.item[p][0] != i && e.item[p][1] != i)
                    continue;
                could += e.same[p];
                right += e.same[p] && probability[p] > t;
                wrong += !e.same[p] && probability[p] > t;
            }
            if (group[i] == CDP_NO_LABEL || !counted[group[i]])
                continue;
            able += could > 0;
            found += right > 0;
            linked += right || wrong;
            pure += right && !wrong;
        }
        pairs = pairs && fabs((double)point[r].precision - (kept > 0 ? same / kept : 0)) < 1e-6 &&
                fabs((double)point[r].recall - same / all_same) < 1e-6 &&
                fabs((double)point[r].kept - kept / all) < 1e-6;
        items = items &&
                fabs((double)point[r].item_precision - (linked > 0 ? pure / linked : 0)) < 1e-6 &&
                fabs((double)point[r].item_recall - found / able) < 1e-6;
    }
    ok(rising && point[CDP_POINT_EVEN].threshold == 0.5F, "points rise, and one is at a half");
    ok(pairs, "precision, recall and share of the pairs");
    ok(items, "precision and recall of the items");
    const struct cdp_point *precise = cdp_point_precision(point, 0.8);
    ok(precise && precise->precision >= 0.8F && precise[-1].precision < 0.8F,
       "the lowest point of precision 0.8: %g", (double)precise->threshold);
    ok(!cdp_point_precision(point, 1.1), "and none of more than there is");
    for (int r = 0; r < CDP_POINTS; r++)
        point[r].fscore = r == 70 || r == 90 ? 0.75F : 0.5F;
    ok(cdp_point_best(point) == &point[70], "the best point is the lowest of the highest F");
    cdp_examples_free(&e);
}

static void test_file(void)
{
    enum { ROOM = 1 << 16 };
    static unsigned char bytes[ROOM];
    static struct cdp_mediator m, again;
    struct cdp_header features;
    struct cdp_output *output;
    struct cdp_err err;
    cdp_header_init(&features, CDP_FEATURES);
    features.columns = 3;
    features.k = 14;
    for (unsigned c = 0; c < 3; c++)
        snprintf(features.column[c], CDP_COLUMN_NAME, "affinity%u", c);
    ok(cdp_mediator_init(&m, &features, "affinity,structure", &err) < 0 &&
           strstr(err.text, "no column of group 'structure'; there are affinity0 affinity1"),
       "a group without columns: %s", err.text);
    ok(cdp_mediator_init(&m, &features, "affinity,affinity", &err) < 0 &&
           strstr(err.text, "named twice"),
       "a group named twice");
    ok(cdp_mediator_init(&m, &features, "relationship,affinity", &err) == 3,
       "one model has no relationships, and needs none");
    cdp_network_new(&m.network, 3, 9, NULL);
    m.held_out = true;
    m.temperature = 1.25F;
    for (int r = 0; r < CDP_POINTS; r++)
        m.point[r] = (struct cdp_point){(float)r, 1, 2, 3, 4, 5, 6};
    cdp_header_note(&m.header, NULL, "by a test");
    cdp_output_open(&output, "model", 1, &err);
    ok(!cdp_mediator_write(&m, output, &err) && !cdp_output_commit(output, &err),
       "a model is written");
    FILE *file = fopen("model", "rb");
    size_t size = file ? fread(bytes, 1, ROOM, file) : 0;
    if (file)
        fclose(file);
    ok(!cdp_mediator_read(&again, "model", NULL, &err) &&
           !memcmp(again.network.weight, m.network.weight, m.network.count * sizeof(float)) &&
           !memcmp(again.point, m.point, sizeof m.point) && again.temperature == m.temperature &&
           !strcmp(again.header.provenance, "by a test\n") && again.header.k == 14 &&
           again.input[2] == 2,
       "and read as it was: %zu bytes", size);
    cdp_mediator_free(&again);

    size_t refused = 0;
    for (size_t cut = 0; cut < size; cut++) {
        scratch_write("model", bytes, cut);
        refused += cdp_mediator_read(&again, "model", NULL, &err) == -1;
    }
    ok(refused == size, "cut anywhere, it is refused: %s", err.text);
    refused = 0;
    for (size_t at = 0; at < size; at++) {
        bytes[at] ^= (unsigned char)(1 << at % 8);
        scratch_write("model", bytes, size);
        refused += cdp_mediator_read(&again, "model", NULL, &err) == -1;
        bytes[at] ^= (unsigned char)(1 << at % 8);
    }
    ok(refused == size, "with any bit flipped, too");
    // Damage that the checksum does not tell of is refused too, or makes another sound model.
    static unsigned char other[ROOM];
    int sound = 0;
    for (uint64_t n = 0; n < 3000; n++) {
        memcpy(other, bytes, size);
        for (uint64_t f = 0; f < 1 + n % 3; f++) {
            uint64_t r = cdp_random(n, f);
            other[20 + r % (n % 2 ? 120 : size - 28)] = (unsigned char)(r >> 40);
        }
        cdp_put_le(other + size - 8, 8, XXH64(other, size - 8, 0));
        scratch_write("model", other, size);
        if (!cdp_mediator_read(&again, "model", NULL, &err)) {
            sound += again.network.inputs <= again.header.columns;
            cdp_mediator_free(&again);
        } else {
            sound += strstr(err.text, "model: ") == err.text;
        }
    }
    ok(sound == 3000, "damage behind a good checksum");
    bytes[8] = 7;
    scratch_write("model", bytes, size);
    ok(cdp_mediator_read(&again, "model", NULL, &err) < 0, "another version");
    is_text(err.text, "model: a model of version 7; this program knows version 2: train again",
            "says so");
    unlink("model");
    cdp_mediator_free(&m);
    cdp_header_free(&features);
}

int main(void)
{
    scratch_enter();
    test_first_weights();
    test_network();
    test_training();
    test_patience_and_temperature();
    test_holding_out();
    test_splitting();
    test_points();
    test_file();
    scratch_leave();
    return done();
}
