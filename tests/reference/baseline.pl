#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# Methods of cdp-baseline, naively, from all distances:
#
#   baseline.pl single DIM FILE T                 labels, items at distance <= T connected
#   baseline.pl heights DIM FILE                  lengths of a minimum spanning tree (Prim), ascending
#   baseline.pl dbscan DIM FILE EPS M
#   baseline.pl knn-dbscan DIM FILE K S EPS M
#   baseline.pl rank-order DIM FILE K T
#
# FILE holds float32 rows. A label a line, by first appearance, -1 for noise.
use strict;
use warnings;

my ($method, $dim, $file, @arg) = @ARGV;
open my $in, '<:raw', $file or die "$file: $!\n";
my $bytes = do { local $/; <$in> };
my @number = unpack 'f<*', $bytes;
my $n = @number / $dim;
my @row = map { [@number[$_ * $dim .. ($_ + 1) * $dim - 1]] } 0 .. $n - 1;

sub dot {
    my ($x, $y) = @_;
    my $sum = 0;
    $sum += $x->[$_] * $y->[$_] for 0 .. $dim - 1;
    return $sum;
}

my (@square, @unit, @apart, @versine);
for my $x (@row) {
    push @square, dot($x, $x);
    my $length = sqrt $square[-1];
    push @unit, [map { $_ / $length } @$x];
}
for my $i (0 .. $n - 1) {
    for my $j (0 .. $i) {
        my $sum = 0;
        $sum += ($unit[$i][$_] - $unit[$j][$_])**2 for 0 .. $dim - 1;
        $apart[$i][$j] = $apart[$j][$i] = sqrt $sum;
        my $versine = 1 - dot($row[$i], $row[$j]) / sqrt($square[$i] * $square[$j]);
        $versine = 0 if $sum == 0;
        $versine[$i][$j] = $versine[$j][$i] = $versine;
    }
}

# The first entries of each list, the item itself the first.
sub lists {
    my ($k) = @_;
    my @list;
    for my $i (0 .. $n - 1) {
        my @others = sort { $versine[$i][$a] <=> $versine[$i][$b] || $a <=> $b } grep { $_ != $i } 0 .. $n - 1;
        splice @others, $k - 1 if @others > $k - 1;
        push @list, [$i, @others];
    }
    return @list;
}

# Labels of the connected components of items; ->($i) gives those adjacent to it. Items that are not `in` have none.
sub components {
    my ($adjacent, $in) = @_;
    my @label;
    my $count = 0;
    for my $seed (grep { $in->($_) } 0 .. $n - 1) {
        next if defined $label[$seed];
        my @queue = $seed;
        $label[$seed] = $count;
        while (@queue) {
            for my $j ($adjacent->(shift @queue)) {
                next if defined $label[$j] || !$in->($j);
                $label[$j] = $count;
                push @queue, $j;
            }
        }
        $count++;
    }
    return @label;
}

sub write_labels {
    my ($count, %number) = 0;
    for my $label (@_[0 .. $n - 1]) {
        $number{$label} = $count++ if defined $label && !defined $number{$label};
        print defined $label ? $number{$label} : -1, "\n";
    }
}

my %run = (
    single => sub {
        my ($t) = @_;
        write_labels(components(sub { my ($i) = @_; grep { $apart[$i][$_] <= $t } 0 .. $n - 1 }, sub { 1 }));
    },
    heights => sub {
        my @near = @{$apart[0]};
        my (%in, @height);
        $in{0} = 1;
        for (2 .. $n) {
            my ($next) = sort { $near[$a] <=> $near[$b] } grep { !$in{$_} } 0 .. $n - 1;
            push @height, $near[$next];
            $in{$next} = 1;
            for my $j (0 .. $n - 1) {
                $near[$j] = $apart[$next][$j] if $apart[$next][$j] < $near[$j];
            }
        }
        printf "%.9g\n", $_ for sort { $a <=> $b } @height;
    },
    dbscan => sub {
        my ($eps, $m) = @_;
        my @within = map { my $i = $_; [grep { $apart[$i][$_] <= $eps } 0 .. $n - 1] } 0 .. $n - 1;
        my @core = map { @$_ >= $m } @within;
        my @label = components(sub { @{$within[$_[0]]} }, sub { $core[$_[0]] });
        my %least; # smallest core item of a cluster
        for my $i (grep { $core[$_] } reverse 0 .. $n - 1) { $least{$label[$i]} = $i }
        my @all = @label;
        for my $i (grep { !$core[$_] } 0 .. $n - 1) {
            my @near = sort { $least{$label[$a]} <=> $least{$label[$b]} } grep { $core[$_] } @{$within[$i]};
            $all[$i] = $label[$near[0]] if @near;
        }
        write_labels(@all);
    },
    'knn-dbscan' => sub {
        my ($k, $s, $eps, $m) = @_;
        my @list = lists($k);
        my @reach = map { my $i = $_; [grep { $_ == $i || ($versine[$i][$_] <= $eps && 1 - $versine[$i][$_] >= $s) } @{$list[$i]}] } 0 .. $n - 1;
        my @label;
        for my $seed (0 .. $n - 1) {
            next if defined $label[$seed] || @{$reach[$seed]} < $m;
            my @stack = $seed;
            while (@stack) {
                my $i = pop @stack;
                next if defined $label[$i];
                $label[$i] = $seed;
                push @stack, @{$reach[$i]} if @{$reach[$i]} >= $m;
            }
        }
        write_labels(@label);
    },
    'rank-order' => sub {
        my ($k, $t) = @_;
        my @list = lists($k);
        my @place = map { my $l = $_; +{map { $l->[$_] => $_ } 0 .. $#$l} } @list;
        my @linked = map { {} } 1 .. $n;
        for my $i (0 .. $n - 1) {
            for my $a (1 .. $#{$list[$i]}) {
                my $j = $list[$i][$a];
                next unless defined $place[$j]{$i};
                my $b = $place[$j]{$i} + 1;
                my $apart = (grep { !defined $place[$j]{$_} } @{$list[$i]}[0 .. $a - 1]) +
                    (grep { !defined $place[$i]{$_} } @{$list[$j]}[0 .. $b - 1]);
                $linked[$i]{$j} = $linked[$j]{$i} = 1 if $apart / ($a < $b ? $a : $b) <= $t;
            }
        }
        write_labels(components(sub { keys %{$linked[$_[0]]} }, sub { 1 }));
    },
);
$run{$method}->(@arg);
