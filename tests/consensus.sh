#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-score consensus: clusters without labels on made-up and real faces, unusual inputs, and what the user is told.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
tiny=$CDP_SOURCE/data/labeled/tiny
faces=${CDP_SHARED:-}/data/lfw

# fscore META PAIRS: the pairwise F of the map equation's clusters, singletons kept
fscore() {
    cdp-propagate --method map --nodes "$(wc -l <"$1")" "$2" | cdp-eval --format tsv - "$1" |
        awk -F'\t' '$1 == "pairwise.kept.fscore" { printf "%.2f", $2 }'
}

# least WANTED META PAIRS NAME
least() {
    local got
    got=$(fscore "$2" "$3")
    awk -v got="$got" -v wanted="$1" 'BEGIN { exit !(got != "" && got >= wanted) }'
    ok $? "$4: F $got, at least $1"
}

# light MODEL MOST NAME: its weight in the notes of $PWD/err
light() {
    grep "$1.*: weight" err | sed 's/.*: weight \([0-9.]*\),.*/\1/' | awk -v most="$2" '{ got = $1 } END { exit !(NR == 1 && got < most) }'
    ok $? "$3: weight below $2"
}
# warns PATTERN NAME COMMAND...: success with exactly one line on standard error, in which PATTERN stands
warns() {
    local pattern=$1 name=$2
    shift 2
    "$@" >out 2>err && [ "$(wc -l <err)" -eq 1 ] && grep -qE -- "$pattern" err
    local status=$?
    ok $status "$name"
    [ $status -eq 0 ] || note "$(<err)"
}

for m in 0 1 2; do
    ln -s "$tiny/features/m$m.bin" m$m.bin
    cdp-knn -k 40 --dim 48 m$m.bin >m$m.cdp
done
passes "one model" cdp-score consensus -o one.cdp --features m0.bin m0.cdp
least 95 "$tiny/meta.txt" one.cdp "one model"
passes "three models" cdp-score consensus -o three.cdp --features m0.bin --features m1.bin --features m2.bin m{0,1,2}.cdp
least 95 "$tiny/meta.txt" three.cdp "three models"
for threads in 1 2 5; do
    cdp-score consensus -t $threads --features m0.bin --features m1.bin --features m2.bin m{0,1,2}.cdp | cmp -s - three.cdp
    ok $? "the same bytes with $threads threads"
done
for isa in plain avx2; do
    CDP_ISA=$isa cdp-score consensus -q --features m0.bin --features m1.bin --features m2.bin m{0,1,2}.cdp >got.cdp 2>err
    if grep -q CDP_ISA err; then
        skip "instruction set $isa" "$(<err)"
    else
        same got.cdp three.cdp "the same bytes with instruction set $isa"
    fi
done
cdp-synth --items 2000 --dim 64 --models 1 --seed 1 made
cdp-knn -k 40 --dim 64 made/features/m0.bin >made.cdp
passes "made-up faces" cdp-score consensus -o pairs.cdp --features made/features/m0.bin made.cdp
least 96 made/meta.txt pairs.cdp "made-up faces"

# what comes out
cdp-view --to tsv one.cdp >one.tsv
awk 'NR > 1 && ($1 < i || $1 == i && $2 <= j) || $1 >= $2 || !($3 > 0 && $3 <= 1) { bad = 1 }
    { i = $1; j = $2; sum += $3 } END { exit bad || NR < 1000 }' one.tsv
ok $? "pairs ascend, with scores above 0 up to 1"
# Scores are probabilities: their mean is the share of true pairs, as far as the data is like the model.
cdp-score consensus -q --false-alarms 3 --features made/features/m0.bin made.cdp | cdp-view --to tsv - |
    awk 'NR == FNR { label[NR - 1] = $1; next } { sum += $3; same += label[$1] == label[$2]; n++ }
        END { print "mean score", sum / n, "true", same / n; exit !(sum / n - same / n < 0.12 && same / n - sum / n < 0.12) }' \
        made/meta.txt - >mean
