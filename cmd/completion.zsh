#compdef
# SPDX-License-Identifier: MIT
# zsh completion for the cdp tools, from the tables of options that the tools print. `make install`
# appends their names to the first line.

local -a call commands specs
local listing name letter argument values default help action

call=($words[1])
listing=$($call --list-options 2>/dev/null) || return
commands=(${${(M)${(f)listing}:#[^-]*}/$'\t'/:})
if (( CURRENT > 2 && ${commands[(I)$words[2]:*]} )); then
    call+=($words[2])
    listing=$($call --list-options 2>/dev/null) || return
    shift words
    (( CURRENT-- ))
    commands=()
fi
while IFS=$'\t' read -r name letter argument values default help; do
    [[ $name == --* ]] || continue
    help=${help//(#m)[\[\]:\\]/\\$MATCH}
    case $values in
    /) action=_files ;;
    -) action=' ' ;;
    *) action="(${values//|/ })" ;;
    esac
    [[ $argument == - ]] && argument= || argument=":${argument//:/\\:}:$action"
    [[ $letter == - ]] || specs+=("*${letter}${argument:++}[$help]$argument")
    specs+=("*${name}${argument:+=}[$help]$argument")
done <<<"$listing"
if (( $#commands && CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands || _files
else
    _arguments -s -S $specs '*:file:_files'
fi
