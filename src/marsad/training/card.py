"""The model card: a template filled from the run, so that no model leaves without saying what it is and how good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

import marsad
from marsad.config import Config
from marsad.documents import Document
from marsad.evaluation.scores import RULES, Report
from marsad.modeling.settings import ModelFolder

_TEMPLATE = Template(
    """---
language: ar
library_name: marsad
base_model: "$encoder"
tags: [named-entity-recognition, relation-extraction, conflict]
---
# $name

Reads Arabic reports of violence: $entities, and the relations $relations between them.
Made by marsad $version on the encoder `$encoder`.

## Use

```python
from marsad import Predictor

predictor = Predictor.from_pretrained("path/to/this/folder")
document = predictor.predict("نص التقرير")
```

## Training

| split | articles | words | entities | relations |
| --- | --- | --- | --- | --- |
$splits

Settings: see `config.yaml` in the run folder; encoder learning rate $rate, heads $head_rate, $length at most,
windows of $max_pieces pieces overlapping by $overlap, seed $seed.

## Scores

Micro, in percent, on articles held out from training. The best state of training was chosen on dev, so dev flatters.

| split | what | precision | recall | F1 | support |
| --- | --- | --- | --- | --- | --- |
$scores

Rules: $rules.

Strict F1 of systems that learn next to nothing from the same articles, joined by nearest pairs:

| split | baseline | entities | relations_strict |
| --- | --- | --- | --- |
$baselines

## Limits

The scores are those of articles like the ones above and fall on other sources, countries and times. The model reads
what a report says; it does not know whether it is true. $scores_are A person must check the sentence each incident was
read from before anyone acts on it.
"""
)

_CALIBRATED = """Scores beside mentions and relations are
probabilities as far as the dev articles could teach them: the share of such reports that were right there."""
_NOT_CALIBRATED = """Scores beside mentions and relations are
the network's own and no probabilities (`marsad calibrate` makes them so)."""


def model_card(
    config: Config,
    folder: ModelFolder,
    splits: Mapping[str, Sequence[Document]],
    reports: Mapping[str, Report],
    *,
    calibrated: bool,
) -> str:
    """Return the card of a trained model as Markdown; `calibrated` says whether its scores were fitted on dev."""
    training = config.training
    return _TEMPLATE.substitute(
        name=config.output.name,
        version=marsad.__version__,
        encoder=folder.settings.encoder,
        entities=", ".join(folder.schema.entity_types),
        relations=", ".join(folder.schema.relation_types) or "(none)",
        splits="\n".join(_split_row(name, documents) for name, documents in splits.items()),
        rate=training.get("learning_rate", "default"),
        head_rate=config.heads.learning_rate,
        length=_length(training),
        max_pieces=config.encoder.max_pieces,
        overlap=config.encoder.overlap,
        seed=training.get("seed", 42),
        scores="\n".join(_score_rows(reports)),
        scores_are=_CALIBRATED if calibrated else _NOT_CALIBRATED,
        baselines="\n".join(_baseline_rows(reports)),
        rules="; ".join(f"{name}: {rule}" for name, rule in RULES.items()),
    )


def _length(training: Mapping[str, Any]) -> str:
    """Return how long a run learns: updates, where the config counts them, overrule epochs."""
    updates = training.get("max_steps", -1)
    if updates > 0:
        return f"{updates} updates"
    return f"{training.get('num_train_epochs', 'the default number of')} epochs"


def _split_row(name: str, documents: Sequence[Document]) -> str:
    words = sum(len(document.words) for document in documents)
    entities = sum(len(document.entities) for document in documents)
    relations = sum(len(document.relations) for document in documents)
    return f"| {name} | {len(documents)} | {words} | {entities} | {relations} |"


def _score_rows(reports: Mapping[str, Report]) -> list[str]:
    rows = []
    for split, report in reports.items():
        for name, table in report.tables.items():
            score = table.micro
            figures = " | ".join(f"{100 * figure:.1f}" for figure in (score.precision, score.recall, score.f1))
            rows.append(f"| {split} | {name} | {figures} | {score.support} |")
    return rows


def _baseline_rows(reports: Mapping[str, Report]) -> list[str]:
    return [
        f"| {split} | {name} | {100 * each.entities.micro.f1:.1f} | {100 * each.relations_strict.micro.f1:.1f} |"
        for split, report in reports.items()
        for name, each in report.baselines.items()
    ]
