"""Reads an `E5S1` file: one encoder of the BERT family in 4 bits, with its Unigram pieces, in a single file.

Layout, all little-endian: magic `E5S1` · header · pieces (offsets, scores, UTF-8 text) · character map · directory of
tensors · tensors at the absolute offsets that the directory gives. Matrices are q4_0 blocks (the llama.cpp format),
biases, norms, positions and token types are float32.

Everything is checked before it is used, so a truncated or mangled file is one `ModelError` that names it. This module
knows numpy only: what becomes of the arrays is `embedded`'s business.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marsad.errors import ModelError

MAGIC = b"E5S1"
VERSION = 1
BLOCK_SIZE = 32
# One q4_0 block: 32 weights in 18 bytes.
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK_SIZE // 2)])

Array = NDArray[np.float32]


def decode_q4_0(blocks: NDArray[Any]) -> Array:
    """Decode q4_0 blocks `(..., n)` of dtype `BLOCK` to weights `(..., n * 32)`.

    Byte j holds weight j in its low nibble and weight j + 16 in its high one; a weight is (nibble - 8) * scale.
    """
    nibbles = blocks["nibbles"]  # (..., n, 16)
    steps = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=-1).astype(np.float32) - 8.0
    weights: Array = steps * blocks["scale"].astype(np.float32)[..., None]  # (..., n, 32)
    return weights.reshape(*blocks.shape[:-1], blocks.shape[-1] * BLOCK_SIZE)


@dataclass(frozen=True)
class Sizes:
    """The shape of the encoder, in the order of the header."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    rows: int  # of the word embedding; may exceed the number of pieces
    positions: int
    token_types: int


@dataclass(frozen=True)
class Stored:
    """Where one tensor lies in the file."""

    is_q4: bool
    size: int
    offset: int
    num_bytes: int


