# SPDX-License-Identifier: MIT
"""Neighbour lists, scored pairs, pair features and spanning forests, as numpy arrays."""
from __future__ import annotations

import ctypes
import os
import tempfile
from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _library as lib

TYPES = ["", "knn", "pairs", "features", "forest"]
METRICS = ["", "cosine", "l2", "l1", "linf", "angular", "hamming"]


class Edges:
    """Edges between items 0 to nodes - 1: what an edge stream holds (cdp-stream(5)).

    Arrays are views of the library's memory, which lives as long as any of them; they are not
    writable. The edges of item i are those from offset[i] to offset[i + 1] - 1: neighbour lists
    nearest first, all other types as pairs with the smaller item first.
    """

    def __init__(self, pointer: Any):
        self._owner = _Owner(pointer)
        shown = pointer.contents
        self.type: str = TYPES[shown.type]
        self.metric: Optional[str] = METRICS[shown.metric] or None
        self.k: int = shown.k
        self.nodes: int = shown.nodes
        self.scale: float = shown.scale
        self.columns: list[str] = [shown.column[c].decode() for c in range(shown.columns)]
        self.offset: np.ndarray = self._view(shown.offset, shown.nodes + 1, np.uint64)
        self.target: np.ndarray = self._view(shown.target, shown.count, np.uint32)
        self._values = [self._view(shown.value[c], shown.count, np.float32)
                        for c in range(shown.columns)]

    def _view(self, at: Any, count: int, kind: Any) -> np.ndarray:
        if not count:
            return np.empty(0, kind)
        size = count * np.dtype(kind).itemsize
        buffer = (ctypes.c_char * size).from_address(ctypes.cast(at, ctypes.c_void_p).value)
        buffer.owner = self._owner  # the memory lives as long as the view
        view = np.frombuffer(buffer, kind)
        view.flags.writeable = False
        return view

    @property
    def _pointer(self) -> Any:
        return self._owner.pointer

    def __len__(self) -> int:
        return len(self.target)

    def __repr__(self) -> str:
        return f"<cdp.Edges: {self.type}, {len(self)} edges of {self.nodes} items>"

    @property
    def source(self) -> np.ndarray:
        """The first item of each edge; a new array."""
        return np.repeat(np.arange(self.nodes, dtype=np.uint32),
                         np.diff(self.offset).astype(np.int64))

    @property
    def values(self) -> np.ndarray:
        """The first column: distances of neighbour lists, scores of pairs."""
        return self._values[0]

    def __getitem__(self, column: str) -> np.ndarray:
        """A column by its name."""
        if column not in self.columns:
            raise KeyError(f"{column}: the columns are {', '.join(self.columns)}")
        return self._values[self.columns.index(column)]

    @property
    def names(self) -> Optional[list[str]]:
        """The items' names, or None."""
        shown = self._pointer.contents
        if not shown.names:
            return None
        text = ctypes.string_at(shown.names, shown.names_size)
        return text.decode(errors="surrogateescape").split("\n")[:-1]

    @names.setter
    def names(self, names: Sequence[str]) -> None:
        text = "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")
        if text.count(b"\n") != len(names):
            raise ValueError("names: a name has no line break")
        lib.call("libcdp_edges_name", self._pointer, text, ctypes.c_uint64(len(text)))

    def __reduce__(self) -> tuple:
        """Pickles as a stream."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "edges.cdp")
            write_stream(self, path)
            with open(path, "rb") as file:
                return _from_stream, (file.read(),)

    def lists(self) -> tuple[np.ndarray, np.ndarray]:
        """Neighbours and distances as nodes x k arrays, with -1 and infinity where a list is
        shorter than the longest."""
        counts = np.diff(self.offset).astype(np.int64)
        k = int(counts.max(initial=0))
        place = np.arange(k) < counts[:, None]
        neighbour = np.full((self.nodes, k), -1, np.int64)
        distance = np.full((self.nodes, k), np.inf, np.float32)
        neighbour[place], distance[place] = self.target, self.values
        return neighbour, distance

    def to_scipy(self, column: Optional[str] = None) -> Any:
        """A scipy.sparse.csr_matrix of a column, nodes x nodes: neighbour lists row by row, pairs
        as the upper triangle. The values are not copied; a distance or score of 0 is kept as an
        explicit entry."""
        from scipy.sparse import csr_matrix
        values = self.values if column is None else self[column]
        index = np.int32 if max(self.nodes, len(self)) < 2**31 else np.int64
        target = self.target.view(np.int32) if index is np.int32 else self.target.astype(index)
        matrix = csr_matrix((self.nodes, self.nodes), dtype=np.float32)
        matrix.data, matrix.indices, matrix.indptr = values, target, self.offset.astype(index)
        return matrix

    def to_frame(self) -> Any:
        """A pandas.DataFrame: the two items, by name if they have names, and the columns."""
        import pandas
        first, second = self.source, self.target
        names = self.names
        if names is not None:
            text = np.array(names, dtype=object)
            first, second = text[first], text[second]
        ends = ("source", "target") if self.type == "knn" else ("id_1", "id_2")
        return pandas.DataFrame({ends[0]: first, ends[1]: second,
                                 **dict(zip(self.columns, self._values))}, copy=False)


class _Owner:
    """The library's memory."""

    def __init__(self, pointer: Any):
        self.pointer = pointer
        self._free = lib.library.libcdp_edges_free

    def __del__(self) -> None:
        self._free(self.pointer)


