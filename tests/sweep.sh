#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sweep.mk: the table of many thresholds and ks, what runs for it, the plot.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v xxh64sum >/dev/null || skip_all "no xxh64sum (Debian: xxhash)"
export CDP_BIN
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine
sweep=$CDP_SOURCE/pipelines/sweep.mk

cdp-synth --items 1500 --dim 32 --models 3 "a b"
cdp-synth --items 1500 --dim 32 --models 3 --seed 2 others
cat >makefile <<end
data = a b
dim = 32
base = m0
committee = m1 m2
accept = 2
thresholds = 0.5:0.7:0.1
ks = 15 10
include $sweep
end
folder_of=output/sweep_vote_accept2/sz600_step0.05

# ran: the stages that have run since it was last asked, a word and a count each
echo 0 >seen
ran() {
    tail -n +$(($(cat seen) + 1)) .cdp/log | cut -f2 | sort | uniq -c | awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $2, $1 }'
    wc -l <.cdp/log >seen
}
plots=
! command -v gnuplot >/dev/null || plots=", png 1"
plotted=
! command -v gnuplot >/dev/null || plotted=", svg 1"

make >out 2>err
ok $? "a sweep of three thresholds and two ks"
sed 's/^/# /' err | grep -v ' s$'
is "$(ran)" "figures 6, knn 6, labels 6, pairs 6$plots$plotted, table 1" "each list once, a score and a propagation each"

# figures_of K THRESHOLD: by the tools alone
figures_of() {
    for m in 0 1 2; do
        cdp-knn -k $(($1 - 1)) --dim 32 -o m$m.cdp "a b/features/m$m.bin"
    done
    cdp-score vote --accept 2 --threshold "$2" m0.cdp m1.cdp m2.cdp | cdp-propagate >labels.txt
    cdp-eval --format tsv labels.txt "a b/meta.txt" | awk -F '\t' -v k="$1" -v threshold="$2" '{ v[$1] = $2 }
        END { printf "%s\t%s", k, threshold
            for (i = split("kept removed", kind, " "); i; i--)
                for (j = split("precision recall fscore", measure, " "); j; j--)
                    printf "\t%s", v["pairwise." kind[3 - i] "." measure[4 - j]]
            printf "\t%s\t%s\n", v["clusters"], v["discard_ratio"] }'
}
{
    printf 'k\tthreshold\tprecision\trecall\tfscore\tremoved_precision\tremoved_recall\tremoved_fscore\tclusters\t'
    echo discard_ratio
    for k in 10 15; do
        for threshold in 0.5 0.6 0.7; do
            figures_of $k $threshold
        done
    done
} >wanted.tsv
same "$folder_of/sweep.tsv" wanted.tsv "the table is what separate runs give"
cdp-score vote --accept 2 --threshold 0.4 m0.cdp m1.cdp m2.cdp |
    cdp-sweep --thresholds 0.5:0.7:0.1 --labels "a b/meta.txt" | awk 'NR > 1' | wc -l >rows
is "$(cat rows)" 3 "cdp-sweep --thresholds has as many rows"
cdp-score vote --accept 2 --threshold 0.4 m0.cdp m1.cdp m2.cdp |
    cdp-sweep --thresholds 0.5:0.7:0.1 --labels "a b/meta.txt" |
    awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { printf "%.2f %.2f %.2f\n", $at["precision"], $at["recall"], $at["fscore"] }' >swept
awk -F '\t' '$1 == 15 { printf "%.2f %.2f %.2f\n", $3, $4, $5 }' "$folder_of/sweep.tsv" >own
same own swept "and the same figures"
best=$(sort -t "$(printf '\t')" -k5,5gr "$folder_of/sweep.tsv" | awk -F '\t' '$1 != "k" {
    printf "best: F %.2f at k %s, threshold %s (precision %.2f, recall %.2f; singular kept)", $5, $1, $2, $3, $4; exit }')
is "$(head -n 1 out)" "$best" "the best is told in words"

