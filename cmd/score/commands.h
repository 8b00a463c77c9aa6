// SPDX-License-Identifier: MIT
#ifndef CDP_SCORE_COMMANDS_H
#define CDP_SCORE_COMMANDS_H

#include "score/score.h"
#include "tool.h"

// The commands of cdp-score, and what they share: the neighbour lists of a base model and of a
// committee in, one stream of pairs out. Failures end the program.

// What one run reads and writes.
struct job {
    struct cdp_output *output;
    struct cdp_header header; // of the output
    struct cdp_writer *writer;
    struct cdp_names *names; // of the items; NULL = none of the lists has names
    struct cdp_table base;
    uint64_t rows[2]; // pairs whose smaller id is in rows[0] .. rows[1] - 1
};

extern const struct tool vote_tool, consensus_tool, features_tool, truth_tool;

// Each takes the operands: the base model's file first, then `count` - 1 members' files.
void run_vote(char **files, int count);
void run_consensus(char **files, int count);
void run_features(char **files, int count);
void run_truth(char **files, int count);

// Opens the output and reads the base model's lists. The job covers all rows.
void job_open(struct job *job, enum cdp_type type, const char *base);

// Notes the options as they are now, and the base's lists, in the output's provenance.
void job_note_base(struct job *job);

// Reads a member's lists, which must be of the base's items. They are the caller's.
void job_read_member(struct job *job, struct cdp_table *member, const char *name);

// Opens the features of the base's items and notes their digest.
void job_open_features(struct job *job, struct cdp_matrix *matrix, const char *name);

// Fails unless a table has the lists of the rows needed[0] .. needed[1] - 1; both 0 = of all rows.
void require_rows(const struct cdp_table *table, const char *name, const uint64_t needed[2]);

// Memory for a flag for each edge of the base.
uint8_t *allocate_flags(const struct job *job);

// Starts the output stream by the header, once all lists are read.
void job_begin_pairs(struct job *job);

// A cdp_pair_sink that writes to the job's stream.
int job_write_pair(void *job, uint64_t i, uint64_t j, const float *values, struct cdp_err *err);

// Writes the pairs of the base's edges whose flag is set.
void job_write_flagged(struct job *job, const uint8_t *keep);

// Ends the stream, frees the job and commits the output.
void job_finish(struct job *job);

#endif
