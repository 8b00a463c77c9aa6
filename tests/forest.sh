#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-forest: spanning forests of any parts of the pairs, and merge trees.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

$reference random-pairs 99 5000 30000 >pairs.tsv
cdp-propagate --nodes 5000 --max-size 40 pairs.tsv >wanted
cdp-view --from tsv --nodes 5000 pairs.tsv >pairs.cdp

# forests: of parts, in any order, of text and streams, ties and all
cdp-forest --nodes 5000 pairs.tsv >forest.cdp
passes "a forest is a stream that holds what it promises" cdp-view --check forest.cdp
digest=$(cdp-view --digest forest.cdp)
sort -R pairs.tsv | awk '{ print $2 "\t" $1 "\t" $3 }' >shuffled.tsv
is "$(cdp-forest --nodes 5000 shuffled.tsv | cdp-view --digest -)" "$digest" \
    "the same forest of pairs in any order"
is "$(cdp-forest pairs.cdp | cdp-view --digest -)" "$digest" "and of a stream"
is "$(cdp-forest forest.cdp | cdp-view --digest -)" "$digest" "and of itself"
rm -f part.*
split -n r/7 shuffled.tsv part.
for part in part.*; do cdp-forest --nodes 5000 "$part" >"$part.cdp"; done
is "$(cdp-forest part.*.cdp | cdp-view --digest -)" "$digest" \
    "the forest of the forests of seven parts is that of the whole"
cat part.a[a-c].cdp | cdp-forest - >three.cdp
is "$(cdp-forest part.a[d-g].cdp three.cdp | cdp-view --digest -)" "$digest" \
    "some of them merged before the others too"
cdp-propagate --max-size 40 part.*.cdp >got
same got wanted "and it propagates as all pairs do"
cdp-view --to tsv forest.cdp >forest.tsv
awk '{ a = $1 < $2 ? $1 : $2; b = $1 < $2 ? $2 : $1; k = a "\t" b; s[k] = k in s && s[k] > $3 ? s[k] : $3 }
    END { for (k in s) print k "\t" s[k] }' pairs.tsv | sort -t"$(printf '\t')" -k3,3gr -k1,1n -k2,2n |
    awk 'function find(x) { while (x in p && p[x] != x) x = p[x]; return x }
        { a = find($1); b = find($2); if (a != b) { p[a] = b; print } }' | sort -n -k1,1 -k2,2 >kruskal.tsv
same forest.tsv kruskal.tsv "it is the one that Kruskal finds, of equal scores the smaller ids first"

# items that come later: lists of the new ones and the forest of the old, where no list is full above
# the threshold
cdp-synth --items 1500 --identities 100 --models 1 --dim 64 data
head -c $((1100 * 64 * 4)) data/features/m0.bin >old.bin
cdp-knn -k 100 --dim 64 old.bin | cdp-score vote --threshold 0.6 - | cdp-forest >old.cdp
cdp-knn -k 100 --dim 64 --rows 1100: data/features/m0.bin >rows.cdp
cdp-score vote --threshold 0.6 rows.cdp | cdp-propagate --max-size 30 --nodes 1500 old.cdp - >got
cdp-knn -k 100 --dim 64 data/features/m0.bin >all.cdp
is "$(cdp-view --to tsv all.cdp | awk '1 - $3 > 0.6 && ++n[$1] == 100 { full++ } END { print full + 0 }')" 0 \
    "no list is full above the threshold"
cdp-score vote --threshold 0.6 all.cdp | cdp-propagate --max-size 30 --nodes 1500 >scratch
same got scratch "so new rows and an old forest give what all rows give: $(sort -u got | wc -l) clusters"

# the tree: cut at any score it gives the components
cdp-forest --tree --nodes 5000 pairs.tsv >tree
is "$(wc -l <tree)" 4999 "a tree of 5,000 items has 4,999 merges"
is "$(cdp-forest --tree --nodes 5000 shuffled.tsv | cksum)" "$(cksum <tree)" "in one order, ties and all"
is "$(awk '$1 >= $2 || $3 < last || ($3 == "inf") < ended { print "bad" } { last = $3; ended = $3 == "inf" }
    END { print $4 }' tree)" 5000 "distances rise, and the last merge has all"
bad=0
for score in 0.2 0.5 0.875 0.99; do
    awk -v s=$score '$3 >= s' pairs.tsv | cdp-propagate --nodes 5000 --max-size 5000 >components
    awk -v s=$score 'function find(x) { while (x in p) x = p[x]; return x }
        $3 <= 1 - s + 1e-7 { p[$1] = 5000 + NR - 1; p[$2] = 5000 + NR - 1; paired[$1]; paired[$2] }
        END { for (i = 0; i < 5000; i++) { r = find(i); if (!(i in p)) print -1
              else { if (!(r in n)) n[r] = count++; print n[r] } } }' tree >components.tree
    cmp -s components.tree components || bad=$((bad + 1))
done
is $bad 0 "its cuts are the components"

# constraints; trees that SciPy takes
printf '0 1 0.9\n1 2 0.4\n2 3 0.8\n0 3 0.3\n5 6 1\n' >pairs
printf '0 4\n4 3\n' >together
cdp-forest --tree --nodes 9 --must-link together pairs >tree
is "$(awk '$3 < last || ($3 < 0) { bad++ } { last = $3 } END { print bad + 0, NR }' tree)" "0 8" "a tree's distances rise from 0"
if /usr/bin/python3 -c 'import scipy' 2>err; then
    bad=0
    for seed in $(seq 1 10); do
        $reference random-pairs "$seed" 60 90 >random
        $reference random-pairs $((seed + 50)) 60 12 | cut -f1,2 >random.must
        cdp-forest --tree --nodes 60 --must-link random.must random >tree
        /usr/bin/python3 -c 'import numpy, scipy.cluster.hierarchy as h; z = numpy.loadtxt("tree")
assert h.is_valid_linkage(z, throw=True) and h.is_monotonic(z)' 2>err || { bad=$((bad + 1)); note "$(tail -n 1 err)"; }
    done
    is $bad 0 "SciPy takes ten trees with constraints"
else
    ok 0 "SciPy takes trees with constraints # SKIP no scipy"
fi

: >empty
passes "a forest of no pairs" bash -c 'cdp-forest empty | cdp-view --check -'
passes "a tree of no pairs" cdp-forest --tree --nodes 3 empty
is "$(tail -n 1 out)" "$(printf '2\t3\tinf\t3')" "joins at infinity"
fails 2 '--must-link has no effect without --tree' "a constrained forest" cdp-forest --must-link together pairs
fails 2 '--cannot-link has no effect without --tree' "and by cannot-links" cdp-forest --cannot-link together pairs

done_testing
