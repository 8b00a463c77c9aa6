#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What holds for every program: help, version, wrong usage, full disks, closed pipes.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

cdp-synth --items 300 --identities 12 --dim 8 --models 1 data
cdp-knn -k 5 --dim 8 -o m0.cdp data/features/m0.bin
cdp-score vote -o pairs.cdp m0.cdp
cdp-propagate -o labels pairs.cdp
cdp-score features --features data/features/m0.bin -o features.cdp m0.cdp
cdp-mediate train -q --labels data/meta.txt -o model features.cdp
cat >config.yaml <<'EOF'
base: m0
data_name: .
feat_dim: 8
k: 6
strategy: vote
vote: {accept_num: 0, threshold: 0.6}
EOF

# A command line for each program that works and writes to standard output.
declare -A runs=(
    [cdp-knn]="-k 5 --dim 8 data/features/m0.bin"
    [cdp-score vote]="m0.cdp"
    [cdp-score features]="--features data/features/m0.bin m0.cdp"
    [cdp-score consensus]="-q --features data/features/m0.bin m0.cdp"
    [cdp-score truth]="--labels data/meta.txt m0.cdp"
    [cdp-mediate train]="-q --labels data/meta.txt features.cdp"
    [cdp-mediate apply]="--model model --threshold auto features.cdp"
    [cdp-mediate show]="model"
    [cdp-propagate]="pairs.cdp"
    [cdp-forest]="pairs.cdp"
    [cdp-sweep]="pairs.cdp"
    [cdp-explain why]="0 1 pairs.cdp"
    [cdp-explain audit]="pairs.cdp"
    [cdp-explain soft]="pairs.cdp"
    [cdp-relabel]="labels"
    [cdp-eval]="labels data/meta.txt"
    [cdp-eval pairs]="pairs.cdp data/meta.txt"
    [cdp-baseline single]="--dim 8 data/features/m0.bin"
    [cdp-baseline dbscan]="--dim 8 data/features/m0.bin"
    [cdp-baseline chinese-whispers]="--dim 8 data/features/m0.bin"
    [cdp-baseline finch]="--dim 8 data/features/m0.bin"
    [cdp-baseline kmeans]="--clusters 3 --dim 8 data/features/m0.bin"
    [cdp-baseline minibatch]="--clusters 3 --dim 8 data/features/m0.bin"
    [cdp-baseline knn-dbscan]="--dim 8 data/features/m0.bin"
    [cdp-baseline rank-order]="--dim 8 data/features/m0.bin"
    [cdp-baseline hdbscan]="--dim 8 data/features/m0.bin"
    [cdp-baseline spectral]="--clusters 3 --dim 8 data/features/m0.bin"
    [cdp-baseline ward]="--clusters 3 --dim 8 data/features/m0.bin"
    [cdp-baseline leiden]="--dim 8 data/features/m0.bin"
    [cdp-cluster]="-q --dim 8 data/features/m0.bin"
    [cdp-report]="labels"
    [cdp-view]="--to tsv pairs.cdp"
    [cdp-config]="config.yaml"
)
for source in "$CDP_SOURCE"/cmd/cdp-*.c; do
    tool=$CDP_BIN/$(basename "$source" .c)
    name=$(basename "$tool")
    printf '%s\n' "${!runs[@]}" cdp-synth | grep -q "^$name\b"
    ok $? "$name is tested here"
done
for name in cdp-score cdp-mediate cdp-explain cdp-baseline; do
    "$name" --list-options | while IFS=$'\t' read -r command _; do
        [ -n "${runs[$name $command]+set}" ] || echo "$command"
    done >missing
    is "$(cat missing)" "" "all commands of $name are tested here"
done

for program in "${!runs[@]}" cdp-synth cdp-score cdp-mediate cdp-explain cdp-baseline; do
    read -ra words <<<"$program"
    case $program in
    cdp-score | cdp-mediate | cdp-explain | cdp-baseline) needs_command=1 ;;
    *) needs_command= ;;
    esac
    passes "$program --help" "${words[@]}" --help
    [ "$(wc -l <out)" -le 40 ] && [ "$(wc -L <out)" -le 80 ] && grep -q '^Example:' out
    ok $? "$program --help fits a screen and has an example"
    cp out help
    if [ -z "$needs_command" ]; then
        "${words[@]}" --list-options | while IFS=$'\t' read -r option _; do
            grep -q -e "$option\b" help || echo "$option"
        done >missing
        is "$(cat missing)" "" "$program --help shows every option"
    fi
    same <("${words[@]}" -h) help "$program -h is --help"
    same <("${words[@]}" -V) <("${words[@]}" --version) "$program -V is --version"
    passes "$program --version" "${words[@]}" --version
    grep -qE '^cdp-[a-z -]+ [0-9]+\.[0-9]+\.[0-9]+$' out
    ok $? "$program --version names the program and the version"
    fails 1 'standard output: cannot write' "$program --help to a full disk" \
        bash -c '"$@" --help >/dev/full' - "${words[@]}"
    [ -z "$needs_command" ] || continue
    fails 2 "unknown option '--bogus'; try '$program --help'" "$program --bogus" \
        "${words[@]}" --bogus
    fails 2 "must be a whole number" "$program -t x" "${words[@]}" -t x
