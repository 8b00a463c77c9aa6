#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Anybody's pairs: text with numbers or names, quoted or not, arrays, matrices; and what bad ones get.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# tsv FORMAT [OPTION]... FILE: what a file becomes, as text
tsv() {
    local format=$1
    shift
    cdp-view --from "$format" "$@" | cdp-view --to tsv -
}
three=$(printf '0\t1\t0.5\n1\t2\t0.25\n2\t3\t1')
printf '0 1 .5\n2\t1\t0.25\r\n# no pair\n\n3 2 1' >plain
is "$(tsv tsv plain)" "$three" "numbers between tabs or blanks"
printf '\xef\xbb\xbf0 1 .5\n2 1 0.25\n3 2 1\n' >bom
is "$(tsv tsv bom)" "$three" "behind a byte order mark"
printf 'one two score\n0 1 .5\n2 1 0.25\n3 2 1\n' >headed
is "$(tsv tsv headed)" "$three" "behind a head line"
printf 'x,score,"b, too",a\n9,.5,1,0\n9,0.25,1,2\n9,1,2,3\n' >table.csv
is "$(tsv csv --columns 4,3,2 table.csv)" "$three" "columns by number, a head line passed over"
fails 2 "wants three columns with commas between, not 'a,b'" "too few columns" \
    cdp-view --from csv --columns a,b table.csv
sed 's/b, too/b/' table.csv >named.csv
is "$(tsv csv --columns a,b,score named.csv)" "$three" "columns by name"
tail -n 3 named.csv >bare.csv
is "$(tsv csv --columns 4,3,2 bare.csv)" "$three" "columns by number without a head line"
fails 1 "named.csv: line 1: no column 'c' in the head line" "a column that is not there" \
    cdp-view --from csv --columns a,c,score named.csv
for pack in gzip xz zstd; do
    command -v $pack >/dev/null || continue
    $pack -c named.csv >packed
    is "$(tsv csv --columns a,b,score packed)" "$three" "compressed by $pack"
done

# names
printf 'Anna,"Smith, Joe",0.5\r\n"say ""hi""","Smith, Joe",0.25\n"two\nlines",x,1\n' >names.csv
fails 1 'names.csv: line 3: expected a name' "a name with a line break" \
    cdp-view --from csv --ids-out names -o never names.csv
sed -n 1,2p names.csv >two.csv
printf '"say ""hi""",\xff\xfe,1\n' >>two.csv
is "$(tsv csv --ids-out names two.csv)" "$(printf '0\t1\t0.5\n1\t2\t0.25\n2\t3\t1')" "quoted names are numbered"
is "$(cat names)" "$(printf 'Anna\nSmith, Joe\nsay "hi"\n\xff\xfe')" "and kept in a file, whatever their bytes"
printf 'say "hi"\tSmith, Joe\t0.75\nAnna\t\xff\xfe\t0.5\n' >more.tsv
is "$(tsv tsv --ids names more.tsv)" "$(printf '0\t3\t0.5\n1\t2\t0.75')" "and known again, between tabs"
cdp-view --from tsv --ids names more.tsv | cdp-propagate --ids names >labels
is "$(cat labels)" "$(printf 'Anna\t0\nSmith, Joe\t1\nsay "hi"\t1\n\xff\xfe\t0')" "labels come out with the names"
printf 'Anna\tBob\t1\n' >unknown.tsv
fails 1 "unknown.tsv: line 1: expected a name that is known, got 'Bob'" "an unknown name" \
    cdp-view --from tsv --ids names unknown.tsv
printf 'a\nb\na\n' >twice
fails 1 'twice: line 3: expected a name that is not there before' "a name twice" \
    cdp-propagate --ids twice plain
printf 'a\n' >few
fails 1 'plain: pair 0, 1: an id is not below the number of names, 1' "too few names" \
    cdp-propagate --ids few plain
