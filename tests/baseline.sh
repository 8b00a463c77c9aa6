#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-baseline: each method against files of known answers, naive programs of its own, and hostile data.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
known=${CDP_SHARED:-none}/conformance/baselines

# first_seen <LABELS: labels renumbered by first appearance, -1 kept
first_seen() {
    awk '$1 < 0 { print -1; next } !($1 in number) { number[$1] = count++ } { print number[$1] + 0 }'
}

# near GOT WANTED: both have as many numbers, equal to 1e-6 relative or 1e-7 absolute
near() {
    [ "$(wc -l <"$1")" -eq "$(wc -l <"$2")" ] && paste "$1" "$2" | awk '
        { apart = $1 - $2; apart = apart < 0 ? -apart : apart; size = $2 < 0 ? -$2 : $2
          wrong += !(apart <= 1e-7 || apart <= 1e-6 * size) }
        END { exit wrong > 0 }'
}

# rows METHOD: the rows of the index of a method, without those of a bound. A row's name is the method's with an ending.
rows() {
    awk -F'\t' -v method="$1" '$4 == "exact" && ($2 == method || index($2, method "-") == 1)' \
        "$known/index.tsv"
}

# dim DATA: numbers of a row
dim() { awk -F'\t' -v data="$1" '$1 == data { print $3 }' "$known/data.tsv"; }

# conforms METHOD [tree]: the exact rows of a method; with `tree` the heights of --tree too
conforms() {
    local data name options labels heights
    if [ ! -f "$known/index.tsv" ]; then
        skip "$1: known answers" "no $known"
        return
    fi
    while IFS=$'\t' read -r data name options _ labels heights _; do
        # shellcheck disable=SC2086 # options are words
        (cd "$known" && cdp-baseline "$1" $options --dim "$(dim "$data")" "$data/features.bin") >labels 2>err
        same <(first_seen <labels) <(first_seen <"$known/$labels") "$data: $name $options"
        sed 's/^/# /' err
        [ "${2-}" = tree ] || continue
        # A tree has no cut.
        options=$(sed -E 's/--(distance|min-cluster-size|clusters) [^ ]+//' <<<"$options")
        # shellcheck disable=SC2086
        (cd "$known" && cdp-baseline "$1" $options --tree --dim "$(dim "$data")" "$data/features.bin") |
            cut -f3 >heights
        near heights "$known/$heights"
        ok $? "$data: $name: heights"
    done < <(rows "$1")
}

conforms knn-dbscan
conforms rank-order
conforms single tree
conforms dbscan

# ---- methods on lists and radii

# signs SEED ROWS: rows of 16 numbers 1 or -1, near one of some prototypes, some of them copies. Cosines are multiples of
# 1/8, so there are ties, also with thresholds.
signs() {
    perl -e 'my ($seed, $rows) = @ARGV; srand $seed; my ($clusters, @row) = 1 + int rand 9;
        my @centre = map { [map { rand() < 0.5 ? 1 : -1 } 1 .. 16] } 1 .. $clusters;
        for my $i (0 .. $rows - 1) {
            my ($centre, $flip) = ($centre[rand $clusters], rand() < 0.2 ? 0.5 : 0.1);
            push @row, $i && rand() < 0.1 ? $row[rand $i] : [map { rand() < $flip ? -$_ : $_ } @$centre];
            print pack "f<*", @{$row[$i]};
        }' "$1" "$2"
}

# naive FILE DIM METHOD OPTIONS: the labels of the file's rows are those of the naive program, whose parameters are the
# options' values, in this order; says on standard error if not
naive() {
    local file=$1 dim=$2 method=$3 word values=()
    shift 3
    for word in "$@"; do
        [[ $word = --* ]] || values+=("$word")
    done
    perl "$CDP_SOURCE/tests/reference/baseline.pl" "$method" "$dim" "$file" "${values[@]}" >wanted
    cdp-baseline "$method" -q "$@" --dim "$dim" "$file" >got
    cmp -s wanted got || note "$file: $method $*"
}
bad=0
for seed in $(seq 1 "$(size 3 6 60)"); do
    samples=$((1 + seed % 6))
    for kind in signs copies plain; do
        if [ $kind = signs ]; then
            dim=16 rows=$((20 + seed * 13 % 90))
            signs "$seed" $rows >rows.bin
            cosine=$(perl -e 'print ((1 + shift() % 6) / 8)' "$seed")
        else
            dim=$((2 + seed * 5 % 13)) rows=$((20 + seed * 13 % 90))
            "$CDP_BUILD/tests/reference" random-rows "$seed" $rows $dim $kind >rows.bin
            cosine=0.$((61 + seed * 7 % 37))
        fi
        apart=$(perl -e 'printf "%.17g", sqrt(2 - 2 * shift)' "$cosine")
        {
            naive rows.bin $dim single --distance "$apart"
            naive rows.bin $dim dbscan --eps "$apart" --min-samples $samples
            naive rows.bin $dim knn-dbscan --neighbours $((3 + seed % 9)) --similarity "$cosine" --eps 0.75 --min-samples $samples
            naive rows.bin $dim rank-order --neighbours $((2 + seed % 20)) --threshold $((seed % 4)).5
        } 2>err
        [ ! -s err ] || { bad=$((bad + 1)) && note "$kind, seed $seed, $rows rows of $dim: $(<err)"; }
        perl "$CDP_SOURCE/tests/reference/baseline.pl" heights $dim rows.bin >wanted
        cdp-baseline single --tree --dim $dim rows.bin | cut -f3 >got
        near got wanted || { bad=$((bad + 1)) && note "$kind, seed $seed, $rows rows of $dim: heights"; }
    done
