"""The documents of files, folders, patterns and standard input, one after the other. No torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path

from marsad import formats
from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.formats import conllup, jsonl, parquet, text
from marsad.formats.problems import Problem, Problems, decode

STANDARD_INPUT = "-"
INPUTS = (text.SUFFIX, jsonl.SUFFIX, conllup.SUFFIX, parquet.SUFFIX)
_STREAMS: dict[str, Callable[[Path, Problems], Iterator[Document]]] = {
    jsonl.SUFFIX: jsonl.stream,
    parquet.SUFFIX: parquet.stream,
}


def find_inputs(inputs: Iterable[str], output: Path | None = None) -> list[str | Path]:
    """Return the files of files, folders and patterns (`reports/**/*.txt`) in their order; `-` stays as it is.

    Raises `MarsadError` for a path that does not exist, a file of another format, or one that is also the `output`.
    """
    found: list[str | Path] = []
    for each in inputs:
        if each == STANDARD_INPUT:
            found.append(each)
            continue
        found += formats.find_files(_matched(each), INPUTS)
    for path in found:
        if isinstance(path, str):
            continue
        if path.suffix not in INPUTS:
            raise MarsadError(f"{path}: ends in none of {', '.join(INPUTS)}: convert or rename it")
        if output is not None and output.exists() and path.samefile(output):
            raise MarsadError(f"{output} is an input too: predictions would replace it, choose another output")
    return found


def _matched(path: str) -> list[str]:
    """Return what a pattern stands for; a path that is there stands for itself."""
    if not has_magic(path) or Path(path).exists():
        return [path]
    matched = sorted(glob(path, recursive=True))  # noqa: PTH207  (that of Path takes no absolute pattern)
    if not matched:
        raise MarsadError(f"{path} matches no file: are the quotes and the folder right?")
    return matched


def count_documents(paths: Sequence[str | Path]) -> int | None:
    """Return about how many documents files hold, without reading them through; None where standard input is one."""
    if STANDARD_INPUT in paths:
        return None
    return sum(_count(path) for path in map(Path, paths))


def _count(path: Path) -> int:
    if path.suffix == parquet.SUFFIX:
        return parquet.count(path)
    if path.suffix == text.SUFFIX:
        return 1
    start = b"{" if path.suffix == jsonl.SUFFIX else b"# newdoc"
    with path.open("rb") as file:
        return sum(line.lstrip().startswith(start) for line in file)


def read_inputs(
    inputs: Iterable[str], input_format: str, problems: list[Problem], output: Path | None = None
) -> Iterator[Document]:
    """Yield the documents of files, folders and patterns, and of standard input (`-`), whose format is `input_format`.

    JSON lines and Parquet are read as they are wanted. A file, line or row that cannot be read is noted in `problems`
    and costs only itself. Raises `MarsadError` at once, as `find_inputs`.
    """
    return read_files(find_inputs(inputs, output), input_format, problems)


def read_files(paths: Iterable[str | Path], input_format: str, problems: list[Problem]) -> Iterator[Document]:
    """Yield the documents of what `find_inputs` returned."""
    for path in paths:
        if isinstance(path, str):
            yield from _read_stdin(input_format, problems)
        elif path.suffix in _STREAMS:
            report = Problems(path)
            yield from _noting(_STREAMS[path.suffix](path, report), report, problems)
        else:
            yield from formats.read(path, problems=problems)


def _noting(documents: Iterable[Document], report: Problems, problems: list[Problem]) -> Iterator[Document]:
    """Yield documents; what their reader reports is noted as it comes."""
    for document in documents:
        problems.extend(report.found)
        report.found.clear()
        yield document
    problems.extend(report.found)


def _read_stdin(input_format: str, problems: list[Problem]) -> Iterator[Document]:
    report = Problems(Path("<stdin>"))
    if input_format == "jsonl":
        numbered = enumerate(sys.stdin.buffer, start=1)
        lines = (decode(line, report, first_line=number) or "" for number, line in numbered)
        yield from _noting(jsonl.read_lines(lines, report), report, problems)
        return
    content = decode(sys.stdin.buffer.read(), report)
    if content is not None:
        yield from [text.from_text(content, "stdin")] if input_format == "txt" else conllup.loads(content, report)
    problems.extend(report.found)
