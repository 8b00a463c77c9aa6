#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# baselines.mk: labels are those of the tools, one search serves all methods, and only what a change affects runs again, also
# after a kill. And the map equation after a mediator.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v xxh64sum >/dev/null || skip_all "no xxh64sum (Debian: xxhash)"
export CDP_BIN
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine

cdp-synth --items 600 --identities 9 --dim 32 --models 2 "a b"
cdp-synth --items 600 --identities 9 --dim 32 --models 2 --seed 2 others
features="a b/features/m0.bin"
cat >makefile <<end
data = a b
base = m0
include $CDP_SOURCE/pipelines/baselines.mk
end
folder_of=output/k81_baseline

# ran: the stages that have run since the last call, a word and a count each
echo 0 >seen
ran() {
    tail -n +$(($(cat seen) + 1)) .cdp/log | cut -f2 | sort | uniq -c | awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $2, $1 }'
    wc -l <.cdp/log >seen
}

# All methods; without igraph not leiden, which fails then whatever its input.
cdp-baseline leiden 2>err
[ $? -eq 2 ] && without=none || without=leiden
mapfile -t methods < <(cdp-baseline --help | sed -n "/^ *$without /d; s/^  \([a-z-]\+\) .*/\1/p" | sed '/^cdp-/d')
number=${#methods[@]}

# Killed in the middle, with all that it runs.
set -m
make >out 2>err &
job=$!
while kill -0 $job 2>/dev/null && [ "$({ wc -l <.cdp/log || echo 0; } 2>/dev/null)" -lt 6 ]; do
    sleep 0.01
done
{
    kill -KILL -- -$job
    killed=$?
    wait $job
} 2>/dev/null
set +m
ok $killed "killed"
make >out 2>err
ok $? "and run again"
is "$(ran)" "figures $number, knn 1, labels $number" "a search, and labels and metrics of each method, once"
is "$(find .cdp output -name '*.part*')" "" "nothing unfinished is left"

# By the tools alone.
cdp-knn -k 80 --method exact --dim 32 -o lists.cdp "$features"
clusters=$(sort -u "a b/meta.txt" | wc -l)
: >wanted
for method in "${methods[@]}"; do
    options=() result=$folder_of/$method shown=-
    case $method in kmeans | minibatch | spectral | ward)
        options+=(--clusters "$clusters")
        result+=_--clusters_$clusters shown="--clusters $clusters"
        ;;
    esac
    case $method in kmeans | minibatch) ;; *) options+=(--knn lists.cdp) ;; esac
    case $method in
    chinese-whispers | knn-dbscan | leiden | rank-order | spectral) ;;
    *) options+=(--dim 32 "$features") ;;
    esac
    cdp-baseline "$method" "${options[@]}" >labels.txt
    same "$result/meta.txt" labels.txt "$method: the labels of the tool"
    cdp-eval --format tsv labels.txt "a b/meta.txt" >metrics.tsv
    same "$result/evaluation.tsv" metrics.tsv "$method: and its metrics"
    awk -F '\t' -v OFS='\t' -v method="$method" -v shown="$shown" '{ v[$1] = $2 } END { p = "pairwise.kept."
        print method, shown, v[p "precision"], v[p "recall"], v[p "fscore"], v["clusters"], v["discard_ratio"] }' \
        metrics.tsv >>wanted
done
sed 1d $folder_of/baselines.tsv | cut -f 1-7 >got
same got wanted "the table has the metrics of all"
awk -F '\t' -v OFS='\t' '$2 == "labels" { print $3, $4, $6 == "-" ? "-" : int($6 / 1024 + 0.5) }' .cdp/log | sort >wanted
sed 1d $folder_of/baselines.tsv | cut -f 1,8,9 | sort >got
same got wanted "and the times and memory of the log"
is "$(sed 1d $folder_of/baselines.tsv | cut -f 10 | sort -u)" "$(awk -F '\t' '$2 == "knn" { print $4 }' .cdp/log)" \
    "and the time of the search"

# What a change affects.
cp $folder_of/baselines.tsv first.tsv
cp out first.txt
make >out 2>err
is "$?:$(ran):$(cat err)" 0:: "a second time nothing runs"
same $folder_of/baselines.tsv first.tsv "and the table is the same"
same out first.txt "which is printed again"
make options_dbscan="--eps 0.9" baselines="dbscan ward" >out 2>err
is "$?:$(ran)" "0:figures 1, labels 1" "options of a method: that one"
same $folder_of/dbscan_--eps_0.9/meta.txt <(cdp-baseline dbscan --eps 0.9 --knn lists.cdp --dim 32 "$features") \
    "its labels beside the others"
make options_dbscan="--eps 0.01" baselines="dbscan ward" >poor 2>err
is "$?:$(ran)" "0:figures 1, labels 1" "a method that finds nothing"
is "$(grep -c 'options_METHOD sets others' out poor | xargs) $(grep -h 'F near 0' out poor)" \
    "out:1 poor:1 F near 0: these parameters do not suit the data: dbscan" "what parameters they have, and which do not suit"
