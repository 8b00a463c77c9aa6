#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mediator.sh [NAME=VALUE]... >LABELS: prints the labels of mediator.mk, without make or intermediate files. The trained
# model also goes through a pipe.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH
# shellcheck source=pipelines/settings
. "$(dirname -- "$0")/settings"
settings "$@" <<'end'
data text data
train_data text train
base name m0
committee names m1 m2 m3 m4
k count:2:65536 15
threshold real:0:1:auto auto
seed count:0:1e15 0
train_options names
input word:111:110:101:011:100:010:001 111
max_size count:1:4000000000 600
step real:0:1 0.05
max_iter count:0:1000000 100
forced_stop word:split:merge split
end
# --help makes cdp-mediate check the options and nothing else.
# shellcheck disable=SC2086 # options are words
cdp-mediate train ${the[train_options]} --help >/dev/null || exit 2
groups=
for group in 0:relationship 1:affinity 2:structure; do
    [ "${the[input]:${group%:*}:1}" = 0 ] || groups+=${groups:+,}${group#*:}
done

# All searches, of both data sets, run at once and share the processors.
threads=$(($(nproc) / ${#models[@]} / 2))

# pair_features FOLDER: prints the pair features of a data set
pair_features() {
    local model pipe features=() lists=()
    for model in "${models[@]}"; do
        exec {pipe}< <(knn $((threads > 0 ? threads : 1)) "$1" "$model")
        lists+=("/dev/fd/$pipe")
        features+=(--features "$1/features/$model.bin")
    done
    cdp-score features "${features[@]}" "${lists[@]}"
}
train() {
    # shellcheck disable=SC2086 # options are words
    pair_features "${the[train_data]}" |
        cdp-mediate train --labels "${the[train_data]}/meta.txt" --input "$groups" --seed "${the[seed]}" \
            ${the[train_options]} -
}

pair_features "${the[data]}" |
    cdp-mediate apply --model <(train) --threshold "${the[threshold]}" - |
    propagate
