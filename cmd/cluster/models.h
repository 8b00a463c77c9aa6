// SPDX-License-Identifier: MIT
#ifndef CDP_CLUSTER_MODELS_H
#define CDP_CLUSTER_MODELS_H

#include <stdbool.h>
#include <stdint.h>

// A model: its features and its neighbour lists.
struct model {
    const char *features;
    char *lists;
    uint64_t dim;  // numbers a row; 0: not known yet
    bool measured; // the file has rows of `dim` numbers
};

// Sets each model's numbers a row and returns the number of items, which all must have. The number
// of items is that of the file of names or of true labels, if one is given (NULL: not), or of any
// features but raw ones; otherwise that of meta.txt or list.txt beside the folder of the first
// features, as data/README.md lays data out. Exits with a message if a file does not fit.
uint64_t models_measure(struct model *models, int count, const char *ids, const char *truth);

// Exits with a message unless earlier labels have names where items have (`ids`: not NULL).
void models_check_previous(const char *previous, const char *ids);

#endif
