#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every tool writes the same with any number of threads. `make tsan` runs this under the thread sanitizer, so inputs
# are as small as still divides the work: several blocks of a stream, several tiles of rows, lists of all kinds.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# same_by NAME COMMAND...: COMMAND -t N has the same output for each N, which is not empty; it is left in the file out
same_by() {
    local name=$1 threads
    shift
    "$@" -t 1 >out
    for threads in 2 8; do
        "$@" -t $threads | cmp -s - out && [ -s out ]
        ok $? "$name: the same with $threads threads"
    done
}
# content COMMAND...: the digest of the stream that a command writes; its provenance may differ
# shellcheck disable=SC2317 # same_by calls it
content() { "$@" | cdp-view --digest -; }

for threads in 1 2 8; do
    cdp-synth --items 2000 --identities 60 --dim 32 --models 2 -t $threads made$threads
    diff -r made1 made$threads >out
    ok $? "cdp-synth: the same with $threads threads"
done
cdp-synth --items 2000 --identities 60 --dim 32 --models 1 --seed 2 others
rows=made1/features/m0.bin
head -c 128000 $rows >once.bin
cat once.bin <(head -c 32000 once.bin) >copies.bin # 1,000 rows, and 250 of them again

for metric in cosine l2 l1; do
    same_by "exact, $metric" content cdp-knn --method exact --metric $metric -k 14 --dim 32 $rows
    same_by "approximate, $metric" content cdp-knn --method approx --metric $metric -k 14 --dim 32 $rows
done
for method in exact approx; do
    same_by "equal rows, $method" content cdp-knn -q --method $method -k 14 --dim 32 copies.bin
    same_by "equal rows once, $method" content cdp-knn --copies once --method $method -k 14 --dim 32 copies.bin
done
# Rows whose hyperplanes exclude columns, and so many that there are groups of centroids.
cdp-synth --items "$(size 6000 12000 60000)" --models 1 --dim 16 many
for method in exact approx; do
    same_by "more rows, $method" content cdp-knn --method $method -k 5 --dim 16 many/features/m0.bin
done

for m in 0 1; do
    cdp-knn -k 64 --dim 32 -o m$m.cdp made1/features/m$m.bin # two blocks of 65,536 edges
done
same_by "a stream to text" cdp-view --to tsv m0.cdp
mv out m0.tsv
same_by "text to a stream" cdp-view --from tsv --type knn m0.tsv
same_by "a vote" cdp-score vote --accept 1 m0.cdp m1.cdp
mv out pairs.cdp
same_by "true pairs" cdp-score truth --labels made1/meta.txt m0.cdp
same_by "pair features" cdp-score features --extra --features $rows --features made1/features/m1.bin m0.cdp m1.cdp
mv out features.cdp
same_by "training" cdp-mediate train -q --epochs 1 --labels made1/meta.txt features.cdp
mv out model
same_by "a mediator's pairs" cdp-mediate apply -q --model model --threshold 0.5 features.cdp
same_by "clusters" cdp-propagate -q --max-size 40 pairs.cdp
mv out labels
same_by "a page of clusters" cdp-report -q --pairs pairs.cdp --truth made1/meta.txt labels
same_by "soft labels" cdp-explain soft -q --max-size 40 pairs.cdp
same_by "a sweep" cdp-sweep -q --max-sizes 40 --thresholds 0:1:0.1 --labels made1/meta.txt pairs.cdp
for method in single dbscan knn-dbscan rank-order; do
    same_by "$method" cdp-baseline $method --dim 32 $rows
done
same_by "the tree of single linkage" cdp-baseline single --tree --dim 32 copies.bin
same_by "an evaluation" cdp-eval --format tsv made1/meta.txt made1/meta.txt

done_testing
