"""Compare variants of one recipe on the same encoder, articles, seeds and schedule.

python benchmarks/experiments PLAN [--score NAME=DATA ...] [--only VARIANT ...] [--seeds N ...] [--out FOLDER]

A plan (`*.yaml` here) names the variants and what they are scored on; `--score` adds annotated articles that are not
part of this repository. A run that is finished is not made again, so a plan can be stopped and started, and grow. The
table at the end compares each variant with the first: F1 in percent, means over the seeds, and the difference with its
95 % interval by paired bootstrap over all scored articles, or those of the data that the plan compares on.
"""

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

from plan import Plan
from running import read_record, reports_of, run_variant

from marsad.evaluation.bootstrap import compare
from marsad.evaluation.scores import Report

RULES = {
    "entities": "entities",
    "relations_strict": "strict",
    "relations_gold_entities": "gold ent.",
    "events": "events",
}


def on(plan: Plan, runs: list[dict[str, Report]]) -> list[Report]:
    """Return one report a run, on the documents of all data that a plan compares on."""
    return [pooled([each[data] for data in plan.compared_on or plan.score]) for each in runs]


def pooled(reports: list[Report]) -> Report:
    return Report(tuple(document for each in reports for document in each.documents), reports[0].types)


def table(plan: Plan, records: dict[str, list[dict[str, Any]]]) -> str:
    """Return the results as a Markdown table."""
    reports = {name: [reports_of(each) for each in runs] for name, runs in records.items()}
    first = next(iter(reports))
    # A schema may have no relations, or no events.
    rules = {
        rule: title
        for rule, title in RULES.items()
        if any(each.tables[rule].micro.support for each in reports[first][0].values())
    }
    columns = [f"{data}: {title}" for data in plan.score for title in rules.values()]
    differences = [f"Δ {title}" for title in rules.values()]
    head = ["variant", *columns, *differences, "seeds", "remark"]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name, runs in reports.items():
        cells = [name]
        for data in plan.score:
            cells += [f"{100 * mean(each[data].tables[rule].micro.f1 for each in runs):.1f}" for rule in rules]
        for rule in rules:
            if name == first:
                cells.append("")
                continue
            found = compare(on(plan, reports[first]), on(plan, runs), rule)
            low, high = (100 * end for end in found.interval)
            cells.append(f"{100 * found.difference:+.1f} ({low:+.1f} to {high:+.1f})")
        cells += [str(len(runs)), plan.variants[name].why]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("--score", action="append", default=[], metavar="NAME=DATA", help="score on these too")
    parser.add_argument("--only", nargs="+", help="variants to run; the table has all that are finished")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    plan = Plan.from_file(arguments.plan).scored_on(arguments.score)
    out = arguments.out or Path("runs/experiments") / arguments.plan.stem
    seeds = arguments.seeds or plan.seeds
    wanted = arguments.only or list(plan.variants)
    for seed in seeds:
        for name in wanted:
            run_variant(plan, name, seed, out)
            print(f"{name}, seed {seed}: done", flush=True)
    first = next(iter(plan.variants))
    finished = {name: [read_record(out / f"{name}-seed-{seed}") for seed in seeds] for name in plan.variants}
    records = {name: [each for each in runs if each is not None] for name, runs in finished.items()}
    scored = {
        name: runs
        for name, runs in records.items()
        if runs and all(set(plan.score) <= set(each["reports"]) for each in runs)
    }
    if first not in scored:
        raise SystemExit(f"{first}, with which the others are compared, is not finished: run it too")
    print(f"\n{plan.title}\n\n{table(plan, scored)}")


if __name__ == "__main__":
    main()
