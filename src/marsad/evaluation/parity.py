"""How far one way of running a model is from another: exported, quantised or in another precision. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marsad.documents import Document
from marsad.evaluation.metrics import evaluate
from marsad.schema import Schema


@dataclass(frozen=True)
class Parity:
    """What changes when the same articles are read in another way.

    `f1` is (before, after) by rule, fractions of one; `score_change` the largest change of a score, over mentions and
    relations that both ways report, and `where` the one it is of; `different` the ids of the articles in which the two
    do not report the same mentions and relations.
    """

    f1: Mapping[str, tuple[float, float]]
    score_change: float
    where: str
    different: tuple[str, ...]


def compare_predictions(
    gold: Sequence[Document], before: Sequence[Document], after: Sequence[Document], schema: Schema
) -> Parity:
    """Hold two predictions of the same articles against each other and against gold."""
    change, where, different = 0.0, "", []
    for first, second in zip(before, after, strict=True):
        a, b = _scores(first), _scores(second)
        if a.keys() != b.keys():
            different.append(first.id)
        for name in a.keys() & b.keys():
            if abs(a[name] - b[name]) > change:
                change, where = abs(a[name] - b[name]), f"document {first.id!r}, {name}"
    tables = [evaluate(gold, each, schema).tables for each in (before, after)]
    f1 = {rule: (tables[0][rule].micro.f1, tables[1][rule].micro.f1) for rule in ("entities", "relations_strict")}
    return Parity(f1, change, where, tuple(different))


def _scores(document: Document) -> dict[str, float]:
    names = [f"{each.type} {document.surface(each)!r} at word {each.start}" for each in document.entities]
    found = {name: each.score for name, each in zip(names, document.entities, strict=True)}
    for each in document.relations:
        found[f"{each.type} from {names[each.head]} to {names[each.tail]}"] = each.score
    return found
