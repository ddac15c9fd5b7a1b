"""Scores of predicted documents against gold ones: entities, relations, events. No torch.

Rules. An entity is right with its span and type (seqeval's strict IOB2 rule). A relation is right under `boundaries`
with its type and both spans, under `strict` with both entity types too. Events are compared by role filler: predicted
events are matched one to one to those assembled from gold so that matched pairs share the most fillers in all; a
filler is a role with a mention's span and type. Gold decides what is missed: a relation whose entity was never found
counts as missed. Counts are sums over documents (micro); precision, recall and F1 are derived from them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marsad.documents import Document, Event
from marsad.errors import AnnotationError
from marsad.events import assemble
from marsad.schema import Schema

RULES = {
    "entities": "span and type (seqeval strict)",
    "relations_strict": "type, both spans, both entity types",
    "relations_boundaries": "type and both spans",
    "events": "role fillers of incidents matched to gold",
    "relations_gold_entities": "type of pairs of gold entities",
}


@dataclass(frozen=True)
class Score:
    """Counts that add up; precision, recall and F1 are fractions of one, 0 where nothing was to be found or said."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        """Share of what was predicted that is right."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """Share of gold that was found."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        found = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / found if found else 0.0

    @property
    def support(self) -> int:
        """Number of gold items."""
        return self.tp + self.fn

    def to_dict(self) -> dict[str, float | int]:
        """Return the derived figures and the support."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


@dataclass(frozen=True)
class Table:
    """Scores by type and their sum."""

    by_type: Mapping[str, Score]

    @property
    def micro(self) -> Score:
        """Sum over the types."""
        return sum(self.by_type.values(), Score())

    def to_dict(self) -> dict[str, Any]:
        """Return `micro` and `by_type`."""
        return {
            "micro": self.micro.to_dict(),
            "by_type": {name: score.to_dict() for name, score in self.by_type.items()},
        }


@dataclass(frozen=True)
class Report:
    """The result of `evaluate`: a table for each rule, and what could not be scored."""

    tables: Mapping[str, Table]
    num_documents: int
    num_words: int
    notes: tuple[str, ...] = field(default=())

    @property
    def entities(self) -> Table:
        """Entities by type."""
        return self.tables["entities"]

    @property
    def relations_strict(self) -> Table:
        """Relations by type, entity types included in what must be right."""
        return self.tables["relations_strict"]

    @property
    def relations_boundaries(self) -> Table:
        """Relations by type, entity types left aside."""
        return self.tables["relations_boundaries"]

    @property
    def relations_gold_entities(self) -> Table:
        """Relations by type between gold entities; an `AttributeError` where they were not asked for."""
        if "relations_gold_entities" not in self.tables:
            raise AttributeError("this report has no relations_gold_entities: evaluate(..., with_gold_entities=...)")
        return self.tables["relations_gold_entities"]

    @property
    def events(self) -> Table:
        """Fillers of incidents by role."""
        return self.tables["events"]

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `marsad evaluate --json` prints."""
        return {
            **{name: table.to_dict() for name, table in self.tables.items()},
            "documents": self.num_documents,
            "words": self.num_words,
            "rules": {name: RULES[name] for name in self.tables},
            "notes": list(self.notes),
        }


def evaluate(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    schema: Schema,
    *,
    with_gold_entities: Sequence[Document] | None = None,
) -> Report:
    """Score `predicted` documents against `gold`, paired by position; ids and words must agree.

    Relations and events are scored on the documents whose relations were annotated. `with_gold_entities` holds
    predictions made on gold entities and adds the table `relations_gold_entities`. Raises `AnnotationError` where the
    documents do not pair up.
    """
    _check_pairing(gold, predicted)
    related = [pair for pair in zip(gold, predicted, strict=True) if pair[0].relations_annotated]
    tables = {
        "entities": _table(
            ((_entities(g), _entities(p)) for g, p in zip(gold, predicted, strict=True)), schema.entity_types
        ),
        "relations_strict": _table(((_strict(g), _strict(p)) for g, p in related), schema.relation_types),
        "relations_boundaries": _table(((_boundaries(g), _boundaries(p)) for g, p in related), schema.relation_types),
        "events": _sum_tables((_event_table(g, p, schema) for g, p in related), schema.event_roles),
    }
    if with_gold_entities is not None:
        _check_pairing(gold, with_gold_entities)
        pairs = [pair for pair in zip(gold, with_gold_entities, strict=True) if pair[0].relations_annotated]
        tables["relations_gold_entities"] = _table(((_strict(g), _strict(p)) for g, p in pairs), schema.relation_types)
    skipped = len(gold) - len(related)
    notes = (f"{skipped} of {len(gold)} documents are annotated for entities alone: no relations scored there",)
    return Report(tables, len(gold), sum(len(each.words) for each in gold), notes if skipped else ())


