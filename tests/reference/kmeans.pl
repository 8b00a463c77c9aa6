# SPDX-License-Identifier: MIT
# Lloyd's iterations as cdp-baseline kmeans defines them, in the same order of sums, all distances each time.
#
# usage: kmeans.pl DIM ROWS CENTRES: prints a label an item
#        kmeans.pl DIM ROWS LABELS inertia: prints the inertia of a partition
#            ROWS, CENTRES: raw float32
use strict;
use warnings;

my ($dim, $rows, $other, $inertia) = @ARGV;

sub read_rows {
    my ($name) = @_;
    open my $file, '<:raw', $name or die "$name: $!\n";
    local $/;
    my @number = unpack 'f<*', <$file>;
    my @row;
    push @row, [splice @number, 0, $dim] while @number;
    return @row;
}

# eight partial sums, of the terms 0 to 7 modulo 8
sub sum8 {
    my @s = (0) x 8;
    $s[$_ % 8] += $_[$_] for 0 .. $#_;
    return (($s[0] + $s[4]) + ($s[2] + $s[6])) + (($s[1] + $s[5]) + ($s[3] + $s[7]));
}

sub square {
    my ($x, $y) = @_;
    return sum8(map { my $apart = $x->[$_] - $y->[$_]; $apart * $apart } 0 .. $dim - 1);
}

sub mean {
    my @sum = (0) x $dim;
    for my $row (@_) {
        $sum[$_] += $row->[$_] for 0 .. $dim - 1;
    }
    $_ /= @_ for @sum;
    return [@sum];
}

my @row = read_rows($rows);
for my $row (@row) {
    my $inverse = 1 / sqrt sum8(map { $_ * $_ } @$row);
    $_ *= $inverse for @$row;
}

# the rows of each label
sub clusters {
    my %cluster;
    push @{$cluster{$_[$_]}}, $row[$_] for 0 .. $#_;
    return \%cluster;
}

if ($inertia) {
    open my $file, '<', $other or die "$other: $!\n";
    chomp(my @label = <$file>);
    my $sum = 0;
    for my $members (values %{clusters(@label)}) {
        my $mean = mean(@$members);
        $sum += square($_, $mean) for @$members;
    }
    printf "%.12g\n", $sum;
    exit;
}

my @centre = read_rows($other);
my (@label, $changed);
for my $iteration (0 .. 300) {
    $changed = $iteration == 0;
    for my $i (0 .. $#row) {
        my ($best, $nearest) = (9e999, -1);
        for my $c (0 .. $#centre) {
            my $square = square($row[$i], $centre[$c]);
            ($best, $nearest) = ($square, $c) if $square < $best;
        }
        $changed = 1 if $iteration > 0 && $label[$i] != $nearest;
        $label[$i] = $nearest;
    }
    last if !$changed;
    my $clusters = clusters(@label);
    $centre[$_] = mean(@{$clusters->{$_}}) for keys %$clusters;
}
print "$_\n" for @label;
