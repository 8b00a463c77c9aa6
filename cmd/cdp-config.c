// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "io/input.h"
#include "text.h"
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

// ---- keys

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
    assign("output", slash ? text_join("%.*s/output", (int)(slash - config), config) : "output");
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
    read_dims(&dims);
    read_config();
    check();
    if (problems)
        exit(1);
    struct cdp_output *output = tool_output(false);
    struct cdp_err err;
    tool_check(cdp_output_write(output, variables, strlen(variables), &err), &err);
    tool_finish(output);
}
