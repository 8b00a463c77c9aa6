#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Votes against the naive reference; truth; npz lists; what bad input gets.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

for m in 0 1 2; do
    $reference random-rows $((m + 1)) 250 5 normal >m$m.bin
    cdp-knn -k 12 --dim 5 m$m.bin >m$m.cdp
    cdp-view --to tsv m$m.cdp >m$m.tsv
done
for case in "0 0.9" "1 0.5" "2 -1" "2 0.93"; do
    read -r accept threshold <<<"$case"
    $reference vote "$accept" "$threshold" m0.tsv m1.tsv m2.tsv >wanted.tsv
    cdp-score vote --accept "$accept" --threshold "$threshold" m0.cdp m1.cdp m2.cdp >pairs.cdp
    cdp-view --to tsv pairs.cdp >got.tsv
    same got.tsv wanted.tsv "accept $accept, threshold $threshold: $(wc -l <wanted.tsv) pairs"
done
for threads in 1 2 8; do
    cdp-score vote -t $threads --accept 1 --threshold 0.5 m0.cdp m1.cdp m2.cdp >t$threads.cdp
    same t$threads.cdp t1.cdp "same bytes with $threads threads"
done

# other metrics: 1 - distance / largest distance
cdp-knn --metric l2 -k 12 --dim 5 m0.bin >l2.cdp
cdp-view --to tsv l2.cdp >l2.tsv
most=$(cut -f3 l2.tsv | sort -g | tail -n 1)
cdp-score vote --threshold 0.7 l2.cdp | cdp-view --to tsv - >got.tsv
awk -v most="$most" '{ if (1 - $3 / most > 0.7) { print ($1 < $2 ? $1 "\t" $2 : $2 "\t" $1) } }' l2.tsv |
    sort -n -k1,1 -k2,2 -u >wanted.ids
cut -f1,2 got.tsv | cmp -s - wanted.ids
ok $? "l2 distances are divided by the largest"

# lists of the original's kind, there and back
cdp-view --to npz m0.cdp >m0.npz
cdp-view --from npz m0.npz | cdp-view --to tsv - >got.tsv
same got.tsv m0.tsv "knn to npz to knn"
cdp-view --to npz pairs.cdp >pairs.npz
cdp-view --to tsv pairs.cdp >wanted.tsv
cdp-view --from npz pairs.npz | cdp-view --to tsv - >got.tsv
same got.tsv wanted.tsv "pairs to npz to pairs"
if command -v unzip >/dev/null; then
    unzip -tq m0.npz >out 2>err
    ok $? "unzip accepts the npz"
fi
fails 1 'm0.npz: knn, but the files before it hold pairs' "lists and pairs do not mix" \
    cdp-view --from npz -o never.cdp pairs.npz m0.npz
head -c 3000 m0.npz >cut.npz
fails 1 'cut.npz: not a tar or zip archive, but a damaged zip' "a cut npz is refused" \
    cdp-view --from npz -o never.cdp cut.npz
: >empty.tsv
cdp-view --from tsv empty.tsv | cdp-view --to npz - >empty.npz
is "$(cdp-view --from npz empty.npz | cdp-view --to tsv -)" "" "an npz of no pairs"

# truth
awk 'BEGIN { for (i = 0; i < 250; i++) print "person " i % 7 }' >meta.txt
cdp-score truth --labels meta.txt m0.cdp | cdp-view --to tsv - >got.tsv
awk '$1 % 7 == $2 % 7 { print ($1 < $2 ? $1 "\t" $2 : $2 "\t" $1) "\t1" }' m0.tsv |
    sort -n -k1,1 -k2,2 -u >wanted.tsv
same got.tsv wanted.tsv "truth keeps the pairs of one label, all with score 1"
awk '{ print NR % 4 ? $0 : -1 }' meta.txt >some.txt
cdp-score truth --labels some.txt m0.cdp 2>err | cdp-view --to tsv - >got.tsv
awk -F'\t' '($1 + 1) % 4 && ($2 + 1) % 4' wanted.tsv | cmp -s - got.tsv && grep -q 'items have no true label (-1)' err
ok $? "and none of items whose label is unknown"
is "$(cdp-score truth --labels meta.txt m0.cdp | cdp-eval pairs --format tsv - meta.txt |
    grep accuracy)" "$(printf 'pair_accuracy\t1')" "and cdp-eval pairs finds them all true"

