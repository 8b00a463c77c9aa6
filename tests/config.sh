#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pipelines/run and cdp-config: the original's configurations run unchanged, with the labels of the shell's pipes;
# and whatever is wrong with one is told, all of it, before any work. ITEMS=20000 DIM=256 for a larger set.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v xxh64sum >/dev/null || skip_all "no xxh64sum (Debian: xxhash)"
export CDP_BIN
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine
pipelines=$CDP_SOURCE/pipelines
items=${ITEMS:-900} dim=${DIM:-16}

# The layout of the original.
mkdir -p data/unlabeled data/labeled experiments/{emore_u200k_single,emore_u200k_cmt4}
cdp-synth --items "$items" --dim "$dim" data/unlabeled/emore_u200k
cdp-synth --items "$items" --dim "$dim" --seed 2 data/labeled/emore_l200k
for folder in data/*/*/features; do
    for pair in m0:nas m1:resnet50 m2:resnet101 m3:densenet121 m4:ir; do
        mv "$folder/${pair%:*}.bin" "$folder/${pair#*:}.bin"
    done
done
single=experiments/emore_u200k_single/config.yaml
cmt4=experiments/emore_u200k_cmt4/config.yaml
cat >$single <<end
# one model
base: "nas"
committee: []  # nobody
data_name: "emore_u200k"
feat_dim: $dim

k: 15
strategy: vote # or mediator
vote:
    accept_num: 0
    threshold: 0.66
propagation:
    max_sz: 600
    step: 0.05
    max_iter: 100

evaluation: True
end
cat >$cmt4 <<end
base: "nas"
committee: ['resnet50', 'resnet101', 'densenet121', 'ir']
data_name: "unlabeled/emore_u200k"
feat_dim: $dim
k: 15
strategy: vote
vote:
    accept_num: 4
    threshold: 0.605
mediator:
    force_retrain: False
    gpus: '0'
    train_data_name: "emore_l200k"
    threshold: 0.9915
    input: ['relationship', 'affinity', 'structure']
propagation:
    max_sz: 600
    step: 0.05
    max_iter: 100
evaluation: True
end
all=(data=data/unlabeled/emore_u200k dim="$dim" base=nas forced_stop=merge)
members="resnet50 resnet101 densenet121 ir"

# as OUTPUT NAME COMMAND...: the labels in OUTPUT are those that the command writes
as() {
    local output=$1/sz600_step0.05 name=$2
    shift 2
    "$@" >labels.txt 2>err || sed 's/^/# /' err
    same "$output/meta.txt" labels.txt "$name: the labels of ${1##*/}"
    cdp-eval --format tsv labels.txt data/unlabeled/emore_u200k/meta.txt >figures.tsv
    head -n "$(wc -l <figures.tsv)" "$output/evaluation.tsv" | cmp -s - figures.tsv
    ok $? "$name: and the figures of cdp-eval"
}

"$pipelines/run" $single >out 2>err
ok $? "the configuration of one model"
sed 's/^/# /' out
as experiments/emore_u200k_single/output/k15_vote_accept0_th0.66 "one model" \
    "$pipelines/single.sh" "${all[@]}" threshold=0.66
"$pipelines/run" $cmt4 -j2 >out 2>err
ok $? "the configuration of the committee"
sed 's/^/# /' out
as experiments/emore_u200k_cmt4/output/k15_vote_accept4_th0.605 "vote" \
    "$pipelines/vote.sh" "${all[@]}" committee="$members" accept=4 threshold=0.605
is "$(grep -c 'knn.nas' .cdp/log)" 1 "the lists of a model are made once for both"

# Small sets would be learned from for a long time.
epochs=()
[ "$items" -gt 5000 ] || epochs=(train_options='--epochs 1')
sed -i 's/^strategy.*/strategy: mediator/' $cmt4
"$pipelines/run" $cmt4 "${epochs[@]}" >out 2>err
ok $? "the mediator"
sed 's/^/# /' out
as experiments/emore_u200k_cmt4/output/k15_mediator_111_th0.9915 "mediator" \
    "$pipelines/mediator.sh" "${all[@]}" train_data=data/labeled/emore_l200k committee="$members" threshold=0.9915 "${epochs[@]}"
