#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# knn.sh [PART]...: prints time, recall and memory of the neighbour search, of its peers, and the peaks of the
# processor, as TSV. Parts (default: the first five):
#   exact     the exact search at 50,000 and 200,000 rows and on Fashion-MNIST
#   peers     faiss and hnswlib at up to 200,000 rows
#   approx    the approximate search at up to 1.4 million rows and on Fashion-MNIST
#   growth    the approximate search at 200,000 and 1.4 million rows in turns
#   crossing  the size from which the approximate search is faster than the exact one
#   large     hnswlib at 600,000 rows
#   peaks     nothing but the peaks, which every run prints first
# Two threads, k = 15, cosine. Times are of whole commands, the median of three runs; of peers, of one run without
# reading. Multiply-adds are counted as rows x rows / 2 x dimension. The data are made once in the folder $CDP_DATA
# (default: a temporary folder; 2.5 GB).
set -euo pipefail
export LC_ALL=C
: "${CDP_BIN:?is the folder of the tools}" "${CDP_BENCH:?is the folder of the bench programs}"
PATH=$CDP_BIN:$CDP_BENCH:$PATH
if [ -n "${CDP_DATA:-}" ]; then
    mkdir -p "$CDP_DATA"
else
    CDP_DATA=$(mktemp -d)
    trap 'rm -rf "$CDP_DATA"' EXIT
fi
cd "$CDP_DATA"
parts=" ${*:-exact peers approx growth crossing} "
images=/usr/share/datasets/fashion-mnist # Debian: dataset-fashion-mnist

# synth ROWS: makes synth-ROWS.bin, one model of synthetic faces
synth() {
    [ ! -e "synth-$1.bin" ] || return 0
    local identities=$(($1 / 77))
    case $1 in # as the sets of the original
    200000) identities=2577 ;;
    600000) identities=8436 ;;
    1400000) identities=21433 ;;
    esac
    cdp-synth --items "$1" --identities $identities --models 1 synth
    mv synth/features/m0.bin "synth-$1.bin"
}

fashion() {
    [ ! -e fashion.bin ] || return 0
    for part in train t10k; do
        gzip -dc "$images/$part-images-idx3-ubyte.gz" | tail -c +17
    done | perl -e 'local $/ = \784; print pack "f<*", unpack "C*" while <>' >fashion.tmp
    mv fashion.tmp fashion.bin
}

# line WHAT ROWS DIM SECONDS RECALL MB: prints a line; for exact searches with multiply-adds and their share of the peak
line() {
    awk -v peak="$peak" -v what="$1" -v rows="$2" -v dim="$3" -v seconds="$4" -v recall="$5" -v memory="$6" '
        BEGIN { OFS = "\t"; rate = share = "-"
            if (what ~ /exact|faiss/) { rate = rows * rows / 2 * dim / seconds / 1e9
                share = sprintf("%.0f %%", 100 * rate / peak); rate = sprintf("%.0f", rate) }
            print what, rows, dim, seconds, recall, memory, rate, share }'
}

# search_once METHOD ROWS DIM FILE: makes found.cdp, and prints seconds and MB
search_once() {
    cdp-knn -v -k 15 -t 2 --method "$1" --dim "$3" -o found.cdp "$4" 2>&1 | tail -n 1 |
        sed 's/.*: \([0-9.]*\) s,.*, \([0-9]*\) MB.*/\1 \2/'
}

# search METHOD ROWS DIM FILE: the same three times; sets $seconds to the median, and $memory to its memory
search() {
    local median
    median=$(for _ in 1 2 3; do search_once "$@"; done | sort -n | sed -n 2p)
    read -r seconds memory <<<"$median"
}

# sample ROWS DIM FILE: makes sample.cdp, the exact neighbours of eight spans of 250 rows; for 200,000 rows of all, as
# for the peers
sample() {
    if [ "$1" = 200000 ]; then
        cdp-knn -k 15 -t 2 --method exact --dim "$2" -o sample.cdp "$3"
        return
    fi
    for ((i = 0; i < 8; i++)); do
        first=$(($1 * i / 8))
        cdp-knn -k 15 -t 2 --method exact --rows $first:$((first + 250)) --dim "$2" "$3" | cdp-view --to tsv
    done | cdp-view --from tsv --type knn --nodes "$1" -o sample.cdp # a stream cannot be laid together from parts with gaps
}

# peer WHAT ROWS DIM COMMAND...: runs a peer and prints its line; its recall is against exact.cdp
peer() {
    local what=$1 rows=$2 dim=$3
    shift 3
    # OpenBLAS is slower under settings made for other programs, and while idle threads of faiss spin.
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_WAIT_POLICY=passive "$@" 2>message |
        cdp-view --from tsv --type knn --nodes "$rows" -o peer.cdp -
    line "$what" "$rows" "$dim" "$(sed 's/.* \([0-9.]*\) s in all/\1/' message)" "$(recall exact.cdp peer.cdp)" -
}

