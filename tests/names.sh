#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Names of items, from the first input to labels, tables, messages and evaluation.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

# names: everywhere, and in any order
printf 'Ann,Bob,.9\nBob,Cy,.8\nCy,Dee,.4\nEve,Fay,.7\n#x,Fay,.75\n"Gil, Jo",007,.95\n' >named.csv
cdp-view --from csv -o named.cdp named.csv
is "$(cdp-propagate --max-size 3 named.cdp | tr '\t\n' '= ')" \
    "Ann=0 Bob=0 Cy=0 Dee=1 Eve=2 Fay=2 #x=2 Gil, Jo=3 007=3 " "labels with names"
is "$(cdp-view --from csv named.csv | cdp-propagate --max-size 3 | cksum)" \
    "$(cdp-propagate --max-size 3 named.cdp | cksum)" "through a pipe"
is "$(cdp-explain why '#x' Eve named.cdp | tr '\t' ' ')" "$(printf '#x Fay 0.75\nFay Eve 0.699999988 weakest')" \
    "names in a path"
printf 'a:b,c,.5\na,b:c,.5\na,a:b,.5\n' | cdp-view --from csv -o colons.cdp
is "$(cdp-explain why b:c a:b colons.cdp | wc -l)" 2 "names with colons"
fails 1 "no item is named 'b:d' \(did you mean 'b:c'\?\)" "an unknown name, and a near one" \
    cdp-explain why a:b b:d colons.cdp
fails 1 "no item is named 'nobody'$" "a name that nothing is near" cdp-explain why nobody a:b colons.cdp
is "$(cdp-explain audit --max-size 3 named.cdp | cut -f1,7 | tr '\t\n' '= ')" "label=medoid 0=Bob 1=Dee 2=Fay 3=Gil, Jo " \
    "names in an audit"
cdp-explain soft --max-size 3 named.cdp | cut -f1 | uniq | tr '\n' ' ' >got
is "$(cat got)" "Ann Bob Cy Dee Eve Fay #x Gil, Jo 007 " "names of soft labels"
printf '#x\tAnn\n' >must.tabs
printf '#x,Ann\n"Gil, Jo",007\n' >must.commas
printf 'Ann\tBob\nEve\t#x\n' >cannot.tabs
for must in must.tabs must.commas; do
    is "$(cdp-propagate --must-link $must named.cdp | grep -c '	0$')" 7 "must-link by names: $must"
done
is "$(cdp-propagate --cannot-link cannot.tabs --max-size 3 named.cdp | tr '\t\n' '= ')" \
    "Ann=-1 Bob=0 Cy=0 Dee=0 Eve=-1 Fay=1 #x=1 Gil, Jo=2 007=2 " "cannot-link by names"
printf 'Ann\tZoe\n' >unknown.names
fails 1 "unknown.names: line 1: expected a name that is known, got 'Zoe'" "an unknown name" \
    cdp-propagate --cannot-link unknown.names named.cdp
printf '#x\tEve\n' >both
cdp-propagate --must-link both --cannot-link both named.cdp 2>err
is "$?:$(head -n 1 err)" "1:cdp-propagate: items #x and Eve are cannot-linked, but must-links of both connect them: #x, Eve" \
    "a contradiction of names"

cdp-propagate --max-size 3 -o named.labels named.cdp
perl -e 'srand 3; my @line = <STDIN>; while (@line) { print splice @line, rand @line, 1 }' <named.csv >shuffled.csv
cdp-view --from csv -o shuffled.cdp shuffled.csv
cdp-propagate --max-size 3 shuffled.cdp | cdp-relabel --previous named.labels --changes named.changes | sort >got
is "$(cat named.changes)$(cat got)" "$(sort named.labels)" "earlier labels by name, rows in another order: no change"
printf 'Zoe,Ann,.9\n' | cat - named.csv | grep -v '^Eve' | cdp-view --from csv -o later.cdp
cdp-propagate --max-size 4 later.cdp | cdp-relabel --previous named.labels --changes named.changes >got
is "$(tr '\t\n' '= ' <named.changes)" "added=Zoe=-=0 gone=Eve=2=- " "changes by name" || cat named.changes
cdp-propagate --max-size 3 <(cdp-view --to tsv --ids-out numbers.names named.cdp >/dev/null; printf '0 1 .9\n') >numbers
fails 1 'numbers: the items have names: expected NAME<tab>LABEL' "earlier labels without names" \
    cdp-relabel --previous numbers named.labels
