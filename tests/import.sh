#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The commands of cdp-import(7), each section on data made here, where what it needs is installed.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
tiny=$CDP_SOURCE/data/labeled/tiny
mkdir bin
ln -s /usr/bin/python3 bin # Debian's, which has the modules
PATH=$PWD/bin:$PATH

# section TITLE: the commands of a section
section() {
    awk -v title=".Ss $1" '$0 == title { found = 1; next } /^\.S[sh] / { found = 0 } /^\.Ed/ { inside = 0 }
        found && inside { print } /^\.Bd/ { inside = 1 }' "$CDP_SOURCE/man/cdp-import.7" | sed 's/\\e/\\/g'
}
# python MODULE...: whether Debian's Python has them
python() { printf 'import %s\n' "$@" | python3 2>/dev/null; }
# have PROGRAM
have() { command -v "$1" >/dev/null; }
# try TITLE FILE NEED...: if the command NEED succeeds, the section runs and makes FILE
try() {
    local title=$1 file=$2
    shift 2
    if ! "$@" >/dev/null; then
        skip "$title" "needs $*"
        return
    fi
    section "$title" >commands
    rm -f "$file"
    [ -s commands ] && bash -eu -o pipefail commands >out 2>err && [ -s "$file" ]
    local status=$?
    ok $status "$title"
    [ $status -eq 0 ] || note "$(cat err)"
}
cdp-knn -k 14 --dim 48 -o tiny.cdp "$tiny/features/m0.bin"

cp "$tiny/features/m0.bin" raw.bin
python numpy && python3 -c 'import numpy; numpy.save("tiny.npy", numpy.fromfile("raw.bin", "f4").reshape(-1, 48))'

if python numpy pandas; then
    python3 -c 'import numpy, pandas; d = pandas.DataFrame(numpy.load("tiny.npy")); d.insert(0, "id", ["007", "NA", "a\"b\"", "\"c", "d, e"] + ["n%d" % i for i in range(435)]); d.to_csv("records.csv", index=False)'
fi
try "DataFrame to DataFrame: pandas" labelled.csv python numpy pandas
if [ -s labelled.csv ]; then
    sed '1d; s/.*,//' labelled.csv | cmp -s - <(cut -f2 labels.tsv) && cut -f1 labels.tsv | head -n 5 | cmp -s - <(printf '007\nNA\na"b"\n"c\nd, e\n')
    ok $? "pandas: each row has its label, whatever its id is"
fi
if [ -e "$CDP_BUILD/installed/libcdp.so.0" ]; then
    export LIBCDP=$CDP_BUILD/installed/libcdp.so.0 PYTHONPATH=$CDP_SOURCE/lib/python PYTHONDONTWRITEBYTECODE=1
    try "DataFrame to DataFrame: the Python package" clustered.csv python numpy pandas
    [ ! -s clustered.csv ] || same <(sed 's/.*,//' clustered.csv) <(sed 's/.*,//' labelled.csv) "Python: the labels of cdp-cluster"
fi
try "Features: parquet, arrow" x.npy python pandas pyarrow
if python pandas; then
    python3 -c 'import numpy, pandas; pandas.DataFrame(numpy.load("tiny.npy"), index=["n%d" % i for i in range(440)]).to_csv("x.csv")'
fi
try "Features: pandas" x.cdp python pandas
[ ! -e x.csv ] || same <(cdp-view --to tsv x.cdp | tr -d n | cut -f 1,2) <(cdp-view --to tsv tiny.cdp | cut -f 1,2) "pandas: the same neighbours, with names"
if python h5py; then
    python3 -c 'import h5py, numpy; h5py.File("x.h5", "w")["features"] = numpy.load("tiny.npy")'
fi
rm -f x.cdp
try "Features: HDF5" x.cdp test -e x.h5 -a -x /usr/bin/h5dump
[ ! -s x.cdp ] || same x.bin raw.bin "HDF5: the same bytes"
python torch && python3 -c 'import numpy, torch; torch.save(torch.tensor(numpy.load("tiny.npy")), "x.pt")'
try "Features: PyTorch" x.npy python torch
if python faiss; then
    python3 -c 'import faiss, numpy; i = faiss.IndexFlatL2(48); i.add(numpy.load("tiny.npy")); faiss.write_index(i, "x.faiss")'
