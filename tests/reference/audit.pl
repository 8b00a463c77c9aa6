#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# audit.pl LABELS PAIRS: the table of cdp-explain(1) audit, by its definitions. Of each cluster: label, items, pairs
# within it, their share of all that could be, the highest score at which the pairs from it on still connect the items,
# the bridges (pairs without which fewer items are connected), and the medoid (the item of the highest sum of scores, the
# first of equal ones). PAIRS has each pair once.
use strict;
my ($labels, $pairs) = @ARGV;

open my $file, '<', $labels or die "$labels: $!";
chomp(my @label = <$file>);
open $file, '<', $pairs or die "$pairs: $!";
my @pair = map { [split] } <$file>;

# The number of items that pairs connect with one.
sub reached {
    my ($from, @use) = @_;
    my %seen = ($from => 1);
    my $more = 1;
    while ($more) {
        $more = 0;
        for (@use) {
            my ($i, $j) = @$_;
            $seen{$i} = $seen{$j} = $more = 1 if !$seen{$i} != !$seen{$j};
        }
    }
    return scalar keys %seen;
}

my @items;    # of each cluster
push @{ $items[ $label[$_] ] }, $_ for grep { $label[$_] >= 0 } 0 .. $#label;
for my $cluster (0 .. $#items) {
    my @item = @{ $items[$cluster] };
    my @own = grep { $label[ $_->[0] ] == $cluster && $label[ $_->[1] ] == $cluster } @pair;
    my ($bridges, $weakest, $medoid) = (0);
    my %sum = map { $_ => 0 } @item;
    for my $pair (@own) {
        my ($i, $j, $score) = @$pair;
        $bridges++ if reached($i, grep { $_ != $pair } @own) < reached($i, @own);
        $sum{$i} += $score;
        $sum{$j} += $score;
        $weakest = $score
            if @item == reached($item[0], grep { $_->[2] >= $score } @own)
            && (!defined $weakest || $score > $weakest);
    }
    for (@item) {
        $medoid = $_ if !defined $medoid || $sum{$_} > $sum{$medoid} + 1e-9;
    }
    printf "%d\t%d\t%d\t%s\t%s\t%d\t%d\n", $cluster, scalar @item, scalar @own,
        @item > 1 ? sprintf('%.6f', 2 * @own / (@item * (@item - 1))) : '-',
        @item > 1 ? sprintf('%.6f', $weakest) : '-', $bridges, $medoid;
}
