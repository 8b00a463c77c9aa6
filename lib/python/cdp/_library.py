# SPDX-License-Identifier: MIT
"""The shared library: its structures (cdp.h), its errors, and computations that Ctrl-C ends."""
from __future__ import annotations

import _thread
import ctypes
import os
import threading
from pathlib import Path
from typing import Any, Callable, Optional, Union

import numpy as np

#: Called with what is being done and the fraction done (negative: unknown), some times a second.
Progress = Callable[[str, float], None]

NONE = 2**32 - 1  # the label of an item in no cluster


class Error(RuntimeError):
    """A computation failed; the text says why, and what to do."""


class Err(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 1024)]


class Run(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("threads", ctypes.c_int32), ("stop", ctypes.c_int32),
                ("done", ctypes.c_double), ("what", ctypes.c_char_p)]


class Matrix(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("rows", ctypes.c_uint64), ("dim", ctypes.c_uint64),
                ("row_stride", ctypes.c_uint64), ("number_stride", ctypes.c_uint64),
                ("number", ctypes.c_int32)]


class Edges(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("metric", ctypes.c_int32), ("k", ctypes.c_uint32),
                ("columns", ctypes.c_uint32), ("nodes", ctypes.c_uint64),
                ("count", ctypes.c_uint64), ("offset", ctypes.POINTER(ctypes.c_uint64)),
                ("target", ctypes.POINTER(ctypes.c_uint32)),
                ("value", ctypes.POINTER(ctypes.POINTER(ctypes.c_float))),
                ("column", ctypes.POINTER(ctypes.c_char_p)), ("scale", ctypes.c_float),
                ("floor", ctypes.c_float), ("names", ctypes.c_void_p),
                ("names_size", ctypes.c_uint64)]


class KnnPlan(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("k", ctypes.c_uint32), ("metric", ctypes.c_int32),
                ("method", ctypes.c_int32), ("copies", ctypes.c_int32),
                ("recall", ctypes.c_double)]


class Found(ctypes.Structure):
    _fields_ = [("recall", ctypes.c_double), ("crowded", ctypes.c_uint64)]


class Consensus(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("signal", ctypes.c_int32),
                ("normalise", ctypes.c_int32), ("threshold", ctypes.c_double),
                ("deviations", ctypes.c_double), ("alarms", ctypes.c_double),
                ("partners", ctypes.c_double), ("recall", ctypes.c_double),
                ("strength", ctypes.c_double), ("ratio", ctypes.c_double),
                ("weight", ctypes.c_double * 64), ("separation", ctypes.c_double * 64)]


class Training(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("groups", ctypes.c_char_p), ("epochs", ctypes.c_uint64),
                ("rate", ctypes.c_double), ("patience", ctypes.c_uint64),
                ("scale", ctypes.c_int32), ("balance", ctypes.c_int32),
                ("calibrate", ctypes.c_int32), ("holdout", ctypes.c_double),
                ("seed", ctypes.c_uint64)]


class ClusterPlan(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("method", ctypes.c_int32), ("merge", ctypes.c_int32),
                ("threshold", ctypes.c_double), ("max_size", ctypes.c_uint64),
                ("step", ctypes.c_double), ("max_iter", ctypes.c_uint64),
                ("must_link", ctypes.c_void_p), ("cannot_link", ctypes.c_void_p),
                ("must_links", ctypes.c_uint64), ("cannot_links", ctypes.c_uint64)]


class BaselinePlan(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64)] + [
        (name, ctypes.c_uint64) for name in ("clusters", "neighbours", "min_samples",
                                             "min_cluster_size", "starts", "batch", "rounds",
                                             "partition", "seed")] + [
        (name, ctypes.c_double) for name in ("eps", "similarity", "distance", "threshold",
                                             "tolerance")] + [
        (name, ctypes.c_int32) for name in ("select", "assign", "approximate")] + [
        ("centres", ctypes.c_void_p)]


