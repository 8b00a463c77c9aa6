#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# hdbscan.pl DIM MIN-CLUSTER-SIZE MIN-SAMPLES HOW <ROWS: HDBSCAN as cdp-baseline(1) defines it, from all pairs of raw
# float32 rows. HOW: `excess` or `leaf` prints a label a line, `heights` the heights of all merges, ascending.
use strict;
my ($dim, $least, $samples, $how) = @ARGV;

binmode STDIN;
my @number = unpack 'f<*', do { local $/; <STDIN> };
my @row;
while (my @x = splice @number, 0, $dim) {
    my $square = 0;
    $square += $_ * $_ for @x;
    push @row, [map { $_ / sqrt $square } @x];
}
my $n = @row;

# Distances under mutual reachability, and all pairs by them.
my (@far, @core, @pair);
for my $i (0 .. $n - 1) {
    for my $j (0 .. $i - 1) {
        my ($x, $y, $square) = ($row[$i], $row[$j], 0);
        $square += ($$x[$_] - $$y[$_])**2 for 0 .. $dim - 1;
        $far[$i][$j] = $far[$j][$i] = sqrt $square;
    }
    $far[$i][$i] = 0;
}
for my $i (0 .. $n - 1) {
    $core[$i] = $samples > $n ? 9**9**9 : (sort { $a <=> $b } @{ $far[$i] })[$samples - 1];
}
for my $i (0 .. $n - 1) {
    for my $j (0 .. $i - 1) {
        my ($height) = sort { $b <=> $a } $far[$i][$j], $core[$i], $core[$j];
        push @pair, [$height, $i, $j];
    }
}
@pair = sort { $$a[0] <=> $$b[0] } @pair;

# Clusters grow as lists of items. A part is [items, cluster tree below it]; a cluster of the condensed tree is a hash of
# the items that leave it, with their densities, and of the clusters it parts into.
my @part = map { { items => [$_], left => [], below => [] } } 0 .. $n - 1;
my @heights;

sub density { $_[0] > 0 ? 1 / $_[0] : 9**9**9 }

# One merge of all parts that pairs of one height connect
sub merge {
    my ($height, @pairs) = @_;
    my %group;    # of each part that takes part, by its address: the list of parts that it is with
    for (@pairs) {
        my ($a, $b) = @part[@$_[1, 2]];
        next if $a == $b;
        my $one = $group{$a} // [$a];
        my $two = $group{$b} // [$b];
        next if $one == $two;
        push @$one, @$two;
        $group{$_} = $one for @$one;
    }
    my %seen;
    for my $parts (grep { !$seen{$_}++ } values %group) {
        push @heights, ($height) x (@$parts - 1);
        my @large = grep { @{ $$_{items} } >= $least } @$parts;
        my @items = map { @{ $$_{items} } } @$parts;
        my $new = { items => \@items, left => [], below => [] };
        if (@large == 1) {
            $$new{left} = $large[0]{left};
            $$new{below} = $large[0]{below};
            for my $part (grep { $_ != $large[0] } @$parts) {
                push @{ $$new{left} }, map { [$_, density($height)] } @{ $$part{items} };
            }
        }
        else {
            $$new{left} = [map { [$_, density($height)] } @items];
            $$new{below} = \@large;
            $$_{birth} = density($height) for @large;
        }
        $part[$_] = $new for @items;
    }
}

while (@pair) {
    my $height = $pair[0][0];
    my @same;
    push @same, shift @pair while @pair && $pair[0][0] == $height;
    merge($height, @same);
}
if ($how eq 'heights') {
    printf "%.17g\n", $_ for @heights;
    exit;
}

# The clusters kept below a cluster or in its place, and their stability
sub kept {
    my ($cluster) = @_;
    my (@below, $stability, $own);
    for (@{ $$cluster{below} }) {
        my ($sum, @kept) = kept($_);
        $stability += $sum;
        push @below, @kept;
    }
    return ($stability // 0, @below) if !exists $$cluster{birth};
    $own += $$_[1] - $$cluster{birth} for @{ $$cluster{left} };
    return ($stability, @below) if defined $stability && ($how eq 'leaf' || $stability > $own);
    return ($own, $cluster);
}

my @label = (-1) x $n;
my (undef, @kept) = kept($part[0]);
for my $c (0 .. $#kept) {
    $label[$_] = $c for @{ $kept[$c]{items} };
}
print "$_\n" for @label;
