// SPDX-License-Identifier: MIT
#include "io/npz.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

struct cdp_npz {
    struct archive *zip;
    struct cdp_output *output;
    struct cdp_err failure; // of the output, during a write by libarchive
};

static la_ssize_t drain(struct archive *zip, void *context, const void *bytes, size_t size)
{
    struct cdp_npz *npz = context;
    if (cdp_output_write(npz->output, bytes, size, &npz->failure)) {
        archive_set_error(zip, EIO, "%s", npz->failure.text);
        return -1;
    }
    return (la_ssize_t)size;
}

static int fail(struct cdp_npz *npz, struct cdp_err *err)
{
    const char *why = archive_error_string(npz->zip);
    return cdp_fail(err, "%s", why ? why : "cannot write the npz");
}

int cdp_npz_open(struct cdp_npz **npz, struct cdp_output *output, struct cdp_err *err)
{
    struct cdp_npz *n = cdp_zalloc(1, sizeof *n, "npz", err);
    *npz = n;
    if (!n)
        return -1;
    n->output = output;
    n->zip = archive_write_new();
    if (!n->zip || archive_write_set_format_zip(n->zip) < ARCHIVE_WARN ||
        archive_write_zip_set_compression_store(n->zip) < ARCHIVE_WARN ||
        archive_write_set_bytes_in_last_block(n->zip, 1) < ARCHIVE_WARN ||
        archive_write_open(n->zip, n, NULL, drain, NULL) < ARCHIVE_WARN) {
        cdp_fail(err, "out of memory: npz writer");
        cdp_npz_free(n);
        *npz = NULL;
        return -1;
    }
    return 0;
}

int cdp_npz_array(struct cdp_npz *npz, const char *name, const char *type, size_t size,
                  uint64_t rows, uint64_t dim, struct cdp_err *err)
{
    // Magic, version 1.0, header length, and the header padded so that the data begin at 128.
    char head[129];
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    char shape[48];
    if (dim)
        snprintf(shape, sizeof shape, "(%llu, %llu)", (unsigned long long)rows,
                 (unsigned long long)dim);
    else
        snprintf(shape, sizeof shape, "(%llu,)", (unsigned long long)rows);
    char dict[118];
    snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type,
             shape);
    snprintf(head + 10, sizeof head - 10, "%-117s\n", dict);

    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return cdp_fail(err, "out of memory: npz entry");
    char path[64];
    snprintf(path, sizeof path, "%s.npy", name);
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 315532800, 0); // 1980, the epoch of zip
    archive_entry_set_size(entry, (la_int64_t)(128 + rows * (dim ? dim : 1) * size));
    int status = archive_write_header(npz->zip, entry);
    archive_entry_free(entry);
    if (status < ARCHIVE_WARN)
        return fail(npz, err);
    return cdp_npz_write(npz, head, 128, err);
}

int cdp_npz_write(struct cdp_npz *npz, const void *bytes, size_t size, struct cdp_err *err)
{
    return archive_write_data(npz->zip, bytes, size) == (la_ssize_t)size ? 0 : fail(npz, err);
}

int cdp_npz_finish(struct cdp_npz *npz, struct cdp_err *err)
{
    return archive_write_close(npz->zip) == ARCHIVE_OK ? 0 : fail(npz, err);
}

void cdp_npz_free(struct cdp_npz *npz)
{
    if (npz && npz->zip)
        archive_write_free(npz->zip);
    free(npz);
}
