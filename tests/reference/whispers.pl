# SPDX-License-Identifier: MIT
# Chinese whispers as cdp-baseline defines it, on a knn stream.
#
# usage: cdp-view LISTS.cdp | whispers.pl ITEMS SIMILARITY SEED ROUNDS: prints a class an item
use strict;
use warnings;

my ($items, $similarity, $seed, $rounds) = @ARGV;

# splitmix64, modulo 2^64
sub times64 {
    my ($x, $y) = @_;
    use integer;
    return $x * $y;
}

sub plus64 {
    my ($x, $y) = @_;
    use integer;
    return $x + $y;
}

sub unsigned { return unpack 'Q', pack 'q', $_[0] }

sub random {
    my ($own, $index) = @_;
    my $x = unsigned(plus64($own, times64($index + 1, -7046029254386353131)));
    $x = unsigned(times64($x ^ $x >> 30, -4658895280553007687));
    $x = unsigned(times64($x ^ $x >> 27, -7723592293110705685));
    return $x ^ $x >> 31;
}

my (%cosine, @own, @links);
while (<STDIN>) {
    my ($i, $j, $distance) = split;
    next if 1 - $distance < $similarity;
    push @{$own[$i]}, $j;
    $cosine{"$i $j"} = unpack 'f', pack 'f', 1 - $distance;
}
for my $i (0 .. $items - 1) {
    for my $j (@{$own[$i] // []}) {
        push @{$links[$i]}, [$j, $cosine{"$i $j"}];
    }
}
for my $i (0 .. $items - 1) {
    for my $j (@{$own[$i] // []}) {
        push @{$links[$j]}, [$i, $cosine{"$i $j"}] if !defined $cosine{"$j $i"};
    }
}

my @class = 0 .. $items - 1;
for my $round (0 .. $rounds - 1) {
    my $key = random($seed, $round);
    my $any = 0;
    my %turn = map { $_ => random($key, $_) } 0 .. $items - 1;
    for my $i (sort { $turn{$b} <=> $turn{$a} } 0 .. $items - 1) {
        my %sum;
        $sum{$class[$_->[0]]} += $_->[1] for @{$links[$i] // []};
        my ($best) = sort {
            $sum{$b} <=> $sum{$a} || ($b == $class[$i]) <=> ($a == $class[$i]) || random($key, $b) <=> random($key, $a)
        } keys %sum;
        next if !defined $best || $sum{$best} <= 0 || $best == $class[$i];
        $class[$i] = $best;
        $any = 1;
    }
    last if !$any;
}
print "$_\n" for @class;
