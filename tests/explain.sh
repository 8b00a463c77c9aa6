#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-explain: paths, audits and soft labels, against naive computations on small graphs.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

# unique PAIRS: each pair once, smaller id first, with its highest score
unique() {
    awk '{ a = $1 < $2 ? $1 : $2; b = $1 < $2 ? $2 : $1; k = a "\t" b
           if (!(k in s) || $3 > s[k]) s[k] = $3 } END { for (k in s) print k "\t" s[k] }' "$1" |
        sort -n -k1,1 -k2,2
}

# why
printf '0 1 0.9\n1 2 0.4\n2 3 0.8\n0 3 0.3\n5 6 1\n' >pairs
is "$(cdp-explain why 0 3 pairs)" "$(printf '0\t1\t0.899999976\n1\t2\t0.400000006\tweakest\n2\t3\t0.800000012')" \
    "why two items are together"
printf '0 4\n4 3\n' >together
is "$(cdp-explain why --must-link together 0 2 pairs)" "$(printf '0\t4\tmust\n4\t3\tmust\n3\t2\t0.800000012\tweakest')" \
    "what must be together has no score"
is "$(cdp-explain why --must-link together 0 3 pairs)" "$(printf '0\t4\tmust\n4\t3\tmust')" "and is not the weakest"
is "$(cdp-explain audit --must-link together pairs)" "$(printf '%s\n' \
    'label	size	pairs	density	weakest	bridges	medoid' '0	5	4	0.400000	0.800000012	0	1' '1	2	1	1.000000	1	1	5')" \
    "nor is it counted as a pair or a bridge"
is "$(cdp-explain audit --must-link together --threshold 0.85 pairs)" "$(printf '%s\n' \
    'label	size	pairs	density	weakest	bridges	medoid' '0	4	1	0.166667	0.899999976	1	0' '1	2	1	1.000000	1	1	5')" \
    "above a threshold too"
is "$(cdp-explain audit --must-link <(echo 7 8) pairs | tail -n 1)" "2	2	0	0.000000	must	0	7" "a cluster of nothing else"
fails 1 'no pairs connect item 0 and item 5' "why two are not" cdp-explain why 0 5 pairs
fails 1 'no pairs connect item 0 and item 4' "nor one that is alone" cdp-explain why 0 4 pairs
fails 1 'no item 7: the 7 items are 0 to 6' "an item that is not there" cdp-explain why 0 7 pairs
fails 1 "'x' is no item: the pairs have no names" "a name of items without" cdp-explain why x 0 pairs
fails 1 "'3' and '3' are one item" "one item twice" cdp-explain why 3 3 pairs
fails 2 'too few operands' "one item only" cdp-explain why 3
is "$(cdp-explain why 2 3 <pairs)" "$(printf '2\t3\t0.800000012\tweakest')" "pairs of standard input"

# soft labels and audits
bad_soft=0
bad_audit=0
bad_above=0
at_threshold=0
for seed in 1 2 3 4 5 6; do
    n=$((40 + seed * 15))
    $reference random-pairs "$seed" $n $((n + seed * n / 4)) >pairs
    unique pairs >once
    max=$((5 + seed * 2))
    cdp-propagate -q --nodes $n --max-size $max pairs >labels
    cdp-explain soft -q --nodes $n --max-size $max pairs >got
    "$CDP_SOURCE/tests/reference/soft.pl" $n $max labels once >wanted
    paste got wanted | awk -F'\t' '{ d = $3 - $6; if ($1 != $4 || NF != 6 || d > 1e-6 || d < -1e-6) exit 1
        s[$1 " " $2] = $3; w[$4 " " $5] = $6 } END { for (k in s) { d = s[k] - w[k]; if (d > 1e-6 || d < -1e-6) exit 1 } }' ||
        { bad_soft=$((bad_soft + 1)); note "soft, seed $seed"; }
    cdp-explain audit -q --nodes $n --max-size $max pairs | sed 1d >got
    "$CDP_SOURCE/tests/reference/audit.pl" labels once >wanted
    awk -F'\t' -v OFS='\t' '$5 != "-" { $5 = sprintf("%.6f", $5) } 1' got >rounded
    cmp -s rounded wanted || { bad_audit=$((bad_audit + 1)); diff rounded wanted | head -n 6 | sed 's/^/# /'; }
    # above a threshold as of the pairs above it, what lies on it being left out
    awk '$3 > 0.5' pairs >above
    for what in soft audit; do
        for stop in split merge; do
            cdp-explain $what -q --nodes $n --max-size 4 --max-iter 2 --forced-stop $stop above >wanted
            cdp-explain $what -q --nodes $n --max-size 4 --max-iter 2 --forced-stop $stop --threshold 0.5 pairs |
                cmp -s - wanted || { bad_above=$((bad_above + 1)); note "$what, $stop, seed $seed"; }
        done
    done
    grep -q '0.5$' pairs && at_threshold=$((at_threshold + 1))