ok $? "$(<mean)"
cdp-score consensus -v --features m0.bin --features m1.bin m0.cdp m1.cdp 2>err >out
grep -cE 'm[01].cdp: weight 0\.[0-9]+, pairs by chance: cosine 0.0[0-9]+ \+- 0.[0-9]+, true ones [3-5]\.[0-9]+ deviations above$|of what it was before clustering$|true pairs of an item expected, .* strong$|^cdp-score consensus: threshold: cosine 0\.[0-9]+, ' err >lines
is "$(<lines)" 5 "-v prints weights, the cosines of chance, the expected true pairs and the threshold"
cdp-view out | grep -cE '	consensus: signal 1, ratio [0-9.]+, strength 1[.]00, recall 0[.][0-9]{4}, partners [0-9.]+, evidence 1[.]00$' >lines
is "$(<lines)" 1 "the provenance has what was found"
is "$(cdp-view out | awk '/consensus: / { for (i = 1; i < NF; i++) v[$i] = $(i + 1); printf "%.2f %.0f", v["partners"], 100 * v["recall"] }')" \
    "$(sed -n 's/.*: \([0-9.]*\) true pairs of an item expected, \([0-9]*\) %.*/\1 \2/p' err)" "as -v prints it"
for alarms in 0.001 0.1 10; do
    cdp-score consensus --false-alarms $alarms --features m0.bin m0.cdp | cdp-view --to tsv - | wc -l
done >counts
sort -n -u counts | cmp -s - counts
ok $? "more false alarms, more pairs: $(tr '\n' ' ' <counts)"
warns 'no pair of the lists is above the threshold' "no pair" \
    cdp-score consensus --false-alarms 1e-6 --features m0.bin m0.cdp

# the lists only propose pairs
for metric in angular l2; do
    cdp-knn --metric $metric -k 40 --dim 48 m0.bin >$metric.cdp
done
cdp-score consensus --features m0.bin angular.cdp | cdp-view --to tsv - | cmp -s - one.tsv
ok $? "distances in lists do not matter"
passes "lists of another metric" cdp-score consensus -o l2pairs.cdp --features m0.bin l2.cdp
least 90 "$tiny/meta.txt" l2pairs.cdp "lists of l2"
cdp-knn -k 7 --dim 48 m1.bin >k7.cdp
warns 'k7.cdp: lists of k = 7, but the base.s are of k = 40' "lists of another k" \
    cdp-score consensus --features m0.bin --features m1.bin m0.cdp k7.cdp
cdp-knn -k 1 --dim 48 m0.bin >k1.cdp
warns 'not Gaussian|weak' "lists of one neighbour" cdp-score consensus --features m0.bin k1.cdp
cut -d' ' -f1 "$tiny/list.txt" | awk '{ print "item" NR }' >names
cdp-knn -k 40 --dim 48 --ids names m0.bin >named.cdp
cdp-score consensus --features m0.bin named.cdp | cdp-view --to tsv - | head -n 1 | grep -q '^item[0-9]*	item[0-9]*	0\.'
ok $? "names of the items"
cdp-score consensus -q --features m0.bin --features m1.bin named.cdp m1.cdp | cdp-view --header - | grep -q 'names'
ok $? "of the first list that has some"

# features of other forms and lengths
perl -e 'local $/; print pack "f<*", map { $_ * 1e18 } unpack "f<*", <>' m0.bin >large.bin
perl -e 'local $/; print pack "f<*", map { $_ * 1e-18 } unpack "f<*", <>' m0.bin >small.bin
for kind in large small; do
    cdp-score consensus --features $kind.bin m0.cdp | cdp-view --to tsv - | cmp -s - one.tsv
    ok $? "$kind numbers"
done
perl -e '$h = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: (440, 48), }"; $h .= " " x (117 - length $h) . "\n";
    print "\x93NUMPY\x01\x00", pack("v", length $h), $h' >npy
cat npy m0.bin >m0.npy
cdp-score consensus --features m0.npy m0.cdp | cdp-view --to tsv - | cmp -s - one.tsv
ok $? "features in npy"
perl -e 'local $/; $_ = <>; substr($_, 192 * 7, 192) = "\0" x 192; print' m0.bin >zero.bin
cdp-score consensus --features zero.bin m0.cdp 2>err >zero.cdp
cdp-view --to tsv zero.cdp | awk '$1 == 7 || $2 == 7 { bad = 1 } END { exit bad || NR < 1000 }' && [ ! -s err ]
ok $? "a row of zeros has no pair"
# Rows near the corners of a simplex, so that cosines of unlike items are -1/4, below that with a row of zeros
perl -e 'srand 1; for my $i (0 .. 149) {
    print pack "f<*", map { $i % 11 ? ($_ == $i % 5) - 0.2 + 0.06 * (rand() - 0.5) : 0 } 0 .. 4 }' >simplex.bin
