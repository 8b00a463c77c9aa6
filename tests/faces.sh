#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Real faces: the original's figures for one model and for a committee, from one shell pipe.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
faces=${CDP_SHARED:-}/data/lfw/unlabeled
[ -d "$faces" ] || skip_all "no face features"

for model in dlib128 barel128 mobilefacenet128 faceplugin512; do
    cdp-knn -k 14 --dim "${model##*[a-z]}" -o $model.cdp "$faces/features/$model.bin"
done
# case: accept, threshold, pairs, then P R F kept, P R F removed, BCubed F kept, clusters, discarded
while read -r accept threshold pairs wanted; do
    members=(dlib128.cdp barel128.cdp mobilefacenet128.cdp faceplugin512.cdp)
    [ "$accept" -gt 0 ] || members=()
    got=$(cdp-knn -k 14 --dim 256 "$faces/features/mobileface256.bin" |
        cdp-score vote --accept "$accept" --threshold "$threshold" - "${members[@]}" |
        tee pairs.cdp | cdp-propagate | cdp-eval --format tsv - "$faces/meta.txt" |
        awk -F'\t' '{ v[$1] = $2 } END { p = "pairwise.removed."; k = "pairwise.kept."
            printf "%.2f %.2f %.2f %.2f %.2f %.2f %.2f %d %.3f", v[k "precision"], v[k "recall"],
                v[k "fscore"], v[p "precision"], v[p "recall"], v[p "fscore"],
                v["bcubed.kept.fscore"], v["clusters"], v["discard_ratio"] }')
    is "$got" "$wanted" "accept $accept, threshold $threshold: the original's figures"
    is "$(cdp-eval pairs --format tsv pairs.cdp "$faces/meta.txt" | head -n 1)" \
        "$(printf 'pairs\t%s' "$pairs")" "and its $pairs pairs"
done <<'END'
0 0.52 11254 87.10 82.57 84.77 87.10 97.07 91.81 87.12 606 0.507
2 0.50 10290 95.84 84.78 89.97 95.84 98.13 96.97 89.23 624 0.488
3 0.46 10512 94.47 89.41 91.87 94.47 99.28 96.81 91.14 686 0.440
4 0.42 8903 95.47 86.27 90.64 95.47 98.90 97.15 92.41 725 0.422
END

# The stream is smaller than the same table as int32 and float32 under zstd -3, in either layout.
for model in dlib128 faceplugin512; do
    cdp-view --to tsv $model.cdp >table.tsv
    size=$(wc -c <$model.cdp)
    arrays=$({ perl -ane 'print pack("V", $F[1])' table.tsv
               perl -ane 'print pack("f<", $F[2])' table.tsv; } | zstd -3 -c | wc -c)
    records=$(perl -ane 'print pack("Vf<", $F[1], $F[2])' table.tsv | zstd -3 -c | wc -c)
    [ "$size" -lt "$arrays" ] && [ "$size" -lt "$records" ]
    ok $? "the stream of $model has $size bytes, the table $arrays (arrays) or $records (records)"
done

done_testing