def _check_pairing(gold: Sequence[Document], predicted: Sequence[Document]) -> None:
    if len(gold) != len(predicted):
        raise AnnotationError(f"{len(gold)} gold documents but {len(predicted)} predicted ones: score the same files")
    for first, second in zip(gold, predicted, strict=True):
        if first.id != second.id or first.words != second.words:
            raise AnnotationError(
                f"gold document {first.id!r} meets predicted {second.id!r} with other words or another id: "
                "predict on the gold documents themselves, in their order"
            )


_Item = tuple[str, Hashable]


def _mention(document: Document, index: int) -> tuple[int, int, str]:
    entity = document.entities[index]
    return entity.start, entity.end, entity.type


def _entities(document: Document) -> set[_Item]:
    return {(entity.type, (entity.start, entity.end)) for entity in document.entities}


def _strict(document: Document) -> set[_Item]:
    return {(each.type, (_mention(document, each.head), _mention(document, each.tail))) for each in document.relations}


def _boundaries(document: Document) -> set[_Item]:
    return {
        (each.type, (_mention(document, each.head)[:2], _mention(document, each.tail)[:2]))
        for each in document.relations
    }


def _table(pairs: Iterable[tuple[set[_Item], set[_Item]]], types: Sequence[str]) -> Table:
    scores = {name: Score() for name in types}
    for gold, predicted in pairs:
        right = Counter(name for name, _ in gold & predicted)
        wrong = Counter(name for name, _ in predicted - gold)
        missed = Counter(name for name, _ in gold - predicted)
        for name in {*right, *wrong, *missed}:
            scores[name] = scores.get(name, Score()) + Score(right[name], wrong[name], missed[name])
    return Table(scores)


def _sum_tables(tables: Iterable[Mapping[str, Score]], names: Sequence[str]) -> Table:
    total = {name: Score() for name in names}
    for table in tables:
        for name, score in table.items():
            total[name] = total.get(name, Score()) + score
    return Table(total)


def _event_table(gold: Document, predicted: Document, schema: Schema) -> dict[str, Score]:
    """Return the filler counts by role of one document, under the matching that shares the most fillers."""
    ours = [_fillers(gold, event) for event in assemble(gold, schema)]
    theirs = [_fillers(predicted, event) for event in assemble(predicted, schema)]
    matched = _match(ours, theirs)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for first, second in matched:
        for position, fillers in enumerate(
            (ours[first] & theirs[second], theirs[second] - ours[first], ours[first] - theirs[second])
        ):
            for role, _ in fillers:
                counts[role][position] += 1
    for position, events, used in ((2, ours, {a for a, _ in matched}), (1, theirs, {b for _, b in matched})):
        for index, fillers in enumerate(events):
            for role, _ in fillers if index not in used else ():
                counts[role][position] += 1
    return {role: Score(*each) for role, each in counts.items()}


def _fillers(document: Document, event: Event) -> set[_Item]:
    return {(role, _mention(document, index)) for role, fillers in event.roles.items() for index in fillers}


def _match(gold: Sequence[set[_Item]], predicted: Sequence[set[_Item]]) -> list[tuple[int, int]]:
    """Pair events one to one so that the pairs share the most fillers; pairs that share none are left apart."""
    if not gold or not predicted:
        return []
    from scipy.optimize import linear_sum_assignment

    common = [[len(first & second) for second in predicted] for first in gold]
    rows, columns = linear_sum_assignment(common, maximize=True)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if common[a][b]]
