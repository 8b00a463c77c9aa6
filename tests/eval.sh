#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Evaluation against quadratic counting, its formats, and what bad labels get.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

bad=0
for seed in 1 2 3 4 5 6; do
    awk -v seed=$seed 'BEGIN { srand(seed); for (i = 0; i < 300; i++)
        print int(rand() * rand() * 12 * seed) - 1 }' >predicted
    awk -v seed=$seed 'BEGIN { srand(seed + 99); for (i = 0; i < 300; i++)
        print int(rand() * rand() * 40) }' >meta
    $reference eval predicted meta >wanted
    cdp-eval --format tsv predicted meta >got
    awk -F'\t' 'NR == FNR { got[$1] = $2; next }
        { d = got[$1] - $2; if (d < 0) d = -d; if (!($1 in got) || d > 1e-6) { print "# " $0; bad = 1 } }
        END { exit bad }' got wanted || bad=1
done
is $bad 0 "six random labellings equal the quadratic reference"

printf '0\n0\n1\n1\n-1\n' >p
printf 'ann\nann\nann\nbob\nbob\n' >m
cdp-eval p m >text
grep -q '^pairwise *50.00 *33.33 *40.00 *50.00 *25.00 *33.33$' text
ok $? "percentages of two decimals"
is "$(cdp-eval --format json p m | perl -MJSON::PP -0777 -ne '$j = decode_json($_);
    printf "%.4f %.4f %.4f %d %d", $j->{pairwise}{kept}{recall}, $j->{pairwise}{removed}{fscore},
        $j->{discard_ratio}, $j->{items}, $j->{size}{max}')" "25.0000 40.0000 0.2000 5 2" "json"
is "$(cdp-eval --format tsv - m <p | grep discarded)" "$(printf 'discarded\t1')" \
    "labels from standard input"
printf -- '-1\n-1\n' >none
printf '1\n2\n' >two
passes "all items discarded" cdp-eval none two
cdp-eval --format json none two | perl -MJSON::PP -0777 -ne 'decode_json($_)'
ok $? "what cannot be told is null"
printf '0\r\n1\r\n' >crlf
is "$(cdp-eval --format tsv crlf two | grep ari.kept)" "$(printf 'ari.kept\t100')" "CR LF"

bad_labels() {
    printf '%b' "$1" >bad
    fails 1 "$2" "$2" cdp-eval "${@:3}"
}
bad_labels '0\n0\n1\n1\n' 'bad: 4 labels, but m has 5' bad m
bad_labels '0\n0\n1\n1\n2\n2\n' 'bad: 6 labels, but m has 5' bad m
bad_labels '' 'bad: holds no labels' bad m
bad_labels '0\n0\nx y\n1\n2\n' "bad: line 3: expected a cluster's number, or -1, got 'x y'" bad m
bad_labels '0\n0\n-2\n1\n2\n' 'bad: line 3: expected a cluster' bad m
bad_labels '0\n0\n\n1\n2\n' 'bad: line 3 is empty' bad m
bad_labels '7\n7\n7\nfoo\n8\n' "bad: line 4: expected an integer, as on the lines before, got 'foo'" p bad
bad_labels '7\n7\n99999999999999999999\n7\n8\n' 'bad: line 3: expected an integer' p bad
fails 1 'nowhere: cannot open' "a missing file" cdp-eval nowhere m

done_testing
