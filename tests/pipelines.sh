#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cdp.mk: what changed, and which stages ran for it, as the store's log has it; and what happens to those that
# were killed, met a full disk, or were wanted twice at once. All folders have blanks in their names.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
command -v xxh64sum >/dev/null || skip_all "no xxh64sum (Debian: xxhash)"
export CDP_BIN
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine

cdp-synth --items 800 --dim 16 --models 4 "my data"
cdp-synth --items 800 --dim 16 --models 4 --seed 2 "other data"
mkdir "my experiment"
cd "my experiment" || exit

# The experiment's variables; write makes them its makefile.
declare -A the=([data]='../my data' [dim]=16 [base]=m0 [committee]='m1 m2' [accept]=2 [threshold]=0.6
    [train_data]='../other data' [train_options]='--epochs 1')
write() {
    for name in "${!the[@]}"; do
        echo "$name = ${the[$name]}"
    done >makefile
    echo "include $CDP_SOURCE/pipelines/cdp.mk" >>makefile
}

# ran: the stages that ran since it was last asked, models for kNN, sorted by the way from features to figures
echo 0 >../seen
ran() {
    local stages
    stages=$(tail -n +$(($(cat ../seen) + 1)) .cdp/log 2>/dev/null | cut -f2,3 |
        sed 's/^knn\t/1 knn:/; s/^lists\t/1 lists:/; s/^features\t/2 features:/; s/^model.*/3 model/; s/^pairs.*/4 pairs/
            s/^labels.*/5 labels/; s/^figures.*/6 figures/; s/^accuracy.*/7 accuracy/' | sort | cut -d' ' -f2)
    wc -l <.cdp/log >../seen
    # shellcheck disable=SC2086 # a line of words
    echo ${stages:-nothing}
}

# count FOLDER...: the files in them, without hidden ones
count() {
    find "$@" -type f ! -name '.*' 2>/dev/null | wc -l
}

# row NAME STAGES [VARIABLE VALUE]: with the variable so, make succeeds and just these stages run
row() {
    [ $# -eq 2 ] || the[$3]=$4
    write
    make >out 2>err || note "make failed: $(<err)"
    is "$(ran)" "$2" "$1: $2"
}

road="pairs labels figures accuracy"
row "at first" "knn:m0 knn:m1 knn:m2 $road"
cp output/k15_vote_accept2_th0.6/sz600_step0.05/meta.txt first.txt
for m in 0 1 2; do cdp-knn -k 14 --dim 16 -o m$m.cdp "../my data/features/m$m.bin"; done
cdp-score vote --accept 2 --threshold 0.6 m0.cdp m1.cdp m2.cdp | cdp-propagate -o byhand.txt
same first.txt byhand.txt "the labels are those of the tools"
{ cdp-eval --format tsv first.txt "../my data/meta.txt"
    cdp-score vote --accept 2 --threshold 0.6 m0.cdp m1.cdp m2.cdp | cdp-eval pairs --format tsv - "../my data/meta.txt"
} >byhand.tsv
same output/k15_vote_accept2_th0.6/sz600_step0.05/evaluation.tsv byhand.tsv "and so are the figures"

# ---- what changed, and what ran

row "nothing" nothing
row "threshold" "$road" threshold 0.7
row "threshold as it was" nothing threshold 0.6
row "threshold written another way" nothing threshold 0.60
row "accept" "$road" accept 1
row "accept as it was" nothing accept 2
row "max_size" "labels figures" max_size 100
row "step" "labels figures" step 0.1
row "both as they were: max_size" "labels figures" max_size 600
row "and step" nothing step 0.05
row "forced_stop" "labels figures" forced_stop merge
row "k" "knn:m0 knn:m1 knn:m2 $road" k 10
row "k as it was" nothing k 15
row "metric" "knn:m0 knn:m1 knn:m2 $road" metric l2
row "metric as it was" nothing metric cosine
row "one more in the committee" "knn:m3 $road" committee "m1 m2 m3"
row "the committee in another order: votes are counted" nothing committee "m3 m1 m2"
row "one less" nothing committee "m1 m2"
row "no votes wanted: the base alone" "$road" accept 0
row "votes again" nothing accept 2

touch "../my data/features/m1.bin"
row "features touched, but equal" nothing
cp "../my data/features/m1.bin" kept.bin
cp "../other data/features/m1.bin" "../my data/features/m1.bin"
row "one model's features" "knn:m1 $road"
cp kept.bin "../my data/features/m1.bin"
row "features as they were" nothing
cp -p "../my data/features/m1.bin" times
cat "../other data/features/m1.bin" >"../my data/features/m1.bin"
touch -r times "../my data/features/m1.bin"
row "features with the time and the size that they had" nothing
rm -r .cdp/knn output
row "all lists and results gone" nothing
cp kept.bin "../my data/features/m1.bin"
row "features as they were, their list gone, nothing that needs it" nothing
row "another threshold: all lists are wanted again" "knn:m0 knn:m1 knn:m2 $road" threshold 0.65
same "output/k15_vote_accept2_th0.65/sz600_step0.05/meta.txt" \
    <("$CDP_SOURCE/pipelines/vote.sh" data='../my data' dim=16 committee='m1 m2' accept=2 threshold=0.65 forced_stop=merge) \
    "with the labels of vote.sh"
row "back" nothing threshold 0.6

cp "../my data/meta.txt" kept.txt
sed -i '1s/$/1/' "../my data/meta.txt"
row "the true labels" "figures accuracy"
cp kept.txt "../my data/meta.txt"
row "the true labels as they were" nothing
row "no evaluation" nothing evaluation no
[ ! -e output/k15_vote_accept2_th0.6/sz600_step0.05/evaluation.tsv ]
ok $? "no evaluation: and no figures of before beside the labels"
row "evaluation where there is something to evaluate with" nothing evaluation auto

cp output/k15_vote_accept2_th0.6/sz600_step0.05/meta.txt kept.txt
rm -r output
row "results deleted" nothing
same output/k15_vote_accept2_th0.6/sz600_step0.05/meta.txt kept.txt "they are copied"
rm .cdp/pairs/*
row "pairs deleted from the middle" nothing
row "and wanted again" "pairs labels figures" max_size 50
row "max_size back" nothing max_size 600
for damage in 'garbage' '0123456789abcdef 1 2 3 4:5' ''; do
    printf '%s\n\377%s\0' "$damage" "$damage" >.cdp/digests
    row "the memory of digests damaged" nothing
done
k=3 threshold=0.9 row "variables of the environment" nothing
cp "../my data/features/m0.bin" "../my data/features/twin.bin"
row "a model that is like the base" "$road" committee "m1 twin"
row "the committee as it was" nothing committee "m1 m2"
row "consensus" "$road" strategy consensus
for m in 0 1 2; do cdp-knn -k 14 --dim 16 --recall 0.99 "../my data/features/m$m.bin" >hand$m.cdp; done
cdp-score consensus -q --features "../my data/features/m0.bin" --features "../my data/features/m1.bin" \
    --features "../my data/features/m2.bin" hand[012].cdp | cdp-propagate --method map >hand.txt
same output/k15_consensus/map/meta.txt hand.txt "with the labels of the tools"
row "groundtruth" "$road" strategy groundtruth
row "mediator" "knn:train_m0 knn:train_m1 knn:train_m2 features:data features:train_data model $road" strategy mediator
sed -i '/threshold/d' makefile
unset 'the[threshold]'
row "threshold by the mediator itself" "$road"
row "a mediator without structure" "model $road" input 110
row "another seed" "model $road" seed 1
row "the seed as it was" nothing seed 0
row "structure again" nothing input 111
row "the committee in another order: it is what the mediator's columns are" \
    "features:data features:train_data model $road" committee "m2 m1"
row "the committee as it was" nothing committee "m1 m2"
cp "../other data/features/m2.bin" kept.bin
cp "../my data/features/m2.bin" "../other data/features/m2.bin"
row "features of the training data" "features:train_data model $road"
cp kept.bin "../other data/features/m2.bin"
row "the training data as they were" nothing
sed -i '1s/$/1/' "../other data/meta.txt"
row "labels of the training data" "model $road"
the[threshold]=0.6
row "vote" nothing strategy vote

# ---- as a make user expects

the[threshold]=0.8
write
make -n >out
is "$(grep -o 'pipelines/stage [^ ]* [a-z]*' out | cut -d' ' -f3 | sort | tr '\n' ' ')" "accuracy figures labels pairs " \
    "make -n lists what would run"
is "$(ran)" nothing "and runs nothing"
make plan | awk '{ print $1, $2 ($1 == "knn" || $3 == "done" ? "" : " " $3) }' >out
make plan | grep -c ' to do ' >count
is "$(cat count):$(make plan | grep -c ' done ')" 4:3 "make plan: four to do, three done"
is "$(ran)" nothing "and runs nothing"
make 2>/dev/null >/dev/null
is "$(ran)" "$road" "make runs just that"
cp output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt
is "$(make -n; make -q; echo $?)" "make: Nothing to be done for 'all'.
0" "and then there is nothing to be done"
is "$(make plan | grep -vc ' done ')" 1 "and all is done"
rm .cdp/pairs/* .cdp/accuracy/*
is "$(make plan | awk '/to do/ { print $1 }' | tr '\n' ' ')" "pairs accuracy " "the plan of what was deleted"
is "$(make plan k=11 | grep -c ' to do ')" 7 "the plan of another k"
make 2>/dev/null >/dev/null
is "$(ran)" "pairs accuracy" "what was deleted comes back as it is wanted"
make knn_m3 2>/dev/null
is "$(ran)" nothing "one product by its name"
make -n -j2 k=12 | grep -o ' cdp-knn .* -t [0-9]*' | sed 's/.* //' | sort -u >threads
share=$(($(nproc) / 2))
is "$(cat threads)" $((share > 0 ? share : 1)) "make -j2: two models, each with half of the processors"
make -n k=12 | grep -o ' cdp-knn .* -t [0-9]*' | sed 's/.* //' | sort -u >threads
is "$(cat threads)" "$(nproc)" "without it: one, with all"
make -j3 k=12 threads=1 2>/dev/null >/dev/null
is "$(ran)" "knn:m0 knn:m1 knn:m2 $road" "make -j3 runs them once each"
same output/k12_vote_accept2_th0.8/sz600_step0.05/meta.txt <("$CDP_SOURCE/pipelines/vote.sh" \
    data='../my data' dim=16 committee='m1 m2' accept=2 threshold=0.8 k=12 forced_stop=merge) "with the same labels"

# All that is wrong with variables, and all files that are missing, at once, before any work.
make threshold=high accept=3 k=1 base='a b' 2>err >out
is "$?:$(sed 's/:.*//' err | head -n 4 | tr '\n' ' ')" "2:base k accept threshold " "wrong variables, all of them"
make data=../nowhere 2>err >out
is "$?:$(grep -c 'nowhere/.*: no such file' err)" 2:3 "missing files, all of them"
"$CDP_SOURCE/pipelines/digest" none "../my data/features/m9.bin" 2>err
grep -q 'm9.bin: no such file; ../my data/features has m0.bin m1.bin' err
ok $? "and those beside a missing one"
fails 2 'run make for the clean target alone' "make clean-experiment all" make clean-experiment all
mkdir full
touch full/file
fails 2 "full: exists, but is not a store" "a folder that is no store is not taken for one" make store=full
[ -e full/file ]
ok $? "and left as it is"
fails 2 "full: exists, but is not a store" "nor removed by clean-store" make store=full clean-store
rm -r full
is "$(ran)" nothing "and nothing ran"

# Unknown names, with the nearest one: on the command line all, in a makefile those that are nearly known.
for case in "thresold=0.7 threshold" "THRESHOLD=0.7 threshold" "dim_m7=3 dim_m0" "feature_m1=x features_m1" "comittee= committee"; do
    make "${case% *}" >out 2>err
    is "$?:$(head -n 1 err)" "2:unknown variable '${case%%=*}' (did you mean ${case#* }?)" "unknown: ${case% *}"
done
make flux=1 2>err >out
is "$?:$(head -n 1 err)" "2:unknown variable 'flux'" "unknown, and near nothing"
make strategy=consensus threshold=0.7 >out 2>err
is "$?:$(grep -c 'threshold: no effect on consensus' err)" 2:1 "a threshold of consensus"
make strategy=consensus -n >out 2>err
is $? 0 "that of a makefile may be for another strategy"
make must_link=same cannot_link=other >out 2>err
is "$?:$(grep -c 'cannot_link must_link: experiments have no constraints\|must_link cannot_link: experiments have no' err)" 2:1 "constraints"
make cdp-variables=flux flux=1 -n 2>err >out
is "$?" 2 "a variable of one's own is for makefiles to name"
MAKELEVEL=1 make PREFIX=/ -n 2>err >out
is $? 0 "a variable in capitals may be that of a make above"
for line in "thresold = 0.7" "max_sz = 3" "dim_m4 = 3"; do
    sed "1i$line" makefile >unknown.mk
    make -f unknown.mk >out 2>err
    is "$?:$(grep -c "unknown variable '${line%% *}' (did you mean" err)" 2:1 "unknown in a makefile: $line"
done
sed "1iflux = 1\\nmax_sz = 3\\ncdp-variables = max_sz threshes" makefile >known.mk
make -f known.mk threshes=1 -n >out 2>err
is $? 0 "variables of one's own"
for which in vote single mediator; do
    make -f "$CDP_SOURCE/pipelines/$which.mk" data='../my data' thresold=0.7 >out 2>err
    is "$?:$(head -n 1 err)" "2:unknown variable 'thresold' (did you mean threshold?)" "$which.mk"
    fails 2 "unknown variable 'thresold' .did you mean threshold" "$which.sh" \
        "$CDP_SOURCE/pipelines/$which.sh" data='../my data' thresold=0.7
    fails 2 "^k: expected a whole number from 2 to 65536, not '1'" "$which.sh: an impossible k" \
        "$CDP_SOURCE/pipelines/$which.sh" data='../my data' k=1
    fails 2 "'plan': expected NAME=VALUE" "$which.sh: no variable" "$CDP_SOURCE/pipelines/$which.sh" plan
done
make -f "$CDP_SOURCE/pipelines/sweep.mk" data='../my data' threshold=0.7 >out 2>err
is "$?:$(grep -c 'threshold: not a variable of sweep.mk: use thresholds or ks' err)" 2:1 "sweep.mk has thresholds"
make strategy=mediator threshold=auto train_options=--epoch=x >out 2>err
is "$?:$(grep -c "epoch" err)" 2:1 "train_options that cdp-mediate does not have"
fails 2 "epochs" "mediator.sh: train_options" \
    "$CDP_SOURCE/pipelines/mediator.sh" data='../my data' train_data='../other data' committee=m1 train_options=--epochs=x
fails 2 "accept: 4, but the committee has 2 members" "vote.sh: an accept that cannot be" \
    "$CDP_SOURCE/pipelines/vote.sh" data='../my data' committee='m1 m2'
fails 2 "unknown option '--halp' .did you mean --help" "demo: an unknown option" "$CDP_SOURCE/pipelines/demo" --halp
fails 2 "usage: demo" "demo: one folder" "$CDP_SOURCE/pipelines/demo" a b
[ ! -e a ]
ok $? "and nothing is made"
fails 2 "unknown command 'tabel' .did you mean table" "sweep: an unknown command" "$CDP_SOURCE/pipelines/sweep" tabel
is "$(ran)" nothing "and nothing ran"

# Installed, it finds what belongs to it.
make -s -C "$CDP_SOURCE" PREFIX="$(cd .. && pwd)/usr" DESTDIR= install-pipelines >out 2>err
make -f ../usr/share/cdp/pipelines/vote.mk -n data='../my data' committee='m1 m2' dim=16 accept=2 threshold=0.8 forced_stop=merge >out 2>&1
is "$(cat out)" "make: Nothing to be done for 'all'." "installed, vote.mk finds what another makefile has made"

# ---- names

mkdir "../it's #1, 50% \$x"
cp -r "../my data/"* "../it's #1, 50% \$x"
row "the same data in a folder of another name" nothing data "../it's \\#1, 50% \$\$x"
tar -C .. -czf ../archive.tar.gz "my data"
the[evaluation]=yes
make data="../archive.tar.gz:my data" dim= -n >out 2>err
is "$?:$(grep -c '^dim_m[012]: .*archive.tar.gz:.*: set dim or dim_m[012]$' err)" 2:3 "an archive shows no dimension"
row "the same data in an archive" "knn:m0 knn:m1 knn:m2 $road" data "../archive.tar.gz:my data"
same output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt "with the same labels"
row "and once more" nothing
the[evaluation]=auto
row "the folder again" nothing data "../my data"
row "a ready list, a stream" "lists:m1 $road" lists_m1 "../my experiment/m1.cdp"
cdp-view --to npz -o m1.npz m1.cdp
row "a ready list, npz" "lists:m1 $road" lists_m1 "m1.npz"
same output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt "with the same labels"
unset 'the[lists_m1]'

# ---- dimensions: as stated, or by size and lines; checked before any work

declare -A was=([dim]=${the[dim]})
unset 'the[dim]'
row "no dim, but a list.txt" nothing
mkdir ../mixed ../mixed/features
cp "../my data/meta.txt" ../mixed
cp "../my data/features/"m[02].bin ../mixed/features
# As many zeros again change no cosine distance.
od -An -v -tx1 -w64 "../my data/features/m1.bin" |
    perl -ne 's/\s//g; print pack("H*", $_), "\0" x 64' >../mixed/features/m1.bin
row "models of 16 and 32 numbers, and only a meta.txt" "knn:m1 $road" data ../mixed
same output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt "with the same labels"
make dim=16 -n >out 2>err
is "$?:$(cat out):$(cat err)" "0:make: Nothing to be done for 'all'.:dim_m1: 32 numbers a row by the size of \
../mixed/features/m1.bin and the 800 lines of ../mixed/meta.txt, not 16" "dim: a model that has another is named"
make dim_m1=32 dim=16 -n >out 2>err
is "$?:$(cat out):$(cat err)" "0:make: Nothing to be done for 'all'.:" "dim_MODEL: nothing to note"
same at08.txt <("$CDP_SOURCE/pipelines/vote.sh" data=../mixed committee='m1 m2' accept=2 threshold=0.8 forced_stop=merge) \
    "vote.sh finds the dimensions too"
# refused PATTERN NAME ARGUMENT...: make fails with one line of the experiment's, before any stage
refused() {
    local pattern=$1 name=$2
    shift 2
    make "$@" >out 2>err
    is "$?:$(grep -cE "$pattern" err):$(ran)" 2:1:nothing "refused: $name"
}
refused 'm1.bin: 1600 rows of 16 numbers, but .*meta.txt has 800' "a dim_MODEL that does not fit" dim_m1=16
is "$(make dim=7 2>&1 | grep -c '^dim: no model has 7: dim_m[012]: ')" 3 "refused: a dim that no model has"
refused 'k: 801 with the item itself, but .*meta.txt has 800 items' "more neighbours than items" k=801
head -n 799 "../my data/meta.txt" >../mixed/list.txt
refused 'meta.txt: 800 lines, but .*list.txt has 799' "a list of other items"
printf '\n \r\n' | cat "../my data/meta.txt" - >../mixed/list.txt
make -n >out 2>err
is "$?:$(cat err)" 0: "blank lines at the end of a list are no items"
rm ../mixed/list.txt
mv ../mixed/meta.txt kept.txt
refused 'dim_m1: .*set dim or dim_m1' "no list, no meta.txt, no dimension" dim_m0=16 dim_m2=16 evaluation=no
make dim_m1=32 dim=16 evaluation=no -n >out 2>err
is "$?:$(cat err)" 0: "and stated ones"
refused 'm1.bin: 1600 rows of 16 numbers, but .*m0.bin has 800' "but no list and another number of rows" dim=16 evaluation=no
mv kept.txt ../mixed/meta.txt
truncate -s -4 ../mixed/features/m1.bin
refused 'm1.bin: 102396 bytes, but .*meta.txt has 800 items' "rows that are not whole"
the[dim]=${was[dim]}
row "the first data again" nothing data "../my data"

# A byte order mark is no part of the first label.
cp -r "../my data" ../bom
printf '\357\273\277' | cat - "../my data/meta.txt" >../bom/meta.txt
cp output/k15_vote_accept2_th0.8/sz600_step0.05/evaluation.tsv figures
row "true labels with a byte order mark" "figures accuracy" data ../bom
same output/k15_vote_accept2_th0.8/sz600_step0.05/evaluation.tsv figures "the same figures"
row "the true labels without it" nothing data "../my data"

# ---- damage to products

# damaged STAGE COMMAND...: a product of STAGE, changed by COMMAND FILE, is made again
damaged() {
    local stage=$1 file now
    shift
    file=$(make plan | grep -oE "[.]cdp/$stage/[0-9a-f]+[.][a-z]+" | head -n 1)
    cp "$file" sound
    "$@" "$file"
    now=$(make plan | awk -v file="$file" 'index($0, file) && / to do / { print "to do" }')
    make >out 2>err || note "$(<err)"
    is "$now:$(ran):$(grep -c "$file is damaged" err)" "to do:$stage:1" "$stage: $1: made again"
    same "$file" sound "and right"
}
# shellcheck disable=SC2317 # damaged calls it
flip() { printf '\060' | dd of="$1" bs=1 seek=3 conv=notrunc status=none; }
# shellcheck disable=SC2317 # damaged calls it
flip_in_silence() {
    touch -r "$1" times
    flip "$1"
    touch -r times "$1"
}
empty() { : >"$1"; }
for change in flip flip_in_silence empty "truncate -s -2"; do
    # shellcheck disable=SC2086 # one word or three
    damaged labels $change
    same output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt "$change: the labels that are published"
done
damaged figures flip
damaged accuracy empty
# A stream that is not needed stays; one that is needed is made again first.
file=$(make plan | grep -oE '[.]cdp/pairs/[0-9a-f]+[.]cdp')
empty "$file"
row "damaged pairs that nothing needs" nothing
row "and that something needs" "pairs labels figures" max_size 40
# With its size and time a damaged stream is found by its reader, and named.
file=$(make plan | grep -oE '[.]cdp/pairs/[0-9a-f]+[.]cdp')
cp "$file" sound
touch -r "$file" times
printf x | dd of="$file" bs=1 seek=300 conv=notrunc status=none
touch -r times "$file"
make max_size=30 >out 2>err
is "$?:$(grep -c "^$file: damaged: remove it, then run make again" err)" 2:1 "a damaged stream that looks sound is named"
rm "$file"
make max_size=30 >out 2>err
is "$?:$(ran)" "0:pairs labels figures" "and made again without it"
same "$file" sound "as it was"
row "max_size as it was" nothing max_size 600

# ---- several experiments in one store

mkdir ../second
write
cp makefile ../second
make -s -C ../second store=../store 'data=../my data' output=results 2>/dev/null >/dev/null
make store=../store threshold=0.9 2>/dev/null >/dev/null
is "$(cut -f2 ../store/log | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" \
    "accuracy2 figures2 knn3 labels2 pairs2 " "a store for two experiments: lists are made once"
make store=../store clean-experiment
is "$(count ../store/knn ../store/pairs):$(count output/*th0.9)" 4:0 \
    "clean-experiment leaves what the other one has"
make -n -C ../second store=../store 'data=../my data' output=results >out 2>&1
grep -q 'Nothing to be done' out
ok $? "so that nothing is to be done for that"
make -s -C ../second store=../store output=results clean-experiment
is "$(find ../store/*/ -type f | wc -l):$(ls ../second)" 0:makefile "and clean-experiment of the other one leaves nothing"

# ---- what goes wrong on the way

# slow: a tool whose last file stops half way, so that it hangs in the middle of its work
cat >slow <<'end'
#!/bin/bash
args=("$@")
last=${args[-1]}
unset 'args[-1]'
echo $$ >pid
exec "${args[@]}" <(head -c $(($(stat -c %s "$last") / 2)) "$last"
    echo $BASHPID >>pid
    exec 9>&-
    exec sleep 600)
end
chmod +x slow
# hangs: waits until the tool runs, whose input ends never
hangs() {
    eventually runs
}
# shellcheck disable=SC2317 # eventually calls it
runs() { [ "$(wc -l <pid)" = 2 ] && [ "$(<"/proc/$(head -n 1 pid)/comm")" != slow ]; }
# waits_for_lock: some process waits for a lock
# shellcheck disable=SC2317
waits_for_lock() { grep -q -- '->' /proc/locks; }
# killed GOAL: makes GOAL with a tool that hangs, and kills that
killed() {
    rm -f pid
    make "$@" runner=./slow >out 2>err &
    hangs
    # shellcheck disable=SC2046 # one word a process
    kill -9 $(<pid)
    wait $! 2>/dev/null
}
the[store]=killed
write
sed -i 's/^store.*/store = killed/' makefile
log=killed/log
ran_there() { cut -f2,3 "$log" 2>/dev/null | sort | uniq -c | awk '{ print $1 $2 ":" $3 }' | tr '\n' ' '; }
killed
is "$?:$(ran_there):$(find killed/knn -name '*.cdp' | wc -l)" "2::0" "kNN killed with -9: make fails, and there is no list"
grep -q 'knn m.: ended by signal 9' err
ok $? "and says so"
make 2>err >out
is "$?:$(ran_there)" "0:1accuracy:pairs 1figures:labels 1knn:m0 1knn:m1 1knn:m2 1labels:vote 1pairs:vote " \
    "make again makes all, once"
same output/k15_vote_accept2_th0.8/sz600_step0.05/meta.txt at08.txt "with the right labels"
is "$(find killed -name '.?*' ! -name . | wc -l)" 0 "and nothing is left of what was killed"
killed threshold=0.5
is "$?:$(count killed/pairs)" 2:1 "score killed with -9: make fails, and there are no pairs"
make threshold=0.5 2>err >out
is "$?:$(ran_there)" "0:2accuracy:pairs 2figures:labels 1knn:m0 1knn:m1 1knn:m2 2labels:vote 2pairs:vote " \
    "make again makes them, and no list"

# Ctrl-C: an interrupt of make and all that it runs.
set -m
for goal in k=8 threshold=0.55; do
    rm -f pid
    interruptible make "$goal" runner=./slow >out 2>err &
    hangs
    kill -INT -- -$!
    wait $! 2>/dev/null
    is "$?:$(find killed -name '*.part*' -o -name '.?*' ! -name .):$(find killed -size 0 -type f ! -path '*/locks/*')" 130:: \
        "Ctrl-C, $goal: nothing half made is left"
done
set +m
make threshold=0.55 2>err >out
same output/k15_vote_accept2_th0.55/sz600_step0.05/meta.txt <("$CDP_SOURCE/pipelines/vote.sh" \
    data='../my data' dim=16 committee='m1 m2' accept=2 threshold=0.55 forced_stop=merge) "and make again gives the right labels"

# Ctrl-C just after a product is written, while its stage tidies up: make would delete it if it were not precious.
mkdir tidying
cat >tidying/rm <<'end'
#!/bin/bash
[ ! -e "${2%.part}" ] || { : >tidying/there && sleep 600; }
exec /bin/rm "$@"
end
chmod +x tidying/rm
set -m
PATH=$PWD/tidying:$PATH interruptible make threshold=0.57 >out 2>err &
eventually test -e tidying/there
kill -INT -- -$!
wait $! 2>/dev/null
set +m
is "$(cut -f5 $log | xargs ls 2>&1 >/dev/null)" "" "Ctrl-C after a product is written: it stays"

# make itself killed, while a tool works on: the next one waits for that tool and makes its own.
rm -f pid
make k=9 runner=./slow >out 2>err &
hangs
{ kill -9 $!; wait $!; } 2>/dev/null
make k=9 2>err >out &
eventually waits_for_lock
# shellcheck disable=SC2046 # one word a process
kill -9 $(<pid)
wait $!
is "$?:$(cut -f2 $log | grep -c knn)" 0:6 "make killed with -9 in the middle: the next one makes all"

# Two at once.
make store=twice 2>err1 >out1 &
make store=twice 2>err2 >out2
second=$?
wait $!
first=$?
log=twice/log
is "$first:$second:$(ran_there)" "0:0:1accuracy:pairs 1figures:labels 1knn:m0 1knn:m1 1knn:m2 1labels:vote 1pairs:vote " \
    "two makes at once: every stage runs once"
cmp -s out1 out2 && [ -s out1 ]
ok $? "and both show the figures"

# One makes the store while another reads this makefile: at each time that the store's name is asked for.
cat >late <<'end'
#!/bin/bash
echo >>turns
if [ "$(wc -l <turns)" -eq "$TURN" ]; then
    mkdir -p late-store/experiments late-store/locks
    cp killed/CACHEDIR.TAG late-store
fi
echo late-store
end
chmod +x late
the[store]="\$(shell ./late)"
write
bad=0
for turn in 1 2 3 4 5 6 7 8; do
    rm -rf late-store turns
    TURN=$turn make plan 2>err >out || { bad=$((bad + 1)); note "turn $turn: $(<err)"; }
done
is $bad 0 "a store that another make begins just now is a store"
the[store]=killed
write

# A full disk, where one can be made; otherwise a limit on the size of files, unless sanitizers need more.
mkdir disk
if mount -t tmpfs -o size=48k tmpfs disk 2>/dev/null; then
    trap 'umount disk 2>/dev/null; rm -rf "$folder"' EXIT
    make store=disk/store 2>err >out
    is "$?:$(grep -c 'No space left on device' err | head -c 1):$(count disk/store/pairs)" 2:1:0 \
        "a full disk: make fails, and says why"
    touch disk/store/log
    is "$(count disk/store/knn)" "$(grep -c knn disk/store/log)" "and no list is there that was not made"
    mount -o remount,size=8m disk
    make store=disk/store 2>err >out
    is "$?:$(cut -f2 disk/store/log | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" \
        "0:accuracy1 figures1 knn3 labels1 pairs1 " "with room again it goes on from there"
    umount disk
elif [ -z "${TSAN_OPTIONS:-}${ASAN_OPTIONS:-}" ]; then
    (ulimit -f 16; make store=disk/store 2>err >out)
    is "$?:$(grep -c 'File too large' err):$(count disk/store/knn)" 2:1:0 "a file that may not grow: make fails, and says why"
    make store=disk/store 2>err >out
    is "$?:$(cut -f2 disk/store/log | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" \
        "0:accuracy1 figures1 knn3 labels1 pairs1 " "with room again it goes on from there"
fi

done_testing
