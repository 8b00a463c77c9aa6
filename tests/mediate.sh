#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The mediator: trained on one set of identities, applied to another; what bad input gets.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# features FOLDER MODELS [OPTION]...: pair features of a folder of cdp-synth, on standard output
features() {
    local folder=$1 models=$2 m files=() lists=()
    shift 2
    for ((m = 0; m < models; m++)); do
        [ -e "$folder/m$m.cdp" ] || cdp-knn -k 14 --dim 32 -o "$folder/m$m.cdp" "$folder/features/m$m.bin"
        files+=(--features "$folder/features/m$m.bin")
        lists+=("$folder/m$m.cdp")
    done
    cdp-score features "$@" "${files[@]}" "${lists[@]}"
}
# score LABELS META: pairwise F
score() {
    cdp-eval --format tsv "$1" "$2" | awk -F'\t' '$1 == "pairwise.kept.fscore" { print $2 }'
}
more() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'
}

cdp-synth --items 4000 --identities 120 --dim 32 --models 3 --seed 1 known
cdp-synth --items 3000 --identities 90 --dim 32 --models 3 --seed 2 new
features known 3 >known.cdp
features new 3 >new.cdp
learn() {
    cdp-mediate train -q --labels known/meta.txt "$@"
}
for threads in 1 2 8; do
    learn -t $threads known.cdp >model$threads
    same model$threads model1 "the same model with $threads threads"
done
CDP_ISA=plain learn known.cdp >by-plain
same by-plain model1 "and by plain instructions"
learn - <known.cdp | cmp -s - model1
ok $? "and from a pipe"
learn --seed 1 known.cdp | cmp -s - model1
[ $? -eq 1 ]
ok $? "another one by another seed"
for option in --scale --balance --calibrate --original "--patience 3" "--epochs 3" "--rate 0.02" \
    "--input relationship,affinity" "--holdout 0.3"; do
    # shellcheck disable=SC2086
    learn $option known.cdp >other
    cmp -s other model1
    [ $? -eq 1 ]
    ok $? "and by $option"
done
cdp-mediate train --labels known/meta.txt known.cdp 2>points >model
same model model1 "the operating points go to standard error"
is "$(head -n 1 points)" "threshold  precision  recall    kept items' precision items' recall         F" "with its columns"
cdp-mediate show model >shown
is "$(sed -n '/^threshold/,$p' shown)" "$(cat points)" "cdp-mediate show prints them too"
grep -q '^cdp-mediate train .*--rate=0.01 .*--seed=0' shown && grep -q '^network	8 inputs, 24 and 24' shown &&
    grep -qE '^affinity2 +0\.[0-9]+ +0\.[0-9]+$' shown && grep -q '^k	14$' shown
ok $? "and the options, the network, the inputs, k"

# which pairs are kept
cdp-mediate apply --model model --threshold 0 new.cdp | cdp-view --to tsv - >all.tsv
is "$(wc -l <all.tsv)" "$(cdp-view --to tsv new.cdp | wc -l)" "threshold 0 keeps all"
cdp-mediate apply --model model --threshold 0.9 new.cdp | cdp-view --to tsv - >got.tsv
awk '$3 > 0.9' all.tsv >wanted.tsv
same got.tsv wanted.tsv "and 0.9 those above it"
middle=$(sed -n 5000p all.tsv | cut -f3)
cdp-mediate apply --model model --threshold "$middle" new.cdp | cdp-view --to tsv - | cut -f3 |
    grep -qx "$middle"
[ $? -eq 1 ]
ok $? "a pair at the threshold is not above it"
for threads in 1 2 8; do
    cdp-mediate apply -t $threads --model model --threshold auto new.cdp >pairs$threads.cdp
    same pairs$threads.cdp pairs1.cdp "same pairs with $threads threads"
done
auto=$(awk '/^[0-9].*auto$/ { print $1 }' shown)
cdp-mediate apply --model model --threshold "$auto" new.cdp | cdp-view --to tsv - >got.tsv
cdp-view --to tsv pairs1.cdp | cmp -s - got.tsv
ok $? "auto is $auto, as shown"

