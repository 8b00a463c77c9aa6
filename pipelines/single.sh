#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# single.sh [NAME=VALUE]... >LABELS: prints the labels of single.mk, from one pipe without make or intermediate files.
set -euo pipefail
export LC_ALL=C
[ -z "${CDP_BIN:-}" ] || PATH=$CDP_BIN:$PATH
# shellcheck source=pipelines/settings
. "$(dirname -- "$0")/settings"
settings "$@" <<'end'
data text data
base name m0
k count:2:65536 15
threshold real:-1:1 0.70
max_size count:1:4000000000 600
step real:0:1 0.05
max_iter count:0:1000000 100
forced_stop word:split:merge split
end

knn 0 "${the[data]}" "${the[base]}" |
    cdp-score vote --threshold "${the[threshold]}" - |
    propagate