done

for program in "${!runs[@]}"; do
    read -ra words <<<"$program ${runs[$program]}"
    if [ "$program" = "cdp-baseline leiden" ] && "${words[@]}" 2>&1 | grep -q 'without igraph'; then
        skip "$program runs" "no igraph"
        continue
    fi
    passes "$program runs" "${words[@]}"
    cp out whole
    fails 1 '(standard output|/dev/full): cannot write: No space left' "$program to a full disk" \
        bash -c '"$@" >/dev/full' - "${words[@]}"
    fails 1 '/dev/full: cannot write: No space left' "$program -o /dev/full" \
        "${words[@]}" -o /dev/full
    fails 1 'standard output: cannot write: Bad file descriptor' "$program with no standard output" \
        bash -c '"$@" >&-' - "${words[@]}"
    fails 1 "nowhere/file: cannot create" "$program -o into no folder" "${words[@]}" -o nowhere/file
    echo old >file
    "${words[@]}" -o file
    same file whole "$program -o replaces a file"
    "${words[@]}" -v 2>err >out
    grep -qE '^cdp-.* s, .* MB peak memory$' err
    ok $? "$program -v tells time and memory"
done

# Standard input has its name in messages.
head -n 20 data/meta.txt >short
cdp-knn -k 5 --dim 8 --rows 0:10 -o part.cdp data/features/m0.bin
while IFS='|' read -r file message line; do
    read -ra words <<<"$line"
    "${words[@]}" <"$file" >/dev/null 2>err
    grep -qF -e "$message" err
    ok $? "$line <$file: $message"
done <<'EOT'
part.cdp|standard input: the lists of rows 0:10 only|cdp-score vote m0.cdp -
short|standard input: 20 labels|cdp-score truth --labels - m0.cdp
short|standard input: 20 labels|cdp-eval - data/meta.txt
short|but standard input has 20|cdp-eval labels -
short|standard input: line|cdp-knn --dim 8 --ids - data/features/m0.bin
labels|standard input: line 1: the second id is missing|cdp-view --from tsv -
labels|standard input: line 1: keys|cdp-config -
EOT

# A reader that goes away ends the writer silently, by the signal.
cdp-view --to tsv m0.cdp >/dev/null
for ((i = 0; i < 60; i++)); do cat m0.cdp; done >long.cdp
bash -c 'cdp-view --to tsv long.cdp 2>err | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"' >status
is "$(cat status)$(cat err)" 141 "a reader that went away: silent, as cat"

# An interrupted program leaves nothing.
mkfifo fifo
mkdir clean
cdp-view --to tsv -o clean/tsv fifo &
pid=$!
exec 3>fifo
head -c 1000 m0.cdp >&3
# shellcheck disable=SC2317 # eventually calls it
has_files() { [ -n "$(ls -A "$1")" ]; }
eventually has_files clean
kill -TERM $pid
wait $pid 2>/dev/null
is "$?:$(ls -A clean)" "143:" "an interrupted program leaves no file"
exec 3>&-

# So does one whose file reaches the limit of its size. (The thread sanitizer cannot live under one.)
if [ -z "${TSAN_OPTIONS:-}" ]; then
    fails 1 'clean/tsv: cannot write: File too large' "a file limited in size" \
        bash -c 'ulimit -f 1; cdp-view --to tsv -o clean/tsv long.cdp'
    is "$(ls -A clean)" "" "and nothing is left of it"
fi

# Binary is not written to a terminal.
if script -qec true /dev/null </dev/null >out 2>&1; then
    script -qec "cdp-score vote m0.cdp" /dev/null </dev/null >out
    grep -q 'a terminal; this output is binary' out
    ok $? "binary is not written to a terminal"
fi
is "$(cdp-synth --items 300 --progress always data2 2>&1)" "cdp-synth: features: 20 %" \
    "progress where there is no terminal: a line at once, the next ones seconds later"
cdp-propagate --progress never pairs.cdp 2>err >/dev/null
[ ! -s err ]
ok $? "and is off on request"
cdp-knn -k 5 --dim 8 data/features/m0.bin 2>&1 >/dev/null | cmp -s - /dev/null
ok $? "no progress where there is no terminal"

done_testing