sed -i 's/, .structure.//; s/0.9915/0.9/' $cmt4
"$pipelines/run" $cmt4 "${epochs[@]}" >out 2>err
as experiments/emore_u200k_cmt4/output/k15_mediator_110_th0.9 "mediator 110" \
    "$pipelines/mediator.sh" "${all[@]}" train_data=data/labeled/emore_l200k committee="$members" threshold=0.9 \
    input=110 "${epochs[@]}"

sed -i 's/^strategy.*/strategy: groundtruth/' $cmt4
"$pipelines/run" $cmt4 >out 2>err
# shellcheck disable=SC2317 # as calls it
truth() {
    cdp-knn -k 14 --dim "$dim" data/unlabeled/emore_u200k/features/nas.bin |
        cdp-score truth --labels data/unlabeled/emore_u200k/meta.txt - | cdp-propagate --forced-stop merge
}
as experiments/emore_u200k_cmt4/output/k15_groundtruth groundtruth truth

"$pipelines/run" $cmt4 -n >out 2>err
is "$(cat out)" "make: Nothing to be done for 'all'." "run CONFIG -n: nothing is to be done"
"$pipelines/run" $cmt4 plan >out 2>err
is "$(grep -c ' done ' out)" 5 "run CONFIG plan"
[ "$items" -le 5000 ] || done_testing

# ---- the archive

cp $single single.yaml
tar -czf data.tar.gz data
mkdir elsewhere
cp single.yaml elsewhere/config.yaml
mv data.tar.gz elsewhere
cd elsewhere || exit
"$pipelines/run" config.yaml >../out 2>../err
is "$?:$(ls output)" 0:k15_vote_accept0_th0.66 "features, list and labels in data.tar.gz"
same output/*/*/meta.txt ../experiments/emore_u200k_single/output/*/*/meta.txt "the same labels"
"$pipelines/run" config.yaml -n >../out 2>../err
is "$(cat ../out)" "make: Nothing to be done for 'all'." "and then nothing is to be done"
mkdir -p data/emore_u200k
cp ../data/unlabeled/emore_u200k/meta.txt data/emore_u200k
cdp-config config.yaml >../out
is "$(sed -n 's/^features_nas := //p; s/^meta := //p' ../out | tr '\n' ' ')" \
    "data.tar.gz:data/unlabeled/emore_u200k/features/nas.bin data/emore_u200k/meta.txt " "what is in a folder is taken from there"
cdp-config -v --cache members config.yaml 2>&1 >../out | grep -c 'reading what it holds' >../count
cdp-config -v --cache members config.yaml 2>&1 >../out2 | grep -c 'reading what it holds' >>../count
is "$(tr '\n' ' ' <../count)" "1 0 " "what the archive holds is remembered"
same ../out ../out2 "and is the same"
touch data.tar.gz
cdp-config -v --cache members config.yaml 2>&1 >../out2 | grep -c 'reading what it holds' >../count
is "$(cat ../count)" 1 "until the archive changes"
head -c 5000 data.tar.gz >cut.tar.gz
fails 1 "cut.tar.gz" "a damaged archive" cdp-config --archive cut.tar.gz config.yaml
cd ..
mv data moved
"$pipelines/run" single.yaml 2>err
is "$?:$(grep -c 'no such file: emore_u200k/.* in data/unlabeled, data/labeled, data$' err)" 1:2 "no data, nor an archive"
cdp-config --data moved single.yaml >out
is "$(sed -n 's/^features_nas := //p' out)" moved/unlabeled/emore_u200k/features/nas.bin "--data"
mv moved data

# ---- models of different dimensions

# wide MODEL: its rows with as many zeros again, which change no cosine distance
wide() {
    local rows=data/$2/features/$1.bin
    od -An -v -tx1 -w$((dim * 4)) "$rows" | perl -ne 's/\s//g; print pack("H*", $_), "\0" x '$((dim * 4)) >wide.bin
    cp "$rows" kept.bin
    cp wide.bin "$rows"
}
"$pipelines/run" single.yaml >out 2>err
labels=$(cat output/*/*/meta.txt)
wide nas unlabeled/emore_u200k
sed "s/^committee.*/committee: [ir]/; s/accept_num: 0/accept_num: 1/" single.yaml >wide.yaml
"$pipelines/run" wide.yaml >out 2>err
is "$?:$(grep -c "nas: $((2 * dim)) numbers a row by the size of .* and the $items lines of .*list.txt, not feat_dim = $dim" err)" 0:1 \
    "a base of another dimension than feat_dim: noted, and run"