class Outcome(ctypes.Structure):
    _fields_ = [("threshold", ctypes.c_double), ("max_size", ctypes.c_uint64),
                ("clusters", ctypes.c_uint64), ("items", ctypes.c_uint64),
                ("largest", ctypes.c_uint64), ("precision", ctypes.c_double),
                ("recall", ctypes.c_double), ("fscore", ctypes.c_double),
                ("bcubed", ctypes.c_double)]


SCORES = ["pairwise_precision", "pairwise_recall", "pairwise_fscore", "bcubed_precision",
          "bcubed_recall", "bcubed_fscore", "ari", "homogeneity", "completeness", "vmeasure"]


class Scores(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in SCORES]


# The functions that return something else than an int.
RESULTS = {
    "libcdp_edges_from_lists": ctypes.POINTER(Edges),
    "libcdp_edges_from_pairs": ctypes.POINTER(Edges),
    "libcdp_edges_read": ctypes.POINTER(Edges),
    "libcdp_knn": ctypes.POINTER(Edges),
    "libcdp_score_vote": ctypes.POINTER(Edges),
    "libcdp_score_features": ctypes.POINTER(Edges),
    "libcdp_score_truth": ctypes.POINTER(Edges),
    "libcdp_score_consensus": ctypes.POINTER(Edges),
    "libcdp_mediator_train": ctypes.c_void_p,
    "libcdp_mediator_read": ctypes.c_void_p,
    "libcdp_mediator_threshold": ctypes.c_double,
    "libcdp_mediator_apply": ctypes.POINTER(Edges),
    "libcdp_cluster": ctypes.c_int64,
    "libcdp_forest": ctypes.POINTER(Edges),
    "libcdp_baseline": ctypes.c_int64,
}


def _load() -> ctypes.CDLL:
    """The library that LIBCDP names, that is in this package (a wheel), or that is installed."""
    here = Path(__file__).with_name("libcdp.so.0")
    name = os.environ.get("LIBCDP") or (str(here) if here.exists() else "libcdp.so.0")
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(f"{error}: install libcdp (make install), or set LIBCDP to the path of "
                          "libcdp.so.0") from error
    for function, result in RESULTS.items():
        getattr(library, function).restype = result
    return library


library = _load()


# ---- arguments

def array(values: Any, kind: Any, what: str, shape: Optional[tuple] = None) -> np.ndarray:
    """A contiguous array of a type; values that the type cannot hold are an error."""
    given = np.asarray(values)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{what}: expected numbers, got {given.dtype}")
    with np.errstate(invalid="ignore"):
        out = np.ascontiguousarray(given, dtype=kind)
    if np.dtype(kind).kind in "iu" and given.size and not np.array_equal(out, given):
        raise ValueError(f"{what}: numbers that are not of type {np.dtype(kind)}")
    if shape is not None and (out.ndim != len(shape) or
                              any(want not in (None, have) for want, have in zip(shape, out.shape))):
        wanted = " x ".join("n" if want is None else str(want) for want in shape)
        raise ValueError(f"{what}: expected {wanted} numbers, got {out.shape}")
    return out


