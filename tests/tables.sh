#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pipelines/tables on a small data set: what the table has, and that it goes on where it was killed.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v xxh64sum >/dev/null || skip_all "no xxh64sum (Debian: xxhash)"
export CDP_BIN
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine
tables=$CDP_SOURCE/pipelines/tables
log="a b/.cdp/log"

fails 2 "expected numbers, not 'x'" "a size that is none" "$tables" --sizes x never
fails 2 "unknown option '--size' .did you mean --sizes" "an unknown option" "$tables" --size 5 never
fails 2 "no data sets: give" "no data sets" "$tables" --sizes none "a b"
fails 1 "nowhere" "no such faces" "$tables" --sizes none --faces nowhere never
[ ! -e never ]
ok $? "and nothing is made then"

# stages: how many have run
stages() {
    { wc -l <"$log" || echo 0; } 2>/dev/null
}

# Killed while stages run, and interrupted as by Ctrl-C; the products that are there then are used.
set -m
for when in 1:KILL 4:KILL 10:INT; do
    lines=${when%:*}
    interruptible "$tables" --sizes 1500 "a b" >out 2>err &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(stages)" -lt "$lines" ]; do
        sleep 0.01
    done
    kill "-${when#*:}" -- -$job
    ok $? "SIG${when#*:} after $lines stages"
    wait $job 2>/dev/null
done
set +m
is "$(find "a b" -name '*.part*')" "" "an interrupt leaves nothing unfinished"
before=$(stages)
"$tables" --sizes 1500 "a b" >out 2>err
is $? 0 "and it goes on"
[ "$before" -lt 32 ] || note "all stages had run before the interrupt"
is "$(grep -c '^tables: 1 of' err)" $((before < 32)) "it tells how many steps are left"
is "$(sed -n 's/^tables: 1 of \([0-9]*\), about [0-9]* s left: .*/\1/p' err)" "$([ "$before" -ge 32 ] || echo $((32 - before)))" \
    "those that are not done, and how long they take"
is "$(cut -f5 "$log" | sort | uniq -d | wc -l),$(stages)" 0,32 "no stage ran twice"
same out "a b/tables.md" "the table is shown"
is "$(find "a b" -name '*.part*' | wc -l)" 0 "nothing unfinished is left"

is "$(head -n 1 "a b/tables.tsv" | tr '\t' ' ')" "data strategy models setting items identities precision recall fscore knn_s \
cluster_s knn_cluster_s train_s memory_mb original_precision original_recall original_fscore original_knn_s original_cluster_s" \
    "the columns"
is "$(awk -F '\t' '{ print NF }' "a b/tables.tsv" | sort -u)" 19 "in each row"
is "$(cut -f1-3,5,6 "a b/tables.tsv" | sed 1d | tr '\t\n' ' ,')" \
    "1500 consensus 1 1500 20,1500 consensus 5 1500 20,1500 vote 1 1500 20,1500 vote 5 1500 20,1500 mediator 5 1500 20,\
1500 mediator 5 1500 20," "six rows"
is "$(cut -f4 "a b/tables.tsv" | sed '1d; s/th[01][.0-9e-]*_auto/auto/' | tr '\n' ' ')" \
    "k15 k15 k15_accept0_th0.70 k15_accept4_th0.66 k15_110_auto k15_111_auto " "the settings"

# By the tools alone: the same figures.
for m in 0 1 2 3 4; do
    for part in synth-1500 synth-1500-others; do
        cdp-knn -k 14 --dim 256 -o $part-$m.cdp "a b/$part/features/m$m.bin"
    done
done
pair_features() {
    local m options=()
    for m in 0 1 2 3 4; do
        options+=(--features "a b/$1/features/m$m.bin")
    done
    cdp-score features "${options[@]}" "$1"-[0-4].cdp
}
pair_features synth-1500-others | cdp-mediate train -q --labels "a b/synth-1500-others/meta.txt" -o model -
figures() {
    cdp-propagate "$@" | cdp-eval --format tsv - "a b/synth-1500/meta.txt" | awk -F '\t' '{ v[$1] = $2 }
        END { p = "pairwise.kept."; printf "%.2f %.2f %.2f\n", v[p "precision"], v[p "recall"], v[p "fscore"] }'
}
features=()
for m in 0 1 2 3 4; do
    features+=(--features "a b/synth-1500/features/m$m.bin")