same output/k15_vote_accept1_th0.66/*/meta.txt <("$pipelines/vote.sh" "${all[@]}" committee=ir accept=1 threshold=0.66 2>err) \
    "with the labels of vote.sh"
sed "s/^feat_dim.*/feat_dim: $((2 * dim))/" single.yaml >wide.yaml
"$pipelines/run" wide.yaml >out 2>err
is "$?:$(cat output/k15_vote_accept0_th0.66/*/meta.txt)" "0:$labels" "zeros as further numbers change nothing"
"$pipelines/run" single.yaml dim_nas=$((2 * dim)) -n >out 2>err
is "$?:$(cat err)" 0: "dim_MODEL behind the configuration"
fails 1 "nas.bin: $((items * 2)) rows, but .*list.txt has $items" "a dim_MODEL that does not fit" \
    "$pipelines/run" single.yaml dim_nas="$dim"
fails 2 "MODEL=N, with N from 1 to 1000000, is wanted, not 'nas=x'" "a dim_MODEL that is no number" "$pipelines/run" single.yaml dim_nas=x
mv kept.bin data/unlabeled/emore_u200k/features/nas.bin
"$pipelines/run" single.yaml thresold=0.7 >out 2>err
is "$?:$(head -n 1 err)" "1:unknown variable 'thresold' (did you mean threshold?)" "an unknown variable behind the configuration"
fails 2 "unknown option '--dta' .did you mean --data" "an unknown option" "$pipelines/run" --dta x single.yaml
printf '\357\273\277' | cat - single.yaml >bom.yaml
"$pipelines/run" bom.yaml -n >out 2>err
is "$?:$(cat out)" "0:make: Nothing to be done for 'all'." "a byte order mark changes nothing"

# ---- what is wrong

