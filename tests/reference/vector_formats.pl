#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# vector_formats.pl: 90 rows of 7 numbers, raw float32 on standard input, in the formats that cdp-knn(1) reads:
# rows.fvecs (TEXMEX: a row is its length as int32, then its numbers), rows.npy (NumPy's format version 1), fortran.npy
# (version 2, columns one after the other), big.npy (version 3, big-endian float64). And rows.bvecs, bytes of its own:
# number d of row r is (5 r + d + 1) x 37 mod 251.
use strict;
use constant { ROWS => 90, DIM => 7 };

sub put {
    my ($name, @bytes) = @_;
    open my $file, '>:raw', $name or die "$name: $!";
    print $file @bytes;
}

# npy VERSION DESCR FORTRAN BYTES
sub npy {
    my ($version, $descr, $fortran, $bytes) = @_;
    my $head = sprintf "{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d), }\n", $descr, $fortran, ROWS, DIM;
    return "\x93NUMPY" . chr($version) . "\0" . pack($version == 1 ? 'v' : 'V', length $head) . $head . $bytes;
}

binmode STDIN;
my $rows = do { local $/; <STDIN> };
my $columns = '';
for my $d (0 .. DIM - 1) {
    $columns .= substr($rows, ($_ * DIM + $d) * 4, 4) for 0 .. ROWS - 1;
}
put('rows.fvecs', map { pack('V', DIM) . substr($rows, $_ * DIM * 4, DIM * 4) } 0 .. ROWS - 1);
put('rows.npy', npy(1, '<f4', 'False', $rows));
put('fortran.npy', npy(2, '<f4', 'True', $columns));
put('big.npy', npy(3, '>f8', 'True', join '', map { pack 'd>', $_ } unpack 'f*', $columns));
put('rows.bvecs', map { my $row = $_; pack 'VC*', DIM, map { (5 * $row + $_) * 37 % 251 } 1 .. DIM } 0 .. ROWS - 1);
