#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The folder data/: the tiny set, `make data`, and the commands of data/README.md, in a copy. Files that they would
# download are replaced by small ones of the same format.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine
fashion=/usr/share/datasets/fashion-mnist # Debian: dataset-fashion-mnist

mkdir -p bin data/labeled
ln -s /usr/bin/python3 bin # Debian's, which has NumPy
PATH=$PWD/bin:$PATH
# Each fenced block of commands becomes a file: blocks/01, blocks/02 ...
mkdir blocks
awk '/^```sh$/ { file = sprintf("blocks/%02d", ++n); next } /^```$/ { file = "" } file { print >file }' "$CDP_SOURCE/data/README.md"

# block WORD: the block that contains the word
block() {
    grep -l -- "$1" blocks/* | head -n 1
}
# runs NAME WORD: the block runs
runs() {
    passes "$1" bash -eu -o pipefail "$(block "$2")"
}

# ---- the tiny set

runs "the command of the tiny set" data/labeled/tiny
is "$(diff -r data/labeled/tiny "$CDP_SOURCE/data/labeled/tiny" 2>&1)" "" "makes the bytes in the repository"
[ "$(du -s --apparent-size -B 1 "$CDP_SOURCE/data/labeled/tiny" | cut -f 1)" -lt 300000 ]
ok $? "which are fewer than 300,000"
runs "the pipeline on it" output/pairs.cdp
is "$(awk '/^pairwise/ { print $5, $6, $7 }' out)" "100.00 92.99 96.37" "gives the metrics of the page"
for setting in "0.65 80.89" "0.75 85.19"; do
    read -r threshold f <<<"$setting"
    cdp-score vote --threshold "$threshold" output/m0.cdp | cdp-propagate | cdp-eval - data/labeled/tiny/meta.txt >out
    is "$(awk '/^pairwise/ { print $7 }' out)" "$f" "one model, threshold $threshold"
done
if git -C "$CDP_SOURCE" rev-parse --git-dir >/dev/null 2>&1; then
    is "$(cd "$CDP_SOURCE" && git check-ignore data/README.md data/make data/labeled/tiny/meta.txt data/labeled/other/meta.txt \
        data/unlabeled/other/meta.txt data/demo/meta.txt | tr '\n' ' ')" \
        "data/labeled/other/meta.txt data/unlabeled/other/meta.txt data/demo/meta.txt " "git ignores all other sets"
else
    skip "what git ignores" "no repository"
fi
is "$(make -C "$CDP_SOURCE" -n clean | grep -o 'data[^ ]*')" data/demo "make clean removes no committed data"

# ---- make data

is "$(make -C "$CDP_SOURCE" -n data | grep -c '^CDP_BIN=.* data/make$')" 1 "make data runs data/make"
cp "$CDP_SOURCE/data/make" data
FASHION_MNIST=/nowhere data/make >out 2>err
is "$?:$(cat err):$(grep -c '' out)" "0::3" "data/make without Fashion-MNIST"
is "$(grep -o 'fashion.*install.*' out)" "fashion-mnist: not made: install Debian's package dataset-fashion-mnist" "says how to get it"
is "$(wc -l <data/labeled/synth/meta.txt) $(sort -u data/labeled/synth/meta.txt | wc -l)" "5000 65" "items and identities of the page"
cmp -s data/labeled/synth/features/m0.bin data/unlabeled/synth/features/m0.bin
is $? 1 "the two synthetic sets differ"
touch -d '1 hour ago' data/labeled/synth/list.txt
before=$(stat -c %Y data/labeled/synth/list.txt)
passes "again" data/make
is "$(grep -c 'synth: exists$' out) $(stat -c %Y data/labeled/synth/list.txt)" "2 $before" "sets that exist stay"
if [ -d $fashion ]; then
    is "$(stat -c %s data/labeled/fashion-mnist/features/pixels.bin) $(sort data/labeled/fashion-mnist/meta.txt | uniq -c | tr -s ' \n' ' ')" \
        "31360000  1000 0 1000 1 1000 2 1000 3 1000 4 1000 5 1000 6 1000 7 1000 8 1000 9 " "Fashion-MNIST"
else
    skip "Fashion-MNIST" "dataset-fashion-mnist is not installed"
fi

# ---- the other commands of the page, on small stand-ins

for part in labeled:2 unlabeled:1; do
    rm -r "data/${part%:*}/synth"
    cdp-synth --items 600 --dim 32 --seed "${part#*:}" "data/${part%:*}/synth"
done
bash -eu -o pipefail "$(block cdp-run vote)" >out 2>err
is "$?:$(grep -c 'singular kept' out)" 0:4 "both pipelines on the synthetic sets"

mkdir -p data/unlabeled/emore_u200k/features
cp data/unlabeled/synth/features/m0.bin data/unlabeled/emore_u200k/features/nas.bin
tar -czf data.tar.gz data/unlabeled/emore_u200k
sed -i 's/--dim 256/--dim 32/' "$(block emore_u200k)"
runs "features in an archive" emore_u200k
cp data/unlabeled/synth/features/m0.bin part1_test.bin
cp data/unlabeled/synth/meta.txt part1_test.meta
runs "learn-to-cluster" part1_test
cdp-run single data=data/labeled/part1 base=arcface >out 2>err
is "$?:$(grep -c 'singular kept' out)" 0:2 "which a pipeline reads"

if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    /usr/bin/python3 -c 'import numpy; numpy.save("mine.npy", numpy.fromfile("part1_test.bin", "<f4").reshape(600, 32))'
    runs "npy" mine.npy
    same data/unlabeled/mine/features/m0.bin part1_test.bin "to raw float32"
else
    skip "npy" "no NumPy"
fi
printf 'b\na\n\nb\n' >names.txt
runs "names of labels" names.txt
is "$(tr '\n' ' ' <meta.txt)" "0 1 -1 0 " "become numbers"
perl -e 'local $/ = \128; while (<>) { print pack("V", 32), $_ }' part1_test.bin >sift_base.fvecs
runs "fvecs" sift_base
perl -e 'for $i (1 .. 40) { print join(" ", "word$i", map { sin($i * $_) } 1 .. 50), "\n" }' >glove.6B.50d.txt
runs "word vectors" glove.6B
is "$(cdp-view --to tsv glove.cdp | head -n 1 | cut -f 1)" word1 "with the words as names"
if [ -d $fashion ]; then
    runs "bvecs" fashion.bvecs
else
    skip "bvecs" "dataset-fashion-mnist is not installed"
fi
cdp-knn -k 14 --dim 32 -o mine.cdp part1_test.bin
cdp-view --to npz -o lists.npz mine.cdp
runs "lists of another program" lists.npz
cdp-view --to tsv lists.cdp >got
cdp-view --to tsv mine.cdp >wanted
same got wanted "the same lists"
done_testing
