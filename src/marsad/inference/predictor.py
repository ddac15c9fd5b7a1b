"""The predictor: text or documents in, documents with entities, relations and events out, in the order given.

Work goes through in chunks of documents (`inference.chunk`), so a stream of any length holds bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.events import with_events
from marsad.formats.text import from_text
from marsad.inference.backends import Backend, load_backend
from marsad.inference.chunk import Chunk
from marsad.modeling import windows
from marsad.modeling.calibration import EntitySource
from marsad.modeling.settings import ModelFolder, read_folder
from marsad.schema import Schema

Inputs = list[str] | list[Document] | list[str | Document]
CHUNK_PIECES = 16384
CHUNK_DOCUMENTS = 512


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

    def uncalibrated(self, threshold: float | None = None) -> Predictor:
        """Return a predictor on the same network with its scores as they are, and one threshold where one is given."""
        settings = self.folder.settings
        thresholds = settings.thresholds if threshold is None else dict.fromkeys(settings.thresholds, threshold)
        changed = settings.model_copy(update={"calibration": None, "thresholds": thresholds})
        return Predictor(replace(self.folder, settings=changed), self.backend)

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
        if not isinstance(inputs, list | tuple):
            raise AnnotationError(
                f"the input is {type(inputs).__name__}: expected a text, a Document or a list of them "
                "(`stream` takes any iterable)"
            )
        return list(self.stream(inputs, entities=entities))

    def stream(
        self,
        inputs: Iterable[str | Document],
        *,
        entities: EntitySource = "predicted",
        failed: Callable[[Document, Exception], object] | None = None,
    ) -> Iterator[Document]:
        """Yield a document for each input, in order; a text gets its position (from 1) as its id.

        With `failed`, a document that cannot be predicted is handed to it with the error, and left out.
        """
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
                yield from self._predict(chunk, entities, failed)
                chunk, size = [], 0
        yield from self._predict(chunk, entities, failed)

    def _predict(
        self,
        inputs: Sequence[tuple[Document, windows.Pieces]],
        source: EntitySource,
        failed: Callable[[Document, Exception], object] | None,
    ) -> list[Document]:
        """Predict a chunk; where that fails and `failed` is there to be told, each document by itself."""
        if failed is None:
            return list(self._predict_chunk(inputs, source))
        try:
            return list(self._predict_chunk(inputs, source))
        except Exception as error:
            if len(inputs) == 1:
                failed(inputs[0][0], error)
                return []
        return [found for each in inputs for found in self._predict([each], source, failed)]

    def _predict_chunk(
        self, inputs: Sequence[tuple[Document, windows.Pieces]], source: EntitySource
    ) -> Iterator[Document]:
        documents = [document for document, _ in inputs]
        chunk = Chunk(documents, [pieces for _, pieces in inputs], self.folder)
        chunk.tag(self.backend)
        found = chunk.entities() if source == "predicted" else [list(each.entities) for each in documents]
        relations, num_unscored = chunk.relations(self.backend, found)
        self.num_unscored_pairs += num_unscored
        for document, entities, related in zip(documents, found, relations, strict=True):
            # Whatever the input said of its own annotations, these have been searched for relations.
            meta = {key: value for key, value in document.meta.items() if key != "annotated"}
            result = replace(document, entities=entities, relations=related, events=(), meta=meta)
            yield with_events(self._calibrated(result, source), self.schema)

    def _calibrated(self, document: Document, source: EntitySource) -> Document:
        curves = self.folder.settings.calibration
        if curves is None:
            return document
        # Given entities carry the scores of whoever gave them.
        entities = curves.of_entities(document.entities) if source == "predicted" else document.entities
        relations = curves.of_relations(document.relations, document.entities, source)
        return replace(document, entities=entities, relations=relations)


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
