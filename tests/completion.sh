#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Completion of options, choices, commands and files in each shell, from the tables that the tools print.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

unset MAKEFLAGS MAKELEVEL # of the make that runs the tests
mkdir home data
touch data/m0.bin
make -s -C "$CDP_SOURCE" DESTDIR="$PWD/root" PREFIX=/usr install-completion
shared=$PWD/root/usr/share
export HOME=$PWD/home

# A command line, and what its last word is completed to; nothing where it stays.
cases='cdp-knn --metr|--metric
cdp-knn --metric ham|hamming
cdp-knn --metric=ham|hamming
cdp-knn --method a --reca|--recall
cdp-knn -k da|
cdp-knn da|data
cdp-knn data/m|data/m0.bin
cdp-knn --ids data/m|data/m0.bin
cdp-view --columns da|
cdp-score v|vote
cdp-score vote --acc|--accept
cdp-score truth --acc|
cdp-score vote data/m|data/m0.bin
cdp-eval pai|pairs
cdp-eval --form|--format
cdp-eval data/m|data/m0.bin
cdp-eval pairs data/m|data/m0.bin'

# check SHELL: compares the last words of standard input, a line for each case, with those wanted.
check() {
    while IFS='|' read -r line wanted; do
        IFS= read -r got <&3
        got=${got%[ =/]}
        got=${got##*[ =]}
        [ -n "$wanted" ] || wanted=${line##* }
        is "$got" "$wanted" "$1: $line"
    done <<<"$cases" 3<completed
}

# shellcheck disable=SC2317 # called by the completion
compopt() { :; }
complete_in_bash() {
    # As bash splits the words, at = too.
    read -ra COMP_WORDS <<<"${1//=/ = }"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    # shellcheck source=cmd/completion.bash
    . "$shared/bash-completion/completions/${COMP_WORDS[0]}"
    "$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \([^ ]*\) .*/\1/')"
    echo "${COMPREPLY[*]-$1}"
}
while IFS='|' read -r line _; do complete_in_bash "$line"; done <<<"$cases" >completed
check bash

# Tab in a terminal; what the line has become is printed between two @@.
if command -v zsh >/dev/null; then
    cat >in-zsh <<EOT
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=($shared/zsh/site-functions \\\$fpath); autoload -Uz compinit; compinit -u -D
tab() { zle complete-word; print -r -- \"@@\\\$BUFFER@@\"; zle kill-buffer }
zle -N tab; bindkey '^I' tab"
while IFS= read -r line; do
    zpty -w -n shell "\$line"\$'\\t'
    zpty -r shell output '*@@cdp-*@@*' || exit
    print -r -- "cdp-\${\${output##*@@cdp-}%%@@*}"
done
zpty -d shell
EOT
    cut -d '|' -f 1 <<<"$cases" | timeout 60 zsh -f in-zsh >completed
    check zsh
else
    note "no zsh: its completion is not tested"
fi

if command -v fish >/dev/null; then
    export XDG_DATA_DIRS=$shared
    while IFS='|' read -r line _; do
        # shellcheck disable=SC2016 # for fish
        word=$(fish -c 'complete -C $argv[1]' "$line" | cut -f 1)
        echo "${word:-$line}"
    done <<<"$cases" >completed
    check fish
else
    note "no fish: its completion is not tested"
fi

done_testing
