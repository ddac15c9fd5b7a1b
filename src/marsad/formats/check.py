"""Checks over many files: all problems of each, and those that only show between files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from marsad import formats
from marsad.documents import Document
from marsad.formats.problems import Problem
from marsad.schema import Schema

SPLITS = ("train", "dev", "test")


def check_files(paths: Iterable[str | Path], schema: Schema) -> tuple[int, int, list[Problem]]:
    """Return the number of files, of sound documents, and every problem in and between the files, by file and line."""
    problems: list[Problem] = []
    documents: list[tuple[Path, Document]] = []
    files = list(dict.fromkeys(formats.find_files(paths)))
    for path in files:
        documents += [(path, document) for document in formats.read(path, schema=schema, problems=problems)]
    problems += _between_files(documents)
    return len(files), len(documents), sorted(problems)


def split_of(path: Path) -> str:
    """Return the split a file belongs to: the nearest folder named train, dev or test, or ""."""
    return next((folder for folder in reversed(path.resolve().parts[:-1]) if folder in SPLITS), "")


def _between_files(documents: Iterable[tuple[Path, Document]]) -> list[Problem]:
    problems: list[Problem] = []
    by_id: dict[str, Path] = {}
    by_text: dict[str, Path] = {}
    for path, document in documents:
        first = by_id.setdefault(document.id, path)
        lines = _newdoc_lines(path, document.id)
        again = lines[1] if first == path and len(lines) > 1 else lines[0]
        if first != path or len(lines) > 1:
            message = f"document id {document.id!r} is used twice, first in {first}: give each article its own"
            if (problem := Problem(str(path), again, message)) not in problems:
                problems.append(problem)
        text = " ".join(word.text for word in document.words)
        home = by_text.setdefault(text, path)
        if text and split_of(home) != split_of(path):
            problems.append(
                Problem(
                    str(path),
                    lines[0],
                    f"document {document.id!r} has the same text as one in {home}, which is in another split "
                    f"({split_of(home) or 'none'}, {split_of(path) or 'none'}): an article belongs to one split",
                )
            )
    return problems


def _newdoc_lines(path: Path, document_id: str) -> list[int]:
    """Return the lines on which a document of this id begins; [1] where the format has no such line."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    found = [
        number
        for number, line in enumerate(lines, start=1)
        if line.startswith("#") and line.partition("newdoc id")[2].strip(" =\r") == document_id
    ]
    return found or [1]
