#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What cdp-propagate does beside clusters: constraints, adoption, earlier numbers, soft labels, audits;
# against naive computations on small graphs.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
reference=$CDP_BUILD/tests/reference

# unique PAIRS: each pair once, smaller id first, with its highest score
unique() {
    awk '{ a = $1 < $2 ? $1 : $2; b = $1 < $2 ? $2 : $1; k = a "\t" b
           if (!(k in s) || $3 > s[k]) s[k] = $3 } END { for (k in s) print k "\t" s[k] }' "$1" |
        sort -n -k1,1 -k2,2
}

# constraints: the spanning forest again, without the links that bring a forbidden pair together
bad=0
for seed in $(seq 1 20); do
    n=$((30 + seed * 11))
    $reference random-pairs "$seed" $n $((n * 3)) >pairs
    $reference random-pairs $((seed + 100)) $n $((n / 6)) | cut -f1,2 >cannot
    $reference random-pairs $((seed + 200)) $n $((n / 20)) | cut -f1,2 | sort -u >must
    # of a contradiction the pair that must not be is dropped
    cp cannot cannot.all
    while ! cdp-propagate --nodes $n --must must --cannot cannot.all pairs >got 2>err; do
        perl -e 'open F, "err"; my %bad; while (<F>) { $bad{"$1 $2"} = 1 if /items (\d+) and (\d+) are/ }
            open F, "cannot.all"; while (<F>) { my ($i, $j) = split; print if !$bad{"$i $j"} }' >cannot.left
        cmp -s cannot.left cannot.all && break
        cp cannot.left cannot.all
    done
    cdp-propagate --nodes $n --max-size $n --must must --cannot cannot.all pairs >got
    awk '{ print $1 "\t" $2 "\t2" }' must | cat pairs - >all
    unique all | sort -k3,3gr -k1,1n -k2,2n >sorted
    perl -e 'use strict; my ($n) = @ARGV; my (@of, @all, %apart, @edge);
        open my $f, "cannot.all"; while (<$f>) { my ($i, $j) = split; $apart{"$i $j"} = $apart{"$j $i"} = 1 }
        open $f, "sorted"; my @sorted = map { [split] } <$f>;
        @of = (0 .. $n - 1); # the forest of all
        for my $e (@sorted) { my ($a, $b) = ($of[$e->[0]], $of[$e->[1]]); next if $a == $b;
            push @edge, $e; $_ == $b and $_ = $a for @of }
        @of = (0 .. $n - 1); my %in; # what is allowed of it
        for my $e (@edge) { my ($a, $b) = ($of[$e->[0]], $of[$e->[1]]);
            my @a = grep { $of[$_] == $a } 0 .. $n - 1; my @b = grep { $of[$_] == $b } 0 .. $n - 1;
            next if $e->[2] < 2 && grep { my $i = $_; grep { $apart{"$i $_"} } @b } @a;
            $_ == $b and $_ = $a for @of; $in{$e->[0]} = $in{$e->[1]} = 1 }
        my ($next, %number) = 0;
        for (0 .. $n - 1) { if (!$in{$_}) { print "-1\n"; next }
            $number{$of[$_]} = $next++ if !defined $number{$of[$_]}; print "$number{$of[$_]}\n" }' $n >wanted
    cmp -s got wanted || { bad=$((bad + 1)); note "seed $seed"; }
    paste <(seq 0 $((n - 1))) got >numbered
    awk 'NR == FNR { of[$1] = $2; next } of[$1] == of[$2] { exit 1 }' numbered cannot.all ||
        bad=$((bad + 1))
    awk 'NR == FNR { of[$1] = $2; next } of[$1] != of[$2] { exit 1 }' numbered must || bad=$((bad + 1))
done
is $bad 0 "20 random cases with constraints: as the naive way has them, and all are kept"
printf '0 1 0.9\n1 2 0.8\n2 3 0.7\n' >chain
printf '0 3\n' >apart
is "$(cdp-propagate --cannot apart chain | tr '\n' ' ')" "0 0 0 -1 " "the weakest link is cut"
printf '0 1\n1 2\n2 3\n' >together
cdp-propagate --must together --cannot apart chain 2>err >out
is "$?:$(cat err)" "1:cdp-propagate: items 0 and 3 are to stay apart, but together holds them together: 0, 1, 2, 3
cdp-propagate: apart: 1 of its pairs contradict together" "a contradiction is told with its path"
is "$(cdp-propagate --must <(echo 4 5) --max-size 1 chain | tr '\n' ' ')" "0 1 2 3 4 4 " \
    "what must be together is not cut"
