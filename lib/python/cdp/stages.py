# SPDX-License-Identifier: MIT
"""The stages, one by one: what the tools compute, on arrays."""
from __future__ import annotations

import ctypes
import os
import warnings
from typing import Any, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _library as lib
from .edges import METRICS, Edges

Progress = Union[None, bool, lib.Progress]

METHODS = ["auto", "exact", "approx"]
COPIES = ["list", "once"]
CLUSTERINGS = ["ladder", "map"]


class ResultWarning(UserWarning):
    """Results that are to be looked at."""


def _plan(kind: Any, init: Optional[str] = None, **members: Any) -> Any:
    plan = kind()
    if init:
        getattr(lib.library, init)(ctypes.byref(plan), ctypes.c_uint64(ctypes.sizeof(plan)))
    plan.size = ctypes.sizeof(plan)
    for name, value in members.items():
        setattr(plan, name, value)
    return plan


# ---- neighbours

def knn(features: Any, k: int = 15, *, metric: str = "cosine", method: str = "auto",
        recall: float = 0.99, copies: str = "list", threads: int = 0,
        progress: Progress = None) -> Edges:
    """The k nearest other rows of every row: cdp-knn(1).

    features: rows x dim numbers of any type. metric: cosine, l2, l1, linf, angular or hamming.
    method: exact, approx (until `recall` is reached on a sample), or auto.
    """
    matrix, rows = lib.matrix(features)
    plan = _plan(lib.KnnPlan, "libcdp_knn_init", k=lib.count(k, "k", 1),
                 metric=lib.choice(metric, METRICS[1:], "metric") + 1,
                 method=lib.choice(method, METHODS, "method"),
                 copies=lib.choice(copies, COPIES, "copies"), recall=recall)
    found = lib.Found()
    edges = Edges(lib.run("libcdp_knn", ctypes.byref(matrix), ctypes.byref(plan),
                          ctypes.byref(found), threads=threads, progress=progress))
    del rows  # needed until here
    if found.crowded:
        warnings.warn(f"lists that hold only duplicates of their row: {found.crowded}: "
                      "copies='once', or a larger k, finds other neighbours", ResultWarning, 2)
    return edges


# ---- scores

def _lists(lists: Union[Edges, Sequence[Edges]]) -> tuple[Any, list[Edges]]:
    models = [lists] if isinstance(lists, Edges) else list(lists)
    if not models:
        raise ValueError("no neighbour lists")
    return (ctypes.POINTER(lib.Edges) * len(models))(*[m._pointer for m in models]), models


def _matrices(features: Any, models: int) -> tuple[Any, list[np.ndarray]]:
    """Features of each model: an array for one, a list of arrays for several."""
    given = [features] if models == 1 and not isinstance(features, (list, tuple)) else features
    if len(given) != models:
        raise ValueError(f"features of {len(given)} models, but lists of {models}")
    views = [lib.matrix(one) for one in given]
    return (lib.Matrix * models)(*[view for view, _ in views]), [rows for _, rows in views]


def vote(lists: Union[Edges, Sequence[Edges]], *, accept: int = 0, threshold: float = 0.6,
         scale: Optional[float] = None, threads: int = 0) -> Edges:
    """The neighbours by the first model that at least `accept` of the others agree on, with
    similarities above the threshold as scores: cdp-score vote."""
    pointers, models = _lists(lists)
    return Edges(lib.run("libcdp_score_vote", pointers, ctypes.c_uint(len(models)),
                         ctypes.c_uint(lib.count(accept, "accept")), ctypes.c_float(threshold),
                         ctypes.c_float(float("nan") if scale is None else scale),
                         threads=threads))


def pair_features(features: Any, lists: Union[Edges, Sequence[Edges]], *, extra: bool = False,
                  threads: int = 0, progress: Progress = None) -> Edges:
    """A mediator's inputs for the neighbours by the first model: cdp-score features."""
    pointers, models = _lists(lists)
    matrices, rows = _matrices(features, len(models))
    edges = Edges(lib.run("libcdp_score_features", matrices, pointers,
                          ctypes.c_uint(len(models)), ctypes.c_int(bool(extra)), threads=threads,
                          progress=progress))
    del rows
    return edges


def truth(lists: Edges, labels: Any) -> Edges:
    """The neighbours of the same known label, with scores of 1: cdp-score truth."""
    label = lib.labels(labels, lists.nodes, "labels")
    return Edges(lib.call("libcdp_score_truth", lists._pointer, lib.pointer(label)))


