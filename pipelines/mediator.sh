#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mediator.sh [NAME=VALUE]... >LABELS: what mediator.mk does, without make and without files between the stages: the
# model too comes through a pipe, from the labelled data to the data to be clustered.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH

data=data train_data=train base=m0 committee='m1 m2 m3 m4' dim=256 k=15 threshold=auto seed=0 train_options=
input=relationship,affinity,structure
max_size=600 step=0.05 max_iter=100 forced_stop=split
for setting; do
    declare "$setting"
done

# Lists of all models at once, of the data and of what is learned from.
read -ra models <<<"$base $committee"
threads=$(($(nproc) / ${#models[@]} / 2))

# knowledge FOLDER: what the models know of each pair
knowledge() {
    local model pipe features=() lists=()
    for model in "${models[@]}"; do
        exec {pipe}< <(cdp-knn -t $((threads > 0 ? threads : 1)) -k $((k - 1)) --dim "$dim" "$1/features/$model.bin")
        lists+=("/dev/fd/$pipe")
        features+=(--features "$1/features/$model.bin")
    done
    cdp-score features "${features[@]}" "${lists[@]}"
}
learn() {
    # shellcheck disable=SC2086 # they are words
    knowledge "$train_data" |
        cdp-mediate train --labels "$train_data/meta.txt" --input "$input" --seed "$seed" $train_options -
}

knowledge "$data" |
    cdp-mediate apply --model <(learn) --threshold "$threshold" - |
    cdp-propagate --max-size "$max_size" --step "$step" --max-iter "$max_iter" --forced-stop "$forced_stop"
