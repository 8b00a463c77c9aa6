#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Neighbours of synthetic faces, real faces and Fashion-MNIST: exact ones bit for bit those of brute force in
# double precision, for some of the rows (test-long: all rows, a quarter of an hour); the same ones from every
# instruction set and number of threads; and the recall of approximate search for copies and for clusters of very
# different size.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference
images=/usr/share/datasets/fashion-mnist/train # Debian: dataset-fashion-mnist
faces=${CDP_SHARED:-}/data/lfw/unlabeled/features

# bit_for_bit STEP DIM FILE METRIC...: every STEPth row, of test-long every row
bit_for_bit() {
    local step=$1 dim=$2 file=$3 metric
    shift 3
    step=$(size "$step" "$step" 1)
    for metric; do
        $reference knn-double "$metric" 15 "$dim" "$step" "$file" >wanted.tsv
        cdp-knn --method exact --metric "$metric" --dim "$dim" "$file" | cdp-view --to tsv - |
            awk -v step="$step" '$1 % step == 0' >got.tsv
        same got.tsv wanted.tsv "${file##*/}, $metric: ids and distances of one row in $step, bit for bit"
    done
}

# has ISA: whether this processor and system run it
perl -e 'print pack "f*", 1, 2' >two
has() {
    CDP_ISA=$1 cdp-knn -k 1 --dim 1 two >/dev/null 2>&1
}
isas=()
for isa in avx2 avx512vnni amx neon dotprod i8mm; do
    has $isa && isas+=("$isa")
done
note "instruction sets: plain ${isas[*]}"

# same_everywhere DIM FILE ISA...: with 1, 2 and 8 threads and with these instruction sets
same_everywhere() {
    local dim=$1 file=$2 method isa
    shift 2
    for method in exact approx; do
        for threads in 1 2 8; do
            cdp-knn --method $method -t $threads --dim "$dim" "$file" | cdp-view --digest -
        done >digests
        is "$(sort -u digests | wc -l)" 1 "${file##*/}, $method: same content with 1, 2, 8 threads"
        for isa; do
            what="${file##*/}, $method: the same by $isa"
            is "$(CDP_ISA=$isa cdp-knn --method $method --dim "$dim" "$file" | cdp-view --digest -)" \
                "$(head -n 1 digests)" "$what"
        done
    done
}

# few DIM FILE: the first rows, few enough for what has no vector instructions
few() {
    head -c $(($(size 1000 1000 20000) * $1 * 4)) "$2" >"few-$2"
    same_everywhere "$1" "few-$2" plain
}

rows=$(size 2500 10000 20000)
cdp-synth --items "$rows" --models 1 made
mv made/features/m0.bin made.bin
bit_for_bit 100 256 made.bin cosine
same_everywhere 256 made.bin "${isas[@]}"
few 256 made.bin

# both DIM FILE [OPTION]...: sets found to the recall of approximate search over all rows, told to the printed one
both() {
    cdp-knn --method exact --dim "$1" -o exact.cdp "$2"
    cdp-knn --method approx -v --dim "$@" -o approx.cdp 2>said
    told=$(sed -n 's/.*recall \([0-9.]*\).*/\1/p' said)
    found=$("$CDP_BUILD/bench/recall" exact.cdp approx.cdp)
}

