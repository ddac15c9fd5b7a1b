"""The application that the verbs of the `marsad` command belong to, and what several of them share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marsad.errors import MarsadError

if TYPE_CHECKING:
    from marsad.config import DataSection
    from marsad.documents import Document
    from marsad.evaluation.scores import Report
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

Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="Files or folders of annotated articles.")]
SchemaOption = Annotated[
    Path | None, typer.Option("--schema", help="Schema file; configs/schema.yaml, or else the one in the package.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


def read_schema(path: Path | None) -> Schema:
    """Return the schema of a file; of configs/schema.yaml, or else of the package, where none is given."""
    from marsad.schema import Schema

    if path is None and not DEFAULT_SCHEMA.is_file():
        return Schema.default()
    return Schema.from_file(path or DEFAULT_SCHEMA)


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Say which extra to install where an import fails."""
    try:
        yield
    except ImportError as error:
        raise MarsadError(f"{error.name} is not installed: pip install 'marsad[{extra}]'") from error


def counted(number: int, noun: str) -> str:
    """Return "1 file", "2 files"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_json(content: object) -> None:
    """Print one JSON object, Arabic left readable."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[], None]]:
    """Show on a terminal how many documents are done, how fast, and how long the rest takes; nothing elsewhere.

    What is yielded is to be called after each document. `total` is about how many there are; None shows nothing.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if total is None or not console.is_terminal:
        yield lambda: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def print_problems(problems: list[Problem]) -> None:
    """Print problems on standard error, a line each."""
    for problem in problems:
        typer.echo(str(problem), err=True)


def trained_on(model: Path, option: str) -> DataSection:
    """Return the articles of the run that a model folder lies in; `option` is what names articles where it is none."""
    from marsad.config import Config

    file = model.resolve().parent / "config.yaml"
    if not file.is_file():
        raise MarsadError(f"{file} is not there to say what {model} was trained on: name the articles with {option}")
    return Config.from_file(file).data


def holds_dev(model: Path, data: Sequence[Path]) -> bool:
    """Tell whether dev articles of the run that a model folder lies in are among `data`; no where it lies in none."""
    try:
        dev = [each.resolve() for each in trained_on(model, "").dev]
    except MarsadError:
        return False
    given = [each.resolve() for each in data]
    return any(a == b or a in b.parents or b in a.parents for a in given for b in dev)


def baselines_for(
    model: Path,
    schema: Schema,
    gold: Sequence[Document],
    names: Sequence[str] | None = None,
    train: Sequence[Path] | None = None,
    *,
    device: str = "auto",
) -> Callable[[Report, Sequence[Document]], Report]:
    """Return what puts baselines beside a report, given what was predicted.

    They learn from `train`, else from the articles that the model was trained on. Where that cannot be and neither
    `names` nor `train` ask for it, the report gets a note that says why, in their place.
    """
    from marsad import formats
    from marsad.evaluation.scoring import BASELINES, check_baselines, with_baselines
    from marsad.inference.predictor import check_types

    check_baselines(names or ())
    try:
        learnt_from = formats.read_all(train or trained_on(model, "--train").train)
        check_types(learnt_from, schema, relations=True)
    except MarsadError as error:
        if names or train:
            raise
        note = f"no baselines beside it: {str(error).splitlines()[0]}"
        return lambda report, _: replace(report, notes=(*report.notes, note))
    return lambda report, predicted: with_baselines(
        report, gold, predicted, learnt_from, schema, names or BASELINES, device=device
    )
