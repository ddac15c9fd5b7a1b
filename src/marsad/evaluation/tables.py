"""A report as text: one table a rule, the rule and the 95 % interval beside the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from marsad.documents import Document
from marsad.evaluation.bootstrap import MICRO, Difference, Interval, compare, intervals
from marsad.evaluation.calibration import Reliability
from marsad.evaluation.cutoffs import FEWEST, NEVER, Cutoff
from marsad.evaluation.scores import RULES, Report, Score, Table
from marsad.evaluation.slices import LENGTH, slices
from marsad.evaluation.suggest import Suggestion

TITLES = {
    "entities": "Entities",
    "relations_strict": "Relations, strict",
    "relations_boundaries": "Relations, boundaries",
    "relations_by_distance": "Relations, strict, by distance",
    "relations_gold_entities": "Relations with gold entities",
    "events": "Events",
}
# What a line about a whole system holds; the rest is in the tables by type.
HEADLINES = ("entities", "relations_strict", "relations_gold_entities", "events")


def format_report(report: Report, by: Sequence[str] = ()) -> str:
    """Return the tables of a report, for each key in `by` one of its slices, and baselines; figures in percent."""
    lines = [
        f"{report.num_documents} documents, {report.num_words} words",
        "F1 with its 95 % interval (bootstrap over documents)",
        "",
    ]
    for rule, table in report.tables.items():
        lines += [*_table(TITLES[rule], RULES[rule], table, intervals(report, rule)), ""]
    for key in by:
        lines += [*_slices(report, key), ""]
    if report.baselines:
        lines += [*_baselines(report), ""]
    lines += [f"Note: {note}." for note in report.notes]
    return "\n".join(lines).rstrip()


def format_comparison(differences: Mapping[str, Difference], systems: Sequence[tuple[str, int]]) -> str:
    """Return a line a rule: F1 of A and B, the difference and its interval, and how many documents changed.

    `systems` names A and B and says how many runs each has.
    """
    lines = [
        f"{letter}: {name} ({runs} {'run' if runs == 1 else 'runs'})"
        for letter, (name, runs) in zip("AB", systems, strict=True)
    ]
    lines += ["", f"  {'':<34}{'A':>8}{'B':>8}{'B - A':>8}  {'95 %':<16}{'p':>6}  documents better, worse, same"]
    for rule, each in differences.items():
        figures = "".join(f"{100 * value:>8.1f}" for value in (each.first, each.second, each.difference))
        between = " to ".join(f"{100 * end:+.1f}" for end in each.interval)
        documents = f"{each.better}, {each.worse}, {each.same}"
        lines.append(f"  {TITLES[rule]:<34}{figures}  {between:<16}{each.p:>6.3f}  {documents}")
    return "\n".join(lines)


def baseline_gaps(report: Report) -> Mapping[str, Mapping[str, Difference]]:
    """Return, by baseline and by rule of `HEADLINES`, what a report has over its baselines."""
    rules = [rule for rule in HEADLINES if rule in report.types]
    return {
        name: {rule: compare([baseline], [report], rule) for rule in rules}
        for name, baseline in report.baselines.items()
    }


def _table(title: str, rule: str, table: Table, between: Mapping[str, Interval]) -> Iterator[str]:
    yield f"{title} (right: {rule})"
    yield f"  {'':<18}{'precision':>10}{'recall':>10}{'F1':>10}  {'95 %':<11}{'support':>10}"
    for name, score in [*table.by_type.items(), (MICRO, table.micro)]:
        yield _row(name, score, between[name])


def _row(name: str, score: Score, between: Interval) -> str:
    figures = "".join(f"{100 * figure:>10.1f}" for figure in (score.precision, score.recall, score.f1))
    return f"  {name:<18}{figures}  {_between(between):<11}{score.support:>10}"


def _between(interval: Interval) -> str:
    return "–".join(f"{100 * each:.1f}" for each in interval)


def _slices(report: Report, key: str) -> Iterator[str]:
    rules = [rule for rule in HEADLINES if rule in report.types]
    yield f"By {'words in a document' if key == LENGTH else key} (F1 and support)"
    yield f"  {'':<24}{'documents':>10}" + "".join(f"{TITLES[rule]:>30}" for rule in rules)
    for name, part in slices(report, key).items():
        cells = [f"{100 * part.tables[rule].micro.f1:.1f} ({part.tables[rule].micro.support})" for rule in rules]
        yield f"  {name:<24}{part.num_documents:>10}" + "".join(f"{cell:>30}" for cell in cells)


def format_reliability(stages: Mapping[str, Mapping[str, Reliability]]) -> str:
    """Return a line for each kind of score at each stage, as "before" and "after" a calibration."""
    names = {"entities": "entities", "relations": "relations", "relations_gold_entities": "relations, given entities"}
    lines = [f"  {'':<34}{'items':>8}{'ECE':>8}{'by chance':>12}{'at most':>9}{'Brier':>8}{'AUROC':>8}"]
    for name, title in names.items():
        for when, kinds in stages.items():
            each = kinds[name]
            figures = f"{each.ece:>8.3f}{each.floor:>12.3f}{each.ceiling:>9.3f}{each.brier:>8.3f}{each.auroc:>8.3f}"
            label = f"{title}, {when}" if when else title
            lines.append(f"  {label:<34}{each.num_items:>8}{figures if each.num_items else '       –'}")
    lines.append("by chance, at most: mean and 95 % quantile of the ECE that perfectly calibrated scores would show")
    return "\n".join(lines)


def format_cutoffs(found: Mapping[str, Cutoff], precision: float) -> str:
    """Return a line for each relation type: its threshold, and what precision and recall it had."""
    lines = [
        f"Thresholds for a precision of {100 * precision:g} %; strict precision and recall, in percent, of thresholds",
        "chosen so on the other articles",
    ]
    lines.append(f"  {'':<24}{'threshold':>10}{'precision':>11}{'recall':>8}{'reported':>10}")
    for name, each in found.items():
        if each.threshold == NEVER:
            lines.append(f"  {name:<24}  never reported: nothing reaches it on {FEWEST} items or more")
            continue
        figures = f"{each.threshold:>10.4f}{100 * each.precision:>11.1f}{100 * each.recall:>8.1f}{each.num_items:>10}"
        lines.append(f"  {name:<24}{figures}")
    return "\n".join(lines)


def format_suggestions(chosen: Sequence[Suggestion], reports: Sequence[Document]) -> str:
    """Return a line a report to annotate: what it is worth, its length, its likeness to others, what is unsure."""
    lines = [f"{'':>4}  {'worth':>6}  {'words':>6}  {'like':>5}  report, and mentions and relations in doubt"]
    for number, each in enumerate(chosen, start=1):
        report = reports[each.position]
        unsure = ", ".join(f"{name} {count}" for name, count in Counter(each.unsure).most_common())
        lines.append(
            f"{number:>4}  {each.worth:>6.3f}  {len(report.words):>6}  {each.likeness:>5.2f}  {report.id}: {unsure}"
        )
    lines.append("worth: doubt a word, in bits, rare types weighted up")
    lines.append("like: likeness to what is annotated or stands above, 0 to 1")
    return "\n".join(lines)


def _baselines(report: Report) -> Iterator[str]:
    found = baseline_gaps(report)
    rules = next(iter(found.values()))
    yield "Baselines (F1; in brackets what the model has over it, 95 % interval by paired bootstrap)"
    yield f"  {'':<24}" + "".join(f"{TITLES[rule]:>30}" for rule in rules)
    for name, gaps in found.items():
        cells = []
        for gap in gaps.values():
            low, high = gap.interval
            cells.append(f"{100 * gap.first:.1f} ({100 * gap.difference:+.1f}: {100 * low:+.1f} to {100 * high:+.1f})")
        yield f"  {name:<24}" + "".join(f"{cell:>30}" for cell in cells)
