#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vote.sh [NAME=VALUE]... >LABELS: what vote.mk does, without make and without files between the stages: the
# neighbours of each model go through a pipe of their own.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH

data=data base=m0 committee='m1 m2 m3 m4' dim=256 k=15 accept=4 threshold=0.66
max_size=600 step=0.05 max_iter=100 forced_stop=split
for setting; do
    declare "$setting"
done

# All models are searched at once: each has its share of the processors.
read -ra models <<<"$base $committee"
threads=$(($(nproc) / ${#models[@]}))
lists=()
for model in "${models[@]}"; do
    exec {pipe}< <(cdp-knn -t $((threads > 0 ? threads : 1)) -k $((k - 1)) --dim "$dim" "$data/features/$model.bin")
    lists+=("/dev/fd/$pipe")
done

cdp-score vote --accept "$accept" --threshold "$threshold" "${lists[@]}" |
    cdp-propagate --max-size "$max_size" --step "$step" --max-iter "$max_iter" --forced-stop "$forced_stop"
