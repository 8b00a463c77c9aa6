// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "io/input.h"
#include "tool.h"

// Checks an original config.yaml and the files that it names, and writes it as variables of
// pipelines/cdp.mk. Prints one line per problem.

static struct cdp_texts dims;

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "data",
     .arg = "FOLDER",
     .group = "Input",
     .help = "folder that contains data_name",
     .value = &data_folder},
    {.type = CDP_OPTION_TEXT,
     .name = "archive",
     .arg = "FILE",
     .help = "archive to search for files not in the folder",
     .value = &archive},
    {.type = CDP_OPTION_TEXT,
     .name = "cache",
     .arg = "FILE",
     .help = "file in which to cache the archive's table of contents",
     .value = &cache_name},
    {.type = CDP_OPTION_TEXTS,
     .name = "dim",
     .arg = "MODEL=N",
     .help = "numbers per row of a model, instead of feat_dim; repeatable",
     .value = &dims,
     .not_file = true},
    {0},
};

static const struct tool tool = {
    .name = "cdp-config",
    .summary = "Checks an original config.yaml and its files, and writes cdp.mk variables",
    .synopsis = "[OPTION]... CONFIG.yaml",
    .example = "cdp-config experiments/emore_u200k_single/config.yaml\n",
    .options = options,
};

// ---- output

static char *output_text;

static void assign(const char *name, const char *value)
{
    // $() expands to nothing, and protects blanks and backslashes at either end.
    char *quoted = keep(malloc(strlen(value) * 2 + 1)), *to = quoted;
    for (const char *at = value; *at; at++) {
        size_t slashes = strspn(at, "\\");
        if (at[slashes] == '#') {
            for (size_t i = 0; i < 2 * slashes + 1; i++)
                *to++ = '\\';
            at += slashes;
        } else if (*at == '$') {
            *to++ = '$';
        }
        *to++ = *at;
    }
    *to = '\0';
    bool plain = !value[strcspn(value, "\t\\$#")] && *value != ' ' && !ends(value, " ");
    char *text = plain ? join("%s%s := %s\n", output_text ? output_text : "", name, quoted)
                       : join("%s%s := $()%s$()\n", output_text ? output_text : "", name, quoted);
    output_text = text;
}

// ---- files

// A base or committee model. The dimension is that of --dim, or inferred from its first file; 0 =
// not known yet.
struct model {
    const char *name;
    uint64_t dim;
    char *by_lines; // how the dimension follows from the lines of a list; NULL if it does not
};

static struct model models[MOST_NAMES + 1];
static size_t model_count;
static uint64_t feat_dim;
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
    for (size_t i = 0; i < dims.count; i++) {
        const char *equals = strrchr(dims.text[i], '=');
        if ((size_t)(equals - dims.text[i]) == strlen(name) &&
            !strncmp(dims.text[i], name, strlen(name)))
            model->dim = strtoull(equals + 1, NULL, 10);
    }
}

static void check_dim_options(void)
{
    for (size_t i = 0; i < dims.count; i++) {
        const char *equals = strrchr(dims.text[i], '=');
        char *end = NULL;
        uint64_t dim = equals ? strtoull(equals + 1, &end, 10) : 0;
        if (!equals || equals == dims.text[i] || equals[1] < '0' || equals[1] > '9' || *end ||
            dim < 1 || dim > 1000000)
            tool_usage("--dim: MODEL=N, with N from 1 to 1000000, is wanted, not '%s'",
                       dims.text[i]);
    }
}

static void find_models(bool committee)
{
    if (keys[BASE].value)
        add_model(keys[BASE].value);
    char *rest = committee && keys[COMMITTEE].value ? keep(strdup(keys[COMMITTEE].value)) : NULL;
    for (const char *name; rest && (name = strsep(&rest, " "));) {
        if (*name)
            add_model(name);
    }
}

