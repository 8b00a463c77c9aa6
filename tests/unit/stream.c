// SPDX-License-Identifier: MIT
// What the writer refuses, what the reader refuses behind good checksums, and blocks of any size.
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/bytes.h"
#include "scratch.h"
#include "stream/frame.h"
#include "tap.h"

static struct cdp_err err;

struct edge {
    uint64_t source, target;
    float value;
};

// Writes the edges; returns what the first call that fails does.
static int write_stream(const char *name, enum cdp_type type, uint64_t nodes, int threads,
                        const struct edge *edge, size_t edges)
{
    struct cdp_output *output;
    struct cdp_writer *writer;
    struct cdp_header header;
    cdp_header_init(&header, type);
    header.nodes = nodes;
    if (cdp_output_open(&output, name, 1, &err) ||
        cdp_writer_open(&writer, output, &header, 3, threads, &err))
        scratch_fail(name);
    int status = 0;
    for (size_t e = 0; !status && e < edges; e++)
        status = cdp_writer_add(writer, edge[e].source, edge[e].target, &edge[e].value, &err);
    if (!status)
        status = cdp_writer_finish(writer, NULL, &err);
    cdp_writer_free(writer);
    if (status)
        cdp_output_abandon(output);
    else
        status = cdp_output_commit(output, &err);
    return status;
}

static void test_refusals(void)
{
    static const struct {
        enum cdp_type type;
        struct edge edge[2];
        const char *text;
    } cases[] = {
        {CDP_PAIRS, {{0, 1, 0.5F}, {1, 1, 0.5F}}, "edge 1, 1: it joins a node to itself"},
        {CDP_PAIRS, {{0, 1, 0.5F}, {2, 1, 0.5F}}, "edge 2, 1: its ids are not in ascending order"},
        {CDP_PAIRS, {{0, 2, 0.5F}, {0, 1, 0.5F}}, "edge 0, 1: it is not above the edge before"},
        {CDP_PAIRS, {{0, 2, 0.5F}, {0, 2, 0.5F}}, "edge 0, 2: it is not above the edge before"},
        {CDP_KNN, {{3, 1, 0.5F}, {2, 1, 0.5F}}, "edge 2, 1: its source is below the one before"},
        {CDP_KNN,
         {{3, 1, 0.5F}, {3, 2, 0.25F}},
         "edge 3, 2: its distance is below the one before: lists must be nearest first"},
        {CDP_PAIRS,
         {{0, 1, 0.5F}, {0, 9, 0.5F}},
         "edge 0, 9: an id is not below the number of nodes, 9"},
        {CDP_PAIRS, {{0, 1, 0.5F}, {0, 2, NAN}}, "edge 0, 2: score nan is not finite"},
        {CDP_KNN, {{0, 1, 0.5F}, {0, 2, INFINITY}}, "edge 0, 2: distance inf is not finite"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        if (!write_stream("refused", cases[c].type, 9, 1, cases[c].edge, 2))
            scratch_fail("an edge that should be refused is not");
        is_text(err.text, cases[c].text, "the writer refuses an edge");
    }
    ok(access("refused", F_OK) != 0, "and leaves no file");
}

// Reads a stream to its end, comparing it with the edges.
static bool reads(const char *name, int threads, const struct edge *edge, size_t edges)
{
    struct cdp_reader *reader;
    struct cdp_block block;
    size_t at = 0;
    int status;
    bool same = true;
    if (cdp_reader_open(&reader, name, ~0U, "", threads, &err))
        return false;
    while ((status = cdp_reader_next(reader, &block, &err)) > 0) {
        for (size_t e = 0; e < block.edges; e++, at++)
            same &= at < edges && block.source[e] == edge[at].source &&
                    block.target[e] == edge[at].target && block.value[0][e] == edge[at].value;
    }
    same &= status == 0 && at == edges && cdp_reader_totals(reader)->edges == edges;
    cdp_reader_close(reader);
    return same;
}

static void test_sizes(void)
{
    enum { MOST = 3 * CDP_BLOCK_EDGES };
    static const size_t sizes[] = {
        0, 1, CDP_BLOCK_EDGES - 1, CDP_BLOCK_EDGES, CDP_BLOCK_EDGES + 1, MOST};
    struct edge *edge = malloc(MOST * sizeof *edge);
    if (!edge)
        scratch_fail("edges");
    // A node with more pairs than a block, then others; ids beyond 32 bits.
    for (size_t e = 0; e < MOST; e++) {
        uint64_t source = e < 100000 ? 7 : 7 + ((uint64_t)e << 20);
        edge[e] = (struct edge){source, source + 1 + 3 * e, (float)(e % 1000) / 1000};
    }
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            bool same = !write_stream("sized", CDP_PAIRS, 0, threads, edge, sizes[s]) &&
                        reads("sized", 1, edge, sizes[s]) && reads("sized", 3, edge, sizes[s]);
            ok(same, "%zu edges, written by %d threads", sizes[s], threads);
        }
    }
    free(edge);
    unlink("sized");
}

