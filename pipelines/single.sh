#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# single.sh [NAME=VALUE]... >LABELS: what single.mk does, as one pipe: no make, and no file between the stages.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH

data=data base=m0 dim=256 k=15 threshold=0.70 max_size=600 step=0.05 max_iter=100 forced_stop=split
for setting; do
    declare "$setting"
done

cdp-knn -k $((k - 1)) --dim "$dim" "$data/features/$base.bin" |
    cdp-score vote --threshold "$threshold" - |
    cdp-propagate --max-size "$max_size" --step "$step" --max-iter "$max_iter" --forced-stop "$forced_stop"
