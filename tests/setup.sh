#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a newcomer runs: the set-up, cdp-synth, the demo. tests/bare.sh runs them on a machine with only git and make.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
export OMP_WAIT_POLICY=passive # many short parallel loops, perhaps on a busy machine

# Nothing is asked of pkg-config before it is installed.
make -C "$CDP_SOURCE" --no-print-directory -n deps PKG_CONFIG=/nowhere/pkg-config BUILD=/nowhere >out 2>err
is "$?:$(cat err)" 0: "make deps without pkg-config: no errors of make's own"
passes "deps: all is installed" "$CDP_SOURCE/.ci/deps" build
is "$(cat out)" "deps: all packages for build are installed" "and says so"
mkdir bare
for tool in env cat id mktemp rm sh; do ln -s "$(command -v $tool)" bare; done
fails 1 "^deps: missing packages .*: gcc libc6-dev pkg-config .* xxhash: install them, then run make again" \
    "deps without apt-get: lists what is missing" env PATH="$PWD/bare" CC=no-cc PKG_CONFIG=no-pkg-config "$CDP_SOURCE/.ci/deps" build
make -C "$CDP_SOURCE" --no-print-directory -n check-built | grep -o 'tests/bare.sh' >out
is "$(cat out)" "" "make check does not run tests/bare.sh"

# ---- cdp-synth replaces what an earlier run wrote, and nothing else

cdp-synth --items 300 --dim 8 --models 12 data
cdp-synth --items 200 --dim 4 --models 2 wanted
touch data/notes data/features/m.bin data/features/m1.npy data/features/m1.bin.old data/features/mobile1.bin
cdp-synth --items 200 --dim 4 --models 2 data
is "$(cd data && find . -type f | sort | tr '\n' ' ')" "./features/m.bin ./features/m0.bin ./features/m1.bin \
./features/m1.bin.old ./features/m1.npy ./features/mobile1.bin ./list.txt ./meta.txt ./notes " \
    "fewer models: those of an earlier run are gone, other files are left"
is "$(for file in list.txt meta.txt features/m0.bin features/m1.bin; do cmp data/$file wanted/$file; done)" "" \
    "and the rest is that of a new folder"
mkdir data/features/m7.bin
fails 1 'data/features/m7.bin: cannot remove' "what cannot be removed" cdp-synth --items 200 --dim 4 --models 2 data
is "$(find data -name list.txt)" "" "a folder that is not complete has no list.txt"

# ---- the demo

ITEMS=1500 CDP_BIN=$CDP_BIN "$CDP_SOURCE/pipelines/demo" "a b" >out 2>err
is "$?:$(cat err)" 0: "the demo, of fewer images"
is "$(grep -A 5 '^strategy' out | awk '{ print $1, $2, NF }' | tr '\n' ,)" \
    "strategy models 12,consensus 1 9,consensus 5 9,vote 1 9,vote 5 9,mediator 5 9," "its table: a header and five rows"
is "$(grep -o 'knn s *train s *cluster s' out | tr -s ' ')" "knn s train s cluster s" "a column for each kind of time"
is "$(awk '/^(consensus +[15]|vote|mediator)/ { print ($8 == "-") }' out | tr '\n' ' ')" "1 1 1 1 0 " \
    "only the mediator is trained"
is "$(wc -l <"a b/labels-mediator-5.txt")" 1500 "labels of all images"
grep 'cdp-run vote ' out >next
bash next >out 2>err
is "$?:$(wc -l <next):$(grep -c 'pairwise singular kept' out)" 0:2:2 "the commands that it recommends work"
done_testing