static struct cdp_writer *open_rows(struct cdp_output **output, uint64_t rows, int threads)
{
    struct cdp_writer *writer = NULL;
    struct cdp_header header;
    cdp_header_init(&header, CDP_KNN);
    header.nodes = rows;
    if (cdp_output_open(output, "rows", 1, &err) ||
        cdp_writer_open(&writer, *output, &header, 3, threads, &err))
        scratch_fail("rows");
    return writer;
}

// Neighbours row by row are as edge by edge, also where a row ends a block or is refused.
static void test_rows(void)
{
    enum { ROWS = 9000, MOST = 40 };
    static const struct {
        uint64_t source;
        uint32_t target[2];
        float distance[2];
        const char *text;
    } refused[] = {
        {5, {0, 5}, {1, 1}, "edge 5, 5: it joins a node to itself"},
        {5, {0, ROWS}, {1, 1}, "edge 5, 9000: an id is not below the number of nodes, 9000"},
        {5, {0, 1}, {1, NAN}, "edge 5, 1: distance nan is not finite"},
        {3, {0, 1}, {1, 1}, "edge 3, 0: its source is below the one before"},
    };
    struct edge *edge = malloc((size_t)ROWS * MOST * sizeof *edge);
    struct cdp_output *output;
    if (!edge)
        scratch_fail("edges");
    for (int threads = 1; threads <= 3; threads += 2) {
        struct cdp_writer *writer = open_rows(&output, ROWS, threads);
        size_t edges = 0;
        int status = 0;
        for (uint32_t row = 0; row < ROWS; row++) {
            uint32_t target[MOST], count = row % (MOST + 1);
            float distance[MOST];
            for (uint32_t i = 0; i < count; i++) {
                target[i] = (row + 1 + i * i) % ROWS;
                distance[i] = (float)(row % 100 + i);
                edge[edges++] = (struct edge){row, target[i], distance[i]};
            }
            status |= cdp_writer_add_row(writer, row, target, distance, count, &err);
        }
        status |= cdp_writer_finish(writer, NULL, &err);
        cdp_writer_free(writer);
        status |= cdp_output_commit(output, &err);
        ok(!status && edges > 2 * CDP_BLOCK_EDGES && reads("rows", 1, edge, edges),
           "%zu edges by rows, written by %d threads", edges, threads);
    }
    free(edge);
    for (size_t c = 0; c < sizeof refused / sizeof *refused; c++) {
        struct cdp_writer *writer = open_rows(&output, ROWS, 1);
        const uint32_t before[] = {7};
        const float distance[] = {1};
        err.text[0] = 0;
        if (cdp_writer_add_row(writer, 5, before, distance, 1, &err) ||
            !cdp_writer_add_row(writer, refused[c].source, refused[c].target, refused[c].distance,
                                2, &err))
            scratch_fail("a row that should be refused is not");
        is_text(err.text, refused[c].text, "the writer refuses a row");
        cdp_writer_free(writer);
        cdp_output_abandon(output);
    }
    unlink("rows");
}

