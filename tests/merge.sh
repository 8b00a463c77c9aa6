#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-knn --merge against a plain computation on text, and what it refuses.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
tiny=$CDP_SOURCE/data/labeled/tiny/features

# text FILE...: the neighbours of streams as lines of item, neighbour and distance
text() {
    for stream in "$@"; do cdp-view --to tsv "$stream"; done
}

# merged K FILE...: the same of the K nearest: the smallest distance of a repeated neighbour, then ties by number
merged() {
    local k=$1
    shift
    text "$@" | sort -k1,1n -k2,2n -k3,3g | awk '$1 != i || $2 != j { print; i = $1; j = $2 }' |
        sort -k1,1n -k3,3g -k2,2n | awk -v k="$k" '$1 != i { n = 0; i = $1 } n++ < k'
}

# agree K NAME FILE...
agree() {
    local k=$1 name=$2
    shift 2
    passes "$name" cdp-knn --merge -k "$k" -o got.cdp "$@"
    merged "$k" "$@" >wanted
    text got.cdp | cmp -s - wanted
    ok $? "$name: as by sort and awk"
}

for m in 0 1 2; do cdp-knn -k 9 --dim 48 -o k$m.cdp "$tiny/m$m.bin"; done
agree 14 "three models' lists" k0.cdp k1.cdp k2.cdp
agree 3 "fewer than each has" k0.cdp k1.cdp
agree 9 "one stream" k2.cdp
same <(cdp-view --digest got.cdp) <(cdp-view --digest k2.cdp) "one stream stays as it is"
agree 9 "the same twice" k0.cdp k0.cdp
same <(cdp-view --digest got.cdp) <(cdp-view --digest k0.cdp) "and is itself then"

# Neighbours of equal distance, items without neighbours, other numbers of items
printf '0\t1\t0.5\n0\t2\t0.5\n3\t0\t0.25\n' | cdp-view --from tsv --type knn --metric cosine -o a.cdp -
printf '0\t1\t0.125\n0\t3\t0.5\n7\t0\t0.5\n' | cdp-view --from tsv --type knn --metric cosine -o b.cdp -
agree 2 "ties and gaps" a.cdp b.cdp

# Parts of the rows: as cat has them, in any overlap
cdp-knn -k 9 --dim 48 --rows :200 -o p0.cdp "$tiny/m0.bin"
cdp-knn -k 9 --dim 48 --rows 150: -o p1.cdp "$tiny/m0.bin"
agree 9 "parts that overlap" p0.cdp p1.cdp
same <(cdp-view --digest got.cdp) <(cdp-view --digest k0.cdp) "are the whole"
cdp-knn -k 9 --dim 48 --rows 210: -o p2.cdp "$tiny/m0.bin"
fails 1 'p2.cdp: the lists of rows 210:440, but those of the streams before end at 0:200' "parts with a gap" \
    cdp-knn --merge -k 9 -o gap.cdp p0.cdp p2.cdp
[ ! -e gap.cdp ]
ok $? "which leaves no file"

# Names
seq -f 'item %g' 440 >names
for m in 0 1; do cdp-knn -k 9 --dim 48 --ids names -o n$m.cdp "$tiny/m$m.bin"; done
passes "lists with names" cdp-knn --merge -k 5 -o named.cdp n0.cdp n1.cdp
is "$(cdp-view --to tsv named.cdp | head -1 | cut -f1)" "item 1" "keep them"
fails 1 'k0.cdp: its items have numbers, but those of the streams before have names' "names and numbers" \
    cdp-knn --merge -o x.cdp n0.cdp k0.cdp
seq -f 'thing %g' 440 >others
cdp-knn -k 9 --dim 48 --ids others -o o.cdp "$tiny/m1.bin"
fails 1 'o.cdp: .*all lists must be of the same items' "other names" cdp-knn --merge -o x.cdp n0.cdp o.cdp

cdp-knn -k 9 --dim 48 --metric l2 -o l2.cdp "$tiny/m0.bin"
fails 1 'l2.cdp: l2 distances, but those of the streams before are of cosine' "two metrics" \
    cdp-knn --merge -o x.cdp k0.cdp l2.cdp
cdp-score vote --threshold 0.5 k0.cdp >pairs.cdp
fails 1 'pairs.cdp: .*--merge takes knn streams' "pairs" cdp-knn --merge -o x.cdp k0.cdp pairs.cdp
head -c 3000 k1.cdp >cut.cdp
fails 1 'cut.cdp: ' "a cut stream" cdp-knn --merge -o x.cdp k0.cdp cut.cdp
fails 2 'metric' "an option of the search" cdp-knn --merge --metric l2 -o x.cdp k0.cdp
fails 2 "unexpected operand 'k1.cdp'" "two files without --merge" cdp-knn -o x.cdp k0.cdp k1.cdp
[ ! -e x.cdp ]
ok $? "no output after a failure"
done_testing
