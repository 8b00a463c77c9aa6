#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-relabel: least sizes, adoption, singletons, earlier numbers, names.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# small clusters, adoption
# relabelled PLAN OPTIONS [PAIRS]: labels in one line
relabelled() {
    # shellcheck disable=SC2086 # options
    cdp-propagate $1 "${3:-pairs}" | cdp-relabel $2 | tr '\n' ' '
}
printf '0 1 0.9\n1 2 0.9\n2 3 0.3\n4 5 0.8\n5 6 0.1\n7 8 0.2\n' >pairs
is "$(relabelled "--max-size 3" "--min-size 3")" "0 0 0 -1 1 1 1 -1 -1 " "clusters of fewer than three are discarded"
is "$(relabelled "--threshold 0.5" "")" "0 0 0 -1 1 1 -1 -1 -1 " "some are alone"
is "$(relabelled "--threshold 0.5" "--adopt 0.25 --pairs pairs")" "0 0 0 0 1 1 -1 -1 -1 " \
    "one is adopted, one has too weak a pair, two are alone together"
is "$(relabelled "--threshold 0.5" "--adopt 0 --pairs pairs")" "0 0 0 0 1 1 1 -1 -1 " "two are"
echo 0 3 >apart
is "$(relabelled "--threshold 0.5 --cannot-link apart" "--adopt 0 --pairs pairs --cannot-link apart")" \
    "0 0 0 -1 1 1 1 -1 -1 " "none into a cluster with a cannot-link"
is "$(relabelled "--threshold 0.5" "--min-size 3 --adopt 0 --pairs pairs")" "0 0 0 0 -1 -1 -1 -1 -1 " \
    "none into one that is too small"
echo 4 5 >together
printf '0 1 0.9\n1 2 0.9\n2 4 0.3\n' >linked
is "$(relabelled "--threshold 0.5 --must-link together" "--min-size 3 --adopt 0 --pairs linked" linked)" "0 0 0 -1 0 -1 " \
    "one of a discarded cluster is adopted"
is "$(relabelled "--threshold 0.5 --must-link together" "--min-size 3 --adopt 0 --pairs linked --must-link together" linked)" \
    "0 0 0 -1 -1 -1 " "but not without the item that it is must-linked to"
printf '0 1 0.9\n1 2 0.25\n1 3 0.5\n' >edge
is "$(relabelled "--threshold 0.5" "--adopt 0.3 --pairs edge" edge)" "0 0 -1 0 " "an item at the threshold may be adopted"
is "$(relabelled "--threshold 0.5" "--adopt 0.25 --pairs edge" edge)" "0 0 -1 0 " \
    "but not by a pair that is no better than that of --adopt"
printf '0 1 0.9\n3 1 0.5\n2 3 0.4\n4 2 0.3\n' >row
is "$(relabelled "--threshold 0.8" "--adopt 0.1 --pairs row" row)" "0 0 -1 0 -1 " \
    "of a chain only the item next to the cluster is"
head -n 2 row >row1
tail -n +3 row >row2
is "$(relabelled "--threshold 0.8" "--adopt 0.1 --pairs row1 --pairs row2" row)" "0 0 -1 0 -1 " "pairs of several files"
is "$(cdp-propagate --threshold 0.8 row | cdp-relabel --adopt 0.1 --pairs <(cdp-forest row) | tr '\n' ' ')" "0 0 -1 0 -1 " \
    "their forest"
printf '0 1 0.9\n2 1 0.4\n3 1 0.5\n' >star
echo 2 3 >apart
is "$(relabelled "--threshold 0.8" "--adopt 0.1 --pairs star --cannot-link apart" star)" "0 0 -1 0 " \
    "of two that are cannot-linked the better one is"

