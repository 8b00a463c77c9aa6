#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other programs' files by those programs: Python's csv module, NumPy, SciPy. CDP_FORMATS_CASES and CDP_FORMATS_SEED
# try more and others.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

cases=${CDP_FORMATS_CASES:-} seed=${CDP_FORMATS_SEED:-1}
# compare NAME CASES SCRIPT MODULE: runs the script where Python has the module.
compare() {
    local python
    for python in python3 /usr/bin/python3 ''; do
        [ -z "$python" ] || ! "$python" -c "import $4" 2>/dev/null || break
    done
    if [ -z "$python" ]; then
        skip "$1" "no Python with $4"
        return
    fi
    is "$("$python" "$CDP_SOURCE/tests/reference/$3" "${cases:-$2}" "$seed" 2>&1 | head -n 5)" "" "$1"
}
compare "random CSV as the csv module reads it" "$(size 50 200 1000)" csv_dialects.py csv
compare "random arrays and matrices of NumPy and SciPy" "$(size 30 120 600)" arrays.py scipy.sparse

done_testing
