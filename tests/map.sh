#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-propagate and cdp-sweep --method map: the codelength against its definition, constraints, pairs in any form.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
codelength=$CDP_SOURCE/tests/reference/codelength.pl

# near WORD WORD: two numbers differ by at most 2e-6
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a - b <= 2e-6 && b - a <= 2e-6) }'
}

# printed: the codelength in the notes of -v
printed() {
    sed -n 's/.*codelength \([0-9.]*\) bits$/\1/p' err
}

# groups SEED ITEMS: pairs of groups of five items, true ones with high scores, and false ones between groups
groups() {
    perl -e 'my ($seed, $n) = @ARGV; srand $seed; for my $i (0 .. $n - 1) { for my $j ($i + 1 .. $n - 1) {
        my $true = int($i / 5) == int($j / 5);
        printf "%d\t%d\t%.6f\n", $i, $j, $true ? 0.5 + rand(0.5) : rand(0.6) if rand() < ($true ? 0.8 : 0.08) } }' "$1" "$2"
}

wrong=0
improvable=0
cases=$(size 3 8 40)
for seed in $(seq 1 "$cases"); do
    groups "$seed" 30 >pairs.tsv
    cdp-propagate -v --method map --nodes 31 pairs.tsv >labels 2>err
    read -r length gain <<<"$(perl -w "$codelength" labels moves <pairs.tsv)"
    near "$(printed)" "$length" || { wrong=$((wrong + 1)); note "seed $seed: $(printed), not $length"; }
    near "$gain" 0 || { improvable=$((improvable + 1)); note "seed $seed: $gain bits"; }
    [ "$(tail -n 1 labels)" = -1 ] || wrong=$((wrong + 1))
done
is $wrong 0 "$cases codelengths by their definition, and -1 for an item without a pair"
is $improvable 0 "no move of one item and no union of two clusters shortens them"

# forms of the same pairs
groups 99 "$(size 500 2000 2000)" >all.tsv
shuf --random-source=<(yes) -n 12000 all.tsv | sort -n -k1,1 -k2,2 >pairs.tsv
nodes=$(size 500 2000 2000)
cdp-view --from tsv --nodes "$nodes" pairs.tsv >pairs.cdp
cdp-view --to tsv pairs.cdp >pairs.tsv
cdp-propagate -v --method map pairs.cdp >wanted 2>err
near "$(printed)" "$(perl -w "$codelength" wanted <pairs.tsv)"
ok $? "the codelength of $(wc -l <pairs.tsv) pairs"
for threads in 1 2 3 8; do
    cdp-propagate -t $threads --method map <pairs.cdp >got
    same got wanted "$threads threads, from a pipe"
done
cdp-propagate --method map --nodes "$nodes" pairs.tsv >got
same got wanted "text"
shuf --random-source=<(yes 1) pairs.tsv | awk -v OFS='\t' 'NR % 2 { print $2, $1, $3; next } { print }' >shuffled.tsv
cdp-propagate -t 3 --method map --nodes "$nodes" shuffled.tsv >got
same got wanted "order and direction of the pairs do not matter"
awk -v OFS='\t' '{ print $2, $1, $3 / 2; if (NR % 3 == 0) print $1, $2, 0.01 }' pairs.tsv | cat - shuffled.tsv >repeated.tsv
cdp-propagate --method map --nodes "$nodes" repeated.tsv >got
same got wanted "of a repeated pair the highest score counts"
split -n l/5 shuffled.tsv part.
cdp-propagate --method map --nodes "$nodes" part.* pairs.cdp >got
same got wanted "files and a stream are their union"
awk '$3 > 0.45' pairs.tsv | cdp-propagate --method map --nodes "$nodes" >wanted.above
cdp-propagate --method map --threshold 0.45 pairs.cdp >got
same got wanted.above "--threshold leaves out pairs of lower scores"
awk '{ print "n" NR "\t" $1 }' wanted >wanted.named
cdp-propagate --method map --ids <(cut -f1 wanted.named) pairs.cdp >got
same got wanted.named "items with names"

# two groups that one pair joins: one component, but two clusters
joined() {
    for group in 0 5; do
        for ((i = group; i < group + 5; i++)); do
            for ((j = i + 1; j < group + 5; j++)); do echo "$i $j 0.9"; done
        done
    done
    echo "4 5 0.95"
}
joined >joined.tsv
is "$(cdp-propagate joined.tsv | sort -u | wc -l) $(cdp-propagate --method map joined.tsv | tr '\n' ' ')" \
    "1 0 0 0 0 0 1 1 1 1 1 " "a false pair joins no two groups"
is "$(cdp-propagate --method map --must-link <(echo 0 9) joined.tsv | sort -u | wc -l)" 1 "a must-link does"
is "$(cdp-propagate --method map --nodes 13 --must-link <(echo 11 12) joined.tsv | tail -n 3 | tr '\n' ' ')" "-1 2 2 " \
    "must-linked items without pairs"
is "$(cdp-propagate --method map --cannot-link <(echo 0 1) joined.tsv | head -n 2 | sort -u | wc -l)" 2 \
    "a cannot-link parts two items"
