#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-propagate: clusters and constraints against naive computations, pairs in any order and form.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

# random cases against round-by-round search
bad=0
for seed in $(seq 1 60); do
    nodes=$((20 + seed * 7 % 300))
    pairs=$((nodes * (1 + seed % 5)))
    max_size=$((2 + seed * 13 % 60))
    max_iter=$((seed % 3 == 0 ? 4 : 100))
    step=0.$((seed % 2))5
    stop=$([ $((seed % 4)) -eq 0 ] && echo merge || echo split)
    $reference random-pairs "$seed" $nodes $pairs >pairs.tsv
    $reference propagate $max_size $step $max_iter "$stop" $nodes <pairs.tsv >wanted
    cdp-propagate -q --max-size $max_size --step $step --max-iter $max_iter --forced-stop "$stop" \
        --nodes $nodes pairs.tsv >got
    cmp -s got wanted || { bad=$((bad + 1)); note "seed $seed"; }
done
is $bad 0 "60 random cases equal the naive reference"

# pairs that repeat with other scores: only the highest of a pair counts, for the floor too
bad=0
for seed in $(seq 1 40); do
    $reference random-pairs "$seed" 14 $((40 + seed)) | awk '{ print $1 "\t" $2 "\t" $3 - 0.3 * (NR % 3) }' >dense.tsv
    tac dense.tsv | awk '{ print $2 "\t" $1 "\t" $3 }' >turned.tsv
    $reference propagate 4 0.05 100 split 14 <dense.tsv >wanted
    cdp-view --from tsv --rescale --nodes 14 dense.tsv | cdp-view --to tsv - >once.tsv # other scores
    $reference propagate 4 0.05 100 split 14 <once.tsv >wanted.once
    head -n 25 dense.tsv >first.tsv
    tail -n +26 dense.tsv >second.tsv
    for half in first second; do
        awk '$3 > 0' $half.tsv | cdp-view --from tsv --nodes 14 - >$half.cdp
    done
    awk '$3 > 0' dense.tsv >positive.tsv
    $reference propagate 4 0.05 100 split 14 <positive.tsv >wanted.positive
    {
        cdp-propagate -q --nodes 14 --max-size 4 dense.tsv | cmp - wanted &&
            cdp-propagate -q --nodes 14 --max-size 4 <turned.tsv | cmp - wanted &&
            cdp-propagate -q --nodes 14 --max-size 4 first.tsv second.tsv | cmp - wanted &&
            cdp-forest --nodes 14 dense.tsv | cdp-propagate -q --max-size 4 | cmp - wanted &&
            cdp-view --from tsv --nodes 14 once.tsv | cdp-propagate -q --max-size 4 | cmp - wanted.once &&
            cdp-propagate -q --max-size 4 first.cdp second.cdp | cmp - wanted.positive &&
            cat second.cdp first.cdp | cdp-propagate -q --max-size 4 - | cmp - wanted.positive
    } >&2 || { bad=$((bad + 1)); note "seed $seed"; }
    # thresholds, one by one and swept
    cdp-sweep -q --nodes 14 --max-sizes 4 --thresholds -0.1:0.9:0.25 turned.tsv | cut -f1,3- | sed 1d >swept
    awk '{ a = $1 < $2 ? $1 : $2; k = a "\t" $1 + $2 - a; if (!(k in s) || $3 > s[k]) s[k] = $3 }
        END { for (k in s) print k "\t" s[k] }' dense.tsv >best.tsv
    for threshold in -0.1 0.15 0.4 0.65 0.9; do
        awk -v t=$threshold '$3 > t' best.tsv >above.tsv
        $reference propagate 4 0.05 100 split 14 <above.tsv >wanted
        cdp-propagate -q --nodes 14 --max-size 4 --threshold $threshold turned.tsv | cmp -s - wanted || bad=$((bad + 1))
        sort wanted | awk -v t=$threshold '$1 >= 0 { n[$1]++; items++ }
            END { for (c in n) { clusters++; if (n[c] > most) most = n[c] }
                printf "%.7g\t%d\t%d\t%d\t%.6f\n", t, clusters, items, most, 1 - items / 14 }'
    done >wanted.swept
    cmp -s swept wanted.swept || { bad=$((bad + 1)); note "sweep of seed $seed"; }
done
is $bad 0 "40 cases of repeated pairs: text, streams, unions, forests and thresholds alike"
is "$(cdp-propagate --max-size 2 --must-link <(echo 1 2) <(printf '0 1 0.513\n2 3 0.5\n1 2 0\n') | tr '\n' ' ')" \
    "0 1 1 2 " "a pair that must be together sets no floor"
