# SPDX-License-Identifier: MIT
# fish completion for a cdp tool, from the table of options that the tool prints. It is installed
# under the name of each tool.

# __cdp_options CONDITION TOOL [COMMAND]: completes the options of the tool or of its command, where
# the condition holds.
function __cdp_options
    for line in ($argv[2..-1] --list-options 2>/dev/null | string match -- '--*')
        set -l field (string split \t -- $line)
        set -l spec -c $argv[2] -n $argv[1] -l (string sub -s 3 -- $field[1]) -d $field[6]
        test $field[2] = - || set -a spec -s (string sub -s 2 -- $field[2])
        switch $field[4]
            case /
                set -a spec -r -F
            case -
                test $field[3] = - || set -a spec -x
            case '*'
                set -a spec -x -a (string replace -a '|' ' ' -- $field[4])
        end
        complete $spec
    end
end

set -l tool (string replace -r '.*/(.*)\.fish$' '$1' -- (status filename))
type -q $tool; or return
set -l commands
for line in ($tool --list-options 2>/dev/null | string match -v -- '--*')
    set -l field (string split \t -- $line)
    set -a commands $field[1]
    complete -c $tool -n __fish_use_subcommand -a $field[1] -d $field[2]
    __cdp_options "__fish_seen_subcommand_from $field[1]" $tool $field[1]
end
__cdp_options "not __fish_seen_subcommand_from $commands" $tool