fails 1 'line 1: expected two fields' "constraints with a score" \
    cdp-propagate --must <(echo 1 2 3) --nodes 9 chain
fails 1 'item 9, but there are 4 items: see --nodes' "constraints of an unknown item" \
    cdp-propagate --nodes 4 --cannot <(echo 1 9) chain
cdp-view --from tsv -o chain.cdp chain
fails 1 'item 4000000000, but there are [0-9]* items' "must-link of an item that a stream has not" \
    cdp-propagate --must <(echo 1 4000000000) chain.cdp
fails 1 'item 4000000000, but there are [0-9]* items' "cannot-link of one" \
    cdp-propagate --cannot <(echo 1 4000000000) chain

printf 'Anna\nBob B.\nCole\nDan\n' >names
printf 'Bob B.\tDan\n' >apart.names
is "$(cdp-propagate --ids names --cannot apart.names chain | cut -f2 | tr '\n' ' ')" "0 0 0 -1 " "constraints by name"
fails 1 "line 1: expected a name that is known, got 'Eve'" "constraints by an unknown name" \
    cdp-propagate --ids names --must <(printf 'Anna\tEve\n') chain

# small clusters, adoption
printf '0 1 0.9\n1 2 0.9\n2 3 0.3\n4 5 0.8\n5 6 0.1\n7 8 0.2\n' >pairs
is "$(cdp-propagate --max-size 3 --min-size 3 pairs | tr '\n' ' ')" "0 0 0 -1 1 1 1 -1 -1 " \
    "clusters of less than three are none"
is "$(cdp-propagate --threshold 0.5 pairs | tr '\n' ' ')" "0 0 0 -1 1 1 -1 -1 -1 " "some are alone"
is "$(cdp-propagate --threshold 0.5 --adopt 0.25 pairs | tr '\n' ' ')" "0 0 0 0 1 1 -1 -1 -1 " \
    "one is adopted, one has too weak a pair, two are alone together"
is "$(cdp-propagate --threshold 0.5 --adopt 0 pairs | tr '\n' ' ')" "0 0 0 0 1 1 1 -1 -1 " "two are"
is "$(cdp-propagate --threshold 0.5 --adopt 0 --cannot <(echo 0 3) pairs | tr '\n' ' ')" \
    "0 0 0 -1 1 1 1 -1 -1 " "none into a cluster that must not be its own"
is "$(cdp-propagate --threshold 0.5 --min-size 3 --adopt 0 pairs | tr '\n' ' ')" "0 0 0 0 -1 -1 -1 -1 -1 " \
    "none into one that is too small"

is "$(cdp-propagate --threshold 0.5 --adopt 0.3 <(printf '0 1 0.9\n1 2 0.25\n1 3 0.5\n') | tr '\n' ' ')" \
    "0 0 -1 0 " "an item at the threshold may be adopted"
is "$(cdp-propagate --threshold 0.5 --adopt 0.25 <(printf '0 1 0.9\n1 2 0.25\n') | tr '\n' ' ')" "0 0 -1 " \
    "but not by a pair that is no better than that of --adopt"
is "$(cdp-propagate --threshold 0.8 --adopt 0.1 <(printf '0 1 0.9\n3 1 0.5\n2 3 0.4\n4 2 0.3\n') | tr '\n' ' ')" \
    "0 0 -1 0 -1 " "of a chain only the item next to the cluster is"
is "$(cdp-propagate --threshold 0.8 --adopt 0.1 --cannot <(echo 2 3) <(printf '0 1 0.9\n2 1 0.4\n3 1 0.5\n') |
    tr '\n' ' ')" "0 0 -1 0 " "of two that must stay apart the better one is"