awk 'BEGIN { for (i = 0; i < 1100000; i++) print i, i + 1, 0.5 }' | cdp-view --from tsv - >long.cdp
printf '0 1 0.9\n' | cdp-view --from tsv - >short.cdp
cat long.cdp short.cdp >long-short.cdp
fails 1 'long-short.cdp: streams laid end to end may repeat pairs' "repeats of pairs that were forgotten" \
    cdp-propagate long-short.cdp
passes "a tree has no thresholds" cdp-forest --tree -o scratch long-short.cdp
passes "they may be named apart" cdp-propagate long.cdp short.cdp -o scratch

$reference random-pairs 99 5000 30000 >pairs.tsv
cdp-propagate --nodes 5000 --max-size 40 pairs.tsv >wanted
cdp-view --from tsv --nodes 5000 pairs.tsv >pairs.cdp
cdp-propagate --max-size 40 pairs.cdp >got
same got wanted "a stream gives what text gives"
for threads in 1 2 8; do
    cdp-propagate -t $threads --max-size 40 <pairs.cdp >got
    same got wanted "$threads threads, from a pipe"
done
sort -R pairs.tsv | awk '{ print $2 "\t" $1 "\t" $3 }' | cdp-propagate --nodes 5000 --max-size 40 >got
same got wanted "order and direction of the pairs do not matter"
split -n l/7 pairs.tsv part.
cdp-propagate --nodes 5000 --max-size 40 part.* >got
same got wanted "seven files are their union"
gzip -c pairs.tsv | cdp-propagate --nodes 5000 --max-size 40 - >got
same got wanted "compressed text on standard input"

# unique PAIRS: each pair once, smaller id first, with its highest score
unique() {
    awk '{ a = $1 < $2 ? $1 : $2; b = $1 < $2 ? $2 : $1; k = a "\t" b
           if (!(k in s) || $3 > s[k]) s[k] = $3 } END { for (k in s) print k "\t" s[k] }' "$1" |
        sort -n -k1,1 -k2,2
}

# constraints: the spanning forest again, without the links that bring a forbidden pair together
bad=0
for seed in $(seq 1 20); do
    n=$((30 + seed * 11))
    $reference random-pairs "$seed" $n $((n * 3)) >pairs
    $reference random-pairs $((seed + 100)) $n $((n / 6)) | cut -f1,2 >cannot
    $reference random-pairs $((seed + 200)) $n $((n / 20)) | cut -f1,2 | sort -u >must
    # of a contradiction the pair that must not be is dropped
    cp cannot cannot.all
    while ! cdp-propagate --nodes $n --must-link must --cannot-link cannot.all pairs >got 2>err; do
        perl -e 'open F, "err"; my %bad; while (<F>) { $bad{"$1 $2"} = 1 if /items (\d+) and (\d+) are/ }
            open F, "cannot.all"; while (<F>) { my ($i, $j) = split; print if !$bad{"$i $j"} }' >cannot.left
        cmp -s cannot.left cannot.all && break
        cp cannot.left cannot.all
    done
    cdp-propagate --nodes $n --max-size $n --must-link must --cannot-link cannot.all pairs >got
    awk '{ print $1 "\t" $2 "\t2" }' must | cat pairs - >all
    unique all | sort -k3,3gr -k1,1n -k2,2n >sorted
    "$CDP_SOURCE/tests/reference/constraints.pl" $n cannot.all sorted >wanted
    cmp -s got wanted || { bad=$((bad + 1)); note "seed $seed"; }
    paste <(seq 0 $((n - 1))) got >numbered
    awk 'NR == FNR { of[$1] = $2; next } of[$1] == of[$2] { exit 1 }' numbered cannot.all ||
        bad=$((bad + 1))
    awk 'NR == FNR { of[$1] = $2; next } of[$1] != of[$2] { exit 1 }' numbered must || bad=$((bad + 1))
