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
is "$(tsv tsv headed)" "$three" "behind a header line"
printf 'x,score,"b, too",a\n9,.5,1,0\n9,0.25,1,2\n9,1,2,3\n' >table.csv
is "$(tsv csv --columns 4,3,2 table.csv)" "$three" "columns by number, a header line passed over"
fails 2 "--columns must be I,J or I,J,S, columns by number or name with commas between, not 'a'" "too few columns" \
    cdp-view --from csv --columns a table.csv
sed 's/b, too/b/' table.csv >named.csv
is "$(tsv csv --columns a,b,score named.csv)" "$three" "columns by name"
tail -n 3 named.csv >bare.csv
is "$(tsv csv --columns 4,3,2 bare.csv)" "$three" "columns by number without a header line"
unscored=$(printf '0\t1\t1\n1\t2\t1\n2\t3\t1')
is "$(tsv csv --columns a,b named.csv)$(tsv csv --columns 4,3 bare.csv)" "$unscored$unscored" "columns without a score"
fails 1 "named.csv: line 1: no column 'c' in the header line" "a column that is not there" \
    cdp-view --from csv --columns a,c,score named.csv
printf 'a,b,score,a\n7,1,0.5,0\n' >titles.csv
fails 1 "titles.csv: line 1: two columns 'a' in the header line: choose one by its number" "two columns of one name" \
    cdp-view --from csv --columns a,b,score titles.csv
is "$(tsv csv --columns 4,b,score titles.csv)" "$(printf '0\t1\t0.5')" "of which one is chosen by its number"
for same in b,b 1,01 2,b 4,score,4 b,1,2; do
    fails 1 "titles.csv: --columns '.*' and '.*' are one column: choose two" "--columns $same" \
        cdp-view --from csv --columns $same titles.csv
done
for pack in gzip xz zstd; do
    command -v $pack >/dev/null || continue
    $pack -c named.csv >packed
    is "$(tsv csv --columns a,b,score packed)" "$three" "compressed by $pack"
done

printf '%%%%MatrixMarket matrix coordinate real general\n3 3 1\n1 2 0.5\n' >three.mtx
for names in 2 4; do
    seq $names | sed 's/^/n/' >names.$names
    fails 1 "names.$names: $names names, but three.mtx has 3 items" "$names names of 3 items" \
        cdp-view --from mtx --ids names.$names -o never three.mtx
done
fails 1 'standard input: empty' "nothing of a program that failed" cdp-view --from csv -o never </dev/null

# names
printf 'Anna,"Smith, Joe",0.5\r\n"say ""hi""","Smith, Joe",0.25\n"two\nlines",x,1\n' >names.csv
fails 1 'names.csv: line 3: expected a name' "a name with a line break" \
    cdp-view --from csv --ids-out names -o never names.csv
sed -n 1,2p names.csv >two.csv
printf '"say ""hi""",\xff\xfe,1\n' >>two.csv
is "$(tsv csv --ids-out names two.csv)" \
    "$(printf 'Anna\tSmith, Joe\t0.5\nSmith, Joe\tsay "hi"\t0.25\nsay "hi"\t\xff\xfe\t1')" "quoted names"
is "$(cat names)" "$(printf 'Anna\nSmith, Joe\nsay "hi"\n\xff\xfe')" "and kept in a file, whatever their bytes"
printf 'say "hi"\tSmith, Joe\t0.75\nAnna\t\xff\xfe\t0.5\n' >more.tsv
is "$(tsv tsv --ids names more.tsv)" \
    "$(printf 'Anna\t\xff\xfe\t0.5\nSmith, Joe\tsay "hi"\t0.75')" "and known again, between tabs"
cdp-view --from tsv --ids names more.tsv | cdp-propagate >labels
is "$(cat labels)" "$(printf 'Anna\t0\nSmith, Joe\t1\nsay "hi"\t1\n\xff\xfe\t0')" "labels come out with the names"
printf 'Anna\tBob\t1\n' >unknown.tsv
fails 1 "unknown.tsv: line 1: expected a name that is known, got 'Bob'" "an unknown name" \
    cdp-view --from tsv --ids names unknown.tsv
