// SPDX-License-Identifier: MIT
#include "io/kind.h"

#include <string.h>

#include "base/bytes.h"

#define MAGIC(text, what)               \
    {                                   \
        text, sizeof(text) - 1, 0, what \
    }

static const struct {
    const char *magic;
    size_t size, offset;
    const char *what;
} kinds[] = {
    MAGIC("PAR1", "a Parquet file"),
    MAGIC("\x89HDF\r\n\x1a\n", "an HDF5 file"),
    MAGIC("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "a PyTorch file"),
    MAGIC("ARROW1", "an Arrow file"),
    MAGIC("FEA1", "a Feather file"),
    MAGIC("Obj\x01", "an Avro file"),
    MAGIC("SQLite format 3", "an SQLite database"),
    MAGIC("MATLAB 5.0 MAT-file", "a MATLAB file"),
    MAGIC("\x7f"
          "ELF",
          "a program (ELF)"),
    MAGIC("%PDF-", "a PDF file"),
    MAGIC("\x89PNG\r\n\x1a\n", "a PNG image"),
    MAGIC("\xff\xd8\xff\xe0", "a JPEG image"),
    MAGIC("\xff\xd8\xff\xe1", "a JPEG image"),
    MAGIC("IxF2", "a faiss index"),
    MAGIC("IxFI", "a faiss index"),
    MAGIC("IwFl", "a faiss index"),
    MAGIC("IHNf", "a faiss index"),
    MAGIC("7z\xbc\xaf\x27\x1c", "a 7z archive"),
    MAGIC("Rar!\x1a\x07", "a RAR archive"),
    MAGIC("\x1f\x9d", "compressed with compress (.Z), which is not read"),
    MAGIC("\x5d\0\0\x80\0", "compressed with lzma, which is not read"),
    MAGIC("LZIP\x01", "compressed with lzip, which is not read"),
    MAGIC("\x89LZO\0\r\n\x1a\n", "compressed with lzop, which is not read"),
    MAGIC("LRZI", "compressed with lrzip, which is not read"),
    MAGIC("GRZipII\0\x02\x04:)", "compressed with grzip, which is not read"),
    MAGIC("\xed\xab\xee\xdb", "an RPM package"),
    MAGIC("\x93NUMPY", "an npy array"),
    MAGIC("PK\x03\x04", "a zip archive"),
    MAGIC("PK\x05\x06", "an empty zip archive"),
    {"ustar", 5, 257, "a tar archive, whose members are named as ARCHIVE:MEMBER"},
    {"cdp", 3, 8, "an edge stream of cdp"},
};

// Python's pickle, protocols 2 to 5: its version first, then the opcode of a frame, a container or
// a name.
static bool is_pickle(const unsigned char *bytes, size_t size)
{
    return size > 3 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5 &&
           (bytes[1] >= 4 ? bytes[2] == 0x95 : memchr("}](c\x8a", bytes[2], 5) != NULL);
}

// safetensors: the length of a JSON text as 8 bytes, then the text.
static bool is_safetensors(const unsigned char *bytes, size_t size)
{
    return size > 10 && !memcmp(bytes + 8, "{\"", 2) && cdp_get_le(bytes, 8) < 1 << 27;
}

// The name of a zip archive's first member begins at byte 30.
static const char *zip_kind(const unsigned char *bytes, size_t size)
{
    size_t name = 30, length = size < name ? 0 : (size_t)cdp_get_le(bytes + 26, 2);
    if (size < name + length)
        return NULL;
    return memmem(bytes + name, length, "data.pkl", 8) ? "a PyTorch file"
           : memmem(bytes + name, length, ".npy", 4)   ? "an npz archive"
                                                       : NULL;
}

const char *cdp_kind(const unsigned char *bytes, size_t size)
{
    const char *zip = cdp_kind_is_zip(bytes, size) ? zip_kind(bytes, size) : NULL;
    for (size_t i = 0; !zip && i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t end = kinds[i].offset + kinds[i].size;
        if (size >= end && !memcmp(bytes + kinds[i].offset, kinds[i].magic, kinds[i].size))
            return kinds[i].what;
    }
    if (zip)
        return zip;
    if (is_pickle(bytes, size))
        return "a Python pickle";
    return is_safetensors(bytes, size) ? "a safetensors file" : NULL;
}

bool cdp_kind_is_zip(const unsigned char *bytes, size_t size)
{
    return size >= 4 && (!memcmp(bytes, "PK\x03\x04", 4) || !memcmp(bytes, "PK\x05\x06", 4));
}

bool cdp_kind_is_text(const unsigned char *bytes, size_t size)
{
    enum { SAMPLE = 4096, ENOUGH = 64 };
    if (size > 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3)) {
        bytes += 3;
        size -= 3;
    }
    size_t sample = size < SAMPLE ? size : SAMPLE;
    for (size_t i = 0; i < sample; i++) {
        if (!((bytes[i] >= ' ' && bytes[i] <= '~') || (bytes[i] >= '\t' && bytes[i] <= '\r')))
            return false;
    }
    return sample >= ENOUGH || memchr(bytes, '\n', sample);
}
