"""Prediction into files: results are written as they come, and a run that was stopped can be taken up again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.formats import conllup, csv, jsonl, parquet
from marsad.formats.conllup.rows import COLUMNS
from marsad.formats.problems import Problem
from marsad.inference.predictor import Predictor

OUTPUTS = (jsonl.SUFFIX, conllup.SUFFIX, csv.SUFFIX, parquet.SUFFIX)


class ProblemLog(list[Problem]):
    """Problems in the order found, each written at once as a line of JSON to a file that exists only if need be."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self.path = path
        if path is not None:
            path.unlink(missing_ok=True)

    def append(self, problem: Problem) -> None:
        """Note a problem."""
        self.extend([problem])

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several."""
        found = list(problems)
        super().extend(found)
        if self.path is not None and found:
            with self.path.open("a", encoding="utf-8") as file:
                for each in found:
                    record = {"path": each.path, "line": each.line, "problem": each.message}
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")


def output_suffix(output: Path | None, wanted: str | None) -> str:
    """Return the format to write: the one asked for, else the ending of `output`, else JSON lines."""
    suffix = f".{wanted}" if wanted else jsonl.SUFFIX if output is None else output.suffix
    if suffix not in OUTPUTS:
        raise MarsadError(f"{output}: ends in none of {', '.join(OUTPUTS)}: say which with --format")
    if suffix == parquet.SUFFIX and output is None:
        raise MarsadError("Parquet is no text and cannot go to standard output: name a file with --output")
    return suffix


def predict_files(
    predictor: Predictor,
    documents: Iterable[Document],
    output: Path | None,
    suffix: str,
    problems: list[Problem],
    *,
    resume: bool = False,
    seen: Callable[[], object] = lambda: None,
) -> int:
    """Predict on `documents` and write them to `output` (standard output where None); return how many are in it.

    A document that cannot be predicted, or that the format cannot hold, is noted in `problems` and costs only itself;
    `seen` is called after each. Until it is whole the output is called `.NAME.partial`. JSON lines that a run left
    there are kept: `resume` goes on after them with the same inputs, and without it `MarsadError` is raised.
    """
    if resume and (output is None or suffix != jsonl.SUFFIX):
        raise MarsadError("--resume goes on with JSON lines in a file: choose an --output that ends in .jsonl")
    if output is None:
        return _write(predictor, documents, _TextSink(sys.stdout, suffix, predictor), problems, seen)
    # Beside its place until it is whole: the output may be one of the inputs, or replace an older one.
    partial = output.with_name(f".{output.name}.partial")
    kept: list[str] = []
    if partial.exists() and suffix == jsonl.SUFFIX:
        if not resume:
            raise MarsadError(f"{partial} was left by a run that was stopped: go on with --resume, or remove it")
        kept = _cut_to_whole_lines(partial)
    elif resume and output.exists():
        raise MarsadError(f"{output} is whole: there is nothing to go on with")
    try:
        count = _write_file(
            predictor, _not_in(kept, documents, partial, problems, seen), partial, suffix, problems, seen
        )
        partial.replace(output)
    except OSError as error:
        raise MarsadError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        if suffix != jsonl.SUFFIX or (partial.exists() and not partial.stat().st_size):
            partial.unlink(missing_ok=True)
    return count + len(kept)


def _cut_to_whole_lines(partial: Path) -> list[str]:
    """Cut off a last line that was not written to its end; return the ids of the documents before it."""
    ids, whole = [], 0
    with partial.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            ids.append(str(json.loads(line)["id"]))
            whole += len(line)
        file.truncate(whole)
    return ids


def _not_in(
    kept: Sequence[str],
    documents: Iterable[Document],
    partial: Path,
    problems: list[Problem],
    seen: Callable[[], object],
) -> Iterator[Document]:
    """Yield the documents after those with the ids `kept`, which were written in the order of the inputs."""
    number = 0
    for document in documents:
        if number == len(kept):
            yield document
            continue
        if document.id == kept[number]:
            number += 1
        else:
            problems.append(Problem("<output>", 0, f"document {document.id!r} was left out by the run before"))
        seen()
    if number < len(kept):
        raise MarsadError(f"{partial} holds {kept[number]!r}, the inputs do not: give the same ones, or remove it")


class _TextSink:
    """Writes documents in a text format to an open file."""

    def __init__(self, file: IO[str], suffix: str, predictor: Predictor, *, header: bool = True) -> None:
        self._file, self._suffix, self._roles = file, suffix, predictor.schema.event_roles
        if suffix == csv.SUFFIX and header:
            file.write(csv.header(self._roles))
        elif suffix == conllup.SUFFIX and header:
            file.write(f"# global.columns = {' '.join(COLUMNS)}\n")

    def write(self, document: Document) -> None:
        """Write a document; raises `AnnotationError` for one that the format cannot hold."""
        if self._suffix == csv.SUFFIX:
            self._file.write(csv.format_document(document, self._roles))
        elif self._suffix == conllup.SUFFIX:
            self._file.write(conllup.format_document(document))
        else:
            self._file.write(jsonl.format_document(document))


def _write_file(
    predictor: Predictor,
    documents: Iterable[Document],
    partial: Path,
    suffix: str,
    problems: list[Problem],
    seen: Callable[[], object],
) -> int:
    if suffix == parquet.SUFFIX:
        with parquet.Writer(partial) as writer:
            return _write(predictor, documents, writer, problems, seen)
    # The mark at the start makes spreadsheets read Arabic rightly.
    encoding = "utf-8-sig" if suffix == csv.SUFFIX else "utf-8"
    with partial.open("a" if suffix == jsonl.SUFFIX else "w", encoding=encoding, newline="") as file:
        return _write(predictor, documents, _TextSink(file, suffix, predictor), problems, seen)


def _write(
    predictor: Predictor,
    documents: Iterable[Document],
    sink: _TextSink | parquet.Writer,
    problems: list[Problem],
    seen: Callable[[], object],
) -> int:
    def failed(document: Document, error: Exception) -> None:
        message = f"document {document.id!r} could not be predicted ({type(error).__name__}): {error}"
        problems.append(Problem("<output>", 0, message))
        seen()

    count = 0
    for document in predictor.stream(documents, failed=failed):
        try:
            sink.write(document)
        except AnnotationError as error:
            problems.append(Problem("<output>", 0, str(error)))
        else:
            count += 1
        seen()
    return count
