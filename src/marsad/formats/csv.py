"""Events as a table: one row an event, for a spreadsheet or a data frame.

Columns: document, event, score, one for each role of the schema (its mentions joined by " | "), and evidence (the
sentences it was read from). Read back, a table gives no documents: offsets and the text between are not in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from marsad.documents import Document
from marsad.errors import AnnotationError

SUFFIX = ".csv"
SEPARATOR = " | "
# A cell that opens so is run as a formula by spreadsheets (OWASP, CSV injection); reports come from strangers.
_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def read(path: str | Path, **_: object) -> NoReturn:
    """Refuse: a table of events cannot be made into documents again. Raises `AnnotationError`."""
    raise AnnotationError(f"{path}: a table of events holds no documents: read the jsonl or conllup it was made from")


def header(roles: Sequence[str]) -> str:
    """Return the line of column names."""
    return _line(["document", "event", "score", *roles, "evidence"])


def format_document(document: Document, roles: Sequence[str]) -> str:
    """Return the rows of one document; a document without events has none."""
    return "".join(_line(row) for row in _rows(document, roles))


def write(documents: Iterable[Document], path: str | Path, *, roles: Sequence[str]) -> None:
    """Write a table of the events of all documents; UTF-8 with the mark that makes Excel read Arabic rightly."""
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        file.write(header(roles))
        file.writelines(format_document(document, roles) for document in documents)


def _rows(document: Document, roles: Sequence[str]) -> Iterator[list[str]]:
    for number, event in enumerate(document.events, start=1):
        fillers = [
            SEPARATOR.join(document.surface(document.entities[index]) for index in event.roles.get(role, ()))
            for role in roles
        ]
        evidence = SEPARATOR.join(document.sentence_text(index) for index in event.evidence)
        yield [document.id, str(number), f"{event.score:.4f}", *fillers, evidence]


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(
        [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    )
    return buffer.getvalue()
