// SPDX-License-Identifier: MIT
#include "cluster/models.h"

#include <string.h>
#include <unistd.h>

#include "io/labels.h"
#include "io/matrix.h"
#include "names.h"
#include "text.h"
#include "tool.h"

// The number of labels; 0 if they have names, since some may be of other items.
static uint64_t count_labels(const char *name)
{
    struct cdp_labels labels;
    struct cdp_err err;
    tool_check(cdp_labels_read(&labels, name, false, &err), &err);
    uint64_t items = labels.names ? 0 : labels.items;
    cdp_labels_free(&labels);
    return items;
}

static uint64_t count_names(const char *name)
{
    struct cdp_names *names;
    struct cdp_err err;
    tool_check(cdp_names_read(&names, name, &err), &err);
    uint64_t items = cdp_names_count(names);
    cdp_names_free(names);
    return items;
}

void models_check_previous(const char *name, const char *ids)
{
    struct cdp_labels labels;
    struct cdp_err err;
    tool_check(cdp_labels_read(&labels, name, true, &err), &err);
    if (labels.names && !ids)
        tool_fail("%s: its labels have names: --ids gives the items theirs", name);
    if (!labels.names && ids)
        tool_fail("%s: its labels have no names, but the items have: expected NAME<tab>LABEL on "
                  "each line: paste %s %s makes these",
                  name, ids, name);
    cdp_labels_free(&labels);
}

// The number of items by the files of a data set; 0 if there are none.
static uint64_t count_beside(const char *features)
{
    static const struct {
        const char *name;
        uint64_t (*count)(const char *name);
    } files[] = {{"meta.txt", count_labels}, {"list.txt", count_names}};
    const char *last = strrchr(features, '/');
    uint64_t items = 0;
    for (int i = 0; i < 2 && !items; i++) {
        const char *path =
            text_join("%.*s../%s", last ? (int)(last + 1 - features) : 0, features, files[i].name);
        if (!access(path, R_OK))
            items = files[i].count(path);
    }
    return items;
}

static int measure(struct model *model, uint64_t *items, struct cdp_err *err)
{
    struct cdp_matrix matrix;
    if (cdp_matrix_open(&matrix, model->features, CDP_FORMAT_AUTO, model->dim, *items, err))
        return -1;
    model->dim = matrix.dim;
    model->measured = true;
    *items = matrix.rows;
    cdp_matrix_close(&matrix);
    return 0;
}

// Of a raw file's rows and numbers a row one follows from the other, so files that need the number
// of items come after those that tell it.
uint64_t models_measure(struct model *models, int count, const char *ids, const char *truth)
{
    struct cdp_err err;
    uint64_t items = ids ? count_names(ids) : truth ? count_labels(truth) : 0;
    const char *file = items ? (ids ? ids : truth) : NULL; // what tells the number of items
    for (int m = 0; m < count; m++)
        measure(&models[m], &items, &err);
    if (!items)
        items = count_beside(models[0].features);
    for (int m = 0; m < count; m++) {
        if (models[m].measured || !measure(&models[m], &items, &err))
            continue;
        struct cdp_err other;
        uint64_t rows = 0; // without a number of items
        const char *hint =
            file && !measure(&models[m], &rows, &other) ? names_hint(items, rows) : "";
        tool_fail("%s%s%s%s", err.text, file ? ", by " : "", file ? file : "", hint);
    }
    return items;
}