done
{
    cdp-score consensus -q "${features[@]:0:2}" synth-1500-0.cdp | figures --method map
    cdp-score consensus -q "${features[@]}" synth-1500-[0-4].cdp | figures --method map
    cdp-score vote --threshold 0.7 synth-1500-0.cdp | figures
    cdp-score vote --threshold 0.66 --accept 4 synth-1500-[0-4].cdp | figures
    pair_features synth-1500 | cdp-mediate apply --model model --threshold auto - | figures
} >wanted
awk -F '\t' 'NR > 1 && $4 !~ /_110_/ { print $7, $8, $9 }' "a b/tables.tsv" >got
same got wanted "the figures are those of cdp-eval"
is "$(cdp-mediate show model | awk '$NF == "auto" { print $1 }')" \
    "$(sed -n 's/.*k15_111_th\(.*\)_auto.*/\1/p' "a b/tables.tsv")" "a mediator's threshold is told"

# Times add up: of the lists of all models that a row has, of all between lists and labels, of both.
awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] {
        took[$2, $3] += $4
        if ($2 == "knn" && $3 !~ /^train/)
            knn += $4
        next
    }
    FNR > 1 { if (sprintf("%.2f", $3 == 1 ? took["knn", "m0"] : knn) != $10) exit 1 }
    FNR > 1 { if ($10 + $11 - $12 > 0.011 || $12 - $10 - $11 > 0.011) exit 1 }
    FNR > 1 { if (($2 == "mediator") != ($13 != "-")) exit 1 }' "$log" "a b/tables.tsv"
ok $? "times are those of the log"
if [ -x /usr/bin/time ]; then
    most=$(awk -F '\t' '$2 == "knn" && $3 !~ /^train/ || $2 == "pairs" || $2 == "labels" || $2 == "features" && $3 == "data" {
        if ($6 > most) most = $6 } END { print int(most / 1024 + 0.5) }' "$log")
    is "$(cut -f14 "a b/tables.tsv" | sed 1d | sort -g | tail -n 1)" "$most" "and memory that of the largest process"
fi

is "$(grep -c '^| synthetic, 1500, 20 ids | ' "a b/tables.md")" 6 "as many rows in Markdown"
is "$(grep '^|' "a b/tables.md" | awk -F '|' '{ print NF }' | sort -u)" 16 "of as many columns"

cp "a b/tables.tsv" first.tsv
"$tables" --sizes 1500 "a b" >out 2>err
is "$?,$(grep -c left err),$(stages)" 0,0,32 "a second time nothing runs"
same "a b/tables.tsv" first.tsv "and the table is the same, its times too"

fails 2 "unknown method 'dbscn' .did you mean dbscan" "an unknown baseline" "$tables" --baselines dbscn never
"$tables" --sizes 1500 --baselines knn-dbscan,ward,kmeans "a b" >out 2>err
is "$?,$(stages)" 0,39 "three baselines: one search, labels and metrics of each"
head -n 7 "a b/tables.tsv" >got
same got first.tsv "the other rows stay"
knn=$(awk -F '\t' '$2 == "knn" { seconds = $4 } END { print seconds }' "$log")
cdp-knn -k 80 --method exact --dim 256 -o lists.cdp "a b/synth-1500/features/m0.bin"
{
    cdp-baseline knn-dbscan --knn lists.cdp
    cdp-baseline ward --clusters 20 --dim 256 --knn lists.cdp "a b/synth-1500/features/m0.bin"
    cdp-baseline kmeans --clusters 20 --dim 256 "a b/synth-1500/features/m0.bin"
} | split -l 1500 - labels.
paste <(printf '%s\t1\tdefaults\n' knn-dbscan ward kmeans) <(for labels in labels.*; do
    cdp-eval --format tsv "$labels" "a b/synth-1500/meta.txt" | awk -F '\t' '{ v[$1] = $2 } END { p = "pairwise.kept."
        printf "%.2f\t%.2f\t%.2f\n", v[p "precision"], v[p "recall"], v[p "fscore"] }'
done) <(printf '%s\n' "$knn" "$knn" -) >wanted
tail -n 3 "a b/tables.tsv" | cut -f2-4,7-10 >got
same got wanted "the metrics of their labels; kmeans needs no lists"

# tests/faces.sh has the same votes by the tools.
if [ "$CDP_TEST_SIZE" = long ] && [ -d "${CDP_SHARED:-}/data/lfw" ]; then
    "$tables" --sizes none --faces "$CDP_SHARED/data/lfw" faces >out 2>err
    is "$(awk -F '\t' '$2 == "vote" { print $7, $8, $9 }' faces/tables.tsv | tr '\n' ,)" \
        "87.10 82.57 84.77,94.47 89.41 91.87," "real faces: votes give what the original gives"
    is "$(awk -F '\t' '$2 == "vote" { print $15, $16, $17 }' faces/tables.tsv | tr '\n' ,)" \
        "87.10 82.57 84.77,94.47 89.41 91.87," "which stands beside it"
fi
done_testing
