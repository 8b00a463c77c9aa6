#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The edge stream: text to stream to text, the same bytes everywhere, and no damage that passes.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

awk 'BEGIN { srand(7); for (e = 0; e < 150000; e++) {
    i = int(rand() * 40000); j = int(rand() * 40000)
    if (i != j) printf "%d\t%d\t%.9g\n", i, j, int(rand() * 8192) / 8192 } }' >pairs.tsv
# The naive way: order each pair, keep its highest score, sort.
awk '{ i = $1; j = $2; if (i > j) { i = $2; j = $1 }
       key = i "\t" j; if (!(key in best) || $3 + 0 > best[key] + 0) best[key] = $3 }
     END { for (key in best) print key "\t" best[key] }' pairs.tsv | sort -n -k1,1 -k2,2 >wanted.tsv

cdp-view --from tsv -o pairs.cdp pairs.tsv
cdp-view --to tsv pairs.cdp >got.tsv
same got.tsv wanted.tsv "text to stream to text: ordered, sorted, highest score of a repeat"
passes "a good stream checks silently" cdp-view --check pairs.cdp
passes "zstd accepts the stream" zstd -tq pairs.cdp
for threads in 1 2 8; do
    cdp-view --from tsv -t $threads - <pairs.tsv | cmp -s - pairs.cdp
    ok $? "same bytes with $threads threads, through pipes"
done
mkfifo fifo
cat pairs.cdp >fifo &
is "$(cdp-view --digest fifo)" "$(cdp-view --digest pairs.cdp)" "reads a fifo"
cdp-view --from tsv --level 19 pairs.tsv >level19.cdp
is "$(cdp-view --digest level19.cdp)" "$(cdp-view --digest pairs.cdp)" \
    "the digest does not depend on the compression level"
sed 's/^40\t/41\t/' pairs.tsv | cdp-view --from tsv - >other.cdp
[ "$(cdp-view --digest other.cdp)" != "$(cdp-view --digest pairs.cdp)" ]
ok $? "the digest depends on the content"

cat pairs.cdp other.cdp | cdp-view --to tsv - >union.tsv
cdp-view --to tsv other.cdp | cat wanted.tsv - | cmp -s - union.tsv
ok $? "streams laid end to end are read as one"
sort -k1,1n -k3,3g pairs.tsv | cdp-view --from tsv --type knn - >knn.cdp 2>err
ok $? "text becomes a knn stream in the order of its sources"
cat pairs.cdp knn.cdp >mixed.cdp
fails 1 'mixed.cdp: stream 2 .*another type' "different types end to end are refused" \
    cdp-view --check mixed.cdp

for packer in gzip xz zstd bzip2 lz4; do
    command -v $packer >/dev/null || continue
    $packer -c <pairs.cdp >packed
    is "$(cdp-view --digest packed)" "$(cdp-view --digest pairs.cdp)" "reads a stream through $packer"
done
mkdir sub && cp pairs.cdp sub/
tar -czf archive.tar.gz sub
is "$(cdp-view --digest archive.tar.gz:sub/pairs.cdp)" "$(cdp-view --digest pairs.cdp)" \
    "reads ARCHIVE:MEMBER"
fails 1 "no member 'sub/none'" "names a missing member" cdp-view --check archive.tar.gz:sub/none

# A stream of format version 1, as version 0.1.0 wrote it.
perl -ne 'chomp; print pack "H*", $_' >old.cdp <<'END'
5c2a4d187300000063647048010002000000000000000000000000000100
0573636f72654b0000006364702d7669657720302e312e30202d2d746f3d
6e6f6e65202d2d66726f6d3d747376202d2d6e6f6465733d30202d2d7479
70653d7061697273202d2d6d65747269633d636f73696e650a4ed81f7a8e
85d9125c2a4d183400000063647042030000000200000019000000440000
0000000000000000001041f95ed43452c5231b5c0da3e932d809ff368001
d9b29b28b52ffd2419080000011000000003080000011000000100100000
020118000000000510000000041800000000001800000000001800000040
801900003f3f3f1041f95e5c2a4d18340000006364704503000000000000
0001000000000000000a000000000000000000003f0000803f8509e9aab0
cf7b35be042ed316bb3136
END
is "$(cdp-view --digest old.cdp) $(cdp-view --to tsv old.cdp | tr '\t\n' ' ;')" \
    "357bcfb0aae90985 0 1 0.5;0 2 0.75;3 9 1;" "a stream of format version 1"
