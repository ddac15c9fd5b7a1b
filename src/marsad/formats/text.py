"""Plain text: a file is one document, named after the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from marsad import words
from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.formats.problems import Problem, Problems, raise_problems, read_text
from marsad.schema import Schema

SUFFIX = ".txt"


def from_text(text: str, id: str = "") -> Document:
    """Return `text` as a document with words and sentences and nothing annotated."""
    split = words.split(text)
    return Document(id, text, split, words.sentences(text, split))


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read a file as one document. There is nothing in it to hold against a schema."""
    report = Problems(Path(path))
    text = read_text(report.path, report)
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return [] if text is None else [from_text(text, report.path.stem)]


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write the text of one document, untouched. Raises `AnnotationError` for more than one."""
    texts = [document.text for document in documents]
    if len(texts) != 1:
        raise AnnotationError(f"a text file holds one document, got {len(texts)}: write jsonl or conllup instead")
    Path(path).write_bytes(texts[0].encode("utf-8"))