done
is $bad 0 "lists and radii: random rows with ties and copies, as by the naive program"

# A threshold just below and just above ties
signs 5 80 >rows.bin
for nearly in 0.99999999 1.00000001; do
    naive rows.bin 16 single --distance $nearly
    naive rows.bin 16 dbscan --eps $nearly --min-samples 4
done 2>err
is "$(<err)" "" "radii: 1e-8 beside a tie"

# Lists computed before
signs 3 300 >rows.bin
perl -e 'print map { "row $_\n" } 1 .. 300' >names
head -n 2 names >few
head -c 1600 rows.bin >few.bin
perl -e 'print pack("f<*", 1, 2) x 100' >equal.bin
perl -e 'print pack("f<*", 1, 0) x 40, pack("f<*", -1, 0) x 40, pack("f<*", 0, 1) x 40' >three.bin
(head -c 40 rows.bin; perl -e 'print pack("f<*", "nan", 1)') >nan.bin
(head -c 40 rows.bin; head -c 8 /dev/zero) >zero.bin
: >empty.bin
cdp-knn -k 299 --dim 16 -o all.cdp rows.bin
cdp-knn -q -k 30 --dim 16 -o some.cdp rows.bin
cdp-knn -q -k 30 --metric l2 --dim 16 -o l2.cdp rows.bin
cdp-knn -q -k 30 --method approx --dim 16 -o approx.cdp rows.bin
while read -r method options; do
    # shellcheck disable=SC2086 # options are words
    run() { cdp-baseline "$method" $options "$@"; }
    run --dim 16 rows.bin >wanted
    same <(run --knn all.cdp) wanted "$method: lists alone, of all rows"
    same <(run --knn all.cdp --dim 16 rows.bin) wanted "$method: lists of all rows"
    same <(run --knn some.cdp --dim 16 rows.bin) wanted "$method: lists of some rows"
    run --knn approx.cdp >/dev/null 2>err
    grep -q 'approx.cdp: lists of an approximate search' err
    ok $? "$method: a warning of approximate lists"
    fails 1 'l2.cdp: the metric is l2, lists by cosine are needed' "$method: lists of another metric" run --knn l2.cdp
    fails 1 'lists of 300 items, but few.bin has 25 rows' "$method: lists of other rows" \
        run --knn all.cdp --dim 16 few.bin
    fails 2 'FEATURES is missing' "$method: no input" run
    same <(run -t 1 --dim 16 rows.bin) <(CDP_ISA=plain run -t 3 --dim 16 rows.bin) "$method: threads and instruction sets"

    same <(run --ids names --dim 16 rows.bin) <(paste names wanted) "$method: names"
    cdp-knn -k 299 --dim 16 --ids names rows.bin | run --knn - | cmp -s - <(paste names wanted)
    ok $? "$method: names of the lists"
    fails 1 'few: 2 names, but there are 300 items' "$method: too few names" run --ids few --knn all.cdp

    # shellcheck disable=SC2086
    is "$(naive equal.bin 2 "$method" $options 2>&1)" "" "$method: equal rows"
    none=0
    [ "$method" = single ] || [ "$method" = rank-order ] || none=-1
    is "$(head -c 8 equal.bin | run --dim 2 -)" "$none" "$method: one row"
    # shellcheck disable=SC2086
    is "$(naive three.bin 2 "$method" $options 2>&1)" "" "$method: lists that hold copies only, and components far apart"
    fails 1 'nan.bin: row 5: number 0 is -?nan' "$method: NaN" run --dim 2 nan.bin
    fails 1 'zero.bin: row 5: all zeros' "$method: a row of zeros" run --dim 2 zero.bin
    fails 1 'empty.bin' "$method: no row" run --dim 2 empty.bin