class Consensus(NamedTuple):
    """What a consensus found; cdp-score(1) explains each."""
    signal: bool        # the cosines show true pairs at all
    normalised: bool    # thresholds are of normalised cosines
    threshold: float    # the least cosine of a pair
    deviations: float   # the same, in deviations of pairs by chance
    false_alarms: float  # false pairs of an item expected
    partners: float     # true pairs of an item expected
    recall: float       # of the pairs in clusters: the share above the threshold
    strength: float     # of the models: from 0, weak, to 1, strong
    weights: list       # of the models
    separations: list   # of the models' true pairs, in deviations; nan = unknown


def consensus(features: Any, lists: Union[Edges, Sequence[Edges]], *, false_alarms: float = 0,
              threads: int = 0, progress: Progress = None) -> tuple[Edges, Consensus]:
    """Pairs scored by the probability that they are true, without labels and without a threshold
    to choose, and what was found: cdp-score consensus. For `propagate` with method="map".

    features: an array for one model, a list of arrays for several; lists: of each model, as long
    as for example 80 neighbours.
    """
    pointers, models = _lists(lists)
    matrices, rows = _matrices(features, len(models))
    found = _plan(lib.Consensus)
    edges = Edges(lib.run("libcdp_score_consensus", matrices, pointers,
                          ctypes.c_uint(len(models)), ctypes.c_double(false_alarms),
                          ctypes.byref(found), threads=threads, progress=progress))
    del rows
    count = len(models)
    result = Consensus(bool(found.signal), bool(found.normalise), found.threshold,
                       found.deviations, found.alarms, found.partners, found.recall,
                       found.strength, list(found.weight[:count]), list(found.separation[:count]))
    _warn_of_consensus(result, len(edges), false_alarms == 0)
    return edges, result


def _warn_of_consensus(found: Consensus, pairs: int, chosen: bool) -> None:
    if not found.signal:
        text = ("no signal: the cosines are those of chance: these features tell no identities "
                "apart, or nearly all items are of a few identities, or each is the only one")
    elif not pairs:
        text = "no pair of the lists is above the threshold: false_alarms sets another"
    elif chosen and found.strength <= 0:
        text = (f"weak features: of the pairs in clusters {100 * found.recall:.0f} % are above "
                "the threshold: expect identities in several clusters; further models or a "
                "mediator help")
    else:
        return
    warnings.warn(text, ResultWarning, 3)


# ---- the mediator

class Mediator:
    """A network that scores pairs by their features: cdp-mediate(1)."""

    def __init__(self, pointer: int):
        self._pointer = ctypes.c_void_p(pointer)
        self._free = lib.library.libcdp_mediator_free

    def __del__(self) -> None:
        self._free(self._pointer)

    @classmethod
    def train(cls, features: Edges, labels: Any, *,
              groups: str = "relationship,affinity,structure", epochs: int = 0,
              rate: Optional[float] = None, patience: int = 0, scale: bool = False,
              balance: bool = False, calibrate: bool = False, holdout: float = 0.2, seed: int = 0,
              threads: int = 0, progress: Progress = None) -> "Mediator":
        """Learns from pair features of items with labels (-1, None or NaN: unknown)."""
        label = lib.labels(labels, features.nodes, "labels")
        plan = _plan(lib.Training, "libcdp_training_init", groups=groups.encode(),
                     epochs=lib.count(epochs, "epochs"), patience=lib.count(patience, "patience"),
                     scale=bool(scale), balance=bool(balance), calibrate=bool(calibrate),
                     holdout=holdout, seed=lib.count(seed, "seed"))
        if rate is not None:
            plan.rate = rate
        return cls(lib.run("libcdp_mediator_train", features._pointer, lib.pointer(label),
                           ctypes.byref(plan), threads=threads, progress=progress))

    @classmethod
    def read(cls, path: Union[str, os.PathLike]) -> "Mediator":
        return cls(lib.call("libcdp_mediator_read", os.fsencode(path)))

    def write(self, path: Union[str, os.PathLike]) -> None:
        lib.call("libcdp_mediator_write", self._pointer, os.fsencode(path))

    def threshold(self, precision: float = 0) -> float:
        """The threshold of the best clusters in training, or the lowest of a pair precision."""
        return lib.call("libcdp_mediator_threshold", self._pointer, ctypes.c_double(precision))

    def apply(self, features: Edges, threshold: Optional[float] = None, *, threads: int = 0,
              progress: Progress = None) -> Edges:
        """The pairs of a probability above the threshold; None: that of `threshold()`."""
        at = self.threshold() if threshold is None else threshold
        return Edges(lib.run("libcdp_mediator_apply", self._pointer, features._pointer,
                             ctypes.c_double(at), threads=threads, progress=progress))


# ---- clusters