def _from_stream(stream: bytes) -> Edges:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "edges.cdp")
        with open(path, "wb") as file:
            file.write(stream)
        return read_stream(path)


def pairs(i: Any, j: Any, score: Any, items: int = 0) -> Edges:
    """Scored pairs of items, in any order; of a repeated pair the highest score counts.

    i, j: whole numbers from 0 on, below `items` (0: one more than the largest). score: at most 1.
    """
    i, j = lib.array(i, np.uint64, "i", (None,)), lib.array(j, np.uint64, "j", (None,))
    score = lib.array(score, np.float32, "score", (len(i),))
    if len(j) != len(i):
        raise ValueError(f"{len(i)} first items, but {len(j)} second ones")
    return Edges(lib.call("libcdp_edges_from_pairs", ctypes.c_uint64(lib.count(items, "items")),
                          lib.pointer(i), lib.pointer(j), lib.pointer(score),
                          ctypes.c_size_t(len(i))))


def pairs_from_scipy(matrix: Any) -> Edges:
    """The entries of a square sparse matrix as scored pairs; the diagonal is left out, and of two
    entries of a pair the higher one counts."""
    matrix = matrix.tocoo()
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"expected a square matrix, got {matrix.shape}")
    off = matrix.row != matrix.col
    return pairs(matrix.row[off], matrix.col[off], matrix.data[off], matrix.shape[0])


def pairs_from_frame(frame: Any, id_1: str = "id_1", id_2: str = "id_2", score: str = "score",
                     items: Optional[Sequence] = None) -> Edges:
    """Scored pairs of a DataFrame, by the names of its columns. The ids, of any type, become the
    items' names as text, numbered in the order of `items`, or of first appearance; `items` that
    are in no pair are items too."""
    import pandas
    for column in (id_1, id_2, score):
        if column not in frame.columns:
            raise ValueError(f"no column {column!r}: the columns are "
                             f"{', '.join(map(str, frame.columns))}")
    first, second = frame[id_1].astype(str), frame[id_2].astype(str)
    if frame[[id_1, id_2, score]].isna().any(axis=None):
        raise ValueError("a pair lacks an id or a score")
    known = pandas.Index(pandas.unique(
        pandas.Series(items).astype(str) if items is not None
        else np.stack([first, second], 1).reshape(-1)))
    if items is not None and len(known) != len(items):
        raise ValueError("two items have one name")
    i, j = known.get_indexer(first), known.get_indexer(second)
    if (i < 0).any() or (j < 0).any():
        missing = (first[i < 0] if (i < 0).any() else second[j < 0]).iloc[0]
        raise ValueError(f"id {missing!r} is not among the items")
    edges = pairs(i, j, frame[score].to_numpy(np.float32), len(known))
    edges.names = list(known)
    return edges


def labels_frame(labels: Any, items: Union[Edges, Sequence, None] = None) -> Any:
    """Labels as a pandas.DataFrame: the items' ids, and their clusters. items: edges whose names
    are the ids, the ids themselves, or None for numbers."""
    import pandas
    names = items.names if isinstance(items, Edges) else items
    ids = np.arange(len(labels)) if names is None else list(names)
    if len(ids) != len(labels):
        raise ValueError(f"{len(ids)} ids, but {len(labels)} labels")
    return pandas.DataFrame({"id": ids, "cluster": labels})


def lists(neighbour: Any, distance: Any, metric: Optional[str] = "cosine") -> Edges:
    """Neighbour lists: items x k arrays, nearest first, -1 where there are fewer. An item itself
    in its list is passed over."""
    neighbour = lib.array(neighbour, np.int64, "neighbour", (None, None))
    distance = lib.array(distance, np.float32, "distance", neighbour.shape)
    return Edges(lib.call("libcdp_edges_from_lists", ctypes.c_uint64(neighbour.shape[0]),
                          ctypes.c_uint64(neighbour.shape[1]), lib.pointer(neighbour),
                          lib.pointer(distance), lib.choice(metric or "", METRICS, "metric")))


def read_stream(path: Union[str, os.PathLike], *, threads: int = 0,
                progress: Union[None, bool, lib.Progress] = None) -> Edges:
    """Reads an edge stream of any type, compressed or not."""
    return Edges(lib.run("libcdp_edges_read", os.fsencode(path), threads=threads,
                         progress=progress))


def write_stream(edges: Edges, path: Union[str, os.PathLike], *, level: int = 3, threads: int = 0,
                 progress: Union[None, bool, lib.Progress] = None) -> None:
    """Writes an edge stream, atomically; the tools read it, and it has the digest of theirs."""
    lib.run("libcdp_edges_write", edges._pointer, os.fsencode(path),
            ctypes.c_int(lib.count(level, "level", 1)), threads=threads, progress=progress)
