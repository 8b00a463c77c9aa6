#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""linkage.py: record linkage. A DataFrame of scored pairs with ids of text, as splink's predictions, becomes clusters at three
thresholds; a person's corrections count; the next run, on shuffled and further rows, keeps the clusters' numbers."""
import numpy as np
import pandas

import cdp

# Pairs of records, with the probability that both are of one person.
pairs = pandas.DataFrame(
    [("anna-1", "anna-2", 0.99), ("anna-2", "anna-3", 0.95), ("anna-1", "anna-3", 0.90), ("bo-1", "bo-2", 0.97),
     ("anna-3", "bo-1", 0.62), ("cy-1", "cy-2", 0.80), ("dee-1", "dee-2", 0.55)],
    columns=["unique_id_l", "unique_id_r", "match_probability"])
columns = dict(id_1="unique_id_l", id_2="unique_id_r", score="match_probability")
records = ["anna-1", "anna-2", "anna-3", "bo-1", "bo-2", "cy-1", "cy-2", "dee-1", "dee-2", "eve-1"]


def cluster(frame, items, **options):
    """A cluster for each record, -1 for those in none, as a Series by id."""
    edges = cdp.pairs_from_frame(frame, **columns, items=items)
    return cdp.labels_frame(cdp.propagate(edges, method="map", **options), edges).set_index("id")["cluster"]


# Three thresholds. Scores are probabilities, so the map equation is right: one false pair joins no two people.
table = pandas.DataFrame({f"above {t}": cluster(pairs, records, threshold=t) for t in (0.5, 0.7, 0.9)})
print(table.to_string(), end="\n\n")

# What a person found out: dee-1 and dee-2 are two people, cy-1 is bo.
first = cluster(pairs, records, threshold=0.5, must_link=[("cy-1", "bo-1")], cannot_link=[("dee-1", "dee-2")])

# The next run: rows in another order, and a new record. Clusters keep their numbers.
more = pandas.concat([pairs, pandas.DataFrame([("eve-1", "eve-2", 0.9)], columns=pairs.columns)])
shuffled = more.sample(frac=1, random_state=1)
second = cluster(shuffled, None, threshold=0.5, must_link=[("cy-1", "bo-1")], cannot_link=[("dee-1", "dee-2")])
ids = first.index.union(second.index)
second = pandas.Series(cdp.keep_numbers(first.reindex(ids, fill_value=-1), second.reindex(ids, fill_value=-1)), index=ids)
print(pandas.DataFrame({"first run": first.reindex(ids, fill_value=-1), "second run": second}).to_string())
stayed = first[first >= 0]
assert np.array_equal(second[stayed.index], stayed)