is "$(cdp-view --to tsv old.cdp | cdp-view --from tsv | cdp-view --digest)" 357bcfb0aae90985 \
    "has the digest of the same content today"

# ids beyond 32 bits
printf '5\t9000000000000000000\t0.5\n4294967296\t4294967297\t0.25\n' >wide.tsv
cdp-view --from tsv wide.tsv | cdp-view --to tsv - >got.tsv
same got.tsv wide.tsv "ids of 63 bits survive"
: >empty.tsv
cdp-view --from tsv empty.tsv >empty.cdp
passes "a stream without edges is whole" cdp-view --check empty.cdp

# text that is no edge list
bad_text() {
    printf '%b' "$1" >bad.tsv
    fails 1 "bad.tsv: line 2: $2" "text refused: $2" cdp-view --from tsv -o never.cdp bad.tsv
}
bad_text '1 2 0.5\n1 -7 0.5\n' "expected a second id"
bad_text '1 2 0.5\n1 2\n' "the score is missing"
bad_text '1 2 0.5\n1 2 nan\n' "expected a finite number"
bad_text '1 2 0.5\n1 2 1e99\n' "expected a finite number"
bad_text '1 2 0.5\n1 2 0.5 7\n' "expected three fields"
bad_text '1 2 0.5\n-1 2 0.5\n' "expected an id"
printf '# comment\r\n\r\n 2 1 1e-1 \r\n3\t1\t0.25' >odd.tsv
is "$(cdp-view --from tsv odd.tsv | cdp-view --to tsv - | tr '\n' ';')" \
    "$(printf '1\t2\t0.100000001;1\t3\t0.25;')" "comments, blanks, CR LF and a missing last newline"
fails 1 'not below the number of nodes, 3' "--nodes bounds the ids" \
    cdp-view --from tsv --nodes 3 -o never.cdp pairs.tsv
[ ! -e never.cdp ]
ok $? "no output file after an error"

fails 1 'edge 0, 2: its distance is below the one before' "lists that are not nearest first" \
    bash -c "printf '0 1 .5\n0 2 .25\n' | cdp-view --from tsv --type knn -"

# damage: a small stream cut at every byte, and with each byte flipped
refused() {
    cdp-view --check "$1" >out 2>err
    [ $? -eq 1 ] && [ -s err ]
}
{
    printf '0\t1\t0.5\n0\t2\t0.75\n3\t9\t1\n' | cdp-view --from tsv -
    printf 'x\ty\t0.5\nx\tz\t0.75\n' | cdp-view --from tsv - >named.cdp
} >small.cdp
for small in small named; do
    size=$(wc -c <$small.cdp)
    rm -rf damaged && mkdir damaged
    (cd damaged && "$CDP_SOURCE/tests/reference/damage.pl" ../$small.cdp)
    for kind in cut flip; do
        bad=0
        for file in damaged/"$kind".*; do
            refused "$file" || { bad=$((bad + 1)); note "$file"; }
        done
        is $bad 0 "$small stream, each of $size bytes $kind: exit 1"
    done
done
size=$(wc -c <pairs.cdp)
bad=0
for ((n = 1; n < 60; n++)); do
    head -c $((size * n / 60 + n)) pairs.cdp >./cut
    cdp-propagate -o never.txt ./cut 2>err
    [ $? -eq 1 ] || bad=$((bad + 1))
done
is $bad 0 "a cut large stream: exit 1 from cdp-propagate"
[ ! -e never.txt ]
ok $? "and no labels"
head -c 100 /dev/urandom >noise
fails 1 'noise: not a cdp edge stream' "noise is no stream" cdp-view --check noise
fails 1 'a pairs stream; cdp-score reads knn streams' "a stream of the wrong type" \
    cdp-score vote pairs.cdp

# Control characters of a provenance are masked when it is shown. The header is changed, and summed again.
printf '0\t1\t0.5\n' | cdp-view --from tsv -o shown.cdp -
size=$(perl -e 'read STDIN, $head, 8; print unpack "x4 V", $head' <shown.cdp)
perl -0777 -pe 's/--from/\e[31m\a/' shown.cdp >escape.cdp
sum=$(head -c "$size" escape.cdp | xxh64sum | cut -c1-16)
perl -0777 -i -pe 'BEGIN { ($size, $sum) = (shift, shift) } substr($_, $size, 8) = reverse pack "H*", $sum' \
    "$size" "$sum" escape.cdp
cdp-view escape.cdp >out
grep -q 'cdp-view.*?\[31m?' out && ! grep -q "$(printf '[\033\007]')" out
ok $? "control characters of a provenance are masked"

done_testing
