#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The layers of HACKING.md, and no circle among the modules of lib: a module is a .c and a .h file of one name.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# "MODULE INCLUDED" for each include line of our own headers
includes() {
    (cd "$1" && grep -roE '^#include "[^"]+"' . --include='*.[ch]') |
        sed -E 's|^\./||; s|\.[ch]:#include "| |; s|\.h"$||; s|"$||' | sort -u
}

# The lines of includes that go against the layers
wrong_layers() {
    awk 'BEGIN { split("base 1 io 2 stream 3 knn 4 score 4 mediate 4 propagate 4 eval 4 synth 4 baseline 5 combine 5 api 6", word)
            for (i = 1; i in word; i += 2) layer[word[i]] = word[i + 1] }
        { split($1, from, "/"); split($2, to, "/") }
        from[1] != to[1] && !(layer[to[1]] && layer[to[1]] < layer[from[1]])'
}

# Whether pairs have a circle; tsort names its members. A pair of equal words is none.
circle() { ! tsort >/dev/null; }

is "$(printf 'io/a base/b\nio/a io/b\nio/a stream/b\nknn/a eval/b\nknn/a tool\nio/a new/b\n' | wrong_layers | tr '\n' ,)" \
    "io/a stream/b,knn/a eval/b,knn/a tool,io/a new/b," "layers: what is wrong is found"
printf 'a b\nb c\nc a\n' | circle 2>err
is "$?:$(grep -c '^tsort: [abc]$' err)" 0:3 "circles are found"

includes "$CDP_SOURCE/lib" >pairs
[ "$(wc -l <pairs)" -gt 300 ]
ok $? "the include lines of lib are found"
is "$(wrong_layers <pairs)" "" "each layer includes only those to its left, no stage another"
circle <pairs 2>err
is "$?:$(cat err)" "1:" "no module includes itself through others"

# What the object files ask of each other, whatever the headers say
(cd "$CDP_SOURCE/lib" && find . -name '*.c') | sed 's|^\./||; s|\.c$||' | while read -r module; do
    nm "$CDP_BUILD/lib/$module.o" | sed "s|^|$module |"
done | awk '$2 == "U" { wants[$1, $3]; next } NF == 4 && $3 ~ /^[A-TV-Z]$/ { has[$4] = $1 }
    END { for (pair in wants) { split(pair, w, SUBSEP); if (w[2] in has && has[w[2]] != w[1]) print w[1], has[w[2]] } }' |
    sort -u >pairs
[ "$(wc -l <pairs)" -gt 200 ]
ok $? "the calls between the modules of lib are found"
is "$(wrong_layers <pairs)" "" "each layer calls only those to its left, no stage another"
circle <pairs 2>err
is "$?:$(cat err)" "1:" "no module calls itself through others"
done_testing
