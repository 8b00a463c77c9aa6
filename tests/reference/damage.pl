#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# damage.pl FILE: writes what is left of FILE when it is cut at each byte (cut.0 is empty), and FILE with a bit flipped
# in each byte, another one from byte to byte (flip.0, ...), into this folder.
use strict;

sub put {
    my ($name, $bytes) = @_;
    open my $file, '>:raw', $name or die "$name: $!";
    print $file $bytes;
}

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!";
my $all = do { local $/; <$file> };
for my $at (0 .. length($all) - 1) {
    put("cut.$at", substr $all, 0, $at);
    my $flipped = $all;
    substr($flipped, $at, 1) ^= chr(1 << $at % 8);
    put("flip.$at", $flipped);
}
