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

# other metrics: 1 - distance / largest distance, or / D
# similar SCALE TSV PAIRS: the pairs are those of the lists, with the scores of that scale
similar() {
    awk -v scale="$1" '$3 <= scale { print ($1 < $2 ? $1 "\t" $2 : $2 "\t" $1) "\t" 1 - $3 / scale }' "$2" |
        sort -n -k1,1 -k2,2 -u | paste - <(cdp-view --to tsv "$3") |
        awk '$1 != $4 || $2 != $5 || NF != 6 || $3 - $6 > 2e-6 || $6 - $3 > 2e-6 || $6 < 0 || $6 > 1 { bad = 1 }
            END { exit bad || NR < 100 }'
}
for metric in l2 l1 linf angular hamming; do
    cdp-knn --metric $metric -k 12 --dim 5 m0.bin >$metric.cdp
    cdp-view --to tsv $metric.cdp >$metric.tsv
    most=$(cut -f3 $metric.tsv | sort -g | tail -n 1)
    cdp-score vote --threshold -1 -q $metric.cdp >max.cdp
    similar "$most" $metric.tsv max.cdp && cdp-view --header max.cdp | grep -qx "scale	$most"
    ok $? "$metric distances are divided by the largest, $most"
    middle=$(cut -f3 $metric.tsv | grep -vx 0 | sort -g | sed -n 600p)
    cdp-score vote --threshold -1 --scale "$middle" $metric.cdp >scaled.cdp
    similar "$middle" $metric.tsv scaled.cdp && cdp-view --header scaled.cdp | grep -qx "scale	$middle"
    ok $? "$metric distances are divided by --scale, $middle, and what is beyond is dropped"
    [ "$most" = "$middle" ] && continue
    cat max.cdp scaled.cdp >both.cdp
    fails 1 'stream 2 of the file has another .*scale' "$metric: scores of two scales are refused together" \
        cdp-view --check both.cdp
done
cdp-score vote --threshold 0.7 -q l2.cdp | cdp-view --to tsv - >got.tsv
cdp-score vote --threshold -1 -q l2.cdp | cdp-view --to tsv - | awk '$3 > 0.7' >wanted.tsv
same got.tsv wanted.tsv "a threshold of l2 scores"
cdp-score vote --threshold -1 m0.cdp >plain.cdp
cdp-score vote --scale 2 l2.cdp >two.cdp
cdp-score vote --scale 3 l2.cdp >three.cdp
fails 1 'three.cdp: its scores have the scale 3, those of two.cdp 2' "scores of two scales in two files" \
    cdp-propagate two.cdp three.cdp
cdp-score vote m0.cdp >none.cdp
fails 1 'none.cdp: its scores have the scale 0, those of two.cdp 2' "or of a scale and of none" \
    cdp-propagate two.cdp none.cdp
passes "one scale" cdp-propagate two.cdp two.cdp
is "$(cdp-forest two.cdp | cdp-view --header - | grep '^scale')" "$(printf 'scale\t2')" "a forest keeps the scale"
cdp-score vote --threshold -1 --scale 1 m0.cdp | cdp-view --to tsv - >got.tsv
cdp-view --to tsv plain.cdp | awk '$3 >= 0' >wanted.tsv
same got.tsv wanted.tsv "cosine: scale 1 is 1 - distance too, but nothing beyond it"
cdp-score vote --scale 0.5 m0.cdp | cdp-view --header - | grep -q -- '--scale=0.5$' && cdp-view --header max.cdp | grep -q -- '--scale=max'
ok $? "the provenance has the scale"
for wrong in 0 -1 nan inf 1e39 1e-50 '' most; do
    fails 2 "--scale must be max or a number from 1\.17549e-38 to 3\.40282e\+38, not '$wrong'" "--scale '$wrong'" \
        cdp-score vote --scale "$wrong" l2.cdp
done

