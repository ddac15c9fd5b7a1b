"""A report as one HTML page that opens offline: scores, curves, confusions, and every article with its mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import marsad
from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.evaluation.bootstrap import MICRO, intervals
from marsad.evaluation.calibration import Outcome, bins, reliability
from marsad.evaluation.errors import ENTITY_KINDS, RELATION_KINDS, confusion
from marsad.evaluation.page.articles import Article, article
from marsad.evaluation.page.charts import line_chart, reliability_chart
from marsad.evaluation.scores import RULES, Report
from marsad.evaluation.tables import HEADLINES, TITLES, baseline_gaps
from marsad.schema import Schema

KINDS = {
    **{f"entity-{kind}": f"entity: {kind.replace('_', ' ')}" for kind in ENTITY_KINDS},
    **{f"relation-{kind}": f"relation: {kind.replace('_', ' ')}" for kind in RELATION_KINDS},
}
_PALETTE = ("#cfe3f7", "#d7efd2", "#fbe3b5", "#f5cdcd", "#e0d4f0", "#f7d7ea", "#d2eeee", "#e6e2d3")


def render(
    title: str,
    gold: Sequence[Document],
    predicted: Sequence[Document],
    report: Report,
    schema: Schema,
    *,
    outcomes: Mapping[str, Sequence[Outcome]],
    history: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the page on predicted documents and the gold ones they were scored on, in the same order.

    `outcomes` are the reported items with the scores that users see (`calibration.outcomes`), `history` the log of the
    training run. Raises `MarsadError` where jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MarsadError("jinja2 is not installed: pip install 'marsad[train]'") from error
    environment = Environment(
        loader=PackageLoader("marsad.evaluation.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = zip(gold, predicted, report.documents, strict=True)
    found = [article(*row, schema, number) for number, row in enumerate(rows)]
    return environment.get_template("page.html.jinja").render(
        title=title,
        version=marsad.__version__,
        report=report,
        tables=_tables(report),
        baselines=baseline_gaps(report),
        headlines=[TITLES[rule] for rule in HEADLINES if rule in report.types],
        charts=_training_charts(history),
        reliability=_reliability(outcomes),
        confusion=_confusion(gold, predicted, schema),
        kinds=_kinds(found),
        articles=sorted(found, key=lambda each: (-each.num_mistakes, each.f1)),
        colours=_colours(schema),
        numbers={name: number for number, name in enumerate(schema.entity_types)},
        percent=lambda value: "–" if value is None else f"{100 * value:.1f}",
        style=_asset("page.css"),
        script=_asset("page.js"),
    )


def _asset(name: str) -> str:
    return (files("marsad.evaluation.page") / name).read_text(encoding="utf-8")


def _tables(report: Report) -> list[dict[str, Any]]:
    tables = []
    for rule, table in report.tables.items():
        between = intervals(report, rule)
        rows = [*table.by_type.items(), (MICRO, table.micro)]
        tables.append(
            {
                "title": TITLES[rule],
                "rule": RULES[rule],
                "rows": [{"name": name, "score": score, "interval": between[name]} for name, score in rows],
            }
        )
    return tables


def _training_charts(history: Sequence[Mapping[str, Any]]) -> list[str]:
    losses = {
        name: [(float(each["step"]), float(each[key])) for each in history if key in each and "step" in each]
        for name, key in (("tags", "tag_loss"), ("relations", "relation_loss"))
    }
    scores = {
        name: [(float(each["step"]), float(each[key])) for each in history if key in each and "step" in each]
        for name, key in (("entities", "eval_entities"), ("relations, strict", "eval_relations_strict"))
    }
    return [
        chart
        for chart in (
            line_chart(losses, x_title="update", y_title="training loss"),
            line_chart(scores, x_title="update", y_title="F1 on dev", top=1.0),
        )
        if chart
    ]


def _reliability(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    names = {name: name.replace("_", " ") for name, items in outcomes.items() if items}
    return {
        "chart": reliability_chart({title: bins(outcomes[name]) for name, title in names.items()}),
        "rows": {title: reliability(outcomes[name]) for name, title in names.items()},
    }


def _confusion(gold: Sequence[Document], predicted: Sequence[Document], schema: Schema) -> dict[str, Any]:
    counts = confusion(zip(gold, predicted, strict=True))
    names = [*schema.entity_types, ""]
    return {"names": names, "rows": [(name, [counts.get((name, other), 0) for other in names]) for name in names]}


def _kinds(found: Sequence[Article]) -> list[tuple[str, str, int, int]]:
    """Return (kind, title, number of mistakes, number of articles with one) of each kind there is."""
    rows = []
    for kind, title in KINDS.items():
        counts = [each.kinds[kind] for each in found if kind in each.kinds]
        if counts:
            rows.append((kind, title, sum(counts), len(counts)))
    return rows


def _colours(schema: Schema) -> dict[str, str]:
    return {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(schema.entity_types)}