# bad input
head -n 249 meta.txt >short.txt
fails 1 'short.txt: 249 labels, but m0.cdp has 250 nodes' "labels too short" \
    cdp-score truth --labels short.txt m0.cdp
fails 1 'pair .*but short.txt has' "a pair beyond the labels" \
    cdp-eval pairs <(printf '5\t249\t0.5\n' | cdp-view --from tsv -) short.txt
fails 2 "accept 3, but there are 2 members; try 'cdp-score vote --help'" "more votes than members" \
    cdp-score vote --accept 3 m0.cdp m1.cdp m2.cdp
fails 2 '--labels is missing' "truth without labels" cdp-score truth m0.cdp
fails 2 "unknown command 'vot'" "an unknown command" cdp-score vot m0.cdp
$reference random-rows 9 200 5 normal >less.bin
cdp-knn -k 3 --dim 5 less.bin >less.cdp
fails 1 'less.cdp: 200 nodes, but the base, m0.cdp, has 250' "models of different n" \
    cdp-score vote m0.cdp less.cdp
fails 1 'pairs.cdp: a pairs stream; cdp-score reads knn streams' "a member of the wrong type" \
    cdp-score vote m0.cdp pairs.cdp
head -c 700 m1.cdp >cut.cdp
fails 1 'cut.cdp: block 0: the stream ends without its end mark' "a member that is cut" \
    cdp-score vote -o never.cdp m0.cdp cut.cdp
[ ! -e never.cdp ]
ok $? "and no output"
cat <(cdp-knn -k 3 --dim 5 --rows 9: m0.bin) <(cdp-knn -k 3 --dim 5 --rows 0:9 m0.bin) >swapped.cdp
fails 1 'rows 0:9, but row 250 is next: lay the parts end to end in the order of their rows' "shards in the wrong order" \
    cdp-score vote swapped.cdp

# pair features against a naive computation; item 3 of model 1 has no direction
perl -e 'undef $/; $_ = <>; substr $_, 60, 20, "\0" x 20; print' m1.bin >zero.bin
$reference features 5 m0.tsv m1.tsv m2.tsv -- m0.bin zero.bin m2.bin >wanted.tsv
judge="cdp-score features --features m0.bin --features zero.bin --features m2.bin"
for threads in 1 2 8; do
    $judge -t $threads m0.cdp m1.cdp m2.cdp >features$threads.cdp
    same features$threads.cdp features1.cdp "pair features: same bytes with $threads threads"
done
cdp-view --to tsv features1.cdp | paste - wanted.tsv | awk -F'\t' 'NF != 20 { bad = 1 }
    { for (c = 1; c <= 10; c++) { d = $c - $(c + 10); if (d < 0) d = -d
          if (d > (c >= 5 && c <= 7 ? 1e-6 : 0)) bad = 1 } } END { exit bad || NR == 0 }'
ok $? "pair features are those of the naive computation"
awk -F'\t' '($1 == 3 || $2 == 3) && $6 != 0 { bad = 1 } $1 == 3 || $2 == 3 { n++ } END { exit bad || !n }' \
    wanted.tsv
ok $? "where an item without a direction has affinity 0"
head -c 4999 m1.bin >cut.bin
fails 1 "cut.bin: 4999 bytes, no multiple of 250 rows" "features of another length" \
    cdp-score features -o never.cdp --features m0.bin --features cut.bin m0.cdp m1.cdp
printf "\x93NUMPY\1\0\x46\0%-69s\n%100s" \
    "{'descr': '|u1', 'fortran_order': False, 'shape': (20, 5)}" "" >twenty.npy
fails 1 "twenty.npy: 20 rows, but 250 are wanted" "an npy of another length" \
    cdp-score features -o never.cdp --features m0.bin --features twenty.npy m0.cdp m1.cdp
mapfile -t many < <(yes -- --features=m0.bin | head -n 65)
fails 2 "--features can be given 64 times at most" "too many features" \
    cdp-score features "${many[@]}" m0.cdp
fails 2 "given 1 times, but there are 2 lists" "features of a model are missing" \
    cdp-score features --features m0.bin m0.cdp m1.cdp
perl -e 'print pack "f5", 1, 2, 3, 4, $_ == 7 ? "inf" : 5 for 0 .. 249' >infinite.bin
fails 1 "infinite.bin: row 7: a number is not finite" "features that are not finite" \
    cdp-score features -o never.cdp --features infinite.bin m0.cdp

done_testing