# F of the points is that of the clusters of all labelled pairs; auto has the highest
while read -r t _ _ _ _ _ f _; do
    cdp-mediate apply -q --model model --threshold "$t" known.cdp | cdp-propagate -q >labels
    score labels known/meta.txt | awk -v f="$f" -v t="$t" -v auto="$auto" '
        { if ($1 == "nan") $1 = 0; d = 100 * f - $1 } d > 0.006 || d < -0.006 { print t, f, $1 }'
done < <(grep '^[0-9]' points) >bad
is "$(cat bad)" "" "F at each point is that of the clusters"
is "$(awk '/^[0-9]/ { if ($7 > best) { best = $7; at = $1 } } END { print at }' points)" "$auto" "auto is the point of the highest"
awk 'NR % 7 == 3 { $0 = "-1" } { print }' known/meta.txt >some.txt
cdp-mediate train --epochs 1 --labels some.txt known.cdp 2>err >some.model
read -r t _ _ _ _ _ f _ < <(grep '^[0-9].*auto$' err)
cdp-mediate apply -q --model some.model --threshold "$t" known.cdp | cdp-view --to tsv - |
    awk 'NR == FNR { unknown[NR - 1] = $1 == -1; next } !unknown[$1] && !unknown[$2]' some.txt - |
    cdp-propagate -q --nodes 4000 - >labels
is "$(score labels some.txt | awk '{ printf "%.2f", $1 / 100 }')" "$(printf %.2f "$f")" "items of unknown label do not count"
precise=$(awk '/^threshold/ { on = 1; next } on && $2 >= 0.995 { print $1; exit }' shown)
cdp-mediate apply -v --model model --precision 0.995 new.cdp 2>err >out
chosen=$(sed -n 's/.*threshold //p' err)
awk -v a="$chosen" -v b="$precise" 'BEGIN { exit !(a > 0 && a <= b) }'
ok $? "precision 0.995 takes threshold $chosen, no higher than the $precise that is shown"
cdp-view --header pairs1.cdp | grep -q "model: digest $(awk '/^digest/ { print $2 }' shown)"
ok $? "the pairs tell by which model"

# what it is good for
cdp-propagate -q pairs1.cdp >labels
mediated=$(score labels new/meta.txt)
best=0
for threshold in 0.5 0.55 0.6 0.65 0.7 0.75 0.8; do
    cdp-score vote --accept 2 --threshold $threshold new/m0.cdp new/m1.cdp new/m2.cdp |
        cdp-propagate -q >labels
    f=$(score labels new/meta.txt)
    more "$f" "$best" && best=$f
done
more "$mediated" "$best"
ok $? "pairwise F $mediated, better than the best vote's $best"

# extra features
features known 3 --extra >extra.cdp
cdp-view --header extra.cdp | grep '^columns' | grep -q 'structure2 nearer0 nearer1 nearer2 farther0 .* tighter0 .* looser2$'
ok $? "extra features have columns of their own"
cdp-view --to tsv extra.cdp | awk -F'\t' '$11 < $14 || $17 > $20 || $11 > 1 || $14 < 0 || $17 <= 0 { bad = 1 }
    $8 != "" && $11 == 1 { first = 1 } END { exit bad || !first }'
ok $? "the nearer rank before the farther, the tighter list before the looser"
passes "a model of them" learn --input relationship,affinity,nearer,farther -o extra.model extra.cdp
fails 1 "new.cdp: its columns are .* structure2, but the model was trained on .* looser2$" \
    "features of another schema" cdp-mediate apply --model extra.model new.cdp
fails 1 "no column of group 'nearer'; there are relationship1 " "a group that is not there" \
    learn --input nearer known.cdp

# features in parts, laid end to end
for part in :1000 1000:2500 2500:; do features new 3 --rows $part; done >parts.cdp
for by in auto 0.9; do
    is "$(cdp-mediate apply --model model --threshold $by parts.cdp | cdp-view --digest -)" \
        "$(cdp-mediate apply --model model --threshold $by new.cdp | cdp-view --digest -)" \
        "features in parts give the same pairs, threshold $by"
done

# names
seq 4000 | sed 's/^/face /' >names.txt
for m in 0 1 2; do
    cdp-view --to npz -o bare.npz known/m$m.cdp
    cdp-view --from npz --ids names.txt -o known/named$m.cdp bare.npz
    files[m]=known/features/m$m.bin
