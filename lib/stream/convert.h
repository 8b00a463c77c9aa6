// SPDX-License-Identifier: MIT
#ifndef CDP_CONVERT_H
#define CDP_CONVERT_H

#include <stdint.h>

#include "base/err.h"
#include "io/output.h"
#include "stream/list.h"
#include "stream/stream.h"
#include "stream/tsv.h"

// Conversion of edges from and to other formats. Edges from an item to itself are dropped and
// counted in the list, except the first entry of each row of idx. A value that is not finite is an
// error.

// Adds the edges of a text file to the list. If ids of an automatic form turn out to be names, all
// ids of the list become ids of names, and form->named is set.
int cdp_list_from_text(struct cdp_list *list, const char *name, struct cdp_text_form *form,
                       struct cdp_err *err);

// Adds the pairs of an npy: n x 3, two ids and a score; or n x 2, with n scores in the file
// `scores`, which is NULL otherwise.
int cdp_list_from_npy(struct cdp_list *list, const char *name, const char *scores,
                      struct cdp_err *err);

// Adds the entries of a Matrix Market file: coordinate; real, integer or pattern (value 1); general
// or symmetric. Rows and columns of a square matrix are the same items. In an r x c matrix that is
// not square, row i is item i and column j is item r + j. Raises *nodes to the number of items.
int cdp_list_from_mtx(struct cdp_list *list, const char *name, uint64_t *nodes,
                      struct cdp_err *err);

// Adds the edges of an npz, and sets their type: neighbour lists (arrays idx and dist, n x k) as
// CDP_KNN, without self and the padding of -1, raising *nodes to n; scored pairs (arrays pairs, n x
// 2, and scores) as CDP_PAIRS; a scipy.sparse matrix in the format csr, csc or coo as CDP_PAIRS,
// like a Matrix Market file.
int cdp_list_from_npz(struct cdp_list *list, const char *name, enum cdp_type *type, uint64_t *nodes,
                      struct cdp_err *err);

// Writes the rest of a stream as such an npz: a knn stream with self first at distance 0 and short
// lists padded with -1; others as pairs with their first column. Memory: the whole stream.
int cdp_stream_to_npz(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err);

// Writes the rest of a stream as a Matrix Market file of its first column: a knn stream as a
// general matrix, others as a symmetric one. Memory: the whole stream.
int cdp_stream_to_mtx(struct cdp_reader *reader, struct cdp_output *output, struct cdp_err *err);

#endif
