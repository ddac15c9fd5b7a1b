"""From a network's score to the probability that what it says is right: a curve for each type, saved with the model.

The curve is that of beta calibration (Kull, Silva Filho & Flach 2017), which bends scores near 0 and near 1 each in
its own way; Platt's line on the logit and temperature scaling (Guo et al. 2017, arXiv 1706.04599) are cases of it. A
relation is right only if both its mentions are, so the score of the less sure one has a part in its curve. The curve
rises with either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from marsad.documents import Entity, Relation

# Scores nearer to 0 or 1 than this are taken to be this far from it: a logit has no end.
EDGE = 1e-6

EntitySource = Literal["predicted", "gold"]


class Calibrator(BaseModel):
    """`score -> sigmoid(low * log(score) - high * log(1 - score) + mention * logit(of the mention) + intercept)`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float = Field(ge=0, allow_inf_nan=False)
    high: float = Field(ge=0, allow_inf_nan=False)
    mention: float = Field(0.0, ge=0, allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)

    def __call__(self, score: float, mention: float = 0.5) -> float:
        """Return the calibrated score, a probability from 0 to 1, of what has `score`; `mention` is the network's own
        score of the less sure mention that a relation joins, one half where mentions have no part in it."""
        low, high = _logs(score)
        logit = self.low * low + self.high * high + self.mention * sum(_logs(mention)) + self.intercept
        return (1 + math.tanh(logit / 2)) / 2  # the sigmoid, in the form that cannot overflow


def _logs(score: float) -> tuple[float, float]:
    """Return log(score) and -log(1 - score), which add up to the logit."""
    clipped = min(max(score, EDGE), 1 - EDGE)
    return math.log(clipped), -math.log1p(-clipped)


class Calibration(BaseModel):
    """Curves by type for the scores of entities, of relations between them, and of relations between given entities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entities: dict[str, Calibrator] = {}
    relations: dict[str, Calibrator] = {}
    relations_gold_entities: dict[str, Calibrator] = {}

    def of_entities(self, found: Sequence[Entity]) -> list[Entity]:
        """Return the entities with calibrated scores; a type without a curve keeps its own."""
        return [
            replace(each, score=self.entities[each.type](each.score)) if each.type in self.entities else each
            for each in found
        ]

    def of_relations(
        self, found: Sequence[Relation], entities: Sequence[Entity], source: EntitySource
    ) -> list[Relation]:
        """Return the relations with calibrated scores, by where the `entities` they join came from.

        Entities that were predicted have the network's own scores here.
        """
        curves = self.relations if source == "predicted" else self.relations_gold_entities
        return [
            replace(each, score=curves[each.type](each.score, least_sure(each, entities)))
            if each.type in curves
            else each
            for each in found
        ]


def least_sure(relation: Relation, entities: Sequence[Entity]) -> float:
    """Return the lower score of the two entities that a relation joins."""
    return min(entities[relation.head].score, entities[relation.tail].score)