done
cdp-score features --features "${files[0]}" --features "${files[1]}" --features "${files[2]}" \
    known/named[0-2].cdp >named.cdp
{ printf 'a stranger\t1\n'; paste names.txt known/meta.txt; } | tac >named.txt
cdp-mediate train -q --epochs 1 --labels named.txt named.cdp >named.model
learn --epochs 1 known.cdp >bare.model
for model in named bare; do
    cdp-mediate show $model.model | sed '/^digest/d; /^features: /d; /^ /d' >$model.shown
done
same named.shown bare.shown "labels by name, in any order, with others too: the same model"
cdp-mediate apply --model named.model --threshold auto named.cdp >named.pairs
cdp-mediate apply --model named.model --threshold auto known.cdp | cdp-view --to npz -o bare.npz -
cdp-view --from npz --ids names.txt -o wanted.pairs bare.npz
is "$(cdp-view --digest named.pairs)" "$(cdp-view --digest wanted.pairs)" \
    "the pairs have the names, and the model applies to any"
fails 1 'known/meta.txt: the items have names: expected NAME' "labels without names" \
    cdp-mediate train -q -o never --labels known/meta.txt named.cdp
fails 1 'named.txt: its lines have names, but the items have none' "names without named items" \
    cdp-mediate train -q -o never --labels named.txt known.cdp
sed 's/^/another /' named.txt >others.txt
fails 1 'others.txt: no true label for any of the 4000 items' "names of other items" \
    cdp-mediate train -q -o never --labels others.txt named.cdp

# items of unknown identity: their pairs are left out
# without LABELS: those labels with -1 for every seventh item
without() { awk 'NR % 7 == 3 { $0 = "-1" } { print }' "$1"; }
without known/meta.txt >unknown.txt
cdp-mediate train --epochs 1 --labels unknown.txt known.cdp 2>err >other
grep -q 'unknown.txt: no true label for 572 of 4000 items: left out$' err
ok $? "items of label -1 are counted"
cdp-view --to tsv known.cdp | awk '$1 % 7 != 2 && $2 % 7 != 2 { n++ } END { print n }' >wanted
is "$(cdp-mediate show other | sed -n 's/^trained: \([0-9]*\) pairs, \([0-9]*\) held out.*/\1 \2/p' | awk '{ print $1 + $2 }')" \
    "$(cat wanted)" "and their pairs are left out"
paste names.txt known/meta.txt | awk 'NR % 7 != 3' | tac >fewer.txt
cdp-mediate train -q --epochs 1 --labels fewer.txt named.cdp >fewer
is "$(cdp-mediate show fewer | sed -n 's/^trained: \([0-9]*\) pairs, \([0-9]*\) held out.*/\1 \2/p' | awk '{ print $1 + $2 }')" \
    "$(cat wanted)" "and those of names without a label"

# warnings
cdp-mediate apply --model model --threshold 0.9999999 new.cdp 2>err >out
grep -qE 'only [0-9.e-]+ % of [0-9]+ pairs are kept at threshold 0.9999999: --threshold auto would take' err
ok $? "next to nothing kept: a better threshold is named"
passes "but not with -q" cdp-mediate apply -q --model model --threshold 0.9999999 new.cdp
for m in 0 1 2; do cdp-knn -k 5 --dim 32 -o new/k5m$m.cdp new/features/m$m.bin; done
cdp-score features --features new/features/m0.bin --features new/features/m1.bin \
    --features new/features/m2.bin new/k5m[0-2].cdp >k5.cdp
cdp-mediate apply --model model --threshold auto k5.cdp 2>&1 >out | grep -q 'lists of k = 5, but the model learned from k = 14'
ok $? "lists of another k"

# wrong usage
fails 2 '--labels is missing' "training without labels" cdp-mediate train known.cdp
fails 2 '--model is missing' "applying no model" cdp-mediate apply new.cdp
fails 2 "--threshold must be auto or a number from 0 to 1, not '2'" "a threshold that is none" \
    cdp-mediate apply --model model --threshold 2 new.cdp