done
is $bad 0 "20 random cases with constraints: as the naive way has them, and all are kept"
printf '0 1 0.9\n1 2 0.8\n2 3 0.7\n' >chain
printf '0 3\n' >apart
is "$(cdp-propagate --cannot-link apart chain | tr '\n' ' ')" "0 0 0 -1 " "the weakest link is cut"
printf '0 1\n1 2\n2 3\n' >together
cdp-propagate --must-link together --cannot-link apart chain 2>err >out
is "$?:$(cat err)" "1:cdp-propagate: items 0 and 3 are cannot-linked, but must-links of together connect them: 0, 1, 2, 3
cdp-propagate: apart: pairs that contradict together: 1" "a contradiction with its path"
is "$(cdp-propagate -q --must-link <(echo 4 5) --max-size 1 chain | tr '\n' ' ')" "0 1 2 3 4 4 " \
    "what must be together is not cut"
fails 1 'line 1: expected two fields' "constraints with a score" \
    cdp-propagate --must-link <(echo 1 2 3) --nodes 9 chain
fails 1 'item 9, but there are 4 items$' "constraints of an unknown item" \
    cdp-propagate --nodes 4 --cannot-link <(echo 1 9) chain
cdp-view --from tsv -o chain.cdp chain
fails 1 'item 4000000000, but there are [0-9]* items' "must-link of an item that a stream has not" \
    cdp-propagate --must-link <(echo 1 4000000000) chain.cdp
fails 1 'item 4000000000, but there are [0-9]* items' "cannot-link of one" \
    cdp-propagate --cannot-link <(echo 1 4000000000) chain

printf 'Anna\nBob B.\nCole\nDan\n' >names
printf 'Bob B.\tDan\n' >apart.names
is "$(cdp-propagate --ids names --cannot-link apart.names chain | cut -f2 | tr '\n' ' ')" "0 0 0 -1 " "constraints by name"
for links in 'id_l,id_r\nAnna,Cole' 'id_l,id_r\nAnna,Eve' 'id_l,Anna\nAnna,Cole'; do
    # shellcheck disable=SC2059 # a format
    printf "$links\n" >links.csv
    cdp-propagate --ids names --must-link links.csv chain >out
done 2>err
is "$(grep -c 'line 1: .*: remove the header: files of links have none$' err) $(grep -c 'got .id_l.' err)" "1 3" "a header of constraints"
fails 1 "got 'a': remove the header: files of links have none" "and of numbers" \
    cdp-propagate --must-link <(printf 'a b\n0 1\n') <(printf '0 1 1\n')
fails 1 "line 1: expected a name that is known, got 'Eve'" "constraints by an unknown name" \
    cdp-propagate --ids names --must-link <(printf 'Anna\tEve\n') chain

: >empty
printf '0 1\n' >together
fails 1 "standard input: can be read once" "constraints from one standard input" \
    cdp-propagate --must-link - --cannot-link - <(printf '0 1 .5\n') <together
fails 1 "standard input: can be read once" "pairs twice from standard input" \
    cdp-propagate - - < <(printf '0 1 .5\n')
fails 1 'standard input: empty' "an empty standard input: the program before it failed" \
    cdp-propagate - <empty
passes "no pairs, no clusters" cdp-propagate --nodes 3 empty
is "$(tr '\n' ' ' <out)" "-1 -1 -1 " "and each item is discarded"
printf '0 1 1\n1 2 1\n2 3 1\n' >chain
fails 0 '4 items are in components of more than 2 items' "the forced stop is told" \
    cdp-propagate --max-size 2 chain
passes "and not with -q" cdp-propagate -q --max-size 2 chain
printf '0 0 1\n0 1 1.0000001\n' >one
cdp-propagate one >out 2>err
is "$(tr '\n' ' ' <out):$(cat err)" "0 0 :cdp-propagate: 1 pair of an item with itself left out
cdp-propagate: 1 score above 1 by at most 1e-6 replaced by 1" "what is left out or changed, of one"
fails 1 'standard input: item 7, but there are 4 items' "constraints of standard input" \
    cdp-propagate --nodes 4 --cannot-link - chain < <(echo 0 7)
fails 1 'chain: pair 1, 2: an id is not below --nodes 2' "a node beyond --nodes" \
    cdp-propagate --nodes 2 chain
fails 1 '/dev/fd/[0-9]+: a score of 17; at most 1 is wanted: cdp-view --from takes' "a score above 1" \
    cdp-propagate <(printf '0 1 1\n1 2 17\n')
passes "a threshold above all" cdp-propagate --threshold 1 chain
is "$(tr '\n' ' ' <out)" "-1 -1 -1 -1 " "leaves all alone"
fails 1 'at most 2\^32 - 2 nodes' "an id beyond 32 bits" \
    cdp-propagate <(echo 1 5000000000 0.5)
fails 1 "cannot open" "a missing file" cdp-propagate none.cdp

done_testing
