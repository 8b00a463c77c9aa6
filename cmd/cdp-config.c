// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "tool.h"

// The original system's config.yaml, checked with all the files that it names, as variables of
// pipelines/cdp.mk. Whatever is wrong is told, a line each.

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_TEXT,
     .name = "data",
     .arg = "FOLDER",
     .help = "where data_name is looked for (data)",
     .value = &data_folder},
    {.type = CDP_OPTION_TEXT,
     .name = "archive",
     .arg = "FILE",
     .help = "where it is looked for next (data.tar.gz)",
     .value = &archive},
    {.type = CDP_OPTION_TEXT,
     .name = "cache",
     .arg = "FILE",
     .help = "remember there what the archive holds",
     .value = &cache_name},
    {0},
};

static const struct tool tool = {
    .name = "cdp-config",
    .summary = "Checks an original config.yaml and its files, and writes variables for cdp.mk",
    .synopsis = "[OPTION]... CONFIG.yaml",
    .example = "cdp-config experiments/emore_u200k_single/config.yaml\n",
    .options = options,
};

// ---- what is written

static char *output_text;

static void assign(const char *name, const char *value)
{
    // $() is nothing, and keeps blanks and backslashes at either end.
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

// The features of one model: they must be whole rows, as many as everything else has.
static void check_features(const char *prefix, const char *data_name, const char *model,
                           uint64_t dim, uint64_t *rows, const char **of)
{
    char *rest = join("features/%s.bin", model);
    struct file file = look(data_name, rest);
    if (!file.name) {
        wrong(0, "%s: no such file: %s", model, places(data_name, rest));
        return;
    }
    assign(join("%sfeatures_%s", prefix, model), file.name);
    if (!dim)
        return;
    if (!file.size || file.size % (dim * 4)) {
        wrong(0,
              "%s: %" PRIu64 " bytes, but rows of feat_dim = %" PRIu64 " float32 numbers are "
              "%" PRIu64 " bytes each",
              file.name, file.size, dim, dim * 4);
        return;
    }
    uint64_t count = file.size / (dim * 4);
    if (!*of) {
        *rows = count;
        *of = file.name;
    } else if (count != *rows) {
        wrong(0, "%s: %" PRIu64 " rows, but %s has %" PRIu64, file.name, count, *of, *rows);
    }
}

static void check_data(const char *prefix, const char *data_name, bool members_too, bool meta)
{
    uint64_t rows = 0, dim = keys[FEAT_DIM].value ? strtoull(keys[FEAT_DIM].value, NULL, 10) : 0;
    const char *of = NULL;
    struct file list = look(data_name, "list.txt");
    if (list.name) {
        rows = list.lines;
        of = list.name;
    }
    if (keys[BASE].value)
        check_features(prefix, data_name, keys[BASE].value, dim, &rows, &of);
    if (members_too && keys[COMMITTEE].value) {
        char *names = keep(strdup(keys[COMMITTEE].value)), *rest = names, *seen = join(" %s ", "");
        for (const char *model; (model = strsep(&rest, " "));) {
            char *word = join(" %s ", model);
            if (*model && strcmp(model, keys[BASE].value ? keys[BASE].value : "") &&
                !strstr(seen, word))
                check_features(prefix, data_name, model, dim, &rows, &of);
            seen = join("%s%s ", seen, model);
        }
    }
    if (meta) {
        struct file truth = look(data_name, "meta.txt");
        if (!truth.name)
            wrong(0, "%s: no such file: %s",
                  *prefix ? "the labels of the training data" : "evaluation is True",
                  places(data_name, "meta.txt"));
        else if (of && truth.lines != rows)
            wrong(0, "%s: %" PRIu64 " lines, but %s has %" PRIu64 " items", truth.name, truth.lines,
                  of, rows);
        else
            assign(join("%smeta", prefix), truth.name);
    }
    if (rows && keys[K].value && strtoull(keys[K].value, NULL, 10) > rows)
        wrong(keys[K].line, "k: %s with the item itself, but %s has %" PRIu64 " items only",
              keys[K].value, of, rows);
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
    if (keys[DATA_NAME].value) {
        assign_key("data", DATA_NAME);
        bool evaluated = keys[EVALUATION].value && !strcmp(keys[EVALUATION].value, "yes");
        check_data("", keys[DATA_NAME].value, vote || mediator, truth || evaluated);
    }
    if (mediator && keys[TRAIN_DATA_NAME].value) {
        assign_key("train_data", TRAIN_DATA_NAME);
        check_data("train_", keys[TRAIN_DATA_NAME].value, true, true);
    }
    if (mediator && keys[FORCE_RETRAIN].value && !strcmp(keys[FORCE_RETRAIN].value, "yes"))
        tool_warn("%s: force_retrain: training again would give the same model, since the same "
                  "data, options and seed do; one that is kept is used",
                  config);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 1, 1);
    config = argv[first];
    read_config();
    check();
    if (problems)
        exit(1);
    struct cdp_output *output = tool_output(false);
    struct cdp_err err;
    tool_check(cdp_output_write(output, output_text, strlen(output_text), &err), &err);
    tool_finish(output);
}
