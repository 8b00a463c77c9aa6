// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "io/input.h"
#include "text.h"

// The features and labels that a configuration names: sizes, dimensions, numbers of items.

static const struct cdp_texts *dims; // of --dim

// A base or committee model. The dimension is that of --dim, or inferred from its first file; 0 =
// not known yet.
struct model {
    const char *name;
    uint64_t dim;
    char *by_lines; // how the dimension follows from the lines of a list; NULL if it does not
};

static struct model models[MOST_NAMES + 1];
static size_t model_count;
static uint64_t feat_dim;   // of the configuration; 0 = not known
static bool feat_dim_found; // some model has it

// A data set's number of items, and the file it is known from (NULL = not known yet).
struct extent {
    uint64_t items;
    const char *of;
    bool lines;
};

static void add_model(const char *name)
{
    for (size_t i = 0; i < model_count; i++) {
        if (!strcmp(models[i].name, name))
            return;
    }
    struct model *model = &models[model_count++];
    model->name = name;
    for (size_t i = 0; i < dims->count; i++) {
        const char *equals = strrchr(dims->text[i], '=');
        if ((size_t)(equals - dims->text[i]) == strlen(name) &&
            !strncmp(dims->text[i], name, strlen(name)))
            model->dim = strtoull(equals + 1, NULL, 10);
    }
}

void read_dims(const struct cdp_texts *given)
{
    dims = given;
    for (size_t i = 0; i < dims->count; i++) {
        const char *equals = strrchr(dims->text[i], '=');
        char *end = NULL;
        uint64_t dim = equals ? strtoull(equals + 1, &end, 10) : 0;
        if (!equals || equals == dims->text[i] || equals[1] < '0' || equals[1] > '9' || *end ||
            dim < 1 || dim > 1000000)
            tool_usage("--dim: MODEL=N, with N from 1 to 1000000, is wanted, not '%s'",
                       dims->text[i]);
    }
}

void find_models(bool committee)
{
    feat_dim = keys[FEAT_DIM].value ? strtoull(keys[FEAT_DIM].value, NULL, 10) : 0;
    if (keys[BASE].value)
        add_model(keys[BASE].value);
    char *rest =
        committee && keys[COMMITTEE].value ? text_keep(strdup(keys[COMMITTEE].value)) : NULL;
    for (const char *name; rest && (name = strsep(&rest, " "));) {
        if (*name)
            add_model(name);
    }
}

// Checks the features of one model: whole rows, as many as the data set has items.
static void check_features(const char *prefix, const char *data_name, struct model *model,
                           struct extent *data)
{
    char *rest = text_join("features/%s.bin", model->name);
    struct file file = look(data_name, rest);
    if (!file.name) {
        wrong(0, "%s: no such file: %s", model->name, places(data_name, rest));
        return;
    }
    assign(text_join("%sfeatures_%s", prefix, model->name), file.name);
    if (!feat_dim)
        return;
    uint64_t dim = model->dim ? model->dim : feat_dim, items = file.size / (dim * 4);
    bool whole = file.size && file.size % (dim * 4) == 0;
    if (whole && (!data->of || items == data->items)) {
        if (!data->of)
            *data = (struct extent){.items = items, .of = file.name};
        model->dim = dim;
        feat_dim_found = feat_dim_found || dim == feat_dim;
    } else if (!model->dim && data->lines && file.size && file.size % (data->items * 4) == 0) {
        model->dim = file.size / (data->items * 4);
        model->by_lines = text_join(
            "%s: %" PRIu64 " numbers a row by the size of %s and the %" PRIu64 " lines of %s",
            model->name, model->dim, file.name, data->items, data->of);
    } else if (!whole) {
        wrong(0,
              "%s: %" PRIu64 " bytes, but rows of %s = %" PRIu64 " float32 numbers are "
              "%" PRIu64 " bytes each",
              file.name, file.size, dim == feat_dim ? "feat_dim" : "its dimension", dim, dim * 4);
    } else {
        wrong(0, "%s: %" PRIu64 " rows, but %s has %" PRIu64, file.name, items, data->of,
              data->items);
    }
}

void check_data(const char *prefix, const char *data_name, bool meta)
{
    struct extent data = {0};
    struct file list = look(data_name, "list.txt"), truth = look(data_name, "meta.txt");
    struct file counted = list.name ? list : truth;
    if (counted.name && counted.lines)
        data = (struct extent){counted.lines, counted.name, true};
    else if (counted.name)
        wrong(0, "%s: no items", counted.name);
    for (size_t i = 0; i < model_count; i++)
        check_features(prefix, data_name, &models[i], &data);
    if (meta && !truth.name)
        wrong(0, "%s: no such file: %s",
              *prefix ? "the labels of the training data" : "evaluation is True",
              places(data_name, "meta.txt"));
    else if (meta && data.of && truth.lines != data.items)
        wrong(0, "%s: %" PRIu64 " lines, but %s has %" PRIu64 " items", truth.name, truth.lines,
              data.of, data.items);
    else if (meta)
        assign(text_join("%smeta", prefix), truth.name);
    if (data.items && keys[K].value && strtoull(keys[K].value, NULL, 10) > data.items)
        wrong(keys[K].line, "k: %s with the item itself, but %s has %" PRIu64 " items only",
              keys[K].value, data.of, data.items);
}

void check_dims(void)
{
    for (size_t i = 0; i < model_count; i++) {
        const struct model *model = &models[i];
        if (model->by_lines && feat_dim_found)
            tool_warn("%s: %s, not feat_dim = %" PRIu64, cdp_input_shown(config), model->by_lines,
                      feat_dim);
        else if (model->by_lines)
            wrong(keys[FEAT_DIM].line, "feat_dim: %" PRIu64 ", but no model has it: %s", feat_dim,
                  model->by_lines);
        if (model->dim && model->dim != feat_dim)
            assign(text_join("dim_%s", model->name), text_join("%" PRIu64, model->dim));
    }
}