if command -v gnuplot >/dev/null; then
    is "$(head -c 8 "$folder_of/sweep.png" | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a "sweep.png is a PNG"
    tail -c 12 "$folder_of/sweep.png" | grep -q IEND
    ok $? "and whole"
    if command -v xmllint >/dev/null; then
        xmllint --noout "$folder_of/sweep.svg"
    else
        head -n 3 "$folder_of/sweep.svg" | grep -q '^<svg' && grep -q '^</svg>' "$folder_of/sweep.svg"
    fi
    ok $? "sweep.svg is a whole SVG"
    for text in threshold 'per cent' 'precision, k 10' 'recall, k 15' 'F, k 15' 'best F' 'vote: 2 of 2 agree'; do
        grep -q "$text" "$folder_of/sweep.svg"
        ok $? "the plot says '$text'"
    done
    is "$(find "$folder_of" -type f | wc -l)" 3 "three results"
else
    grep -q 'no plot was made' err
    ok $? "without gnuplot it says why there is no plot"
fi

make >again 2>err
is "$(ran)" "" "a second time nothing runs"
same again out "and the same is said"
is "$(grep -v '^gnuplot .* is not installed' err)" "" "and nothing else"
make thresholds="0.7 0.60 0.5" ks="10 15.0e0" >out 2>err
is "$?,$(head -n 1 err)" "2,ks: expected a whole number from 2 to 65536, not '15.0e0'" "a k is a whole number"
make thresholds="0.7 0.60 0.5" ks="15 10" >out 2>err
is "$(ran)" "" "the same numbers written otherwise, in another order: nothing runs"
make thresholds=0.5:0.8:0.1 >out 2>err
is "$(ran)" "figures 2, labels 2, pairs 2$plots$plotted, table 1" "one more threshold: a score for each k"
is "$(wc -l <"$folder_of/sweep.tsv")" 9 "and its rows"
make ks="10 15 20" -n >out 2>err
is "$(ran)" "" "make -n runs nothing"
make ks="10 15 20" >out 2>err
is "$(ran)" "figures 3, knn 3, labels 3, pairs 3$plots$plotted, table 1" "one more k: its lists and what follows"
make >out 2>err
is "$(ran)" "" "back to the first lists: nothing runs"
same "$folder_of/sweep.tsv" wanted.tsv "and the first table is back"
make -f "$CDP_SOURCE/pipelines/cdp.mk" data="a b" dim=32 base=m0 committee="m1 m2" accept=2 threshold=0.6 k=10 >out 2>err
is "$(ran)" "accuracy 1" "an experiment of its own finds what the sweep has made"

cat >mediator.mk <<end
data = a b
train_data = others
strategy = mediator
dim = 32
base = m0
committee = m1 m2
thresholds = 0.9 0.99
ks = 15
include $sweep
end
make -f mediator.mk >out 2>err
is "$(ran)" "features 2, figures 2, knn 3, labels 2, model 1, pairs 2$plots$plotted, table 1" \
    "a mediator: the lists are there, it learns once"
is "$(cut -f1,2 output/sweep_mediator_111/sz600_step0.05/sweep.tsv | tail -n 2 | tr '\t\n' '  ')" "15 0.9 15 0.99 " \
    "and its table"
make -f mediator.mk input=110 -j2 >out 2>err
is "$(ran)" "figures 2, labels 2, model 1, pairs 2$plots$plotted, table 1" "another input: it learns again"

for case in "thresholds=0.5:x:1 FIRST:LAST:STEP" "thresholds=0.7:0.5:0.1 FIRST:LAST:STEP" "thresholds=2 number.from.-1.to.1" \
    "ks= list.is.empty" "strategy=groundtruth no.threshold" "data=nowhere no.such.file"; do
    make "${case% *}" >out 2>err
    [ $? -eq 2 ] && grep -q "${case#* }" err
    ok $? "refused: ${case% *}"
done
is "$(ran)" "" "and nothing runs then"

make clean-experiment >out 2>err
[ ! -e output ]
ok $? "clean-experiment removes the results"
done_testing
