#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-cluster: the same labels as the filters', dimensions, what it leaves behind, failures; and cdp-run.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
tiny=$CDP_SOURCE/data/labeled/tiny
export TMPDIR=$PWD/tmp
mkdir tmp "a folder"
for m in 0 1 2; do
    cp "$tiny/features/m$m.bin" .
    cp m$m.bin "a folder/m'$m.bin"
done

# by_hand K MODEL...: the labels
by_hand() {
    local k=$1 m lists=() features=()
    shift
    for m; do
        cdp-knn -k "$k" --dim 48 -o "hand$m.cdp" "m$m.bin"
        lists+=("hand$m.cdp") features+=(--features "m$m.bin")
    done
    cdp-score consensus -q "${features[@]}" "${lists[@]}" | cdp-propagate --method map
}
by_hand 80 0 >one.txt
by_hand 40 0 1 2 >three.txt
cdp-cluster --dim 48 -o labels m0.bin 2>err
same labels one.txt "with the labels of the filters"
grep -q '^cdp-cluster: 440 items, 1 model: lists of 80 neighbours' err && grep -q 'threshold: cosine' err
ok $? "it prints what it chose"
same <(cdp-cluster -q -k 40 --dim 48 m0.bin m1.bin m2.bin) three.txt "three models, to standard output"
is "$(cdp-cluster -q --dim 48 -o labels m0.bin 2>&1)" "" "-q prints nothing"
is "$(ls -A tmp)" "" "no intermediate files are left"
cdp-cluster -q --keep kept --dim 48 -o labels m0.bin "a folder/m'0.bin" m0.bin
is "$(cd kept && echo ./*)" "./knn-m'0.cdp ./knn-m0-3.cdp ./knn-m0.cdp ./pairs.cdp" "--keep leaves lists and pairs"

# dimensions
printf '%0.s1\n' $(seq 440) >meta
awk '{ print "item " NR }' meta >names
perl -e '$h = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: (440, 48), }"; $h .= " " x (117 - length $h) . "\n";
    print "\x93NUMPY\x01\x00", pack("v", length $h), $h' | cat - m1.bin >m1.npy
perl -e 'local $/; my @x = unpack "f<*", <>; print pack "f<*", @x[24 * $_ .. 24 * $_ + 23] for map { 2 * $_ } 0 .. 439' m2.bin >half.bin
while read -r options; do
    # shellcheck disable=SC2086 # options are words
    cdp-cluster -n $options 2>err | grep -o -e '--dim [0-9]*' | xargs >got
    is "$(cat got)" "--dim 48 --dim 24" "dimensions: $options"
done <<'EOT'
--truth meta m0.bin half.bin
--ids names m0.bin half.bin
--dim 48,24 m0.bin half.bin
m1.npy half.bin
EOT
is "$(cdp-cluster -n half.bin m1.npy 2>err | grep -o -e '--dim [0-9]*' | xargs)" "--dim 24 --dim 48" "dimensions: a raw file first"
mkdir -p set/features
cp m0.bin set/features
cp meta set/meta.txt
is "$(cdp-cluster -n set/features/m0.bin 2>err | grep -o -e '--dim [0-9]*')" "--dim 48" "dimensions: meta.txt of a data set"
mv set/meta.txt set/list.txt
cp names set/list.txt
is "$(cd set/features && cdp-cluster -n m0.bin 2>err | grep -o -e '--dim [0-9]*')" "--dim 48" "dimensions: list.txt of a data set"
fails 1 'm0.bin: raw float32 needs --dim' "a raw file alone" cdp-cluster m0.bin
head -n 400 names >few
fails 1 'm0.bin: .*, by few$' "names of other items" cdp-cluster -q --ids few m0.bin
is "$(cdp-cluster -n -t 3 -v --progress never --dim 48 m0.bin 2>err | grep -c -- '-t 3 -v --progress=never')" 3 "common options go to all"
fails 1 'half.bin.*440' "another number of items" cdp-cluster --dim 48 m0.bin half.bin
fails 2 '2 numbers for 1 file' "more dimensions than files" cdp-cluster --dim 48,24 m0.bin
fails 2 'standard input' "standard input" cdp-cluster --dim 48 -
fails 1 'none.bin: cannot open' "no file" cdp-cluster --dim 48 none.bin
fails 1 '1 row: nothing to cluster' "one row" cdp-cluster --dim 48 <(head -c 192 m0.bin)
head -c $((192 * 50)) m0.bin >fifty.bin
passes "fewer items than neighbours" cdp-cluster -q --dim 48 -o labels fifty.bin
is "$(wc -l <labels)" 50 "a label each"

