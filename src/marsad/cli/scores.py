"""Verbs on scores that are there already; no model is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from marsad.cli.app import JsonOption, app, print_json
from marsad.errors import MarsadError

_SYSTEM = "Run folder or file of marsad evaluate --json; several seeds joined by commas."


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A", help=_SYSTEM)],
    second: Annotated[str, typer.Argument(metavar="RUN_B", help=_SYSTEM)],
    split: Annotated[str, typer.Option(help="Which scores of a run folder: test or dev.")] = "test",
    as_json: JsonOption = False,
) -> None:
    """Compare two systems on the same articles: F1, the difference with its interval, how many articles changed."""
    from marsad.evaluation import bootstrap
    from marsad.evaluation.runs import read_reports
    from marsad.evaluation.tables import format_comparison

    a, b = read_reports(first, split), read_reports(second, split)
    rules = [rule for rule in a[0].types if all(rule in report.types for report in (*a, *b))]
    if not rules:
        raise MarsadError("the reports were scored by no rule in common: score both with the same release of marsad")
    found = {rule: bootstrap.compare(a, b, rule) for rule in rules}
    if as_json:
        print_json({rule: difference.to_dict() for rule, difference in found.items()})
    else:
        typer.echo(format_comparison(found, [(first, len(a)), (second, len(b))]))
