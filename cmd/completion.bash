# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for the cdp tools, from the option tables that the tools themselves print.

_cdp() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=("${COMP_WORDS[0]}") listing choices
    # bash splits --name=value in three.
    [[ $word == = ]] && word=
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    listing=$("${command[@]}" --list-options 2>/dev/null) || return
    # A tool of several commands lists their names: complete one, or use the one that is there.
    if [[ $listing != --* ]]; then
        if ((COMP_CWORD == 1)); then
            mapfile -t COMPREPLY < <(compgen -W "$listing" -- "$word")
            return
        fi
        command+=("${COMP_WORDS[1]}")
        listing=$("${command[@]}" --list-options 2>/dev/null) || return
    fi
    choices=$(awk -F'\t' -v word="$before" '$1 == word || $2 == word {
        gsub(/\|/, " ", $4); print $4 }' <<<"$listing")
    if [[ $before == -* && -n $choices && $choices != - ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -f1 <<<"$listing")" -- "$word")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _cdp cdp-config cdp-knn cdp-score cdp-mediate cdp-propagate cdp-eval cdp-view cdp-synth
