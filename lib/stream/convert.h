// SPDX-License-Identifier: MIT
#ifndef CDP_CONVERT_H
#define CDP_CONVERT_H

#include <stdint.h>

#include "base/err.h"
#include "io/output.h"
#include "stream/list.h"
#include "stream/stream.h"
#include "stream/tsv.h"

// Edges from files of other formats and to them. Edges from an item to itself are left out and
// counted in the list, except where each row of idx names its own item. A value that is not finite
// is an error.

// Adds the edges of a text file to the list. Where an automatic form's ids turn out to be names,
// all ids of the list become those of names, and form->named is set.
int cdp_list_from_text(struct cdp_list *list, const char *name, struct cdp_text_form *form,
                       struct cdp_err *err);

// Adds the pairs of an npy: n x 3, two ids and a score; or n x 2 with the n scores in a second
// file, which is NULL otherwise.
int cdp_list_from_npy(struct cdp_list *list, const char *name, const char *scores,
                      struct cdp_err *err);

// Adds the entries of a Matrix Market file: coordinate, real, integer or pattern, general or
// symmetric; a pattern's values are 1. Rows and columns of a square matrix are the same items. Of a
// matrix of r x c that is not square, row i is item i and column j item r + j. *nodes is raised to
// the number of items.
int cdp_list_from_mtx(struct cdp_list *list, const char *name, uint64_t *nodes,
                      struct cdp_err *err);

// Adds the edges of an npz, and sets their type: neighbour lists, arrays idx and dist of n x k,
// as CDP_KNN without each item itself and the padding of -1, and *nodes = n where it is smaller; or
// scored pairs, arrays pairs (n x 2) and scores, as CDP_PAIRS; or the entries of a scipy.sparse
// matrix in the formats csr, csc or coo, as CDP_PAIRS and as those of a Matrix Market file.
int cdp_list_from_npz(struct cdp_list *list, const char *name, enum cdp_type *type, uint64_t *nodes,
                      struct cdp_err *err);

// Writes the rest of a stream as such an npz: a knn stream with each item itself first at distance
// 0, short lists padded with ids and distances of -1; others as pairs with their first column.
// Memory: the whole stream.
int cdp_stream_to_npz(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err);

// Writes the rest of a stream as a Matrix Market file of the first column's values: a knn stream as
// a general matrix, others as a symmetric one. Memory: the whole stream.
int cdp_stream_to_mtx(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err);

#endif