seq 100000 | awk '{ print "item number " $1 "\titem number " $1 * 7 % 100000 + 200000 "\t0.5" }' >large.tsv
cdp-view --from tsv --ids-out large.names -o large.cdp large.tsv
is "$(wc -l <large.names)" "$(cut -f1,2 large.tsv | tr '\t' '\n' | sort -u | wc -l)" "200,000 names"
cdp-view --to tsv large.cdp | awk -F'\t' 'NR == FNR { name[n++] = $1; next } { print name[$1] "\t" name[$2] }' \
    large.names - | sort >got
cut -f1,2 large.tsv | sort | cmp -s - got
ok $? "each where it belongs"

# arrays
npy() { # DESCR ROWS COLUMNS: an npy of the numbers on standard input, packed by perl
    perl -e 'my ($descr, $rows, $columns) = @ARGV; my %as = ("<f8" => "d<", "<f4" => "f<", "<i8" => "q<");
        my $shape = $columns > 1 ? "($rows, $columns)" : "($rows,)";
        my $head = sprintf "%-117s\n", "{\x27descr\x27: \x27$descr\x27, \x27fortran_order\x27: False, \x27shape\x27: $shape, }";
        binmode STDOUT; print "\x93NUMPY\1\0", pack("v", 118), $head, map { pack $as{$descr}, $_ } split " ", join " ", <STDIN>' "$@"
}
echo 0 1 .5 2 1 .25 3 2 1 | npy '<f8' 3 3 >triples.npy
is "$(tsv npy triples.npy)" "$three" "an array of triples"
echo 0 1 2 1 3 2 | npy '<i8' 3 2 >pairs.npy
echo .5 .25 1 | npy '<f4' 3 1 >scores.npy
is "$(tsv npy pairs.npy scores.npy)" "$three" "an array of pairs and one of scores"
fails 1 'pairs.npy: rows of 2; expected two ids and a score' "pairs without scores" \
    cdp-view --from npy pairs.npy
echo .5 .25 | npy '<f4' 2 1 >short.npy
fails 1 'short.npy: 2 rows, but 3 are wanted' "too few scores" cdp-view --from npy pairs.npy short.npy
echo 0 -1 .5 | npy '<f8' 1 3 >negative.npy
fails 1 'negative.npy: pairs: row 0: an id is below 0' "a negative id" cdp-view --from npy negative.npy

# matrices
printf '%%%%MatrixMarket matrix coordinate real symmetric\n%% made up\n4 4 4\n2 1 0.5\n3 2 0.25\n4 3 1\n2 2 7\n' >m.mtx
is "$(tsv mtx m.mtx)" "$three" "a symmetric matrix"
printf '%%%%MatrixMarket matrix coordinate pattern general\n4 5 2\n1 2\n4 3\n' >p.mtx
is "$(tsv mtx p.mtx)" "$(printf '0\t1\t1\n2\t3\t1')" "a pattern"
is "$(cdp-view --from mtx p.mtx | cdp-view --header - | grep ^nodes)" "$(printf 'nodes\t5')" "of five items"
cdp-view --from tsv plain | cdp-view --to mtx - >out.mtx
is "$(tsv mtx out.mtx)" "$three" "there and back"
printf '%%%%MatrixMarket matrix coordinate real general\n4 4 1\n0 1 0.5\n' >zero.mtx
fails 1 'zero.mtx: line 3: expected two indices from 1 to the matrix' "an index of 0" \
    cdp-view --from mtx zero.mtx
sed 's/^0 1/5 1/' zero.mtx >beyond.mtx
fails 1 'beyond.mtx: line 3: expected two indices from 1' "an index beyond" cdp-view --from mtx beyond.mtx
sed '2s/1$/9/' p.mtx >cut.mtx
sed -i '2s/.*/4 5 9/' cut.mtx
fails 1 'cut.mtx: line 4: it ends before its 9 entries' "too few entries" cdp-view --from mtx cut.mtx
sed '2s/.*/4 5 1/' p.mtx >long.mtx
fails 1 'long.mtx: line 4: more than its 1 entries' "too many" cdp-view --from mtx long.mtx
fails 1 'plain: line 1: expected %%MatrixMarket' "no matrix" cdp-view --from mtx plain

