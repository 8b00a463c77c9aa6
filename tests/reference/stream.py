# SPDX-License-Identifier: MIT
"""A reader and a writer of edge streams, written from cdp-stream(5) alone. The program zstd (de)compresses.

usage: stream.py read FILE
           prints the digest, then the edges as cdp-view --to tsv does
       stream.py write VERSION TYPE METRIC K NODES COLUMNS <EDGES >FILE
           writes edges, given as numbers between tabs and in the order of the type; COLUMNS have commas between
"""
import struct
import subprocess
import sys

MAGIC = 0x184D2A5C
BLOCK = 65536
KNN = 1
NOT_A_NUMBER = 0x7FC00000

PRIME = [11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261]
MASK = (1 << 64) - 1


def rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def xxh_round(state, word):
    return rotate((state + word * PRIME[1]) & MASK, 31) * PRIME[0] & MASK


def xxh64(data):
    at = 0
    if len(data) >= 32:
        lanes = [(PRIME[0] + PRIME[1]) & MASK, PRIME[1], 0, -PRIME[0] & MASK]
        while at + 32 <= len(data):
            lanes = [xxh_round(*pair) for pair in zip(lanes, struct.unpack_from("<4Q", data, at))]
            at += 32
        h = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            h = ((h ^ xxh_round(0, lane)) * PRIME[0] + PRIME[3]) & MASK
    else:
        h = PRIME[4]
    h = (h + len(data)) & MASK
    while at + 8 <= len(data):
        h = (rotate(h ^ xxh_round(0, struct.unpack_from("<Q", data, at)[0]), 27) * PRIME[0] + PRIME[3]) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * PRIME[0] & MASK, 23) * PRIME[1] + PRIME[2]) & MASK
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ byte * PRIME[4] & MASK, 11) * PRIME[0] & MASK
    h = (h ^ h >> 33) * PRIME[1] & MASK
    h = (h ^ h >> 29) * PRIME[2] & MASK
    return h ^ h >> 32


def zstd(option, data):
    return subprocess.run(["zstd", option, "-cq", "--check"], input=data, stdout=subprocess.PIPE, check=True).stdout