done <<'EOT'
single --distance 0.9
dbscan --eps 0.9 --min-samples 4
knn-dbscan --neighbours 12 --similarity 0.6 --eps 0.75 --min-samples 4
rank-order --neighbours 12 --threshold 2
EOT
cdp-knn -q -k 30 --dim 2 -o three.cdp three.bin
for method in single dbscan; do
    fails 1 'three.cdp: row 40: all neighbours within 0.7' "$method: lists that end within the distance" \
        cdp-baseline $method --knn three.cdp
done
fails 1 'some.cdp: row 0: its list has 30 neighbours, 39 are needed' "dbscan: lists that are too short" \
    cdp-baseline dbscan --knn some.cdp --min-samples 40
fails 1 'some.cdp: row 0: its list has 30 neighbours, 79 are needed' "knn-dbscan: lists that are too short" \
    cdp-baseline knn-dbscan --knn some.cdp
cdp-knn -q -k 30 --copies once --dim 2 -o once.cdp three.bin
fails 1 'once.cdp: copies of a row are listed once' "lists of copies once" cdp-baseline dbscan --knn once.cdp
fails 2 'FEATURES is missing: a tree' "single: a tree of lists" cdp-baseline single --tree --knn all.cdp
fails 2 'FEATURES is missing, whose form' "single: --dim without features" cdp-baseline single --dim 4 --knn all.cdp
cdp-knn -k 29 --rows 0:100 --dim 16 -o part.cdp rows.bin
fails 1 'part.cdp: the lists of rows 0:100 only' "lists of some rows" cdp-baseline rank-order --knn part.cdp
is "$(cdp-baseline single --tree --dim 2 equal.bin | cut -f 3 | sort -u)" 0 "single: the tree of equal rows"
is "$(head -c 8 equal.bin | cdp-baseline single --tree --dim 2 - | wc -l)" 0 "single: the tree of one row"

