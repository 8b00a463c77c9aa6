#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files as they come: compressed, damaged, in archives, of another kind.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"

unhex() {
    perl -e 'print pack "H*", join "", @ARGV' "$@"
}

# edges FILE: its pairs, or nothing where it is refused.
edges() {
    cdp-view --from tsv "$1" 2>err | cdp-view --to tsv - 2>>err
}

# Two lines of text, and none, by each of the five compressions.
printf '0\t1\t0.5\n1\t2\t0.5\n' >two
two=$(edges two)
declare -A first=(
    [gzip]=1f8b080000000000020333e034e434d033e502005dc75d3708000000
    [bzip2]=425a6839314159265359314963a80000025800003000016200200030c0086340541d70bb9229c284818a4b1d40
    [xz]=fd377a585a000004e6d6b4460200210116000000742fe5a301000730093109302e350a004acdc3e445986f1f00012008bb19d9bb1fb6f37d010000000004595a
    [zstd]=28b52ffd045841000030093109302e350ad35f09cb
    [lz4]=04224d186440a70800008030093109302e350a0000000096ef63c5
) second=(
    [gzip]=1f8b080000000000020333e434e234d033e502006db5637d08000000
    [bzip2]=425a68393141592653594790a8ea000002d8000030000172002000310c0101b280b0c7c5dc914e142411e42a3a80
    [xz]=fd377a585a000004e6d6b4460200210116000000742fe5a301000731093209302e350a00403a72b50b725c6700012008bb19d9bb1fb6f37d010000000004595a
    [zstd]=28b52ffd045841000031093209302e350a5064f275
    [lz4]=04224d186440a70800008031093209302e350a00000000fea7afc8
) none=(
    [gzip]=1f8b080000000000020303000000000000000000
    [bzip2]=425a683917724538509000000000
    [xz]=fd377a585a000004e6d6b446000000001cdf44211fb6f37d010000000004595a
    [zstd]=28b52ffd240001000099e9d851
    [lz4]=04224d186440a700000000055dcc02
)
for pack in gzip bzip2 xz zstd lz4; do
    a=${first[$pack]} b=${second[$pack]} empty=${none[$pack]}
    unhex "$a" "$b" >packed
    is "$(edges packed)" "$two" "$pack: two members"
    unhex "$a" "$empty" "$b" "$(printf '%01024d' 0)" >packed
    is "$(edges packed)" "$two" "$pack: an empty member between, zero bytes behind"
    unhex "$empty" >packed
    is "$(cdp-propagate --nodes 2 packed | tr '\n' ' ')" "-1 -1 " "$pack: an empty file"
    unhex "$a" "$b" 6a756e6b >packed
    fails 1 'packed: cannot decompress: ' "$pack: four bytes behind" cdp-propagate packed
    unhex "$a" "$b" 0000000001 >packed
    fails 1 'packed: cannot decompress: ' "$pack: one byte behind zero bytes" cdp-propagate packed
    unhex "$a" "${second[$([ $pack = gzip ] && echo xz || echo gzip)]}" >packed
    fails 1 'packed: cannot decompress: ' "$pack: a member of another compression behind" cdp-propagate packed
    unhex "$a" "$b" >packed
    "$CDP_SOURCE/tests/reference/damage.pl" packed
    rm cut.0 cut.$((${#a} / 2)) # an empty file, and the first member alone, are whole
    bad=0
    for file in cut.*; do
        cdp-propagate "$file" >out 2>err
        [ $? -eq 1 ] || { bad=$((bad + 1)) && note "$pack $file"; }
    done
    is $bad 0 "$pack: cut at every byte"
    for file in flip.*; do
        cdp-view --from tsv -o packed.cdp "$file" 2>err
        status=$?
        [ $status -eq 1 ] || [ "$(cdp-view --to tsv packed.cdp)" = "$two" ] ||
            { bad=$((bad + 1)) && note "$pack $file"; }
    done
    is $bad 0 "$pack: a bit of every byte flipped"
    rm -f cut.* flip.*
done

# A bomb: zeros that are a four-hundredth of a thousandth when compressed.
head -c 300000000 /dev/zero | zstd -q -o bomb.bin.zst
fails 1 'bomb.bin.zst: [0-9]+ compressed bytes expand to more than 500 times as many' "a bomb" \
    cdp-knn --dim 4 bomb.bin.zst
perl -MIO::Compress::Zip=:constants -e 'my $z = IO::Compress::Zip->new("bomb.zip", Name => "m.bin");
    $z->print("\0" x 1000000) for 1 .. 300'
fails 1 'bomb.zip: [0-9]+ compressed bytes expand to more than 500 times' "a bomb in a zip archive" \
    cdp-knn --dim 4 bomb.zip:m.bin

# ---- archives: ./x is x, the last of one name counts, links lead to what they name
pairs() { # N: a chain of N pairs, which has N + 1 items
    seq "$1" | awk '{ print $1 - 1 "\t" $1 "\t0.5" }'
}
items() {
    cdp-propagate "$1" 2>err | wc -l
}
mkdir -p in/sub
pairs 2 >in/x.tsv
(cd in && tar -cf ../a.tar ./x.tsv && ln x.tsv hard && ln -s ../x.tsv sub/soft && ln -s hard soft &&
    ln -s loop loop && tar -rf ../a.tar ./x.tsv ./hard ./sub/soft soft loop)
pairs 4 >in/x2 && mv in/x2 in/x.tsv
(cd in && tar -rf ../a.tar ./x.tsv)
pairs 6 >in/späť
(cd in && tar -rf ../a.tar --format=pax späť)
gzip -k a.tar
zstd -q a.tar
for archive in a.tar a.tar.gz a.tar.zst; do
    got=
    for member in x.tsv ./x.tsv .//sub/../x.tsv hard sub/soft soft späť; do
        got+="$(items $archive:$member) "
    done
    is "$got" "5 5 5 5 5 5 7 " "$archive: members by other names, replaced ones, links"
    fails 1 "$archive: the archive has no member 'y': it has x.tsv, (x.tsv, )?hard, sub/soft, soft, loop, x.tsv, " \
        "$archive: a missing member, those that are there" cdp-propagate $archive:y
    fails 1 "$archive:loop: a link to 'loop'" "$archive: a link to itself" cdp-propagate $archive:loop
done
is "$(items <(cat a.tar):sub/soft) $(items <(cat a.tar.gz):x.tsv)" "5 5" "archives from pipes"
perl -MIO::Compress::Zip=:constants -e '
    sub pairs { join "", map { $_ - 1 . "\t$_\t0.5\n" } 1 .. shift }
    my $z = IO::Compress::Zip->new("a.zip", Name => "x.tsv", Method => ZIP_CM_STORE, Efs => 1);
    for (["x.tsv", 2], ["sub/sp\xc3\xa4\xc5\xa5", 6], ["x.tsv", 4]) {
        $z->newStream(Name => $_->[0], Method => $_->[1] == 4 ? ZIP_CM_DEFLATE : ZIP_CM_STORE, Efs => 1);
        $z->print(pairs($_->[1]));
    }'
is "$(items a.zip:x.tsv) $(items a.zip:./x.tsv) $(items a.zip:sub/späť)" "5 5 7" "a.zip: the same"
fails 1 "a.zip: the archive has no member 'y': it has x.tsv, " "a.zip: a missing member" cdp-propagate a.zip:y
head -c 300 a.zip >cut.zip
fails 1 "cut.zip: not a tar or zip archive, but a damaged zip archive" "a cut zip archive" \
    cdp-propagate cut.zip:x.tsv
head -c -5 a.tar.gz >cut.tar.gz
fails 1 "cut.tar.gz: cannot decompress" "a cut archive behind the member" cdp-propagate cut.tar.gz:x.tsv
for block in 2 4; do # a byte of a mode, which the checksum of the header covers
    cp a.tar bad.tar
    printf x | dd of=bad.tar bs=1 seek=$((block * 512 + 100)) conv=notrunc status=none
    fails 1 'bad.tar: damaged archive' "a damaged header of a tar archive, block $block" cdp-propagate bad.tar:x.tsv
done
seq 500 | while read -r i; do printf 'member-%03d\n' "$i"; done | tee names | (cd in && xargs touch)
tar -cf many.tar -C in -T names
fails 1 "it has member-001, member-002, .*, \.\.\.$" "of many members the first are named" \
    cdp-propagate many.tar:y

# No compression but the five is undone, and no program is run.
mkdir evil
for program in grzip lrzip lzop lz4 lzma uncompress compress rpm2cpio uudecode xz gzip bzip2 zstd; do
    # shellcheck disable=SC2016 # for the script
    printf '#!/bin/sh\n: >"$CDP_TEST_RUN"\n' >evil/$program
    chmod +x evil/$program
done
export CDP_TEST_RUN=$PWD/run
bad=0
while read -r magic; do
    { printf '%b' "$magic" && printf '%0300d' 0; } >other
    for name in other other:x; do
        PATH=$PWD/evil:$PATH "$CDP_BIN/cdp-propagate" $name >out 2>err
        [ $? -eq 1 ] || bad=$((bad + 1))
    done
done <<'END'
GRZipII\x00\x02\x04:)
LRZI\x00\x06
\x89LZO\x00\x0d\x0a\x1a\x0a
\x1f\x9d\x90
\x5d\x00\x00\x80\x00
LZIP\x01
\xed\xab\xee\xdb\x03\x00
begin 644 x\n
begin-base64 644 x\n
END
is $bad 0 "other compressions are refused"
[ ! -e run ]
ok $? "and no program is run"

# ---- files of another kind say so
while IFS='|' read -r bytes kind; do
    { printf '%b' "$bytes" && printf '%0300d' 0; } >other
    fails 1 "other: .* is wanted, and this is $kind" "no text: $kind" cdp-propagate other
    fails 1 "other: .*, and this is $kind: convert it with numpy.save" "no features: $kind" cdp-knn --dim 4 other
done <<'END'
PAR1|a Parquet file
\x89HDF\r\n\x1a\n|an HDF5 file
\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19|a PyTorch file
PK\x03\x04\x14\x00\x00\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00archive/data.pkl|a PyTorch file
\x80\x04\x95\x0b\x00|a Python pickle
ARROW1\x00\x00|an Arrow file
\x7fELF\x02\x01\x01|a program \(ELF\)
\x20\x01\x00\x00\x00\x00\x00\x00{"a"|a safetensors file
END
printf '0.25,0.5,0.75\n1,2,3\n' >features.csv
fails 1 'features.csv: .*, and this is text: convert it with numpy.save' "features as text" \
    cdp-knn --dim 4 features.csv
passes "raw numbers that look like text, by --format raw" cdp-knn -k 1 --dim 1 --format raw -o never.cdp \
    <(printf '0.25,0.5,0.75\n1,')
printf '\xff\xfe0\x00\n\x00' >utf16
fails 1 'utf16: UTF-16 text: convert it with iconv' "UTF-16" cdp-propagate utf16
: >empty.cdp
fails 1 'empty.cdp: an empty file, not a stream' "an empty stream" cdp-propagate empty.cdp
: >empty.tsv
is "$(cdp-propagate --nodes 1 empty.tsv)" "-1" "an empty list of pairs"

# ---- a byte order mark, trailing blanks and carriage returns, in every text file of numbers
bom=$(printf '\xef\xbb\xbf')
printf '%s0\t1\t0.5 \r\n1\t2\t0.5\t\r\n' "$bom" >marked
is "$(edges marked)" "$two" "pairs"
printf '%s1 \r\n1\t\r\n2\r\n' "$bom" >marked
printf '1\n1\n2\n' >plain
is "$(cdp-eval --format tsv marked plain; cdp-eval --format tsv plain marked)" \
    "$(cdp-eval --format tsv plain plain; cdp-eval --format tsv plain plain)" "labels"
printf '%sa\r\nb\r\nc\r\n' "$bom" >marked
is "$(cdp-propagate --ids marked two | cut -f1 | tr '\n' ' ')" "a b c " "names"
printf '%s0\t1 \r\n' "$bom" >marked
is "$(cdp-propagate --cannot-link marked two | tr '\n' ' ')" "-1 0 0 " "constraints"
printf '%s%%%%MatrixMarket matrix coordinate real general \r\n3 3 2 \r\n1 2 0.5 \r\n2 3 0.5\t\r\n' "$bom" >marked
is "$(cdp-view --from mtx marked | cdp-view --to tsv -)" "$two" "matrices"

done_testing