cdp-propagate -q --method map --must-link <(echo 0 1) --cannot-link <(echo 0 1) joined.tsv >out 2>err
is "$? $(wc -c <out) $(grep -c 'items 0 and 1 are cannot-linked, but must-links of .* connect them: 0, 1' err)" "1 0 1" \
    "a contradiction of must-link and cannot-link"
wrong=0
for seed in $(seq 1 "$cases"); do
    groups "$seed" 60 >pairs.tsv
    awk 'NR % 41 == 1 { print $1, $2 }' pairs.tsv >must
    awk 'NR % 23 == 2 { print $1, $2 }' pairs.tsv >cannot
    if cdp-propagate -q -v --method map --nodes 60 --must-link must --cannot-link cannot pairs.tsv >labels 2>err; then
        awk 'FILENAME == "labels" { l[FNR - 1] = $1 < 0 ? "alone" FNR : $1; next }
            FILENAME == "must" { bad += l[$1] != l[$2] } FILENAME == "cannot" { bad += l[$1] == l[$2] }
            END { exit bad > 0 }' labels must cannot || { wrong=$((wrong + 1)); note "seed $seed"; }
        cdp-propagate -t 3 --method map --nodes 60 --must-link must --cannot-link cannot \
            <(shuf --random-source=<(yes) pairs.tsv) | cmp -s labels - || wrong=$((wrong + 1))
        near "$(cdp-propagate -v --method map --nodes 60 --must-link must --cannot-link cannot pairs.tsv 2>&1 >out |
            sed -n 's/.*codelength \([0-9.]*\) bits$/\1/p')" "$(perl -w "$codelength" labels <pairs.tsv)" ||
            wrong=$((wrong + 1))
    else
        grep -q contradict err || wrong=$((wrong + 1))
    fi
done
is $wrong 0 "must-links and cannot-links hold in $cases random cases"

# inputs on the border
is "$(cdp-propagate --method map --nodes 2 /dev/null | tr '\n' ' ')" "-1 -1 " "no pairs"
is "$(cdp-propagate --method map /dev/null | wc -l)" 0 "no items"
is "$(printf '0 1 1\n1 2 1e-30\n' | cdp-propagate --method map --nodes 4 | tr '\n' ' ')" "0 0 -1 -1 " \
    "a score of 1, and one that weighs nothing"
printf '0 1 0.9\n1 2 -0.5\n2 3 0\n' >low.tsv
is "$(cdp-propagate -q --method map low.tsv | tr '\n' ' ')" "0 0 -1 -1 " "scores of 0 and less weigh nothing"
cdp-propagate --method map low.tsv >out 2>err
is "$(cat err)" "cdp-propagate: 2 pairs with a score of 0 or less left out: scores must be probabilities that a pair is \
true" "and a warning counts them"
fails 1 'pairs.cdp: pair [0-9]*, [0-9]*: an id is not below --nodes 3' "an id that is too large" \
    cdp-propagate --method map --nodes 3 pairs.cdp
cdp-forest pairs.cdp >forest.cdp
for tool in cdp-propagate cdp-sweep; do
    fails 1 'forest.cdp: a forest stream; expected a pairs stream: a forest has too few pairs for --method map' \
        "$tool: a forest" $tool --method map forest.cdp
done
fails 2 'threshold auto is for --method ladder' "--threshold auto" \
    cdp-propagate --method map --threshold auto joined.tsv
for option in --max-size --max-iter --step; do
    fails 2 "$option" "cdp-propagate $option" cdp-propagate --method map $option 1 joined.tsv
done
for option in '--max-sizes 5' '--step 1' --auto; do
    # shellcheck disable=SC2086 # an option and its value
    fails 2 "${option% *}|method" "cdp-sweep $option" cdp-sweep --method map $option joined.tsv
done

# a sweep is one run a threshold
awk '{ print int(NR / 5) }' wanted >meta
cdp-sweep --method map --thresholds 0.1:0.9:0.2 --labels meta pairs.cdp >table
for threshold in 0.1 0.3 0.5 0.7 0.9; do
    cdp-propagate --method map --threshold $threshold pairs.cdp >labels
    cdp-eval --format tsv labels meta | awk -F'\t' -v t=$threshold '{ v[$1] = $2 } END { k = "pairwise.kept."
        printf "%s %s %.4f %.4f %.4f %.4f\n", t, v["clusters"], v[k "precision"], v[k "recall"], v[k "fscore"],
            v["bcubed.kept.fscore"] }'
done >wanted.table
awk 'NR > 1 { print $1, $3, $7, $8, $9, $10; bad += $2 != "-" } END { exit bad > 0 }' table |
    cmp -s - wanted.table
ok $? "cdp-sweep --method map is cdp-propagate and cdp-eval at each threshold"
is "$(cdp-sweep --method map --thresholds 0:0:1 --must-link <(echo 0 9) joined.tsv | tail -n 1 | cut -f3-5)" \
    "$(printf '1\t10\t10')" "with constraints"

cdp-propagate -v --method map --nodes 5 --cannot-link <(echo 1 2) <(printf '0 1 .9\n1 2 .9\n') 2>&1 >out | grep -q ' 1 cluster of several items, 3 items alone (2 without a pair, 1 cluster of one), of 5;'
ok $? "items alone by their kind"

done_testing
