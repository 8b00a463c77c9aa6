#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other programs in the place of cdp-knn and of cdp-propagate, where they are installed.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
outside=$CDP_SOURCE/pipelines/outside
export OMP_NUM_THREADS=1 # hnswlib's results differ from run to run otherwise

# fscore LABELS: pairwise, singletons kept
fscore() {
    cdp-eval --format tsv "$1" "a b/meta.txt" | awk -F'\t' '$1 == "pairwise.kept.fscore" { print $2 }'
}
cdp-synth --items 3000 --dim 64 --models 1 "a b"
cdp-knn -k 14 --dim 64 -o knn.cdp "a b/features/m0.bin"
cdp-score vote --threshold 0.7 -o "a b/pairs.cdp" knn.cdp
cdp-propagate -o own.txt "a b/pairs.cdp"

if echo '#include <hnswlib/hnswlib.h>' | "${CXX:-g++}" -x c++ -fopenmp -E - >/dev/null 2>&1; then
    "$outside/neighbours" "a b/features/m0.bin" 64 "a b/hnsw.txt" "a b/meta.txt" >table 2>err
    is $? 0 "neighbours from hnswlib"
    sed 's/^/# /' err
    is "$(wc -l <"a b/hnsw.txt")" 3000 "a label for each item"
    is "$(grep -c '^pairwise' table)" 1 "and they are evaluated"
    awk -v a="$(fscore own.txt)" -v b="$(fscore "a b/hnsw.txt")" 'BEGIN { exit !(a - b < 1 && b - a < 1) }'
    ok $? "as good as those of cdp-knn's neighbours"
    fails 1 'hnsw: .*none.bin: expected rows of 64 float32' "no features" \
        "$outside/neighbours" none.bin 64 never.txt
    [ ! -e never.txt ]
    ok $? "and no labels then"
else
    ok 0 "neighbours from hnswlib # SKIP no libhnswlib-dev"
fi
fails 2 'usage: neighbours' "neighbours wants three words" "$outside/neighbours" "a b"

if command -v mcl >/dev/null; then
    "$outside/clusters" "a b/pairs.cdp" "a b/mcl.txt" "a b/meta.txt" >table 2>err
    is $? 0 "clusters from mcl"
    sed 's/^/# /' err
    is "$(grep -c '^pairwise' table)" 1 "and they are evaluated"
    awk -v a="$(fscore own.txt)" -v b="$(fscore "a b/mcl.txt")" 'BEGIN { exit !(b > a - 5) }'
    ok $? "and about as good as those of cdp-propagate"
    # The same items are in none; mcl only ever divides components.
    is "$(paste own.txt "a b/mcl.txt" | awk '($1 == -1) != ($2 == -1)' | wc -l)" 0 "items in no pair are in no cluster"
    is "$(paste own.txt "a b/mcl.txt" | sort -u | cut -f2 | sort | uniq -d | grep -vc '^-1$')" 0 \
        "a cluster of mcl lies in one component"
    fails 1 'none.cdp' "no pairs" "$outside/clusters" none.cdp never.txt
    [ ! -e never.txt ]
    ok $? "and no labels then"
else
    ok 0 "clusters from mcl # SKIP no mcl"
fi
fails 2 'usage: clusters' "clusters wants two words" "$outside/clusters" "a b/pairs.cdp"
done_testing