# permuted ROWS...: ids of the first two columns by the permutation
permuted() {
    awk 'NR == FNR { p[NR - 1] = $1; next } { $1 = p[$1]; $2 = p[$2]; print }' permutation "$@"
}
bad=0
adopted=0
for seed in $(seq 1 30); do
    perl -e 'srand shift; my $n = 40; # sparse, of distinct scores
        for my $e (1 .. 38) { my ($i, $j) = (int rand $n, int rand $n); print "$i $j ", $e / 40, "\n" if $i != $j }' "$seed" |
        sort -R --random-source=<(yes "$seed") >pairs
    perl -e 'srand 1 + shift; for (1 .. 25) { my ($i, $j) = (int rand 40, int rand 40); print "$i $j\n" if $i != $j }' \
        "$seed" >apart
    seq 0 39 | sort -R --random-source=<(yes "x$seed") >permutation
    permuted pairs >pairs.p
    permuted apart >apart.p
    for option in "" "--cannot apart"; do
        # shellcheck disable=SC2086 # options are words
        cdp-propagate -q --nodes 40 --max-size 6 --threshold 0.6 --adopt 0.2 $option pairs >labels
        cdp-propagate -q --nodes 40 --max-size 6 --threshold 0.6 ${option:+--cannot apart} pairs >before
        # shellcheck disable=SC2086
        cdp-propagate -q --nodes 40 --max-size 6 --threshold 0.6 --adopt 0.2 ${option:+--cannot apart.p} pairs.p >labels.p
        paste permutation labels | sort -n | cut -f2 |
            awk '$1 >= 0 && !($1 in n) { n[$1] = next_++ } { print $1 < 0 ? -1 : n[$1] }' | cmp -s - labels.p ||
            bad=$((bad + 1))
        cmp -s labels before || adopted=$((adopted + 1))
    done
done
is "$bad:$((adopted > 40))" 0:1 "adoption does not depend on the numbers of items: $adopted of 60 random cases"

# earlier numbers
printf '5\n5\n5\n7\n7\n-1\n9\n' >before
printf '0 1 1\n1 2 1\n3 4 1\n4 5 1\n6 7 1\n' >pairs
is "$(cdp-propagate --previous before pairs --changes changes | tr '\n' ' ')" "5 5 5 7 7 7 9 9 " \
    "clusters keep their numbers"
is "$(cat changes)" "$(printf 'added\t5\t-\t7\nadded\t7\t-\t9')" "and the changes are listed"
printf '0 1 1\n1 2 1\n2 3 1\n3 4 1\n' >pairs
is "$(cdp-propagate --previous before pairs --changes changes | tr '\n' ' ')" "5 5 5 5 5 " "two come together"
is "$(cat changes)" "$(printf 'moved\t3\t7\t5\nmoved\t4\t7\t5\ngone\t6\t9\t-\nmerged\t5\t5,7\t5')" "and are merged"
printf '0 1 1\n2 3 1\n3 4 1\n5 6 1\n' >pairs
is "$(cdp-propagate --previous before pairs --changes changes | tr '\n' ' ')" "5 5 7 7 7 9 9 " "one parts"
is "$(cat changes)" "$(printf 'moved\t2\t5\t7\nadded\t5\t-\t9\nmerged\t7\t5,7\t7\nsplit\t5\t5\t5,7')" "and is split"
cdp-propagate chain >labels
cdp-propagate --previous labels --changes changes chain | cmp -s - labels && [ ! -s changes ]
ok $? "nothing changed, nothing listed"
fails 1 "line 1: expected a cluster's number, or -1, got 'x'" "labels that are none" \
    cdp-propagate --previous <(echo x) chain
for largest in 4294967290 4294967296 9223372036854775807; do
    echo $largest >large
    fails 1 "large: an earlier cluster has number $largest; at most" "numbers that leave no room: $largest" \
        cdp-propagate --previous large <(for ((i = 0; i < 20; i += 2)); do echo $i $((i + 1)) 1; done)
done

# why
printf '0 1 0.9\n1 2 0.4\n2 3 0.8\n0 3 0.3\n5 6 1\n' >pairs
is "$(cdp-propagate --why 0:3 pairs)" "$(printf '0\t1\t0.899999976\n1\t2\t0.400000006\tweakest\n2\t3\t0.800000012')" \
    "why two items are together"
printf '0 4\n4 3\n' >together
is "$(cdp-propagate --must together --why 0:2 pairs)" "$(printf '0\t4\tmust\n4\t3\tmust\n3\t2\t0.800000012\tweakest')" \
    "what must be together has no score"
is "$(cdp-propagate --must together --why 0:3 pairs)" "$(printf '0\t4\tmust\n4\t3\tmust')" "and is not the weakest"
is "$(cdp-propagate --must together --audit pairs)" "$(printf '%s\n' \
    'label	size	pairs	density	weakest	bridges	medoid' '0	5	4	0.400000	0.800000012	0	1' '1	2	1	1.000000	1	1	5')" \
    "nor is it counted as a pair or a bridge"
is "$(cdp-propagate --must together --threshold 0.85 --audit pairs)" "$(printf '%s\n' \
    'label	size	pairs	density	weakest	bridges	medoid' '0	4	1	0.166667	0.899999976	1	0' '1	2	1	1.000000	1	1	5')" \
    "above a threshold too"