def to_float(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def to_bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.edges, self.names, self.digest = [], [], None
        while self.at < len(data):
            self.stream()

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def frame(self):
        magic, size, ours, kind = struct.unpack_from("<II3sc", self.data, self.at)
        assert (magic, ours) == (MAGIC, b"cdp")
        frame = self.take(size + 8)
        assert struct.unpack("<Q", frame[-8:])[0] == xxh64(frame[:-8])
        return kind, frame

    def raw(self, size, data_size, content, data):
        packed = self.take(data_size)
        assert xxh64(packed) == data
        raw = zstd("-d", packed)
        assert (len(raw), xxh64(raw)) == (size, content)
        return raw

    def stream(self):
        kind, header = self.frame()
        assert kind == b"H"
        version, kind, metric, k, _ = struct.unpack_from("<HBBIQ", header, 12)
        extension, named, at = bytes(20), 0, 28
        if version == 2:
            extension, named, at = header[28:48], header[48], 49
        first, columns = at, struct.unpack_from("<H", header, at)[0]
        at += 2
        for _ in range(columns):
            at += 1 + header[at]
        column_bytes = header[first:at]
        assert at + 4 + struct.unpack_from("<I", header, at)[0] + 8 == len(header)
        content, edges, blocks, names = b"", 0, 0, []
        mark, frame = self.frame()
        while mark != b"E":
            if mark == b"B":
                count, runs, size, data_size, source, raw_sum, data_sum = struct.unpack_from("<4I3Q", frame, 12)
                self.block(self.raw(size, data_size, raw_sum, data_sum), count, runs, source, columns)
                content += struct.pack("<IQ", count, raw_sum)
                edges, blocks = edges + count, blocks + 1
            else:
                count, size, data_size, raw_sum, data_sum = struct.unpack_from("<3I2Q", frame, 12)
                raw = self.raw(size, data_size, raw_sum, data_sum)
                at = 2 * count
                for length in struct.unpack_from("<%dH" % count, raw):
                    names.append(raw[at : at + length])
                    at += length
                assert at == size
            mark, frame = self.frame()
        names_digest = (xxh64(b"".join(struct.pack("<I", len(n)) + n for n in names)) or 1) if named else 0
        extension += struct.pack("<Q", names_digest)
        content += struct.pack("<BBI", kind, metric, k) + frame[28:44] + column_bytes
        content += extension if any(extension[8:]) else b""
        digest = xxh64(content)
        assert struct.unpack_from("<QQ", frame, 12) == (edges, blocks)
        tail = struct.pack("<Q", digest) if version == 1 else struct.pack("<QQ", names_digest, digest)
        assert frame[44:-8] == tail
        self.digest = digest if self.digest is None else xxh64(struct.pack("<QQ", self.digest, digest))
        self.names = max(self.names, names, key=len)

    def block(self, raw, count, runs, source, columns):
        at = 0

        def byte():
            nonlocal at
            at += 1
            return raw[at - 1]

        def integers(length):
            nonlocal at
            width = byte()
            at += width * length
            return [sum(raw[at - (width - w) * length + i] << 8 * w for w in range(width)) for i in range(length)]

        sources = []
        for gap, length in zip(integers(runs), integers(runs)):
            source += gap
            sources += [source] * (length + 1)
        same = [i > 0 and sources[i] == sources[i - 1] for i in range(count)]
        coding, targets = byte(), integers(count)
        for i in range(count):
            if coding == 1:
                targets[i] = sources[i] + (targets[i] >> 1 ^ -(targets[i] & 1))
            elif coding == 2:
                targets[i] += 1 + (targets[i - 1] if same[i] else sources[i])
        values = []
        for _ in range(columns):
            coding, bits = byte(), integers(count)
            for i in range(count):
                if coding == 1 and same[i]:
                    bits[i] = (bits[i] + bits[i - 1]) & 0xFFFFFFFF
            values.append([to_float(b) for b in bits])
        assert at == len(raw) and len(sources) == count
        self.edges += zip(sources, targets, *values)


def planes(values, width=None):
    if width is None:
        width = max((v.bit_length() + 7) // 8 for v in values)
    return bytes([width]) + b"".join(bytes(v >> 8 * w & 255 for v in values) for w in range(width))


def frame(kind, fields):
    data = struct.pack("<II3sc", MAGIC, len(fields) + 12, b"cdp", kind) + fields
    return data + struct.pack("<Q", xxh64(data))


def encode(kind, edges):
    sources, targets, *columns = zip(*edges)
    same = [i > 0 and sources[i] == sources[i - 1] for i in range(len(edges))]
    starts = [i for i in range(len(edges)) if not same[i]]
    raw = planes([0] + [sources[b] - sources[a] for a, b in zip(starts, starts[1:])])
    raw += planes([b - a - 1 for a, b in zip(starts, starts[1:] + [len(edges)])])
    if kind == KNN:
        folded = [2 * (t - s) if t >= s else 2 * (s - t) - 1 for s, t in zip(sources, targets)]
        coding = sum(map(int.bit_length, folded)) < sum(map(int.bit_length, targets))
        raw += bytes([coding]) + planes(folded if coding else targets)
    else:
        before = [targets[i - 1] if same[i] else sources[i] for i in range(len(edges))]
        raw += b"\2" + planes([t - b - 1 for t, b in zip(targets, before)])
    for column in columns:
        bits = [to_bits(v) for v in column]
        if kind == KNN:
            bits = [(b - bits[i - 1]) & 0xFFFFFFFF if same[i] else b for i, b in enumerate(bits)]
        raw += bytes([kind == KNN]) + planes(bits, 4)
    return raw, len(starts)


def write(version, kind, metric, k, nodes, columns, edges, file):
    column_bytes = struct.pack("<H", len(columns)) + b"".join(bytes([len(c)]) + c.encode() for c in columns)
    header = struct.pack("<HBBIQ", version, kind, metric, k, nodes) + bytes(21 if version == 2 else 0)
    provenance = b"stream.py\n"
    file.write(frame(b"H", header + column_bytes + struct.pack("<I", len(provenance)) + provenance))
    content = b""
    blocks = [edges[at : at + BLOCK] for at in range(0, len(edges), BLOCK)]
    for block in blocks:
        raw, runs = encode(kind, block)
        data, raw_sum = zstd("-3", raw), xxh64(raw)
        sizes = struct.pack("<4I", len(block), runs, len(raw), len(data))
        file.write(frame(b"B", sizes + struct.pack("<3Q", block[0][0], raw_sum, xxh64(data))) + data)
        content += struct.pack("<IQ", len(block), raw_sum)
    scores = [e[2] for e in edges]
    floor = struct.pack("<ff", min(scores), max(scores)) if scores else struct.pack("<II", NOT_A_NUMBER, NOT_A_NUMBER)
    content += struct.pack("<BBIQ", kind, metric, k, nodes) + floor + column_bytes
    end = struct.pack("<QQQ", len(edges), len(blocks), nodes) + floor + bytes(8 if version == 2 else 0)
    file.write(frame(b"E", end + struct.pack("<Q", xxh64(content))))


def main():
    if sys.argv[1] == "read":
        with open(sys.argv[2], "rb") as file:
            reader = Reader(file.read())
        print("%016x" % reader.digest)
        for source, target, *values in reader.edges:
            ids = [reader.names[i].decode() if reader.names else str(i) for i in (source, target)]
            print(*ids, *("%.9g" % v for v in values), sep="\t")
    else:
        numbers = [line.split("\t") for line in sys.stdin]
        edges = [(int(i), int(j), *map(float, values)) for i, j, *values in numbers]
        write(*map(int, sys.argv[2:7]), sys.argv[7].split(","), edges, sys.stdout.buffer)


main()
