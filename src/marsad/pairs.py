"""Which pairs of mentions are candidates for a relation: one definition for training, scoring and prediction.

A candidate is a directed pair of different entities whose types the schema lets at least one relation join. Windows
narrow this further (`modeling.windows` says which pairs one window holds); nothing else may.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from marsad.documents import Entity, Relation
from marsad.schema import Schema


def candidates(entities: Sequence[Entity], schema: Schema) -> list[tuple[int, int]]:
    """Return the (head, tail) indices of every pair the schema allows, ordered by head, then tail."""
    return [
        (head, tail)
        for head, first in enumerate(entities)
        for tail, second in enumerate(entities)
        if head != tail and schema.allowed(first.type, second.type)
    ]


def training_pairs(
    entities: Sequence[Entity],
    relations: Sequence[Relation],
    schema: Schema,
    *,
    negatives: int | None = None,
    rng: random.Random | None = None,
) -> list[tuple[int, int]]:
    """Return the pairs of gold entities to train on: the related, the related reversed, and `negatives` others.

    `negatives` is the number of unrelated pairs kept, drawn with `rng`; None keeps all. The reversed pair of a
    relation is always kept where the schema allows it: it is how a model learns direction.
    """
    every = candidates(entities, schema)
    related = {(relation.head, relation.tail) for relation in relations}
    kept = related | {(tail, head) for head, tail in related}
    others = [pair for pair in every if pair not in kept]
    if negatives is not None and negatives < len(others):
        others = (rng or random.Random(0)).sample(others, negatives)
    return sorted([pair for pair in every if pair in kept] + others)
