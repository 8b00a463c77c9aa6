#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Neighbours: against brute force in long double, for every metric and kind of data, on every
# instruction set and number of threads; file formats; and what bad files get.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

# same_neighbours NAME: got.tsv has wanted.tsv's ids, and its distances to a unit in the last place
same_neighbours() {
    cut -f1,2 got.tsv >got.ids
    cut -f1,2 wanted.tsv >wanted.ids
    cmp -s got.ids wanted.ids &&
        paste got.tsv wanted.tsv | awk '{ d = $3 - $6; if (d < 0) d = -d
            if (d > 1.2e-7 * $6 + 1e-30) bad = 1 } END { exit bad }'
    ok $? "$1"
}

# has ISA: whether this processor and system run it
perl -e 'print pack "f*", 1, 2' >two
has() {
    CDP_ISA=$1 cdp-knn -k 1 --dim 1 two >/dev/null 2>&1
}
isas=() without=()
for isa in avx2 avx512vnni amx neon dotprod i8mm; do
    if has $isa; then isas+=("$isa"); else without+=("$isa"); fi
done
note "instruction sets: plain ${isas[*]}"

for metric in cosine angular l2 l1 linf hamming; do
    for kind in normal integers copies wild; do
        rows=$((300 + ${#kind} * 17))
        dim=$((1 + ${#metric} * ${#kind} * 2))
        # less than a vector of numbers; of integers distances are exact, so ties are the same
        [[ $kind:$metric != integers:l* ]] || dim=7
        $reference random-rows ${#metric} $rows $dim $kind >rows.bin
        $reference knn $metric 9 $dim rows.bin >wanted.tsv
        cdp-knn -q -k 9 --metric $metric --dim $dim rows.bin | cdp-view --to tsv - >got.tsv
        same_neighbours "$metric of $kind rows, $rows x $dim"
    done
done

$reference random-rows 5 1000 40 copies >rows.bin
cdp-knn -q --metric l2 -k 20 --dim 40 -t 1 rows.bin >one.cdp
for threads in 2 8; do
    cdp-knn -q --metric l2 -k 20 --dim 40 -t $threads rows.bin >many.cdp
    same many.cdp one.cdp "same bytes with $threads threads"
done
for isa in plain "${isas[@]}"; do
    CDP_ISA=$isa cdp-knn -q --metric l2 -k 20 --dim 40 rows.bin >isa.cdp
    same isa.cdp one.cdp "same bytes with CDP_ISA=$isa"
done
CDP_ISA='' cdp-knn -q --metric l2 -k 20 --dim 40 rows.bin >isa.cdp
same isa.cdp one.cdp "an empty CDP_ISA is none"
fails 1 "CDP_ISA: unknown instruction set 'AVX2': use amx, avx512vnni, avx2, i8mm, dotprod, neon or plain" \
    "an instruction set that there is not" env CDP_ISA=AVX2 cdp-knn -k 1 --dim 1 two
for isa in "${without[@]}"; do
    fails 1 "CDP_ISA: this processor or system does not run '$isa': use '(plain|avx|neon|dotprod|i8mm)" \
        "an error without $isa" env CDP_ISA="$isa" cdp-knn -o never.cdp -k 1 --dim 1 two
done
cdp-knn -q --metric l2 -k 20 --dim 40 - <rows.bin | cmp -s - one.cdp
ok $? "same bytes from a pipe"
gzip -c rows.bin >rows.bin.gz
cdp-knn -q --metric l2 -k 20 --dim 40 rows.bin.gz | cmp -s - one.cdp
ok $? "same bytes from a compressed file"
for shard in 0:1 1:400 400:999 999:; do
    cdp-knn -q --metric l2 -k 20 --dim 40 --rows $shard rows.bin
done >shards.cdp
cdp-knn -q --metric l2 -k 20 --dim 40 --rows 400:999 rows.bin | cdp-view --header - >said
is "$(grep -c '^rows.*400.*999' said)" 1 "a part's header names its rows"
cdp-view --header one.cdp >said
is "$(grep -c '^rows' said)" 0 "the whole's does not"
cdp-view --to tsv shards.cdp >got.tsv
cdp-view --to tsv one.cdp >wanted.tsv
same got.tsv wanted.tsv "shards laid end to end are the whole"
cdp-score vote --threshold 0 shards.cdp | cdp-view --digest - >got
cdp-score vote --threshold 0 one.cdp | cdp-view --digest - >wanted
same got wanted "and are scored as the whole"

# Nearly parallel, nearly opposite, scaled and equal rows: all digits of float32, and the order that
# they show.
sorted() {
    sort -k1,1n -k3,3g -k2,2n "$1"
}
for dim in 2 3 17 64; do
    $reference random-rows 3 200 $dim near >near.bin
    for metric in cosine angular; do
        $reference knn $metric 199 $dim near.bin >wanted.tsv
        cdp-knn -q -k 199 --metric $metric --dim $dim near.bin | cdp-view --to tsv - >got.tsv
        sort -s -c -k1,1n -k3,3g got.tsv
        ok $? "$dim numbers, $metric: nearest first"
        sorted got.tsv >got.sorted
        sorted wanted.tsv >wanted.sorted
        same got.sorted wanted.sorted "$dim numbers, $metric: nearly parallel rows have the nearest float32"
        CDP_ISA=plain cdp-knn -q -k 199 -t 1 --metric $metric --dim $dim near.bin | cdp-view --to tsv - >plain.tsv
        same plain.tsv got.tsv "$dim numbers, $metric: the same without vectors, in one thread"
    done
done
for dim in 9 12; do
    $reference random-rows 2 600 $dim parallel >parallel.bin
    for metric in cosine angular; do
        $reference knn $metric 7 $dim parallel.bin | sorted - >wanted.sorted
        cdp-knn -k 7 --metric $metric --dim $dim parallel.bin | cdp-view --to tsv - | sorted - >got.sorted
        same got.sorted wanted.sorted "$dim numbers, $metric: rows that double precision cannot scale to one length"
    done
done
neighbours() { # neighbours METRIC ROW: the row's list of all others in rows.bin, of two numbers
    cdp-knn -k $(($(wc -c <rows.bin) / 8 - 1)) --metric "$1" --dim 2 rows.bin | cdp-view --to tsv - |
        awk -v row="$2" '$1 == row { printf "%s %.6g;", $2, $3 }'
}
perl -e 'print pack "f*", 1, 0, 1, 2e-9, 1, 1e-9, 1, 1e-4, -1, 1e-9, -1, 2e-9, -1, 0, 1, 1e-18' >rows.bin
is "$(neighbours cosine 0)" "7 5e-37;2 5e-19;1 2e-18;3 5e-09;5 2;4 2;6 2;" "cosine by hand"
is "$(neighbours angular 0)" "7 1e-18;2 1e-09;1 2e-09;3 0.0001;5 3.14159;4 3.14159;6 3.14159;" \
    "angles by hand, the nearly opposite ones too"
perl -e 'print pack "f*", 1, 7, 3, 21, -5, -35, 1e-30, 7e-30, 1e30, 7e30, 0.1, 0.2' >rows.bin
is "$(neighbours cosine 0 | cut -d';' -f1,5)" "1 0;2 2" "scaled rows are at distance 0, turned round at 2"
is "$(neighbours angular 1 | cut -d';' -f1,5)" "0 0;2 3.14159" "at no angle, and at pi"

# Every kernel, for each kind of kernel, on more rows than a block of 1,024, with numbers of very different
# size, in more than one vector and a half, and k large.
$reference random-rows 7 1100 90 wild >wild.bin
for metric in cosine l2; do
    $reference knn $metric 70 90 wild.bin >wanted.tsv
    for isa in plain "${isas[@]}"; do
        CDP_ISA=$isa cdp-knn -k 70 --metric $metric --dim 90 wild.bin | cdp-view --to tsv - >got.tsv
        same_neighbours "1,100 x 90 wild rows, $metric, $isa"
    done
done

# approximate: as good as is asked for, counted against the exact result; the same bytes for any
# number of threads and any instruction set; a thousand copies of one row are no trap
recall() { # recall EXACT APPROX: the share of EXACT's edges that are in APPROX
    { cdp-view --to tsv "$2"; echo; cdp-view --to tsv "$1"; } |
        awk '!NF { second = 1; next } { key = $1 " " $2 }
            !second { there[key]; next } { all++; hits += key in there } END { print hits / all }'
}
cdp-synth --items 6000 --identities 90 --models 1 --dim 64 faces
perl -e 'local $/; open F, "faces/features/m0.bin"; binmode F; $x = <F>;
    print $x, substr($x, 25600, 256) x 1000' >copies.bin
for metric in cosine l2 l1; do
    cdp-knn -q -k 15 --metric $metric --method exact --dim 64 copies.bin >exact.cdp
    cdp-knn -q -k 15 --metric $metric --method approx --recall 0.98 --dim 64 copies.bin >approx.cdp
    found=$(recall exact.cdp approx.cdp)
    awk "BEGIN { exit !($found >= 0.975) }"
    ok $? "$metric: approximate neighbours, recall $found"
    is "$(cdp-view --to tsv approx.cdp | wc -l)" 105000 "$metric: every row has all its neighbours"
    for isa in plain "${isas[@]}"; do
        CDP_ISA=$isa cdp-knn -q -k 15 --metric $metric --method approx --recall 0.98 --dim 64 copies.bin >isa.cdp
        same isa.cdp approx.cdp "$metric: the same approximate neighbours with CDP_ISA=$isa"
    done
done
cdp-synth --items 3000 --identities 40 --models 1 --dim 77 odd # not a whole number of registers
cdp-knn -k 15 --metric l2 --method approx --dim 77 odd/features/m0.bin | cdp-view --digest - >wanted
for isa in plain "${isas[@]}"; do
    CDP_ISA=$isa cdp-knn -k 15 --metric l2 --method approx --dim 77 odd/features/m0.bin | cdp-view --digest - >got
    same got wanted "approximate, 77 numbers: the same content by $isa"
done
for threads in 1 2 8; do
    cdp-knn -q -k 15 --method approx -t $threads --dim 64 copies.bin | cdp-view --digest -
    CDP_ISA=plain cdp-knn -q -k 15 --method approx -t $threads --dim 64 copies.bin | cdp-view --digest -
done | sort -u >digests
is "$(wc -l <digests)" 1 "approximate: same content with 1, 2, 8 threads, plain or not"
cdp-knn -q -k 15 --dim 64 copies.bin | cdp-view --digest - >got
cdp-knn -q -k 15 --method exact --dim 64 copies.bin | cdp-view --digest - >wanted
same got wanted "few rows: auto is exact"
# Items so near to each other that bytes cannot rank them: lists have room for more of them, and not all
# pairs are compared in the end.
perl -e 'srand 1; sub normal { my $x = -6; $x += rand for 1 .. 12; $x }
    for (1 .. 100) { my @at = map normal, 1 .. 64;
        print pack "f<*", map $_ + 0.1 * normal, @at for 1 .. 60 }' >near.bin
cdp-knn -k 15 --method exact --dim 64 near.bin >exact.cdp
cdp-knn -q -k 15 --method approx -v --dim 64 near.bin 2>said >approx.cdp
found=$(recall exact.cdp approx.cdp)
told=$(sed -n 's/.*recall \([0-9.]*\).*/\1/p' said)
awk "BEGIN { exit !($found >= 0.985 && $told >= 0.99 && $told < 1) }"
ok $? "groups that are nearly copies: recall $told is told, $found is found"
# Where scores are off by more than they usually are, neighbours are lost when lists are re-ranked: in few
# of many directions, and of rows that differ in the last digits. All rows are in the sample, so that what
# is printed is what is found, neighbours at equal distance counting.
perl -e 'srand 3; print pack "f*", rand() - 0.5, rand() - 0.5, (0) x 398 for 1 .. 900' >plane.bin
perl -e 'srand 3; @x = map { rand() - 0.5 } 1 .. 400;
    print pack "f*", map { $_ * (1 + (rand() < 0.3) * 2 ** -23) } @x for 1 .. 900' >digits.bin
for file in plane digits; do
    for recall in 0.9 0.998; do
        cdp-knn -k 100 --metric l2 --method exact --dim 400 $file.bin | cdp-view --to tsv - >exact.tsv
        cdp-knn -k 100 --metric l2 --method approx --recall $recall -v --dim 400 $file.bin 2>said |
            cdp-view --to tsv - >approx.tsv
        told=$(sed -n 's/.*recall \([0-9.]*\).*/\1/p' said)
        found=$(awk 'FILENAME == "exact.tsv" { farthest[$1] = $3; next }
            { hits += $3 <= farthest[$1] } END { printf "%.4f", hits / FNR }' exact.tsv approx.tsv)
        awk "BEGIN { exit !($found >= $recall && $told <= $found) }"
        ok $? "$file.bin: recall $recall requested, $told printed, $found measured"
    done
done
# Items that look into too few cells have all their neighbours too, whatever recall is asked for.
head -c 179200 copies.bin >few.bin
for recall in 0 0.5; do
    cdp-knn -q -k 600 --method approx --recall $recall --dim 64 few.bin | cdp-view --to tsv - | cut -f1,2 |
        sort -u >edges
    is "$(wc -l <edges)" 420000 "recall $recall: 600 different neighbours of each of 700 rows"
done
# Above 20,000 rows auto is approximate.
cdp-synth --items 20001 --identities 280 --models 1 --dim 16 many
cdp-knn -v -k 5 --dim 16 -o auto.cdp many/features/m0.bin 2>said
ok $? "20,001 rows"
is "$(grep -c 'recall 0.99\|recall 1' said)" 1 "tells the recall"
is "$(cdp-view --header auto.cdp | grep -c 'method: approx')" 1 "auto is approximate, as the stream says"
cdp-knn -k 5 --dim 16 -t 1 --method approx -o one.cdp many/features/m0.bin
is "$(cdp-view --digest one.cdp)" "$(cdp-view --digest auto.cdp)" "the same content with one thread"
# ... but not where k is a large share of the rows. It says so before it begins.
mkfifo begun
cdp-knn -v -k 1001 --dim 16 -o never.cdp many/features/m0.bin 2>begun &
grep -m 1 instructions begun >said
kill $!
wait $! 2>/dev/null
grep -q ', exact, ' said
ok $? "auto is exact for a k above a twentieth of the rows"
cdp-knn -k 5 --dim 16 --rows 0:200 many/features/m0.bin >shard.cdp
is "$(cdp-view --header shard.cdp | grep -c 'method: exact')" 1 "a shard is exact"
found=$(recall shard.cdp auto.cdp)
awk "BEGIN { exit !($found >= 0.97) }"
ok $? "of 200 rows' exact neighbours, $found are found"
fails 1 'copies.bin: the approximate method finds the neighbours of all rows, not of 0:10' \
    "a shard cannot be approximate" cdp-knn --method approx --rows 0:10 --dim 64 copies.bin

# k up to n - 1, and two rows
$reference random-rows 1 2 3 normal >two.bin
is "$(cdp-knn -k 1 --dim 3 two.bin | cdp-view --to tsv - | cut -f1,2 | tr '\n\t' ';,')" "0,1;1,0;" \
    "two rows"
$reference random-rows 3 90 7 normal >rows.bin
$reference knn cosine 89 7 rows.bin >wanted.tsv
cdp-knn -k 89 --dim 7 rows.bin | cdp-view --to tsv - >got.tsv
same_neighbours "k = n - 1"
fails 1 'rows.bin: k = 90 needs more than 90 rows, the file holds 90' "k = n" \
    cdp-knn -k 90 --dim 7 rows.bin
fails 1 'rows.bin: rows 80:91 are wanted, the file holds 90' "rows beyond the end" \
    cdp-knn -k 3 --dim 7 --rows 80:91 rows.bin

# enough rows for the lists to be seeded from cells
for metric in cosine l1; do
    $reference random-rows 7 4200 12 copies >many.bin
    $reference knn $metric 9 12 many.bin >wanted.tsv
    cdp-knn -q -k 9 --metric $metric --dim 12 many.bin | cdp-view --to tsv - >got.tsv
    same_neighbours "seeded lists, $metric"
done

# Equal rows, here and there: 400 rows that are 50, of which some are scaled ones of others, and one
# equal one has -0 for 0.
perl -e 'srand 5; for $r (0 .. 49) { push @x, $r % 10 == 9 ? [map 2 * $_, @{$x[-1]}]
        : [0, map int(rand(9)) - 4 || 1, 1 .. 11] }
    @at = map int(rand(50)), 1 .. 400;
    print pack "f*", @{$x[$_]} for @at;
    print pack("f*", -0.0, @{$x[$at[0]]}[1 .. 11])' >some.bin
rows=401
shards() { # shards OPTION...: the lists of some.bin, in parts
    local shard
    for shard in 0:7 7:8 8:250 250:401; do
        cdp-knn -q --dim 12 --rows $shard "$@" some.bin
    done | cdp-view --to tsv -
}
for metric in cosine angular l2 l1 linf hamming; do
    for k in $(size 9 '9 400' '1 9 120 400'); do
        $reference knn $metric "$k" 12 some.bin >wanted.tsv
        cdp-knn -q -k "$k" --metric $metric --dim 12 some.bin | cdp-view --to tsv - >got.tsv
        same_neighbours "equal rows, $metric, k = $k"
        shards -k "$k" --metric $metric >shards.tsv
        same shards.tsv got.tsv "equal rows, $metric, k = $k: the same in parts"
        cdp-knn -q -k "$k" --metric $metric --method approx --recall 1 --dim 12 some.bin | cdp-view --to tsv - >approx.tsv
        same approx.tsv got.tsv "equal rows, $metric, k = $k: the same, approximate with a recall of 1"
    done
done
# --copies once: the first of equal rows have the lists of a file that holds only these.
perl -e 'local $/ = \48; while (<>) { $n = pack "f*", map $_ + 0, unpack "f*", $_;
    $first{$n} //= $. - 1; print "$first{$n}\n"; }' some.bin >firsts
perl -e 'local $/ = \48; open F, "firsts"; { local $/ = "\n"; @f = map 0 + $_, <F> }
    while (<>) { print if $f[$. - 1] == $. - 1 }' some.bin >distinct.bin
for metric in cosine l1 hamming; do
    for k in 9 120; do
        most=$(($(wc -c <distinct.bin) / 48 - 1))
        $reference knn $metric $((k < most ? k : most)) 12 distinct.bin |
            awk 'BEGIN { while ((getline first < "firsts") > 0) { if (first == row + 0) at[n++] = row + 0; row++ } }
                { print at[$1] "\t" at[$2] "\t" $3 }' >lists
        awk '$1 != FNR - 1 { print FNR - 1 "\t" $1 "\t0" }' firsts | sort -n -m -s -k1,1 lists - >wanted.tsv
        cdp-knn -k $k --copies once --metric $metric --dim 12 some.bin 2>said | cdp-view --to tsv - >got.tsv
        same_neighbours "--copies once, $metric, k = $k"
        [ ! -s said ]
        ok $? "--copies once, $metric, k = $k: no warning"
        shards --copies once -k $k --metric $metric >shards.tsv
        same shards.tsv got.tsv "--copies once, $metric, k = $k: the same in parts"
        cdp-knn -k $k --copies once --metric $metric --method approx --recall 1 --dim 12 some.bin |
            cdp-view --to tsv - >approx.tsv
        same approx.tsv got.tsv "--copies once, $metric, k = $k: the same, approximate with a recall of 1"
    done
done
# Three pictures of each of four persons, each saved 16 times: its copies crowd out the others.
perl -e 'srand 1; for $p (0 .. 3) { @c = map { rand() - 0.5 } 1 .. 16;
    for (1 .. 3) { print pack("f*", map { $_ + 0.1 * (rand() - 0.5) } @c) x 16 } }' >saved.bin
persons() {
    cdp-knn -k 14 --dim 16 "$@" saved.bin 2>said | cdp-score vote --threshold 0.8 - | cdp-propagate | sort | uniq -c |
        awk '{ print $1 }' | tr '\n' ' '
}
is "$(persons --copies once)" "48 48 48 48 " "--copies once: persons, not pictures, are clusters"
is "$(persons -q)" "16 16 16 16 16 16 16 16 16 16 16 16 " "--copies list: pictures are"
persons >/dev/null
grep -q 'saved.bin: lists that hold only duplicates of their row: 192: .* --copies once' said
ok $? "and a warning says so"
# All rows equal; and of one number.
perl -e 'print pack("f*", 1 .. 64) x 20000' >equal.bin
cdp-knn -q -k 3 --dim 64 equal.bin | cdp-view --to tsv - | awk '$1 == 1 || $1 == 19999' | cut -f1-3 | tr '\n\t' ';,' >got
is "$(<got)" "1,0,0;1,2,0;1,3,0;19999,0,0;19999,1,0;19999,2,0;" "20,000 equal rows"
head -c 2560 equal.bin >few.bin
for metric in cosine l1 hamming; do
    for method in exact approx; do
        is "$(cdp-knn -q -k 9 --metric $metric --method $method --dim 64 few.bin | cdp-view --to tsv - | wc -l)" 90 \
            "ten equal rows, $metric, $method"
        is "$(cdp-knn -k 9 --copies once --metric $metric --method $method --dim 64 few.bin | cdp-view --to tsv - |
            awk '{ print $2, $3 }' | sort | uniq -c | tr -s ' ')" " 9 0 0" "ten equal rows once, $metric, $method"
    done
done

# formats: fvecs and npy of the same rows
"$CDP_SOURCE/tests/reference/vector_formats.pl" <rows.bin
cdp-knn -k 5 --dim 7 rows.bin | cdp-view --digest - >wanted
for file in rows.fvecs rows.npy fortran.npy big.npy; do
    cdp-knn -k 5 $file | cdp-view --digest - >got
    same got wanted "$file"
done
passes "bvecs" cdp-knn -k 5 -o bvecs.cdp rows.bvecs
# packed bits: the bytes of bvecs are eight bits a number
perl -e 'for $r (0 .. 89) { print pack("f*", split //, unpack("b56", pack("C7",
    map { $_ * 37 % 251 } 1 + $r * 5 .. 7 + $r * 5))) }' >bits.bin
$reference knn hamming 5 56 bits.bin >wanted.tsv
cdp-knn --metric hamming -k 5 rows.bvecs | cdp-view --to tsv - >got.tsv
same_neighbours "hamming of packed bits"

# bad files: a sentence, exit 1, no output
bad() {
    fails 1 "$1" "$1" cdp-knn -k 3 -o never.cdp "${@:2}"
    [ ! -e never.cdp ] || ok 1 "no output file"
}
head -c 2519 rows.bin >short.bin
bad 'short.bin: 2519 bytes, no multiple of 28' --dim 7 short.bin
bad 'rows.bin: raw float32 needs --dim' rows.bin
bad 'rows.npy: rows of 7 numbers, but --dim is 8' --dim 8 rows.npy
: >empty.bin
bad 'empty.bin: the file is empty' --dim 7 empty.bin
head -c 1000 rows.npy >cut.npy
bad 'cut.npy: 90 x 7 numbers of 4 bytes, but' cut.npy
head -c 1000 rows.fvecs >cut.fvecs
bad 'cut.fvecs: 1000 bytes, no multiple' cut.fvecs
sed 's/<f4/<c8/' rows.npy >complex.npy
bad 'complex.npy: expected numbers of' complex.npy
perl -e 'print pack("f4", 1, 2, 3, 4) x 9, pack("f4", 1, "nan", 3, 4), pack("f4", 0, 0, "inf", 0)' >nan.bin
bad 'nan.bin: row 9: number 1 is -?nan' --dim 4 nan.bin
perl -e 'print pack("f4", 1, 2, 3, 4) x 5, pack("f4", 0, 0, 0, 0), pack("f4", 1, 1, 1, 1)' >zero.bin
bad 'zero.bin: row 5: all zeros' --dim 4 zero.bin
# distances that no float32 holds, of rows that are float32 numbers
perl -e 'print pack "f*", 1, 1, 3e38, 0, 2, 2, -3e38, 0' >far.bin
for metric in l2 l1 linf; do
    bad 'far.bin: rows 1 and 3 are so far apart that distances may be beyond float32' --metric $metric --dim 2 far.bin
done
perl -e 'print pack "f*", 3e38, 3e38, 0, 3e38, 0, 0, 1, 1' >corner.bin
bad 'corner.bin: rows 0 and 2 are so far apart' --metric l1 --dim 2 corner.bin
perl -e 'print pack "f*", 1e38, 1e38, 2e38, 1e38, 3.3e38, 1e38, 3e38, 1e38' >large.bin
for metric in l2 l1 linf cosine; do
    passes "large numbers at distances that float32 holds, $metric" \
        cdp-knn -k 3 --metric $metric --dim 2 -o large.cdp large.bin
done
passes "a row of zeros is a point to l2" cdp-knn -q --metric l2 -k 3 --dim 4 -o zero.cdp zero.bin
bad 'none.bin: cannot open' --dim 4 none.bin

done_testing
