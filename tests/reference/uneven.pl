#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# uneven.pl CLASSES GROUPS: of Fashion-MNIST, images of 784 bytes on standard input and a class a line in CLASSES, 6,000
# images of class 0, half as many of class 1, and so on down to 11 of class 9; the first of class 3 is there 1,000 times
# more. Prints float32 rows, and into GROUPS the class of each, or `copies`.
use strict;
open my $classes, '<', $ARGV[0] or die "$ARGV[0]: $!";
open my $groups, '>', $ARGV[1] or die "$ARGV[1]: $!";
binmode STDIN;
binmode STDOUT;
my @kept = (0) x 10;
while (read STDIN, my $image, 784) {
    my $class = 0 + <$classes>;
    next if $kept[$class]++ >= 6000 >> $class;
    my $copies = $class == 3 && $kept[3] == 1 ? 1000 : 0;
    print pack('f<*', unpack 'C*', $image) x (1 + $copies);
    print $groups "$class\n", "copies\n" x $copies;
}
