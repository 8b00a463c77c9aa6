# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for a cdp tool, from the table of options that the tool prints. It is installed
# under the name of each tool.

_cdp() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=("${COMP_WORDS[0]}") listing commands values
    # bash splits --name=value in three.
    [[ $word == = ]] && word=
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    listing=$("${command[@]}" --list-options 2>/dev/null) || return
    commands=$(grep -v '^--' <<<"$listing" | cut -f1)
    if ((COMP_CWORD > 1)) && grep -qxF -e "${COMP_WORDS[1]}" <<<"$commands"; then
        command+=("${COMP_WORDS[1]}")
        listing=$("${command[@]}" --list-options 2>/dev/null) || return
    fi
    # What may follow the word before: choices, / for a file, - for anything else.
    values=/
    [[ $before == -* ]] && values=$(awk -F'\t' -v option="$before" '
        $1 == option || $2 == option { found = $3 == "-" ? "/" : $4 }
        END { print found ? found : "/" }' <<<"$listing")
    if [[ $values == - ]]; then
        return
    elif [[ $values != / ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${values//|/ }" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(grep '^--' <<<"$listing" | cut -f1)" -- "$word")
    else
        ((COMP_CWORD > 1)) || mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
        [[ -n ${COMPREPLY[*]-} ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames
    fi
}
complete -F _cdp "${BASH_SOURCE[0]##*/}"
