"""From a network's score to the probability that what it says is right: a curve for each type, saved with the model.

The curve is Platt's: a line on the logit (Platt 1999), of which temperature scaling (Guo et al. 2017, arXiv
1706.04599) is the case without intercept. It rises, so within a type it never changes which score is higher.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from marsad.documents import Entity, Relation

# Scores nearer to 0 or 1 than this are taken to be this far from it: a logit has no end.
EDGE = 1e-6

EntitySource = Literal["predicted", "gold"]


class Calibrator(BaseModel):
    """`score -> sigmoid(slope * logit(score) + intercept)`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: float = Field(gt=0, allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)

    def __call__(self, score: float) -> float:
        """Return the calibrated score, a probability from 0 to 1."""
        clipped = min(max(score, EDGE), 1 - EDGE)
        logit = self.slope * math.log(clipped / (1 - clipped)) + self.intercept
        return (1 + math.tanh(logit / 2)) / 2  # the sigmoid, in the form that cannot overflow


class Calibration(BaseModel):
    """Curves by type for the scores of entities, of relations between them, and of relations between given entities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entities: dict[str, Calibrator] = {}
    relations: dict[str, Calibrator] = {}
    relations_gold_entities: dict[str, Calibrator] = {}

    def of_entities(self, found: Sequence[Entity]) -> list[Entity]:
        """Return the entities with calibrated scores; a type without a curve keeps its own."""
        return [replace(each, score=_calibrated(each.type, each.score, self.entities)) for each in found]

    def of_relations(self, found: Sequence[Relation], source: EntitySource) -> list[Relation]:
        """Return the relations with calibrated scores, by where the entities they join came from."""
        curves = self.relations if source == "predicted" else self.relations_gold_entities
        return [replace(each, score=_calibrated(each.type, each.score, curves)) for each in found]


def _calibrated(kind: str, score: float, curves: Mapping[str, Calibrator]) -> float:
    return curves[kind](score) if kind in curves else score