# one item far from all others: with --scale it changes no score, without it there is a warning
perl -e 'for $g (0 .. 5) { print pack "f2", 10 * $g + cos 7 * $_, sin 7 * $_ for 1 .. 8 }' >near.bin
{ cat near.bin; perl -e 'print pack "f2", 30, 9e4'; } >far.bin
for metric in l2 l1 linf; do
    for set in near far; do cdp-knn --metric $metric -k 9 --dim 2 $set.bin >$set.cdp; done
    passes "$metric: no warning without a far item" cdp-score vote near.cdp
    cdp-score vote --threshold 0.1 --scale 12 near.cdp | cdp-view --to tsv - >near.tsv
    cdp-score vote --threshold 0.1 --scale 12 far.cdp 2>err | cdp-view --to tsv - >far.tsv
    [ ! -s err ] && cmp -s far.tsv near.tsv && [ -s near.tsv ]
    ok $? "$metric: a far item changes no score of the others with --scale, and nothing is said"
    cdp-score vote far.cdp 2>err >out
    grep -qE '^cdp-score vote: far.cdp: scores are 1 - distance / [0-9.e+]+, the largest .* half of the lists end by [0-9.]+: .* give --scale$' err
    ok $? "$metric: without it a warning names --scale"
    passes "$metric: not with -q" cdp-score vote -q far.cdp
done

# the ends of the range of distances
printf '0\t1\t0\n1\t0\t0\n2\t0\t0\n' | cdp-view --from tsv --type knn --metric l2 - >zero.cdp
is "$(cdp-score vote zero.cdp | cdp-view --to tsv -)" "$(printf '0\t1\t1\n0\t2\t1')" "all distances 0: all scores 1"
printf '0\t1\t1e-45\n0\t2\t3.4028234e38\n1\t0\t1e-45\n2\t0\t3.4028234e38\n' |
    cdp-view --from tsv --type knn --metric l1 - >wide.cdp
is "$(cdp-score vote -q --threshold -1 wide.cdp | cdp-view --to tsv -)" "$(printf '0\t1\t1\n0\t2\t0')" \
    "distances of all sizes by the largest"
is "$(cdp-score vote --threshold -1 --scale 1.2e-38 wide.cdp | cdp-view --to tsv -)" "$(printf '0\t1\t0.999999881')" \
    "and by a small scale"
: | cdp-view --from tsv --type knn --metric l2 - >none.cdp
for options in "" "--scale 3" "--threshold -1"; do
    # shellcheck disable=SC2086
    is "$(cdp-score vote $options none.cdp | cdp-view --to tsv -)" "" "no lists, no pairs: vote $options"
done
printf '0\t1\t-0.2\n1\t0\t0.1\n' | cdp-view --from tsv --type knn - >negative.cdp
fails 1 'negative.cdp: the smallest distance is -0.200000003: distances must be at least 0' "a distance below 0" \
    cdp-score vote -o never.cdp negative.cdp
printf '0\t1\t-1e-7\n1\t0\t-1e-7\n2\t0\t0.25\n' | cdp-view --from tsv --type knn - >rounded.cdp
is "$(cdp-score vote rounded.cdp 2>err | cdp-view --to tsv -)" "$(printf '0\t1\t1\n0\t2\t0.75')" "one that is 0 but for rounding"
grep -q 'rounded.cdp: 2 distances below 0, by 1.* at most, set to 0' err
ok $? "and a note"

# parts of the rows: together the pairs of the whole, each pair in the part of one of its items
for metric in cosine l2 l1; do
    scale=()
    [ $metric = cosine ] || scale=(--scale 4)
    for m in 0 1; do
        cdp-knn --metric $metric -k 12 --dim 5 m$m.bin >whole$m.cdp
        for part in 0:90 90:140 140:250; do cdp-knn --metric $metric -k 12 --dim 5 --rows $part m$m.bin >part$m.$part.cdp; done
    done
    vote=(cdp-score vote --accept 1 --threshold 0.3 "${scale[@]}")
    "${vote[@]}" whole0.cdp whole1.cdp | cdp-view --to tsv - >wanted.tsv
    for part in 0:90 90:140 140:250; do "${vote[@]}" part0.$part.cdp part1.$part.cdp | cdp-view --to tsv -; done |
        sort -n -k1,1 -k2,2 | uniq >got.tsv
    same got.tsv wanted.tsv "$metric: the parts' pairs are those of the whole: $(wc -l <wanted.tsv)"
    "${vote[@]}" part0.90:140.cdp whole1.cdp | cdp-view --to tsv - >got.tsv
    "${vote[@]}" part0.90:140.cdp part1.90:140.cdp | cdp-view --to tsv - | cmp -s - got.tsv && [ -s got.tsv ]
    ok $? "$metric: a part with a whole member"
    cat part0.{0:90,90:140,140:250}.cdp | "${vote[@]}" - whole1.cdp | cdp-view --to tsv - >got.tsv
    same got.tsv wanted.tsv "$metric: parts laid end to end"
    for members in "whole0.cdp part1.0:90.cdp" "part0.90:140.cdp part1.140:250.cdp" "part0.0:90.cdp part1.90:140.cdp"; do
        # shellcheck disable=SC2086
        fails 1 'part1.*: the lists of rows [0-9:]+ only, but those of (all rows|rows 90:140|rows 0:90) are needed: join' \
            "$metric: a member without rows of the base, $members" "${vote[@]}" -o never.cdp $members
    done
