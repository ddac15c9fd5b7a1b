"""Windows and mentions as the arrays that the network reads; the same for training and prediction. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marsad.documents import Document, Entity
from marsad.modeling.settings import SpecialPieces
from marsad.schema import Schema

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WindowBatch:
    """Windows padded to the longest: pieces `(B, T)`, the piece range of each word `(B, W)`; `num_words (B,)`."""

    input_ids: Ints
    attention_mask: Ints
    word_starts: Ints
    word_ends: Ints
    num_words: Ints


def span_row(entity: Entity, row: int, offset: int, document: Document, schema: Schema) -> tuple[int, ...]:
    """Return (window row, first word, last word + 1, type, sentence) of an entity, words counted in its window."""
    return (
        row,
        entity.start - offset,
        entity.end - offset,
        schema.entity_types.index(entity.type),
        document.sentence_of_word[entity.start],
    )


def collate(rows: Sequence[Sequence[Sequence[int]]], special: SpecialPieces) -> WindowBatch:
    """Pad windows, each a list of words' piece ids, into one batch with the special pieces around each."""
    before, after = list(special.before), list(special.after)
    longest = max(sum(map(len, row)) for row in rows) + len(before) + len(after)
    most_words = max(len(row) for row in rows)
    input_ids = np.full((len(rows), longest), special.pad, dtype=np.int64)
    attention_mask = np.zeros_like(input_ids)
    word_starts = np.zeros((len(rows), most_words), dtype=np.int64)
    word_ends = np.zeros_like(word_starts)
    for index, row in enumerate(rows):
        pieces = [*before, *(piece for word in row for piece in word), *after]
        input_ids[index, : len(pieces)] = pieces
        attention_mask[index, : len(pieces)] = 1
        ends = np.cumsum([len(word) for word in row]) + len(before)
        word_ends[index, : len(row)] = ends
        word_starts[index, : len(row)] = ends - [len(word) for word in row]
    return WindowBatch(input_ids, attention_mask, word_starts, word_ends, np.asarray([len(row) for row in rows]))
