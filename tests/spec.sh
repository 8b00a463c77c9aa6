#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp-stream(5) is complete: a reader and a writer made from the page alone agree with the tools, digests included.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
stream() {
    python3 "$CDP_SOURCE/tests/reference/stream.py" "$@"
}
tiny=$CDP_SOURCE/data/labeled/tiny/features

cdp-knn -k 14 --dim 48 -o knn.cdp "$tiny/m0.bin"
cdp-knn -k 14 --dim 48 -o other.cdp "$tiny/m1.bin"
cdp-knn -k 9 --metric l2 --dim 48 --rows 100:200 -o part.cdp "$tiny/m2.bin"
cdp-knn -k 9 --metric l2 --dim 48 --rows 200:300 "$tiny/m2.bin" | cat part.cdp - >parts.cdp
cdp-score vote -o pairs.cdp knn.cdp
cdp-score vote --scale 1.25 -o scaled.cdp part.cdp
cdp-score features --features "$tiny/m0.bin" --features "$tiny/m1.bin" -o features.cdp knn.cdp other.cdp
printf 'a\xc3\xa4,b,0.5\nb,"c, d",0.25\n' | cdp-view --from csv -o named.cdp -
cdp-view --from tsv --nodes 7 -o empty.cdp <(echo)
awk 'BEGIN { for (e = 0; e < 66000; e++) print int(e / 40) "\t" 2000 + e % 40 "\t" 0.5 + e % 100 / 256 }' |
    cdp-view --from tsv -o blocks.cdp -
for name in knn part parts pairs scaled features named empty blocks; do
    stream read $name.cdp >got
    { cdp-view --digest $name.cdp && cdp-view --to tsv $name.cdp; } | cmp -s - got
    ok $? "$name: the same edges and digest"
done

# writes VERSION NAME TYPE METRIC K NODES COLUMNS
writes() {
    cdp-view --to tsv "$2.cdp" | stream write "$1" "${@:3}" >written.cdp
    is "$(cdp-view --digest written.cdp 2>&1)" "$(cdp-view --digest "$2.cdp")" "$2: written as version $1"
}
for version in 1 2; do
    writes $version knn 1 1 14 440 distance
    writes $version pairs 2 0 0 440 score
    writes $version features 3 0 14 440 relationship1,affinity0,affinity1,structure0,structure1
    writes $version blocks 2 0 0 2040 score
    writes $version empty 2 0 0 7 score
done

done_testing
