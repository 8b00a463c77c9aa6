# SPDX-License-Identifier: MIT
# Ward's method on the neighbour graph, by its definition: all costs are computed again in each step.
#
# usage: ward.pl DIM K CLUSTERS [tree] <ROWS
#            ROWS: raw float32; prints a label an item, or the merges: smaller number, larger number, height, size
use strict;
use warnings;

my ($dim, $k, $clusters, $tree) = @ARGV;
binmode STDIN;
local $/;
my @number = unpack 'f<*', <STDIN>;
my (@row, @graph);
push @row, [splice @number, 0, $dim] while @number;
for my $row (@row) {
    my $square = 0;
    $square += $_ * $_ for @$row;
    $_ /= sqrt $square for @$row;
}
my $items = @row;

sub square {
    my ($x, $y) = @_;
    my $sum = 0;
    $sum += ($x->[$_] - $y->[$_]) ** 2 for 0 .. $dim - 1;
    return $sum;
}

# edges between items
for my $i (0 .. $items - 1) {
    my @square = map { square($row[$i], $row[$_]) } 0 .. $items - 1;
    my @near = sort { $square[$a] <=> $square[$b] || $a <=> $b } grep { $_ != $i } 0 .. $items - 1;
    $graph[$i]{$_} = $graph[$_]{$i} = 1 for splice @near, 0, $k;
}

# connected components, by their smallest items, and an edge between each two
my @component;
my $components = 0;
for my $first (0 .. $items - 1) {
    next if defined $component[$first];
    my @stack = ($first);
    while (@stack) {
        my $i = pop @stack;
        next if defined $component[$i];
        $component[$i] = $components;
        push @stack, keys %{$graph[$i]};
    }
    $components++;
}
for my $later (0 .. $components - 1) {
    for my $earlier (0 .. $later - 1) {
        my ($least, @ends);
        for my $i (grep { $component[$_] == $later } 0 .. $items - 1) {
            for my $j (grep { $component[$_] == $earlier } 0 .. $items - 1) {
                my $square = square($row[$i], $row[$j]);
                ($least, @ends) = ($square, $i, $j) if !defined $least || $square < $least;
            }
        }
        $graph[$ends[0]]{$ends[1]} = $graph[$ends[1]]{$ends[0]} = 1;
    }
}

# clusters by number: mean, items, and the numbers of those that are adjacent
my %cluster = map { $_ => {mean => $row[$_], items => [$_], near => $graph[$_]} } 0 .. $items - 1;
my $next = $items;
while (keys %cluster > ($tree ? 1 : $clusters)) {
    my @best;
    for my $larger (sort { $a <=> $b } keys %cluster) {
        my $x = $cluster{$larger};
        for my $smaller (sort { $a <=> $b } grep { $_ < $larger } keys %{$x->{near}}) {
            my $y = $cluster{$smaller};
            my ($m, $n) = (scalar @{$x->{items}}, scalar @{$y->{items}});
            my $cost = $m * $n / ($m + $n) * square($x->{mean}, $y->{mean});
            @best = ($cost, $larger, $smaller) if !@best || $cost < $best[0];
        }
    }
    my ($cost, $larger, $smaller) = @best;
    # the cluster with the smallest item is the first of the mean's formula
    my ($x, $y) = sort { $a->{items}[0] <=> $b->{items}[0] } delete @cluster{$larger, $smaller};
    my $share = @{$y->{items}} / (@{$x->{items}} + @{$y->{items}});
    my @mean = map { $x->{mean}[$_] + ($y->{mean}[$_] - $x->{mean}[$_]) * $share } 0 .. $dim - 1;
    my %near = (%{$x->{near}}, %{$y->{near}});
    delete @near{$larger, $smaller};
    for my $other (keys %near) {
        delete @{$cluster{$other}{near}}{$larger, $smaller};
        $cluster{$other}{near}{$next} = 1;
    }
    $cluster{$next++} = {mean => \@mean, near => \%near, items => [sort { $a <=> $b } @{$x->{items}}, @{$y->{items}}]};
    printf "%d\t%d\t%.9g\t%d\n", $smaller, $larger, sqrt(2 * $cost), scalar @{$x->{items}} + @{$y->{items}} if $tree;
}
exit if $tree;
my @label;
for my $number (keys %cluster) {
    $label[$_] = $number for @{$cluster{$number}{items}};
}
print "$_\n" for @label;