# permuted ROWS...: ids of the first two columns by the permutation
permuted() {
    awk 'NR == FNR { p[NR - 1] = $1; next } { $1 = p[$1]; $2 = p[$2]; print }' permutation "$@"
}
bad=0
adopted=0
for seed in $(seq 1 30); do
    perl -e 'srand shift; my $n = 40; # sparse, of distinct scores
        for my $e (1 .. 38) { my ($i, $j) = (int rand $n, int rand $n); print "$i $j ", $e / 40, "\n" if $i != $j }' "$seed" |
        sort -R --random-source=<(yes "$seed") >pairs
    perl -e 'srand 1 + shift; for (1 .. 25) { my ($i, $j) = (int rand 40, int rand 40); print "$i $j\n" if $i != $j }' \
        "$seed" >apart
    seq 0 39 | sort -R --random-source=<(yes "x$seed") >permutation
    permuted pairs >pairs.p
    permuted apart >apart.p
    for option in "" "--cannot-link apart"; do
        # shellcheck disable=SC2086 # options are words
        cdp-propagate -q --nodes 40 --max-size 6 --threshold 0.6 $option pairs >before
        # shellcheck disable=SC2086
        cdp-relabel --adopt 0.2 --pairs pairs $option before >labels
        cdp-propagate -q --nodes 40 --max-size 6 --threshold 0.6 ${option:+--cannot-link apart.p} pairs.p |
            cdp-relabel --adopt 0.2 --pairs pairs.p ${option:+--cannot-link apart.p} >labels.p
        paste permutation labels | sort -n | cut -f2 |
            awk '$1 >= 0 && !($1 in n) { n[$1] = next_++ } { print $1 < 0 ? -1 : n[$1] }' | cmp -s - labels.p ||
            bad=$((bad + 1))
        cmp -s labels before || adopted=$((adopted + 1))
    done
done
is "$bad:$((adopted > 40))" 0:1 "adoption does not depend on the numbers of items: $adopted of 60 random cases"

# earlier numbers
printf '5\n5\n5\n7\n7\n-1\n9\n' >before
printf '0 1 1\n1 2 1\n3 4 1\n4 5 1\n6 7 1\n' >pairs
is "$(relabelled "" "--previous before --changes changes")" "5 5 5 7 7 7 9 9 " "clusters keep their numbers"
is "$(cat changes)" "$(printf 'joined\t5\t-\t7\nadded\t7\t-\t9')" "and the changes are listed"
printf '0 1 1\n1 2 1\n2 3 1\n3 4 1\n' >pairs
is "$(relabelled "" "--previous before --changes changes")" "5 5 5 5 5 " "two come together"
is "$(cat changes)" "$(printf 'moved\t3\t7\t5\nmoved\t4\t7\t5\ngone\t6\t9\t-\nmerged\t5\t5,7\t5')" "and are merged"
printf '0 1 1\n2 3 1\n3 4 1\n5 6 1\n' >pairs
is "$(relabelled "" "--previous before --changes changes")" "5 5 7 7 7 9 9 " "one parts"
is "$(cat changes)" "$(printf 'moved\t2\t5\t7\njoined\t5\t-\t9\nmerged\t7\t5,7\t7\nsplit\t5\t5\t5,7')" "and is split"
relabelled "--nodes 9" "--min-size 3 --previous before --changes changes" >got
is "$(cat got changes)" "$(printf '%s' '-1 -1 7 7 7 -1 -1 -1 -1 '; printf '%s\n' 'left	0	5	-' 'left	1	5	-' 'moved	2	5	7' \
    'left	6	9	-' 'merged	7	5,7	7')" "items that leave all clusters"
printf '0 1 0.9\n1 2 0.8\n2 3 0.7\n' >chain
cdp-propagate chain >labels
cdp-relabel --previous labels --changes changes labels | cmp -s - labels && [ ! -s changes ]
ok $? "nothing changed, nothing listed"
fails 1 "line 1: expected a cluster's number, or -1, got 'x'" "labels that are none" \
    cdp-relabel --previous <(echo x) labels
for largest in 4294967290 4294967296 9223372036854775807; do
    echo $largest >large
    fails 1 "large: an earlier cluster has number $largest; at most" "numbers that leave no room: $largest" \
        cdp-relabel --previous large <(seq 0 9)
done

