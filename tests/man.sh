#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual: every tool has a page, every page has examples that run and caveats, and the options of a page are
# those of its tool.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
unset MAKEFLAGS MAKELEVEL # of the make that runs the tests

# examples PAGE: the lines after "$ " of its EXAMPLES, as they are typed
examples() {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\$ //p' "$1" | sed 's/\\e/\\/g'
}

for page in "$CDP_SOURCE"/man/*.[1-9]; do
    name=$(basename "$page")
    rm -rf run
    cp -r "$CDP_SOURCE/data/labeled/tiny" run
    cd run || exit
    lines=0
    while IFS= read -r line; do
        bash -c "set -o pipefail; $line" >../out 2>../err </dev/null
        status=$?
        # head may leave before its writer has done
        [ $status -eq 0 ] || { [ $status -eq 141 ] && [[ $line == *head* ]]; }
        ok $? "$name: $line"
        [ ! -s ../err ] || sed 's/^/# /' ../err
        lines=$((lines + 1))
    done < <(examples "$page")
    [ $lines -gt 0 ]
    ok $? "$name has examples"
    [ -n "$(sed -n '/^\.Sh CAVEATS$/{n;/^\.Sh/!p}' "$page")" ]
    ok $? "$name has caveats"
    cd ..
done

missing=
while read -r name section; do
    [ -f "$CDP_SOURCE/man/$name.$section" ] || missing="$missing $name($section)"
done < <(sed -n 's/^\.Xr \(cdp[a-z-]*\) \([1-9]\).*/\1 \2/p' "$CDP_SOURCE"/man/*.[1-9] | sort -u)
is "$missing" "" "pages that others refer to exist"

for source in "$CDP_SOURCE"/cmd/cdp-*.c; do
    tool=$CDP_BIN/$(basename "$source" .c)
    name=$(basename "$tool")
    page=$CDP_SOURCE/man/$name.1
    [ -f "$page" ]
    ok $? "$name has a page"
    grep -q "^| .$name. |" "$CDP_SOURCE/README.md" && [ "$(grep -c "^\.\(It \)\?Xr $name 1" "$CDP_SOURCE/man/cdp.7")" -ge 2 ]
    ok $? "$name is in the tables of README.md and cdp(7), and in SEE ALSO"
    [ -f "$page" ] || continue
    commands=$("$tool" --list-options | grep -v '^--' | cut -f1)
    for command in '' $commands; do
        # shellcheck disable=SC2086 # no word where there is no command
        "$tool" $command --list-options | grep '^--' >options || continue
        missing=
        while IFS=$'\t' read -r option letter _ choices default _; do
            grep -q "^\.It.* Fl Fl ${option#--}\b" "$page" || missing="$missing $option"
            [ "$letter" = - ] || grep -q "^\.It Fl ${letter#-} .*Fl Fl ${option#--}\b" "$page" ||
                missing="$missing $letter"
            for choice in ${choices//|/ }; do
                [[ $choice = [-/] ]] || grep -q "^\.\(It\|Cm\).*\b$choice\b" "$page" ||
                    missing="$missing $option=$choice"
            done
            [ "$default" = - ] || sed -n "/^\.It.* Fl Fl ${option#--}\b/,/^\.It.* Fl Fl /p" "$page" |
                sed 's/ , / /g' | grep -qwF -e "$default" || missing="$missing $option=$default"
        done <options
        is "$missing" "" "$name${command:+ $command}: every option and default is in the page"
    done
    grep '^\.It.* Fl Fl ' "$page" | sed 's/.* Fl Fl \([a-z-]*\).*/--\1/' | sort -u >documented
    for command in '' $commands; do
        # shellcheck disable=SC2086
        "$tool" $command --list-options 2>/dev/null | cut -f1
    done | sort -u >real
    is "$(comm -23 documented real)" "" "$name: every option in the page is real"
done

done_testing
