"""Are scores probabilities? Curves that make them so, fitted on articles, and measures on others. No torch.

What a score is held against: an entity is right by span and type, a relation by the strict rule, between given
entities by its type. Only what the predictor reports is looked at, since that is what users see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from marsad.documents import Document, Relation
from marsad.errors import AnnotationError
from marsad.modeling.calibration import EDGE, Calibration, Calibrator, least_sure
from marsad.schema import Schema

NUM_BINS = 10
NUM_FOLDS = 5
NUM_SIMULATIONS = 1000
# How strongly a curve is held: that of all types to leaving scores as they are, that of a type to that of all. In units
# of the log-likelihood; the second was chosen by cross-validation on dev articles, among 5, 20 and 100.
_PULL_OF_ALL, _PULL_OF_TYPE = 1.0, 100.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One reported item: its type, its score, whether gold has it, and the number of its document.

    `mention` is the score of the less sure mention of a relation between predicted entities, one half for all else.
    """

    type: str
    score: float
    right: bool
    document: int
    mention: float = 0.5


@dataclass(frozen=True)
class Reliability:
    """How far scores are from probabilities.

    `ece` is the expected calibration error over bins of equal size (Naeini et al. 2015; equal mass as in Nixon et al.
    2019). `floor` is its mean, and `ceiling` its 95 % quantile, in simulations in which each item is right with just
    the probability its score says, whatever the others are; in truth the items of an article err together, so both are
    low. `brier` is the mean squared error, `auroc` how well scores rank right before wrong.
    """

    num_items: int
    ece: float
    floor: float
    ceiling: float
    brier: float
    auroc: float


def outcomes(
    gold: Sequence[Document], predicted: Sequence[Document], on_gold: Sequence[Document]
) -> Mapping[str, list[Outcome]]:
    """Return what was reported, under the names of `Calibration`'s curves; documents are paired by position."""
    found: dict[str, list[Outcome]] = {name: [] for name in Calibration.model_fields}
    for number, (truth, ours, given) in enumerate(zip(gold, predicted, on_gold, strict=True)):
        spans = {(each.type, each.start, each.end) for each in truth.entities}
        found["entities"] += [
            Outcome(each.type, each.score, (each.type, each.start, each.end) in spans, number) for each in ours.entities
        ]
        if truth.relations_annotated:
            right = {_key(truth, each) for each in truth.relations}
            found["relations"] += [
                Outcome(each.type, each.score, _key(ours, each) in right, number, least_sure(each, ours.entities))
                for each in ours.relations
            ]
            found["relations_gold_entities"] += [
                Outcome(each.type, each.score, _key(given, each) in right, number) for each in given.relations
            ]
    return found


def _key(document: Document, relation: Relation) -> tuple[str, ...]:
    ends = (document.entities[index] for index in (relation.head, relation.tail))
    return relation.type, *(f"{end.type} {end.start} {end.end}" for end in ends)


def reported(found: Mapping[str, Sequence[Outcome]], thresholds: Mapping[str, float]) -> Mapping[str, list[Outcome]]:
    """Return what reaches the threshold of its type; types without one, as those of entities, are all reported."""
    return {
        name: [each for each in items if each.score >= thresholds.get(each.type, 0)] for name, items in found.items()
    }


def fit(found: Mapping[str, Sequence[Outcome]], schema: Schema) -> Calibration:
    """Return the curves that make the network's own scores probabilities, one a type, held to one of all types."""
    return Calibration(**{name: _fit_types(items, _types(name, schema)) for name, items in found.items()})


def _types(name: str, schema: Schema) -> Sequence[str]:
    return schema.entity_types if name == "entities" else schema.relation_types


def _fit_types(items: Sequence[Outcome], types: Sequence[str]) -> dict[str, Calibrator]:
    if not items:
        return {}
    common = _fit(items, Calibrator(low=1, high=1, intercept=0), _PULL_OF_ALL)
    return {name: _fit([item for item in items if item.type == name], common, _PULL_OF_TYPE) for name in types}