# singletons, names, and numbers that stay where clusters do
printf '3\n-1\n7\n3\n-1\n' >scattered
is "$(cdp-relabel scattered | tr '\n' ' ')" "3 -1 7 3 -1 " "numbers stay"
is "$(cdp-relabel --singletons scattered | tr '\n' ' ')" "0 1 2 0 3 " "each unclustered item is a cluster of its own"
is "$(cdp-relabel --singletons --min-size 2 scattered | tr '\n' ' ')" "0 1 2 0 3 " "a discarded one too"
is "$(cdp-relabel --singletons --previous scattered scattered | tr '\n' ' ')" "3 8 7 3 9 " "new ones above the earlier numbers"
printf 'Ann\nBob\nCy\nDee\nEve\n' >people
cdp-relabel --ids people scattered >named
is "$(tr '\t\n' '= ' <named)" "Ann=3 Bob=-1 Cy=7 Dee=3 Eve=-1 " "names are attached"
cdp-relabel --no-names named | cmp -s - scattered
ok $? "and dropped"
fails 1 'large: a cluster has number 4294967295; the largest possible is 2\^32 - 2' "a number that is too large" \
    bash -c 'echo 4294967295 >large; cdp-relabel large'
fails 1 "expected a cluster's number, or -1, got 'Ann'" "true labels that are no numbers" cdp-relabel people
passes "the same names" cdp-relabel --ids people named
sed 's/Bob/Rob/' named >renamed
fails 1 'people: its names are not those of renamed' "other names" cdp-relabel --ids people renamed
printf '1 3 0.9\n' >late
is "$(cdp-relabel --adopt 0.5 --pairs late named | tr '\t\n' '= ')" "Ann=0 Bob=0 Cy=1 Dee=0 Eve=-1 " "pairs without names, by their numbers"
is "$(printf 'Bob,Dee,.9\n' | cdp-view --from csv --ids people | cdp-relabel --adopt 0.5 --pairs - named | cut -f2 | tr '\n' ' ')" \
    "0 0 1 0 -1 " "pairs with names"
fails 1 'scattered: its items have no names, but those of the pairs have: see --ids' "pairs with names, labels without" \
    cdp-relabel --adopt 0.5 --pairs <(printf 'a,b,.9\nc,d,.9\ne,a,.3\n' | cdp-view --from csv) scattered
fails 1 'late: pair 1, 9: an id is not below the number of labels, 5' "pairs of items without a label" \
    bash -c 'echo 1 9 0.9 >>late; cdp-relabel --adopt 0.5 --pairs late scattered'

# two outputs of one name, and outputs that appear together or not at all
fails 1 'clash: two outputs of one name' "two outputs of one name" \
    cdp-relabel --previous labels --changes ./clash -o clash labels
[ ! -e clash ]
ok $? "neither is there"
# shellcheck disable=SC2016 # for the inner shell
fails 1 '/dev/stdout: two outputs of one name' "labels and changes mixed" \
    bash -c 'cdp-relabel --previous labels --changes /dev/stdout labels | cat; exit "${PIPESTATUS[0]}"'
cp chain kept
fails 1 'kept: two outputs of one name' "changes in place of the labels" \
    bash -c 'cdp-relabel --previous labels --changes kept labels >>kept'
same kept chain "and nothing is written"
fails 1 '/dev/full: cannot write' "a full disk" cdp-relabel --previous labels --changes side -o /dev/full labels
[ ! -e side ]
ok $? "no side output without the main one"
printf "a\nb\n" >names.kept
cp names.kept names.before
fails 1 'line 1: expected a finite number' "a failed conversion" \
    cdp-view --from csv --ids-out names.kept -o never <(printf 'a,b,x.y\n')
same names.kept names.before "leaves the names file of before"

fails 2 '--changes has no effect without --previous' "changes since when" cdp-relabel --changes x labels
fails 2 '--adopt has no effect without --pairs' "adoption by no pairs" cdp-relabel --adopt 0 labels
fails 2 '--must-link has no effect without --adopt' "constraints of nothing" cdp-relabel --must-link apart labels
fails 1 'standard input: holds no labels' "a program before it that failed" cdp-relabel --min-size 2 </dev/null

# A number that is free again, and how it is not given twice
printf '0\n0\n-1\n' >apart
printf '4\n4\n5\n' >now
is "$(cdp-relabel --previous apart now | xargs) $(cdp-relabel --previous <(cat apart <(echo 7)) now | xargs)" "0 0 1 0 0 8" "a last line keeps the largest number"
printf 'a\t0\nb\t0\n' >apart
printf 'a\t4\nb\t4\nc\t5\n' >now
is "$(cdp-relabel --previous <(cat apart <(printf 'largest\t7\n')) now | cut -f2 | xargs)" "0 0 8" "with names a line of none"

done_testing