done
fails 1 'part0.0:90.cdp: the lists of rows 0:90 only, whose largest l1 distance is not that of all rows: give --scale' \
    "a part has no largest distance of its own" cdp-score vote -o never.cdp part0.0:90.cdp

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
fails 1 'm0.npz: holds knn, but the files before it hold pairs' "lists and pairs do not mix" \
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
is "$(cdp-score truth --labels meta.txt m0.cdp | cdp-eval pairs --format tsv - meta.txt |
    grep accuracy)" "$(printf 'pair_accuracy\t1')" "and cdp-eval pairs finds them all true"

awk '{ print NR % 4 == 1 ? -1 : $2 }' meta.txt >unknown.txt
cdp-score truth --labels unknown.txt m0.cdp 2>err | cdp-view --to tsv - >got.tsv
awk '$1 % 4 && $2 % 4 && $1 % 7 == $2 % 7 { print ($1 < $2 ? $1 "\t" $2 : $2 "\t" $1) "\t1" }' m0.tsv |
    sort -n -k1,1 -k2,2 -u >wanted.tsv
same got.tsv wanted.tsv "truth leaves out items of label -1, which are no two of one identity"
grep -q '^cdp-score truth: unknown.txt: no true label for 63 of 250 items: left out$' err
ok $? "and counts them"
yes -- -1 | head -n 250 >unknown.txt
fails 1 'unknown.txt: no true label for any of the 250 items' "no label at all" \
    cdp-score truth -o never.cdp --labels unknown.txt m0.cdp

# names: of the first lists that have some; all the same
# named FILE NAMES: the lists of a file with names for the items
named() { cdp-view --to npz "$1" >bare.npz && cdp-view --from npz --ids "$2" bare.npz; }
# by_name NAMES: edges with names for ids
by_name() { awk -F'\t' -v OFS='\t' 'NR == FNR { n[NR - 1] = $0; next } { $1 = n[$1]; $2 = n[$2] } { print }' "$1" -; }
seq 0 249 | sed 's/^/né /' >names.txt
for m in 0 1; do named m$m.cdp names.txt >named$m.cdp; done
features=(cdp-score features --features m0.bin --features m1.bin)
cdp-score vote --accept 1 m0.cdp m1.cdp | cdp-view --to tsv - | by_name names.txt >wanted.tsv
for lists in "named0.cdp named1.cdp" "named0.cdp m1.cdp" "m0.cdp named1.cdp"; do
    # shellcheck disable=SC2086
    cdp-score vote --accept 1 $lists | cdp-view --to tsv - >got.tsv
    same got.tsv wanted.tsv "vote keeps names, $lists"
done
"${features[@]}" m0.cdp m1.cdp | cdp-view --to tsv - | by_name names.txt >wanted.tsv
"${features[@]}" m0.cdp named1.cdp | cdp-view --to tsv - >got.tsv
same got.tsv wanted.tsv "and features does"
sed '123s/.*/somebody/' names.txt >others.txt
named m1.cdp others.txt >others.cdp
for lists in "named0.cdp others.cdp" "m0.cdp named1.cdp others.cdp"; do
    # shellcheck disable=SC2086
    fails 1 "others.cdp: .*122.*: all lists must be of the same items" "lists of other items, $lists" \
        cdp-score vote -o never.cdp $lists
done
paste names.txt meta.txt | tac >named.txt
cdp-score truth --labels meta.txt m0.cdp | cdp-view --to tsv - >bare.tsv
by_name names.txt <bare.tsv >wanted.tsv
cdp-score truth --labels named.txt named0.cdp | cdp-view --to tsv - >got.tsv
same got.tsv wanted.tsv "truth finds labels by name, in any order"
{ printf 'stranger\tperson 1\n'; sed 3d named.txt; } >fewer.txt
cdp-score truth --labels fewer.txt named0.cdp 2>err | cdp-view --to tsv - >got.tsv
awk '$1 != 247 && $2 != 247' bare.tsv | by_name names.txt >wanted.tsv
same got.tsv wanted.tsv "a name without a label is unknown, a label of no item is ignored"
grep -q 'fewer.txt: no true label for 1 of 250 items' err
ok $? "and a note counts them"
fails 1 'meta.txt: the items have names: expected NAME' "labels without names for items with names" \
    cdp-score truth -o never.cdp --labels meta.txt named0.cdp
