#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other machines, under qemu-user: AArch64, with each of its instruction sets, and s390x, which is big-endian. They pass
# the unit tests, and their results are this machine's. Debian: gcc-aarch64-linux-gnu gcc-s390x-linux-gnu qemu-user.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
: "${CDP_BUILD:?is the folder of what was built}"
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests

[ -n "$(size '' '' yes)" ] || skip_all "only in long tests"
export OMP_NUM_THREADS=2
native=$CDP_BIN

# build MACHINE ARCHITECTURE: builds all for a machine, for which Debian has another name; the tools are then in
# MACHINE/bin. Where something is missing for that, it fails, and `why` says what.
build() {
    local machine=$1 triplet=$1-linux-gnu
    local folder=$CDP_BUILD-$triplet root=$CDP_BUILD-$triplet/sysroot program
    for program in "$triplet-gcc" "qemu-$machine"; do
        why="without $program"
        command -v "$program" >/dev/null || return 1
    done
    mkdir -p "$folder"
    if [ ! -d "$root" ] && ! "$CDP_SOURCE/tests/cross/sysroot" "$2" "$root" >log 2>&1; then
        why="without its libraries: $(tail -n 1 log)"
        return 1
    fi
    make -C "$CDP_SOURCE" -j2 BUILD="$folder" CC="$triplet-gcc --sysroot=$root" AR="$triplet-ar" \
        PKG_CONFIG="env PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/$triplet/pkgconfig pkg-config" \
        everything >log 2>&1
    ok $? "$machine: builds"
    mkdir -p "$machine/bin" "$machine/tests"
    for program in "$folder"/bin/cdp-* "$folder"/tests/*; do
        if [ -x "$program" ] && [ -f "$program" ]; then
            local at=$machine/${program#"$folder/"}
            # shellcheck disable=SC2016 # for the inner shell
            printf '#!/bin/sh\nexec qemu-%s -0 "$0" -L "%s" "%s" "$@"\n' "$machine" "$root" "$program" >"$at"
            chmod +x "$at"
        fi
    done
}

# units MACHINE NAME...: these unit tests
units() {
    local machine=$1 name
    shift
    printf '%s\n' "$@" | xargs -P 2 -I NAME sh -c "$machine/tests/NAME >$machine/NAME.log 2>&1; echo \$? >$machine/NAME.status"
    for name; do
        ok "$(<"$machine/$name.status")" "$machine: unit test $name"
    done
}

# results: of a pipeline of the tools on PATH, into the folder
results() {
    mkdir -p "$1"
    cd "$1" || exit 1
    cdp-synth --items 600 --dim 72 --models 2 made
    for method in exact approx; do
        cdp-knn -q -k 20 --method $method --dim 72 -o $method.cdp made/features/m0.bin
    done
    for metric in l2 l1 linf hamming; do
        cdp-knn -q -k 10 --metric $metric --dim 72 -o $metric.cdp made/features/m1.bin
    done
    cdp-score consensus -q --features made/features/m0.bin -o pairs.cdp exact.cdp
    cdp-score vote -q --threshold 0.5 -o vote.cdp exact.cdp
    cdp-propagate -q --method map -o map.txt pairs.cdp
    cdp-propagate -q --max-size 100 -o sizes.txt vote.cdp
    for stream in *.cdp; do
        cdp-view --digest "$stream"
        cdp-view --to tsv "$stream" | cksum
    done >digests
    cdp-eval --format json map.txt made/meta.txt >eval.json
    cd ..
}

# agree MACHINE: its results are this machine's, and each reads the other's streams
agree() {
    local machine=$1 file
    (PATH=$PWD/$machine/bin:$PATH results "from-$machine") 2>"$machine.err"
    is "$(<"$machine.err")" "" "$machine: the pipeline runs"
    for file in wanted/made/features/m0.bin wanted/made/meta.txt wanted/*.*; do
        file=${file#wanted/}
        case $file in
        *.cdp) is "$("$native/cdp-view" --digest "from-$machine/$file")" "$("$native/cdp-view" --digest "wanted/$file")" \
            "$machine: $file, its digest here" ;;
        *) same "from-$machine/$file" "wanted/$file" "$machine: $file" ;;
        esac
    done
    same "from-$machine/digests" wanted/digests "$machine: digests and text of streams"
    for file in exact vote pairs; do
        is "$("$machine/bin/cdp-view" --to tsv "wanted/$file.cdp" | cksum)" \
            "$("$native/cdp-view" --to tsv "from-$machine/$file.cdp" | cksum)" "$machine: $file.cdp from here there, and back"
    done
}

results wanted

# These take minutes under qemu.
slow='approx|assign|coarse|dense|hyperplane|labels|map|mediate|mst|posterior|rerank|scan|sketch|discretize|stream|posterior'
mapfile -t names < <(cd "$CDP_SOURCE/tests/unit" && printf '%s\n' *.c | sed 's/\.c$//' | grep -vxE "$slow")

if build aarch64 arm64; then
    units aarch64 "${names[@]}" approx mediate
    # The best set of each processor is tested as well as those before it.
    while read -r cpu isa; do
        QEMU_CPU=$cpu aarch64/tests/kernel >got
        is "$?:$(grep -c "^ok .* - $isa: " got)" 0:2 "aarch64: kernels on $cpu, $isa too"
        for set in $isa plain; do
            QEMU_CPU=$cpu CDP_ISA=$set aarch64/bin/cdp-knn -q -k 20 --method exact --dim 72 wanted/made/features/m0.bin | cmp - wanted/exact.cdp
            ok $? "aarch64: exact neighbours on $cpu by $set"
            QEMU_CPU=$cpu CDP_ISA=$set aarch64/bin/cdp-knn -q -k 20 --method approx --dim 72 wanted/made/features/m0.bin | cmp - wanted/approx.cdp
            ok $? "aarch64: approximate neighbours on $cpu by $set"
        done
    done <<<'cortex-a53 neon
cortex-a76 dotprod
max i8mm'
    agree aarch64
else
    skip "aarch64" "$why"
fi
if build s390x s390x; then
    units s390x "${names[@]}"
    agree s390x
else
    skip "s390x" "$why"
fi
done_testing
