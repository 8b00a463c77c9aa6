#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# soft.pl NODES MAX-SIZE LABELS PAIRS: soft labels as cdp-explain(1) defines them. An item of a component of at most
# MAX-SIZE items has its label with share 1. Any other item spreads weight 1 over the pairs for five steps: an item that
# is first reached in a step gets 0.6 x score x the weight it comes from, the largest where there are several. The share
# of a label is the part of the weight on its items. PAIRS has each pair once. Prints item, label, share.
use strict;
my ($nodes, $max_size, $labels, $pairs) = @ARGV;

open my $file, '<', $labels or die "$labels: $!";
chomp(my @label = <$file>);
open $file, '<', $pairs or die "$pairs: $!";
my @near;    # of each item, the other item and the score of its pairs
while (<$file>) {
    my ($i, $j, $score) = split;
    push @{ $near[$i] }, [$j, $score];
    push @{ $near[$j] }, [$i, $score];
}

# The number of items in the component of one.
sub component {
    my ($item) = @_;
    my %seen = ($item => 1);
    my @todo = $item;
    while (defined(my $i = shift @todo)) {
        push @todo, grep { !$seen{$_}++ } map { $_->[0] } @{ $near[$i] };
    }
    return scalar keys %seen;
}

sub weights {
    my ($item) = @_;
    my %weight = ($item => 1);
    my %level = %weight;
    for (1 .. 5) {
        my %next;
        for my $i (keys %level) {
            for (@{ $near[$i] }) {
                my ($j, $score) = @$_;
                my $weight = $level{$i} * 0.6 * $score;
                next if exists $weight{$j} || $weight <= 0;
                $next{$j} = $weight if $weight > ($next{$j} // 0);
            }
        }
        %weight = (%weight, %next);
        %level = %next;
    }
    return %weight;
}

for my $item (grep { $label[$_] >= 0 } 0 .. $nodes - 1) {
    if (component($item) <= $max_size) {
        print "$item\t$label[$item]\t1\n";
        next;
    }
    my %weight = weights($item);
    my (%sum, $all);
    for (keys %weight) {
        $sum{ $label[$_] } += $weight{$_};
        $all += $weight{$_};
    }
    printf "%d\t%d\t%.9g\n", $item, $_, $sum{$_} / $all for sort { $sum{$b} <=> $sum{$a} || $a <=> $b } keys %sum;
}
