#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Pairs to clusters: against the naive reference, in any order, from any door.
. "$CDP_SOURCE/tests/tap.sh"
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
    cmp -s got wanted || { bad=$((bad + 1)); echo "# seed $seed"; }
done
is $bad 0 "60 random cases equal the naive reference"

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

: >empty
fails 1 'standard input: empty' "an empty standard input: the program before it failed" \
    cdp-propagate - <empty
passes "no pairs, no clusters" cdp-propagate --nodes 3 empty
is "$(tr '\n' ' ' <out)" "-1 -1 -1 " "and each item is discarded"
printf '0 1 1\n1 2 1\n2 3 1\n' >chain
fails 0 '4 items are in components of more than 2 items' "the forced stop is told" \
    cdp-propagate --max-size 2 chain
passes "and not with -q" cdp-propagate -q --max-size 2 chain
fails 1 'chain: pair 1, 2: an id is not below --nodes 2' "a node beyond --nodes" \
    cdp-propagate --nodes 2 chain
fails 1 'at most 2\^32 - 2 nodes' "an id beyond 32 bits" \
    cdp-propagate <(echo 1 5000000000 0.5)
fails 1 "cannot open" "a missing file" cdp-propagate none.cdp

done_testing