is "$(cdp-propagate --must <(echo 7 8) --audit pairs | tail -n 1)" "2	2	0	0.000000	must	0	7" "a cluster of nothing else"
# trees that SciPy takes
cdp-propagate --nodes 9 --must together --tree pairs >tree
is "$(awk '$3 < last || ($3 < 0) { bad++ } { last = $3 } END { print bad + 0, NR }' tree)" "0 8" "a tree's distances rise from 0"
if /usr/bin/python3 -c 'import scipy' 2>err; then
    bad=0
    for seed in $(seq 1 10); do
        $reference random-pairs "$seed" 60 90 >random
        $reference random-pairs $((seed + 50)) 60 12 | cut -f1,2 >random.must
        cdp-propagate --nodes 60 --must random.must --tree random >tree
        /usr/bin/python3 -c 'import numpy, scipy.cluster.hierarchy as h; z = numpy.loadtxt("tree")
assert h.is_valid_linkage(z, throw=True) and h.is_monotonic(z)' 2>err || { bad=$((bad + 1)); note "$(tail -n 1 err)"; }
    done
    is $bad 0 "SciPy takes ten trees with constraints"
else
    ok 0 "SciPy takes trees with constraints # SKIP no scipy"
fi

fails 1 'no pairs lead from item 0 to item 5' "why two are not" cdp-propagate --why 0:5 pairs
fails 1 'no pairs lead from item 0 to item 4' "nor one that is alone" cdp-propagate --why 0:4 pairs
fails 1 "'0:7': expected A:B, two different items of 7" "an item that is not there" cdp-propagate --why 0:7 pairs