def pointer(values: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


NUMBERS = {"f2": 0, "f4": 2, "f8": 3, "u1": 4, "i1": 5, "i2": 6, "u2": 7, "i4": 8, "u4": 9,
           "i8": 10, "u8": 11, "b1": 12}


def matrix(values: Any) -> tuple[Matrix, np.ndarray]:
    """A view of a two-dimensional array of numbers, and what it is a view of."""
    rows = np.asarray(values)
    if rows.ndim != 2:
        raise ValueError(f"features: expected a row for each item, got shape {rows.shape}")
    kind = rows.dtype.str[1:]
    if kind not in NUMBERS:
        raise ValueError(f"features: expected numbers, got {rows.dtype}")
    if not rows.dtype.isnative or min(rows.strides) < 0:
        rows = np.ascontiguousarray(rows, dtype=rows.dtype.newbyteorder("="))
    return Matrix(rows.ctypes.data, rows.shape[0], rows.shape[1], rows.strides[0], rows.strides[1],
                  NUMBERS[kind]), rows


def labels(values: Any, items: Optional[int], what: str) -> np.ndarray:
    """Labels as the library takes them: any numbers or texts become numbers; those below 0, NaN
    and None become NONE."""
    given = np.asarray(values)
    if given.ndim != 1 or (items is not None and len(given) != items):
        raise ValueError(f"{what}: expected {items} labels, got shape {given.shape}")
    if given.dtype.kind == "b":
        given = given.astype(np.int8)
    if given.dtype.kind in "iuf":
        none = ~(given >= 0)
    else:
        none = np.array([value is None or value != value for value in given], dtype=bool)
        given = given.astype(str)
    out = np.full(len(given), NONE, dtype=np.uint32)
    out[~none] = np.unique(given[~none], return_inverse=True)[1].reshape(-1)
    return out


def as_numbers(label: np.ndarray) -> np.ndarray:
    """Labels as int64, with -1 for NONE."""
    out = label.astype(np.int64)
    out[label == NONE] = -1
    return out


# ---- calls

def choice(value: str, names: list[str], what: str) -> int:
    if value not in names:
        raise ValueError(f"{what}: expected one of {', '.join(names)}, got {value!r}")
    return names.index(value)


def count(value: Any, what: str, least: int = 0) -> int:
    """A whole number, which ctypes would cut to its size in silence."""
    number = int(value)
    if number != value or not least <= number < 2**32:
        raise ValueError(f"{what}: expected a whole number from {least} on, got {value!r}")
    return number


def failed(result: Any) -> bool:
    if isinstance(result, float):
        return result != result
    return result is None or not result if not isinstance(result, int) else result < 0


def call(name: str, *arguments: Any) -> Any:
    """Calls a short function, whose last argument is the error."""
    err = Err()
    result = getattr(library, name)(*arguments, ctypes.byref(err))
    if failed(result):
        raise Error(err.text.decode(errors="replace"))
    return result


def run(name: str, *arguments: Any, threads: int = 0,
        progress: Union[None, bool, Progress] = None) -> Any:
    """Calls a long function, whose last arguments are the run and the error, in a thread of its
    own: so the progress can be shown, and KeyboardInterrupt ends it."""
    state, err, results = Run(), Err(), []
    library.libcdp_run_init(ctypes.byref(state), ctypes.c_uint64(ctypes.sizeof(state)))
    state.threads = count(threads, "threads")
    function, done = getattr(library, name), threading.Event()
    show = _print_progress() if progress is True else progress or None

    def work() -> None:
        results.append(function(*arguments, ctypes.byref(state), ctypes.byref(err)))
        done.set()

    def start() -> None:
        # Not a threading.Thread: an interrupted join() takes a running one for ended (CPython 3.11).
        try:
            _thread.start_new_thread(work, ())
        except RuntimeError:
            done.set()  # nothing runs
            raise

    interruption = None
    try:
        start()
        wait = 0.05
        while not done.wait(wait):
            what = state.what
            if show and what:
                show(what.decode(), state.done)
            wait = 0.2
    except BaseException as error:  # a KeyboardInterrupt, or one of the progress function
        interruption = error
    while not done.is_set():  # whatever else happens: the computation uses the caller's arrays
        state.stop = 1
        try:
            done.wait()
        except KeyboardInterrupt:
            pass
    if progress is True:
        show(None, 0)
    if interruption is not None:
        if results and isinstance(results[0], ctypes.POINTER(Edges)) and results[0]:
            library.libcdp_edges_free(results[0])
        raise interruption
    if failed(results[0]):
        raise Error(err.text.decode(errors="replace"))
    return results[0]


def _print_progress() -> Callable[[Optional[str], float], None]:
    """Prints a line on standard error, if that is a terminal, and removes it in the end."""
    import sys

    def show(what: Optional[str], done: float) -> None:
        if not sys.stderr.isatty():
            return
        percent = f" {100 * done:.0f} %" if done >= 0 else ""
        sys.stderr.write("\r\033[K" + (f"{what}{percent}" if what else ""))
        sys.stderr.flush()
    return show
