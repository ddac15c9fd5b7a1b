"""How far two readings of the same articles agree: figures by type, and every place where they do not.

Mentions and relations are compared as predictions are (`metrics.evaluate`), which is symmetric in F1 (Hripcsak and
Rothschild 2005: F1 is what kappa comes to where what nobody marked cannot be counted). `relations_common` looks only at
relations between mentions that both readings have, and so at what the relation rules alone make readers disagree on.
Cohen's kappa (1960) is over words: which type, if any, each has. No torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from marsad.documents import Document, Entity, Relation
from marsad.errors import AnnotationError
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import Score, Table
from marsad.schema import OUTSIDE, Schema

Kind = Literal["type", "boundary", "only in A", "only in B"]


@dataclass(frozen=True)
class Disagreement:
    """One place where two readings differ.

    `word` is where to look: the first word of the mention, or of a relation's head. `first` and `second` say what each
    reading has there, None for nothing. For relations, both mentions are in both readings.
    """

    document: str
    word: int
    kind: Kind
    first: str | None
    second: str | None

    def __str__(self) -> str:
        if self.first and self.second:
            return f"{self.kind}: A has {self.first}, B has {self.second}"
        return f"{self.kind}: {self.first or self.second}"


@dataclass(frozen=True)
class Agreement:
    """Figures over all documents, and the disagreements in the order of the text."""

    entities: Table
    relations_strict: Table
    relations_common: Table
    kappa: Mapping[str, float]  # by entity type, and "all"
    num_documents: int
    num_words: int
    disagreements: tuple[Disagreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values: the counts in A, in B and in both, and F1, by type and over all."""
        tables = ("entities", "relations_strict", "relations_common")
        return {
            **{name: _counts(getattr(self, name)) for name in tables},
            "kappa": dict(self.kappa),
            "documents": self.num_documents,
            "words": self.num_words,
        }


def _comparable(a: Document, b: Document) -> tuple[Document, Document]:
    """Return two readings, both for entities alone where one of them is: no relations there are no disagreement."""
    if a.relations_annotated and b.relations_annotated:
        return a, b
    alone = {"annotated": "entities"}
    return (
        replace(a, relations=(), events=(), meta={**a.meta, **alone}),
        replace(b, relations=(), events=(), meta={**b.meta, **alone}),
    )


def _counts(table: Table) -> dict[str, Any]:
    def one(score: Score) -> dict[str, float | int]:
        return {"in_a": score.support, "in_b": score.tp + score.fp, "in_both": score.tp, "f1": score.f1}

    return {"micro": one(table.micro), "by_type": {name: one(score) for name, score in table.by_type.items()}}


def agreement(first: Sequence[Document], second: Sequence[Document], schema: Schema) -> Agreement:
    """Compare two readings, A and B, of the same documents in the same order.

    Raises `AnnotationError` where ids or words differ: agreement is about one text.
    """
    first, second = zip(*map(_comparable, first, second), strict=True) if first else ((), ())
    report = evaluate(first, second, schema)
    common = evaluate([*map(_within, first, second)], [*map(_within, second, first)], schema)
    return Agreement(
        report.entities,
        report.relations_strict,
        common.relations_strict,
        _kappas(first, second, schema),
        report.num_documents,
        report.num_words,
        tuple(each for a, b in zip(first, second, strict=True) for each in _disagreements(a, b)),
    )


def pair_up(first: Iterable[Document], second: Iterable[Document]) -> tuple[list[Document], list[Document], list[str]]:
    """Return the documents that both readings have, in the order of the first, and the ids that only one has.

    Raises `AnnotationError` where an id is used twice in a reading, the words of a document differ, or none is in both.
    """
    a, b = _by_id(first, "A"), _by_id(second, "B")
    common = [name for name in a if name in b]
    if not common:
        raise AnnotationError(f"no document is in both readings: A has {_some(a)}; B has {_some(b)}")
    problems = [problem for name in common if (problem := _word_problem(a[name], b[name]))]
    if problems:
        raise AnnotationError("\n".join(problems))
    # White space is no part of a reading: B's mentions are put on A's words.
    second = [
        replace(a[name], entities=b[name].entities, relations=b[name].relations, events=(), meta=b[name].meta)
        for name in common
    ]
    return [a[name] for name in common], second, sorted({*a} ^ {*b})


def _by_id(documents: Iterable[Document], name: str) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for document in documents:
        if document.id in found:
            raise AnnotationError(f"reading {name} has two documents {document.id!r}: give each its own id")
        found[document.id] = document
    return found


def _some(found: Mapping[str, Document]) -> str:
    return ", ".join([*list(found)[:3], *(["..."] if len(found) > 3 else [])]) or "none"