printf 'Nobody\t3\n' >others
fails 1 'others: no name in common with the labels' "earlier labels of other names" \
    cdp-relabel --previous others named.labels
printf '0 1 .9\n1 2 .8\n' >numbers.tsv
fails 1 'named.labels: its lines have names, but the items have none' "or with names, of numbers" \
    cdp-relabel --previous named.labels <(cdp-propagate numbers.tsv)
fails 1 'numbers.tsv: its items have numbers, but those of named.cdp have names' "a mix of inputs" \
    cdp-propagate named.cdp numbers.tsv
fails 1 "colons.cdp: node 0 is named 'a:b', but 'Ann' before" "other names" cdp-propagate named.cdp colons.cdp
sed 's/Dee/Deb/' numbers.names >few.names
fails 1 'few.names: its names are not those of named.cdp.*cdp-view --from with --ids' "a names file of other names" \
    cdp-propagate --ids few.names named.cdp
passes "the stream's own names" cdp-propagate --ids numbers.names named.cdp
cdp-forest -o forest.cdp named.cdp
is "$(cdp-propagate --max-size 3 forest.cdp | cksum)" "$(cdp-propagate --max-size 3 named.cdp | cksum)" "a forest keeps names"
cdp-view --from csv --named <(cat named.csv; echo Zoe,Dee,.85) -o more.cdp
is "$(cdp-propagate forest.cdp more.cdp | cksum)" "$(cdp-propagate more.cdp | cksum)" "and later ones continue them"
awk -F'\t' '{ print $1 "\t" ($2 < 0 ? NR + 10 : $2) }' named.labels | sort >named.truth
is "$(cdp-sweep --thresholds 0.45:0.45:1 --max-sizes 3 --labels named.truth named.cdp | tail -n 1 | cut -f7-9)" \
    "$(printf '100.0000\t100.0000\t100.0000')" "true labels of a sweep by name"


# evaluation by name
is "$(cdp-eval --format tsv named.labels named.truth 2>&1 | grep '^pairwise.*fscore')" \
    "$(printf 'pairwise.kept.fscore\t100\npairwise.removed.fscore\t100')" "clusters and true labels in other orders"
grep -v '^Cy' named.truth >few.truth
{ cat few.truth; printf 'Zoe\t2\n'; } >other.truth
cdp-eval --format tsv named.labels other.truth >out 2>err
is "$(cut -d: -f2- err | tr '\n' ';')" \
    " named.labels: no label for 1 item of other.truth: in no cluster; other.truth: no true label for 1 of 10 items: left out;" \
    "missing items are noted"
printf 'Ann\t0\nBob\t0\nDee\t1\nEve\t2\nFay\t2\n#x\t2\nGil, Jo\t3\n007\t3\nZoe\t-1\n' >by.hand
cut -f1 other.truth >other.order
awk -F'\t' 'NR == FNR { label[$1] = $2; next } { print label[$1] }' by.hand other.order >by.hand.lines
cut -f2 other.truth >other.lines
cdp-eval --format tsv by.hand.lines other.lines >wanted
same out wanted "and counted as by hand"
fails 1 'named.labels has names of items, other.lines has none: give it lines of NAME<tab>LABEL, or its names by --ids' "names on one side only" \
    cdp-eval named.labels other.lines
passes "names given to the other side" cdp-eval --ids other.order other.truth other.lines
is "$(cdp-eval --format tsv --ids other.order other.truth other.lines | grep pairwise.kept.fscore)" \
    "$(printf 'pairwise.kept.fscore\t100')" "by their file"
printf 'p\t1\nq\t2\n' >strangers
fails 1 'have no name in common' "no item in common" cdp-eval named.labels strangers
is "$(cdp-eval pairs named.cdp named.truth)" "pairs 6, true 5, accuracy 83.33" "pairs by name"
fails 1 'other.lines: the items have names' "pairs with names, labels without" cdp-eval pairs named.cdp other.lines

# from features to labels
cdp-synth --items 300 --identities 12 --dim 16 --models 2 data
awk '{ print "photo " $1 }' data/list.txt >photos
paste photos data/meta.txt | sort -r >photos.meta
for m in 0 1; do
    cdp-knn -k 8 --dim 16 --ids photos -o m$m.cdp data/features/m$m.bin
    cdp-knn -k 8 --dim 16 -o bare$m.cdp data/features/m$m.bin