done
is "$bad_above:$((at_threshold > 0))" 0:1 "soft labels and audits above a threshold are those of the pairs above it"
is $bad_soft 0 "soft labels as the naive way spreads them"
is $bad_audit 0 "audits as the naive way counts them"
for threads in 1 2 8; do
    cdp-explain soft -q -t $threads --nodes "$n" --max-size "$max" pairs | cksum >soft$threads
    same soft$threads soft1 "the same soft labels with $threads threads"
done

# must-links have no score to spread by: the pairs alone do
printf '0 1 0.5\n1 2 0.5\n3 4 1\n' >linked
printf '2 3\n' >together
is "$(cdp-explain soft -q --max-size 2 --step 0.5 --max-iter 1 --must-link together linked | tr '\t\n' '= ')" \
    "$(cdp-explain soft -q --max-size 2 --clusters <(cdp-propagate -q --max-size 2 --step 0.5 --max-iter 1 --must-link together linked) \
        linked | tr '\t\n' '= ')" "soft labels pass over must-links"
is "$(cdp-explain soft -q --max-size 2 --must-link together linked | grep -ciE 'nan|inf')" 0 "and are finite"

# labels that are given: the same as those propagated; after cdp-relabel, of any numbers
cdp-explain audit -q --nodes "$n" --max-size "$max" --clusters labels pairs 2>err
is "$(head -n 1 err)" "cdp-explain audit: --max-size and --clusters exclude each other; try 'cdp-explain audit --help'" \
    "clusters that are given have their sizes"
for what in soft audit; do
    size="--max-size $max"
    [ $what = soft ] || size=
    cdp-explain $what -q --nodes "$n" --max-size "$max" pairs >wanted
    # shellcheck disable=SC2086 # options
    cdp-explain $what -q $size --clusters labels pairs | cmp -s - wanted
    ok $? "$what of given clusters"
    awk '{ print $1 < 0 ? -1 : 1000 - $1 }' labels >other
    column=$([ $what = soft ] && echo 2 || echo 1)
    # shellcheck disable=SC2086
    cdp-explain $what -q $size --clusters other pairs |
        awk -F'\t' -v OFS='\t' -v c=$column '$c != "label" { $c = 1000 - $c } 1' | sort >got
    sort wanted | cmp -s - got
    ok $? "$what of clusters with other numbers"
done
printf '0 1 0.9\n1 2 0.8\n2 3 0.3\n' >chain
printf '7\n7\n7\n7\n' >adopted
is "$(cdp-explain audit --threshold 0.5 --clusters adopted chain | tail -n 1)" \
    "$(printf '7\t4\t2\t0.333333\t0.800000012\t2\t1')" "an adopted item is counted, its pair is not above the threshold"
fails 1 'pair 0, 4: an id is not below the number of labels, 4' "labels of other items" \
    cdp-explain audit --clusters adopted <(printf '0 4 1\n')

done_testing
