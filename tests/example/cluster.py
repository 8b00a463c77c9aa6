#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cluster.py PAIRS.tsv ITEMS [MAX_SIZE [STEP [MAX_ITER]]]: libcdp from Python, by ctypes and numpy."""
import ctypes
import os
import sys

import numpy as np

lib = ctypes.CDLL(os.environ.get("LIBCDP", "libcdp.so.0"))


class Err(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 1024)]


class Plan(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint64), ("max_size", ctypes.c_uint64),
                ("step", ctypes.c_double), ("max_iter", ctypes.c_uint64), ("merge", ctypes.c_int)]


lib.libcdp_pairs_new.restype = ctypes.c_void_p
lib.libcdp_pairs_cluster.restype = ctypes.c_int64


def array(values, kind):
    return np.ascontiguousarray(values, dtype=kind)


def pointer(values):
    return values.ctypes.data_as(ctypes.c_void_p)


def graph_propagation(edges, score, items, max_size=600, step=0.05, max_iter=100):
    """A label for each item, -1 for those in no pair: what the original calls so."""
    err = Err()
    first, second = array(edges[:, 0], np.uint64), array(edges[:, 1], np.uint64)
    score, label = array(score, np.float32), np.empty(items, dtype=np.uint32)
    plan = Plan(ctypes.sizeof(Plan), max_size, step, max_iter, 1)
    pairs = ctypes.c_void_p(lib.libcdp_pairs_new(ctypes.byref(err)))
    try:
        if (not pairs or
                lib.libcdp_pairs_add(pairs, pointer(first), pointer(second), pointer(score),
                                     ctypes.c_size_t(len(score)), ctypes.byref(err)) or
                lib.libcdp_pairs_cluster(pairs, ctypes.byref(plan), pointer(label),
                                         ctypes.c_uint64(items), ctypes.byref(err)) < 0):
            raise ValueError(err.text.decode())
    finally:
        lib.libcdp_pairs_free(pairs)
    return label.astype(np.int64) - (label == 2**32 - 1) * 2**32


if __name__ == "__main__":
    table = np.loadtxt(sys.argv[1], ndmin=2).reshape(-1, 3)
    numbers = [kind(text) for kind, text in zip((int, int, float, int), sys.argv[2:])]
    for number in graph_propagation(table[:, :2], table[:, 2], *numbers):
        print(number)
