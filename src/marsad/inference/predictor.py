"""The predictor: text or documents in, documents with entities, relations and events out, in the order given.

Work goes through in chunks of documents, so a stream of any length holds bounded memory. Within a chunk the windows of
all documents are batched by length; each word is tagged in the window that gives it the most context, each pair of
mentions is scored in the window that does so for the pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from marsad import pairs as pair_choice
from marsad.documents import Document, Entity, Relation
from marsad.errors import AnnotationError
from marsad.events import with_events
from marsad.formats.text import from_text
from marsad.inference.backends import Backend, load_backend
from marsad.modeling import decode, windows
from marsad.modeling.batches import Floats, Ints, collate, span_row
from marsad.modeling.settings import ModelFolder, read_folder
from marsad.schema import Schema

EntitySource = Literal["predicted", "gold"]
Inputs = list[str] | list[Document] | list[str | Document]
CHUNK_PIECES = 16384
CHUNK_DOCUMENTS = 512
BATCH_PIECES = 4096


@dataclass
class _Part:
    """One window of one document of a chunk, and what the network said of it."""

    document: int
    number: int
    window: windows.Window
    pieces: tuple[tuple[int, ...], ...]
    batch: int = -1
    row: int = -1

    @property
    def length(self) -> int:
        return sum(map(len, self.pieces))


class Predictor:
    """Calls a trained model. Make one with `from_pretrained`; it may be used from one thread at a time."""

    def __init__(self, folder: ModelFolder, backend: Backend) -> None:
        self.folder = folder
        self.backend = backend
        self.num_unscored_pairs = 0

    @classmethod
    def from_pretrained(
        cls, path: str | Path, *, device: str = "auto", backend: str = "auto", threads: int | None = None
    ) -> Predictor:
        """Load the model folder at `path`, with no network. Raises `ModelError` where it is none or not whole."""
        folder = read_folder(path)
        return cls(folder, load_backend(folder, device=device, name=backend, threads=threads))

    @property
    def schema(self) -> Schema:
        """The schema the model was trained on."""
        return self.folder.schema

    @overload
    def predict(self, inputs: str | Document, *, entities: EntitySource = "predicted") -> Document: ...
    @overload
    def predict(self, inputs: Inputs, *, entities: EntitySource = "predicted") -> list[Document]: ...
    def predict(
        self, inputs: str | Document | Inputs, *, entities: EntitySource = "predicted"
    ) -> Document | list[Document]:
        """Predict one text or document, or a list of them.

        A `Document` keeps its words and sentences. With `entities="gold"` it keeps its entities too and gets relations
        between them. What it held otherwise is replaced. Raises `AnnotationError` for input that is neither.
        """
        if isinstance(inputs, str | Document):
            return next(self.stream([inputs], entities=entities))
        return list(self.stream(inputs, entities=entities))

    def stream(self, inputs: Iterable[str | Document], *, entities: EntitySource = "predicted") -> Iterator[Document]:
        """Yield a document for each input, in order; a text gets its position (from 1) as its id."""
        if entities not in ("predicted", "gold"):
            raise AnnotationError(f"entities is {entities!r}: expected 'predicted' or 'gold'")
        chunk: list[tuple[Document, windows.Pieces]] = []
        size = 0
        for number, each in enumerate(inputs, start=1):
            document = _document(each, number)
            if entities == "gold":
                check_types([document], self.schema)
            settings = self.folder.settings
            pieces = windows.tokenise(document, self.folder.tokenizer, self.folder.normaliser, settings.special.unknown)
            chunk.append((document, pieces))
            size += sum(pieces.counts)
            if size >= CHUNK_PIECES or len(chunk) >= CHUNK_DOCUMENTS:
                yield from self._predict_chunk(chunk, entities)
                chunk, size = [], 0
        yield from self._predict_chunk(chunk, entities)

    def _predict_chunk(
        self, chunk: Sequence[tuple[Document, windows.Pieces]], source: EntitySource
    ) -> Iterator[Document]:
        documents = [document for document, _ in chunk]
        parts = self._parts(chunk)
        batches = _batches(parts)
        states: list[Any] = []
        tag_scores: list[Floats] = []
        for number, batch in enumerate(batches):
            for row, part in enumerate(batch):
                part.batch, part.row = number, row
            batch_states, log_probs = self.backend.tag(
                collate([part.pieces for part in batch], self.folder.settings.special)
            )
            states.append(batch_states)
            tag_scores.append(log_probs)
        if source == "predicted":
            found = self._decode_entities(documents, parts, tag_scores)
        else:
            found = [document.entities for document in documents]
        relations = self._relate(documents, found, parts, batches, states)
        for document, entities, related in zip(documents, found, relations, strict=True):
            # Whatever the input said of its own annotations, these have been searched for relations.
            meta = {key: value for key, value in document.meta.items() if key != "annotated"}
            result = replace(document, entities=entities, relations=related, events=(), meta=meta)
            yield with_events(result, self.schema)

    def _parts(self, chunk: Sequence[tuple[Document, windows.Pieces]]) -> list[_Part]:
        return [
            _Part(index, number, window, pieces.ids[window.start : window.end])
            for index, (_, pieces) in enumerate(chunk)
            for number, window in enumerate(
                windows.split(pieces.counts, self.folder.window_pieces, self.folder.settings.overlap)
            )
        ]

    def _decode_entities(
        self, documents: Sequence[Document], parts: Sequence[_Part], tag_scores: Sequence[Floats]
    ) -> list[Sequence[Entity]]:
        num_tags = len(self.schema.tags)
        scores = [np.zeros((len(document.words), num_tags), dtype=np.float32) for document in documents]
        for part in parts:
            window = part.window
            own = slice(window.own_start - window.start, window.own_end - window.start)
            scores[part.document][window.own_start : window.own_end] = tag_scores[part.batch][part.row, own]
        return [
            decode.entities(score, document.sentences, self.schema)
            for score, document in zip(scores, documents, strict=True)
        ]

    def _relate(
        self,
        documents: Sequence[Document],
        found: Sequence[Sequence[Entity]],
        parts: Sequence[_Part],
        batches: Sequence[Sequence[_Part]],
        states: Sequence[Any],
    ) -> list[list[Relation]]:
        relations: list[list[Relation]] = [[] for _ in documents]
        if not self.schema.relations:
            return relations
        document_windows: list[list[windows.Window]] = [[] for _ in documents]
        for part in parts:
            document_windows[part.document].append(part.window)
        num_scored = 0
        for batch, batch_states in zip(batches, states, strict=True):
            spans: list[tuple[int, ...]] = []
            pairs: list[tuple[int, int]] = []
            owners: list[tuple[int, int, int]] = []
            for part in batch:
                self._add_pairs(part, documents, found, document_windows, spans, pairs, owners)
            if not pairs:
                continue
            probabilities = self.backend.relate(batch_states, _rows(spans, 5), _rows(pairs, 2))
            num_scored += len(pairs)
            self._collect(probabilities, owners, found, relations)
        self.num_unscored_pairs += sum(_count_pairs(each, self.schema) for each in found) - num_scored
        return [sorted(each, key=lambda relation: (relation.head, relation.tail, relation.type)) for each in relations]

    def _add_pairs(
        self,
        part: _Part,
        documents: Sequence[Document],
        found: Sequence[Sequence[Entity]],
        document_windows: Sequence[Sequence[windows.Window]],
        spans: list[tuple[int, ...]],
        pairs: list[tuple[int, int]],
        owners: list[tuple[int, int, int]],
    ) -> None:
        """Add the spans and pairs that this window is the one to score."""
        window, document = part.window, documents[part.document]
        inside = [
            index
            for index, entity in enumerate(found[part.document])
            if window.start <= entity.start and entity.end <= window.end
        ]
        entities = [found[part.document][index] for index in inside]
        offset = len(spans)
        spans += [span_row(entity, part.row, window.start, document, self.schema) for entity in entities]
        # Only the neighbours of a window can hold the same pair: they overlap by half at most.
        near = range(max(part.number - 1, 0), part.number + 2)
        neighbours = document_windows[part.document][near.start : near.stop]
        for head, tail in pair_choice.candidates(entities, self.schema):
            first, second = entities[head], entities[tail]
            holder = windows.holder(neighbours, (first.start, first.end), (second.start, second.end))
            if holder is not None and near[holder] == part.number:
                pairs.append((offset + head, offset + tail))
                owners.append((part.document, inside[head], inside[tail]))

    def _collect(
        self,
        probabilities: Floats,
        owners: Sequence[tuple[int, int, int]],
        found: Sequence[Sequence[Entity]],
        relations: list[list[Relation]],
    ) -> None:
        by_document: dict[int, list[int]] = {}
        for row, (document, _, _) in enumerate(owners):
            by_document.setdefault(document, []).append(row)
        for document, rows in by_document.items():
            local = [owners[row][1:] for row in rows]
            relations[document] += decode.relations(
                probabilities[rows], local, found[document], self.schema, self.folder.thresholds
            )


def check_types(documents: Iterable[Document], schema: Schema, *, relations: bool = False) -> None:
    """Raise `AnnotationError` for entities (and with `relations`, relations) of types that a schema does not have."""
    known = {*schema.entities, *(schema.relations if relations else ())}
    for document in documents:
        used = {entity.type for entity in document.entities}
        if relations:
            used |= {relation.type for relation in document.relations}
        if used - known:
            raise AnnotationError(
                f"document {document.id!r} uses {', '.join(sorted(used - known))}, which the model was not trained on "
                f"(it knows {', '.join(sorted(known))}): use documents of the model's own schema"
            )


def _document(each: str | Document, number: int) -> Document:
    if isinstance(each, Document):
        return each
    if isinstance(each, str):
        return from_text(each, str(number))
    raise AnnotationError(f"input {number} is {type(each).__name__}: expected a text or a Document")


def _rows(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.asarray(rows, dtype=np.int64).reshape(-1, width)


def _batches(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Group windows of like length so that a batch, padding included, holds at most BATCH_PIECES pieces."""
    batches: list[list[_Part]] = []
    for part in sorted(parts, key=lambda each: each.length):
        if batches and (len(batches[-1]) + 1) * part.length <= BATCH_PIECES:
            batches[-1].append(part)
        else:
            batches.append([part])
    return batches


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