# wrong NAME PATTERN... [- SED-SCRIPT]: of the committee's configuration, changed by the script, these are told, a
# line each, and no others; nothing is written, no stage runs.
sed -i 's/^strategy.*/strategy: mediator/' $cmt4
cp $cmt4 good.yaml
cp .cdp/log log
wrong() {
    local name=$1 patterns=() pattern lines
    shift
    while [ $# -gt 1 ]; do
        patterns+=("$1")
        shift
    done
    sed -E "$1" good.yaml >bad.yaml
    "$pipelines/run" bad.yaml >out 2>err
    lines=$?:$(wc -l <err):
    for pattern in "${patterns[@]}"; do
        lines+=$(grep -cE -- "$pattern" err)
    done
    is "$lines" "1:${#patterns[@]}:${patterns[*]//*/1}" "$name"
    [ "$lines" = "1:${#patterns[@]}:${patterns[*]//*/1}" ] || sed 's/^/# /' err
}
IFS=
wrong "unknown key, with the nearest one" "bad.yaml: line 5: unknown key 'kk' \(did you mean k\?\)" "k is missing" 's/^k:/kk:/'
wrong "in a section" "unknown key 'acceptnum' in vote \(did you mean accept_num of vote\?\)" 's/accept_num/acceptnum/'
wrong "of another section" "unknown key 'max_sz' in vote \(did you mean max_sz of propagation\?\)" 's/^vote:/&\n    max_sz: 3/'
wrong "a section's name" "unknown key 'propogation' \(did you mean propagation\?\)" 's/propagation/propogation/'
wrong "like nothing" "unknown key 'flux_capacitor'$" '1s/^/flux_capacitor: 1\n/'
wrong "missing keys" "base is missing" "data_name is missing" "feat_dim is missing" "k is missing" "strategy is missing" \
    '/^(base|data_name|feat_dim|k|strategy):/d'
wrong "missing keys of the strategy" "train_data_name of mediator is missing" "threshold of mediator is missing" \
    '/train_data|0.9$/d'
wrong "wrong types" "feat_dim: a whole number from 1 to 1000000 is wanted, not 'wide'" \
    "k: a whole number from 2 to 65536 is wanted, not the text '15'" \
    "strategy: vote, mediator or groundtruth is wanted, not 'votes'" \
    "evaluation: True or False is wanted, not 'maybe'" \
    "step of propagation: a number from 0 to 1 is wanted, not a list" \
    "max_sz of propagation: a whole number from 1 to 4000000000 is wanted, not '6e2'" \
    's/^(feat_dim: ).*/\1wide/; s/^k: 15/k: "15"/; s/mediator$/votes/; s/True/maybe/; s/(step: ).*/\1[0.05]/; s/600/6e2/'
wrong "out of range" "k: a whole number from 2 .*not '1'" "threshold of mediator: a number from 0 to 1 is wanted, not '1.5'" \
    "accept_num of vote: .*not '-1'" "max_iter of propagation: .*not '010'" \
    's/^k: 15/k: 1/; s/0.9$/1.5/; s/(accept_num: ).*/\1-1/; s/(max_iter: ).*/\1010/'
wrong "names" "base: a name of letters, digits and . _ \+ - is wanted, not the text '../nas'" \
    "committee: 'res net': a name may have" 's,"nas","../nas",; s/resnet50/res net/'
wrong "lists" "committee: a list of names is wanted, not 'all'" "input of mediator: 111, 110 or a list of" \
    's/^(committee: ).*/\1all/; s/affinity/infinity/'
wrong "a mediator of nobody" "committee: the mediator judges by one, and it is empty" 's/^(committee: ).*/\1[]/'
wrong "accept_num > the committee's size" "accept_num of vote: 5, but the committee has 4 members" \
    's/mediator$/vote/; s/(accept_num: ).*/\15/'
wrong "duplicate keys" "line 6: k is there twice, first in line 5" "vote is there twice" \
    's/^k: 15/&\n&/; s/^vote:/vote: {accept_num: 1, threshold: 0.5}\n&/'
wrong "data that is not there" "nas: no such file: other/features/nas.bin in data/unlabeled" "resnet50: no such" "resnet101: no such" \
    "densenet121: no such" "ir: no such" "evaluation is True: no such file: other/meta.txt in" 's/unlabeled.emore_u200k/other/'
wrong "a model that is not there" "nobody: no such file: unlabeled/emore_u200k/features/nobody.bin" \
    "nobody: no such file: emore_l200k/features/nobody.bin" "s/'ir'/nobody/"
reason="numbers a row by the size of .*.bin and the 900 lines of .*u200k/list.txt"
wrong "a feat_dim that no model has" "line 4: feat_dim: 7, but no model has it: nas: 16 $reason" "resnet50: 16 $reason" \
    "resnet101: 16 $reason" "densenet121: 16 $reason" "ir: 16 $reason" 's/^(feat_dim: ).*/\17/'
wrong "more neighbours than items" "k: 901 with the item itself, but .*u200k/list.txt has 900 items" "k: 901 .*l200k" 's/^k: 15/k: 901/'
features=data/unlabeled/emore_u200k/features
cp $features/ir.bin kept.bin
truncate -s -64 $features/ir.bin
wrong "a feature file of fewer rows" "features/ir.bin: 899 rows, but data/unlabeled/emore_u200k/list.txt has 900" ''
truncate -s -1 $features/ir.bin
wrong "and of rows that are not whole" "features/ir.bin: 57535 bytes, but rows of feat_dim = 16 .*64 bytes each" ''
mv data/unlabeled/emore_u200k/list.txt .
truncate -s -63 $features/ir.bin
wrong "and without a list" "features/ir.bin: 898 rows, but .*u200k/meta.txt has 900" ''
mv list.txt data/unlabeled/emore_u200k
cp kept.bin $features/ir.bin
mv data/unlabeled/emore_u200k/meta.txt .
wrong "no meta.txt, but evaluation" "evaluation is True: no such file: unlabeled/emore_u200k/meta.txt" ''
"$pipelines/run" <(sed 's/True/no/; s/mediator$/vote/' good.yaml) -n >out 2>err
ok $? "no meta.txt and no evaluation"
wrong "no meta.txt, but groundtruth" "no such file" 's/True/off/; s/mediator$/groundtruth/'
head -n 899 meta.txt >data/unlabeled/emore_u200k/meta.txt
wrong "a meta.txt of other items" "meta.txt: 899 lines, but .*list.txt has 900 items" ''
mv meta.txt data/unlabeled/emore_u200k
mv data/labeled/emore_l200k/meta.txt .
wrong "no labels of the training data" "the labels of the training data: no such file: emore_l200k/meta.txt" ''
mv meta.txt data/labeled/emore_l200k
wrong "YAML that is none, with line and column" "bad.yaml: line 3: column 13: not YAML: did not find expected ',' or ']'" '2s/.*/committee: ["a/'
unset IFS

# Hostile ones: cdp-config alone, in little memory (of which sanitizers want more).
limit='ulimit -v 400000'
! grep -q '__[at]san_init' "$CDP_BIN/cdp-config" || limit=true
hostile() {
    fails 1 "$2" "$1" bash -c "$limit; timeout 60 cdp-config bad.yaml"
}
printf 'a: &a [x, x]\nb: &b [*a, *a]\nbase: *b\n' >bad.yaml
cdp-config bad.yaml 2>err
is "$?:$(grep -c 'anchors\|alias' err)" 1:5 "anchors and aliases"
{ printf 'base: '; head -c 5000 /dev/zero | tr '\0' x; } >bad.yaml
cdp-config bad.yaml 2>err
is "$?:$(grep -c 'line 1: a text of more than 4096 bytes' err)" 1:1 "a huge text"
head -c 2000000 /dev/zero | tr '\0' x >bad.yaml
hostile "a huge file" "bad.yaml: more than 1 MiB"
printf 'base: "a\\0b"\n' >bad.yaml
cdp-config bad.yaml 2>err
is "$?:$(grep -c 'a text with a NUL' err)" 1:1 "a NUL, written so"
printf 'base: a\0b\n' >bad.yaml
hostile "a NUL as it is" "not YAML: control characters are not allowed"
printf 'base: \377\376\n' >bad.yaml
hostile "bytes that are no UTF-8" "not YAML"
head -c 900000 /dev/zero | tr '\0' '[' >bad.yaml
hostile "brackets without end" "bad.yaml"
{ printf 'mediator:\n  gpus: '; head -c 20000 /dev/zero | tr '\0' '['; } >bad.yaml
hostile "within a key" "bad.yaml"
printf -- '- base\n' >bad.yaml
hostile "a list" "keys such as base and data_name are wanted"
: >bad.yaml
hostile "an empty file" "empty"
{ cat single.yaml; printf -- '---\n'; cat single.yaml; } >bad.yaml
hostile "two documents" "a second document"
printf '{base: nas, ? [1, 2] : 3, committee: {a: b}}' >bad.yaml
cdp-config bad.yaml 2>err
is "$?:$(grep -c 'a key is wanted here\|not keys of its own' err)" 1:2 "keys that are none"
seq 1 500 | sed 's/^/    - m/; 1i committee:' >bad.yaml
cdp-config bad.yaml 2>err
is "$?:$(grep -c 'a list of more than 63' err)" 1:1 "a committee of 500"

# What YAML 1.1 has in other ways.
cdp-config <(sed 's/True/on/; s/0.66/+.66/; s/vote:/"vote":/' single.yaml; echo 'mediator: {gpus: [0, 1, {a: [b]}]}') >out
is "$?:$(grep -E '^(evaluation|threshold)' out | tr '\n' ' ')" "0:threshold := 0.66 evaluation := yes " "on, +.66, keys between quotes"
cdp-config <(sed "s/force_retrain: False/force_retrain: yes/; s/^ *input.*/    input: 111/; s/0.9$/auto/" good.yaml) 2>err >out
is "$?:$(grep -c 'force_retrain is ignored: the same data' err):$(grep -E '^(input|threshold)' out | tr '\n' ' ')" \
    "0:1:threshold := auto input := 111 " "force_retrain is told what it is worth"

# Names that make and the shell would take for something else.
folder="it's #1 \$x \\#2 %"
mkdir -p "data/$folder" "experiments/$folder"
cp -r data/unlabeled/emore_u200k/* "data/$folder"
sed "s/^data_name.*/data_name: |-\n    $(printf '%s' "$folder" | sed 's/[\\]/\\\\/g')/" single.yaml >"experiments/$folder/config.yaml"
"$pipelines/run" "experiments/$folder/config.yaml" >out 2>err
is "$?:$(grep -c knn err)" 0:0 "names with all that make and the shell know"
sed 's/^/# /' err
same "experiments/$folder/output/"*/*/meta.txt experiments/emore_u200k_single/output/*/*/meta.txt "and the same labels"

cmp -s log <(head -n "$(wc -l <log)" .cdp/log)
ok $? "the log only grows"
fails 2 "usage: run" "no configuration" "$pipelines/run"
fails 1 "no-such.yaml: cannot open" "a configuration that is not there" "$pipelines/run" no-such.yaml
done_testing