def _links(links: Any, names: Optional[list[str]], what: str) -> np.ndarray:
    """n x 2 numbers, of pairs of items by number or by name."""
    if links is None or not len(links):
        return np.empty((0, 2), np.uint64)
    given = np.asarray(links)
    if given.dtype.kind not in "iu":
        if names is None:
            raise ValueError(f"{what}: items by name, but the pairs have no names")
        number = {name: n for n, name in enumerate(names)}
        try:
            given = np.array([[number[str(i)], number[str(j)]] for i, j in links])
        except KeyError as error:
            raise ValueError(f"{what}: no item is named {error.args[0]!r}") from None
    return lib.array(given, np.uint64, what, (None, 2))


def _cluster_plan(pairs: Edges, must_link: Any, cannot_link: Any, **members: Any) -> tuple:
    names = pairs.names if must_link is not None or cannot_link is not None else None
    must = _links(must_link, names, "must_link")
    cannot = _links(cannot_link, names, "cannot_link")
    plan = _plan(lib.ClusterPlan, "libcdp_cluster_init", must_link=lib.pointer(must),
                 cannot_link=lib.pointer(cannot), must_links=len(must),
                 cannot_links=len(cannot), **members)
    return plan, (must, cannot)


def propagate(pairs: Edges, *, method: str = "ladder",
              threshold: Union[float, str] = float("-inf"), max_size: int = 600,
              step: float = 0.05, max_iter: int = 100, forced_stop: str = "split",
              must_link: Any = None, cannot_link: Any = None, threads: int = 0,
              progress: Progress = None) -> np.ndarray:
    """Clusters of scored pairs: a number for each item, -1 in none: cdp-propagate(1).

    method: "ladder", components cut at rising thresholds until they have at most max_size items,
    for any scores; or "map", the map equation, for scores that are probabilities. threshold: only
    pairs above it count; "auto" finds one (ladder). must_link, cannot_link: pairs of items by
    number, or by name if the pairs have names.
    """
    automatic = threshold == "auto"
    plan, kept = _cluster_plan(
        pairs, must_link, cannot_link, method=lib.choice(method, CLUSTERINGS, "method"),
        threshold=float("nan") if automatic else float(threshold),
        max_size=lib.count(max_size, "max_size", 1), step=step,
        max_iter=lib.count(max_iter, "max_iter"),
        merge=lib.choice(forced_stop, ["split", "merge"], "forced_stop"))
    label = np.empty(pairs.nodes, np.uint32)
    lib.run("libcdp_cluster", pairs._pointer, ctypes.byref(plan), lib.pointer(label), None,
            threads=threads, progress=progress)
    del kept
    return lib.as_numbers(label)


def forest(pairs: Edges) -> Edges:
    """A maximum spanning forest, which has the clusters of all thresholds: cdp-forest(1)."""
    return Edges(lib.call("libcdp_forest", pairs._pointer))


def linkage(pairs: Edges, *, must_link: Any = None, cannot_link: Any = None) -> np.ndarray:
    """The merge tree as SciPy's linkage, of distances 1 - score, infinite where no pair joins."""
    plan, kept = _cluster_plan(pairs, must_link, cannot_link)
    rows = np.empty((max(pairs.nodes - 1, 0), 4))
    lib.call("libcdp_linkage", pairs._pointer, ctypes.byref(plan), lib.pointer(rows))
    del kept
    return rows


def sweep(pairs: Edges, thresholds: tuple[float, float, float] = (0, 0.98, 0.02), *,
          max_sizes: Sequence[int] = (600,), method: str = "ladder", step: float = 0.05,
          max_iter: int = 100, forced_stop: str = "split", truth: Any = None,
          must_link: Any = None, cannot_link: Any = None, threads: int = 0,
          progress: Progress = None) -> np.ndarray:
    """What each threshold (first, last, step) and largest size gives: a structured array of
    threshold, max_size, clusters, items, largest and, with true labels, precision, recall, fscore
    and bcubed (0 to 1): cdp-sweep(1)."""
    first, last, by = (float(number) for number in thresholds)
    if not by > 0 or not first <= last:
        raise ValueError("thresholds: expected (first, last, step), with a step above 0")
    count = int((last - first) / by * (1 + 1e-9)) + 1
    plan, kept = _cluster_plan(
        pairs, must_link, cannot_link, method=lib.choice(method, CLUSTERINGS, "method"),
        step=step, max_iter=lib.count(max_iter, "max_iter"),
        merge=lib.choice(forced_stop, ["split", "merge"], "forced_stop"))
    sizes = lib.array(max_sizes, np.uint64, "max_sizes", (None,))
    label = None if truth is None else lib.labels(truth, pairs.nodes, "truth")
    outcome = (lib.Outcome * (count * len(sizes)))()
    lib.run("libcdp_sweep", pairs._pointer, ctypes.byref(plan), ctypes.c_double(first),
            ctypes.c_double(by), ctypes.c_size_t(count), lib.pointer(sizes),
            ctypes.c_size_t(len(sizes)), None if label is None else lib.pointer(label), outcome,
            threads=threads, progress=progress)
    del kept
    return np.frombuffer(outcome, np.dtype(lib.Outcome)).copy()


