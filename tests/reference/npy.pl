#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# npy.pl DESCR ROWS COLUMNS: the numbers on standard input as an npy file of NumPy's format version 1, of the type DESCR
# (<f8, <f4 or <i8) and the shape (ROWS, COLUMNS), or (ROWS,) where COLUMNS is 1.
use strict;
my ($descr, $rows, $columns) = @ARGV;
my %pack = ('<f8' => 'd<', '<f4' => 'f<', '<i8' => 'q<');
my $shape = $columns > 1 ? "($rows, $columns)" : "($rows,)";
my $head = sprintf "%-117s\n", "{'descr': '$descr', 'fortran_order': False, 'shape': $shape, }";
binmode STDOUT;
print "\x93NUMPY\1\0", pack('v', length $head), $head, map { pack $pack{$descr}, $_ } split ' ', join ' ', <STDIN>;