done
cdp-score vote --accept 1 m0.cdp m1.cdp | cdp-propagate >labels
is "$(cut -f2 labels)" "$(cdp-score vote --accept 1 bare0.cdp bare1.cdp | cdp-propagate)" "names change no label"
is "$(cut -f1 labels | cksum)" "$(cksum <photos)" "and come out in the rows' order"
features="--features data/features/m0.bin --features data/features/m1.bin"
# shellcheck disable=SC2086 # options
cdp-score features $features m0.cdp m1.cdp >features.cdp
cdp-mediate train -q --labels photos.meta -o model features.cdp
# shellcheck disable=SC2086
cdp-score features $features bare0.cdp bare1.cdp | cdp-mediate train -q --labels data/meta.txt -o bare.model -
cdp-mediate apply -q --model model --threshold 0.5 features.cdp | cdp-view --to tsv - >got
# shellcheck disable=SC2086
cdp-score features $features bare0.cdp bare1.cdp |
    cdp-mediate apply -q --model bare.model --threshold 0.5 - | cdp-view --to tsv - |
    awk -F'\t' 'NR == FNR { name[n++] = $0; next } { print name[$1] "\t" name[$2] "\t" $3 }' photos - >wanted
same got wanted "a mediator trained and applied by name is the same"
is "$(cdp-score truth --labels photos.meta m0.cdp | cdp-view --to tsv - | wc -l)" \
    "$(cdp-score truth --labels data/meta.txt bare0.cdp | cdp-view --to tsv - | wc -l)" "true pairs by name"
fails 1 '3 names, but .* has 300 rows' "too few names of rows" \
    cdp-knn -k 8 --dim 16 --ids <(head -n 3 photos) data/features/m0.bin
cat <(cdp-knn -k 8 --dim 16 --ids photos --rows 0:100 data/features/m0.bin) \
    <(cdp-knn -k 8 --dim 16 --ids photos --rows 100: data/features/m0.bin) >parts.cdp
is "$(cdp-score vote parts.cdp | cdp-view --digest -)" "$(cdp-score vote m0.cdp | cdp-view --digest -)" "parts with names"

# a pipe never gives another table's names, whatever file is there
printf 'left,right,score\na,b,.9\nb,c,.8\n' >table.csv
for ((n = 0; n < 20; n++)); do
    cp strangers names
    cdp-view --from csv --columns left,right,score --ids-out names table.csv | cdp-propagate
done | sort | uniq -c | tr -s ' ' >got
is "$(cat got)" "$(printf ' 20 a\t0\n 20 b\t0\n 20 c\t0')" "names in a pipe"

# A csv file in the place of names
tiny=$CDP_SOURCE/data/labeled/tiny/features/m0.bin
seq 440 | sed 's/$/,de/' >rows.csv
is "$(cdp-knn -k 2 --dim 48 --ids rows.csv -o rows.cdp "$tiny" 2>&1)" \
    "cdp-knn: rows.csv: are these rows of a csv file? names only are wanted, one a line" "rows are told"
seq 440 | sed 's/$/, de/' >people
seq 440 | sed '7s/$/,de/' >some
is "$(for names in people some; do cdp-knn -k 2 --dim 48 --ids $names -o rows.cdp "$tiny"; done 2>&1)" "" "names with commas are not"
{ echo name && seq 440; } >headed
fails 1 '441 names, but .* has 440 rows: is the first line a header\?$' "a header" cdp-knn -k 2 --dim 48 --ids headed "$tiny"
seq 440 >plain.labels
fails 1 '441 names, but plain.labels has 440 labels: is the first line a header\?$' "of labels" cdp-relabel --ids headed plain.labels
fails 1 '441 names, but plain.labels has 440 labels: is the first line a header\?$' "and their metrics" cdp-eval --ids headed plain.labels plain.labels
fails 1 '441 names, but --nodes 440: is the first line a header\?$' "of pairs" cdp-propagate --nodes 440 --ids headed <(printf '0 1 1\n')
fails 1 'by headed: is the first line a header\?$' "of features" cdp-cluster -q --dim 48 --ids headed "$tiny"
fails 1 '442 names, but .* has 440 rows$' "not of other numbers" cdp-knn -k 2 --dim 48 --ids <(cat headed <(echo more)) "$tiny"

done_testing
