// SPDX-License-Identifier: MIT
#include "io/matrix.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "scratch.h"
#include "tap.h"

enum { ROOM = 64 };

#define BYTES(text) text, sizeof(text) - 1

// 1, 2, 3, -4, 0.5 and 1024 as float32, little-endian.
#define SIX                                                                                        \
    "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\xc0\x00\x00\x00\x3f\x00\x00\x80" \
    "\x44"
#define HEADER(type, order, shape) \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }     \n"

// What opening a file of these bytes gives, in words: the shape and the rows, or the error. Without
// a dimension a file named a.npy is opened as an array.
static const char *outcome(const char *name, const void *bytes, size_t size, uint64_t dim)
{
    static char text[sizeof(struct cdp_err)];
    struct cdp_matrix matrix;
    struct cdp_err err;
    scratch_write(name, bytes, size);
    int status = !dim && !strcmp(name, "a.npy")
                     ? cdp_array_open(&matrix, name, 0, &err)
                     : cdp_matrix_open(&matrix, name, CDP_FORMAT_AUTO, dim, 0, &err);
    unlink(name);
    if (status) {
        snprintf(text, sizeof text, "%s", err.text);
        return text;
    }
    int end = snprintf(text, sizeof text, "%" PRIu64 " x %" PRIu64 ":", matrix.rows, matrix.dim);
    for (uint64_t row = 0; row < matrix.rows && end < 900; row++) {
        float numbers[ROOM], room[ROOM];
        cdp_matrix_row_f32(&matrix, row, numbers);
        const float *again = cdp_matrix_row(&matrix, row, room);
        for (uint64_t d = 0; d < matrix.dim; d++) {
            bool same = !memcmp(&again[d], &numbers[d], sizeof again[d]);
            end += snprintf(text + end, sizeof text - (size_t)end, " %.9g%s", (double)numbers[d],
                            same ? "" : " (not what cdp_matrix_row gives)");
        }
        if (row + 1 < matrix.rows)
            end += snprintf(text + end, sizeof text - (size_t)end, ",");
    }
    cdp_matrix_close(&matrix);
    return text;
}

// An npy file of `version`, its header and its numbers; returns its size.
static size_t make_npy(unsigned char *file, int version, const char *header, const void *numbers,
                       size_t size)
{
    size_t length = strlen(header), start = version == 1 ? 10 : 12;
    memcpy(file, "\x93NUMPY", 6);
    memset(file + 6, 0, start - 6);
    file[6] = (unsigned char)version;
    file[8] = (unsigned char)length;
    memcpy(file + start, header, length);
    memcpy(file + start + length, numbers, size);
    return start + length + size;
}

