"""Calibration: curves that make probabilities of scores, and measures that know chance."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from marsad.documents import Document
from marsad.evaluation.calibration import Outcome, calibrated, cross_calibrated, fit, outcomes, reliability
from marsad.evaluation.cutoffs import NEVER, cutoffs
from marsad.inference.predictor import Predictor
from marsad.modeling.calibration import Calibration, Calibrator
from marsad.modeling.settings import read_folder, write_settings
from marsad.schema import Schema
from notation import annotated


def _items(count: int, seed: int = 0, overconfident: bool = False) -> list[Outcome]:
    """Items that are right as often as they say, or, overconfident, only as often as the root of the odds says."""
    rng = random.Random(seed)
    items = []
    for number in range(count):
        score = rng.uniform(0.5, 0.999)
        odds = score / (1 - score)
        truth = odds**0.5 / (1 + odds**0.5) if overconfident else score
        items.append(Outcome("ACTOR", score, rng.random() < truth, number % 40))
    return items


def test_true_probabilities_are_within_what_chance_shows() -> None:
    found = reliability(_items(2000))
    assert found.ece < found.ceiling
    assert found.floor < found.ceiling
    assert 0.6 < found.auroc < 0.9


def test_scores_that_boast_are_seen_and_mended_on_other_articles(schema: Schema) -> None:
    items = {"entities": _items(2000, overconfident=True), "relations": [], "relations_gold_entities": []}
    before = reliability(items["entities"])
    after = reliability(cross_calibrated(items, schema)["entities"])
    assert before.ece > before.ceiling
    assert after.ece < after.ceiling
    assert after.brier < before.brier
    curve = fit(items, schema).entities["ACTOR"]
    assert curve(0.9) == pytest.approx(0.75, abs=0.03)  # the root of the odds
    fitted = calibrated(items["entities"], {"ACTOR": curve})
    assert reliability(fitted).auroc == pytest.approx(before.auroc)


def test_curves_stay_near_the_scores_where_there_is_little_to_fit(schema: Schema) -> None:
    few = {"entities": [Outcome("ACTOR", 0.9, True, 0)], "relations": [], "relations_gold_entities": []}
    assert fit(few, schema).entities["ACTOR"](0.9) == pytest.approx(0.9, abs=0.06)
    assert set(fit(few, schema).entities) == set(schema.entity_types)  # the rare and the unseen get the common curve
    assert fit(few, schema).relations == {}
    assert reliability([]).num_items == 0


def test_a_relation_is_as_unsure_as_its_mentions(schema: Schema) -> None:
    rng = random.Random(3)
    items = []
    for number in range(1500):
        mention, score = rng.uniform(0.3, 0.99), rng.uniform(0.5, 0.99)
        items.append(Outcome("ATTACKS", score, rng.random() < mention * score, number % 40, mention))
    found = {"entities": [], "relations": items, "relations_gold_entities": []}
    curve = fit(found, schema).relations["ATTACKS"]
    assert curve(0.9, 0.95) > curve(0.9, 0.5) > curve(0.6, 0.5)
    alone = [replace(each, mention=0.5) for each in items]
    with_mentions = reliability(calibrated(items, {"ATTACKS": curve}))
    without = reliability(calibrated(alone, fit({**found, "relations": alone}, schema).relations))
    assert with_mentions.auroc > without.auroc + 0.05
    assert with_mentions.brier < without.brier


@pytest.mark.parametrize("score", [0.0, 1e-9, 0.5, 1.0])
def test_a_calibrated_score_is_a_probability(score: float) -> None:
    assert 0 <= Calibrator(low=2.0, high=1.0, intercept=-1.0)(score) <= 1


def test_outcomes_are_held_against_gold() -> None:
    gold = annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", "a ATTACKS x")
    wrong = annotated("{a:ACTOR فصيل} ضرب {x:ACTOR جسرا}", "a ATTACKS x")
    given = annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", "a ATTACKS x", "x AFFILIATED_WITH a")
    found = outcomes([gold], [wrong], [given])
    assert [each.right for each in found["entities"]] == [True, False]
    assert [each.right for each in found["relations"]] == [False]
    unsure = replace(wrong, entities=[replace(wrong.entities[0], score=0.4), *wrong.entities[1:]])
    assert [each.mention for each in outcomes([gold], [unsure], [given])["relations"]] == [0.4]
    assert [(each.type, each.right) for each in found["relations_gold_entities"]] == [
        ("ATTACKS", True),
        ("AFFILIATED_WITH", False),
    ]


def test_cutoffs_reach_the_precision_on_other_articles() -> None:
    rng = random.Random(1)
    items = [
        Outcome("ATTACKS", score, rng.random() < score, number % 40)
        for number, score in enumerate(rng.uniform(0.05, 1.0) for _ in range(4000))
    ]
    gold = [annotated("{a:ACTOR فصيل} ضرب {x:ASSET جسرا}", "a ATTACKS x", id=str(number)) for number in range(40)]
    found = cutoffs(items, gold, ["ATTACKS", "SUFFERED"], 0.9)
    assert found["ATTACKS"].precision == pytest.approx(0.9, abs=0.03)
    assert found["ATTACKS"].threshold == pytest.approx(0.8, abs=0.06)  # right at 0.9 on average from 0.8 to 1
    assert found["SUFFERED"].threshold == NEVER
    assert cutoffs(items[:9], gold, ["ATTACKS"], 0.0)["ATTACKS"].threshold == NEVER


def test_a_saved_calibration_changes_scores_and_nothing_else(
    model: Path, articles: list[Document], tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    curve = Calibrator(low=0.5, high=0.5, intercept=0.0)
    types = read_folder(copy).schema
    calibration = Calibration(
        entities=dict.fromkeys(types.entity_types, curve), relations=dict.fromkeys(types.relation_types, curve)
    )
    write_settings(copy, read_folder(copy).settings.model_copy(update={"calibration": calibration}))
    text = articles[0].text
    plain, new = (Predictor.from_pretrained(folder, device="cpu") for folder in (model, copy))
    before, after = plain.predict(text), new.predict(text)
    assert [(each.type, each.start, each.end) for each in before.entities] == [
        (each.type, each.start, each.end) for each in after.entities
    ]
    assert [each.score for each in after.entities] == pytest.approx([curve(each.score) for each in before.entities])
    assert [each.score for each in after.relations] == pytest.approx([curve(each.score) for each in before.relations])
    assert after.events[0].score == pytest.approx(curve(before.events[0].score))
    assert new.uncalibrated().predict(text) == before
    given = new.predict(articles[0], entities="gold")  # no curve for these: the scores as they are
    assert given == plain.predict(articles[0], entities="gold")
