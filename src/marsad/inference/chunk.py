"""A chunk of documents on its way through the network: windows, batches, tags, pairs.

The windows of all documents are batched by length. Each word is tagged in the window that gives it the most context,
each pair of mentions is scored in the window that does so for the pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from marsad import pairs as pair_choice
from marsad.documents import Document, Entity, Relation
from marsad.inference.backends import Backend
from marsad.modeling import decode, windows
from marsad.modeling.batches import Floats, Ints, collate, span_row
from marsad.modeling.settings import ModelFolder
from marsad.schema import Schema

BATCH_PIECES = 4096


@dataclass
class _Part:
    """One window of one document, and its place in a batch."""

    document: int
    number: int
    window: windows.Window
    pieces: tuple[tuple[int, ...], ...]
    batch: int = -1
    row: int = -1

    @property
    def length(self) -> int:
        return sum(map(len, self.pieces))


@dataclass
class _Pairs:
    """The spans and pairs of a batch as the relation head reads them; `owners`: (document, head, tail) of each pair."""

    spans: list[tuple[int, ...]] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    owners: list[tuple[int, int, int]] = field(default_factory=list)


class Chunk:
    """Some documents, their windows, and what the network says of them."""

    def __init__(self, documents: Sequence[Document], pieces: Sequence[windows.Pieces], folder: ModelFolder) -> None:
        self.documents = documents
        self.folder = folder
        self.windows = [windows.split(each.counts, folder.window_pieces, folder.settings.overlap) for each in pieces]
        self.batches = _batches(list(self._parts(pieces)))
        self._states: list[Any] = []
        self._tag_scores: list[Floats] = []

    def _parts(self, pieces: Sequence[windows.Pieces]) -> Iterator[_Part]:
        for document, (each, found) in enumerate(zip(pieces, self.windows, strict=True)):
            for number, window in enumerate(found):
                yield _Part(document, number, window, each.ids[window.start : window.end])

    def tag(self, backend: Backend) -> None:
        """Run the encoder and the tag head on every window and keep what they return."""
        for batch in self.batches:
            arrays = collate([part.pieces for part in batch], self.folder.settings.special)
            states, log_probs = backend.tag(arrays)
            self._states.append(states)
            self._tag_scores.append(log_probs)

    def entities(self) -> list[list[Entity]]:
        """Return the entities of each document, from the tag scores of the windows that own its words."""
        schema = self.folder.schema
        scores = [np.zeros((len(each.words), len(schema.tags)), dtype=np.float32) for each in self.documents]
        for part in (part for batch in self.batches for part in batch):
            window = part.window
            own = slice(window.own_start - window.start, window.own_end - window.start)
            scores[part.document][window.own_start : window.own_end] = self._tag_scores[part.batch][part.row, own]
        return [
            decode.entities(score, document.sentences, schema)
            for score, document in zip(scores, self.documents, strict=True)
        ]

    def relations(self, backend: Backend, found: Sequence[Sequence[Entity]]) -> tuple[list[list[Relation]], int]:
        """Return the relations between the entities `found` in each document, and how many pairs no window holds."""
        relations: list[list[Relation]] = [[] for _ in self.documents]
        num_scored = 0
        for batch, states in zip(self.batches, self._states, strict=True):
            chosen = _Pairs()
            for part in batch:
                self._choose(part, found[part.document], chosen)
            if chosen.pairs:
                probabilities = backend.relate(states, _rows(chosen.spans, 5), _rows(chosen.pairs, 2))
                self._decode(probabilities, chosen, found, relations)
                num_scored += len(chosen.pairs)
        num_pairs = sum(_count_pairs(each, self.folder.schema) for each in found)
        ordered = [sorted(each, key=lambda it: (it.head, it.tail, it.type)) for each in relations]
        return ordered, num_pairs - num_scored

    def _choose(self, part: _Part, found: Sequence[Entity], chosen: _Pairs) -> None:
        """Add the spans of a window and the pairs that it is the one to score."""
        window, document = part.window, self.documents[part.document]
        inside = [i for i, each in enumerate(found) if window.start <= each.start and each.end <= window.end]
        entities = [found[index] for index in inside]
        offset = len(chosen.spans)
        chosen.spans += [span_row(each, part.row, window.start, document, self.folder.schema) for each in entities]
        # Only the neighbours of a window can hold the same pair: they overlap by half at most.
        first = max(part.number - 1, 0)
        neighbours = self.windows[part.document][first : part.number + 2]
        for head, tail in pair_choice.candidates(entities, self.folder.schema):
            ends = [(entities[index].start, entities[index].end) for index in (head, tail)]
            holder = windows.holder(neighbours, *ends)
            if holder is not None and first + holder == part.number:
                chosen.pairs.append((offset + head, offset + tail))
                chosen.owners.append((part.document, inside[head], inside[tail]))

    def _decode(
        self,
        probabilities: Floats,
        chosen: _Pairs,
        found: Sequence[Sequence[Entity]],
        relations: list[list[Relation]],
    ) -> None:
        rows_of: dict[int, list[int]] = {}
        for row, (document, _, _) in enumerate(chosen.owners):
            rows_of.setdefault(document, []).append(row)
        for document, rows in rows_of.items():
            local = [chosen.owners[row][1:] for row in rows]
            relations[document] += decode.relations(
                probabilities[rows], local, found[document], self.folder.schema, self.folder.thresholds
            )


def _batches(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Group windows of like length so that a batch, padding included, holds at most BATCH_PIECES pieces."""
    batches: list[list[_Part]] = []
    for part in sorted(parts, key=lambda each: each.length):
        if not batches or (len(batches[-1]) + 1) * part.length > BATCH_PIECES:
            batches.append([])
        part.batch, part.row = len(batches) - 1, len(batches[-1])
        batches[-1].append(part)
    return batches


def _rows(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.asarray(rows, dtype=np.int64).reshape(-1, width)


def _count_pairs(entities: Sequence[Entity], schema: Schema) -> int:
    """Number of candidate pairs in a document, without listing them."""
    counts: dict[str, int] = {}
    for entity in entities:
        counts[entity.type] = counts.get(entity.type, 0) + 1
    return sum(
        number * (counts[tail] - (head == tail))
        for head, number in counts.items()
        for tail in counts
        if schema.allowed(head, tail)
    )