perl -e 'for my $i (0 .. 149) { printf "%d\t%d\t%g\n", $i, ($i + $_) % 150, $_ / 100 for 1 .. 59 }' |
    cdp-view --from tsv --type knn - >simplex.cdp
for options in "" "--false-alarms 12" "--false-alarms 100"; do
    # shellcheck disable=SC2086
    cdp-score consensus -q $options --features simplex.bin simplex.cdp | cdp-view --to tsv - |
        awk '$1 % 11 == 0 || $2 % 11 == 0 { bad = 1 } END { exit bad || NR < 1000 }'
    ok $? "a row of zeros has no pair where unlike items have lower cosines${options:+: $options}"
done
# Scores of weak models, and of no others, are lowered.
lowered=0
for seed in $(seq "$(size 3 1 1)" "$(size 3 3 6)"); do
    cdp-synth -q --items 2000 --identities 400 --dim 24 --models 1 --seed "$seed" weak
    cdp-knn -q -k 40 --dim 24 -o weak.cdp weak/features/m0.bin
    cdp-score consensus -v --features weak/features/m0.bin weak.cdp 2>err >/dev/null
    if grep -q 'scores: 1 - (1 - probability)' err; then
        lowered=$((lowered + 1))
        grep -q 'are above the threshold: weak$' err || note "seed $seed: lowered, but not weak"
        grep -q 'are above the threshold: weak$' err || lowered=-10
    fi
done
[ $lowered -gt 0 ]
ok $? "scores of weak models, and of no others, are lowered: $lowered"
# by_pair PAIRS: a line for each, with its ids and its score
by_pair() { cdp-view --to tsv "$1" | awk '{ print $1 "-" $2, $3 }' | sort; }
cdp-synth -q --items 2000 --identities 400 --dim 24 --models 1 --seed 3 weak
cdp-knn -q -k 40 --dim 24 -o weak.cdp weak/features/m0.bin
cdp-score consensus -v --features weak/features/m0.bin weak.cdp 2>err >lowered.cdp
cdp-score consensus -q --false-alarms 3 --features weak/features/m0.bin weak.cdp >plain.cdp
join <(by_pair lowered.cdp) <(by_pair plain.cdp) |
    awk -v e="$(sed -n 's/.*scores: 1 - (1 - probability)^\([0-9.]*\):.*/\1/p' err)" '
        $3 < 0.99 { apart = $2 - (1 - (1 - $3) ^ e); wrong += apart > 0.01 || apart < -0.01; n++ }
        END { exit !(e > 0.3 && e < 0.8 && n > 1000 && !wrong) }'
ok $? "lowered by the power that is told"
# With --false-alarms the score follows from the cosine alone; strong models also have the overlap of neighbourhoods.
# descents PAIRS: how often the score falls by 0.01 as the cosine grows
descents() {
    cdp-view --to tsv "$1" | perl -e 'open F, shift; local $/; my @x = unpack "f<*", <F>; $/ = "\n"; my @pair;
        while (<STDIN>) {
            my ($i, $j, $p) = split; my ($ii, $jj, $ij) = (0) x 3;
            for my $d (0 .. 63) {
                my ($x, $y) = @x[64 * $i + $d, 64 * $j + $d];
                $ii += $x * $x; $jj += $y * $y; $ij += $x * $y;
            }
            push @pair, [$ij / sqrt($ii * $jj), $p];
        }
        my ($last, $descents) = (0, 0);
        for (sort { $a->[0] <=> $b->[0] } @pair) { $descents++ if $_->[1] < $last - 0.01; $last = $_->[1] }
        print "$descents\n"' made/features/m0.bin
}
cdp-score consensus --false-alarms 3 --features made/features/m0.bin made.cdp >alone.cdp
is "$(descents alone.cdp)" 0 "--false-alarms: a score follows from the cosine"
[ "$(descents pairs.cdp)" -gt 1000 ]
ok $? "without it, also from the overlap of neighbourhoods"

