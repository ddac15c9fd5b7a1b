"""Thresholds for a wanted precision, and the precision and recall they have on articles they were not chosen on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marsad.documents import Document
from marsad.evaluation.calibration import Outcome, folds

# Above any probability: the type is not reported.
NEVER = 2.0
# A share of right items counts from this many items on: one right item of one is no precision of 100 %.
FEWEST = 10


@dataclass(frozen=True)
class Cutoff:
    """The threshold of a relation type; `precision` and `recall` of the `num_items` that thresholds let through which
    were chosen in the same way on other articles."""

    threshold: float
    precision: float
    recall: float
    num_items: int


def cutoffs(
    items: Sequence[Outcome], gold: Sequence[Document], types: Sequence[str], precision: float
) -> Mapping[str, Cutoff]:
    """Return, for each relation type, the lowest threshold from which a share of `precision` is right.

    A type that reaches it nowhere, on `FEWEST` items or more, gets the threshold `NEVER`. `items` are relations with
    the network's own scores, held against `gold`.
    """
    support = dict.fromkeys(types, 0)
    for document in gold:
        for relation in document.relations:
            support[relation.type] += 1
    return {name: _cutoff([item for item in items if item.type == name], support[name], precision) for name in types}


def _cutoff(items: Sequence[Outcome], support: int, precision: float) -> Cutoff:
    passed = [item for part, others in folds(items) for item in part if item.score >= _threshold(others, precision)]
    right = sum(item.right for item in passed)
    return Cutoff(
        _threshold(items, precision),
        right / len(passed) if passed else 0.0,
        right / support if support else 0.0,
        len(passed),
    )


def _threshold(items: Sequence[Outcome], precision: float) -> float:
    ordered = sorted(items, key=lambda each: -each.score)
    threshold, right = NEVER, 0
    for count, item in enumerate(ordered, start=1):
        right += item.right
        below = ordered[count].score if count < len(ordered) else 0.0
        if count >= FEWEST and below < item.score and right / count >= precision:
            # Between two scores, so that no rounding on another device moves an item across it.
            threshold = (item.score + below) / 2 if count < len(ordered) else item.score * 0.999
    return threshold
