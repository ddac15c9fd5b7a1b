"""Annotated documents as windows to train on, and the collator that makes batches of them.

A window carries the tags of its words and the gold entities that lie wholly inside it; an entity that the window cuts
is left out of the loss there and learnt in the neighbouring window that holds it. Documents annotated for entities
alone give no pairs, so they say nothing about relations.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from marsad import pairs as pair_choice
from marsad.documents import Document, Entity, Relation
from marsad.formats.conll import tags_of
from marsad.modeling.batches import collate, span_row
from marsad.modeling.extractor import IGNORED_TAG
from marsad.modeling.settings import SpecialPieces
from marsad.modeling.windows import Pieces, Window, split
from marsad.schema import Schema


@dataclass(frozen=True)
class Coverage:
    """What the windows of a corpus can and cannot teach."""

    num_windows: int
    num_relations: int
    num_lost_relations: int
    num_lost_entities: int


def build_dataset(
    documents: Sequence[tuple[Document, Pieces]], schema: Schema, *, window_pieces: int, overlap: int
) -> tuple[Dataset, Coverage]:
    """Return the windows of all documents as rows, and how many gold relations and entities no window holds."""
    rows: list[dict[str, Any]] = []
    lost_relations = lost_entities = 0
    for document, pieces in documents:
        windows = split(pieces.counts, window_pieces, overlap)
        held = [_row(document, pieces, window, schema) for window in windows]
        rows += [row for row, _, _ in held]
        lost_entities += len(document.entities) - len({index for _, entities, _ in held for index in entities})
        lost_relations += len(document.relations) - len({index for _, _, relations in held for index in relations})
    total = sum(len(document.relations) for document, _ in documents)
    return Dataset.from_list(rows), Coverage(len(rows), total, lost_relations, lost_entities)


def _row(
    document: Document, pieces: Pieces, window: Window, schema: Schema
) -> tuple[dict[str, Any], list[int], list[int]]:
    """Return the row of a window and the indices of the entities and relations it holds."""
    words = range(window.start, window.end)
    inside = [i for i, each in enumerate(document.entities) if each.start in words and each.end - 1 in words]
    position = {index: place for place, index in enumerate(inside)}
    related = [i for i, each in enumerate(document.relations) if each.head in position and each.tail in position]
    entities = [document.entities[index] for index in inside]
    row = {
        "pieces": [list(each) for each in pieces.ids[window.start : window.end]],
        "length": sum(pieces.counts[window.start : window.end]),
        "tags": _tags(document, window, schema),
        "spans": [list(span_row(each, 0, window.start, document, schema)) for each in entities],
        "relations": [
            [schema.relation_types.index(each.type), position[each.head], position[each.tail]]
            for each in (document.relations[index] for index in related)
        ],
        "relations_annotated": document.relations_annotated,
    }
    return row, inside, related


def _tags(document: Document, window: Window, schema: Schema) -> list[int]:
    names = tags_of(document.entities, len(document.words))
    tags = [schema.tags.index(name) for name in names[window.start : window.end]]
    for entity in document.entities:
        if entity.start < window.start < entity.end or entity.start < window.end < entity.end:
            for word in range(max(entity.start, window.start), min(entity.end, window.end)):
                tags[word - window.start] = IGNORED_TAG
    return tags


class WindowCollator:
    """Pads windows into a batch for `Extractor.forward` and chooses the pairs to train on, anew for each batch."""

    def __init__(self, schema: Schema, special: SpecialPieces, *, negatives: int | None, seed: int) -> None:
        self.schema = schema
        self.special = special
        self.negatives = negatives
        self.rng = random.Random(seed)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Return the tensors of a batch; shapes as in `modeling.extractor`."""
        batch = collate([row["pieces"] for row in rows], self.special)
        tags = np.full(batch.word_starts.shape, IGNORED_TAG, dtype=np.int64)
        spans: list[list[int]] = []
        pairs: list[tuple[int, int]] = []
        answers: list[list[bool]] = []
        for index, row in enumerate(rows):
            tags[index, : len(row["tags"])] = row["tags"]
            if not row["relations_annotated"]:
                continue
            offset = len(spans)
            spans += [[index, *span[1:]] for span in row["spans"]]
            for (head, tail), answer in self._pairs(row):
                pairs.append((offset + head, offset + tail))
                answers.append(answer)
        return {
            "input_ids": torch.from_numpy(batch.input_ids),
            "attention_mask": torch.from_numpy(batch.attention_mask),
            "word_starts": torch.from_numpy(batch.word_starts),
            "word_ends": torch.from_numpy(batch.word_ends),
            "tags": torch.from_numpy(tags),
            "spans": torch.tensor(spans, dtype=torch.long).view(-1, 5),
            "pairs": torch.tensor(pairs, dtype=torch.long).view(-1, 2),
            "relations": torch.tensor(answers, dtype=torch.float).view(len(pairs), len(self.schema.relation_types)),
        }

    def _pairs(self, row: Mapping[str, Any]) -> Iterable[tuple[tuple[int, int], list[bool]]]:
        if not self.schema.relation_types:
            return
        names = self.schema.relation_types
        entities = [Entity(self.schema.entity_types[span[3]], span[1], span[2]) for span in row["spans"]]
        relations = [Relation(names[kind], head, tail) for kind, head, tail in row["relations"]]
        gold = {(each.head, each.tail, each.type) for each in relations}
        chosen = pair_choice.training_pairs(entities, relations, self.schema, negatives=self.negatives, rng=self.rng)
        for head, tail in chosen:
            yield (head, tail), [(head, tail, name) in gold for name in names]