# Rows of zeros say nothing of chance.
# chance FEATURES: mean and deviation of the cosines of chance, before clustering
chance() {
    cdp-score consensus -v --features "$1" --features "$1" made.cdp made.cdp 2>&1 >/dev/null |
        sed -n 's/.*weight.*pairs by chance: cosine \([-0-9.]*\) +- \([0-9.]*\),.*/\1 \2/p' | head -n 1
}
read -r mean deviation < <(chance made/features/m0.bin)
for every in 50 7; do
    perl -e 'local $/; $_ = <STDIN>; for ($r = 0; $r < 2000; $r += $ARGV[0]) { substr($_, 256 * $r, 256) = "\0" x 256 } print' \
        "$every" <made/features/m0.bin >zeros.bin
    read -r mean_of deviation_of < <(chance zeros.bin)
    awk -v a="$mean" -v b="$mean_of" -v c="$deviation" -v d="$deviation_of" \
        'BEGIN { exit !(c > 0.05 && (a - b) ^ 2 < 0.003 ^ 2 && (d / c - 1) ^ 2 < 0.02 ^ 2) }'
    ok $? "one row in $every is zeros: chance stays $mean +- $deviation: $mean_of +- $deviation_of"
done
for number in nan inf; do
    perl -e 'local $/; my $f = shift; $_ = <>; substr($_, 192 * 7 + 8, 4) = pack "f<", $f; print' $number m0.bin >bad.bin
    fails 1 'bad.bin: row 7: a number is not finite' "$number" cdp-score consensus --features bad.bin m0.cdp
done

# committees
cdp-score consensus -v --features m0.bin --features m0.bin m0.cdp m0.cdp 2>err >out
is "$(grep -c 'weight 0.500' err) $(grep -c hardly err)" "2 0" "one model twice has half of the weight each time"
features=()
lists=()
for ((m = 0; m < 64; m++)); do
    features+=(--features "m$((m % 3)).bin")
    lists+=("m$((m % 3)).cdp")
done
passes "64 models" cdp-score consensus -o many.cdp "${features[@]}" "${lists[@]}"
least 95 "$tiny/meta.txt" many.cdp "64 models"
fails 2 'features can be given 64 times at most' "65 models" \
    cdp-score consensus "${features[@]}" --features m0.bin "${lists[@]}" m0.cdp

cdp-synth --items 440 --dim 48 --identities 440 --models 1 --seed 9 other
cdp-knn -k 40 --dim 48 other/features/m0.bin >other.cdp
warns 'other.cdp: true pairs are -?0\.[0-9]* deviations above those by chance' "a model of other items" \
    cdp-score consensus --features m0.bin --features m1.bin --features other/features/m0.bin m0.cdp m1.cdp other.cdp
least 90 "$tiny/meta.txt" out "and two good ones"
cdp-score consensus -v --features m0.bin --features other/features/m0.bin m0.cdp other.cdp 2>err >out
light other.cdp 0.15 "a model of other items beside one good one"
least 90 "$tiny/meta.txt" out "which finds the clusters"

# where there is nothing to find, or too little to know
perl -e 'srand 1; for (1 .. 1000) { print pack "f<*", map { rand() + rand() + rand() + rand() - 2 } 0 .. 31 }' >noise.bin
cdp-knn -k 10 --dim 32 noise.bin >noise.cdp
warns 'no signal: the cosines are those of chance' "noise" cdp-score consensus --features noise.bin noise.cdp
perl -e 'print pack("f<*", map { $_ == 3 } 0 .. 31) for 1 .. 500' >equal.bin
cdp-knn -q -k 10 --dim 32 equal.bin >equal.cdp
warns 'no signal' "equal rows" cdp-score consensus --features equal.bin equal.cdp
perl -e 'local $/; my @row = unpack "(a192)*", <>; srand 1; print splice @row, rand @row, 1 while @row' m0.bin >shuffled.bin
warns 'not Gaussian' "features of other items" cdp-score consensus --features shuffled.bin m0.cdp
perl -e 'local $/; print pack "d<*", unpack "f<*", <>' m0.bin >double.bin
warns 'no signal|not Gaussian' "doubles as features" cdp-score consensus --features double.bin m0.cdp
cdp-view --to tsv out | awk '!($3 > 0 && $3 <= 1) { bad = 1 } END { exit bad }'
ok $? "whose scores are numbers up to 1"
perl -e 'srand 2; sub g { sqrt(-2 * log(1 - rand)) * cos(6.2831853 * rand) } my @c = map { [map { 0.25 * g() } 1 .. 32] } 1 .. 10;
    for my $i (0 .. 2999) { my $c = $c[$i % 10]; print pack "f<*", map { $c->[$_] + 0.3 * g() } 0 .. 31 }' >few.bin
