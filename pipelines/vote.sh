#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vote.sh [NAME=VALUE]... >LABELS: prints the labels of vote.mk, without make or intermediate files. Each model's
# neighbour lists go through a pipe.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH
# shellcheck source=pipelines/settings
. "$(dirname -- "$0")/settings"
settings "$@" <<'end'
data text data
base name m0
committee names m1 m2 m3 m4
k count:2:65536 15
accept count:0:65535 4
threshold real:-1:1 0.66
max_size count:1:4000000000 600
step real:0:1 0.05
max_iter count:0:1000000 100
forced_stop word:split:merge split
end
if [ "${the[accept]}" -ge ${#models[@]} ]; then
    echo "accept: ${the[accept]}, but the committee has $((${#models[@]} - 1)) members" >&2
    exit 2
fi

# All searches run at once and share the processors.
threads=$(($(nproc) / ${#models[@]}))
lists=()
for model in "${models[@]}"; do
    exec {pipe}< <(knn $((threads > 0 ? threads : 1)) "${the[data]}" "$model")
    lists+=("/dev/fd/$pipe")
done

cdp-score vote --accept "${the[accept]}" --threshold "${the[threshold]}" "${lists[@]}" | propagate
