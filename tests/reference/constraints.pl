#!/usr/bin/perl -w
# SPDX-License-Identifier: MIT
# constraints.pl NODES CANNOT-LINK PAIRS: clusters under constraints as cdp-propagate(1) defines them. PAIRS are sorted,
# highest score first; must-link pairs are among them, with scores of 2. The maximum spanning forest is built by Kruskal,
# then its links again in the same order, without those that bring a cannot-link pair together. Prints a label a node.
use strict;
my ($nodes, $cannot, $pairs) = @ARGV;

open my $file, '<', $cannot or die "$cannot: $!";
my %apart;
while (<$file>) {
    my ($i, $j) = split;
    $apart{"$i $j"} = $apart{"$j $i"} = 1;
}
open $file, '<', $pairs or die "$pairs: $!";
my @pair = map { [split] } <$file>;

# The links of a maximum spanning forest among links that are sorted, and the component of each node. ALLOWED, of a link
# and the nodes of two components, says whether the link may join them.
sub forest {
    my ($allowed, @link) = @_;
    my @of = (0 .. $nodes - 1);
    my @taken;
    for my $link (@link) {
        my ($a, $b) = ($of[ $link->[0] ], $of[ $link->[1] ]);
        next if $a == $b;
        my @a = grep { $of[$_] == $a } 0 .. $nodes - 1;
        my @b = grep { $of[$_] == $b } 0 .. $nodes - 1;
        next unless $allowed->($link, \@a, \@b);
        push @taken, $link;
        $of[$_] = $a for @b;
    }
    return (\@taken, \@of);
}

my ($all) = forest(sub { 1 }, @pair);
my ($taken, $of) = forest(
    sub {
        my ($link, $a, $b) = @_;
        return $link->[2] >= 2 || !grep { my $i = $_; grep { $apart{"$i $_"} } @$b } @$a;
    },
    @$all
);
my %linked = map { $_->[0] => 1, $_->[1] => 1 } @$taken;
my ($next, %number) = (0);
for (0 .. $nodes - 1) {
    print $linked{$_} ? $number{ $of->[$_] } //= $next++ : -1, "\n";
}
