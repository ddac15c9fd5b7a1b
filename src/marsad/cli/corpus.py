"""Verbs that make, check and describe a corpus. Everything heavy is imported when its verb is called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from marsad.cli.app import Data, JsonOption, SchemaOption, app, counted, print_json, read_schema


class ConvertFormat(StrEnum):
    """What `marsad convert` writes."""

    conllup = "conllup"
    marked = "marked"
    conll = "conll"
    jsonl = "jsonl"
    txt = "txt"


# formats.check has it too, and is too heavy to import for --help.
NEAR_DUPLICATE = 0.25
# What files of a format leave out of a document.
_NOT_HELD = {".conll": "relations, metadata and white space", ".txt": "all annotations and metadata"}


@app.command()
def check(
    data: Data,
    near_duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of common word 5-grams above which two articles are one.")
    ] = NEAR_DUPLICATE,
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Validate annotations: every problem as file:line, exit 1 if there are any."""
    from marsad.formats.check import check_files

    num_files, documents, problems = check_files(data, read_schema(schema), near_duplicate=near_duplicate)
    if as_json:
        found = [{"path": each.path, "line": each.line, "message": each.message} for each in problems]
        print_json({"files": num_files, "documents": documents, "problems": found})
    else:
        for problem in problems:
            typer.echo(str(problem))
        counts = (counted(num_files, "file"), counted(documents, "sound document"), counted(len(problems), "problem"))
        typer.echo(", ".join(counts), err=bool(problems))
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
        compared = compare_with(data, profiles, read_schema(schema), by=by)
        print_json([each.to_dict() for each in compared]) if as_json else typer.echo(format_profiles(compared))
        return
    counts = corpus_stats(data, read_schema(schema))
    print_json(counts) if as_json else typer.echo(format_stats(counts))


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
    made = run(inputs, output, suffix=suffix, schema=None if any_types else read_schema(schema), overwrite=overwrite)
    for lost in sorted({_NOT_HELD[each.suffix] for each in made if each.suffix in _NOT_HELD}):
        typer.echo(f"not held by this format, left out: {lost}", err=True)
    typer.echo(str(made[0]) if made == [output] else f"{counted(len(made), 'file')} in {output}", err=True)


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

    comparison = compare_files(first, second, read_schema(schema))
    print_json(comparison.to_dict()) if as_json else typer.echo(format_comparison(comparison, disagreements))


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
    ] = NEAR_DUPLICATE,
    seed: Annotated[int, typer.Option(help="Another seed gives another split.")] = 0,
    schema: SchemaOption = None,
    as_json: JsonOption = False,
) -> None:
    """File articles under train, dev and test of a corpus; those that are there already never move."""
    from marsad.formats.split import format_split, split_files

    filed = split_files(
        inputs,
        corpus,
        {"train": round(1 - dev - test, 9), "dev": dev, "test": test},
        by=[key.strip() for key in by.split(",") if key.strip()],
        seed=seed,
        near_duplicate=near_duplicate,
        schema=read_schema(schema),
    )
    typer.echo(f"{counted(len(filed.files), 'new article')} in {corpus}", err=True)
    print_json(filed.to_dict()) if as_json else typer.echo(format_split(filed))
