# SPDX-License-Identifier: MIT
# The eigenvalues of spectral clustering: those of the dense Laplacian, by Jacobi's rotations.
#
# usage: spectral.pl DIM K <ROWS
#            ROWS: raw float32; prints all eigenvalues, ascending
use strict;
use warnings;

my ($dim, $k) = @ARGV;
binmode STDIN;
local $/;
my @number = unpack 'f<*', <STDIN>;
my @row;
push @row, [splice @number, 0, $dim] while @number;
for my $row (@row) {
    my $square = 0;
    $square += $_ * $_ for @$row;
    $_ /= sqrt $square for @$row;
}
my $last = $#row;

# (A + A') / 2 without its diagonal: entry 0 of a list is the item itself
my @weight = map { [(0) x @row] } @row;
for my $i (0 .. $last) {
    my @square;
    for my $j (0 .. $last) {
        $square[$j] += ($row[$i][$_] - $row[$j][$_]) ** 2 for 0 .. $dim - 1;
    }
    my @near = sort { $square[$a] <=> $square[$b] || $a <=> $b } grep { $_ != $i } 0 .. $last;
    for my $j (grep { defined } @near[0 .. $k - 2]) {
        $weight[$i][$j] += 0.5;
        $weight[$j][$i] += 0.5;
    }
}
my @degree = map { my $sum = 0; $sum += $_ for @$_; $sum } @weight;
my @matrix;
for my $i (0 .. $last) {
    for my $j (0 .. $last) {
        $matrix[$i][$j] = $weight[$i][$j] ? -$weight[$i][$j] / sqrt($degree[$i] * $degree[$j]) : 0;
    }
    $matrix[$i][$i] = $degree[$i] ? 1 : 0;
}

for (1 .. 100) {
    my $beside = 0;
    for my $p (0 .. $last) {
        for my $q ($p + 1 .. $last) {
            my $x = $matrix[$p][$q];
            $beside += $x * $x;
            next if abs $x < 1e-12;
            my $theta = ($matrix[$q][$q] - $matrix[$p][$p]) / (2 * $x);
            my $t = ($theta < 0 ? -1 : 1) / (abs($theta) + sqrt($theta * $theta + 1));
            my $c = 1 / sqrt($t * $t + 1);
            my $s = $t * $c;
            for my $i (0 .. $last) {
                my ($a, $b) = @{$matrix[$i]}[$p, $q];
                @{$matrix[$i]}[$p, $q] = ($c * $a - $s * $b, $s * $a + $c * $b);
            }
            for my $i (0 .. $last) {
                my ($a, $b) = ($matrix[$p][$i], $matrix[$q][$i]);
                ($matrix[$p][$i], $matrix[$q][$i]) = ($c * $a - $s * $b, $s * $a + $c * $b);
            }
        }
    }
    last if $beside < 1e-20;
}
printf "%.12f\n", $_ for sort { $a <=> $b } map { $matrix[$_][$_] } 0 .. $last;