# --dry-run
(cd "a folder" && cdp-cluster -n -q --dim 48 --truth "$tiny/meta.txt" --report "the page.html" "m'0.bin" >run.sh && sh run.sh >out 2>err)
same <(tail -n 440 "a folder/out") one.txt "-n prints commands for a shell"
[ -s "a folder/the page.html" ]
ok $? "the page too"

# metrics, names, page, pictures
cdp-cluster -q --truth "$tiny/meta.txt" --report page.html -o labels m0.bin >out 2>err
grep -q '^pairwise .* 9[0-9]\.' out && grep -q '^<!DOCTYPE html>' page.html
ok $? "metrics and a page"
cdp-cluster -q --truth "$tiny/meta.txt" m0.bin >out 2>err
same out one.txt "labels on standard output are alone there"
grep -q '^pairwise .* 9[0-9]\.' err
ok $? "metrics on standard error then"
same <(cdp-cluster -q --ids names m0.bin) <(paste names one.txt) "names"
cdp-cluster -q --ids names --truth "$tiny/meta.txt" --report page.html -o named m0.bin >out 2>err
same named <(paste names one.txt) "names, with true labels that have none"
grep -q '^pairwise .* 9[0-9]\.' out && grep -q 'data-named' page.html
ok $? "metrics and a page of these"
# next_run PAGE: runs the commands that a page shows, with a correction: two items of a cluster are different
next_run() {
    IFS=$'\t' read -r a b < <(awk -F'\t' 'NR > 1 && $NF == last { print name "\t" $1; exit } { last = $NF; name = $1 }' named)
    printf '%s\t%s\n' "$a" "$b" >cannot-link.txt
    : >must-link.txt
    rm -f corrected-*
    sed -n 's/.*<template id=command>\([^<]*\)<.*/\1/p' "$1" | sed "s/&#10;/\n/g; s/&#39;/'/g" >commands
    sh commands >out 2>err && [ -s "corrected-$1" ] && awk -v a="$a" -v b="$b" -F'\t' '{ label[$1] = $2 }
        END { exit !(a in label && label[a] != label[b]) }' corrected-named
}
next_run page.html
ok $? "which has the command for corrections"
same <(sed 's/ .*//' commands) <(echo cdp-cluster) "which searches again"
cdp-cluster -q --ids names --keep kept --report kept.html -o named m0.bin
next_run kept.html
ok $? "and from pairs that are kept"
same <(sed 's/ .*//' commands) <(printf 'cdp-propagate\ncdp-report\n') "without a search"
[ "$(paste named corrected-named | awk -F'\t' '$2 != $4' | wc -l)" -lt 20 ]
ok $? "with the numbers of before"
read -r a b < <(awk 'NR > 1 && $1 == last { print was, NR - 1; exit } { last = $1; was = NR - 1 }' one.txt)
printf "%d\t%d\n" "$a" "$b" >cannot
cdp-cluster -q --dim 48 --cannot-link cannot --previous one.txt -o parted m0.bin
[ "$(sed -n "$((a + 1))p" parted)" != "$(sed -n "$((b + 1))p" parted)" ]
ok $? "a cannot-link"
[ "$(paste one.txt parted | awk '$1 != $2' | wc -l)" -lt 20 ]
ok $? "other clusters keep their numbers"
cdp-cluster -q --dim 48 --cannot-link cannot --keep kept2 --previous one.txt --changes changes -o parted2 m0.bin
cdp-relabel --previous one.txt --changes wanted -o out kept2/labels.txt
same parted2 parted "with --changes the same labels"
[ -s changes ] && same changes wanted "and the changes of cdp-relabel"
fails 2 'changes .* --previous' "changes since nothing" cdp-cluster --dim 48 --changes changes m0.bin
fails 1 'named: its labels have names: --ids' "earlier labels with names of items without" cdp-cluster --dim 48 --previous named m0.bin
fails 1 'one.txt: its labels have no names' "and the other way round" cdp-cluster --ids names --previous one.txt m0.bin
grep -q neighbours err
is $? 1 "before the search"
fails 2 'images needs --ids' "pictures without paths" cdp-cluster --dim 48 --report page.html --images . m0.bin