fi
try "Features: faiss" x.npy test -e x.faiss
if python hnswlib; then
    python3 -c 'import hnswlib, numpy; i = hnswlib.Index("cosine", 48); i.init_index(440); i.add_items(numpy.load("tiny.npy")); i.save_index("x.hnsw")'
fi
try "Features: hnswlib" x.npy test -e x.hnsw
perl -e 'local $/; my @x = unpack "f<*", <>; printf "id%d\t[%s]\n", $_, join ",", map { sprintf "%.9g", $_ } @x[48 * $_ .. 48 * $_ + 47] for 0 .. 439' raw.bin >faces.tsv
try "Features: immich" labels.txt true
same faces.bin raw.bin "immich: the same bytes"
grep -q "^id439	[0-9]" labels.txt
ok $? "immich: labels with names"
sed 's/\[/[[/; s/\]/]]/' faces.tsv | cut -f2 | tr -d '[]' | perl -ne 'print pack "f<*", split /,/' | cmp -s - raw.bin
ok $? "PhotoPrism: the same bytes"
if python numpy; then
    cdp-view --to npz -o arrays.npz tiny.cdp
    python3 -c 'import numpy; z = numpy.load("arrays.npz"); numpy.save("i.npy", z["idx"]); numpy.save("d.npy", z["dist"])'
fi
try "Neighbours: faiss, hnswlib" knn.cdp python numpy
[ ! -s knn.cdp ] || is "$(cdp-view --digest knn.cdp)" "$(cdp-view --digest tiny.cdp)" "the same lists"

try "Neighbours out: scipy" out python scipy
[ ! -s out ] || is "$(<out)" "(440, 440)" "scipy: all items"

printf 'a,b,score\nAnna,Bob,0.9\nBob,"Cole, Jo",0.8\n' >pairs.csv
printf 'Zoe\nCole, Jo\nBob\nAnna\n' >all.txt
try "Pairs: all records" labels.tsv true
is "$(xargs <labels.tsv)" "Zoe -1 Cole, Jo 0 Bob 0 Anna 0" "records in no pair"
if have sqlite3; then
    sqlite3 x.db '.mode csv' '.import pairs.csv pairs'
    try "Pairs: sqlite" labels.tsv true
    is "$(sqlite3 x.db "SELECT count(*) FROM labels WHERE label = 0")" 3 "sqlite: labels in a table"
else
    skip "Pairs: sqlite" "needs sqlite3"
fi
try "Pairs: duckdb" pairs.cdp test -e x.duckdb
sed 's/^a,b,score/unique_id_l,unique_id_r,match_probability/' pairs.csv >predictions.csv
try "Pairs: splink" labels.tsv true
is "$(cut -f2 labels.tsv | xargs)" "0 0 0" "splink: one cluster"
# Records of integer ids in groups of 4, all true pairs, and as many false ones of low probability
perl -e 'srand 1; sub id { 1000 * $_[0] + 7 } print "match_probability,unique_id_l,unique_id_r\n";
    for my $i (0 .. 799) { printf "%.4f,%d,%d\n", 1 - 0.2 * rand, id($i), id($_) for $i + 1 .. ($i | 3);
        for (1 .. 2) { my $j = int rand 800; printf "%.4f,%d,%d\n", 0.2 * rand, id($i), id($j) if $i >> 2 != $j >> 2 } }' >predictions.csv
try "Pairs: splink" labels.tsv true
awk '{ printf "%s\t%d\n", $1, $1 / 4000 }' labels.tsv >truth.tsv
is "$(cdp-eval --format tsv labels.tsv truth.tsv | awk '$1 == "pairwise.kept.fscore" { print ($2 > 97) }')" 1 "splink: the groups, by ids that are numbers"
try "Labels out: pandas" out python pandas
try "Pairs: scipy" pairs.cdp python scipy
try "Pairs: igraph" pairs.cdp python igraph
try "Pairs: networkx" pairs.cdp python networkx
cdp-score vote --threshold 0.5 -o pairs.cdp tiny.cdp
try "Pairs out: mcl" clusters.txt have mcl
try "Pairs out: Infomap" links.clu have Infomap

done_testing
