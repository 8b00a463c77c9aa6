#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# knn.sh [PART]...: the neighbour search, its peers and the machine's peaks in one run, as a table of
# tab-separated figures. Parts: exact, peers, approx, growth (the approximate search of two sizes in turns)
# and crossing, which are all of them unless some are named, and large, hnswlib at 600,000 rows; peaks alone:
# no part. Two threads everywhere, k = 15, cosine; times are of whole commands, the median of three; those of
# the peers are of one run, without reading. Multiply-adds are counted as rows x rows / 2 x numbers of a
# row. Data are made once in the folder $CDP_DATA (default: a temporary one; 2.5 GB).
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

# made ROWS: as many made-up faces in made-ROWS.bin
made() {
    [ ! -e "made-$1.bin" ] || return 0
    local identities=$(($1 / 77))
    case $1 in # as many as the original has
    200000) identities=2577 ;;
    600000) identities=8436 ;;
    1400000) identities=21433 ;;
    esac
    cdp-synth --items "$1" --identities $identities --models 1 made
    mv made/features/m0.bin "made-$1.bin"
}

fashion() {
    [ ! -e fashion.bin ] || return 0
    for part in train t10k; do
        gzip -dc "$images/$part-images-idx3-ubyte.gz" | tail -c +17
    done | perl -e 'local $/ = \784; print pack "f<*", unpack "C*" while <>' >fashion.tmp
    mv fashion.tmp fashion.bin
}

# line WHAT ROWS DIM SECONDS RECALL MB: of exact searches also the multiply-adds, and their share of the peak
line() {
    awk -v peak="$peak" -v what="$1" -v rows="$2" -v dim="$3" -v seconds="$4" -v recall="$5" -v memory="$6" '
        BEGIN { OFS = "\t"; rate = share = "-"
            if (what ~ /exact|faiss/) { rate = rows * rows / 2 * dim / seconds / 1e9
                share = sprintf("%.0f %%", 100 * rate / peak); rate = sprintf("%.0f", rate) }
            print what, rows, dim, seconds, recall, memory, rate, share }'
}

# search_once METHOD ROWS DIM FILE: leaves found.cdp, and tells the time and memory
search_once() {
    cdp-knn -v -k 15 -t 2 --method "$1" --dim "$3" -o found.cdp "$4" 2>&1 | tail -n 1 |
        sed 's/.*: \([0-9.]*\) s,.*, \([0-9]*\) MB.*/\1 \2/'
}

# search METHOD ROWS DIM FILE: the same, of three the median time in $seconds, its memory in $memory
search() {
    local told
    told=$(for _ in 1 2 3; do search_once "$@"; done | sort -n | sed -n 2p)
    read -r seconds memory <<<"$told"
}

# sample ROWS DIM FILE: the exact neighbours of 2,000 rows, here and there, as sample.cdp; of 200,000 rows
# of all, as for the peers
sample() {
    if [ "$1" = 200000 ]; then
        cdp-knn -k 15 -t 2 --method exact --dim "$2" -o sample.cdp "$3"
        return
    fi
    for ((i = 0; i < 8; i++)); do
        first=$(($1 * i / 8))
        cdp-knn -k 15 -t 2 --method exact --rows $first:$((first + 250)) --dim "$2" "$3" | cdp-view --to tsv
    done | cdp-view --from tsv --type knn --nodes "$1" -o sample.cdp # parts with gaps are no stream
}

# peer WHAT ROWS DIM COMMAND...: beside exact.cdp
peer() {
    local what=$1 rows=$2 dim=$3
    shift 3
    # What is set for other programs' sake may make OpenBLAS slower, and so do threads of faiss that spin
    # while its threads work.
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_WAIT_POLICY=passive "$@" 2>said |
        cdp-view --from tsv --type knn --nodes "$rows" -o peer.cdp -
    line "$what" "$rows" "$dim" "$(sed 's/.* \([0-9.]*\) s in all/\1/' said)" "$(recall exact.cdp peer.cdp)" -
}

peer_hnsw() { # ROWS M EF_CONSTRUCTION EF
    peer "hnswlib, M $2, efConstruction $3, ef $4" "$1" 256 hnsw "made-$1.bin" 256 15 "$2" "$3" "$4"
}

printf 'what\trows\tnumbers\tseconds\trecall\tMB\tbillion multiply-adds/s\tof the bytes'\'' peak\n'
for threads in 1 2; do
    peak $threads | tee peaks | awk -F'\t' -v OFS='\t' -v threads=$threads '
        { print "peak, " $1 ", threads: " threads, "-", "-", "-", "-", "-", $2, "-" }'
done
peak=$(cut -f2 peaks | head -n 1)

if [[ $parts == *" exact "* ]]; then
    for rows in 50000 200000; do
        made $rows
        search exact $rows 256 made-$rows.bin
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
        made $rows
        cdp-knn -k 15 -t 2 --method exact --dim 256 -o exact.cdp made-$rows.bin
        [ ! -x "$CDP_BENCH/faiss" ] || peer "faiss, IndexFlatIP" $rows 256 faiss made-$rows.bin 256 15
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
        made $rows
        search approx $rows 256 made-$rows.bin
        sample $rows 256 made-$rows.bin
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

# How time grows with the rows. In turns, since a machine that others use too is slower at one time than at
# another, and each run after a pause: a virtual machine's host takes free memory back after some seconds, so
# that what runs right after itself finds memory that is faster than what a long run finds.
if [[ $parts == *" growth "* ]]; then
    for rows in 200000 1400000; do
        made $rows
    done
    for _ in 1 2 3 4 5; do
        for rows in 200000 1400000; do
            sleep 5
            search_once approx $rows 256 made-$rows.bin | sed "s/^/$rows /"
        done
    done | sort -n -k 1,1 -k 2,2 | awk '{ time[$1, ++runs[$1]] = $2 } END { few = time[200000, 3]
        many = time[1400000, 3]
        printf "approx, in turns, medians of five: 200,000 rows %.2f s, 1.4 M %.2f s, ", few, many
        printf "%.2f times the time, exponent %.2f\n", many / few, log(many / few) / log(7) }'
fi

if [[ $parts == *" crossing "* ]]; then
    times=
    for rows in 10000 20000 40000 80000; do
        made $rows
        search exact $rows 256 made-$rows.bin
        line "cdp-knn --method exact" $rows 256 "$seconds" 1 "$memory"
        cp found.cdp exact.cdp
        exact=$seconds
        search approx $rows 256 made-$rows.bin
        line "cdp-knn --method approx" $rows 256 "$seconds" "$(recall exact.cdp found.cdp)" "$memory"
        times+="$rows $exact $seconds"$'\n'
    done
    # Between two sizes the logarithms are taken for straight lines.
    awk 'NF { n = log($1); d = log($3 / $2) }
        NF && was > 0 && d <= 0 { at = exp(before + (n - before) * was / (was - d)) }
        NF { if (NR == 1 && d <= 0) at = $1; before = n; was = d }
        END { print "approx is the faster one from " (at ? int(at) " rows on" : "no size here on") }' <<<"$times"
fi

if [[ $parts == *" large "* ]] && [ -x "$CDP_BENCH/hnsw" ]; then
    made 600000
    sample 600000 256 made-600000.bin
    mv sample.cdp exact.cdp
    for setting in "12 100 40" "12 100 64" "12 120 64"; do
        # shellcheck disable=SC2086 # three words
        peer_hnsw 600000 $setting
    done
fi
