# SPDX-License-Identifier: MIT
# The codelength of clusters by its definition in cdp-propagate(1), in bits, computed from pairs and labels alone.
#
# usage: codelength.pl LABELS [moves] <PAIRS
#            PAIRS: two ids and a score per line, LABELS: a label per line, -1 for an item in a cluster of its own
#            moves: prints too how much shorter the best move of one item to another or an empty cluster, or the best
#            union of two clusters, would make it
use strict;
use warnings;
use List::Util qw(max min sum);

# The decimal digits by which a false pair is ruled out.
sub weight {
    my ($score) = @_;
    return 0 if $score <= 0;
    return $score < 1 ? min(7.25, -log(1 - $score) / log(10)) : 7.25;
}

sub plogp {
    my ($x) = @_;
    return $x > 0 ? $x * log($x) / log(2) : 0;
}

my (%weight, @pairs); # the weight of each pair: that of its highest score

sub codelength {
    my @label = @_;
    my @strength = (1) x @label;
    my (%leaving, %visits);
    for my $pair (@pairs) {
        my ($i, $j, $w) = @$pair;
        $strength[$_] += $w for $i, $j;
        next if $label[$i] == $label[$j];
        $leaving{$label[$_]} += $w for $i, $j;
    }
    $visits{$label[$_]} += $strength[$_] for 0 .. $#label;
    my $total = sum @strength;
    my $length = plogp((sum(values %leaving) // 0) / $total) - sum map { plogp($_ / $total) } @strength;
    for my $c (keys %visits) {
        my $exit = ($leaving{$c} // 0) / $total;
        $length += plogp($exit + $visits{$c} / $total) - 2 * plogp($exit);
    }
    return $length;
}

# The least codelength after one move or union.
sub shortest_move {
    my @label = @_;
    my %clusters = map { $_ => 1 } @label, max(@label) + 1;
    my @cluster = sort { $a <=> $b } keys %clusters;
    my $least = 'inf';
    for my $to (@cluster) {
        for my $item (0 .. $#label) {
            my @moved = @label;
            $moved[$item] = $to;
            $least = min($least, codelength(@moved));
        }
        for my $other (grep { $_ < $to } @cluster) {
            $least = min($least, codelength(map { $_ == $to ? $other : $_ } @label));
        }
    }
    return $least;
}

my ($name, $moves) = @ARGV;
open my $file, '<', $name or die "$name: $!\n";
chomp(my @label = <$file>);
my $own = max(@label, -1) + 1;
@label = map { $label[$_] >= 0 ? $label[$_] : $own + $_ } 0 .. $#label;
while (<STDIN>) {
    my ($i, $j, $score) = split;
    my $key = join ' ', min($i, $j), max($i, $j);
    $weight{$key} = max($weight{$key} // 0, weight($score));
}
@pairs = map { [split(' ', $_), $weight{$_}] } sort keys %weight;
my $length = codelength(@label);
printf $moves ? "%.6f %.6f\n" : "%.6f\n", $length, $moves ? $length - shortest_move(@label) : ();
