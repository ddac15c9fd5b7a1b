"""A report as text: one table a rule, the rule beside the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marsad.evaluation.metrics import RULES, Report, Score, Table

_TITLES = {
    "entities": "Entities",
    "relations_strict": "Relations, strict",
    "relations_boundaries": "Relations, boundaries",
    "relations_gold_entities": "Relations with gold entities",
    "events": "Events",
}


def format_report(report: Report) -> str:
    """Return the tables of a report; figures in percent, as the field prints them."""
    lines = [f"{report.num_documents} documents, {report.num_words} words", ""]
    for name, table in report.tables.items():
        lines += [*_table(_TITLES[name], RULES[name], table), ""]
    lines += [f"Note: {note}." for note in report.notes]
    return "\n".join(lines).rstrip()


def _table(title: str, rule: str, table: Table) -> Iterator[str]:
    yield f"{title} (right: {rule})"
    yield f"  {'':<18}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>10}"
    for name, score in [*table.by_type.items(), ("all (micro)", table.micro)]:
        yield _row(name, score)


def _row(name: str, score: Score) -> str:
    figures: Iterable[float] = (score.precision, score.recall, score.f1)
    return f"  {name:<18}{''.join(f'{100 * figure:>10.1f}' for figure in figures)}{score.support:>10}"
