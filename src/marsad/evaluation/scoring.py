"""Scoring a predictor: predict on the gold words as a user would, then count. And the baselines beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from marsad.documents import Document, Entity
from marsad.errors import MarsadError
from marsad.evaluation.baselines import Tagger, baseline_taggers, nearest_pairs, score_baseline
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import Report
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


NEAREST_PAIR = "nearest-pair"


def score_baselines(
    names: Sequence[str], predictor: Predictor, gold: Sequence[Document], train: Sequence[Document]
) -> Mapping[str, Report]:
    """Score baselines by name, learnt from the articles in `train`; all are joined by `baselines.nearest_pairs`.

    `nearest-pair` takes the mentions that `predictor` finds; the folder of another model takes that model's, as of one
    trained for tags alone (`heads.relation_weight: 0`). Raises `MarsadError` for a name that is none of them.
    """
    schema = predictor.schema
    check_types(train, schema, relations=True)
    link = nearest_pairs(train, schema)
    taggers = {**baseline_taggers(train, schema), NEAREST_PAIR: _tagger(predictor)}
    reports = {}
    for name in names:
        if name not in taggers and not Path(name).is_dir():
            raise MarsadError(f"--baseline {name!r} is none of {', '.join(taggers)} and no model folder")
        tagger = taggers[name] if name in taggers else _tagger(Predictor.from_pretrained(name))
        reports[name] = score_baseline(gold, tagger, link, schema)
    return reports


def _tagger(predictor: Predictor) -> Tagger:
    def tag(document: Document) -> list[Entity]:
        return list(predictor.predict(document).entities)

    return tag