make clusters=7 baselines="dbscan kmeans spectral" >out 2>err
is "$?:$(ran)" "0:figures 2, labels 2" "the number of clusters: methods that have one"
make k=91 baselines="rank-order kmeans" >out 2>err
is "$?:$(ran)" "0:figures 1, knn 1, labels 1" "longer lists: methods that take lists"
rm .cdp/knn/*
make plan baselines=kmeans >out
is "$(awk '{ print $1 }' out | tr '\n' ' ')" "stage labels figures " "kmeans takes none"
make >out 2>err
is "$?:$(ran)" 0: "lists that nothing needs are not made again"
cp first.tsv wanted
make -f "$CDP_SOURCE/pipelines/cdp.mk" "data=a b" base=m0 strategy=baseline baseline=ward >out 2>err
is "$?:$(ran):$(grep -c 'fscore' out)" 0::4 "one method as an experiment of cdp.mk finds the same labels"
make baselines="single ward" evaluation=no >out 2>err
is "$?:$(ran):$(cut -f 3-7 $folder_of/baselines.tsv | sed 1d | sort -u | tr -d '\t')" 0::----- "without evaluation"
[ ! -e $folder_of/single/evaluation.tsv ]
ok $? "and metrics beside the labels"

# Unknown labels are no identity.
mkdir -p some/features
cp "$features" some/features/m0.bin
awk '{ print NR % 50 ? $1 : -1 }' "a b/meta.txt" >some/meta.txt
make data=some baselines=ward >out 2>err
is "$?:$(grep -c 'result: .*ward_--clusters_9/evaluation' err)" 0:1 "unknown labels are no identity"
ran >/dev/null

# Lists from elsewhere.
make baselines="rank-order ward" lists_m0=lists.cdp >out 2>err
is "$?:$(ran)" "0:figures 2, labels 2, lists 1" "lists of a file"
same $folder_of/rank-order/meta.txt <(cdp-baseline rank-order --knn lists.cdp) "the same labels"

# Wrong values, before any stage.
# refused PATTERN NAME ARGUMENT...: make fails with a line that matches
refused() {
    local pattern=$1 name=$2
    shift 2
    make "$@" >out 2>err
    is "$?:$(grep -c -- "$pattern" err)" 2:1 "refused: $name"
}
refused "baseline: expected chinese-whispers, .* or ward, not 'dbscn'" "an unknown method" baselines="ward dbscn"
refused "metric: expected cosine, not 'l2'" "another metric" metric=l2
refused "single: --distance must be" "an option that the tool refuses" options_single="--distance x"
refused "did you mean options_single" "options of an unknown method" options_singel="--distance 1"
refused "strategy: not a variable of baselines.mk: use baselines" "a strategy" strategy=vote
refused "clusters: no identities in .*: set clusters" "no identities to count" meta=none baselines=ward
refused "strategy: baseline has no threshold to sweep" "a sweep" \
    -f "$CDP_SOURCE/pipelines/sweep.mk" "data=a b" base=m0 strategy=baseline
refused "propagation: expected ladder, not 'map'" "the map equation after a vote, which has no probabilities" \
    -f "$CDP_SOURCE/pipelines/cdp.mk" "data=a b" base=m0 propagation=map
is "$(ran)" "" "and nothing ran"

make clean-experiment
[ ! -e output ]
ok $? "clean-experiment removes all results"
baselines=none baseline=none clusters=1 options_ward=--none make -f "$CDP_SOURCE/pipelines/cdp.mk" "data=a b" base=m0 \
    strategy=baseline plan >out 2>err
is "$?:$(grep -c 'cdp-baseline dbscan --dim 32$' out)" 0:1 "variables of the environment are not used"

# A mediator, then the map equation.
mediator=(make -f "$CDP_SOURCE/pipelines/cdp.mk" "data=a b" base=m0 committee=m1 strategy=mediator train_data=others
    input=110 k=40)
"${mediator[@]}" propagation=map >out 2>err
ok $? "a mediator and the map equation"
map=output/k40_mediator_110_th0.8/map
for m in 0 1; do
    cdp-knn -k 39 --dim 32 -o m$m.cdp "a b/features/m$m.bin"
    cdp-knn -k 39 --dim 32 -o others$m.cdp others/features/m$m.bin
done
cdp-score features --features others/features/m0.bin --features others/features/m1.bin others[01].cdp |
    cdp-mediate train -q --input relationship,affinity --labels others/meta.txt -o model -
cdp-score features --features "$features" --features "a b/features/m1.bin" m[01].cdp |
    cdp-mediate apply --model model --threshold 0.8 - | cdp-propagate --method map >labels.txt
same $map/meta.txt labels.txt "pairs above 0.8, by the tools"
ran >/dev/null
"${mediator[@]}" threshold=0.8 >out 2>err
is "$?:$(ran)" "0:figures 1, labels 1" "and by thresholds, from the same pairs"
[ -e output/k40_mediator_110_th0.8/sz600_step0.05/meta.txt ]
ok $? "in a folder of its own"
"${mediator[@]}" propagation=map clean-experiment
[ ! -e output ]
ok $? "clean-experiment removes both"

done_testing