# failures and signals leave nothing
fails 1 'nowhere/labels: cannot create' "an output that cannot be" cdp-cluster -q --keep early --dim 48 -o nowhere/labels m0.bin
fails 1 'nowhere/page: cannot create' "a page that cannot be" cdp-cluster -q --keep early --dim 48 --report nowhere/page m0.bin
[ ! -e early ]
ok $? "before the work"
fails 1 '/nowhere: cannot create a folder' "no room for intermediate files" \
    env TMPDIR=/nowhere "$CDP_BIN/cdp-cluster" -q --dim 48 m0.bin
(head -c 600 m0.bin && perl -e 'print pack "f<", "nan"' && tail -c +605 m0.bin) >nan.bin
fails 1 'nan.bin.*row 3' "NaN" cdp-cluster -q --dim 48 nan.bin
cdp-synth -q --items 30000 --dim 128 --models 1 many
for signal in INT TERM HUP; do
    # A background job of a shell ignores INT, and what nohup runs HUP, and they keep it ignored.
    perl -e '$SIG{$_} = "DEFAULT" for qw(INT TERM HUP); exec @ARGV' cdp-cluster -q --dim 128 -o late many/features/m0.bin 2>err &
    pid=$!
    # shellcheck disable=SC2317 # eventually calls it
    has_files() { [ -n "$(ls -A tmp)" ]; }
    eventually has_files
    kill -$signal $pid
    wait $pid
    is "$?" $((128 + $(kill -l $signal))) "it dies of $signal"
    is "$(ls -A tmp; ls late 2>/dev/null)" "" "and leaves nothing"
done

# ---- cdp-run

cp -r "$tiny" set2
cd set2 || exit
run() { cdp-run "$@" >../out 2>../err; }
run consensus data=. base=m0 committee= k=81
ok $? "cdp-run: an experiment"
same output/k81_consensus/map/meta.txt ../one.txt "with the same labels"
run baselines data=. base=m0 baselines=knn-dbscan k=81
ok $? "cdp-run: baselines"
printf 'base: m0\ndata_name: .\nfeat_dim: 48\nk: 6\nstrategy: vote\nvote: {accept_num: 0, threshold: 0.6}\n' >config.yaml
run config --data . config.yaml plan
ok $? "cdp-run: a configuration"
ln -s "$CDP_SOURCE/pipelines/cdp-run" ../elsewhere
CDP_BIN='' ../elsewhere vote data=. base=m0 committee= accept=0 plan >../out 2>../err
ok $? "cdp-run: by a link, with the tools on PATH"
for words in "tables --help" "demo --help" "single data=. base=m0 plan" "sweep data=. base=m0 thresholds=0.6 ks=15 plan"; do
    # shellcheck disable=SC2086
    run $words
    ok $? "cdp-run $words"
done
is "$(realpath "$(cdp-run --folder)")" "$(realpath "$CDP_SOURCE/pipelines")" "cdp-run: the folder"
fails 2 "unknown command 'vot' .did you mean vote" "cdp-run: a misspelt command" cdp-run vot
fails 2 "a command is missing" "cdp-run: no command" cdp-run
passes "cdp-run: help" cdp-run --help
is "$(cdp-run --version 2>&1)" "$(cdp-knn --version | sed 's/cdp-knn/cdp-run/')" "cdp-run: version"
while read -r command _; do
    grep -q "^\.It.*Cm.* $command\b\|^\.Cm.* $command\b" "$CDP_SOURCE/man/cdp-run.1"
    ok $? "cdp-run: $command is in the page"
done < <(cdp-run --list-options)

done_testing
