"""The lines of one document as rows and sentences, each broken line noted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from marsad.formats.conllup.spaces import unescape_spaces
from marsad.formats.problems import Problems

COLUMNS = ("ID", "FORM", "NER", "ENTITY", "RELATION", "MISC")
_COMMENT = re.compile(r"#\s*(?P<key>[\w.:-]+(?: id)?)(?:\s*=\s?(?P<value>.*))?$")


@dataclass
class DocumentLines:
    """The numbered lines of one document, as they stand in the file."""

    id: str
    columns: tuple[str, ...]
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Row:
    """One token line, its cells by name."""

    line: int
    id: str
    form: str
    ner: str
    entity: str
    relation: str
    misc: dict[str, str]


@dataclass
class Sentence:
    """The rows of one sentence and the comments that belong to it; `broken` where a row could not be read."""

    line: int
    rows: list[Row] = field(default_factory=list)
    text: str | None = None
    text_line: int = 0
    newpar: bool = False
    last_id: int = 0
    broken: bool = False


def read_rows(part: DocumentLines, report: Problems) -> tuple[list[Sentence], dict[str, str], str]:
    """Return the sentences, the metadata, and the white space that is all the text of a document without words."""
    sentences: list[Sentence] = []
    meta: dict[str, str] = {}
    spaces = ""
    current: Sentence | None = None
    newpar = False
    for line, content in part.lines:
        if not content.strip():
            current = None
            continue
        if content.startswith("#"):
            match = _COMMENT.match(content)
            key, value = (match["key"], match["value"]) if match else ("", None)
            if key in ("newpar", "newpar id"):
                newpar, current = True, None
            elif key in ("sent_id", "text"):
                if current is None or current.rows:
                    current = Sentence(line, newpar=newpar)
                    newpar = False
                    sentences.append(current)
                if key == "text":
                    current.text, current.text_line = value or "", line
            elif key == "spaces":
                spaces = unescape_spaces(value or "")
            elif match and value is not None and not sentences and not newpar:
                meta[key] = value.strip()
            continue
        if current is None:
            current = Sentence(line, newpar=newpar)
            newpar = False
            sentences.append(current)
        _add_row(current, _row(line, content, part.columns, report), report)
    return _with_tokens(sentences, report), meta, spaces


def _with_tokens(sentences: list[Sentence], report: Problems) -> list[Sentence]:
    for sentence in sentences:
        if sentence.text and not sentence.rows and not sentence.broken:
            report.add(sentence.text_line, "# text has no tokens below it: add them or remove the line")
    return [sentence for sentence in sentences if sentence.rows]


def _add_row(sentence: Sentence, row: Row | None, report: Problems) -> None:
    """Add a row; of one that could not be read, remember that its place in the sentence is taken."""
    sentence.last_id += 1
    if row is None:
        sentence.broken = True
        return
    _check_id(row, sentence.last_id, report)
    if row.id.isdecimal():
        sentence.last_id = int(row.id)  # one wrong id is one problem, not one on every line below
    sentence.rows.append(row)


def _row(line: int, content: str, columns: tuple[str, ...], report: Problems) -> Row | None:
    cells = content.split("\t")
    if len(cells) != len(columns):
        hint = " (columns are parted by one tab, not by spaces)" if len(cells) == 1 else ""
        report.add(line, f"{len(cells)} columns, expected {len(columns)}: {' '.join(columns)}{hint}")
        return None
    cell = dict(zip(columns, cells, strict=True))
    form = cell["FORM"]
    if not form or any(character.isspace() for character in form):
        report.add(line, f"the form is {form!r}: a token is a word without white space")
        return None
    misc = dict(entry.partition("=")[::2] for entry in cell.get("MISC", "_").split("|") if "=" in entry)
    return Row(line, cell.get("ID", ""), form, cell["NER"], cell.get("ENTITY", "_"), cell.get("RELATION", "_"), misc)


def _check_id(row: Row, expected: int, report: Problems) -> None:
    if row.id and row.id != str(expected):
        report.add(row.line, f"token id is {row.id!r}, expected {expected}: ids count from 1 in each sentence")
