#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mediate.sh [FOLDER]: prints pairwise precision, recall and F of votes and mediators as TSV
# (tests/bench/mediate.tsv). Data: 200,000 synthetic images under five models, with a mediator trained on a set of
# another seed; and real faces if $CDP_SHARED/data/lfw exists (labeled and unlabeled, as in data/README.md).
# Takes some five minutes and 3 GB in FOLDER (default: a temporary folder).
set -euo pipefail
export LC_ALL=C
PATH=${CDP_BIN:?is the folder of the tools}:$PATH
folder=${1:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
cd "$folder"

# prepare PART META DIM:FILE...: writes neighbour lists and pair features of a committee to PART
prepare() {
    local part=$1 m=0 file options=() lists=()
    mkdir -p "$part"
    cp "$2" "$part/meta.txt"
    shift 2
    for file; do
        cdp-knn -k 14 --dim "${file%%:*}" -o "$part/m$m.cdp" "${file#*:}"
        options+=(--features "${file#*:}")
        lists+=("$part/m$m.cdp")
        m=$((m + 1))
    done
    cdp-score features --extra -o "$part/extra.cdp" "${options[@]}" "${lists[@]}"
    cdp-score features -o "$part/pairs.cdp" "${options[@]}" "${lists[@]}"
}

# row DATA STRATEGY SEED THRESHOLD <PAIRS: prints a line of the table
row() {
    cdp-propagate -q | cdp-eval --format tsv - "$1/new/meta.txt" |
        awk -F'\t' -v data="$1" -v strategy="$2" -v seed="$3" -v threshold="$4" '{ v[$1] = $2 }
            END { p = "pairwise.kept."; printf "%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\n", data, strategy,
                seed, threshold, v[p "precision"], v[p "recall"], v[p "fscore"] }'
}

# vote DATA ACCEPT THRESHOLD...
vote() {
    local data=$1 accept=$2 threshold
    shift 2
    for threshold; do
        cdp-score vote --accept "$accept" --threshold "$threshold" "$data"/new/m[0-4].cdp |
            row "$data" "vote, accept $accept" - "$threshold"
    done
}

# mediate DATA SEED "THRESHOLD..." [OPTION]...
mediate() {
    local data=$1 seed=$2 thresholds=$3 threshold pairs=pairs.cdp shown
    shift 3
    [[ $* != *nearer* && $* != *tighter* ]] || pairs=extra.cdp
    cdp-mediate train -q --seed "$seed" --labels "$data/known/meta.txt" "$@" -o model \
        "$data/known/$pairs"
    for threshold in $thresholds; do
        shown=$threshold
        [ "$threshold" != auto ] || shown=auto:$(cdp-mediate show model | awk '/  auto$/ { print $1 }')
        cdp-mediate apply -q --model model --threshold "$threshold" "$data/new/$pairs" |
            row "$data" "mediator $*" "$seed" "$shown"
    done
}

printf 'data\tstrategy\tseed\tthreshold\tprecision\trecall\tfscore\n'
if [ ! -e synth/new/pairs.cdp ]; then
    for part in known:2 new:1; do
        cdp-synth --items 200000 --seed "${part#*:}" "synth-${part%:*}"
        prepare "synth/${part%:*}" "synth-${part%:*}/meta.txt" "256:synth-${part%:*}/features/m"{0..4}.bin
    done
fi
vote synth 0 0.65 0.7 0.75
vote synth 2 0.65 0.7 0.75
vote synth 4 0.6 0.65 0.7
sets=(synth)
faces=${CDP_SHARED:-}/data/lfw
if [ -d "$faces" ]; then
    sets+=(faces)
    models=(256:mobileface256 128:dlib128 128:barel128 128:mobilefacenet128 512:faceplugin512)
    for part in known:labeled new:unlabeled; do
        from=$faces/${part#*:}
        files=()
        for model in "${models[@]}"; do
            files+=("${model%:*}:$from/features/${model#*:}.bin")
        done
        prepare "faces/${part%:*}" "$from/meta.txt" "${files[@]}"
    done
    vote faces 0 0.50 0.52 0.54
    vote faces 2 0.48 0.50 0.52
    vote faces 3 0.44 0.46 0.48
    vote faces 4 0.40 0.42 0.44
fi
groups=relationship,affinity,structure
for data in "${sets[@]}"; do
    thresholds="0.3 0.5 0.7 0.8 0.9 0.95 0.98 0.99 0.995 0.998 0.999 auto"
    mediate "$data" 0 "$thresholds" --input $groups
    mediate "$data" 0 "$thresholds" --input relationship,affinity
    mediate "$data" 0 "$thresholds" --original --input $groups
    mediate "$data" 0 "$thresholds" --original --input relationship,affinity
    for seed in 0 1 2; do
        for options in "" --original --scale --balance --calibrate "--epochs 100 --patience 3" \
            "--epochs 10" "--input relationship,affinity" "--scale --input relationship,affinity" \
            "--input $groups,nearer,farther" "--input $groups,tighter,looser"; do
            # shellcheck disable=SC2086 # options are words
            mediate "$data" $seed auto $options
        done
    done
done
