# SPDX-License-Identifier: MIT
"""Random CSV read by cdp-view and by Python's csv module: the same pairs, or a reason to refuse.

usage: csv_dialects.py CASES SEED; prints a line for each difference.
"""
import csv
import io
import random
import struct
import subprocess
import sys

ALPHABET = ['"', '""', ",", "\n", "\r\n", " ", "\t", "a", "0", "1", "2", "0.5", "-", "#", "\u00e9", "x" * 300, "", ";", "'"]


def run(*command, data=None):
    result = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def written(rng):
    """A table as csv.writer writes it, which must be read."""
    columns = rng.sample(["a", "b", "s", "text", "more"], 5)
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
                        lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writerow(columns)
    for _ in range(rng.randrange(1, 12)):
        row = {"a": rng.randrange(12), "b": rng.randrange(12), "s": rng.choice([0.5, 0.25, 1, 0])}
        for name in "text", "more":
            row[name] = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(8)))
        writer.writerow([row[name] for name in columns])
    return rng.choice(["", "\ufeff"]) + out.getvalue(), True


def mutated(rng):
    """The same with a few changes, which may be refused."""
    text = list(written(rng)[0])
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text))
        text[at:at + rng.randrange(2)] = rng.choice(ALPHABET)
    return "".join(text), False


def expected(text):
    """Pairs by the csv module, as a set of lines, or None where they are no pairs."""
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")) if row]
    if not rows or not {"a", "b", "s"} <= set(rows[0]):
        return None
    i, j, s = (rows[0].index(name) for name in "abs")
    best = {}
    for row in rows[1:]:
        try:
            a, b, score = row[i], row[j], float(row[s])
        except (ValueError, IndexError):
            return None
        if not 0 <= score <= 1:
            return None
        a, b = (str(int(x)) if x.strip().isdigit() and not x.strip().startswith("0") else x for x in (a, b))
        if a != b:
            key = min(a, b), max(a, b)
            best[key] = max(struct.unpack("f", struct.pack("f", score))[0], best.get(key, 0))
    return {(a, b, "%.9g" % score) for (a, b), score in best.items()}


def edges(output):
    """Lines of cdp-view --to tsv as such a set: either id may be first."""
    lines = (line.split("\t") for line in output.split("\n") if line)
    return {(min(a, b), max(a, b), score) for a, b, score in lines}


def main():
    cases, seed = int(sys.argv[1]), int(sys.argv[2])
    csv.field_size_limit(1 << 30)
    for case in range(cases):
        rng = random.Random(seed * 1000003 + case)
        text, must = (written if case % 2 else mutated)(rng)
        with open("dialect.csv", "w", newline="", encoding="utf-8") as file:
            file.write(text)
        status, _, why = run("cdp-view", "--from", "csv", "--columns", "a,b,s", "-o", "dialect.cdp", "dialect.csv")
        wanted = expected(text)
        if status == 0:
            got = edges(run("cdp-view", "--to", "tsv", "dialect.cdp")[1])
            if got != wanted:
                print("case %d: got %r, csv has %r: %r" % (case, got, wanted, text))
        elif status != 1 or must:
            print("case %d: exit %d: %s%r" % (case, status, why, text))


main()
