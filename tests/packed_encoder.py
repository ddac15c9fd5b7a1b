"""Writes a small `E5S1` file for the tests: one layer, 32 wide, a dozen pieces. Holds no tests."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), ("▁في", -2.0), ("▁ال", -3.0)]
PIECES += [("جيش", -4.0), ("のは", -5.0), ("▁Reuters", -5.0), ("ب", -6.0), (".", -3.0), ("<mask>", 0.0)]
KEPT = [index for index, (piece, _) in enumerate(PIECES) if piece not in ("のは", "▁Reuters")]
CHARACTERS = {"\x01": "", "\u200b": " ", "ﻻ": "لا"}
HIDDEN, ROWS, POSITIONS = 32, len(PIECES) + 2, 16


def block(scale: float, nibbles: Sequence[int]) -> bytes:
    return struct.pack("<e16B", scale, *nibbles)


def q4_tensor(size: int, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    return b"".join(block(0.05, random.integers(0, 256, 16).tolist()) for _ in range(size // 32))


def floats(size: int, value: float) -> bytes:
    return np.full(size, value, "<f4").tobytes()


def example_tensors(norm: float = 1.0) -> dict[str, bytes]:
    matrix = HIDDEN * HIDDEN
    tensors = {"emb.word": q4_tensor(ROWS * HIDDEN, 1), "emb.pos": floats(POSITIONS * HIDDEN, 0.25)}
    tensors |= {"emb.type": floats(2 * HIDDEN, 0.5), "emb.ln.w": floats(HIDDEN, norm), "emb.ln.b": floats(HIDDEN, 0)}
    for seed, part in enumerate(("q", "k", "v", "ao", "fi", "fo")):
        tensors |= {f"l0.{part}.w": q4_tensor(matrix, seed), f"l0.{part}.b": floats(HIDDEN, 0)}
    for part in ("aln", "oln"):
        tensors |= {f"l0.{part}.w": floats(HIDDEN, norm), f"l0.{part}.b": floats(HIDDEN, 0)}
    return tensors


def packed_file(tensors: Mapping[str, bytes] | None = None) -> bytes:
    """Write an `E5S1` file: one layer, 32 wide, the pieces above."""
    tensors = example_tensors() if tensors is None else tensors
    texts = [piece.encode() for piece, _ in PIECES]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = b"E5S1" + struct.pack("<8ifi", 1, HIDDEN, 1, 2, HIDDEN, ROWS, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1])) + ends.tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(texts)
    entries = [struct.pack(f"<IB{len(to)}I", ord(of), len(to), *map(ord, to)) for of, to in CHARACTERS.items()]
    head += struct.pack("<iI", len(entries), sum(map(len, entries))) + b"".join(entries)
    offset = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, raw in tensors.items():
        is_q4 = name == "emb.word" or (name.endswith(".w") and "ln" not in name)
        size = len(raw) // 18 * 32 if is_q4 else len(raw) // 4
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", is_q4, size, offset, len(raw))
        offset += len(raw)
    return head + directory + b"".join(tensors.values())
