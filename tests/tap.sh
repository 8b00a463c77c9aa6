# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# TAP for shell tests, which source this.
# The test runs in an empty folder of its own, with the tools on PATH.

set -u
: "${CDP_BIN:?is the folder of the tools}"
PATH=$CDP_BIN:$PATH
export LC_ALL=C
# Two tests run at once, each with threads: threads that wait must not spin.
export OMP_WAIT_POLICY=passive
# How large the tests are: small (under the sanitizers), quick (make check) or long (make test-long).
CDP_TEST_SIZE=${CDP_TEST_SIZE:-quick}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
count=0
failed=0

# note TEXT: what is said beside the results, on standard error, since prove shows that
note() {
    printf '%s\n' "$1" | sed 's/^/# /' >&2
}

# size SMALL QUICK LONG: prints the value for this CDP_TEST_SIZE
size() {
    case $CDP_TEST_SIZE in
    small) echo "$1" ;;
    quick) echo "$2" ;;
    long) echo "$3" ;;
    *)
        note "CDP_TEST_SIZE: small, quick or long is wanted, not '$CDP_TEST_SIZE'"
        exit 2
        ;;
    esac
}

# ok STATUS NAME: passes where STATUS is 0.
ok() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        note "$2: failed"
        failed=1
    fi
}

# is GOT WANTED NAME
is() {
    [ "$1" = "$2" ]
    ok $? "$3"
    [ "$1" = "$2" ] || note "got:    $1
wanted: $2"
}

# same FILE FILE NAME
same() {
    cmp -s "$1" "$2"
    ok $? "$3"
}

# passes NAME COMMAND...: the command exits 0 and says nothing on standard error.
passes() {
    name=$1
    shift
    "$@" >out 2>err
    status=$?
    [ $status -eq 0 ] && [ ! -s err ]
    ok $? "$name"
    [ ! -s err ] || note "$(<err)"
}

# fails STATUS PATTERN NAME COMMAND...: the command exits with exactly that status (a signal's is above
# 128), and says one line on standard error in which PATTERN (a grep -E one) stands.
fails() {
    wanted=$1 pattern=$2 name=$3
    shift 3
    "$@" >out 2>err
    status=$?
    [ $status -eq "$wanted" ] && [ "$(wc -l <err)" -eq 1 ] && grep -qE -- "$pattern" err
    result=$?
    ok $result "$name"
    [ $result -eq 0 ] || note "exit $status: $(<err)"
}

# interruptible COMMAND...: runs it in place of this shell, with an interrupt ending it also where the tests run in the
# background of a shell, which ignores interrupts there.
interruptible() {
    # shellcheck disable=SC2016 # perl's variables
    exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die "$ARGV[0]: $!"' "$@"
}

# eventually COMMAND...: waits until the command succeeds; it fails only where that takes a minute
eventually() {
    local i
    for ((i = 0; i < 3000; i++)); do
        ! "$@" || return 0
        sleep 0.02
    done
    return 1
} 2>/dev/null

# skip NAME REASON: a test that cannot run here, said on standard error too.
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
    note "skipped: $1: $2"
}

# skip_all REASON: ends a test that has nothing to run on.
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$count"
    exit $failed
}
