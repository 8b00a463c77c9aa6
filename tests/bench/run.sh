#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [large]: prints time and memory of streams, propagation and evaluation, beside a lower bound or a peer in the same
# run. `large` adds 200 million pairs. knn.sh is for the neighbour search, NOTES.md has results.
set -euo pipefail
: "${CDP_BIN:?is the folder of the tools}" "${CDP_BENCH:?is the folder of the bench programs}"
PATH=$CDP_BIN:$CDP_BENCH:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# best NAME COMMAND...: prints the shortest time of five runs and the peak memory of the last
best() {
    local name=$1 least='' line seconds memory
    shift
    for _ in 1 2 3 4 5; do
        line=$( { "$@" -v >"$folder/out"; } 2>&1 | tail -n 1)
        seconds=${line#*: }
        seconds=${seconds%% s,*}
        memory=${line##*, }
        memory=${memory%% MB*}
        if [ -z "$least" ] || awk "BEGIN { exit !($seconds < $least) }"; then least=$seconds; fi
    done
    printf '%-52s %8s s %6s MB\n' "$name" "$least" "$memory"
}

sizes=20000000
[ "${1:-}" != large ] || sizes="$sizes 200000000"
for pairs in $sizes; do
    for kind in clusters random; do
        make-pairs $kind 1400000 "$pairs" 1 >"$folder/pairs.cdp"
        best "$kind, 1.4 M nodes, $pairs pairs: cdp-view --check" cdp-view -t 1 --check "$folder/pairs.cdp"
        echo "a bare union-find: $( { time -p components "$folder/pairs.cdp" >"$folder/out"; } 2>&1 | head -n 1)"
        best "$kind, 1.4 M nodes, $pairs pairs: cdp-propagate" cdp-propagate -t 1 "$folder/pairs.cdp"
    done
done

# Peers that must give the same labels. Times include reading: Boost reads records of 12 bytes, scipy npy arrays.
make-pairs clusters 1400000 20000000 1 >"$folder/pairs.cdp"
best "clusters, for the peers: cdp-propagate" cdp-propagate "$folder/pairs.cdp"
cdp-propagate --max-size 600 "$folder/pairs.cdp" >"$folder/own"
cdp-view --to npz "$folder/pairs.cdp" >"$folder/pairs.npz"
(cd "$folder" && unzip -qo pairs.npz)
if [ -x "$CDP_BENCH/peer-boost" ]; then
    cdp-view --to tsv "$folder/pairs.cdp" | perl -ane 'print pack("VVf<", @F)' >"$folder/pairs.bin"
    peer-boost "$folder/pairs.bin" 1400000 >"$folder/labels"
    cmp "$folder/own" "$folder/labels"
fi
if /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
    /usr/bin/python3 "$(dirname "$0")/peer-scipy.py" "$folder/pairs.npy" "$folder/scores.npy" 1400000 >"$folder/labels"
    cmp "$folder/own" "$folder/labels"
fi

# The map equation, and the codelengths of both by one definition.
cdp-synth --items 20000 --models 1 "$folder/faces"
cdp-knn -k 80 --dim 256 "$folder/faces/features/m0.bin" | cdp-score vote --threshold 0.6 - >"$folder/pairs.cdp"
best "20,000 items, lists of 80: cdp-propagate --method map" cdp-propagate --method map "$folder/pairs.cdp"
if /usr/bin/python3 -c 'import igraph' 2>/dev/null; then
    cdp-propagate --method map "$folder/pairs.cdp" >"$folder/own"
    cdp-view --to tsv "$folder/pairs.cdp" >"$folder/pairs.tsv"
    /usr/bin/python3 "$(dirname "$0")/peer-infomap.py" "$folder/pairs.tsv" 20000 >"$folder/labels"
    for labels in own labels; do
        perl -w "$(dirname "$0")/../reference/codelength.pl" "$folder/$labels" <"$folder/pairs.tsv"
    done
fi

awk 'BEGIN { for (i = 0; i < 10000000; i++) print int(i * 7919 % 10000000 / 70) }' >"$folder/meta"
awk 'BEGIN { for (i = 0; i < 10000000; i++) print i % 50 ? int(i * 7919 % 10000000 / 65) : -1 }' >"$folder/labels"
best "10 M labels: cdp-eval" cdp-eval "$folder/labels" "$folder/meta"

cdp-synth --items 50000 --models 1 "$folder/data"
cdp-knn -k 14 --method exact --dim 256 "$folder/data/features/m0.bin" >"$folder/knn.cdp"
edges=$(cdp-view --check -v "$folder/knn.cdp" 2>&1 | sed -n 's/^.*: \([0-9]*\) edges.*/\1/p')
for ((i = 0; i < 40; i++)); do cat "$folder/knn.cdp"; done >"$folder/long.cdp"
echo "$((edges * 40)) edges of 12 bytes:"
best "reading knn streams, one thread: cdp-view --check" cdp-view -t 1 --check "$folder/long.cdp"