// A stream whose only block has these raw data, with all sums right, or with the one of the content
// or of the data wrong.
enum wrong { RIGHT, WRONG_CONTENT, WRONG_DATA };

static void write_hostile(const unsigned char *raw, uint32_t size, uint32_t edges, uint32_t runs,
                          uint64_t first, enum wrong wrong)
{
    struct cdp_header header;
    struct cdp_announce announce = {
        .edges = edges, .runs = runs, .raw_size = size, .first_source = first};
    unsigned char *bytes = malloc(CDP_MAX_FRAME + 1000), *at = bytes, data[500];
    if (!bytes)
        scratch_fail("hostile");
    cdp_header_init(&header, CDP_PAIRS);
    header.nodes = 100;
    announce.data_size = (uint32_t)ZSTD_compress(data, sizeof data, raw, size, 1);
    announce.content = XXH64(raw, size, 0) ^ (wrong == WRONG_CONTENT);
    announce.data = XXH64(data, announce.data_size, 0) ^ (wrong == WRONG_DATA);
    at += cdp_frame_header(at, &header);
    at += cdp_frame_announce(at, &announce);
    memcpy(at, data, announce.data_size);
    at += announce.data_size;
    scratch_write("hostile", bytes, (size_t)(at - bytes));
    free(bytes);
}

// One pair, 3 and 5, of score 0.5: gaps, lengths, targets by gap, values.
#define ONE_PAIR 0, 0, 2, 1, 1, 0, 4, 0, 0, 0, 0x3F