def _word_problem(a: Document, b: Document) -> str:
    pairs = enumerate(zip((word.text for word in a.words), (word.text for word in b.words), strict=False))
    at = next((index for index, (one, other) in pairs if one != other), None)
    if at is None and len(a.words) == len(b.words):
        return ""
    place = (
        f"word {at + 1} is {a.words[at].text!r} in A, {b.words[at].text!r} in B" if at is not None else "one goes on"
    )
    return f"document {a.id!r} has other words in the two readings ({place}): both must be of the same text"


def _within(document: Document, other: Document) -> Document:
    """Return the document with the mentions that the other has too, and the relations between them."""
    theirs = {_key(each) for each in other.entities}
    kept = [index for index, each in enumerate(document.entities) if _key(each) in theirs]
    place = {old: new for new, old in enumerate(kept)}
    relations = [
        replace(each, head=place[each.head], tail=place[each.tail])
        for each in document.relations
        if each.head in place and each.tail in place
    ]
    return replace(document, entities=[document.entities[index] for index in kept], relations=relations, events=())


def _key(entity: Entity) -> tuple[str, int, int]:
    return entity.type, entity.start, entity.end


def _kappas(first: Sequence[Document], second: Sequence[Document], schema: Schema) -> dict[str, float]:
    pairs = Counter(
        pair for a, b in zip(first, second, strict=True) for pair in zip(_word_types(a), _word_types(b), strict=True)
    )
    by_type = {
        name: cohen_kappa(_merged(pairs, name)) for name in schema.entity_types if any(name in pair for pair in pairs)
    }
    return {**by_type, "all": cohen_kappa(pairs)}


def _word_types(document: Document) -> list[str]:
    types = [OUTSIDE] * len(document.words)
    for entity in document.entities:
        types[entity.start : entity.end] = [entity.type] * (entity.end - entity.start)
    return types


def _merged(pairs: Counter[tuple[str, str]], name: str) -> Counter[tuple[str, str]]:
    """Return the counts with every type but one taken as none."""
    merged: Counter[tuple[str, str]] = Counter()
    for (a, b), count in pairs.items():
        merged[a if a == name else OUTSIDE, b if b == name else OUTSIDE] += count
    return merged


def cohen_kappa(pairs: Mapping[tuple[str, str], int]) -> float:
    """Return Cohen's kappa of two readers from the counts of their pairs of labels; 1 where all is one label."""
    total = sum(pairs.values())
    if not total:
        return 1.0
    ours, theirs = Counter[str](), Counter[str]()
    for (a, b), count in pairs.items():
        ours[a] += count
        theirs[b] += count
    observed = sum(count for (a, b), count in pairs.items() if a == b) / total
    expected = sum(ours[label] * theirs[label] for label in ours) / total**2
    return (observed - expected) / (1 - expected) if expected < 1 else 1.0


def _disagreements(a: Document, b: Document) -> list[Disagreement]:
    return sorted([*_mentions(a, b), *_relations(a, b)], key=lambda each: each.word)


def _mentions(a: Document, b: Document) -> Iterator[Disagreement]:
    ours, theirs = {_key(each) for each in a.entities}, {_key(each) for each in b.entities}
    only_a = [each for each in a.entities if _key(each) not in theirs]
    only_b = [each for each in b.entities if _key(each) not in ours]
    for mine in only_a:
        other = next((each for each in only_b if each.start < mine.end and mine.start < each.end), None)
        if other is None:
            yield Disagreement(a.id, mine.start, "only in A", _say(a, mine), None)
            continue
        only_b.remove(other)
        same_span = (mine.start, mine.end) == (other.start, other.end)
        yield Disagreement(a.id, mine.start, "type" if same_span else "boundary", _say(a, mine), _say(b, other))
    for other in only_b:
        yield Disagreement(b.id, other.start, "only in B", None, _say(b, other))


def _relations(a: Document, b: Document) -> Iterator[Disagreement]:
    a, b = _within(a, b), _within(b, a)
    ours, theirs = ({_relation_key(each, document): each for each in document.relations} for document in (a, b))
    for key, relation in ours.items():
        if key not in theirs:
            yield Disagreement(a.id, a.entities[relation.head].start, "only in A", _say_relation(a, relation), None)
    for key, relation in theirs.items():
        if key not in ours:
            yield Disagreement(b.id, b.entities[relation.head].start, "only in B", None, _say_relation(b, relation))


def _relation_key(relation: Relation, document: Document) -> tuple[object, ...]:
    return relation.type, _key(document.entities[relation.head]), _key(document.entities[relation.tail])


def _say(document: Document, entity: Entity) -> str:
    return f"{entity.type} «{document.surface(entity)}»"


def _say_relation(document: Document, relation: Relation) -> str:
    head, tail = (document.surface(document.entities[end]) for end in (relation.head, relation.tail))
    return f"«{head}» {relation.type} «{tail}»"
