"""Prediction from files to files: inputs read one after the other, results written as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from marsad import formats
from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.formats import conllup, csv, jsonl, text
from marsad.formats.conllup.rows import COLUMNS
from marsad.formats.problems import Problem, Problems, decode
from marsad.inference.predictor import Predictor

STANDARD_INPUT = "-"
INPUTS = (text.SUFFIX, jsonl.SUFFIX, conllup.SUFFIX)
OUTPUTS = (jsonl.SUFFIX, conllup.SUFFIX, csv.SUFFIX)


def output_suffix(output: Path | None, wanted: str | None) -> str:
    """Return the format to write: the one asked for, else the ending of `output`, else JSON lines."""
    if wanted:
        return f".{wanted}"
    if output is None:
        return jsonl.SUFFIX
    if output.suffix not in OUTPUTS:
        raise MarsadError(f"{output}: ends in none of {', '.join(OUTPUTS)}: say which with --format")
    return output.suffix


def read_inputs(
    inputs: Iterable[str], input_format: str, problems: list[Problem], output: Path | None = None
) -> Iterator[Document]:
    """Yield the documents of files, of folders, and of standard input (`-`), whose format is `input_format`.

    A file or line that cannot be read is noted in `problems` and costs only itself. Raises `MarsadError` at once for a
    path that does not exist, a file of another format, or one that is also the `output`.
    """
    paths = [each if each == STANDARD_INPUT else list(formats.find_files([each], INPUTS)) for each in inputs]
    for path in (path for each in paths if not isinstance(each, str) for path in each):
        if path.suffix not in INPUTS:
            raise MarsadError(f"{path}: ends in none of {', '.join(INPUTS)}: convert or rename it")
        if output is not None and output.exists() and path.samefile(output):
            raise MarsadError(f"{output} is an input too: predictions would replace it, choose another output")
    return _read(paths, input_format, problems)


def _read(paths: Iterable[str | list[Path]], input_format: str, problems: list[Problem]) -> Iterator[Document]:
    for each in paths:
        if isinstance(each, str):
            yield from _read_stdin(input_format, problems)
            continue
        for path in each:
            yield from formats.read(path, problems=problems)


def _read_stdin(input_format: str, problems: list[Problem]) -> Iterator[Document]:
    report = Problems(Path("<stdin>"))
    if input_format == "jsonl":
        numbered = enumerate(sys.stdin.buffer, start=1)
        yield from jsonl.read_lines(
            (decode(line, report, first_line=number) or "" for number, line in numbered), report
        )
    else:
        content = decode(sys.stdin.buffer.read(), report)
        if content is not None:
            yield from [text.from_text(content, "stdin")] if input_format == "txt" else conllup.loads(content, report)
    problems.extend(report.found)


def predict_files(
    predictor: Predictor, documents: Iterable[Document], output: Path | None, suffix: str, problems: list[Problem]
) -> int:
    """Predict on `documents` and write them to `output` (standard output where None); return how many were written.

    A document that the format cannot hold is noted in `problems` and costs only itself.
    """
    if output is None:
        return _write(predictor, documents, sys.stdout, suffix, problems)
    # The mark at the start makes spreadsheets read Arabic rightly.
    encoding = "utf-8-sig" if suffix == csv.SUFFIX else "utf-8"
    # Beside its place until it is whole: the output may be one of the inputs, or replace an older one.
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("w", encoding=encoding, newline="") as file:
            count = _write(predictor, documents, file, suffix, problems)
        partial.replace(output)
    except OSError as error:
        raise MarsadError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _write(
    predictor: Predictor, documents: Iterable[Document], file: TextIO, suffix: str, problems: list[Problem]
) -> int:
    roles = predictor.schema.event_roles
    if suffix == csv.SUFFIX:
        file.write(csv.header(roles))
    elif suffix == conllup.SUFFIX:
        file.write(f"# global.columns = {' '.join(COLUMNS)}\n")
    count = 0
    for document in predictor.stream(documents):
        try:
            file.write(_format(document, suffix, roles))
        except AnnotationError as error:
            problems.append(Problem("<output>", 0, str(error)))
        else:
            count += 1
    return count


def _format(document: Document, suffix: str, roles: Sequence[str]) -> str:
    if suffix == csv.SUFFIX:
        return csv.format_document(document, roles)
    return conllup.format_document(document) if suffix == conllup.SUFFIX else jsonl.format_document(document)