# More rows than a block: labels are the tree's, cut.
cdp-synth --items "$(size 2000 5000 20000)" --identities 100 --dim 32 --models 1 made
cdp-baseline single --tree --dim 32 made/features/m0.bin >tree
for apart in 0.5 0.7 0.8; do
    perl -e 'my ($limit, @row) = (shift, <STDIN>); my ($items, @part) = @row + 1;
        for my $r (reverse 0 .. $#row) {
            my ($a, $b, $apart) = split " ", $row[$r];
            my $node = $items + $r;
            @part[$a, $b] = $apart <= $limit ? ($part[$node] // $node) x 2 : (undef) x 2;
        }
        print $part[$_] // $_, "\n" for 0 .. $items - 1' $apart <tree | first_seen >wanted
    cdp-baseline single --distance $apart --dim 32 made/features/m0.bin | cmp -s - wanted
    ok $? "single: at $apart, the tree's clusters"
done

# Many rows in the plane: components are runs of adjacent angles.
many=$(size 2000 20000 200000)
perl -e 'srand 7; for (1 .. shift) { my $angle = 6.28318 * rand; print pack "f<*", cos $angle, sin $angle }' "$many" >plane.bin
perl -e 'local $/; my @x = unpack "f<*", <STDIN>; my ($limit, @angle) = 2 * atan2(1, sqrt(4 / $ARGV[0]**2 - 1));
    push @angle, atan2 splice(@x, 1, 1), shift @x while @x; @angle = sort { $a <=> $b } @angle;
    my $parts = $angle[0] + 8 * atan2(1, 1) - $angle[-1] > $limit;
    $parts += $angle[$_] - $angle[$_ - 1] > $limit for 1 .. $#angle; print "$parts\n"' \
    "$(perl -e 'print 20 / shift' "$many")" <plane.bin >wanted
cdp-baseline single --distance "$(perl -e 'print 20 / shift' "$many")" --dim 2 plane.bin | sort -u | wc -l | cmp -s - wanted
ok $? "single: $many rows in the plane"
is "$(cdp-baseline dbscan --eps 0.1 --dim 2 plane.bin | sort -u)" 0 "dbscan: $many rows in the plane, all connected"

# ---- hdbscan

conforms hdbscan tree

# clusters SEED ROWS DIM KIND: rows around a few centres, some scattered. `copies`: one in three is an earlier row. `ties`:
# four numbers of +-0.5, so that distances are exact and few
clusters() {
    perl -e 'my ($seed, $n, $dim, $kind) = @ARGV; srand $seed; my (@row, @centre);
        push @centre, [map { rand() - 0.5 } 1 .. $dim] for 1 .. 6;
        for my $i (0 .. $n - 1) {
            my $centre = $centre[rand() ** 2 * 6]; my $width = rand() < 0.2 ? 1.5 : 0.1 + 0.05 * ($i % 3);
            my @x = map { $_ + $width * (rand() - 0.5) } @$centre;
            @x = (0) x $dim if $kind eq "ties";
            while ($kind eq "ties" && 4 > grep { $_ } @x) { $x[rand() ** 1.5 * $dim] = rand() < 0.9 ? 0.5 : -0.5 }
            @x = @{ $row[rand @row] } if @row && rand() < ($kind eq "copies" ? 1 / 3 : 0);
            push @row, \@x; print pack "f<*", @x;
        }' "$@"
}

# naive_hdbscan KIND SEED ROWS DIM S M [EXCESS|LEAF]: labels and heights equal those of the naive program
naive_hdbscan() {
    local how=${7-excess}
    clusters "$2" "$3" "$4" "$1" >rows.bin
    perl "$CDP_SOURCE/tests/reference/hdbscan.pl" "$4" "$5" "$6" "$how" <rows.bin >wanted
    perl "$CDP_SOURCE/tests/reference/hdbscan.pl" "$4" "$5" "$6" heights <rows.bin >wanted.heights
    hdbscan() { cdp-baseline hdbscan -q --min-cluster-size "$5" --min-samples "$6" --dim "$4" rows.bin "${@:7}"; }
    cdp-knn -q -k "$(($6 > 2 ? $6 - 1 : 1))" --dim "$4" rows.bin >lists.cdp
    hdbscan "${@:1:6}" --select "$how" >got && hdbscan "${@:1:6}" --select "$how" --knn lists.cdp >short &&
        cdp-baseline hdbscan -q --min-samples "$6" --dim "$4" --tree rows.bin | cut -f3 >heights && cmp -s got short &&
        first_seen <wanted | cmp -s - got && near heights wanted.heights
}
bad=0
for seed in $(seq 1 "$(size 6 9 60)"); do
    for kind in plain copies ties; do
        naive_hdbscan $kind "$seed" $((40 + seed % 7 * 17)) $((5 + seed * 5 % 13)) $((2 + seed % 5)) \
            $((1 + seed * 3 % 7)) "$([ $((seed % 4)) = 0 ] && echo leaf || echo excess)" ||
            { bad=$((bad + 1)) && note "$kind, seed $seed"; }
    done
done
is $bad 0 "hdbscan: clusters, copies and ties, by long and short lists, as by the naive program"

clusters 1 3000 24 copies >rows.bin
hdbscan() { cdp-baseline hdbscan --min-samples 4 --dim 24 rows.bin "$@"; }
same <(hdbscan --threads 1 --tree) <(CDP_ISA=plain hdbscan --threads 3 --tree) "hdbscan: threads and instruction sets"
cdp-knn -q -k 5 --dim 24 rows.bin >lists.cdp
hdbscan --tree --approximate --knn lists.cdp | awk '$3 == "inf" { apart++ } END { exit !apart }'
ok $? "hdbscan: --approximate leaves parts unconnected"
fails 1 "list has 5 neighbours, 8 are needed" "hdbscan: lists that are too short" \
    cdp-baseline hdbscan --min-samples 9 --knn lists.cdp --dim 24 rows.bin
perl -e 'print pack("f<*", 1, 2) x 500' >equal.bin
is "$(cdp-baseline hdbscan --dim 2 equal.bin | sort -u)" -1 "hdbscan: equal rows are one merge, the root"
is "$(cdp-baseline hdbscan --tree --dim 2 equal.bin | cut -f3 | sort -u)" 0 "of height 0"
is "$(head -c 8 equal.bin | cdp-baseline hdbscan --dim 2 -)" -1 "hdbscan: one row"
is "$(head -c 40 equal.bin | cdp-baseline hdbscan --min-samples 6 --tree --dim 2 - | cut -f3 | sort -u)" inf \
    "hdbscan: core distances beyond the rows"
perl -e 'print pack("f<*", ($_ % 9 + 1) * ($_ % 3), $_ % 9 + 1) for 0 .. 299' >scaled.bin
is "$(cdp-baseline hdbscan --dim 2 scaled.bin | sort | uniq -c | awk '{ print $1 }' | sort -u)" 100 \
    "hdbscan: rows of few directions"
fails 1 "row 0.*finite" "hdbscan: NaN" cdp-baseline hdbscan --dim 2 <(perl -e 'print pack("f<*", "nan", 1, 1, 1)')
fails 1 "row 1: all zeros" "hdbscan: a row of zeros" cdp-baseline hdbscan --dim 2 \
    <(perl -e 'print pack("f<*", 1, 1, 0, 0)')

# ---- ward

conforms ward tree

# naive_ward KIND SEED ROWS DIM K CLUSTERS: labels and merges of random rows equal those of the naive program
naive_ward() {
    "$CDP_BUILD/tests/reference" random-rows "$2" "$3" "$4" "$1" >rows.bin
    perl "$CDP_SOURCE/tests/reference/ward.pl" "$4" "$5" "$6" <rows.bin >wanted
    perl "$CDP_SOURCE/tests/reference/ward.pl" "$4" "$5" "$6" tree <rows.bin >wanted.tree
    cdp-baseline ward -q --neighbours "$5" --clusters "$6" --dim "$4" rows.bin >got &&
        cdp-baseline ward -q --neighbours "$5" --dim "$4" --tree rows.bin >got.tree &&
        first_seen <wanted | cmp -s - got && cmp -s <(cut -f1,2,4 wanted.tree) <(cut -f1,2,4 got.tree) &&
        cut -f3 got.tree >got && cut -f3 wanted.tree >wanted && near got wanted
}
bad=0
for seed in $(seq 1 "$(size 6 9 60)"); do
    for kind in plain copies; do
        naive_ward $kind "$seed" $((30 + seed % 7 * 9)) $((2 + seed * 5 % 13)) $((1 + seed % 4)) $((1 + seed % 6)) ||
            { bad=$((bad + 1)) && note "$kind, seed $seed"; }
    done
done
is $bad 0 "ward: random rows with copies, in several components, as by the naive program"

"$CDP_BUILD/tests/reference" random-rows 3 3000 40 copies >rows.bin
ward() { cdp-baseline ward --neighbours 3 --dim 40 rows.bin "$@"; }
same <(ward --threads 1 --tree) <(CDP_ISA=plain ward --threads 3 --tree) "ward: threads and instruction sets"

perl -e 'print pack("f<*", 1, 2) x 500' >equal.bin
is "$(cdp-baseline ward --clusters 3 --dim 2 equal.bin | sort | uniq -c | wc -l)" 3 "ward: equal rows"
is "$(head -c 8 equal.bin | cdp-baseline ward --clusters 3 --dim 2 -)" 0 "ward: one row"
is "$(head -c 16 equal.bin | cdp-baseline ward --clusters 3 --dim 2 - | tr '\n' ' ')" "0 1 " \
    "ward: more clusters than rows"
fails 2 "FEATURES is missing: ward" "ward: lists alone" cdp-baseline ward --clusters 2 --knn lists.cdp
fails 2 "--clusters is missing" "ward: no number of clusters" cdp-baseline ward --dim 2 equal.bin

# ---- spectral

# spectral DATA OPTION...: of a folder of known answers
spectral() { (cd "$known" && cdp-baseline spectral "${@:2}" --dim "$(dim "$1")" "$1/features.bin"); }

if [ -f "$known/index.tsv" ]; then
    while IFS=$'\t' read -r data _ options kind labels values rule; do
        [ "$kind" = exact ] && rule='>= 1;'
        # shellcheck disable=SC2086 # options are words
        spectral "$data" $options >labels
        least=${rule#*>= } least=${least%%;*}
        cdp-eval --format tsv labels "$known/$labels" |
            awk -v least="$least" '$1 == "ari.kept" { found = $2 / 100 } END { exit !(found >= least) }'
        ok $? "spectral: $data: adjusted Rand index at least $least"
        # shellcheck disable=SC2086
        spectral "$data" $options --eigenvalues | paste - "$known/$values" |
            awk '{ apart = $1 - $2; wrong += !(apart < 1e-6 && apart > -1e-6 && NF == 2) } END { exit wrong > 0 }'
        ok $? "spectral: $data: eigenvalues"
    done < <(awk -F'\t' '$2 == "spectral"' "$known/index.tsv")
else
    skip "spectral: known answers" "no $known"
fi

# All eigenvalues of random rows, of one component and of several, and the smallest ones of larger ones
bad=0
for seed in $(seq 1 "$(size 3 5 30)"); do
    for kind in plain copies; do
        rows=$((20 + seed % 8 * 9)) dim=$((2 + seed * 5 % 13)) k=$((2 + seed % 5))
        "$CDP_BUILD/tests/reference" random-rows "$seed" $rows $dim $kind >rows.bin
        perl "$CDP_SOURCE/tests/reference/spectral.pl" $dim $k <rows.bin >wanted
        for clusters in 1 5 $rows; do
            cdp-baseline spectral --neighbours $k --clusters "$clusters" --eigenvalues --dim $dim rows.bin >got
            head -n $((clusters + 1)) wanted >smallest
            near got smallest || { bad=$((bad + 1)) && note "$kind, seed $seed, $clusters"; }
        done
    done
done
is $bad 0 "spectral: eigenvalues as by the naive program"

"$CDP_BUILD/tests/reference" random-rows 5 700 12 plain >rows.bin
spectral_of() { cdp-baseline spectral --dim 12 rows.bin "$@"; }
spectral_of --clusters 400 --eigenvalues | head -n 41 >wanted
spectral_of --clusters 40 --eigenvalues >got
near got wanted
ok $? "spectral: a dense matrix and filters give the same eigenvalues"
for assign in discretize cluster-qr; do
    same <(spectral_of --threads 1 --clusters 40 --assign $assign) \
        <(CDP_ISA=plain spectral_of --threads 3 --clusters 40 --assign $assign) \
        "spectral: $assign: threads and instruction sets"
done
perl -e 'srand 1; for my $i (0 .. 599) { my $c = $i % 5; print pack "f<*", map { ($_ == $c ? 4 : 0) + rand } 0 .. 7 }' >apart.bin
for assign in discretize cluster-qr; do
    is "$(cdp-baseline spectral --clusters 5 --assign $assign --dim 8 apart.bin | awk '$1 != (NR - 1) % 5' | wc -l)" 0 \
        "spectral: $assign: separate components"
done
is "$(cdp-baseline spectral --clusters 2 --dim 8 apart.bin | sort -u | wc -l)" 2 "spectral: more components than clusters"
is "$(cdp-baseline spectral --clusters 3 --dim 2 equal.bin | wc -l)" 500 "spectral: equal rows"
is "$(head -c 8 equal.bin | cdp-baseline spectral --clusters 3 --dim 2 -)" 0 "spectral: one row"
is "$(head -c 16 equal.bin | cdp-baseline spectral --clusters 3 --dim 2 - | sort -u | wc -l)" 2 \
    "spectral: more clusters than rows"

# ---- kmeans, minibatch

conforms kmeans

# inertia LABELS DATA: of a partition of a data set
inertia() { perl "$CDP_SOURCE/tests/reference/kmeans.pl" "$(dim "$2")" "$known/$2/features.bin" "$1" inertia; }

# bounded METHOD: the inertia of each row of a bound
bounded() {
    local data options bound
    if [ ! -f "$known/index.tsv" ]; then
        skip "$1: known bounds" "no $known"
        return
    fi
    while IFS=$'\t' read -r data _ options _ _ bound _; do
        # shellcheck disable=SC2086 # options are words
        cdp-baseline "$1" $options --dim "$(dim "$data")" "$known/$data/features.bin" >labels
        inertia labels "$data" >got
        awk -v most="${bound#*<=}" '{ exit !($1 <= most) }' got
        ok $? "$data: $1: $(cat got) within $bound"
    done < <(awk -F'\t' -v method="$1" '$4 == "bound" && $2 == method' "$known/index.tsv")
}
bounded kmeans
bounded minibatch

# naive_kmeans KIND SEED ROWS DIM K: the first K rows are the centroids; with copies, equal ones among them
naive_kmeans() {
    "$CDP_BUILD/tests/reference" random-rows "$2" "$3" "$4" "$1" >rows.bin
    head -c $(($5 * $4 * 4)) rows.bin >centres.bin
    perl "$CDP_SOURCE/tests/reference/kmeans.pl" "$4" rows.bin centres.bin | first_seen >wanted
    cdp-baseline kmeans -q --clusters "$5" --centres centres.bin --dim "$4" rows.bin | cmp -s - wanted
}
bad=0
for seed in $(seq 1 "$(size 2 4 30)"); do
    for kind in normal copies near parallel integers; do
        naive_kmeans $kind "$seed" $((30 + seed % 7 * 30)) $((3 + seed * 5 % 13)) $((2 + seed * 3 % 9)) ||
            { bad=$((bad + 1)) && note "$kind, seed $seed"; }
    done
done
is $bad 0 "kmeans: random rows with ties and copies, as by the naive program"

"$CDP_BUILD/tests/reference" random-rows 3 "$(size 2000 8000 40000)" 40 copies >rows.bin
perl -e 'print pack("f<*", 1, 2) x 500' >same.bin
for method in kmeans minibatch; do
    of() { cdp-baseline $method --clusters 300 --starts 1 --dim 40 rows.bin "$@"; }
    of --threads 1 >wanted
    same <(of --threads 3) wanted "$method: threads"
    same <(CDP_ISA=plain of) wanted "$method: instruction sets"
    is "$(cdp-baseline $method --clusters 3 --dim 2 same.bin | sort | uniq -c | xargs)" "500 0" "$method: equal rows"
    is "$(head -c 8 same.bin | cdp-baseline $method --clusters 3 --dim 2 -)" 0 "$method: one row"
    is "$(head -c 16 same.bin | cdp-baseline $method --clusters 9 --dim 1 - | sort -u | wc -l)" 1 \
        "$method: more clusters than directions"
    perl -e 'print pack "f<*", 1, 2, 0, 0' >zero.bin
    fails 1 "zero.bin: row 1: all zeros" "$method: a row of zeros" cdp-baseline $method --clusters 2 --dim 2 zero.bin
    perl -e 'print pack "f<*", 1, 2, "nan", 0' >nan.bin
    fails 1 "nan.bin: row 1: number 0 is " "$method: NaN" cdp-baseline $method --clusters 2 --dim 2 nan.bin
    perl -e 'srand 1; print pack "f<2", rand() - 0.5, rand() - 0.5 for 1 .. shift' "$(size 2000 20000 200000)" >flat.bin
    is "$(cdp-baseline $method --clusters 1000 --dim 2 --starts 1 flat.bin | sort -u | wc -l)" 1000 "$method: two numbers a row"
    fails 1 "same.bin: 500 rows: --clusters 3 wants as many" "$method: other number of centroids" \
        cdp-baseline $method --clusters 3 --dim 2 --centres same.bin same.bin
    head -c 320 same.bin >few.bin
    is "$(cdp-baseline $method --clusters 500 --centres same.bin --dim 2 few.bin | sort | uniq -c | xargs)" "40 0" \
        "$method: more centroids than rows"
    fails 2 "FEATURES is missing" "$method: no features" cdp-baseline $method --clusters 2
    for wrong in nan inf; do
        perl -e 'print pack "f<*", 1, 2, 3, shift' $wrong >wrong.bin
        fails 1 "wrong.bin: row 1: number 1 is " "$method: a centroid with $wrong" \
            cdp-baseline $method --clusters 2 --dim 2 --centres wrong.bin same.bin
    done
done
head -c $((300 * 40 * 4)) rows.bin >centres.bin
lloyd() { cdp-baseline kmeans --clusters 300 --centres centres.bin --dim 40 rows.bin -v "$@" 2>&1 >/dev/null | sed -n 's/.*after \(.*\) iter.*/\1/p'; }
[ "$(lloyd --tolerance 1000)" -lt "$(lloyd)" ]
ok $? "kmeans: a tolerance ends it earlier"
# inertia_of METHOD OPTION...: the inertia that -v prints, and the number of iterations or batches
inertia_of() { cdp-baseline "$1" -v --clusters 20 --dim 40 -o labels "${@:2}" rows.bin 2>&1 | sed -n 's/.*inertia \([0-9.]*\) after \([0-9]*\) .*/\1 \2/p'; }
for method in kmeans minibatch; do
    for starts in 1 2 8; do
        inertia_of $method --starts $starts
    done | awk 'NR > 1 && $1 > last { bad = 1 } { if (NR == 1) first = $1; last = $1 } END { exit bad || NR < 3 || last >= first }'
    ok $? "$method: more starts, less inertia"
    for seed in 1 2 3; do
        inertia_of $method --starts 1 --seed $seed
    done | sort -u | wc -l >seeds
    is "$(cat seeds)" 3 "$method: another seed, another result"
done
if [ "$CDP_TEST_SIZE" != small ]; then # of fewer rows than a batch has
    [ "$(inertia_of minibatch --starts 1 --batch 4096 | cut -d' ' -f2)" -lt \
        "$(inertia_of minibatch --starts 1 --batch 256 | cut -d' ' -f2)" ]
    ok $? "minibatch: larger batches, fewer of them"
fi

# ---- finch, chinese-whispers, leiden

bad=0
for seed in $(seq 1 "$(size 2 5 20)"); do
    for kind in normal copies near integers; do
        rows=$((30 + seed % 7 * 30)) dim=$((3 + seed * 5 % 13))
        "$CDP_BUILD/tests/reference" random-rows "$seed" $rows $dim $kind >rows.bin
        perl "$CDP_SOURCE/tests/reference/finch.pl" $dim <rows.bin >wanted
        cdp-baseline finch -q --dim $dim --table got rows.bin >labels
        { cmp -s got wanted && cut -f1 wanted | cmp -s - labels; } ||
            { bad=$((bad + 1)) && note "finch: $kind, seed $seed"; }
        cdp-knn -q -k 7 --method exact --dim $dim rows.bin >lists.cdp
        cdp-view --to tsv lists.cdp | perl "$CDP_SOURCE/tests/reference/whispers.pl" $rows 0.4 "$seed" 9 | first_seen >wanted
        cdp-baseline chinese-whispers -q --knn lists.cdp --neighbours 7 --similarity 0.4 --seed "$seed" --rounds 9 |
            cmp -s - wanted || { bad=$((bad + 1)) && note "chinese-whispers: $kind, seed $seed"; }
    done
done
is $bad 0 "finch, chinese-whispers: random rows, as by the naive programs"
fails 1 "partition" "finch: no such partition" cdp-baseline finch --partition 9 --dim 2 equal.bin
cdp-baseline finch --dim 8 --table table apart.bin >labels
for partition in $(seq "$(awk '{ print NF; exit }' table)"); do
    same <(cdp-baseline finch --partition "$partition" --dim 8 apart.bin) <(cut -f"$partition" table) "finch: partition $partition"
done
perl -e 'print pack "f<*", 1, 0, -1, 0, 0, 1, 0, -1' >opposite.bin
is "$(cdp-baseline finch --dim 2 opposite.bin | wc -l)" 4 "finch: opposite rows"
for method in finch chinese-whispers; do
    is "$(cdp-baseline $method --dim 2 equal.bin | sort -u)" 0 "$method: equal rows"
    is "$(head -c 8 equal.bin | cdp-baseline $method --dim 2 -)" 0 "$method: one row"
    same <(cdp-baseline $method --threads 1 --dim 8 apart.bin) <(cdp-baseline $method --threads 3 --dim 8 apart.bin) \
        "$method: threads"
done
is "$(cdp-baseline chinese-whispers --similarity 1 --dim 8 apart.bin | sort -u | wc -l)" 600 \
    "chinese-whispers: items without links are alone"

leiden() { cdp-baseline leiden --dim 8 "$@" apart.bin; }
if leiden >labels 2>err; then
    is "$(awk '$1 != (NR - 1) % 5' labels | wc -l)" 0 "leiden: separate components"
    is "$(leiden --quality modularity | awk '$1 != (NR - 1) % 5' | wc -l)" 0 "leiden: separate components, by modularity"
    is "$(leiden --resolution 2 | sort -u | wc -l)" 600 "leiden: a resolution above all weights"
    is "$(cdp-baseline leiden --resolution 0 --dim 2 equal.bin | sort -u)" 0 "leiden: equal rows"
    same <(leiden --threads 1 --seed 7) <(leiden --threads 3 --seed 7) "leiden: threads"
else
    grep -q 'without igraph.*libigraph-dev' err
    ok $? "leiden: what is missing is told"
fi

# ---- all methods

perl -e 'my $header = sprintf "%-117s\n", q({"descr": "<f4", "fortran_order": False, "shape": (0, 2)});
    $header =~ tr/"/\x27/; print "\x93NUMPY\1\0", pack("v", length $header), $header' >none.npy
while read -r method options; do
    # shellcheck disable=SC2086 # options are words
    cdp-baseline "$method" $options -o labels none.npy 2>err
    status=$?
    if grep -q 'without igraph' err; then
        skip "$method: an array of no rows" "no igraph"
        continue
    fi
    is "$status $(wc -c <labels)" "0 0" "$method${options:+ $options}: an array of no rows"
done <<'EOT'
chinese-whispers
dbscan
finch
hdbscan
hdbscan --tree
kmeans --clusters 2
kmeans --clusters 2 --tolerance 0.1
knn-dbscan
leiden
minibatch --clusters 2
rank-order
single
single --tree
spectral --clusters 2
spectral --clusters 2 --eigenvalues
ward --clusters 2
ward --tree
EOT

# Lists made elsewhere: items 0 and 1 are at -1e-7, a rounding error of 0
printf '0\t1\t-1e-7\n0\t2\t1\n1\t0\t-1e-7\n1\t2\t1\n2\t0\t1\n2\t1\t1\n3\t0\t1\n3\t1\t1\n' |
    cdp-view --from tsv --type knn -o rounded.cdp -
printf '0\t1\t-0.2\n1\t0\t-0.2\n' | cdp-view --from tsv --type knn -o negative.cdp -
while IFS=/ read -r wanted method options; do
    # shellcheck disable=SC2086
    is "$(cdp-baseline "$method" $options --knn rounded.cdp 2>err | xargs)" "0 0 $wanted" "$method: a distance that is 0 but for rounding"
    grep -q 'rounded.cdp: 2 distances below 0, by 1.* at most, set to 0' err
    ok $? "$method: and a warning"
    # shellcheck disable=SC2086
    fails 1 'negative.cdp: the smallest distance is -0.200000003: distances must be at least 0' \
        "$method: a distance below 0" cdp-baseline "$method" $options --knn negative.cdp
done <<'EOT'
1 2/single/
-1 -1/dbscan/--min-samples 2
-1 -1/knn-dbscan/--neighbours 3 --min-samples 2
1 2/chinese-whispers/--neighbours 2
EOT

# A list without entries
perl -e 'srand 1; print pack("f<*", map { rand() - 0.5 } 1 .. 60)' >six.bin
cdp-knn -q -k 3 --dim 10 six.bin | cdp-view --to tsv - | awk '$1 != 4' | cdp-view --from tsv --type knn -o gap.cdp -
for method in single dbscan hdbscan; do
    options=()
    [ $method = single ] || options=(--min-samples 1)
    fails 1 'gap.cdp: row 4: its list has 0 neighbours, 1 are needed' "$method: a list without entries" \
        cdp-baseline $method "${options[@]}" --knn gap.cdp --dim 10 six.bin
done

done_testing