# scores
printf '0 1 0.25\n1 2 0.75\n' >distances
is "$(tsv tsv --distance distances)" "$(printf '0\t1\t0.75\n1\t2\t0.25')" "distances"
printf '0 1 -3\n1 2 17\n2 3 7\n' >wide
fails 1 'wide: scores lie from -3 to 17; scores from 0 to 1 are wanted: --rescale' "scores of another range" \
    cdp-view --from tsv -o never wide
is "$(tsv tsv --rescale wide)" "$(printf '0\t1\t0\n1\t2\t1\n2\t3\t0.5')" "are rescaled on request"
is "$(tsv tsv --distance --rescale wide)" "$(printf '0\t1\t1\n1\t2\t0\n2\t3\t0.5')" "distances too"

# bad text
while IFS='|' read -r text message name; do
    printf '%b' "$text" >bad
    fails 1 "$message" "$name" cdp-view --from tsv -o never bad
done <<'END'
0 1|bad: line 1: expected a finite number behind the two ids|a line of two fields
0 1 1\n2 3|bad: line 2: expected a finite number|a line of two fields at the end
0 1 1 1\n|bad: line 1: expected three fields|a line of four
0 99999999999999999999 1\n|bad: line 1: expected a second id|a huge id
0 9223372036854775808 1\n|bad: line 1: expected a second id|an id of 2^63
0 1 nan\n|bad: line 1: expected a finite number|NaN
0 1 1\n0 1 inf\n|bad: line 2: expected a finite number|infinity
0 1 1\na b c\n|bad: line 2: expected an id|a head line that is no first line
0 1 0.5x\n|bad: line 1: expected a finite number|a score with something behind it
0 0 1\n|bad: line 1: expected two different ids|an item with itself
END
# anything else: an error that names a line, or pairs, but no crash
bad=0
for seed in $(seq 1 60); do
    perl -e 'srand shift; my @part = ("0", "1", "17", ",", "\t", " ", "\n", "\r\n", "\"", "\"\"", "0.5", "1e9", "nan", "#", "a", "\0",
        "\xff", "%%MatrixMarket matrix coordinate real general\n", "3 3 2\n", "-"); print map { $part[rand @part] } 1 .. 40' \
        "$seed" >any
    for way in "tsv" "csv" "mtx" "npy" "csv --columns 2,1,3" "csv --ids-out never" "tsv --ids-out never"; do
        # shellcheck disable=SC2086 # a format and options
        cdp-view --from $way --rescale -o never.cdp any 2>err
        status=$?
        [ $status -eq 0 ] || { [ $status -eq 1 ] && [ "$(wc -l <err)" -eq 1 ]; } ||
            { bad=$((bad + 1)); note "$seed $way: $status"; }
    done
done
is $bad 0 "random text is refused or read"
rm -f never never.cdp
printf '0,1,"0.5\n2,3,1\n' >open.csv
fails 1 'open.csv: line 1: expected a quote that ends' "a quote that does not end" cdp-view --from csv open.csv
printf '"0"1,1,1\n' >behind.csv
fails 1 'behind.csv: line 1: expected a comma behind the quote' "something behind a quote" \
    cdp-view --from csv behind.csv
: >empty
passes "an empty file holds no pairs" cdp-view --from csv -o empty.cdp empty
is "$(cdp-propagate --nodes 2 empty.cdp | tr '\n' ' ')" "-1 -1 " "and makes no clusters"
fails 2 '--ids-out and --ids exclude each other' "two dictionaries" \
    cdp-view --from csv --ids names --ids-out names two.csv
fails 2 '--columns has no effect without --from tsv or --from csv' "columns of an array" \
    cdp-view --from npy --columns 1,2,3 triples.npy
fails 2 '--distance has no effect without --from' "distances of a stream" cdp-view --distance large.cdp
[ ! -e never ]
ok $? "no output after an error"

done_testing
