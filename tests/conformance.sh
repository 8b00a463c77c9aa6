#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The original's outputs on its inputs, exactly: each case from text and from a stream; some of them (test-long: all)
# from the other inputs.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
cases=${CDP_SHARED:-}/conformance
[ -d "$cases" ] || skip_all "no conformance files"

case=0
while IFS=$'\t' read -r name nodes _ max_size step max_iter _ _; do
    [ "$name" = case ] && continue
    cdp-propagate -q --nodes "$nodes" --max-size "$max_size" --step "$step" \
        --max-iter "$max_iter" --forced-stop merge "$cases/propagate/$name.tsv" >got
    cmp -s got "$cases/propagate/$name.labels.txt"
    status=$?
    cdp-view --from tsv --nodes "$nodes" "$cases/propagate/$name.tsv" |
        cdp-propagate -q --max-size "$max_size" --step "$step" --max-iter "$max_iter" \
            --forced-stop merge | cmp -s - got
    ok $((status + $?)) "propagation $name, from text and from a stream"

    # the other inputs: names, arrays, matrices, forests of seven random parts
    case=$((case + 1))
    [ $((case % $(size 12 4 1))) -eq 0 ] || continue
    plan=(-q --max-size "$max_size" --step "$step" --max-iter "$max_iter" --forced-stop merge)
    pairs=$cases/propagate/$name.tsv
    grep -v '^#' "$pairs" >bare.tsv
    seq 0 $((nodes - 1)) | sed 's/.*/item no. &/' >names
    awk -v OFS='\t' '{ print "item no. " $1, "item no. " $2, $3 }' bare.tsv >named.tsv
    cdp-view --from tsv --ids names named.tsv | cdp-propagate --ids names "${plan[@]}" |
        cut -f2 | cmp -s - "$cases/propagate/$name.labels.txt"
    ok $? "propagation $name, from names"
    cdp-view --from tsv --nodes "$nodes" "$pairs" >pairs.cdp
    for format in npz mtx; do
        cdp-view --to $format pairs.cdp >pairs.$format
        cdp-view --from $format --nodes "$nodes" pairs.$format | cdp-propagate "${plan[@]}" |
            cmp -s - "$cases/propagate/$name.labels.txt"
        ok $? "propagation $name, from $format"
    done
    cdp-view --from npy --nodes "$nodes" pairs.npz:pairs.npy pairs.npz:scores.npy |
        cdp-propagate "${plan[@]}" | cmp -s - "$cases/propagate/$name.labels.txt"
    ok $? "propagation $name, from npy"
    rm -f part.*
    sort -R bare.tsv | split -n r/7 - part.
    for part in part.??; do cdp-forest --nodes "$nodes" "$part" >"$part.cdp"; done
    cdp-forest part.*.cdp | cdp-propagate "${plan[@]}" |
        cmp -s - "$cases/propagate/$name.labels.txt"
    ok $? "propagation $name, from the forests of seven random parts"
done <"$cases/propagate/cases.tsv"

committee=$cases/committee
for m in 0 1 2 3; do
    cdp-view --from npz "$committee/m${m}_k15.npz" >npz$m.cdp
    cdp-knn -k 14 --dim 32 "$committee/m$m.bin" >bin$m.cdp
done
while IFS=$'\t' read -r name accept threshold pairs accuracy removed_p removed_r removed_f kept_p \
    kept_r kept_f items clusters discard; do
    [ "$name" = case ] && continue
    for door in npz bin; do
        members=("$door"1.cdp "$door"2.cdp "$door"3.cdp)
        [ "$accept" -gt 0 ] || members=()
        cdp-score vote --accept "$accept" --threshold "$threshold" $door"0.cdp" "${members[@]}" \
            >pairs.cdp
        cdp-view --to tsv pairs.cdp >got.tsv
        same got.tsv "$committee/$name.pairs.tsv" "$name from $door: pairs"
        cdp-propagate --max-size 40 --step 0.05 pairs.cdp >labels
        same labels "$committee/$name.labels.txt" "$name from $door: labels"
    done
    got=$({ cdp-eval pairs --format tsv pairs.cdp "$committee/meta.txt"
            cdp-eval --format tsv labels "$committee/meta.txt"; } | awk -F'\t' '{ v[$1] = $2 } END {
        p = "pairwise.removed."; k = "pairwise.kept."
        printf "%d %.6f %.6f %.6f %.6f %.6f %.6f %.6f %d %d %.6f", v["pairs"], v["pair_accuracy"],
            v[p "precision"], v[p "recall"], v[p "fscore"], v[k "precision"], v[k "recall"],
            v[k "fscore"], v["items_kept"], v["clusters"], v["discard_ratio"] }')
    is "$got" "$pairs $accuracy $removed_p $removed_r $removed_f $kept_p $kept_r $kept_f $items \
$clusters $discard" "$name: evaluation"
done <"$committee/eval.tsv"

# what a mediator judges by: counts exactly, cosines to 1e-5
for door in npz bin; do
    cdp-score features --features "$committee/m0.bin" --features "$committee/m1.bin" \
        --features "$committee/m2.bin" --features "$committee/m3.bin" \
        "$door"0.cdp "$door"1.cdp "$door"2.cdp "$door"3.cdp | cdp-view --to tsv - >got.tsv
    sed 1d "$committee/pair_features.tsv" | paste got.tsv - | awk -F'\t' '
        NF != 27 { bad = 1 }
        { for (c = 1; c <= 13; c++) { d = $c - $(c + 13); if (d < 0) d = -d
              if (d > (c >= 6 && c <= 9 ? 1e-5 : 0)) bad = 1 } }
        END { exit bad || NR == 0 }'
    ok $? "pair features, lists from $door"
done

done_testing