# soft labels and audits
bad_soft=0
bad_audit=0
bad_above=0
at_threshold=0
for seed in 1 2 3 4 5 6; do
    n=$((40 + seed * 15))
    $reference random-pairs "$seed" $n $((n + seed * n / 4)) >pairs
    unique pairs >once
    max=$((5 + seed * 2))
    cdp-propagate -q --nodes $n --max-size $max pairs >labels
    cdp-propagate -q --nodes $n --max-size $max --soft pairs >got
    perl -e 'use strict; my ($n, $max) = @ARGV; my (@label, @pair, @of);
        open my $f, "labels"; chomp(@label = <$f>); open $f, "once";
        while (<$f>) { my ($i, $j, $s) = split; push @{$pair[$i]}, [$j, $s]; push @{$pair[$j]}, [$i, $s] }
        for my $x (0 .. $n - 1) { next if $label[$x] < 0;
            my %seen = ($x, 1); my @todo = $x; while (@todo) { my $i = shift @todo;
                for (@{$pair[$i]}) { next if $seen{$_->[0]}++; push @todo, $_->[0] } }
            if (keys %seen <= $max) { print "$x\t$label[$x]\t1\n"; next }
            my %weight = ($x, 1); my %level = %weight;
            for (1 .. 5) { my %next; for my $i (keys %level) { for (@{$pair[$i]}) { my ($j, $s) = @$_;
                    my $w = $level{$i} * 0.6 * $s; next if exists $weight{$j} || $w <= 0;
                    $next{$j} = $w if $w > ($next{$j} // 0) } }
                %weight = (%weight, %next); %level = %next }
            my (%sum, $all); $sum{$label[$_]} += $weight{$_}, $all += $weight{$_} for keys %weight;
            printf "%d\t%d\t%.9g\n", $x, $_, $sum{$_} / $all for sort { $sum{$b} <=> $sum{$a} || $a <=> $b } keys %sum }' \
        $n $max >wanted
    paste got wanted | awk -F'\t' '{ d = $3 - $6; if ($1 != $4 || NF != 6 || d > 1e-6 || d < -1e-6) exit 1
        s[$1 " " $2] = $3; w[$4 " " $5] = $6 } END { for (k in s) { d = s[k] - w[k]; if (d > 1e-6 || d < -1e-6) exit 1 } }' ||
        { bad_soft=$((bad_soft + 1)); note "soft, seed $seed"; }
    cdp-propagate -q --nodes $n --max-size $max --audit pairs | sed 1d >got
    perl -e 'use strict; my ($n) = @ARGV; my (@label, @pair, @in);
        open my $f, "labels"; chomp(@label = <$f>); open $f, "once"; @pair = map { [split] } <$f>;
        push @{$in[$label[$_]]}, $_ for grep { $label[$_] >= 0 } 0 .. $n - 1;
        sub reached { my ($from, @use) = @_; my %seen = ($from, 1); my $more = 1;
            while ($more) { $more = 0; for (@use) { my ($i, $j) = @$_;
                if ($seen{$i} != $seen{$j}) { $seen{$i} = $seen{$j} = $more = 1 } } } scalar keys %seen }
        for my $l (0 .. $#in) { my @item = @{$in[$l]}; my @own = grep { $label[$_->[0]] == $l && $label[$_->[1]] == $l } @pair;
            my ($bridges, $weakest, %sum, $medoid) = (0);
            my $whole = reached($item[0], @own);
            for my $e (@own) { $bridges++ if reached($e->[0], grep { $_ != $e } @own) < reached($e->[0], @own);
                $sum{$e->[0]} += $e->[2]; $sum{$e->[1]} += $e->[2];
                my $t = $e->[2]; $weakest = $t if @item == reached($item[0], grep { $_->[2] >= $t } @own) &&
                    (!defined $weakest || $t > $weakest) }
            for (@item) { $medoid = $_ if !defined $medoid || $sum{$_} > $sum{$medoid} + 1e-9 }
            printf "%d\t%d\t%d\t%s\t%s\t%d\t%d\n", $l, scalar @item, scalar @own,
                @item > 1 ? sprintf("%.6f", 2 * @own / (@item * (@item - 1))) : "-",
                @item > 1 ? sprintf("%.6f", $weakest) : "-", $bridges, $medoid }' $n >wanted
    awk -F'\t' -v OFS='\t' '$5 != "-" { $5 = sprintf("%.6f", $5) } 1' got >rounded
    cmp -s rounded wanted || { bad_audit=$((bad_audit + 1)); diff rounded wanted | head -n 6 | sed 's/^/# /'; }
    # above a threshold as of the pairs above it, what lies on it being left out
    awk '$3 > 0.5' pairs >above
    for what in --soft --audit; do
        for stop in split merge; do
            cdp-propagate -q --nodes $n --max-size 4 --max-iter 2 --forced-stop $stop $what above >wanted
            cdp-propagate -q --nodes $n --max-size 4 --max-iter 2 --forced-stop $stop $what --threshold 0.5 pairs |
                cmp -s - wanted || { bad_above=$((bad_above + 1)); note "$what, $stop, seed $seed"; }
        done
    done
    grep -q '0.5$' pairs && at_threshold=$((at_threshold + 1))
done
is "$bad_above:$((at_threshold > 0))" 0:1 "--soft and --audit above a threshold are those of the pairs above it"
is $bad_soft 0 "soft labels as the naive way spreads them"
is $bad_audit 0 "audits as the naive way counts them"
for threads in 1 2 8; do
    cdp-propagate -q -t $threads --nodes "$n" --max-size "$max" --soft pairs | cksum >soft$threads
    same soft$threads soft1 "the same soft labels with $threads threads"
done

# two outputs of one name, and outputs that appear together or not at all
fails 1 'clash: two outputs of one name' "two outputs of one name" \
    cdp-propagate --previous labels --changes ./clash -o clash chain
[ ! -e clash ]
ok $? "neither is there"
# shellcheck disable=SC2016 # for the inner shell
fails 1 '/dev/stdout: two outputs of one name' "labels and changes mixed" \
    bash -c 'cdp-propagate --previous labels --changes /dev/stdout chain | cat; exit "${PIPESTATUS[0]}"'
cp chain kept
fails 1 'kept: two outputs of one name' "changes in place of the labels" \
    bash -c 'cdp-propagate --previous labels --changes kept chain >>kept'
same kept chain "and nothing is written"
fails 1 '/dev/full: cannot write' "a full disk" cdp-propagate --previous labels --changes side -o /dev/full chain
[ ! -e side ]
ok $? "no side output without the main one"
printf "a\nb\n" >names.kept
cp names.kept names.before
fails 1 'line 1: expected a finite number' "a failed conversion" \
    cdp-view --from csv --ids-out names.kept -o never <(printf 'a,b,x.y\n')
same names.kept names.before "leaves the names file of before"

fails 2 '--changes has no effect without --previous' "changes since when" cdp-propagate --changes x chain
fails 2 '--previous and --audit exclude each other' "earlier numbers of an audit" \
    cdp-propagate --previous labels --audit chain
fails 2 '--(must|cannot) and --forest exclude each other' "a constrained forest" \
    cdp-propagate --forest --must together chain
fails 2 '--adopt and --tree exclude each other' "adoption in a tree" cdp-propagate --tree --adopt 0 chain

done_testing
