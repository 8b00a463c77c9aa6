#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Python package: each stage's output against the tools', and what else it promises.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
tiny=$CDP_SOURCE/data/labeled/tiny
export LIBCDP=$CDP_BUILD/installed/libcdp.so.0 PYTHONPATH=$CDP_SOURCE/lib/python PYTHONDONTWRITEBYTECODE=1
[ -e "$LIBCDP" ] || skip_all "the sanitizers do not go into a shared library"
/usr/bin/python3 -c 'import numpy' 2>err || skip_all "no Python with numpy (Debian: python3-numpy)"

mkdir data tools
ln -s "$tiny"/features/m?.bin "$tiny/meta.txt" data
passes "the stages in Python" /usr/bin/python3 -W ignore "$CDP_SOURCE/tests/python/stages.py" data

# The same by the tools
cd tools || exit
m0=../data/m0.bin m1=../data/m1.bin m2=../data/m2.bin meta=../data/meta.txt
for m in 0 1 2; do cdp-knn -k 14 --dim 48 ../data/m$m.bin >m$m.cdp; done
cp m0.cdp knn.cdp
cdp-knn -k 5 --dim 48 --metric l1 --copies once $m0 >knn-l1.cdp
cdp-knn -k 7 --dim 48 --method approx --recall 0.9 $m1 >knn-approx.cdp
cdp-score vote --accept 2 --threshold 0.4 m0.cdp m1.cdp m2.cdp >vote.cdp
cdp-knn -k 5 --dim 48 --metric l2 $m0 | cdp-score vote --threshold 0.3 - >vote-l2.cdp
cdp-score truth --labels $meta m0.cdp >truth.cdp
cdp-score features --features $m0 --features $m1 --features $m2 m0.cdp m1.cdp m2.cdp >features.cdp
cdp-score features --extra --features $m0 --features $m1 --features $m2 m0.cdp m1.cdp m2.cdp >extra.cdp
cdp-score consensus -q --features $m0 --features $m1 --features $m2 m0.cdp m1.cdp m2.cdp >consensus.cdp
cdp-score consensus -q --false-alarms 0.5 --features $m0 m0.cdp >consensus-1.cdp
cdp-mediate train -q --labels $meta --epochs 3 --seed 7 features.cdp >model
cdp-mediate apply -q --model model --threshold auto features.cdp >apply-auto.cdp
cdp-mediate apply -q --model model --threshold 0.6 features.cdp >apply.cdp
cp apply.cdp again.cdp
cdp-forest vote.cdp >forest.cdp
for stream in *.cdp; do
    case $stream in m?.cdp) continue ;; esac
    is "$(cdp-view --digest "../$stream")" "$(cdp-view --digest "$stream")" "$stream: the content of the tool's"
done
is "$(cdp-mediate apply -q --model ../model --threshold 0.6 ../features.cdp | cdp-view --digest -)" "$(cdp-view --digest apply.cdp)" \
    "the tool takes the model and the pair features of Python"

printf '0 5\n5 9\n' >must
printf '0 1\n3 30\n' >cannot
cdp-propagate vote.cdp >ladder
cdp-propagate -q --threshold 0.6 --max-size 20 --step 0.02 --max-iter 5 --forced-stop merge vote.cdp >ladder-2
cdp-propagate --threshold auto vote.cdp >ladder-auto
cdp-propagate --max-size 40 forest.cdp >ladder-forest
cdp-propagate --max-size 40 --must-link must --cannot-link cannot vote.cdp >ladder-links
cdp-propagate --method map consensus.cdp >map.txt
cdp-propagate --method map --threshold 0.7 --must-link must --cannot-link cannot vote.cdp >map-links
cdp-forest --tree --must-link must vote.cdp >linkage
cdp-cluster -q -k 14 --dim 48 -o cluster $m0 $m1 $m2
cdp-relabel --previous ladder cluster >kept
cdp-sweep -q --thresholds 0.3:0.9:0.1 --max-sizes 50,600 --labels $meta vote.cdp | tail -n +2 >sweep
cdp-sweep -q --thresholds 0.3:0.9:0.3 --method map --labels $meta vote.cdp | tail -n +2 >sweep-map
for method in 'dbscan --eps 0.9' hdbscan 'kmeans --clusters 20' 'ward --clusters 20' 'finch --partition 2' \
    'chinese-whispers --similarity 0.6'; do
    # shellcheck disable=SC2086 # a method and its options
    cdp-baseline $method --dim 48 $m0 >"${method%% *}"