if [ "$CDP_TEST_SIZE" != small ]; then
    # Approximate search stops where a sample has the recall by more than its standard error: one that stops
    # as soon as the sample has it stays below, counted on all of these rows.
    cdp-synth --items 40000 --identities 519 --dim 64 --models 1 many
    for recall in $(size '' 0.995 '0.993 0.995'); do
        both 64 many/features/m0.bin --recall "$recall"
        awk "BEGIN { exit !($found >= $recall) }"
        ok $? "40,000 rows: recall $recall requested, $told printed, $found measured"
    done

    # Where neighbours are everywhere, comparing all pairs costs less than looking into ever more cells.
    perl -e 'srand 2; print pack "f<*", map { rand() - rand() } 1 .. 64 for 1 .. 30000' >alone.bin
    both 64 alone.bin
    is "$told $found" "1.0000 1.00000" "30,000 rows without any order: all pairs are compared"

    # One thread takes blocks of 2, 3 and 4 times as many rows as eight do.
    for items in $(size '' 66000 '34000 50000 66000'); do
        head -c $((items * 16 * 4)) many/features/m0.bin >narrow.bin
        for threads in 1 8; do
            cdp-knn --method exact -t $threads --metric l2 --dim 16 narrow.bin | cdp-view --digest -
        done >digests
        is "$(sort -u digests | wc -l) $(wc -l <digests)" "1 2" "$items rows: the same content by blocks of any size"
    done
fi

# Of so many rows the nearest centres are first told by fewer numbers.
if [ "$CDP_TEST_SIZE" = long ]; then
    cdp-synth --items 420000 --identities 5454 --models 1 --dim 128 more
    both 128 more/features/m0.bin
    awk "BEGIN { exit !($found >= 0.985) }"
    ok $? "420,000 rows: a recall of 0.99 is asked for, $found is found"
fi

if [ -d "$faces" ]; then
    for model in barel128 dlib128 mobilefacenet128 mobileface256 faceplugin512; do
        bit_for_bit 50 "${model##*[a-z]}" "$faces/$model.bin" cosine
    done
fi

if [ ! -e $images-images-idx3-ubyte.gz ]; then
    note "without Fashion-MNIST"
    done_testing
fi
gzip -dc $images-images-idx3-ubyte.gz | tail -c +17 | head -c $((rows * 784)) |
    perl -e 'local $/ = \784; print pack "f<*", unpack "C*" while <>' >fashion.bin
bit_for_bit 200 784 fashion.bin cosine l2
head -c $(($(size 1000 4000 20000) * 784 * 4)) fashion.bin >part.bin
same_everywhere 784 part.bin "${isas[@]}"
few 784 fashion.bin
# Many of these are at equal distances.
head -c $(($(size 800 3000 5000) * 784 * 4)) fashion.bin >first.bin
bit_for_bit 100 784 first.bin angular l1 linf hamming

[ "$CDP_TEST_SIZE" != small ] || done_testing

# 6,000 images of one class, half as many of the next, and so on down to 11, and 1,000 copies of one:
# approximate search finds what it says of the whole, and no group is left out
gzip -dc $images-labels-idx1-ubyte.gz | tail -c +9 | od -An -v -tu1 -w1 >classes
gzip -dc $images-images-idx3-ubyte.gz | tail -c +17 |
    "$CDP_SOURCE/tests/reference/uneven.pl" classes groups >uneven.bin
for metric in $(size '' cosine 'cosine l2'); do
    cdp-knn --method exact --metric "$metric" --dim 784 uneven.bin | cdp-view --to tsv - >exact.tsv
    cdp-knn --method approx -v --metric "$metric" --dim 784 uneven.bin 2>said | cdp-view --to tsv - >approx.tsv
    told=$(sed -n 's/.*recall \([0-9.]*\).*/\1/p' said)
    awk 'FILENAME == "groups" { group[FNR - 1] = $1; next }
        FILENAME == "exact.tsv" { farthest[$1] = $3; there[$1 " " $2]; next }
        { hits[group[$1]] += $3 <= farthest[$1] || ($1 " " $2) in there; all[group[$1]]++ }
        END { for (g in all) { print g, hits[g] / all[g]; hits["whole"] += hits[g] }
              print "whole", hits["whole"] / FNR }' groups exact.tsv approx.tsv | sort >found
    awk -v told="$told" '$1 == "whole" { bad = bad || $2 < told - 0.01 } $2 < 0.9 { bad = 1 }
        END { exit bad || NR != 12 }' found
    ok $? "uneven.bin, $metric: recall $told is told, and found: $(tr '\n' ',' <found)"
done

done_testing
