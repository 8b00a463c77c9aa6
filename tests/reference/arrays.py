# SPDX-License-Identifier: MIT
"""Random arrays and sparse matrices, written by NumPy and SciPy, read by the cdp tools.

usage: arrays.py CASES SEED; prints a line for each difference.
"""
import subprocess
import sys
import warnings

import numpy
import scipy.io
import scipy.sparse

INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8"]


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def best(ids, scores):
    """The highest score of each pair, as text."""
    pairs = {}
    for (a, b), score in zip(ids, scores):
        if a != b:
            key = int(min(a, b)), int(max(a, b))
            pairs[key] = max(float(numpy.float32(score)), pairs.get(key, 0))
    return ["%d\t%d\t%.9g" % (a, b, score) for (a, b), score in sorted(pairs.items())]


def any_type(rng, names):
    return numpy.dtype(rng.choice(["<", ">"]) + rng.choice(names))


def save(rng, name, array):
    """In any version and order of npy."""
    order = numpy.asfortranarray if rng.random() < 0.5 else numpy.ascontiguousarray
    with open(name, "wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numpy.lib.format.write_array(file, order(array), version=(int(rng.integers(1, 4)), 0))


def some_pairs(rng):
    count = int(rng.integers(1, 30))
    return rng.integers(0, 100, (count, 2)), rng.integers(0, 65, count) / 64


def triples(rng):
    ids, scores = some_pairs(rng)
    save(rng, "a.npy", numpy.column_stack([ids, scores]).astype(any_type(rng, FLOATS)))
    return ["npy", "a.npy"], best(ids, scores)


def pairs(rng):
    ids, scores = some_pairs(rng)
    save(rng, "a.npy", ids.astype(any_type(rng, INTEGERS + FLOATS)))
    save(rng, "b.npy", scores.astype(any_type(rng, FLOATS)))
    return ["npy", "a.npy", "b.npy"], best(ids, scores)


def spoiled(rng):
    """An id or a score that is none."""
    ids, scores = some_pairs(rng)
    kind = any_type(rng, ["f4", "f8"])
    ids, scores = ids.astype(kind), scores.astype(kind)
    row = rng.integers(len(ids))
    if rng.random() < 0.3:
        scores[row] = rng.choice([numpy.nan, numpy.inf, -numpy.inf])
    else:
        large = 2.0 ** (24 if kind.itemsize == 4 else 53)
        ids[row, rng.integers(2)] = rng.choice([0.5, -1, numpy.nan, numpy.inf, 2 * large, 99.25])
    save(rng, "a.npy", ids)
    save(rng, "b.npy", scores)
    return ["npy", "a.npy", "b.npy"], None


def npz(rng):
    ids, scores = some_pairs(rng)
    (numpy.savez if rng.random() < 0.5 else numpy.savez_compressed)(
        "a.npz", pairs=ids.astype(any_type(rng, INTEGERS)), scores=scores.astype(any_type(rng, FLOATS)), other=[1])
    return ["npz", "a.npz"], best(ids, scores)


def some_matrix(rng):
    rows, columns = rng.integers(1, 20, 2)
    if rng.random() < 0.5:
        columns = rows
    matrix = scipy.sparse.random(rows, columns, 0.2, random_state=int(rng.integers(1 << 30)), dtype="f4")
    coo = matrix.tocoo()
    ids = numpy.column_stack([coo.row, coo.col + (rows if rows != columns else 0)])
    return matrix, ids, coo.data


def sparse(rng):
    matrix, ids, scores = some_matrix(rng)
    form = rng.choice(["csr", "csc", "coo", "bsr", "dia"])
    scipy.sparse.save_npz("a.npz", matrix.asformat(form), compressed=bool(rng.random() < 0.5))
    return ["npz", "a.npz"], best(ids, scores) if form in ("csr", "csc", "coo") else None


def market(rng):
    matrix, ids, scores = some_matrix(rng)
    field = rng.choice(["real", "pattern"])
    symmetric = matrix.shape[0] == matrix.shape[1] and rng.random() < 0.5
    if symmetric:
        matrix = scipy.sparse.coo_matrix(matrix + matrix.T) / 2
        ids, scores = numpy.column_stack([matrix.row, matrix.col]), matrix.data
    scipy.io.mmwrite("a.mtx", matrix, comment="made up", field=field, precision=17,
                     symmetry="symmetric" if symmetric else "general")
    return ["mtx", "a.mtx"], best(ids, numpy.ones(len(ids)) if field == "pattern" else scores)


def features(rng):
    """The same features as npy of any type and as raw float32: the digest of their neighbours."""
    rows, dim = int(rng.integers(3, 20)), int(rng.integers(1, 9))
    array = rng.integers(0, 2 if rng.random() < 0.2 else 100, (rows, dim))
    kind = numpy.dtype("bool") if array.max() < 2 else any_type(rng, INTEGERS + FLOATS)
    save(rng, "a.npy", array.astype(kind))
    array.astype("<f4").tofile("a.bin")
    digests = []
    for name in ["a.npy"], ["--dim", str(dim), "a.bin"]:
        status, _, why = run("cdp-knn", "-k", "2", "--metric", "l2", "-o", "a.cdp", *name)
        digests.append(run("cdp-view", "--digest", "a.cdp")[1] if status == 0 else why)
    return None, digests


def main():
    cases, seed = int(sys.argv[1]), int(sys.argv[2])
    kinds = [triples, pairs, spoiled, npz, sparse, market, features]
    for case in range(cases):
        rng = numpy.random.default_rng([seed, case])
        kind = kinds[case % len(kinds)]
        command, wanted = kind(rng)
        if not command:
            if wanted[0] != wanted[1]:
                print("case %d, %s: %r" % (case, kind.__name__, wanted))
            continue
        status, _, why = run("cdp-view", "--from", command[0], "-o", "a.cdp", *command[1:])
        got = run("cdp-view", "--to", "tsv", "a.cdp")[1].splitlines() if status == 0 else None
        if got != wanted or status > 1:
            print("case %d, %s: exit %d, %sgot %r, wanted %r" % (case, kind.__name__, status, why, got, wanted))


main()