def keep_numbers(before: Any, now: Any) -> np.ndarray:
    """The clusters of `now` with the numbers of `before` so that the most items keep theirs; new
    clusters get numbers behind the largest. Both are of the same items; -1 = in none: cdp-relabel(1).
    """
    before = lib.array(before, np.int64, "before", (None,))
    out = lib.array(now, np.int64, "now", (len(before),)).copy()
    lib.call("libcdp_keep", ctypes.c_uint64(len(out)), lib.pointer(before), lib.pointer(out))
    return out


def evaluate(labels: Any, truth: Any) -> dict[str, dict[str, float]]:
    """Metrics of clusters against true labels of any type, 0 to 1: cdp-eval(1). "kept": each item
    of label -1 as a cluster of its own; "removed": without these. A true label of -1, None or NaN
    is unknown, and its item left out."""
    found = lib.labels(labels, None, "labels")
    known = lib.labels(truth, len(found), "truth")
    kept, removed = lib.Scores(), lib.Scores()
    lib.call("libcdp_eval", lib.pointer(found), lib.pointer(known), ctypes.c_uint64(len(found)),
             ctypes.byref(kept), ctypes.byref(removed))
    return {how: {name: getattr(scores, name) for name in lib.SCORES}
            for how, scores in (("kept", kept), ("removed", removed))}


# ---- other clusterings

CHOICES = {"select": ["excess", "leaf"], "assign": ["discretize", "cluster-qr"]}


def _baseline_plan(parameters: dict) -> tuple[Any, Any]:
    plan = _plan(lib.BaselinePlan, "libcdp_baseline_init")
    kinds = dict(lib.BaselinePlan._fields_[1:])
    kept = None
    for name, value in parameters.items():
        if name not in kinds:
            raise ValueError(f"no parameter {name!r}: the methods have {', '.join(kinds)}")
        if name == "centres":
            matrix, rows = lib.matrix(value)
            kept = (matrix, rows)
            value = ctypes.addressof(matrix)
        elif name in CHOICES:
            value = lib.choice(value, CHOICES[name], name)
        elif kinds[name] is ctypes.c_uint64:
            value = lib.count(value, name)
        setattr(plan, name, value)
    return plan, kept


def _baseline(function: str, method: str, features: Any, lists: Optional[Edges],
              out: np.ndarray, parameters: dict, threads: int, progress: Progress) -> None:
    matrix, rows = (None, None) if features is None else lib.matrix(features)
    plan, kept = _baseline_plan(parameters)
    lib.run(function, method.encode(), None if matrix is None else ctypes.byref(matrix),
            None if lists is None else lists._pointer, ctypes.byref(plan), lib.pointer(out),
            threads=threads, progress=progress)
    del rows, kept


def _items(features: Any, lists: Optional[Edges]) -> int:
    if features is None and lists is None:
        raise ValueError("features or lists are needed")
    return lists.nodes if features is None else len(features)


def baseline(method: str, features: Any = None, lists: Optional[Edges] = None, *,
             threads: int = 0, progress: Progress = None, **parameters: Any) -> np.ndarray:
    """Clusters by a well-known method, for comparison: a number for each item, -1 in none.

    method: chinese-whispers, dbscan, finch, hdbscan, kmeans, knn-dbscan, minibatch, rank-order,
    single, spectral or ward. parameters: the options of cdp-baseline(1), for example
    eps=0.75, min_samples=10 or clusters=500; the method's defaults otherwise.
    """
    items = _items(features, lists)
    label = np.empty(items, np.uint32)
    _baseline("libcdp_baseline", method, features, lists, label, parameters, threads,
              progress)
    return lib.as_numbers(label)


def baseline_tree(method: str, features: Any, lists: Optional[Edges] = None, *, threads: int = 0,
                  progress: Progress = None, **parameters: Any) -> np.ndarray:
    """The merge tree of hdbscan, single or ward, as SciPy's linkage."""
    items = _items(features, lists)
    rows = np.empty((max(items - 1, 0), 4))
    _baseline("libcdp_baseline_tree", method, features, lists, rows, parameters, threads,
              progress)
    return rows