static void test_hostile(void)
{
    static const struct {
        unsigned char raw[16];
        uint32_t size, edges, runs;
        uint64_t first;
        const char *text;
    } cases[] = {
        {{ONE_PAIR},
         11,
         1,
         1,
         3,
         "hostile: block 1: the stream ends without its end mark: the file is cut, or the program "
         "that wrote it failed"},
        {{ONE_PAIR}, 10, 1, 1, 3, "hostile: block 0: the columns do not fit the announced sizes"},
        {{ONE_PAIR}, 12, 1, 1, 3, "hostile: block 0: the columns do not fit the announced sizes"},
        {{ONE_PAIR}, 11, 2, 1, 3, "hostile: block 0: the columns do not fit the announced sizes"},
        {{0, 0, 7, 1, 1, 0, 4, 0, 0, 0, 0x3F},
         11,
         1,
         1,
         3,
         "hostile: block 0: the columns do not fit the announced sizes"},
        {{0, 0, 2, 1, 1, 0, 4, 0, 0, 0xC0, 0x7F},
         11,
         1,
         1,
         3,
         "hostile: block 0: a value is not finite"},
        {{0, 0, 0, 1, 2, 0, 4, 0, 0, 0, 0x3F},
         11,
         1,
         1,
         3,
         "hostile: block 0: the edges are not in the order of a pairs stream"},
        {{0, 0, 2, 1, 1, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0x3F, 0x3F},
         16,
         2,
         2,
         3,
         "hostile: block 0: the edges are not in the order of a pairs stream"},
        {{1, 1, 0, 2, 1, 1, 0, 4, 0, 0, 0, 0x3F},
         12,
         1,
         1,
         3,
         "hostile: block 0: the edges are not in the order of a pairs stream"},
        {{ONE_PAIR},
         11,
         1,
         1,
         98,
         "hostile: block 0: an edge names node 100, but there are only 100 nodes"},
        {{ONE_PAIR},
         11,
         1,
         2,
         3,
         "hostile: block 0: the block's sizes contradict each other: the file is damaged"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        write_hostile(cases[c].raw, cases[c].size, cases[c].edges, cases[c].runs, cases[c].first,
                      RIGHT);
        err.text[0] = 0;
        ok(!reads("hostile", 1, NULL, 0), "hostile data %zu are refused", c);
        is_text(err.text, cases[c].text, "and told");
    }
    static const unsigned char pair[] = {ONE_PAIR};
    write_hostile(pair, sizeof pair, 1, 1, 3, WRONG_CONTENT);
    ok(!reads("hostile", 1, NULL, 0), "a wrong checksum of the content is refused");
    is_text(err.text, "hostile: block 0: the content is not the one announced", "and told");
    write_hostile(pair, sizeof pair, 1, 1, 3, WRONG_DATA);
    ok(!reads("hostile", 1, NULL, 0), "a wrong checksum of the data is refused");
    is_text(err.text, "hostile: block 0: checksum mismatch: the file is damaged", "and told");
    unlink("hostile");
}

// ---- frames with right checksums that contradict each other

struct bytes {
    unsigned char *at;
    size_t size;
};

static void put(struct bytes *b, const void *bytes, size_t size)
{
    memcpy(b->at + b->size, bytes, size);
    b->size += size;
}

// A block of pairs (i, i + 1), i from `first` on.
static struct cdp_announce put_typed(struct bytes *b, enum cdp_type type, uint64_t first,
                                     size_t edges)
{
    static unsigned char raw[1 << 21], data[1 << 21], frame[CDP_MAX_FRAME];
    static struct cdp_cuts cuts;
    struct cdp_announce announce = {0};
    struct cdp_edges e;
    if (cdp_edges_init(&e, 1, &err))
        scratch_fail("edges");
    e.count = edges;
    for (size_t i = 0; i < edges; i++) {
        e.source[i] = first + i;
        e.target[i] = first + i + 1;
        e.value[0][i] = 0.5F;
    }
    cdp_block_encode(type, &e, raw, &announce, &cuts);
    cdp_edges_free(&e);
    announce.data_size = (uint32_t)ZSTD_compress(data, sizeof data, raw, announce.raw_size, 1);
    announce.content = XXH64(raw, announce.raw_size, 0);
    announce.data = XXH64(data, announce.data_size, 0);
    put(b, frame, cdp_frame_announce(frame, &announce));
    put(b, data, announce.data_size);
    return announce;
}

static struct cdp_announce put_block(struct bytes *b, uint64_t first, size_t edges)
{
    return put_typed(b, CDP_PAIRS, first, edges);
}

// A part of names, of whose data so many bytes are missing; wrong as above.
static void put_names(struct bytes *b, const char *const *name, uint32_t count, int cut,
                      enum wrong wrong)
{
    static unsigned char raw[1000], data[2000], frame[CDP_MAX_FRAME];
    struct cdp_announce_names announce = {.names = count, .raw_size = 2 * count};
    for (uint32_t n = 0; n < count; n++) {
        size_t length = strlen(name[n]);
        cdp_put_le(raw + 2 * (size_t)n, 2, length);
        memcpy(raw + announce.raw_size, name[n], length);
        announce.raw_size += (uint32_t)length;
    }
    announce.raw_size -= (uint32_t)cut;
    announce.data_size = (uint32_t)ZSTD_compress(data, sizeof data, raw, announce.raw_size, 1);
    announce.content = XXH64(raw, announce.raw_size, 0) ^ (wrong == WRONG_CONTENT);
    announce.data = XXH64(data, announce.data_size, 0) ^ (wrong == WRONG_DATA);
    put(b, frame, cdp_frame_names(frame, &announce));
    put(b, data, announce.data_size);
}

static void check_frames(struct bytes *b, const char *text)
{
    scratch_write("frames", b->at, b->size);
    err.text[0] = 0;
    ok(!reads("frames", 2, NULL, 0), "refused: %s", text);
    char wanted[300];
    snprintf(wanted, sizeof wanted, "frames: %s", text);
    is_text(err.text, wanted, "and told");
    b->size = 0;
}

static void put_header(struct bytes *b, bool named, uint64_t nodes)
{
    static unsigned char frame[CDP_MAX_FRAME];
    struct cdp_header header;
    cdp_header_init(&header, CDP_PAIRS);
    header.named = named;
    header.nodes = nodes;
    put(b, frame, cdp_frame_header(frame, &header));
}

static void test_frames(void)
{
    static unsigned char frame[CDP_MAX_FRAME];
    struct bytes b = {malloc(8 << 20), 0};
    static const char *const abc[] = {"a", "b", "c"}, *const aba[] = {"a", "b", "a"};
    static const char *const tab[] = {"a", "x\ty", "c"}, *const empty[] = {"a", "", "c"};
    if (!b.at)
        scratch_fail("frames");

    put_header(&b, false, 0);
    put_block(&b, 0, 10);
    put_block(&b, 10, 10);
    check_frames(&b, "block 1: a block follows a short one: the file is damaged");
    put_header(&b, false, 0);
    put_block(&b, 0, CDP_BLOCK_EDGES);
    put_block(&b, 9, 10);
    put(&b, frame, cdp_frame_end(frame, &(struct cdp_totals){0}));
    check_frames(&b, "block 1: the edges are not in the order of a pairs stream");
    put_header(&b, false, 10);
    put_block(&b, 0, 10);
    put(&b, frame, cdp_frame_end(frame, &(struct cdp_totals){0}));
    check_frames(&b, "block 0: an edge names node 10, but there are only 10 nodes");

    struct {
        const char *const *name;
        int cut;
        enum wrong wrong;
        const char *text;
    } cases[] = {
        {abc, 0, WRONG_CONTENT, "block 1: the names are not those announced: the file is damaged"},
        {abc, 0, WRONG_DATA, "block 1: names: checksum mismatch: the file is damaged"},
        {abc, 1, RIGHT, "block 1: the lengths of the names exceed their data: the file is damaged"},
        {abc, -1, RIGHT,
         "block 1: the lengths of the names fall short of their data: the file is damaged"},
        {aba, 0, RIGHT, "block 1: two nodes have the name 'a': the file is damaged"},
        {tab, 0, RIGHT, "block 1: expected " CDP_NAME_WANTED ": the file is damaged"},
        {empty, 0, RIGHT, "block 1: expected " CDP_NAME_WANTED ": the file is damaged"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        put_header(&b, true, 3);
        put_block(&b, 0, 2);
        put_names(&b, cases[c].name, 3, cases[c].cut, cases[c].wrong);
        check_frames(&b, cases[c].text);
    }
    put_header(&b, true, 3);
    put_names(&b, abc, 3, 0, RIGHT);
    put_block(&b, 0, 2);
    check_frames(&b, "block 0: a block follows names: the file is damaged");
    put_header(&b, false, 3);
    put_block(&b, 0, 2);
    put_names(&b, abc, 3, 0, RIGHT);
    check_frames(&b, "block 1: names that the header does not announce: the file is damaged");

    // Lists of rows 2 to 4, and those of a row before and one behind.
    for (uint64_t first = 1; first <= 3; first++) {
        struct cdp_header header;
        cdp_header_init(&header, CDP_KNN);
        header.nodes = 9;
        header.rows[0] = 2;
        header.rows[1] = 5;
        put(&b, frame, cdp_frame_header(frame, &header));
        put_typed(&b, CDP_KNN, first, 3);
        put(&b, frame, cdp_frame_end(frame, &(struct cdp_totals){0}));
        check_frames(&b, first == 2 ? "block 1: the end mark does not fit what is before it: the "
                                      "file is damaged"
                                    : "block 0: neighbours of rows other than 2:5");
    }
    free(b.at);
    unlink("frames");
}

// Streams of two pairs of three nodes whose end mark has the right digest: names that are fewer
// than the nodes, or not those that it names.
static void test_named_end(void)
{
    static unsigned char frame[CDP_MAX_FRAME];
    static const char *const abc[] = {"a", "b", "c"};
    static const struct edge pairs[] = {{0, 1, 0.5F}, {1, 2, 0.5F}};
    struct bytes b = {malloc(8 << 20), 0};
    XXH64_state_t *state = XXH64_createState();
    if (!b.at || !state)
        scratch_fail("frames");
    for (uint32_t c = 0; c < 3; c++) {
        uint32_t count = c == 1 ? 2 : 3;
        struct cdp_names *names;
        struct cdp_header header;
        uint64_t id;
        cdp_header_init(&header, CDP_PAIRS);
        header.named = true;
        header.nodes = 3;
        cdp_names_new(&names, &err);
        for (uint32_t n = 0; n < count; n++)
            cdp_names_add(names, abc[n], 1, &id, &err);
        put_header(&b, true, 3);
        struct cdp_announce announce = put_block(&b, 0, 2);
        put_names(&b, abc, count, 0, RIGHT);
        struct cdp_totals end = {.edges = 2,
                                 .blocks = 1,
                                 .nodes = 3,
                                 .floor = 0.5F,
                                 .ceiling = 0.5F,
                                 .names = cdp_names_digest(names) + (c == 2)};
        cdp_names_free(names);
        XXH64_reset(state, 0);
        cdp_digest_block(state, &announce);
        end.digest = cdp_digest_seal(state, &header, &end);
        put(&b, frame, cdp_frame_end(frame, &end));
        if (c > 0) {
            check_frames(&b, "block 1: the end mark does not fit what is before it: the file is "
                             "damaged");
            continue;
        }
        scratch_write("frames", b.at, b.size);
        b.size = 0;
        ok(reads("frames", 1, pairs, 2), "as many names as nodes, with their digest");
    }
    XXH64_freeState(state);
    free(b.at);
    unlink("frames");
}

// A stream whose end mark contradicts what is before it in one field.
static void test_end_mark(void)
{
    static unsigned char frame[CDP_MAX_FRAME];
    struct bytes b = {malloc(8 << 20), 0};
    if (!b.at)
        scratch_fail("frames");
    for (int field = 0; field < 8; field++) {
        put_header(&b, false, 0);
        struct cdp_announce announce = put_block(&b, 0, 10);
        struct cdp_totals totals = {
            .edges = 10, .blocks = 1, .nodes = 11, .floor = 0.5F, .ceiling = 0.5F};
        struct cdp_header header;
        cdp_header_init(&header, CDP_PAIRS);
        totals.edges += field == 1;
        totals.blocks += field == 2;
        totals.nodes += field == 3;
        totals.floor -= field == 4 ? 0.25F : 0;
        totals.ceiling += field == 5 ? 0.25F : 0;
        totals.names = field == 6;
        XXH64_state_t *state = XXH64_createState();
        XXH64_reset(state, 0);
        cdp_digest_block(state, &announce);
        totals.digest = cdp_digest_seal(state, &header, &totals) ^ (field == 7);
        XXH64_freeState(state);
        put(&b, frame, cdp_frame_end(frame, &totals));
        if (field) {
            check_frames(&b, "block 1: the end mark does not fit what is before it: the file is "
                             "damaged");
        } else {
            struct edge edge[10];
            for (uint64_t i = 0; i < 10; i++)
                edge[i] = (struct edge){i, i + 1, 0.5F};
            scratch_write("frames", b.at, b.size);
            ok(reads("frames", 1, edge, 10), "a right end mark");
            b.size = 0;
        }
    }
    free(b.at);
    unlink("frames");
}

// ---- names and rows

struct part {
    const char *names; // with blanks between; NULL = none
    uint64_t nodes;    // of a knn stream in which each row of `rows` has one neighbour
    uint64_t rows[2];
    float scale;
};

// Appends a stream to the file `name`, made anew where `first`.
static int append_part(const char *name, bool first, const struct part *part)
{
    struct cdp_header header;
    struct cdp_names *names = NULL;
    struct cdp_output *output;
    struct cdp_writer *writer;
    uint64_t id;
    char text[64] = "", *at = text;
    cdp_header_init(&header, CDP_KNN);
    header.nodes = part->nodes;
    header.rows[0] = part->rows[0];
    header.rows[1] = part->rows[1];
    header.scale = part->scale;
    header.named = part->names != NULL;
    if (part->names && cdp_names_new(&names, &err))
        scratch_fail("names");
    snprintf(text, sizeof text, "%s", part->names ? part->names : "");
    for (char *word; part->names && (word = strsep(&at, " "));)
        if (*word && cdp_names_add(names, word, strlen(word), &id, &err))
            scratch_fail("a name");
    if (cdp_output_open(&output, "part", 1, &err) ||
        cdp_writer_open(&writer, output, &header, 3, 1, &err))
        scratch_fail(name);
    uint64_t last = part->rows[1] ? part->rows[1] : part->nodes;
    int status = 0;
    for (uint64_t i = part->rows[0]; !status && i < last; i++) {
        float distance = 0.5F;
        status = cdp_writer_add(writer, i, i ? 0 : 1, &distance, &err);
    }
    cdp_writer_names(writer, names);
    if (!status)
        status = cdp_writer_finish(writer, NULL, &err);
    cdp_writer_free(writer);
    if (status)
        cdp_output_abandon(output);
    else
        status = cdp_output_commit(output, &err);
    cdp_names_free(names);
    char command[64];
    snprintf(command, sizeof command, "cat part %s %s", first ? ">" : ">>", name);
    if (!status && system(command))
        scratch_fail(command);
    return status;
}

// Reads a file to its end: the number of names, their digest and the rows; -1 after an error.
static int64_t read_parts(const char *name, uint64_t *digest, uint64_t rows[2])
{
    struct cdp_reader *reader;
    struct cdp_block block;
    int status;
    if (cdp_reader_open(&reader, name, ~0U, "", 2, &err))
        return -1;
    while ((status = cdp_reader_next(reader, &block, &err)) > 0)
        continue;
    const struct cdp_names *names = cdp_reader_names(reader);
    int64_t count = status ? -1 : names ? (int64_t)cdp_names_count(names) : 0;
    *digest = cdp_reader_totals(reader)->digest;
    memcpy(rows, cdp_reader_header(reader)->rows, 2 * sizeof *rows);
    cdp_reader_close(reader);
    return count;
}

static void test_parts(void)
{
    static const struct {
        struct part part[2];
        int parts;
        int64_t names;
        uint64_t rows[2];
        const char *text;
    } cases[] = {
        {{{"a b c", 3, {0, 0}, 0}}, 1, 3, {0, 0}, ""},
        {{{"a b c", 3, {0, 0}, 0}, {"a b c d", 4, {0, 0}, 0}}, 2, 4, {0, 0}, ""},
        {{{"a b c d", 4, {0, 0}, 0}, {"a b", 2, {0, 0}, 0}}, 2, 4, {0, 0}, ""},
        {{{"a b c", 3, {0, 0}, 0}, {"a x c", 3, {0, 0}, 0}},
         2,
         -1,
         {0, 0},
         "parts: stream 2 of the file: node 1 is named 'x', but 'b' before"},
        {{{"a b c", 3, {0, 0}, 0}, {NULL, 3, {0, 0}, 0}},
         2,
         -1,
         {0, 0},
         "parts: stream 2 of the file has another type, metric, scale or columns than the first, "
         "or only one of them has names"},
        {{{NULL, 3, {0, 0}, 0.5F}, {NULL, 3, {0, 0}, 0.75F}},
         2,
         -1,
         {0, 0},
         "parts: stream 2 of the file has another type, metric, scale or columns than the first, "
         "or only one of them has names"},
        {{{NULL, 9, {2, 5}, 0}}, 1, 0, {2, 5}, ""},
        {{{NULL, 9, {2, 5}, 0}, {NULL, 9, {5, 9}, 0}}, 2, 0, {2, 9}, ""},
        {{{NULL, 9, {0, 5}, 0}, {NULL, 9, {5, 9}, 0}}, 2, 0, {0, 0}, ""},
        {{{NULL, 9, {0, 5}, 0}, {NULL, 9, {6, 9}, 0}},
         2,
         -1,
         {0, 0},
         "parts: stream 2 of the file has the neighbours of rows 6:9, but row 5 is next: lay the "
         "parts end to end in the order of their rows"},
        {{{NULL, 9, {0, 5}, 0}, {NULL, 9, {0, 0}, 0}},
         2,
         -1,
         {0, 0},
         "parts: stream 2 of the file has the neighbours of rows 0:0, but row 5 is next: lay the "
         "parts end to end in the order of their rows"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        uint64_t digest, rows[2] = {0};
        for (int p = 0; p < cases[c].parts; p++) {
            if (append_part("parts", p == 0, &cases[c].part[p]))
                scratch_fail(err.text);
        }
        err.text[0] = 0;
        int64_t names = read_parts("parts", &digest, rows);
        ok(names == cases[c].names && (names < 0 || !memcmp(rows, cases[c].rows, sizeof rows)),
           "streams end to end, case %zu", c);
        is_text(err.text, cases[c].text, "and the error");
    }
    uint64_t digest[4], rows[2];
    static const struct part parts[] = {{NULL, 3, {0, 0}, 0},
                                        {"a b c", 3, {0, 0}, 0},
                                        {"a b d", 3, {0, 0}, 0},
                                        {NULL, 3, {0, 0}, 1}};
    for (int p = 0; p < 4; p++) {
        if (append_part("parts", true, &parts[p]) || read_parts("parts", &digest[p], rows) < 0)
            scratch_fail(err.text);
        for (int q = 0; q < p; q++)
            ok(digest[p] != digest[q], "the digest depends on names and scale: %d, %d", p, q);
    }
    ok(append_part("parts", true, &(struct part){"a b", 3, {0, 0}, 0}), "too few names");
    is_text(err.text, "2 names for 3 nodes", "and the error");
    ok(append_part("parts", true, &(struct part){NULL, 3, {1, 2}, 0}) == 0, "a row");
    unlink("part");
    unlink("parts");
}

// More names than a part of the raw data holds, of the shortest and the longest kind.
static void test_many_names(void)
{
    enum { NAMES = 300000 };
    static char longest[UINT16_MAX + 1];
    struct cdp_names *names;
    struct cdp_output *output;
    struct cdp_writer *writer = NULL;
    struct cdp_header header;
    uint64_t id, rows[2];
    memset(longest, 'x', sizeof longest);
    cdp_header_init(&header, CDP_PAIRS);
    header.named = true;
    header.nodes = NAMES + 20;
    if (cdp_names_new(&names, &err))
        scratch_fail("names");
    for (int n = 0; n < NAMES + 20; n++) {
        char name[16];
        int length = snprintf(name, sizeof name, "%x", (unsigned)n);
        int status = n < NAMES ? cdp_names_add(names, name, (size_t)length, &id, &err)
                               : cdp_names_add(names, longest,
                                               sizeof longest - (size_t)(n - NAMES + 1), &id, &err);
        if (status || id != (uint64_t)n)
            scratch_fail("a name");
    }
    ok(cdp_names_add(names, longest, sizeof longest, &id, &err) < 0, "a name that is too long");
    if (cdp_output_open(&output, "many", 1, &err) ||
        cdp_writer_open(&writer, output, &header, 3, 2, &err))
        scratch_fail("many");
    cdp_writer_names(writer, names);
    struct cdp_totals totals;
    int status = cdp_writer_finish(writer, &totals, &err);
    cdp_writer_free(writer);
    status |= cdp_output_commit(output, &err);
    uint64_t digest;
    ok(!status && read_parts("many", &digest, rows) == NAMES + 20 && digest == totals.digest,
       "many names, and the longest");
    cdp_names_free(names);
    unlink("many");
}

int main(void)
{
    scratch_enter();
    test_frames();
    test_named_end();
    test_end_mark();
    test_parts();
    test_many_names();
    test_refusals();
    test_sizes();
    test_rows();
    test_hostile();
    scratch_leave();
    return done();
}
