"""Problems found in a file: each with its line, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.schema import Schema

MAX_SHOWN = 50


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong at `path:line` (1-based; 0 is the file as a whole), with what was found and what to do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


@dataclass
class Problems:
    """Collects the problems of one file."""

    path: Path
    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        """Note a problem at `line`."""
        self.found.append(Problem(str(self.path), line, message))


def raise_problems(problems: list[Problem]) -> None:
    """Raise `AnnotationError` that lists `problems`, if there are any."""
    if not problems:
        return
    lines = [str(problem) for problem in sorted(problems)[:MAX_SHOWN]]
    if len(problems) > MAX_SHOWN:
        lines.append(f"... and {len(problems) - MAX_SHOWN} more (marsad check shows all)")
    raise AnnotationError("\n".join(lines))


def read_text(path: Path, problems: Problems) -> str | None:
    """Return the content of a UTF-8 file with its line ends as they are; None after noting why it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.add(0, f"cannot be read: {error.strerror or error}")
        return None
    return decode(content, problems)


def decode(content: bytes, problems: Problems, *, first_line: int = 1) -> str | None:
    """Return bytes as the UTF-8 text they should be; None after noting which byte is none, lines from `first_line`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Where the file opens with a byte order mark, the error counts from after it.
        line = error.object.count(b"\n", 0, error.start) + first_line
        found = error.object[error.start : error.start + 1].hex()
        problems.add(
            line, f"byte 0x{found} is not UTF-8: convert the file (for Windows Arabic: iconv -f cp1256 -t utf-8)"
        )
        return None


def refuse_crossing(document: Document) -> None:
    """Raise `AnnotationError` for an entity that reaches into the next sentence: tags by sentence cannot write it."""
    for entity in document.entities:
        if document.sentence_of_word[entity.start] != document.sentence_of_word[entity.end - 1]:
            raise AnnotationError(
                f"document {document.id!r}: {entity.type} {document.surface(entity)!r} crosses a sentence end, "
                "which this format cannot hold: write jsonl, or join the sentences"
            )


def relation_problem(kind: str, head: tuple[str, str], tail: tuple[str, str], schema: Schema | None) -> str | None:
    """Return what is wrong with a relation between two mentions, each given by id and type; None for nothing."""
    if head == tail:
        return f"relation {kind}:{tail[0]} joins {tail[0]} to itself"
    if schema is None or schema.allows(kind, head[1], tail[1]):
        return None
    if kind not in schema.relations:
        return f"relation type {kind!r} is not in the schema ({', '.join(schema.relations)})"
    rule = schema.relations[kind]
    return (
        f"{kind} cannot go from {head[1]} ({head[0]}) to {tail[1]} ({tail[0]}): "
        f"the schema allows {'/'.join(rule.head)} -> {'/'.join(rule.tail)}"
    )
