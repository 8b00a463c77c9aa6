#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""checks.py [NAME]: what the Python package promises, apart from the stages' results. Prints a line "ok NAME", "not ok NAME: why" or
"skipped NAME: why" for each."""
import gc
import pickle
import signal
import sys
import threading
import time
import traceback

import numpy as np

import cdp

rng = np.random.default_rng(5)
X = rng.normal(size=(400, 16)).astype("f4")
PAIRS = cdp.pairs([0, 1, 3, 0], [1, 2, 4, 1], [0.9, 0.8, 0.7, 0.1])


class Skip(Exception):
    pass


def need(module):
    try:
        return __import__(module)
    except ImportError:
        raise Skip(f"no {module}") from None


def refuses(kind, text, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except kind as error:
        assert text in str(error), f"{error!r} does not have {text!r}"
        return
    raise AssertionError(f"{kind.__name__} with {text!r} was expected")


def check_edges():
    assert list(PAIRS.target) == [1, 2, 4] and list(PAIRS.source) == [0, 1, 3]
    assert np.allclose(PAIRS.values, [0.9, 0.8, 0.7]) and PAIRS["score"] is not None
    assert list(PAIRS.offset) == [0, 1, 2, 2, 3, 3] and PAIRS.nodes == 5 and len(PAIRS) == 3
    refuses(ValueError, "read-only", PAIRS.target.__setitem__, 0, 7)
    refuses(KeyError, "the columns are score", PAIRS.__getitem__, "distance")
    assert list(cdp.propagate(PAIRS)) == [0, 0, 0, 1, 1]
    assert list(cdp.propagate(cdp.pairs([], [], [], items=3))) == [-1, -1, -1]


def check_views_outlive_edges():
    target = cdp.knn(X, 5).target
    gc.collect()
    other = cdp.knn(X[::-1], 5)
    assert np.array_equal(target, cdp.knn(X, 5).target) and len(other) == len(target)


def check_matrices():
    want = cdp.knn(X, 5).target
    for rows in (X.astype("f8"), np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X.astype(">f4"), X[::-1][::-1],
                 np.repeat(X, 3, axis=0)[::3]):
        assert np.array_equal(cdp.knn(rows, 5).target, want), rows.dtype
    small = rng.integers(0, 9, (50, 8))
    for kind in ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f8"):
        assert np.array_equal(cdp.knn(small.astype(kind) + 1, 5).target, cdp.knn(small.astype("f4") + 1, 5).target), kind
    assert np.array_equal(cdp.knn(small > 4, 3, metric="hamming").target,
                          cdp.knn((small > 4).astype("f4"), 3, metric="hamming").target)


def check_lists():
    found = cdp.knn(X, 5, copies="once")
    neighbour, distance = found.lists()
    again = cdp.lists(np.c_[np.arange(400), neighbour], np.c_[np.zeros(400), distance])
    assert np.array_equal(again.target, found.target) and np.array_equal(again.values, found.values)
    short = cdp.lists([[1, -1], [0, 2], [-1, -1]], [[0.1, np.inf], [0.1, 0.2], [0, 0]])
    assert list(short.offset) == [0, 1, 3, 3]
    assert short.lists()[0].tolist() == [[1, -1], [0, 2], [-1, -1]]


def check_errors():
    refuses(cdp.Error, "item 3 with itself", cdp.pairs, [3], [3], [1])
    refuses(cdp.Error, "scores are finite", cdp.pairs, [3], [4], [np.nan])
    refuses(cdp.Error, "1.5", cdp.pairs, [3], [4], [1.5])
    refuses(cdp.Error, "items are numbered", cdp.pairs, [3], [2**40], [1])
    refuses(cdp.Error, "there are 4 items", cdp.pairs, [3], [4], [1], items=4)
    refuses(ValueError, "numbers that are not of type uint64", cdp.pairs, [-1], [4], [1])
    refuses(ValueError, "numbers that are not of type uint64", cdp.pairs, [0.5], [4], [1])
    refuses(ValueError, "expected numbers", cdp.pairs, ["a"], ["b"], [1])
    refuses(ValueError, "score", cdp.pairs, [1], [2], [1, 2])
    refuses(cdp.Error, "k is 400", cdp.knn, X, 400)
    refuses(ValueError, "a whole number", cdp.knn, X, 2.5)
    refuses(ValueError, "a row for each item", cdp.knn, X[0], 2)
    refuses(ValueError, "expected numbers", cdp.knn, X.astype(str), 2)
    refuses(ValueError, "expected one of cosine", cdp.knn, X, 2, metric="euclid")
    wild = X.copy()
    wild[7, 3] = np.inf
    refuses(cdp.Error, "row 7", cdp.knn, wild, 2)
    refuses(cdp.Error, "row 5", cdp.knn, np.where(np.arange(400)[:, None] == 5, 0, X), 2)
    refuses(cdp.Error, "neighbour 9", cdp.lists, [[9]], [[0.1]])
    refuses(cdp.Error, "nearer than the one before", cdp.lists, [[1, 2], [0, 2], [0, 1]], [[0.2, 0.1]] * 3)
    refuses(cdp.Error, "a distance of -1", cdp.lists, [[1], [0]], [[-1.0], [0]])
    refuses(cdp.Error, "neighbour lists", cdp.vote, PAIRS)
    refuses(cdp.Error, "scored pairs", cdp.propagate, cdp.knn(X, 2))
    refuses(cdp.Error, "scored pairs", cdp.propagate, cdp.forest(PAIRS), method="map")
    refuses(cdp.Error, "1 members are to agree", cdp.vote, cdp.knn(X, 2), accept=1)
    refuses(cdp.Error, "lists of 400 items, but", cdp.vote, [cdp.knn(X[:100], 2), cdp.knn(X, 2)])
    refuses(cdp.Error, "100 rows, but the lists are of 400", cdp.consensus, X[:100], cdp.knn(X, 2))
    refuses(ValueError, "features of 1 models", cdp.consensus, [X], [cdp.knn(X, 2)] * 2)
    refuses(cdp.Error, "pair features", cdp.Mediator.train, PAIRS, [0] * 5)
    refuses(cdp.Error, "No such file", cdp.read_stream, "no-such-file")
    refuses(cdp.Error, "no-such-folder", cdp.write_stream, PAIRS, "no-such-folder/x")
    refuses(cdp.Error, "must-links connect them", cdp.propagate, PAIRS, must_link=[[0, 1], [1, 2]], cannot_link=[[0, 2]])
    refuses(cdp.Error, "two different ones of 5", cdp.propagate, PAIRS, must_link=[[0, 5]])
    refuses(cdp.Error, "it is at most 1", cdp.propagate, PAIRS, threshold=2)
    refuses(cdp.Error, "needs none", cdp.propagate, PAIRS, method="map", threshold="auto")
    refuses(cdp.Error, "at most 1", cdp.sweep, PAIRS, (0, 3, 1))
    refuses(ValueError, "5 labels", cdp.truth, cdp.lists([[1]] * 5, [[0.1]] * 5, None), [1, 2])
    refuses(ValueError, "the same items", cdp.cluster, [X, X[:9]])
    refuses(ValueError, "threads", cdp.knn, X, 2, threads=-1)


def check_baselines():
    refuses(cdp.Error, "the methods are chinese-whispers, dbscan", cdp.baseline, "k-means", X)
    refuses(ValueError, "no parameter 'epsilon'", cdp.baseline, "dbscan", X, epsilon=1)
    refuses(ValueError, "a whole number", cdp.baseline, "kmeans", X, clusters=2.5)
    refuses(ValueError, "features or lists", cdp.baseline, "dbscan")
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert len(np.unique(cdp.baseline("kmeans", X, clusters=7, centres=unit[:7]))) == 7


def check_names():
    pairs = cdp.pairs([0, 1], [1, 2], [0.9, 0.8])
    pairs.names = ["a", "b c", "d\udcff"]
    assert pairs.names == ["a", "b c", "d\udcff"]
    cdp.write_stream(pairs, "names.cdp")
    assert cdp.read_stream("names.cdp").names == pairs.names
    assert list(cdp.propagate(pairs, cannot_link=[("a", "b c")])) == [-1, 0, 0]
    refuses(ValueError, "no item is named 'x'", cdp.propagate, pairs, must_link=[("a", "x")])
    refuses(ValueError, "no names", cdp.propagate, PAIRS, must_link=[("a", "x")])
    refuses(cdp.Error, "equal", setattr, pairs, "names", ["a", "a", "b"])
    refuses(cdp.Error, "2 names, but there are 3", setattr, pairs, "names", ["a", "b"])
    refuses(ValueError, "line break", setattr, pairs, "names", ["a", "b\nc", "d"])
    refuses(cdp.Error, "name", setattr, pairs, "names", ["a", "", "d"])


def check_labels():
    found = [3, 3, 3, -1]
    for truth in ([7, 7, 9, 9], ["x", "x", "y", "y"], [7.0, 7, 9, 9], np.array(["a", "a", "b", "b"], object)):
        kept = cdp.evaluate(found, truth)["kept"]
        assert abs(kept["pairwise_precision"] - 1 / 3) < 1e-12 and abs(kept["pairwise_recall"] - 0.5) < 1e-12
    for truth in ([7, 7, -1, 9], ["x", "x", None, "y"], [7, 7, np.nan, 9]):
        assert cdp.evaluate(found, truth)["kept"]["pairwise_precision"] == 1
    assert list(cdp.keep_numbers([4, 4, 9, -1, -1], [0, 0, 1, 2, -1])) == [4, 4, 9, 10, -1]


def check_pickle():
    for edges in (PAIRS, cdp.knn(X, 3), cdp.forest(PAIRS), cdp.pair_features(X, cdp.knn(X, 3))):
        again = pickle.loads(pickle.dumps(edges))
        assert (again.type, again.columns, again.nodes, again.metric) == (edges.type, edges.columns, edges.nodes, edges.metric)
        assert np.array_equal(again.target, edges.target) and np.array_equal(again.values, edges.values)


def check_progress():
    seen = []
    large = rng.normal(size=(20000, 64)).astype("f4")
    cdp.knn(large, 20, threads=1, method="exact", progress=lambda what, done: seen.append((what, done)))
    assert seen and all(what and done <= 1 for what, done in seen), seen


def check_interrupt():
    large = rng.normal(size=(60000, 128)).astype("f4")
    for method in ("exact", "approx"):
        timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
        timer.start()
        started = time.monotonic()
        try:
            cdp.knn(large, 20, method=method, recall=1, threads=1)
        except KeyboardInterrupt:
            assert time.monotonic() - started < 5, time.monotonic() - started
        else:
            raise AssertionError(f"{method}: not interrupted after {time.monotonic() - started} s")
        finally:
            timer.cancel()
    assert len(cdp.knn(large[:100], 3)) == 300  # the next computation is whole


def check_threads():
    want = cdp.knn(X, 5).values
    results = {}

    def work(n):
        found = cdp.knn(X, 5, threads=1)
        cdp.write_stream(found, f"thread-{n}.cdp")
        results[n] = cdp.read_stream(f"thread-{n}.cdp").values
    workers = [threading.Thread(target=work, args=[n]) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(np.array_equal(results[n], want) for n in range(4))


def check_scipy():
    need("scipy")
    from scipy.cluster.hierarchy import is_valid_linkage
    from scipy.sparse import csr_matrix
    found = cdp.knn(X, 4)
    matrix = found.to_scipy()
    neighbour, distance = found.lists()
    want = csr_matrix((distance.reshape(-1), neighbour.reshape(-1), np.arange(0, 1601, 4)), (400, 400))
    assert (matrix != want).nnz == 0 and np.shares_memory(matrix.data, found.values)
    again = cdp.pairs_from_scipy(PAIRS.to_scipy())
    assert np.array_equal(again.values, PAIRS.values) and np.array_equal(again.target, PAIRS.target)
    refuses(ValueError, "square", cdp.pairs_from_scipy, csr_matrix((2, 3)))
    tree = cdp.linkage(cdp.pairs([0, 1, 2], [1, 2, 3], [0.9, 0.8, 0.7]))
    assert is_valid_linkage(tree)


def check_pandas():
    pandas = need("pandas")
    frame = pandas.DataFrame({"id_l": ["x", "y", "q"], "id_r": ["y", "z", "x"], "p": [0.9, 0.8, 0.7]})
    pairs = cdp.pairs_from_frame(frame, "id_l", "id_r", "p")
    assert pairs.names == ["x", "y", "z", "q"] and pairs.nodes == 4
    assert cdp.pairs_from_frame(frame, "id_l", "id_r", "p", items=["z", "y", "x", "q", "w"]).names[4] == "w"
    shown = pairs.to_frame()
    assert list(shown.columns) == ["id_1", "id_2", "score"] and sorted(shown["id_1"]) == ["x", "x", "y"]
    numbers = cdp.pairs_from_frame(pandas.DataFrame({"id_1": [10**12], "id_2": [7], "score": [0.5]}))
    assert numbers.names == ["1000000000000", "7"]
    labels = cdp.labels_frame(cdp.propagate(pairs), pairs)
    assert dict(zip(labels["id"], labels["cluster"])) == dict.fromkeys("xyzq", 0)
    assert list(cdp.labels_frame([0, -1])["id"]) == [0, 1]
    refuses(ValueError, "1 ids, but 2 labels", cdp.labels_frame, [0, 0], ["a"])
    refuses(ValueError, "no column 'score': the columns are id_l", cdp.pairs_from_frame, frame, "id_l", "id_r")
    refuses(ValueError, "is not among the items", cdp.pairs_from_frame, frame, "id_l", "id_r", "p", ["x", "y", "z"])
    refuses(ValueError, "lacks an id", cdp.pairs_from_frame, frame.assign(id_l=[None, "y", "q"]), "id_l", "id_r", "p")
    refuses(ValueError, "one name", cdp.pairs_from_frame, frame, "id_l", "id_r", "p", ["x", "x", "y", "z", "q"])


def check_estimator_alone():
    import subprocess
    code = "import sys; sys.modules['sklearn'] = None; import cdp, numpy; x = numpy.eye(9); x[1] = x[0]; " \
           "print(cdp.CDP(k=3).fit_predict(x).shape)"
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "(9,)\n", found


def check_estimator():
    need("sklearn")
    import warnings
    from sklearn.utils.estimator_checks import check_estimator as checks
    warnings.simplefilter("ignore")
    checks(cdp.CDP())
    blobs = np.repeat(rng.normal(size=(20, 64)), 30, axis=0) + rng.normal(scale=0.1, size=(600, 64))
    blobs[17] = 0
    labels = cdp.CDP().fit_predict(blobs)
    assert labels[17] == -1 and cdp.evaluate(np.delete(labels, 17), np.delete(np.repeat(np.arange(20), 30), 17))["kept"]["ari"] > 0.99


for name, check in [(name[6:], check) for name, check in list(globals().items()) if name.startswith("check_")]:
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    try:
        check()
        print(f"ok {name}")
    except Skip as why:
        print(f"skipped {name}: {why}")
    except BaseException as error:  # a check's own, and a late interrupt
        traceback.print_exc()
        print(f"not ok {name}: {error!r}")
