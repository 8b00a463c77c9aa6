// SPDX-License-Identifier: MIT
#ifndef CDP_CONFIG_H
#define CDP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool.h"

// The original config.yaml: its keys and values (keys.c), its syntax (yaml.c), the data that it
// names (data.c), where these are (files.c), and the variables that are made of it (variables.c).

// ---- problems, and texts

extern const char *config; // the configuration's name
extern int problems;       // how many were reported

// Reports a problem of a line of the configuration, or of the whole (0).
void wrong(size_t line, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool ends(const char *text, const char *end);

// ---- keys

enum { MOST_NAMES = CDP_MOST_TEXTS - 1 };

enum kind { NAME, NAMES, PATH, COUNT, REAL, TRUTH, STRATEGY, GROUPS, ANYTHING };

enum { NO_SECTION, VOTE, MEDIATOR, PROPAGATION, SECTIONS };

struct key {
    int section;
    const char *name;
    enum kind kind;
    double min, max;
    const char *value; // as variables have it; NULL = not given
    size_t line;
};

enum {
    BASE,
    COMMITTEE,
    DATA_NAME,
    FEAT_DIM,
    K,
    THE_STRATEGY,
    EVALUATION,
    ACCEPT_NUM,
    VOTE_THRESHOLD,
    TRAIN_DATA_NAME,
    MEDIATOR_THRESHOLD,
    INPUT,
    FORCE_RETRAIN,
    GPUS,
    MAX_SZ,
    STEP,
    MAX_ITER,
    KEYS
};

extern struct key keys[KEYS];
extern const char *const section_names[SECTIONS];

// "threshold of vote"
const char *called(const struct key *key);

// The value of a key: one scalar, or a list of them.
struct value {
    size_t line, count;
    bool list, quoted;
    const char *text[MOST_NAMES];
};

// Stores a value of the key, or reports what is wrong with it.
void take(struct key *key, const struct value *v);

// Reports an unknown key, with the nearest known one.
void unknown_key(int section, const char *name, size_t line);

// ---- YAML

// Reads the configuration into the keys.
void read_config(void);

// ---- files

extern const char *data_folder, *archive, *cache_name;

struct file {
    char *name;           // a file, or ARCHIVE:MEMBER; NULL = none
    uint64_t size, lines; // blank lines at the end are none
};

// Finds a data set's file where the original has it: in data/unlabeled, data/labeled or data, as a
// file, then as a member of the archive.
struct file look(const char *data_name, const char *rest);

// The places that were searched for a missing file.
char *places(const char *data_name, const char *rest);

// ---- data

// Takes the values of --dim, which must outlive the check. A wrong one is a usage error.
void read_dims(const struct cdp_texts *dims);

// Finds the base model, and the members where there is a committee.
void find_models(bool committee);

// Checks the features of all models and, with `meta`, the labels of a data set, and assigns their
// variables, whose names begin with `prefix`.
void check_data(const char *prefix, const char *data_name, bool meta);

// Checks and assigns the models' dimensions, after their data. The original has one dimension,
// feat_dim, for all models. Others are accepted if some model has feat_dim.
void check_dims(void);

// ---- variables

extern char *variables; // the text of all assignments so far; NULL = none

// Adds "NAME := VALUE", quoted for make.
void assign(const char *name, const char *value);

#endif