peer_hnsw() { # ROWS M EF_CONSTRUCTION EF
    peer "hnswlib, M $2, efConstruction $3, ef $4" "$1" 256 hnsw "synth-$1.bin" 256 15 "$2" "$3" "$4"
}

printf 'what\trows\tdimension\tseconds\trecall\tMB\t10^9 multiply-adds/s\tof the int8 peak\n'
for threads in 1 2; do
    peak $threads | tee peaks | awk -F'\t' -v OFS='\t' -v threads=$threads '
        { print "peak, " $1 ", threads: " threads, "-", "-", "-", "-", "-", $2, "-" }'
done
peak=$(cut -f2 peaks | head -n 1)

if [[ $parts == *" exact "* ]]; then
    for rows in 50000 200000; do
        synth $rows
        search exact $rows 256 synth-$rows.bin
        line "cdp-knn --method exact" $rows 256 "$seconds" 1 "$memory"
    done
    if [ -d $images ]; then
        fashion
        search exact 70000 784 fashion.bin
        line "cdp-knn --method exact, Fashion-MNIST" 70000 784 "$seconds" 1 "$memory"
    fi
fi

if [[ $parts == *" peers "* ]]; then
    for rows in 50000 200000; do
        synth $rows
        cdp-knn -k 15 -t 2 --method exact --dim 256 -o exact.cdp synth-$rows.bin
        [ ! -x "$CDP_BENCH/faiss" ] || peer "faiss, IndexFlatIP" $rows 256 faiss synth-$rows.bin 256 15
    done
    if [ -x "$CDP_BENCH/hnsw" ]; then
        for setting in "12 60 32" "12 100 40" "10 90 48" "10 80 56" "12 70 44" "12 80 40" "16 200 64"; do
            # shellcheck disable=SC2086 # three words
            peer_hnsw 200000 $setting
        done
    fi
fi

if [[ $parts == *" approx "* ]]; then
    for rows in 200000 600000 1400000; do
        synth $rows
        search approx $rows 256 synth-$rows.bin
        sample $rows 256 synth-$rows.bin
        line "cdp-knn --method approx" $rows 256 "$seconds" "$(recall sample.cdp found.cdp)" "$memory"
    done
    if [ -d $images ]; then
        fashion
        search approx 70000 784 fashion.bin
        sample 70000 784 fashion.bin
        line "cdp-knn --method approx, Fashion-MNIST" 70000 784 "$seconds" "$(recall sample.cdp found.cdp)" \
            "$memory"
    fi
fi

# In turns, since the speed of a shared machine changes. A pause before each run makes their memory alike: a virtual
# machine returns free memory to its host after some seconds, and a run right after another would find it still there.
if [[ $parts == *" growth "* ]]; then
    for rows in 200000 1400000; do
        synth $rows
    done
    for _ in 1 2 3 4 5; do
        for rows in 200000 1400000; do
            sleep 5
            search_once approx $rows 256 synth-$rows.bin | sed "s/^/$rows /"
        done
    done | sort -n -k 1,1 -k 2,2 | awk '{ time[$1, ++runs[$1]] = $2 } END { few = time[200000, 3]
        many = time[1400000, 3]
        printf "approx, in turns, medians of five: 200,000 rows %.2f s, 1.4 M %.2f s, ", few, many
        printf "%.2f times the time, exponent %.2f\n", many / few, log(many / few) / log(7) }'
fi

if [[ $parts == *" crossing "* ]]; then
    times=
    for rows in 10000 20000 40000 80000; do
        synth $rows
        search exact $rows 256 synth-$rows.bin
        line "cdp-knn --method exact" $rows 256 "$seconds" 1 "$memory"
        cp found.cdp exact.cdp
        exact=$seconds
        search approx $rows 256 synth-$rows.bin
        line "cdp-knn --method approx" $rows 256 "$seconds" "$(recall exact.cdp found.cdp)" "$memory"
        times+="$rows $exact $seconds"$'\n'
    done
    # Interpolated linearly between logarithms of rows and of the ratio of times.
    awk 'NF { n = log($1); d = log($3 / $2) }
        NF && was > 0 && d <= 0 { at = exp(before + (n - before) * was / (was - d)) }
        NF { if (NR == 1 && d <= 0) at = $1; before = n; was = d }
        END { print "approx is the faster one from " (at ? int(at) " rows on" : "no size here on") }' <<<"$times"
fi

if [[ $parts == *" large "* ]] && [ -x "$CDP_BENCH/hnsw" ]; then
    synth 600000
    sample 600000 256 synth-600000.bin
    mv sample.cdp exact.cdp
    for setting in "12 100 40" "12 100 64" "12 120 64"; do
        # shellcheck disable=SC2086 # three words
        peer_hnsw 600000 $setting
    done
fi
