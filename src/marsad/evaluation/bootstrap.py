"""How sure a score is: percentile bootstrap over documents, for one system and for the difference of two.

Articles are drawn with replacement, not mentions: the mentions of an article stand or fall together (Efron 1979; paired
as in Berg-Kirkpatrick, Burkett and Klein 2012). Where a system has several runs (seeds), runs are drawn too, so that
the interval holds some of what another seed would have changed: all of it with many runs, half with two, none with one.
No torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from marsad.errors import AnnotationError
from marsad.evaluation.scores import DocumentScores, Report, Score

LEVEL = 0.95
NUM_DRAWS = 2000
MICRO = "all (micro)"

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """F1 of two systems, A and B, under one rule, fractions of one.

    `interval` is that of B less A; `p` is twice the share of draws on the other side of nothing, from 1 / draws to 1.
    `better`, `worse` and `same` count documents by B's F1 against A's, means over the runs of each; where there is
    nothing to find, saying nothing counts as 1.
    """

    first: float
    second: float
    interval: Interval
    p: float
    better: int
    worse: int
    same: int

    @property
    def difference(self) -> float:
        """F1 of B less F1 of A."""
        return self.second - self.first

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {**asdict(self), "interval": list(self.interval), "difference": self.difference}


def intervals(report: Report, rule: str, *, seed: int = 0) -> Mapping[str, Interval]:
    """Return the 95 % interval of F1 under a rule, of each type and, as `MICRO`, of all; the same seed, the same."""
    names = list(report.tables[rule].by_type)
    rows = [
        [_counts(document.counts[rule].get(name, Score())) for name in names]
        for document in report.documents
        if rule in document.counts
    ]
    counts = np.asarray(rows, dtype=np.float64).reshape(len(rows), len(names), 3)
    drawn = np.einsum("bd,dtc->btc", _draws(len(rows), seed), counts)
    # Draws without anything of a rare type say nothing of how well it is found.
    found = {name: _interval(_f1(drawn[:, index], empty=np.nan)) for index, name in enumerate(names)}
    return {**found, MICRO: _interval(_f1(drawn.sum(axis=1), empty=np.nan))}


def to_record(report: Report) -> dict[str, Any]:
    """Return the JSON form of a report and its baselines with, by rule and type, `intervals` of F1, `[low, high]`."""
    found = {rule: intervals(report, rule) for rule in report.tables}
    return {
        **report.to_dict(),
        "intervals": {rule: {name: list(each) for name, each in between.items()} for rule, between in found.items()},
        "baselines": {name: to_record(each) for name, each in report.baselines.items()},
    }


def compare(first: Sequence[Report], second: Sequence[Report], rule: str, *, seed: int = 0) -> Difference:
    """Compare two systems, A and B, each by the reports of its runs, all on the same documents in the same order.

    Raises `AnnotationError` where the documents differ or a report was not scored by the rule.
    """
    _check_same_gold([*first, *second], rule)
    a, b = (np.stack([_micro(each, rule) for each in reports]) for reports in (first, second))  # (runs, documents, 3)
    weights = _draws(a.shape[1], seed)
    generator = np.random.default_rng(seed + 1)
    drawn = np.round(_drawn_f1(b, weights, generator) - _drawn_f1(a, weights, generator), 9)
    by_document = np.round(_f1(b, empty=1.0).mean(axis=0) - _f1(a, empty=1.0).mean(axis=0), 9)
    other_side = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return Difference(
        first=float(_f1(a.sum(axis=1)).mean()),
        second=float(_f1(b.sum(axis=1)).mean()),
        interval=_interval(drawn),
        p=min(1.0, 2 * float(other_side + 1) / (NUM_DRAWS + 1)),
        better=int((by_document > 0).sum()),
        worse=int((by_document < 0).sum()),
        same=int((by_document == 0).sum()),
    )


def _check_same_gold(reports: Sequence[Report], rule: str) -> None:
    """Raise `AnnotationError` where reports are not on the same gold documents in the same order."""
    for report in reports:
        if rule not in report.types:
            raise AnnotationError(
                f"a report was not scored by {rule}, only by {', '.join(report.types)}: score both in the same way"
            )
    first, *others = [[_gold(each, rule) for each in report.documents] for report in reports]
    for other in others:
        for position, (a, b) in enumerate(zip_longest(first, other, fillvalue="nothing"), start=1):
            if a != b:
                raise AnnotationError(
                    f"the reports are not on the same documents in the same order: document {position} is {a} in one "
                    f"and {b} in another: score all on the same files"
                )


def _gold(document: DocumentScores, rule: str) -> str:
    """Return what a document shows of its gold annotations under a rule."""
    scored = f"{document.micro(rule).support} gold items" if rule in document.counts else "not scored"
    return f"{document.id!r} ({document.num_words} words, {scored})"


def _micro(report: Report, rule: str) -> Floats:
    rows = [_counts(each.micro(rule)) for each in report.documents if rule in each.counts]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 3)


def _counts(score: Score) -> tuple[int, int, int]:
    return score.tp, score.fp, score.fn


def _draws(num_documents: int, seed: int) -> Floats:
    """Return how often each document stands in each draw, `(NUM_DRAWS, num_documents)`."""
    if not num_documents:
        return np.zeros((NUM_DRAWS, 0))
    shares = np.full(num_documents, 1 / num_documents)
    return np.random.default_rng(seed).multinomial(num_documents, shares, size=NUM_DRAWS).astype(np.float64)


def _drawn_f1(counts: Floats, weights: Floats, generator: np.random.Generator) -> Floats:
    """Return F1 of each draw, the mean over as many runs, drawn with replacement, as there are."""
    by_run = _f1(np.einsum("bd,rdc->brc", weights, counts))  # (draws, runs)
    runs = generator.integers(by_run.shape[1], size=by_run.shape)
    mean: Floats = np.take_along_axis(by_run, runs, axis=1).mean(axis=1)
    return mean


def _f1(counts: Floats, empty: float = 0.0) -> Floats:
    """Return F1 of counts `(..., 3)`: tp, fp, fn; `empty` where there was nothing to be found or said."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    total = 2 * tp + fp + fn
    f1: Floats = np.divide(2 * tp, total, out=np.full_like(total, empty), where=total > 0)
    return f1


def _interval(draws: Floats) -> Interval:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return 0.0, 0.0
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
