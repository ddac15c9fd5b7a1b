"""Marked text taken apart: metadata, text with its marks, and the lines below it; every slip noted by line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from marsad.formats.problems import Problems

META = re.compile(r"# (?P<key>[\w.:-]+) ?=(?P<value>.*)")
_TOKEN = re.compile(
    r"\\(?P<escaped>.?)|\[\[(?:(?P<id>[^\s:\[\]]+):)?(?P<type>[^\s:\[\]]+) |(?P<bad>\[\[)|(?P<close>\]\])"
)
END = "---"
# What an id or a type may be, here and in CoNLL-U Plus.
NAME = re.compile(r"(?!_$)[^\s:|\[\]#\\][^\s:|\[\]]*")
_DASHES = re.compile(r"\s*[-\u2013\u2014]{2,}\s*")
# ASCII keys alone: «# عاجل: ...» is a post's own line.
_LOST_META = re.compile(r"\s*# ?[a-z_]+ ?[:=].*")
_ESCAPES = {"n": "\n", "r": "\r"}


@dataclass(frozen=True)
class Mark:
    """A mark as it stands in the file: its line, and the code points of the text that it covers, half-open."""

    line: int
    id: str
    type: str
    start: int
    end: int


@dataclass
class Text:
    """The text of a document as it is read, and the marks in it."""

    text: str = ""
    marks: list[Mark] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)  # where in the text a line of the file begins
    unclosed: set[str] = field(default_factory=set)  # ids of marks that are known and have no end


Lines = list[tuple[int, str]]


def numbered(content: str) -> Lines:
    """Return the lines of a file with their numbers, from 1."""
    return [(number, line.removesuffix("\r")) for number, line in enumerate(content.split("\n"), start=1)]


def split_header(lines: Lines, report: Problems) -> tuple[dict[str, str], Lines]:
    """Part the leading `# key = value` lines from the rest."""
    meta: dict[str, str] = {}
    for index, (number, line) in enumerate(lines):
        match = META.fullmatch(line)
        if not match and (line or meta):
            return meta, lines[index:]
        if match and match["key"] in meta:
            report.add(number, f"metadata {match['key']!r} stands twice: keep one")
        if match:
            meta[match["key"]] = match["value"].strip()
    return meta, []


def split_relations(lines: Lines) -> tuple[Lines, Lines]:
    """Part the text from the relations; empty lines around the text are the writer's, not the text's."""
    ends = [index for index, (_, line) in enumerate(lines) if line.strip() == END]
    end = ends[0] if ends else len(lines)
    body, below = lines[:end], lines[end + 1 :]
    filled = [index for index, (_, line) in enumerate(body) if line]
    return (body[filled[0] : filled[-1] + 1] if filled else []), below


def read_body(lines: Lines, report: Problems) -> Text:
    """Return the text of these lines without its marks, and the marks."""
    found = Text()
    for index, (number, line) in enumerate(lines):
        if index:
            found.text += "\n"
        found.lines.append((len(found.text), number))
        _read_line(number, line, found, report)
    _check_slips(lines, {mark.id for mark in found.marks}, report)
    return found


def _check_slips(lines: Lines, ids: Collection[str], report: Problems) -> None:
    """Note lines of text that were surely meant to be something else, and would be read as the article's words."""
    for number, line in lines:
        slip = slip_of(line, ids)
        if slip:
            report.add(number, f"{line.strip()[:40]!r} is read as text: {slip}, or write a \\ before it")


def slip_of(line: str, ids: Collection[str]) -> str:
    """Return what a line of text was probably meant to be, and how that is written; nothing for a line of text."""
    cells = line.split()
    if _DASHES.fullmatch(line):
        return "the line above the relations is ---"
    if len(cells) == 3 and cells[0] in ids and cells[2] in ids:
        return "relations stand below a line ---"
    if _LOST_META.fullmatch(line):
        return "metadata lines are # key = value, above the text"
    return ""


def _read_line(number: int, line: str, found: Text, report: Problems) -> None:
    opened: re.Match[str] | None = None
    start = place = 0
    for token in _TOKEN.finditer(line):
        found.text += line[place : token.start()]
        place = token.end()
        if token["escaped"] is not None:
            found.text += _ESCAPES.get(token["escaped"], token["escaped"]) or "\\"
        elif token["bad"]:
            opens = line[token.start() :][:20]
            report.add(number, f"{opens!r} opens no mark: write [[T1:TYPE words]], or \\[[ for the brackets")
        elif token["close"]:
            if opened is None:
                report.add(
                    number, f"]] after {line[: token.start()][-20:]!r} closes nothing: take it out, or write \\]]"
                )
                continue
            found.marks.append(Mark(number, opened["id"] or "", opened["type"], start, len(found.text)))
            opened = None
        else:
            if opened is not None:
                report.add(number, f"{token[0]!r} opens inside {opened[0]!r}: close one mark before the next")
            opened, start = token, len(found.text)
    found.text += line[place:]
    if opened is not None:
        report.add(number, f"{opened[0]!r} is not closed on its line: add ]] after its last word")
        found.unclosed.add(opened["id"] or "")
