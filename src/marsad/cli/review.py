"""Verbs that show a person what a model does: where it errs, and what to annotate next."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marsad.cli.app import JsonOption, app, baselines_for, counted, print_json, print_problems, trained_on
from marsad.errors import MarsadError

if TYPE_CHECKING:
    from marsad.formats.problems import Problem

PAGE = "report.html"
DRAFTS = (".conllup", ".jsonl")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, as training left it.")],
    data: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DATA...]", help="Annotated articles; the run's test articles, or else its dev."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the page goes; RUN/report.html where not said.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Write one HTML page, readable offline: scores, curves, and each article with its mistakes, worst first."""
    from marsad import formats
    from marsad.config import Config
    from marsad.evaluation import calibration, page
    from marsad.evaluation.runs import read_history
    from marsad.evaluation.scoring import score_predictions
    from marsad.inference.predictor import Predictor

    config = Config.from_file(_file(run, "config.yaml"))
    paths = data or config.data.test or config.data.dev
    gold = formats.read_all(paths)
    predictor = Predictor.from_pretrained(run / "model", device=device)
    add = baselines_for(run / "model", predictor.schema, gold, device=device)
    found, predicted, on_gold = score_predictions(predictor, gold)
    if not data and not config.data.test:
        note = "these are the dev articles, by which the model was chosen and its scores were fitted: figures flatter"
        found = replace(found, notes=(*found.notes, note))
    found = add(found, predicted)
    text = page.render(
        f"{run}: {', '.join(map(str, paths))}",
        gold,
        predicted,
        found,
        predictor.schema,
        outcomes=calibration.outcomes(gold, predicted, on_gold),
        history=read_history(run),
    )
    file = output or run / PAGE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    typer.echo(f"{len(gold)} articles in {file}", err=True)


@app.command()
def suggest(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    pool: Annotated[
        list[Path], typer.Argument(metavar="POOL...", help="Reports not annotated yet: .txt, .jsonl, folders of them.")
    ],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many reports.")] = 20,
    annotated: Annotated[
        list[Path] | None,
        typer.Option("--annotated", metavar="DATA", help="What is annotated already; the model's training articles."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write them there (.conllup, .jsonl), best first, with what the model found: drafts to correct.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Say which reports to annotate next: those the model is least sure of, unlike each other, rich in rare types."""
    from marsad import formats
    from marsad.evaluation.scoring import LEAST_SCORE
    from marsad.evaluation.suggest import new_reports, rank
    from marsad.evaluation.tables import format_suggestions
    from marsad.inference.files import predict_files
    from marsad.inference.inputs import read_inputs
    from marsad.inference.predictor import Predictor

    if output is not None and output.suffix not in DRAFTS:
        raise MarsadError(f"{output}: drafts are written as {' or '.join(DRAFTS)}")
    problems: list[Problem] = []
    run = None if annotated else trained_on(model, "--annotated")
    known = formats.read_all(run.train if run else annotated or ())
    # The run's dev and test articles must not be trained on.
    others = formats.read_all([*run.dev, *run.test]) if run else []
    found = [each.without_annotations() for each in read_inputs(map(str, pool), "jsonl", problems, output)]
    reports = new_reports(found, [*known, *others])
    if len(reports) < len(found):
        typer.echo(
            f"{counted(len(found) - len(reports), 'report')} left out, annotated already or twice in the pool", err=True
        )
    predictor = Predictor.from_pretrained(model, device=device)
    chosen = rank(predictor.uncalibrated(LEAST_SCORE).predict(reports), known, count)
    if output is not None:
        predict_files(predictor, (reports[each.position] for each in chosen), output, output.suffix, problems)
        typer.echo(f"{len(chosen)} of {len(reports)} reports in {output}", err=True)
    if as_json:
        print_json([{"id": reports[each.position].id, **asdict(each)} for each in chosen])
    else:
        typer.echo(format_suggestions(chosen, reports))
    print_problems(problems)
    if problems:
        raise typer.Exit(1)


def _file(run: Path, name: str) -> Path:
    file = run / name
    if not file.is_file():
        raise MarsadError(f"{file} is not there: give the run folder that training left, not the model folder in it")
    return file
