// SPDX-License-Identifier: MIT
#include "io/input.h"
#include "stream/convert.h"
#include "view/view.h"

static bool show_header, check, show_digest;
static int to = TO_UNSET;
static struct import import = {.format = FROM_UNSET, .metric = CDP_COSINE};
static const char *names_name;
static const char *const to_formats[] = {"tsv", "npz", "mtx", NULL};
static const char *const from_formats[] = {"tsv", "npz", "mtx", "csv", "npy", NULL};
static const char *const types[] = {"pairs", "knn", NULL};

static const struct cdp_option options[] = {
    {.type = CDP_OPTION_FLAG,
     .name = "header",
     .group = "Action",
     .help = "print the header and the provenance (the default)",
     .value = &show_header,
     .without = "check digest to from"},
    {.type = CDP_OPTION_FLAG,
     .name = "check",
     .help = "read the whole stream and verify it",
     .value = &check,
     .without = "digest to from"},
    {.type = CDP_OPTION_FLAG,
     .name = "digest",
     .help = "verify the stream and print the digest of its content",
     .value = &show_digest,
     .without = "to from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "to",
     .arg = "FORMAT",
     .help = "convert a stream",
     .value = &to,
     .choices = to_formats,
     .without = "from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "from",
     .arg = "FORMAT",
     .help = "make a stream",
     .value = &import.format,
     .choices = from_formats},
    {.type = CDP_OPTION_CHOICE,
     .name = "type",
     .arg = "TYPE",
     .group = "Input of --from",
     .help = "type of the edges in tsv and csv",
     .value = &import.type,
     .choices = types,
     .with = "from=tsv from=csv"},
    {.type = CDP_OPTION_TEXT,
     .name = "columns",
     .arg = "I,J,S",
     .help = "columns of the two ids and the score in tsv and csv",
     .value = &import.columns,
     .not_file = true,
     .with = "from=tsv from=csv"},
    {.type = CDP_OPTION_FLAG,
     .name = "named",
     .help = "all ids in tsv and csv are names, even numbers",
     .value = &import.named,
     .with = "from=tsv from=csv",
     .without = "ids"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids",
     .arg = "NAMES",
     .help = "file of item names, one per line, by id",
     .value = &import.ids,
     .with = "from"},
    {.type = CDP_OPTION_COUNT,
     .name = "nodes",
     .arg = "N",
     .help = "number of items",
     .value = &import.nodes,
     .unset = "highest id + 1",
     .min = 1,
     .max = 9e18,
     .with = "from"},
    {.type = CDP_OPTION_CHOICE,
     .name = "metric",
     .arg = "NAME",
     .help = "metric of knn edges",
     .value = &import.metric,
     .choices = cdp_metric_names,
     .aliases = TOOL_METRIC_ALIASES,
     .with = "type=knn from=npz"},
    {.type = CDP_OPTION_FLAG,
     .name = "distance",
     .help = "values are distances: score = 1 - value",
     .value = &import.distance,
     .with = "from",
     .without = "type=knn"},
    {.type = CDP_OPTION_FLAG,
     .name = "rescale",
     .help = "map the scores linearly to 0..1",
     .value = &import.rescale,
     .with = "from",
     .without = "type=knn"},
    {.type = CDP_OPTION_TEXT,
     .name = "ids-out",
     .arg = "NAMES",
     .group = "Output",
     .help = "write the item names to NAMES, one per line",
     .value = &names_name,
     .with = "from check digest to",
     .without = "ids"},
    {0},
};

static const struct tool tool = {
    .name = "cdp-view",
    .summary = "Shows, checks and converts edge streams",
    .synopsis = "[OPTION]... [FILE]...",
    .example = "cdp-view --to tsv pairs.cdp | head\n"
               "cdp-view --from npz -o m0.cdp m0_k15.npz\n",
    .options = options,
    .stream = "from",
};

// Reads the stream to its end, verifying it, and writes what is wanted of it.
static void read_stream(struct cdp_reader *reader, struct cdp_output *output)
{
    struct cdp_err err;
    if (to == TO_NPZ)
        tool_check(cdp_stream_to_npz(reader, output, &err), &err);
    else if (to == TO_MTX)
        tool_check(cdp_stream_to_mtx(reader, output, &err), &err);
    else
        print_edges(to == TO_TSV ? output : NULL, reader);
    const struct cdp_totals *totals = cdp_reader_totals(reader);
    if (check || show_digest)
        tool_say("%llu edge%s, %llu item%s, values from %g to %g",
                 (unsigned long long)totals->edges, tool_s(totals->edges),
                 (unsigned long long)totals->nodes, tool_s(totals->nodes), (double)totals->floor,
                 (double)totals->ceiling);
    if (show_digest)
        tool_check(cdp_output_printf(output, &err, "%016llx\n", (unsigned long long)totals->digest),
                   &err);
}

int main(int argc, char **argv)
{
    int first = tool_start(&tool, argc, argv, 0, -1);
    static char dash[] = "-", *standard[] = {dash};
    char **files = first < argc ? argv + first : standard;
    int count = first < argc ? argc - first : 1;
    bool imports = import.format != FROM_UNSET;
    if ((!imports && count > 1) || (import.format == FROM_NPY && count > 2))
        tool_usage("unexpected operand '%s'", files[imports ? 2 : 1]);
    struct cdp_output *output = tool_output(imports || to == TO_NPZ);
    struct cdp_output *names_output = names_name ? tool_side_output(names_name) : NULL;
    if (imports) {
        import_files(&import, output, names_output, files, count);
        tool_finish(output);
        return 0;
    }

    struct cdp_reader *reader;
    struct cdp_err err;
    tool_check(cdp_reader_open(&reader, files[0], ~0U, "", (int)common.threads, &err), &err);
    if (to == TO_UNSET && !check && !show_digest)
        print_header(output, cdp_reader_header(reader));
    else
        read_stream(reader, output);
    const struct cdp_names *names = cdp_reader_names(reader);
    if (names_output)
        print_names(names_output, names, cdp_input_shown(files[0]));
    else if (names && (to == TO_NPZ || to == TO_MTX))
        tool_warn("%s: the format has no names: --ids-out writes them", cdp_input_shown(files[0]));
    cdp_reader_close(reader);
    tool_finish(output);
}