done
cdp-baseline knn-dbscan --neighbours 14 --similarity 0.6 --knn m0.cdp >knn-dbscan.txt
cdp-baseline ward --tree --dim 48 $m0 >ward-tree
cdp-eval --format tsv cluster $meta >metrics
for how in kept removed; do
    for metric in pairwise.$how.precision bcubed.$how.fscore ari.$how vmeasure.$how.v; do
        awk -v metric="$metric" '$1 == metric { printf "%s %.3f\n", $1, $2 }' metrics
    done
done >eval.txt
for text in ladder ladder-2 ladder-auto ladder-forest ladder-links map.txt map-links linkage cluster kept sweep sweep-map \
    eval.txt dbscan hdbscan kmeans ward finch chinese-whispers knn-dbscan.txt ward-tree; do
    same "../$text" $text "$text: the tool's bytes"
done
cd .. || exit

# The original's graph propagation
cases=${CDP_SHARED:-}/conformance/propagate
if [ -d "$cases" ]; then
    case=0
    while IFS=$'\t' read -r name nodes _ max_size step max_iter _ _; do
        [ "$name" = case ] && continue
        case=$((case + 1))
        [ $((case % $(size 12 4 1))) -eq 0 ] || continue
        /usr/bin/python3 -c '
import sys, numpy, cdp
table = numpy.loadtxt(sys.argv[1], ndmin=2).reshape(-1, 3)
pairs = cdp.pairs(table[:, 0], table[:, 1], table[:, 2], int(sys.argv[2]))
numpy.savetxt("got", cdp.propagate(pairs, max_size=int(sys.argv[3]), step=float(sys.argv[4]), max_iter=int(sys.argv[5]),
                                   forced_stop="merge"), fmt="%d")' "$cases/$name.tsv" "$nodes" "$max_size" "$step" "$max_iter"
        same got "$cases/$name.labels.txt" "the original's $name"
    done <"$cases/cases.tsv"
fi

# Examples, version, wheel
examples=$CDP_SOURCE/lib/python/examples
passes "the tutorial" /usr/bin/python3 "$examples/tutorial.py" "$tiny"
if /usr/bin/python3 -c 'import pandas' 2>err; then
    passes "record linkage" /usr/bin/python3 "$examples/linkage.py"
    is "$(sed -n '1,/^$/d; 2,$s/  */ /gp' out | awk '$2 != $3' | cut -d' ' -f1 | tr '\n' ,)" ",eve-1,eve-2," \
        "clusters keep their numbers in the second run"
fi
is "$(/usr/bin/python3 -c 'import cdp; print(cdp.__version__)')" "$(cdp-knn --version | cut -d' ' -f2)" "one version"
if /usr/bin/python3 -c 'import setuptools, wheel' 2>err; then
    make -C "$CDP_SOURCE" --no-print-directory -o "$LIBCDP" BUILD="$CDP_BUILD" PYTHON=/usr/bin/python3 wheel >out 2>err
    ok $? "make wheel"
    (cd "$folder" && unset LIBCDP && mkdir unpacked && cd unpacked &&
        /usr/bin/python3 -m zipfile -e "$CDP_BUILD"/wheel/dist/cdp-*.whl . &&
        PYTHONPATH=. /usr/bin/python3 -c 'import cdp; print(cdp.propagate(cdp.pairs([0], [1], [0.5])))') >out 2>err
    is "$(cat out err)" "[0 0]" "the wheel has its library"
fi

/usr/bin/python3 "$CDP_SOURCE/tests/python/checks.py" >checks 2>err || cat err >>checks
while read -r result; do
    case $result in
    ok*) ok 0 "Python: ${result#ok }" ;;
    skipped*) ok 0 "Python: ${result#skipped } # SKIP" ;;
    *)
        ok 1 "Python: $result"
        note "$(tail -5 err)"
        ;;
    esac
done <checks
is "$(wc -l <checks)" "$(grep -c '^def check_' "$CDP_SOURCE/tests/python/checks.py")" "all checks of Python ran"
done_testing