fails 2 '--precision and --threshold exclude each other' "both ways to choose" \
    cdp-mediate apply --model model --threshold auto --precision 0.9 new.cdp
fails 2 '--patience and --calibrate want something held out' "patience with nothing held out" \
    learn --holdout 0 --patience 2 known.cdp

# bad input
head -n 3999 known/meta.txt >short.txt
fails 1 'short.txt: 3999 labels, but known.cdp has 4000 nodes' "a label is missing" \
    cdp-mediate train -q --labels short.txt known.cdp
sed '7s/.*//' known/meta.txt >hole.txt
fails 1 'hole.txt: line 7 is empty' "a label is empty" cdp-mediate train -q --labels hole.txt known.cdp
yes 1 | head -n 4000 >one.txt
fails 1 'known.cdp: no pair of two identities among the [0-9]+ to learn from' "one identity only" \
    cdp-mediate train -q --labels one.txt --holdout 0 known.cdp
seq 4000 >all.txt
fails 1 'known.cdp: no pair of one identity among the [0-9]+ to learn from' "no identity twice" \
    cdp-mediate train -q -o never --labels all.txt known.cdp
fails 1 'known.cdp: no pair of two identities among the 0 held out' "nothing to check by" \
    learn -o never --holdout 0.000001 known.cdp
fails 1 'known.cdp: the loss is -?(nan|inf) in epoch 1, batch [0-9]+: scale the inputs, or learn at a lower rate than 1e\+08' \
    "a loss that is not finite" learn -o never --rate 1e8 known.cdp
[ ! -e never ]
ok $? "and no model is left"
learn --holdout 0 known.cdp >blind
fails 1 "blind: nothing was held out when it was trained" "auto without operating points" \
    cdp-mediate apply --model blind --threshold auto new.cdp
passes "but a threshold will do" cdp-mediate apply --model blind --threshold 0.9 new.cdp
{ tail -n +2 known/meta.txt; head -n 1 known/meta.txt; } >shifted.txt
cdp-mediate train -q --labels shifted.txt known.cdp >confused
fails 1 'confused: no threshold has held-out precision 1;' "more precision than there is" \
    cdp-mediate apply --model confused --precision 1 new.cdp
head -c 900 model >short
fails 1 'short: 900 bytes, but the model has [0-9]+: it is damaged' "a model that is cut" \
    cdp-mediate apply --model short new.cdp
fails 1 'known.cdp: no model of cdp-mediate train' "a model that is none" \
    cdp-mediate show known.cdp
fails 1 'known/m0.cdp: a knn stream; cdp-mediate reads features streams' "a stream of another type" \
    cdp-mediate apply --model model known/m0.cdp
head -c 5000 new.cdp >cut.cdp
fails 1 'cut.cdp: block 0' "features that are cut" cdp-mediate apply -o never --model model cut.cdp
zstd -q model -o model.zst 2>err && cdp-mediate apply --model model.zst --threshold auto new.cdp | cmp -s - pairs1.cdp
ok $? "a compressed model"

# real faces: better than every vote of the same committee (91.87, see faces.sh)
faces=${CDP_SHARED:-}/data/lfw
if [ -d "$faces" ]; then
    for part in labeled unlabeled; do
        arguments=()
        lists=()
        for model in mobileface256 dlib128 barel128 mobilefacenet128 faceplugin512; do
            cdp-knn -k 14 --dim "${model##*[a-z]}" -o $part.$model.cdp "$faces/$part/features/$model.bin"
            arguments+=(--features "$faces/$part/features/$model.bin")
            lists+=("$part.$model.cdp")
        done
        cdp-score features -o $part.cdp "${arguments[@]}" "${lists[@]}"
    done
    for input in relationship,affinity,structure relationship,affinity; do
        cdp-mediate train -q --input $input --labels "$faces/labeled/meta.txt" labeled.cdp >faces.model
        cdp-mediate apply --model faces.model --threshold auto unlabeled.cdp | cdp-propagate -q >labels
        f=$(score labels "$faces/unlabeled/meta.txt")
        more "$f" 95
        ok $? "real faces, $input: pairwise F $f at the threshold that the model proposes"
    done
fi

done_testing
