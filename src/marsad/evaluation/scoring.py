"""Scoring a predictor: predict on the gold words as a user would, then count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from marsad.documents import Document
from marsad.evaluation.metrics import Report, evaluate
from marsad.inference.predictor import Predictor, check_types


def score_predictor(predictor: Predictor, gold: Sequence[Document], *, gold_entities: bool = True) -> Report:
    """Score a predictor on gold documents; with `gold_entities` also the relations it finds between gold entities.

    Raises `AnnotationError` where the documents hold types that the model's schema does not have.
    """
    check_types(gold, predictor.schema, relations=True)
    start = predictor.num_unscored_pairs
    predicted = predictor.predict([document.without_annotations() for document in gold])
    middle = predictor.num_unscored_pairs
    on_gold = predictor.predict(list(gold), entities="gold") if gold_entities else None
    report = evaluate(gold, predicted, predictor.schema, with_gold_entities=on_gold)
    unscored = {"found": middle - start, "gold": predictor.num_unscored_pairs - middle}
    notes = [
        f"{count} pairs of {kind} mentions stand too far apart for one window: not scored, relations among them missed"
        for kind, count in unscored.items()
        if count
    ]
    return replace(report, notes=(*report.notes, *notes))