printf 'a\nb\na\n' >twice
fails 1 'twice: line 3: expected a name that no line before has' "a name twice" \
    cdp-propagate --ids twice plain
printf 'a\n' >few
fails 1 'plain: pair 0, 1: an id is not below the number of names, 1' "too few names" \
    cdp-propagate --ids few plain
seq 100000 | awk '{ print "item number " $1 "\titem number " $1 * 7 % 100000 + 200000 "\t0.5" }' >large.tsv
cdp-view --from tsv --ids-out large.names -o large.cdp large.tsv
is "$(wc -l <large.names)" "$(cut -f1,2 large.tsv | tr '\t' '\n' | sort -u | wc -l)" "200,000 names"
cdp-view --to tsv large.cdp | cut -f1,2 | sort >got
cut -f1,2 large.tsv | sort | cmp -s - got
ok $? "each where it belongs"

# arrays
npy() { # DESCR ROWS COLUMNS: an npy of the numbers on standard input
    "$CDP_SOURCE/tests/reference/npy.pl" "$@"
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
printf '%%%%MatrixMarket matrix coordinate pattern general\n5 5 2\n1 2\n4 3\n' >p.mtx
is "$(tsv mtx p.mtx)" "$(printf '0\t1\t1\n2\t3\t1')" "a pattern"
is "$(cdp-view --from mtx p.mtx | cdp-view --header - | grep ^nodes)" "$(printf 'nodes\t5')" "of five items"
cdp-view --from tsv plain | cdp-view --to mtx - >out.mtx
is "$(tsv mtx out.mtx)" "$three" "there and back"
printf '%%%%MatrixMarket matrix coordinate real general\n4 4 1\n0 1 0.5\n' >zero.mtx
fails 1 'zero.mtx: line 3: expected two indices from 1 to the matrix' "an index of 0" \
    cdp-view --from mtx zero.mtx
sed 's/^0 1/5 1/' zero.mtx >beyond.mtx
fails 1 'beyond.mtx: line 3: expected two indices from 1' "an index beyond" cdp-view --from mtx beyond.mtx
sed '2s/.*/5 5 9/' p.mtx >cut.mtx
fails 1 'cut.mtx: line 4: it ends before its 9 entries' "too few entries" cdp-view --from mtx cut.mtx
sed '2s/.*/5 5 1/' p.mtx >long.mtx
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

printf 'a;b;.5\nb;c;.25\n' >semicolons.csv
printf 'a,b,0.5\n' >commas.txt
fails 1 'commas.txt: line 1: the second id is missing: fields are separated by tabs; cdp-view --from csv' "csv where text is expected" \
    cdp-propagate commas.txt
printf 'a b\t\t0.5\n' >blanks.txt
fails 1 'blanks.txt: line 1: the second id is missing: a tab must stand between names' "blanks between names" \
    cdp-propagate blanks.txt
fails 1 'semicolons.csv: line 1: the second id is missing: csv fields are separated by commas, not semicolons' \
    "semicolons for commas" cdp-view --from csv -o never semicolons.csv

# bad text
while IFS='|' read -r text message name; do
    printf '%b' "$text" >bad
    fails 1 "$message" "$name" cdp-view --from tsv -o never bad
done <<'END'
0 1|bad: line 1: the score is missing|a line of two fields
0 1 1\n2 3|bad: line 2: the score is missing|a line of two fields at the end
0 1 1 1\n|bad: line 1: expected three fields|a line of four
0 1 nan\n|bad: line 1: expected a finite number|NaN
0 1 1\n0 1 inf\n|bad: line 2: expected a finite number|infinity
0 1 1\na b c\n|bad: line 2: expected a finite number|a header line that is no first line
0 1 0.5x\n|bad: line 1: expected a finite number|a score with something behind it
END
# passes: what reads plain numbers
fails 1 "/dev/fd/.*: line 1: expected a second id" "an id of 2^63, where ids are numbers" \
    cdp-propagate <(echo 0 9223372036854775808 1)

# whether ids are names
is "$(printf '1\t2\t.5\n2\t007\t.25\n' | tsv tsv -)" "$(printf '1\t2\t0.5\n2\t007\t0.25')" "007 is a name"
printf '7\t8\t.5\n8\t007\t.25\n' >padded
printf '7 08\n' >padded.pairs
fails 1 "padded: line 2: expected a second id \(.*, without leading zeros; cdp-view --from reads names\), got '007'" "and no number" cdp-propagate padded
fails 1 "padded.pairs: line 1: expected a second id \(.*, without leading zeros; cdp-view --from reads names\), got '08'" "nor one of a constraint" \
    cdp-propagate --cannot-link padded.pairs <(printf '7 8 .5\n')
is "$(printf '7,8,.5\n' | tsv csv --named -)" "$(printf '7\t8\t0.5')" "numbers are names on request"
printf '50\t70\t.9\n70\t3\t.8\n' >keys
is "$(cdp-view --from tsv keys 2>&1 >keys.cdp)" \
    'cdp-view: ids are taken as item numbers 0 to 70, 68 of which occur in no pair: --named keeps them as names' "keys of a table are told"
is "$(cdp-view --from tsv <(printf '5000000000 7 .9\n') 2>&1 >large.cdp)" \
    'cdp-view: ids are taken as item numbers 0 to 5000000000, at least 4999999999 of which occur in no pair: --named keeps them as names' \
    "large ones too"
fails 1 'node 5000000000: at most 2\^32 - 2 nodes .* --named' "and by the clusters" cdp-propagate large.cdp
fails 1 'node 5000000000: at most 2\^32 - 2 nodes .* --named' "of both methods" cdp-propagate --method map <(printf '5000000000 7 .9\n')
is "$({ cdp-view --from tsv --named keys; cdp-view --from tsv --nodes 100 keys; printf '0 1 .5\n' | cdp-view --from tsv; } 2>&1 >/dev/null)" "" \
    "not names, a known number of items, or numbers that are all there"
is "$(printf '7,8,.5\n' | cdp-view --from csv --named | cdp-propagate)" "$(printf '7\t0\n8\t0')" "and come out"
printf '5\t6\t.5\n' >numbers.tsv
printf 'a\t6\t.25\n' >one.tsv
is "$(tsv tsv numbers.tsv one.tsv)" "$(printf '5\t6\t0.5\n6\ta\t0.25')" "a name in a later file names all"
is "$(tsv tsv one.tsv numbers.tsv)" "$(printf 'a\t6\t0.25\n6\t5\t0.5')" "and in an earlier one"
is "$(printf '#x\ty\t.5\n#y\t#x\t.25\n' | tsv tsv -)" "$(printf '#x\ty\t0.5\n#x\t#y\t0.25')" "# begins a name"
is "$(printf '# x y\n#\n1\t2\t.5\n# 3\n' | tsv tsv -)" "$(printf '1\t2\t0.5')" "or a comment among numbers"
printf '1\t2\t.5\n#3\t4\t.5\n' >hidden.tsv
fails 1 'hidden.tsv: line 2: expected no # before a pair' "a pair behind # is neither" \
    cdp-view --from tsv -o never hidden.tsv
for id in -1 +1 1.0 1e+05 '1 ' ' 1' NA nan '' None; do
    printf '%s,2,.5\nx,y,.5\n' "$id" >odd.csv
    printf 'x,y,.5\n3,%s,.5\n' "$id" >odder.csv
    fails 1 'odd.csv: line 1: (expected (an id|a name)|the first id is missing)' "'$id' is no id" cdp-view --from csv -o never odd.csv
    fails 1 'odder.csv: line 2: (expected (a second id|a name)|the second id is missing)' "nor behind names" \
        cdp-view --from csv -o never odder.csv
done
for byte in '\t' '\r' '\0'; do
    printf '%b' "x,y,.5\\n\"a${byte}b\",y,.5\\n" >odd.csv
    fails 1 'odd.csv: line 2: expected a name' "a name with $byte" cdp-view --from csv -o never odd.csv
done
printf 'x,y,.5\na,b,.5,note\rc,d,.5,note\n' >return.csv
fails 1 'return.csv: line 2: expected a carriage return at the end' "a line break of old" \
    cdp-view --from csv --columns 1,2,3 -o never return.csv

# quotes: of RFC 4180, and as they are where a field does not begin with one
printf 'a,b,score\n5" x,6" y,.9\nr,s,.8\n7",8",.7\n' >inch.csv
is "$(tsv csv --columns a,b,score inch.csv)" \
    "$(printf '5" x\t6" y\t0.899999976\nr\ts\t0.800000012\n7"\t8"\t0.699999988')" "quotes inside of a field"
printf 'x,"a ""b"" c",.5\n"d,e",x,.25\n"",x,"1"\n' >quotes.csv
fails 1 "quotes.csv: line 3: the first id is missing" "an empty quoted name" cdp-view --from csv -o never quotes.csv
printf 'text,i,j,s\n"two\nlines, ""quoted""\n",1,2,.5\n,3,4,.25\n' >lines.csv
is "$(tsv csv --columns i,j,s lines.csv)" "$(printf '1\t2\t0.5\n3\t4\t0.25')" "line breaks in a field that is not read"
{ printf 'i,j,s,text\n1,2,.5,"'; head -c 3000000 /dev/zero | tr '\0' x; printf '"\n2,3,.25,\n'; } >long.csv
is "$(tsv csv --columns i,j,s long.csv)" "$(printf '1\t2\t0.5\n2\t3\t0.25')" "a field of 3 MB"
printf 'a\tb\tscore\n\t1\t2\n' >empty.tsv
fails 1 'empty.tsv: line 2: the first id is missing' "an empty field keeps its place" \
    cdp-view --from tsv --columns a,b,score -o never empty.tsv
printf '9\t0\t1\t0.9\n\t6\t7\t0.4\n' >empty.tsv
is "$(tsv tsv --columns 2,3,4 empty.tsv)" "$(printf '0\t1\t0.899999976\n6\t7\t0.400000006')" "before those that are read too"

# first lines
for score in NA nan 0.5x '' n/a 'null' '?'; do
    printf 'y,z,%s\na,b,.5\n' "$score" >first.csv
    fails 1 'first.csv: line 1: (expected a finite number|the score is missing)' "a first score '$score' is no header line" \
        cdp-view --from csv -o never first.csv
done
printf 'y,z,similarity\na,b,.5\n' >first.csv
cdp-view --from csv first.csv 2>err | cdp-view --to tsv - >got
is "$(cat got err)" "$(printf 'a\tb\t0.5\ncdp-view: the first line is read as a header line: its score is not a number')" \
    "a header line is noted"
cdp-view --from csv --columns y,z,similarity first.csv 2>err | cdp-view --to tsv - >got
is "$(cat got err)" "$(printf 'a\tb\t0.5')" "but for one that names the columns"

# an item with itself
printf 'q1\tq1\t1\nq1\tq2\t.5\nq2\tq2\t1\n' >hits.tsv
cdp-view --from tsv hits.tsv 2>err | cdp-view --to tsv - >got
is "$(cat got err)" "$(printf 'q1\tq2\t0.5\ncdp-view: 2 pairs of an item with itself left out')" \
    "self hits are left out and counted"

# names are never changed: what is written is read back
perl -e 'srand 7; my @byte = grep { !/[\t\n\r\0]/ } map { chr } 1 .. 255;
    my %seen; while (keys %seen < 2000) { my $name = join "", map { $byte[rand @byte] } 1 .. 1 + rand 6; $seen{$name} = 1 }
    my @name = grep { !/^\xEF\xBB\xBF/ } sort keys %seen; print "$name[$_]\t$name[$_ - 1]\t0.5\n" for 1 .. $#name' >bytes.tsv
cdp-view --from tsv --named bytes.tsv -o bytes.cdp
cdp-view --to tsv --ids-out bytes.names bytes.cdp >bytes.out
cdp-view --from tsv --named bytes.out | cdp-view --to tsv - | cmp -s - bytes.out
ok $? "names of any bytes, through text and back"
cdp-view --from tsv --ids bytes.names bytes.out | cdp-view --digest - >got
is "$(cat got)" "$(cdp-view --digest bytes.cdp)" "and through a file of names"
cdp-propagate --max-size 3000 bytes.cdp >bytes.labels
cdp-eval --format tsv bytes.labels bytes.labels | grep -q "$(printf 'pairwise.kept.fscore\t100')"
ok $? "and through labels"

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
# ---- what other programs write: right, or refused
refused() { # FORMAT TEXT PATTERN NAME
    printf '%b' "$2" >bad
    fails 1 "bad: $3" "$4" cdp-view --from "$1" -o never bad
}
one=$(printf '0\t1\t0.5')
printf 'a,size,b,s\r\n0,5" disk,1,.5\n1,a "b, c,2,.25\n2,"x,\n""y""\r",3,1\n' >inch.csv
fails 1 'inch.csv: line 3: 5 fields, but the first line has 4' "a comma behind a quote within a field" \
    cdp-view --from csv --columns a,b,s -o never inch.csv
sed -i 's/b, c/b c/' inch.csv
is "$(tsv csv --columns a,b,s inch.csv)" "$three" "quotes within fields, line breaks within quotes"
perl -e 'print "a,text,b,s\n0,", "x" x 3000000, ",1,.5\n1,\"", "y, \n" x 500000, "\",2,.25\n2,,3,1\n"' >long.csv
is "$(tsv csv --columns a,b,s long.csv)" "$three" "columns of megabytes that are not chosen"
printf 'a\tx\tb\tscore\n0\t\t1\t.5 \n1\t\t2\t 0.25\r\n2\tz\t3\t1\n' >empty.tsv
is "$(tsv tsv --columns a,b,score empty.tsv)" "$three" "empty fields between tabs"
printf 'a x b score\n0 1 1 .5\n5\t\t6\t.5\n' >bad
fails 1 'bad: line 3: expected blanks between fields, as on the first line' "tabs in a file of blanks" \
    cdp-view --from tsv --columns a,b,score -o never bad
for score in NA n/a nan NaN inf -inf null None '' - '?' '#N/A' 0,5 50% true missing 1.5x 0x1p-1 1e 5e-; do
    refused csv "0,1,\"$score\"\n1,2,.5\n" 'line 1: (expected a finite number|the score is missing)' "a first score of '$score'"
done
refused tsv '0\t1\t0.5\0junk\n' 'line 1: expected a finite number' "a score with NUL in it"
refused tsv '0\t1\t0.5\0\n' 'line 1: expected a finite number' "a score with NUL behind it"
printf '0\t0\t1\n0\t1\t.5\n1\t1\t1\n' >self
cdp-view --from tsv self 2>err | cdp-view --to tsv - >out
is "$(<out):$(<err)" "$one:cdp-view: 2 pairs of an item with itself left out" "self pairs of text"
cdp-propagate self 2>err >out
is "$(tr '\n' ' ' <out):$(<err)" "0 0 :cdp-propagate: 2 pairs of an item with itself left out" "and of its pairs"
echo 0 0 1 0 1 .5 1 1 1 | npy '<f8' 3 3 >self.npy
printf '%%%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 1\n1 2 .5\n2 2 1\n' >self.mtx
for file in self.npy self.mtx; do
    cdp-view --from ${file#*.} $file 2>err | cdp-view --to tsv - >out
    is "$(<out):$(<err)" "$one:cdp-view: 2 pairs of an item with itself left out" "self pairs of ${file#*.}"
done
printf '0\t0\n' >self
fails 1 'self: 1 pair of an item with itself' "an item that stays apart from itself" \
    cdp-propagate --cannot-link self plain

# scores a rounding off
printf '0 1 1.00000012\n1 2 -1e-7\n2 3 .5\n' >off
cdp-view --from tsv off 2>err | cdp-view --to tsv - >out
is "$(<out):$(<err)" "$(printf '0\t1\t1\n1\t2\t0\n2\t3\t0.5'):cdp-view: 2 scores off 0 or 1 by at most 1e-6 rounded to it" \
    "roundings are clamped"
printf '0 1 -1.2e-7\n' >off
is "$(cdp-view -q --from tsv --distance off | cdp-view --to tsv -)" "$(printf '0\t1\t1')" "of distances too"
is "$(cdp-view --from tsv --type knn off | cdp-score vote - | cdp-propagate -q | tr '\n' ' ')" "0 0 " "and in streams"
printf '0 1 1.000002\n' >off
fails 1 'off: scores lie from 1.00000203 to 1.00000203; scores from 0 to 1' "no more than that" \
    cdp-view --from tsv -o never off
fails 1 'off: a score of 1.00000203; at most 1 is wanted: cdp-view' "nor as pairs" cdp-propagate off

# arrays: ids that are none, scores that are none, in any order of rows
spoiled() { # NUMBERS PATTERN NAME
    read -ra numbers <<<"$1"
    echo "$1" | npy '<f8' $((${#numbers[@]} / 3)) 3 >bad.npy
    fails 1 "bad.npy: row $2" "$3" cdp-view --from npy -o never bad.npy
    fails 1 "bad.npy: row $2" "$3, rescaled" cdp-view --from npy --rescale -o never bad.npy
}
spoiled '0 1 .5 0.9 1 .5' '1: 0.9[0-9]* is no id' "a fraction for an id"
spoiled '9007199254740992 1 .5' '0: 9007199254740992 is no id: .* below 2\^53' "an id beyond float64"
spoiled 'nan 1 .5' '0: -?nan is no id' "NaN for an id"
spoiled '0 1 .5 0 1 nan' '1: expected a finite number, got -?nan' "NaN behind another score of the pair"
spoiled '0 1 nan 0 1 .5' '0: expected a finite number, got -?nan' "and before"
spoiled '0 1 inf' '0: expected a finite number, got inf' "an infinite score"

# neighbour lists take neither --distance nor --rescale
echo 0 1 1 0 | npy '<i8' 2 2 >idx.npy
echo 0 .5 0 .5 | npy '<f4' 2 2 >dist.npy
# npz from a pipe, of other arrays, of scipy.sparse
zip_of() { # ARRAY...: an npz of the files ARRAY.npy
    perl -MIO::Compress::Zip=:constants -e 'my $z; for (@ARGV) {
        my @of = (Name => "$_.npy", Method => ZIP_CM_STORE);
        if ($z) { $z->newStream(@of) } else { $z = IO::Compress::Zip->new("-", @of) }
        open my $file, "<", "$_.npy" or die; local $/; $z->print(<$file>) }' "$@"
}
cp pairs.npy other.npy
zip_of pairs scores >pairs.npz
is "$(tsv npz - <pairs.npz)" "$three" "an npz from a pipe"
is "$(tsv npy pairs.npz:pairs pairs.npz:scores.npy)" "$three" "arrays of an npz by name"
zip_of idx dist >lists.npz
is "$(tsv npz lists.npz)" "$(printf '0\t1\t0.5\n1\t0\t0.5')" "lists of an npz"
for option in --distance --rescale; do
    fails 2 '--distance and --rescale are for pairs: lists.npz holds neighbour lists' "$option of lists" \
        cdp-view --from npz $option -o never lists.npz
done
fails 1 "pairs.npz: the archive has no member 'emb': it has pairs.npy, scores.npy" "a missing array" \
    cdp-knn pairs.npz:emb
fails 1 'pairs.npz: an npz archive: name one of its arrays as pairs.npz:ARRAY' "an npz for an array" \
    cdp-knn pairs.npz
zip_of other scores >other.npz
fails 1 'other.npz: expected the arrays idx and dist, .*; it has other, scores' "other arrays" \
    cdp-view --from npz -o never other.npz
printf '\x93NUMPY\1\0\x76\0%-117s\n%s' "{'descr': '|S3', 'fortran_order': False, 'shape': (), }" coo >format.npy
echo 4 4 | npy '<i8' 2 1 >shape.npy
echo .5 .25 1 | npy '<f8' 3 1 >data.npy
echo 1 1 3 | npy '<i8' 3 1 >row.npy
echo 0 2 2 | npy '<i8' 3 1 >col.npy
zip_of format shape data row col >sparse.npz
is "$(tsv npz sparse.npz)" "$three" "a sparse matrix of SciPy, coo"
sed -i 's/coo$/csr/' format.npy
echo 0 0 2 2 3 | npy '<i8' 5 1 >indptr.npy
echo 0 2 2 | npy '<i8' 3 1 >indices.npy
zip_of format shape data indices indptr >sparse.npz
is "$(tsv npz sparse.npz)" "$three" "csr"
echo 4 5 | npy '<i8' 2 1 >shape.npy
zip_of format shape data indices indptr >sparse.npz
is "$(tsv npz sparse.npz)" "$(printf '1\t4\t0.5\n1\t6\t0.25\n3\t6\t1')" "of two tables"
echo 0 0 9 2 3 | npy '<i8' 5 1 >indptr.npy
zip_of format shape data indices indptr >sparse.npz
fails 1 'sparse.npz:indptr.npy: row 2: 9 is not from 0 to 3' "csr beyond its entries" cdp-view --from npz -o never sparse.npz
echo 0 0 2 1 3 | npy '<i8' 5 1 >indptr.npy
zip_of format shape data indices indptr >sparse.npz
fails 1 'sparse.npz: indptr does not rise' "csr that falls" cdp-view --from npz -o never sparse.npz
sed -i 's/csr$/bsr/' format.npy
zip_of format shape data indices indptr >sparse.npz
fails 1 "sparse.npz: a scipy.sparse matrix in the format 'bsr'; csr, csc and coo are read" "bsr" \
    cdp-view --from npz -o never sparse.npz

# matrices: long lines, sizes, symmetry
long=$(printf '%0300d' 0)
printf '%%%%MatrixMarket matrix coordinate real general\n4 4 3\n1 2 0.5%s\n2 %300d 0.25\n3 4 1%300s\n' "$long" 3 '' >long.mtx
is "$(tsv mtx long.mtx)" "$three" "lines of a matrix that are long"
printf '%%%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 .5\n2 1 .25\n2 3 1\n' >two.mtx
is "$(tsv mtx two.mtx)" "$(printf '0\t2\t0.5\n1\t2\t0.25\n1\t4\t1')" "a matrix of two tables"
while IFS='|' read -r kind size pattern; do
    refused mtx "%%MatrixMarket $kind\\n$size\\n1 2 .5\\n" "$pattern" "a matrix: $kind, $size"
done <<'END'
matrix coordinate real general|-3 -3 1|line 2: expected rows, columns and entries, got '-3
matrix coordinate real general|3 3 -1|line 2: expected rows, columns and entries
matrix coordinate real general|9223372036854775807 9223372036854775806 1|9223372036854775807 rows and .* are too many
matrix coordinate real symmetric|2 3 1|line 2: expected a symmetric matrix to be square
matrix coordinate real skew-symmetric|3 3 1|line 1: expected general or symmetric, got 'skew-symmetric'
matrix coordinate complex hermitian|3 3 1|line 1: expected real, integer or pattern, got 'complex'
matrix array real general|3 3|line 1: expected a sparse matrix .*, got 'array'
vector coordinate real general|3 1|line 1: expected %%MatrixMarket
END
perl -e 'print "%%MatrixMarket matrix coordinate real general\n3 3 1\n1 2 0.5\n"' >page.mtx
size=$(wc -c <page.mtx)
head -c $((4096 * 8 - size)) /dev/zero | tr '\0' ' ' >>page.mtx
is "$(tsv mtx page.mtx)" "$one" "a matrix that ends in blanks with its page"

[ ! -e never ]
ok $? "no output after an error"

done_testing