static const struct {
    const char *what;
    int version;
    const char *header;
    const char *numbers;
    size_t size;
    const char *wanted;
} arrays[] = {
    {"float32", 1, HEADER("<f4", "False", "(2, 3)"), BYTES(SIX), "2 x 3: 1 2 3, -4 0.5 1024"},
    {"version 2", 2, HEADER("<f4", "False", "(3, 2)"), BYTES(SIX), "3 x 2: 1 2, 3 -4, 0.5 1024"},
    {"version 3, Fortran order", 3, HEADER("<f4", "True", "(2, 3)"), BYTES(SIX),
     "2 x 3: 1 3 0.5, 2 -4 1024"},
    {"one dimension", 1, HEADER("<f4", "False", "(6,)"), BYTES(SIX),
     "6 x 1: 1, 2, 3, -4, 0.5, 1024"},
    {"no rows", 1, HEADER("<f4", "False", "(0, 3)"), BYTES(""), "0 x 3:"},
    {"another order of keys, other blanks", 1,
     "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}", BYTES(SIX),
     "2 x 3: 1 2 3, -4 0.5 1024"},
    {"big-endian float32", 1, HEADER(">f4", "False", "(1, 2)"), BYTES("\x3f\x80\0\0\xc0\x80\0\0"),
     "1 x 2: 1 -4"},
    {"float16", 1, HEADER("<f2", "False", "(9,)"),
     BYTES("\x00\x3c\x00\xc0\xff\x7b\x01\x00\xff\x83\x00\x04\x00\x7c\x00\xfc\x00\x80"),
     "9 x 1: 1, -2, 65504, 5.96046448e-08, -6.09755516e-05, 6.10351562e-05, inf, -inf, -0"},
    {"float16 that is no number", 1, HEADER(">f2", "False", "(1,)"), BYTES("\x7e\x00"),
     "1 x 1: nan"},
    {"bfloat16", 1, HEADER("<V2", "False", "(4,)"), BYTES("\x80\x3f\x00\xc0\x80\x7f\x01\x3f"),
     "4 x 1: 1, -2, inf, 0.50390625"},
    {"float64", 1, HEADER("<f8", "False", "(1, 2)"),
     BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f\0\0\0\0\0\0\x59\xc0"), "1 x 2: 0.100000001 -100"},
    {"big-endian float64", 1, HEADER(">f8", "False", "(1, 1)"), BYTES("\xc0\x59\0\0\0\0\0\0"),
     "1 x 1: -100"},
    {"unsigned bytes", 1, HEADER("|u1", "False", "(1, 3)"), BYTES("\x00\x7f\xff"),
     "1 x 3: 0 127 255"},
    {"signed bytes", 1, HEADER("|i1", "False", "(1, 3)"), BYTES("\x00\x7f\xff"), "1 x 3: 0 127 -1"},
    {"int16", 1, HEADER("<i2", "False", "(2,)"), BYTES("\xfe\xff\x00\x01"), "2 x 1: -2, 256"},
    {"big-endian uint16", 1, HEADER(">u2", "False", "(2,)"), BYTES("\xff\xfe\x00\x01"),
     "2 x 1: 65534, 1"},
    {"int32", 1, HEADER("<i4", "False", "(1,)"), BYTES("\xfe\xff\xff\xff"), "1 x 1: -2"},
    {"uint32", 1, HEADER("<u4", "False", "(1,)"), BYTES("\x00\x00\x00\x80"),
     "1 x 1: 2.14748365e+09"},
    {"int64", 1, HEADER("<i8", "False", "(1,)"), BYTES("\xfd\xff\xff\xff\xff\xff\xff\xff"),
     "1 x 1: -3"},
    {"truth values", 1, HEADER("|b1", "False", "(1, 4)"), BYTES("\0\1\1\2"), "1 x 4: 0 1 1 1"},
    {"extents of Python 2", 1, HEADER("<f4", "False", "(2L, 3L)"), BYTES(SIX),
     "2 x 3: 1 2 3, -4 0.5 1024"},
    {"one extent of Python 2", 1, HEADER("<f4", "False", "(6L,)"), BYTES(SIX),
     "6 x 1: 1, 2, 3, -4, 0.5, 1024"},
    {"a type in double quotes", 1,
     "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3)}", BYTES(SIX),
     "a.npy: npy header, byte 1: expected descr, fortran_order and shape, each once"},
    {"uint64", 1, HEADER("<u8", "False", "(1,)"), BYTES("\0\0\0\0\0\0\0\x80"),
     "1 x 1: 9.22337204e+18"},

    {"too little data", 1, HEADER("<f4", "False", "(2, 4)"), BYTES(SIX),
     "a.npy: 2 x 4 numbers of 4 bytes, but 24 bytes of data, not 32"},
    {"too much data", 1, HEADER("<f4", "False", "(2, 2)"), BYTES(SIX),
     "a.npy: 2 x 2 numbers of 4 bytes, but 24 bytes of data, not 16"},
    {"more than memory can count", 1, HEADER("<f4", "False", "(4611686018427387905, 4)"),
     BYTES(SIX), "a.npy: 4611686018427387905 x 4 numbers are more than a file can hold"},
    {"an extent beyond 64 bits", 1, "{'shape': (18446744073709551616, 1)}", BYTES(SIX),
     "a.npy: npy header, byte 30: expected an extent below 2^64"},
    {"rows of nothing", 1, HEADER("<f4", "False", "(3, 0)"), BYTES(""),
     "a.npy: rows of no numbers"},
    {"three dimensions", 1, HEADER("<f4", "False", "(1, 2, 3)"), BYTES(SIX),
     "a.npy: expected 1 or 2 dimensions, got 3: use numpy.reshape"},
    {"no dimension", 1, HEADER("<f4", "False", "()"), BYTES("\0\0\0\0"),
     "a.npy: expected 1 or 2 dimensions, got 0: use numpy.reshape"},
    {"complex numbers", 1, HEADER("<c8", "False", "(1, 3)"), BYTES(SIX),
     "a.npy: expected numbers of float16/32/64, bfloat16, integers or bool, got '<c8': convert it "
     "with "
     "astype('float32')"},
    {"objects", 1, HEADER("|O", "False", "(24,)"), BYTES(SIX),
     "a.npy: expected numbers of float16/32/64, bfloat16, integers or bool, got Python objects"},
    {"structures", 1,
     "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (3,)}", BYTES(SIX),
     "a.npy: expected numbers of float16/32/64, bfloat16, integers or bool, got structures of "
     "several "
     "fields"},
    {"a header that ends in a key", 1, "{'shape': (6,), 'descr':", BYTES(""),
     "a.npy: npy header, byte 24: expected a type in quotes"},
    {"a header that ends in a type", 1, "{'descr': '<f", BYTES(""),
     "a.npy: npy header, byte 13: expected the end of the type"},
    {"a control character in the type", 1, "{'descr': '<\033f4'}", BYTES(""),
     "a.npy: npy header, byte 12: expected the end of the type"},
    {"a key twice", 1, "{'shape': (6,), 'shape': (6,)}", BYTES(SIX),
     "a.npy: npy header, byte 16: expected descr, fortran_order and shape, each once"},
    {"a key that nobody knows", 1, "{'descr': '<f4', 'order': 1}", BYTES(SIX),
     "a.npy: npy header, byte 17: expected descr, fortran_order and shape, each once"},
    {"a key that lacks", 1, "{'descr': '<f4', 'shape': (6,)}", BYTES(SIX),
     "a.npy: npy header, byte 31: expected descr, fortran_order and shape, each once"},
    {"an order between the two", 1, HEADER("<f4", "Maybe", "(6,)"), BYTES(SIX),
     "a.npy: npy header, byte 34: expected True or False"},
    {"a negative extent", 1, HEADER("<f4", "False", "(-6,)"), BYTES(SIX),
     "a.npy: npy header, byte 51: expected an extent of the shape"},
    {"a shape without commas", 1, HEADER("<f4", "False", "(2 3)"), BYTES(SIX),
     "a.npy: npy header, byte 53: expected ',' or ')'"},
    {"more than a dictionary", 1, HEADER("<f4", "False", "(6,)") "{}", BYTES(SIX),
     "a.npy: npy header, byte 63: expected nothing behind the dictionary"},
    {"a list", 1, "['<f4', False, (6,)]", BYTES(SIX),
     "a.npy: npy header, byte 0: expected a dictionary"},
    {"version 4", 4, HEADER("<f4", "False", "(6,)"), BYTES(SIX),
     "a.npy: not an npy file of version 1 to 3"},
};

#define ROW4 "\x04\0\0\0"

static const struct {
    const char *what;
    const char *name;
    const char *bytes;
    size_t size;
    uint64_t dim;
    const char *wanted;
} files[] = {
    {"raw", "a.bin", BYTES(SIX), 3, "2 x 3: 1 2 3, -4 0.5 1024"},
    {"fvecs", "a.fvecs", BYTES("\2\0\0\0\0\0\x80\x3f\0\0\0\x40\2\0\0\0\0\0\0\0\0\0\x80\xc0"), 0,
     "2 x 2: 1 2, 0 -4"},
    {"bvecs, as if packed", "a.bvecs.gz", BYTES(ROW4 "\1\2\3\xff" ROW4 "\0\0\0\7"), 4,
     "2 x 4: 1 2 3 255, 0 0 0 7"},

    {"empty file", "a.bin", BYTES(""), 3, "a.bin: the file is empty"},
    {"raw without a dimension", "a.bin", BYTES(SIX), 0, "a.bin: raw float32 needs --dim"},
    {"raw with another dimension", "a.bin", BYTES(SIX), 4,
     "a.bin: 24 bytes, no multiple of 16 (--dim 4 x 4): another --dim?"},
    {"raw with a dimension beyond the file", "a.bin", BYTES(SIX), UINT64_C(1) << 62,
     "a.bin: 24 bytes, fewer than a row's (--dim 4611686018427387904 x 4): another --dim?"},
    {"text", "a.bin", BYTES("0.5 0.25\n1 1.5\n"), 4,
     "a.bin: numbers in raw float32, npy, fvecs or bvecs are wanted, and this is text: convert it "
     "with numpy.save"},
    {"a Parquet file", "a.bin", BYTES("PAR1\x15\4\x15\x10\x15\x14\x4c\x15\2\x15\4"), 4,
     "a.bin: numbers in raw float32, npy, fvecs or bvecs are wanted, and this is a Parquet file: "
     "convert it with numpy.save"},
    {"an HDF5 file", "a.bin", BYTES("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"), 4,
     "a.bin: numbers in raw float32, npy, fvecs or bvecs are wanted, and this is an HDF5 file: "
     "convert it with numpy.save"},
    {"a pickle", "a.bin", BYTES("\x80\4\x95\x0b\0\0\0\0\0\0\0]\x94(K\1K\2e."), 4,
     "a.bin: numbers in raw float32, npy, fvecs or bvecs are wanted, and this is a Python pickle: "
     "convert it with numpy.save"},
    {"raw numbers named npy", "b.npy", BYTES(SIX), 3,
     "b.npy: not an npy file, though named so: --format raw if it is raw"},
    {"numbers in four letters each", "a.bin", BYTES("AAAA\0AAA"), 2,
     "1 x 2: 12.0784311 12.0783691"},
    {"an array of one dimension", "one.npy",
     BYTES("\x93NUMPY\1\0\x37\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}\1\2"), 0,
     "one.npy: an array of one dimension; rows of numbers are wanted: reshape it with "
     "numpy.reshape(a, (-1, DIM))"},
    {"npy cut in its magic's wake", "a.npy", BYTES("\x93NUMPY\1\0"), 0,
     "a.npy: not an npy file of version 1 to 3"},
    {"npy with a header beyond its end", "a.npy", BYTES("\x93NUMPY\2\0\xff\xff\xff\xff{}"), 0,
     "a.npy: an npy header of 4294967295 bytes, but the file has 2 more"},
    {"another dimension than asked for", "a.bvecs", BYTES(ROW4 "\1\2\3\4"), 5,
     "a.bvecs: rows of 4 numbers, but --dim is 5"},
    {"vecs too short for a dimension", "a.fvecs", BYTES("\4\0\0"), 0,
     "a.fvecs: row 0: expected its dimension, got 0 in a file of 3 bytes"},
    {"a negative dimension", "a.bvecs", BYTES("\xff\xff\xff\xff\1\2\3\4"), 0,
     "a.bvecs: row 0: expected its dimension, got -1 in a file of 8 bytes"},
    {"a dimension beyond the file", "a.fvecs", BYTES("\xff\xff\xff\x7f\1\2\3\4"), 0,
     "a.fvecs: row 0: expected its dimension, got 2147483647 in a file of 8 bytes"},
    {"rows of different dimensions", "a.bvecs",
     BYTES(ROW4 "\1\2\3\4" ROW4 "\1\2\3\4\3\0\0\0\1\2\3" ROW4 "\1\2\3\4"), 0,
     "a.bvecs: row 2: dimension 3, but row 0 has 4"},
    {"a cut row", "a.bvecs", BYTES(ROW4 "\1\2\3\4" ROW4 "\1\2\3"), 0,
     "a.bvecs: 15 bytes, no multiple of a row's 8 (4 + 4 x 1)"},
};

// Opens the bytes under `name`, which must do.
static bool open_bytes(struct cdp_matrix *matrix, const char *name, const void *bytes, size_t size,
                       uint64_t dim)
{
    struct cdp_err err = {""};
    scratch_write(name, bytes, size);
    int status = cdp_matrix_open(matrix, name, CDP_FORMAT_AUTO, dim, 0, &err);
    unlink(name);
    return ok(!status, "%s opens %s", name, err.text);
}

static uint64_t digest(const char *name, const void *bytes, size_t size, uint64_t dim)
{
    struct cdp_matrix matrix;
    struct cdp_err err;
    uint64_t value = 0;
    if (!open_bytes(&matrix, name, bytes, size, dim))
        return 0;
    ok(!cdp_matrix_digest(&matrix, 2, &value, &err), "%s has a digest", name);
    cdp_matrix_close(&matrix);
    return value;
}

static void test_digest(void)
{
    unsigned char file[512];
    uint64_t wanted = XXH64(SIX, sizeof SIX - 1, 0);
    ok(digest("six.bin", BYTES(SIX), 3) == wanted, "the digest is of the float32 numbers");
    size_t size = make_npy(file, 1, HEADER("<f2", "True", "(2, 3)"),
                           BYTES("\x00\x3c\x00\xc4\x00\x40\x00\x38\x00\x42\x00\x64"));
    ok(digest("six.npy", file, size, 0) == wanted, "and the same for every format");

    // More than is hashed at a time, as it stands and with dimensions between the rows.
    enum { ROWS = 70001, DIM = 65, ROW = DIM * sizeof(float) };
    unsigned char *rows = malloc((size_t)ROWS * ROW), *vecs = malloc((size_t)ROWS * (4 + ROW));
    for (size_t i = 0; i < (size_t)ROWS * ROW; i++)
        rows[i] = (unsigned char)(i * i >> 7);
    for (size_t r = 0; r < ROWS; r++) {
        memcpy(vecs + r * (4 + ROW), "\x41\0\0", 4);
        memcpy(vecs + r * (4 + ROW) + 4, rows + r * ROW, ROW);
    }
    wanted = XXH64(rows, (size_t)ROWS * ROW, 0);
    ok(digest("many.bin", rows, (size_t)ROWS * ROW, DIM) == wanted, "of many rows");
    ok(digest("many.fvecs", vecs, (size_t)ROWS * (4 + ROW), 0) == wanted, "and of vecs");
    free(rows);
    free(vecs);
}

// What row `row` of an array is as ids: the first two, or the error.
static const char *ids(const char *header, const void *numbers, size_t size, uint64_t row)
{
    static char text[sizeof(struct cdp_err)];
    unsigned char file[512];
    struct cdp_matrix matrix;
    struct cdp_err err;
    int64_t got[2];
    size = make_npy(file, 1, header, numbers, size);
    if (!open_bytes(&matrix, "ids.npy", file, size, 0))
        return "";
    if (cdp_matrix_row_ids(&matrix, row, 2, got, &err))
        snprintf(text, sizeof text, "%s", err.text);
    else
        snprintf(text, sizeof text, "%" PRId64 " %" PRId64, got[0], got[1]);
    cdp_matrix_close(&matrix);
    return text;
}

static void test_ids(void)
{
    is_text(ids(HEADER(">i8", "False", "(1, 2)"),
                BYTES("\x80\0\0\0\0\0\0\1\x7f\xff\xff\xff\xff\xff\xff\xff"), 0),
            "-9223372036854775807 9223372036854775807", "ids keep their 64 bits");
    is_text(ids(HEADER("<u8", "False", "(1, 2)"), BYTES("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80"), 0),
            "ids.npy: row 0: the id 9223372036854775808 is not below 2^63", "but not more");
    is_text(ids(HEADER("<f4", "False", "(3, 2)"), BYTES(SIX), 0), "1 2", "float32 ids");
    is_text(
        ids(HEADER("<f4", "False", "(3, 2)"), BYTES(SIX), 2),
        "ids.npy: row 2: 0.5 is no id: a whole number is wanted below 2^24, up to which float32 "
        "is exact",
        "a fraction is no id");
    is_text(ids(HEADER("<f4", "False", "(1, 2)"), BYTES("\xff\xff\x7f\x4b\0\0\x80\x4b"), 0),
            "ids.npy: row 0: 16777216 is no id: a whole number is wanted below 2^24, up to which "
            "float32 is exact",
            "nor is 2^24 in float32, which 2^24 + 1 is too");
    is_text(ids(HEADER("<f8", "False", "(1, 2)"),
                BYTES("\xff\xff\xff\xff\xff\xff\x3f\x43\0\0\0\0\0\0\x40\x43"), 0),
            "ids.npy: row 0: 9007199254740992 is no id: a whole number is wanted below 2^53, up to "
            "which float64 is exact",
            "nor is 2^53 in float64");
    is_text(ids(HEADER("<f2", "False", "(1, 2)"), BYTES("\xff\x67\0\x68"), 0),
            "ids.npy: row 0: 2048 is no id: a whole number is wanted below 2^11, up to which "
            "float16 is exact",
            "nor is 2^11 in float16");
    is_text(
        ids(HEADER("<V2", "False", "(1, 2)"), BYTES("\x7f\x43\x80\x43"), 0),
        "ids.npy: row 0: 256 is no id: a whole number is wanted below 2^8, up to which bfloat16 is "
        "exact",
        "nor is 2^8 in bfloat16");
    is_text(ids(HEADER("<f4", "False", "(1, 2)"), BYTES("\0\0\xc0\x7f\0\0\0\0"), 0),
            "ids.npy: row 0: nan is no id: a whole number is wanted below 2^24, up to which "
            "float32 is exact",
            "nor is NaN");
    is_text(ids(HEADER("<f8", "False", "(1, 2)"), BYTES("\0\0\0\0\0\0\xf0\xff\0\0\0\0\0\0\0\0"), 0),
            "ids.npy: row 0: -inf is no id: a whole number is wanted below 2^53, up to which "
            "float64 is exact",
            "nor infinity");
}

int main(void)
{
    scratch_enter();
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++) {
        unsigned char file[512];
        size_t size =
            make_npy(file, arrays[a].version, arrays[a].header, arrays[a].numbers, arrays[a].size);
        is_text(outcome("a.npy", file, size, 0), arrays[a].wanted, arrays[a].what);
    }
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++)
        is_text(outcome(files[f].name, files[f].bytes, files[f].size, files[f].dim),
                files[f].wanted, files[f].what);
    test_digest();
    test_ids();
    scratch_leave();
    return done();
}