fails 1 'named.txt: its lines have names, but the items have none' "and the other way round" \
    cdp-score truth -o never.cdp --labels named.txt m0.cdp

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
fails 1 'less.cdp: 200 nodes, but the base has 250' "models of different n" \
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

cdp-knn -k 5 --dim 5 m1.bin >k5.cdp
cdp-score vote m0.cdp k5.cdp 2>&1 >out | grep -q "k5.cdp: lists of k = 5, but the base's are of k = 12"
ok $? "a member of another k is noted"
passes "one of another metric is legal" cdp-score vote --accept 1 m0.cdp l2.cdp

# pair features against a naive computation; item 3 of model 1 has no direction
perl -e 'undef $/; $_ = <>; substr $_, 60, 20, "\0" x 20; print' m1.bin >zero.bin
$reference features 5 m0.tsv m1.tsv m2.tsv -- m0.bin zero.bin m2.bin >wanted.tsv
judge=(cdp-score features --features m0.bin --features zero.bin --features m2.bin)
for threads in 1 2 8; do
    "${judge[@]}" -t $threads m0.cdp m1.cdp m2.cdp >features$threads.cdp
    same features$threads.cdp features1.cdp "pair features: same bytes with $threads threads"
done
cdp-view --to tsv features1.cdp | paste - wanted.tsv | awk -F'\t' 'NF != 20 { bad = 1 }
    { for (c = 1; c <= 10; c++) { d = $c - $(c + 10); if (d < 0) d = -d
          if (d > (c >= 5 && c <= 7 ? 1e-6 : 0)) bad = 1 } } END { exit bad || NR == 0 }'
ok $? "pair features are those of the naive computation"
awk -F'\t' '($1 == 3 || $2 == 3) && $6 != 0 { bad = 1 } $1 == 3 || $2 == 3 { n++ } END { exit bad || !n }' \
    wanted.tsv
ok $? "where an item without a direction has affinity 0"
# parts of the pairs, of whole lists: laid end to end they are the whole
for part in :1 1:17 17:170 170:249 249:; do "${judge[@]}" --rows $part m0.cdp m1.cdp m2.cdp; done >parts.cdp
cdp-view --to tsv features1.cdp >wanted.tsv
cdp-view --to tsv parts.cdp >got.tsv
same got.tsv wanted.tsv "the features of parts are those of the whole"
is "$("${judge[@]}" --rows 17:170 m0.cdp m1.cdp m2.cdp | cdp-view --to tsv - | cut -f1 | sort -un | sed -n '1p;$p' | xargs)" \
    "17 169" "each part has the pairs whose smaller id is in it"
# More pairs than are held at a time: 135,000 of 34 values each.
$reference random-rows 4 520 5 normal >many.bin
cdp-knn -k 519 --dim 5 many.bin >many.cdp
all=(cdp-score features --extra)
for _ in 1 2 3 4 5; do all+=(--features many.bin); done
for part in :200 200:; do "${all[@]}" --rows $part many.cdp many.cdp many.cdp many.cdp many.cdp; done |
    cdp-view --to tsv - >wanted.tsv
"${all[@]}" many.cdp many.cdp many.cdp many.cdp many.cdp | cdp-view --to tsv - >got.tsv
same got.tsv wanted.tsv "many pairs: the whole is its parts"
cdp-knn -k 12 --dim 5 --rows 0:100 m0.bin >half.cdp
fails 1 'half.cdp: the lists of rows 0:100 only, but those of all rows are needed: join all parts by cat' \
    "features of a part of the lists" "${judge[@]}" -o never.cdp half.cdp m1.cdp m2.cdp
fails 1 'half.cdp: the lists of rows 0:100 only, but those of all rows' "and of a member's" \
    "${judge[@]}" -o never.cdp m0.cdp m1.cdp half.cdp
fails 1 'm0.cdp: --rows 240:251, but there are 250 rows' "rows that are not there" \
    "${judge[@]}" -o never.cdp --rows 240:251 m0.cdp m1.cdp m2.cdp
fails 1 'm0.cdp: --rows 250:250, but there are 250 rows' "nor behind the last" \
    "${judge[@]}" -o never.cdp --rows 250: m0.cdp m1.cdp m2.cdp
fails 2 '--rows must be A:B with A below B' "rows the wrong way round" "${judge[@]}" --rows 7:7 m0.cdp m1.cdp m2.cdp
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
