"""Scoring a predictor: predict on the gold words as a user would, then count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.evaluation.metrics import Report, evaluate
from marsad.inference.predictor import Predictor


def score_predictor(predictor: Predictor, gold: Sequence[Document], *, gold_entities: bool = True) -> Report:
    """Score a predictor on gold documents; with `gold_entities` also the relations it finds between gold entities.

    Raises `AnnotationError` where the documents hold types that the model's schema does not have.
    """
    _check_types(gold, predictor)
    before = predictor.num_unscored_pairs
    predicted = predictor.predict([document.without_annotations() for document in gold])
    unscored = predictor.num_unscored_pairs - before
    on_gold = predictor.predict(list(gold), entities="gold") if gold_entities else None
    report = evaluate(gold, predicted, predictor.schema, with_gold_entities=on_gold)
    if not unscored:
        return report
    note = f"{unscored} pairs of mentions stand too far apart for one window and were not scored"
    return replace(report, notes=(*report.notes, note))


def _check_types(gold: Sequence[Document], predictor: Predictor) -> None:
    known = {*predictor.schema.entities, *predictor.schema.relations}
    used = {entity.type for document in gold for entity in document.entities}
    used |= {relation.type for document in gold for relation in document.relations}
    if used - known:
        raise AnnotationError(
            f"the documents use {', '.join(sorted(used - known))}, which the model was not trained on "
            f"(it knows {', '.join(sorted(known))}): evaluate it on documents of its own schema"
        )
