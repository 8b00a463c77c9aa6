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

# quantiles of sizes by nearest rank: the smallest size that so many clusters do not exceed
bad=0
for clusters in 1 2 3 4 5 7 9 10 11 20 21 40; do
    for ((c = 1; c <= clusters; c++)); do yes $c | head -n $((c * c)); done >predicted
    cdp-eval --format tsv predicted predicted | grep '^size' >got
    for quantile in min:0 p10:10 p25:25 p50:50 p75:75 p90:90 max:100; do
        rank=$(((${quantile#*:} * clusters + 99) / 100))
        [ $rank -gt 0 ] || rank=1
        printf 'size.%s\t%d\n' "${quantile%:*}" $((rank * rank))
    done >wanted
    cmp -s got wanted || { bad=$((bad + 1)); note "$clusters clusters"; }
done
is $bad 0 "quantiles of sizes are of the nearest rank"

# items of unknown true label: as if they were in neither file
bad=0
for seed in 1 2 3 4 5 6; do
    awk -v seed=$seed 'BEGIN { srand(seed); for (i = 0; i < 200; i++) print int(rand() * 30) - 1 }' >predicted
    awk -v seed=$seed 'BEGIN { srand(seed + 99); for (i = 0; i < 200; i++) print int(rand() * 12) - 1 }' >meta
    [ $seed -lt 4 ] || sed -i 's/^[0-9].*/person &/' meta
    paste predicted meta | awk -F'\t' '$2 != -1' >known
    cdp-eval --format tsv <(cut -f1 known) <(cut -f2 known) >wanted
    cdp-eval --format tsv predicted meta 2>err | paste - wanted | # sums may be in another order
        awk -F'\t' '$1 != $3 || ($2 - $4) ^ 2 > 1e-18 { exit 1 }' || { bad=$((bad + 1)); note "seed $seed"; }
    grep -q "meta: no true label for $((200 - $(wc -l <known))) of 200 items: left out" err || bad=$((bad + 1))
    $reference random-pairs "$seed" 200 300 | cdp-view --from tsv --nodes 200 - >pairs.cdp
    cdp-view --to tsv pairs.cdp | awk -F'\t' 'NR == FNR { of[NR - 1] = $1; next }
        of[$1] != -1 && of[$2] != -1 { pairs++; same += of[$1] == of[$2] }
        END { printf "pairs\t%d\ntrue_pairs\t%d\n", pairs, same }' meta - >wanted
    cdp-eval pairs -q --format tsv pairs.cdp meta | head -n 2 | cmp -s - wanted || { bad=$((bad + 1)); note "pairs, seed $seed"; }
done
is $bad 0 "items and pairs of unknown label are left out, and counted"
fails 1 'm: no true label for any of the 2 items' "no label at all" \
    bash -c 'printf -- "-1\n-1\n" >m; printf "0\n0\n" >p; cdp-eval p m'

# files in the wrong order
printf '3\n3\n0\n0\n' >m
printf '0\n0\n-1\n1\n' >p
passes "the right order" cdp-eval p m
cdp-eval m p 2>err >out
is "$?:$(grep -c 'p looks like clusters, and m does not: are the files swapped' err)" 0:1 "the wrong one, with a hint"

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
fails 1 "m: line 1: expected a cluster's number, or -1, got 'ann': are the files swapped" "names first" cdp-eval m p
bad_labels '0\n0\n-2\n1\n2\n' 'bad: line 3: expected a cluster' bad m
bad_labels '0\n0\n\n1\n2\n' 'bad: line 3 is empty' bad m
bad_labels '7\n7\n7\nfoo\n8\n' "bad: line 4: expected an integer, as on the lines before, got 'foo'" p bad
bad_labels '7\n7\n99999999999999999999\n7\n8\n' 'bad: line 3: expected an integer' p bad
fails 1 'nowhere: cannot open' "a missing file" cdp-eval nowhere m

done_testing
