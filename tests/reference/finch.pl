# SPDX-License-Identifier: MIT
# FINCH by its definition: all cosines of all means, again for each partition.
#
# usage: finch.pl DIM <ROWS
#            ROWS: raw float32; prints a line an item: its label in each partition
use strict;
use warnings;

my ($dim) = @ARGV;
binmode STDIN;
local $/;
my @number = unpack 'f<*', <STDIN>;
my @row;
push @row, [splice @number, 0, $dim] while @number;

sub unit {
    my ($x) = @_;
    my $square = 0;
    $square += $_ * $_ for @$x;
    return [map { $_ / sqrt $square } @$x];
}

# of unit vectors, the nearest other of each: by their distance, which keeps small angles apart
sub nearest {
    my @unit = @_;
    my @nearest;
    for my $i (0 .. $#unit) {
        my $least = 9e999;
        for my $j (grep { $_ != $i } 0 .. $#unit) {
            my $square = 0;
            $square += ($unit[$i][$_] - $unit[$j][$_]) ** 2 for 0 .. $dim - 1;
            ($least, $nearest[$i]) = ($square, $j) if $square < $least - 1e-13 * ($least < 9 ? $least : 0);
        }
    }
    return @nearest;
}

# labels of connected components, numbered by their first items
sub components {
    my @link = @_;
    my @label = 0 .. $#link;
    my $any = 1;
    while ($any) {
        $any = 0;
        for my $i (0 .. $#link) {
            my $least = $label[$i] < $label[$link[$i]] ? $label[$i] : $label[$link[$i]];
            for my $end ($i, $link[$i]) {
                $any = 1 if $label[$end] != $least;
                $label[$end] = $least;
            }
        }
    }
    my %number;
    my $count = 0;
    for (@label) {
        $number{$_} = $count++ if !exists $number{$_};
        $_ = $number{$_};
    }
    return @label;
}

my @unit = map { unit($_) } @row;
my (@partition, @label);
@label = components(nearest(@unit));
while (1) {
    my $clusters = 0;
    $clusters = $_ >= $clusters ? $_ + 1 : $clusters for @label;
    last if @partition && $clusters == 1;
    push @partition, [@label];
    last if $clusters == 1;
    my (@sum, @count);
    for my $i (0 .. $#unit) {
        $sum[$label[$i]][$_] += $unit[$i][$_] for 0 .. $dim - 1;
        $count[$label[$i]]++;
    }
    my @mean;
    for my $c (0 .. $clusters - 1) {
        $mean[$c] = [unpack 'f*', pack 'f*', map { $_ / $count[$c] } @{$sum[$c]}];
        my ($first) = grep { $label[$_] == $c } 0 .. $#label;
        $mean[$c] = $row[$first] if !grep { $_ != 0 } @{$mean[$c]};
    }
    my @joined = components(nearest(map { unit($_) } @mean));
    @label = map { $joined[$_] } @label;
}
for my $i (0 .. $#row) {
    print join("\t", map { $_->[$i] } @partition), "\n";
}
