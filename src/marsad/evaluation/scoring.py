"""Scoring a predictor: predict on the gold words as a user would, then count. And the baselines beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.evaluation.baselines import baseline_taggers, nearest_pairs, score_baseline
from marsad.evaluation.calibration import Outcome, outcomes
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.scores import Report
from marsad.inference.predictor import Predictor, check_types
from marsad.modeling import windows
from marsad.schema import Schema


def score_predictor(predictor: Predictor, gold: Sequence[Document], *, gold_entities: bool = True) -> Report:
    """Score a predictor on gold documents; with `gold_entities` also the relations it finds between gold entities.

    Raises `AnnotationError` where the documents hold types that the model's schema does not have.
    """
    return score_predictions(predictor, gold, gold_entities=gold_entities)[0]


def score_predictions(
    predictor: Predictor, gold: Sequence[Document], *, gold_entities: bool = True
) -> tuple[Report, Sequence[Document], Sequence[Document]]:
    """Score as `score_predictor`; return the report, what was predicted, and what was between gold entities, if asked
    for."""
    check_types(gold, predictor.schema, relations=True)
    predicted = predictor.predict([document.without_annotations() for document in gold])
    on_gold = predictor.predict(list(gold), entities="gold") if gold_entities else None
    report = evaluate(gold, predicted, predictor.schema, with_gold_entities=on_gold)
    lost, total = _out_of_reach(predictor, gold), sum(len(document.relations) for document in gold)
    if lost:
        note = f"{lost} of {total} gold relations join mentions too far apart for one window and cannot be found"
        report = replace(report, notes=(*report.notes, note))
    return report, predicted, on_gold or []


def _out_of_reach(predictor: Predictor, gold: Sequence[Document]) -> int:
    """Return the number of gold relations whose two mentions no window of the model holds."""
    folder, count = predictor.folder, 0
    for document in gold:
        pieces = windows.tokenise(document, folder.tokenizer, folder.normaliser, folder.settings.special.unknown)
        held = windows.split(pieces.counts, folder.window_pieces, folder.settings.overlap)
        for relation in document.relations:
            head, tail = (document.entities[index] for index in (relation.head, relation.tail))
            count += windows.holder(held, (head.start, head.end), (tail.start, tail.end)) is None
    return count


# No threshold is looked for below it: a document has thousands of pairs of mentions, nearly all of them near 0.
LEAST_SCORE = 0.05


def score_outcomes(predictor: Predictor, gold: Sequence[Document]) -> Mapping[str, list[Outcome]]:
    """Return what a predictor says of gold documents, with the network's own scores, and what of it is right.

    Relations are here from the score `LEAST_SCORE` on, whatever the model's thresholds.
    """
    check_types(gold, predictor.schema, relations=True)
    bare = predictor.uncalibrated(LEAST_SCORE)
    predicted = bare.predict([document.without_annotations() for document in gold])
    return outcomes(gold, predicted, bare.predict(list(gold), entities="gold"))


NEAREST_PAIR = "nearest-pair"
BASELINES = ("frequent-tag", "gazetteer", NEAREST_PAIR)


def check_baselines(names: Sequence[str]) -> None:
    """Raise `MarsadError` for a name that is neither one of `BASELINES` nor a folder."""
    for name in names:
        if name not in BASELINES and not Path(name).is_dir():
            raise MarsadError(f"--baseline {name!r} is none of {', '.join(BASELINES)} and no model folder")


def with_baselines(
    report: Report,
    gold: Sequence[Document],
    predicted: Sequence[Document],
    train: Sequence[Document],
    schema: Schema,
    names: Sequence[str] = BASELINES,
    *,
    device: str = "auto",
) -> Report:
    """Return a report with baselines beside it, learnt from the articles in `train`.

    All are joined by `baselines.nearest_pairs`: `nearest-pair` takes the mentions of `predicted`, which the report is
    on, and the folder of another model that model's, as of one trained for tags alone (`heads.relation_weight: 0`).
    Raises `MarsadError` for a name that is none of them.
    """
    check_baselines(names)
    check_types(train, schema, relations=True)
    taggers = baseline_taggers(train, schema)
    link = nearest_pairs(train, schema)
    bare = [document.without_annotations() for document in gold]
    baselines = {}
    for name in names:
        if name in taggers:
            found = [taggers[name](document) for document in bare]
        elif name == NEAREST_PAIR:
            found = [list(document.entities) for document in predicted]
        else:
            model = Predictor.from_pretrained(name, device=device)
            found = [list(document.entities) for document in model.predict(bare)]
        baselines[name] = score_baseline(gold, found, link, schema)
    return replace(report, baselines=baselines)