// Checks the features of one model: whole rows, as many as the data set has items.
static void check_features(const char *prefix, const char *data_name, struct model *model,
                           struct extent *data)
{
    char *rest = join("features/%s.bin", model->name);
    struct file file = look(data_name, rest);
    if (!file.name) {
        wrong(0, "%s: no such file: %s", model->name, places(data_name, rest));
        return;
    }
    assign(join("%sfeatures_%s", prefix, model->name), file.name);
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
        model->by_lines =
            join("%s: %" PRIu64 " numbers a row by the size of %s and the %" PRIu64 " lines of %s",
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

static void check_data(const char *prefix, const char *data_name, bool meta)
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
        assign(join("%smeta", prefix), truth.name);
    if (data.items && keys[K].value && strtoull(keys[K].value, NULL, 10) > data.items)
        wrong(keys[K].line, "k: %s with the item itself, but %s has %" PRIu64 " items only",
              keys[K].value, data.of, data.items);
}

// The original has one dimension, feat_dim, for all models. Other dimensions are accepted if some
// model has feat_dim.
static void check_dims(void)
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
            assign(join("dim_%s", model->name), join("%" PRIu64, model->dim));
    }
}

static void require(int which)
{
    if (!keys[which].line)
        wrong(0, "%s is missing", called(&keys[which]));
}

static size_t words(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, " "); *text; count++) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return count;
}

static void assign_key(const char *name, int which)
{
    if (keys[which].value)
        assign(name, keys[which].value);
}

static void check(void)
{
    const char *strategy = keys[THE_STRATEGY].value ? keys[THE_STRATEGY].value : "";
    bool vote = !strcmp(strategy, "vote"), mediator = !strcmp(strategy, "mediator"),
         truth = !strcmp(strategy, "groundtruth");
    static const int always[] = {BASE, DATA_NAME, FEAT_DIM, K, THE_STRATEGY};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        require(always[i]);
    if (vote) {
        require(ACCEPT_NUM);
        require(VOTE_THRESHOLD);
    }
    if (mediator) {
        require(TRAIN_DATA_NAME);
        require(MEDIATOR_THRESHOLD);
        require(INPUT);
        if (keys[COMMITTEE].value && !*keys[COMMITTEE].value)
            wrong(keys[COMMITTEE].line, "committee: the mediator judges by one, and it is empty");
        else
            require(COMMITTEE);
    }
    size_t members_wanted = keys[COMMITTEE].value ? words(keys[COMMITTEE].value) : 0;
    if (vote && keys[ACCEPT_NUM].value &&
        strtoull(keys[ACCEPT_NUM].value, NULL, 10) > members_wanted)
        wrong(keys[ACCEPT_NUM].line, "accept_num of vote: %s, but the committee has %zu members",
              keys[ACCEPT_NUM].value, members_wanted);

    const char *slash = strrchr(config, '/');
    assign("output", slash ? join("%.*s/output", (int)(slash - config), config) : "output");
    assign_key("base", BASE);
    assign_key("committee", COMMITTEE);
    assign_key("dim", FEAT_DIM);
    assign_key("k", K);
    assign_key("strategy", THE_STRATEGY);
    assign_key("accept", ACCEPT_NUM);
    assign_key("threshold", mediator ? MEDIATOR_THRESHOLD : VOTE_THRESHOLD);
    assign_key("input", INPUT);
    assign_key("max_size", MAX_SZ);
    assign_key("step", STEP);
    assign_key("max_iter", MAX_ITER);
    assign("forced_stop", "merge"); // as the original does
    assign("evaluation", keys[EVALUATION].value ? keys[EVALUATION].value : "no");
    feat_dim = keys[FEAT_DIM].value ? strtoull(keys[FEAT_DIM].value, NULL, 10) : 0;
    find_models(vote || mediator);
    if (keys[DATA_NAME].value) {
        assign_key("data", DATA_NAME);
        bool evaluated = keys[EVALUATION].value && !strcmp(keys[EVALUATION].value, "yes");
        check_data("", keys[DATA_NAME].value, truth || evaluated);
    }
    if (mediator && keys[TRAIN_DATA_NAME].value) {
        assign_key("train_data", TRAIN_DATA_NAME);
        check_data("train_", keys[TRAIN_DATA_NAME].value, true);
    }
    check_dims();
    if (mediator && keys[FORCE_RETRAIN].value && !strcmp(keys[FORCE_RETRAIN].value, "yes"))
        tool_warn("%s: force_retrain is ignored: the same data, options and seed train the same "
                  "model",
                  cdp_input_shown(config));
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, 1);
    config = argv[first];
    check_dim_options();
    read_config();
    check();
    if (problems)
        exit(1);
    struct cdp_output *output = tool_output(false);
    struct cdp_err err;
    tool_check(cdp_output_write(output, output_text, strlen(output_text), &err), &err);
    tool_finish(output);
}
