"""One JSON document a line: what `Document.to_dict` gives, and raw reports as `{"id", "text"}`.

A line with `words` is a whole document and comes back equal. A line without is a raw report: its text is split into
words, and its `meta`, if any, is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from marsad import words
from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.formats.problems import Problem, Problems, decode, raise_problems, read_text
from marsad.schema import Schema

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Lines:
    """`count` lines of a file (all where None) from the byte `offset`, which `skipped` lines stand before."""

    offset: int
    skipped: int
    count: int | None


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read all documents of a file; problems by line as in the other formats."""
    report = Problems(Path(path))
    text = read_text(report.path, report)
    documents = list(read_lines((text or "").split("\n"), report, schema=schema))
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return documents


def stream(path: Path, report: Problems, lines: Lines | None = None) -> Iterator[Document]:
    """Yield the documents of a file, or of some of its lines, a line in memory at a time.

    A bad line is noted in `report` and left out.
    """
    some = lines or Lines(0, 0, None)
    try:
        with path.open("rb") as file:
            file.seek(some.offset)
            wanted = enumerate(islice(file, some.count), start=some.skipped + 1)
            decoded = (decode(line, report, first_line=number) or "" for number, line in wanted)
            yield from read_lines(decoded, report, first_line=some.skipped + 1)
    except OSError as error:
        report.add(0, f"cannot be read: {error.strerror or error}")


def cut(path: Path, size: int) -> Iterator[Lines]:
    """Yield the lines of a file `size` at a time. Raises `OSError`."""
    offset = skipped = 0
    with path.open("rb") as file:
        while lines := list(islice(file, size)):
            yield Lines(offset, skipped, len(lines))
            offset, skipped = offset + sum(map(len, lines)), skipped + len(lines)


def read_lines(
    lines: Iterable[str], report: Problems, *, schema: Schema | None = None, first_line: int = 1
) -> Iterator[Document]:
    """Yield the documents of JSON lines as they come; a line that is none is noted in `report` and left out."""
    for number, line in enumerate(lines, start=first_line):
        if not line.strip():
            continue
        try:
            document = parse(json.loads(line), fallback_id=f"{report.path.stem}-{number}")
        except json.JSONDecodeError as error:
            report.add(number, f"not JSON ({error.msg} at character {error.pos + 1}): expected one object a line")
        except MarsadError as error:
            report.add(number, str(error))
        except (ValueError, RecursionError) as error:
            report.add(number, f"cannot be read as JSON: {error}")
        else:
            before = len(report.found)
            check_schema(document, schema, number, report)
            if len(report.found) == before:
                yield document


def parse(record: Any, *, fallback_id: str) -> Document:
    """Return the document of one JSON object. Raises `AnnotationError` where it is neither of the two forms."""
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise AnnotationError('expected an object with "text" (a string), and "id" if it has one')
    if "words" in record:
        return Document.from_dict(record)
    text, name, meta = record["text"], record.get("id"), record.get("meta") or {}
    if not isinstance(meta, dict):
        raise AnnotationError(f"meta is {meta!r}: expected an object of names and values")
    split = words.split(text)
    return Document(
        fallback_id if name is None else str(name),
        text,
        split,
        words.sentences(text, split),
        meta={key: str(value) for key, value in meta.items() if value is not None},
    )


def check_schema(document: Document, schema: Schema | None, line: int, report: Problems) -> None:
    """Note in `report` what of a document its schema does not have."""
    if schema is None:
        return
    for entity in document.entities:
        if entity.type not in schema.entities:
            report.add(line, f"entity type {entity.type!r} is not in the schema ({', '.join(schema.entities)})")
    for relation in document.relations:
        head, tail = document.entities[relation.head].type, document.entities[relation.tail].type
        if not schema.allows(relation.type, head, tail):
            report.add(line, f"{relation.type} from {head} to {tail} is not in the schema")


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write each document on a line of its own, in the order given."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(format_document(document) for document in documents)


def format_document(document: Document) -> str:
    """Return a document as one line, Arabic left readable."""
    # U+2028 and its like are legal in JSON but break tools that read by line.
    line = json.dumps(document.to_dict(), ensure_ascii=False)
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085") + "\n"