@dataclass(frozen=True)
class PackedEncoder:
    """A file that has been read: sizes, pieces and character map; weights are decoded as they are asked for.

    `pieces` are (text, score) in order of id. `characters` maps one character to its replacement, applied before
    pieces are looked up. `special_ids` are those of `<s>`, `</s>`, `<pad>` and `<unk>`.
    """

    name: str
    sizes: Sizes
    layer_norm_eps: float
    pieces: Sequence[tuple[str, float]]
    special_ids: tuple[int, int, int, int]
    characters: Mapping[str, str]
    tensors: Mapping[str, Stored]
    content: bytes

    def vector(self, name: str, size: int) -> Array:
        """Return the float32 tensor `name`, `(size,)`."""
        stored = self._stored(name, size, is_q4=False)
        return np.frombuffer(self.content, "<f4", stored.size, stored.offset).astype(np.float32)

    def matrix(self, name: str, rows: int, columns: int, keep: Sequence[int] | None = None) -> Array:
        """Return the tensor `name`, `(rows, columns)`, or only the rows `keep` of it, in that order."""
        chosen = slice(None) if keep is None else np.asarray(keep, dtype=np.int64)
        stored = self.tensors.get(name)
        if stored is not None and not stored.is_q4:
            return self.vector(name, rows * columns).reshape(rows, columns)[chosen]
        stored = self._stored(name, rows * columns, is_q4=True)
        blocks = np.frombuffer(self.content, BLOCK, stored.size // BLOCK_SIZE, stored.offset)
        return decode_q4_0(blocks.reshape(rows, columns // BLOCK_SIZE)[chosen])

    def _stored(self, name: str, size: int, *, is_q4: bool) -> Stored:
        stored = self.tensors.get(name)
        if stored is None:
            raise _unusable(self.name, f"it has no tensor {name!r}")
        if (stored.size, stored.is_q4) != (size, is_q4):
            kind = "q4_0" if is_q4 else "float32"
            raise _unusable(self.name, f"tensor {name!r} holds {stored.size} numbers, {size} of {kind} are needed")
        return stored


def read_packed(content: bytes, name: str) -> PackedEncoder:
    """Read the bytes of an `E5S1` file; `name` is what an error calls it. Raises `ModelError` if it is damaged."""
    cursor = _Cursor(content, name)
    if cursor.raw(4) != MAGIC:
        raise cursor.unusable(f"it starts with {content[:4]!r} where {MAGIC!r} was expected")
    sizes, epsilon = _read_header(cursor)
    pieces, special_ids = _read_pieces(cursor, sizes)
    return PackedEncoder(
        name=name,
        sizes=sizes,
        layer_norm_eps=epsilon,
        pieces=pieces,
        special_ids=special_ids,
        characters=_read_characters(cursor),
        tensors=_read_directory(cursor),
        content=content,
    )


def _read_header(cursor: "_Cursor") -> tuple[Sizes, float]:
    version, *numbers = cursor.values("8i")
    epsilon, block_size = cursor.values("fi")
    if version != VERSION or block_size != BLOCK_SIZE:
        raise cursor.unusable(
            f"it is version {version} with blocks of {block_size}; version {VERSION} with {BLOCK_SIZE} can be read"
        )
    sizes = Sizes(*numbers)
    if min(numbers) < 1 or sizes.hidden % sizes.heads or sizes.hidden % BLOCK_SIZE or sizes.intermediate % BLOCK_SIZE:
        raise cursor.unusable(f"its sizes are impossible: {sizes}")
    return sizes, float(f"{epsilon:.6g}")  # stored as float32: 9.99999996e-13 was 1e-12


def _read_pieces(cursor: "_Cursor", sizes: Sizes) -> tuple[list[tuple[str, float]], tuple[int, int, int, int]]:
    count, bos, eos, pad, unk = cursor.values("5i")
    (text_size,) = cursor.values("Q")
    if not 0 < count <= sizes.rows or not all(0 <= special < count for special in (bos, eos, pad, unk)):
        raise cursor.unusable(f"{count} pieces with special ids {(bos, eos, pad, unk)} for {sizes.rows} rows")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.raw(text_size)
    if offsets[0] != 0 or offsets[-1] != text_size or np.any(np.diff(offsets.astype(np.int64)) < 0):
        raise cursor.unusable("the offsets of its pieces do not fit their text")
    bounds = offsets.tolist()
    forms = [cursor.text(text[start:end]) for start, end in pairwise(bounds)]
    return list(zip(forms, scores.tolist(), strict=True)), (bos, eos, pad, unk)


def _read_characters(cursor: "_Cursor") -> dict[str, str]:
    count, size = cursor.values("iI")
    entries = _Cursor(cursor.raw(size), cursor.name)
    characters: dict[str, str] = {}
    for _ in range(count):
        source, length = entries.values("IB")
        target = entries.values(f"{length}I")
        if max((source, *target)) > 0x10FFFF:
            raise cursor.unusable("its character map holds code points beyond Unicode")
        characters[chr(source)] = "".join(map(chr, target))
    return characters


def _read_directory(cursor: "_Cursor") -> dict[str, Stored]:
    (count,) = cursor.values("i")
    tensors: dict[str, Stored] = {}
    for _ in range(count):
        (length,) = cursor.values("H")
        name = cursor.text(cursor.raw(length))
        kind, size, offset, num_bytes = cursor.values("BIQQ")
        expected = {0: size * 4, 1: size // BLOCK_SIZE * BLOCK.itemsize}.get(kind)
        if num_bytes != expected or (kind == 1 and size % BLOCK_SIZE):
            raise cursor.unusable(f"tensor {name!r} of kind {kind} with {size} numbers takes {num_bytes} bytes")
        if offset + num_bytes > len(cursor.content):
            raise cursor.unusable(f"tensor {name!r} ends at byte {offset + num_bytes} of {len(cursor.content)}")
        tensors[name] = Stored(kind == 1, size, offset, num_bytes)
    return tensors


def _unusable(name: str, problem: str) -> ModelError:
    return ModelError(f"{name} cannot be read as an E5S1 encoder: {problem}; fetch the file again")


class _Cursor:
    """Reads on through bytes and never past their end."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name
        self._at = 0

    def unusable(self, problem: str) -> ModelError:
        return _unusable(self.name, problem)

    def raw(self, count: int) -> bytes:
        start, end = self._at, self._at + count
        if count < 0 or end > len(self.content):
            raise self.unusable(f"it ends at byte {len(self.content)} where {count} more were due from byte {start}")
        self._at = end
        return self.content[start:end]

    def values(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.raw(struct.calcsize("<" + layout)))

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.raw(count * np.dtype(dtype).itemsize), dtype, count)

    def text(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.unusable(f"a piece or a name is not UTF-8: {raw[:20]!r}") from error
