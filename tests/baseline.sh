#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-baseline: each method against files of known answers, naive programs of its own, and hostile data.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
known=${CDP_SHARED:-none}/conformance/baselines

# first_seen <LABELS: labels renumbered by first appearance, -1 kept
first_seen() {
    awk '$1 < 0 { print -1; next } !($1 in number) { number[$1] = count++ } { print number[$1] + 0 }'
}

# near GOT WANTED: both have as many numbers, equal to 1e-6 relative or 1e-7 absolute
near() {
    [ "$(wc -l <"$1")" -eq "$(wc -l <"$2")" ] && paste "$1" "$2" | awk '
        { apart = $1 - $2; apart = apart < 0 ? -apart : apart; size = $2 < 0 ? -$2 : $2
          wrong += !(apart <= 1e-7 || apart <= 1e-6 * size) }
        END { exit wrong > 0 }'
}

# rows METHOD: the rows of the index of a method, without those of a bound. A row's name is the method's with an ending.
rows() {
    awk -F'\t' -v method="$1" '$4 == "exact" && ($2 == method || index($2, method "-") == 1)' \
        "$known/index.tsv"
}

# dim DATA: numbers of a row
dim() { awk -F'\t' -v data="$1" '$1 == data { print $3 }' "$known/data.tsv"; }

# conforms METHOD [tree]: the exact rows of a method; with `tree` the heights of --tree too
conforms() {
    local data name options labels heights
    if [ ! -f "$known/index.tsv" ]; then
        skip "$1: known answers" "no $known"
        return
    fi
    while IFS=$'\t' read -r data name options _ labels heights _; do
        # shellcheck disable=SC2086 # options are words
        (cd "$known" && cdp-baseline "$1" $options --dim "$(dim "$data")" "$data/features.bin") >labels 2>err
        same <(first_seen <labels) <(first_seen <"$known/$labels") "$data: $name $options"
        sed 's/^/# /' err
        [ "${2-}" = tree ] || continue
        # shellcheck disable=SC2086
        (cd "$known" && cdp-baseline "$1" $options --tree --dim "$(dim "$data")" "$data/features.bin") |
            cut -f3 >heights
        near heights "$known/$heights"
        ok $? "$data: $name: heights"
    done < <(rows "$1")
}

conforms knn-dbscan
conforms rank-order

done_testing