def _fit(items: Sequence[Outcome], usual: Calibrator, pull: float) -> Calibrator:
    """Return the curve of greatest likelihood, drawn towards the one that is `usual`."""
    from scipy.optimize import minimize
    from scipy.special import expit

    right = np.asarray([item.right for item in items], dtype=np.float64)
    score, mention = (_clipped(each) for each in ([item.score for item in items], [item.mention for item in items]))
    logs = [np.log(score), -np.log1p(-score), np.log(mention / (1 - mention)), np.ones(len(items))]
    inputs, start = np.stack(logs, axis=1), np.asarray([usual.low, usual.high, usual.mention, usual.intercept])

    def loss(line: Floats) -> tuple[float, Floats]:
        z = inputs @ line
        away = line - start
        value = np.logaddexp(0, z).sum() - (right * z).sum() + 0.5 * pull * (away**2).sum()
        return float(value), inputs.T @ (expit(z) - right) + pull * away

    # The curve must rise with either score.
    bounds = [(0, None), (0, None), (0, None), (None, None)]
    low, high, part, intercept = map(float, minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
    return Calibrator(low=low, high=high, mention=part, intercept=intercept)


def _clipped(scores: Sequence[float]) -> Floats:
    clipped: Floats = np.clip(np.asarray(scores, dtype=np.float64), EDGE, 1 - EDGE)
    return clipped


def calibrated(items: Sequence[Outcome], curves: Mapping[str, Calibrator]) -> list[Outcome]:
    """Return the items with the scores that curves give them."""
    return [
        replace(each, score=curves[each.type](each.score, each.mention)) if each.type in curves else each
        for each in items
    ]


def cross_calibrated(found: Mapping[str, Sequence[Outcome]], schema: Schema) -> Mapping[str, list[Outcome]]:
    """Return the items as curves make them that were fitted on other documents, in `NUM_FOLDS` parts."""
    return {
        name: [
            each for part, others in folds(items) for each in calibrated(part, _fit_types(others, _types(name, schema)))
        ]
        for name, items in found.items()
    }


def folds(items: Sequence[Outcome]) -> Iterator[tuple[list[Outcome], list[Outcome]]]:
    """Yield each part of the documents and all the others, as items."""
    for fold in range(NUM_FOLDS):
        part = [each for each in items if each.document % NUM_FOLDS == fold]
        yield part, [each for each in items if each.document % NUM_FOLDS != fold]


def check_enough(num_documents: int) -> None:
    """Raise `AnnotationError` where there are too few documents to judge curves by others than they were fitted on."""
    if num_documents < NUM_FOLDS:
        raise AnnotationError(
            f"{num_documents} articles are too few to calibrate on: give {NUM_FOLDS} or more, better 40"
        )


def reliability(items: Sequence[Outcome], *, seed: int = 0) -> Reliability:
    """Measure how far scores are from probabilities, beside what chance alone would show."""
    scores = np.asarray([item.score for item in items], dtype=np.float64)
    right = np.asarray([item.right for item in items], dtype=np.float64)
    if not len(scores):
        return Reliability(0, 0.0, 0.0, 0.0, 0.0, 0.5)
    order = np.argsort(scores, kind="stable")
    scores, right = scores[order], right[order]
    draws = np.random.default_rng(seed).random((NUM_SIMULATIONS, len(scores))) < scores
    simulated = np.asarray([_ece(scores, draw.astype(np.float64)) for draw in draws])
    return Reliability(
        len(scores),
        _ece(scores, right),
        float(simulated.mean()),
        float(np.quantile(simulated, 0.95)),
        float(((scores - right) ** 2).mean()),
        _auroc(scores, right),
    )


def bins(items: Sequence[Outcome]) -> list[tuple[float, float, int]]:
    """Return (mean score, share right, number of items) of each bin that `reliability` looks at, for a plot."""
    ordered = sorted(items, key=lambda each: each.score)
    parts = [part for part in np.array_split(np.arange(len(ordered)), NUM_BINS) if len(part)]
    return [
        (
            float(np.mean([ordered[index].score for index in part])),
            float(np.mean([ordered[index].right for index in part])),
            len(part),
        )
        for part in parts
    ]


def _ece(scores: Floats, right: Floats) -> float:
    """Return the error of scores in rising order."""
    parts = np.array_split(scores - right, NUM_BINS)
    return float(sum(abs(part.sum()) for part in parts) / len(scores))


def _auroc(scores: Floats, right: Floats) -> float:
    """Return the chance that a right item has the higher score than a wrong one, ties counted by half."""
    from scipy.stats import rankdata

    positive = int(right.sum())
    negative = len(right) - positive
    if not positive or not negative:
        return 0.5
    ranks = rankdata(scores)[right > 0].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))