cdp-knn -k 60 --dim 32 few.bin >few.cdp
warns 'at its bound of 12 false pairs|no signal' "few large identities" cdp-score consensus --features few.bin few.cdp
for items in 1 2 4 50; do
    head -c $((items * 192)) m0.bin >first.bin
    cdp-view --to tsv m0.cdp | awk -v n=$items '$1 < n && $2 < n' >first.tsv
    cdp-view --from tsv --type knn --nodes $items first.tsv >first.cdp
    cdp-score consensus --features first.bin first.cdp >out 2>err
    is "$? $(grep -c "$items items*: too few to know the cosines of chance well" err)" "0 1" "$items items"
done
cdp-view --from tsv --type knn --nodes 440 /dev/null >none.cdp
warns 'no signal|no pair' "lists without neighbours" cdp-score consensus --features m0.bin none.cdp

# errors
cdp-knn -k 40 --rows 0:200 --dim 48 m0.bin >part.cdp
fails 1 'part.cdp: the lists of rows 0:200 only, but those of all rows are needed' "a part of the lists" \
    cdp-score consensus --features m0.bin part.cdp
fails 1 'part.cdp: the lists of rows 0:200 only' "of a member" \
    cdp-score consensus --features m0.bin --features m0.bin m0.cdp part.cdp
fails 2 'features is given 1 times, but there are 2 lists' "features of one of two lists" \
    cdp-score consensus --features m0.bin m0.cdp m1.cdp
fails 2 'features' "no features" cdp-score consensus m0.cdp
fails 1 'first.bin: 9600 bytes, no multiple of 440 rows' "features of fewer items" \
    cdp-score consensus --features first.bin m0.cdp
fails 1 'made.cdp: 2000 nodes, but the base has 440' "lists of other items" \
    cdp-score consensus --features m0.bin --features made/features/m0.bin m0.cdp made.cdp
fails 1 'one.cdp: .*knn' "pairs instead of lists" cdp-score consensus --features m0.bin one.cdp
for wrong in 0 -1 101 nan some; do
    fails 2 "false-alarms must be a number from 1e-06 to 100, not '$wrong'" "--false-alarms $wrong" \
        cdp-score consensus --false-alarms $wrong --features m0.bin m0.cdp
done
cdp-score consensus --progress always --features m0.bin m0.cdp 2>err >got.cdp
cmp -s got.cdp one.cdp && sed -n 's/^cdp-score consensus: consensus: \([0-9]*\) %.*/\1/p' err >shares &&
    [ "$(wc -l <shares)" -eq "$(wc -l <err)" ] && [ -s shares ] && sort -n -c shares
ok $? "one progress for all stages"

# real faces, whose clusters the sanitizers do not change
if [ -n "$(size '' yes yes)" ] && [ -d "$faces" ]; then
    while read -r part model wanted; do
        cdp-knn -k 80 --dim "${model##*[a-z]}" "$faces/$part/features/$model.bin" >knn.cdp
        cdp-score consensus -q --features "$faces/$part/features/$model.bin" knn.cdp >pairs.cdp
        least "$wanted" "$faces/$part/meta.txt" pairs.cdp "$part, $model"
    done <<<"unlabeled mobilefacenet128 98.7
unlabeled mobileface256 88.5
labeled mobilefacenet128 99"
    for model in barel128 mobilefacenet128 faceplugin512; do
        cdp-knn -k 80 --dim "${model##*[a-z]}" "$faces/unlabeled/features/$model.bin" >$model.cdp
    done
    ln -s "$faces"/unlabeled/features/*.bin .
    warns 'no signal|not Gaussian' "a broken model" cdp-score consensus --features barel128.bin barel128.cdp
    cdp-score consensus -v --features mobilefacenet128.bin --features faceplugin512.bin --features barel128.bin \
        mobilefacenet128.cdp faceplugin512.cdp barel128.cdp 2>err >out
    light barel128 0.15 "a weak member"
    least 98.6 "$faces/unlabeled/meta.txt" out "and two good ones"
    cdp-knn -k 80 --dim 256 mobileface256.bin >knn.cdp
    warns 'weak features: of the pairs in clusters [0-9]* % are above the threshold' "a weak model" \
        cdp-score consensus --features mobileface256.bin knn.cdp
else
    skip "real faces" "no face features, or under the sanitizers"
fi

done_testing
