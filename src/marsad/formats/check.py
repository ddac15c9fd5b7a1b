"""Checks over many files: all problems of each, and those that only show between files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from marsad import formats
from marsad.documents import Document
from marsad.formats.conllup import NEWDOC
from marsad.formats.duplicates import RUN, find_near_duplicates
from marsad.formats.problems import Problem
from marsad.schema import Schema

SPLITS = ("train", "dev", "test")
# Of real Arabic reports, pairs above it tell the same event in largely the same words; below it, in their own.
NEAR_DUPLICATE = 0.25
# For each file, the lines on which its documents begin, by id.
_Lines = Mapping[Path, Mapping[str, list[int]]]


def check_files(
    paths: Iterable[str | Path], schema: Schema, *, near_duplicate: float = NEAR_DUPLICATE
) -> tuple[int, int, list[Problem]]:
    """Return the number of files, of sound documents, and every problem in and between the files, by file and line.

    Two documents of which the longer holds more than `near_duplicate` (0 to 1) of the shorter's runs of words are a
    problem; in two splits, they leak one into the other.
    """
    problems: list[Problem] = []
    documents: list[tuple[Path, Document]] = []
    files = list(formats.find_files(paths))
    for path in files:
        documents += [(path, document) for document in formats.read(path, schema=schema, problems=problems)]
    problems += _between_files(documents, near_duplicate)
    return len(files), len(documents), sorted(problems)


def split_of(path: Path) -> str:
    """Return the split a file belongs to: the nearest folder named train, dev or test, or ""."""
    # As the path is written first: a split may be a link to where its files are kept.
    parts = (*path.resolve().parts[:-1], *path.absolute().parts[:-1])
    return next((folder for folder in reversed(parts) if folder in SPLITS), "")


def _between_files(documents: Sequence[tuple[Path, Document]], near_duplicate: float) -> list[Problem]:
    starts = {path: _newdoc_lines(path) for path in dict.fromkeys(path for path, _ in documents)}
    leaked = list(_split_leaks(documents, starts))
    return [*_shared_ids(documents, starts), *leaked, *_near_duplicates(documents, starts, near_duplicate)]


def _shared_ids(documents: Sequence[tuple[Path, Document]], starts: _Lines) -> Iterator[Problem]:
    homes: dict[str, Path] = {}
    for (path, name), count in Counter((path, document.id) for path, document in documents).items():
        home = homes.setdefault(name, path)
        lines = starts[path].get(name, [1] * count)
        message = f"document id {name!r} is used twice, first in {home}: give each article its own"
        yield from (Problem(str(path), line, message) for line in (lines if home != path else lines[1:]))


def _split_leaks(documents: Sequence[tuple[Path, Document]], starts: _Lines) -> Iterator[Problem]:
    places = [(split_of(path) or "none", document) for path, document in documents]
    for index, message in leaks(places):
        yield _at(documents[index], starts, message)


def _near_duplicates(documents: Sequence[tuple[Path, Document]], starts: _Lines, share: float) -> Iterator[Problem]:
    texts = [tuple(word.text for word in document.words) for _, document in documents]
    for pair in find_near_duplicates([document for _, document in documents], share=share):
        (home, first), (path, second) = documents[pair.first], documents[pair.second]
        splits = split_of(home) or "none", split_of(path) or "none"
        if texts[pair.first] == texts[pair.second] and splits[0] != splits[1]:
            continue  # told already, as a leak
        advice = "keep both in one split" if splits[0] != splits[1] else "keep one"
        message = (
            f"document {second.id!r} shares {100 * pair.share:.0f} % of the shorter one's runs of {RUN} words with "
            f"{first.id!r} ({', '.join(dict.fromkeys(splits))}; {home}): {advice}, or allow it with --near-duplicate"
        )
        yield _at(documents[pair.second], starts, message)


def _at(place: tuple[Path, Document], starts: _Lines, message: str) -> Problem:
    path, document = place
    return Problem(str(path), starts[path].get(document.id, [1])[0], message)


def leaks(documents: Iterable[tuple[str, Document]]) -> Iterator[tuple[int, str]]:
    """Yield the place of each document whose words are those of an earlier one in another split, and what to say."""
    homes: dict[tuple[str, ...], tuple[str, str]] = {}
    for index, (split, document) in enumerate(documents):
        home, name = homes.setdefault(tuple(word.text for word in document.words), (split, document.id))
        if document.words and home != split:
            yield (
                index,
                f"document {document.id!r} has the same text as {name!r}, which is in another split "
                f"({home}, {split}): an article belongs to one split",
            )


def _newdoc_lines(path: Path) -> dict[str, list[int]]:
    """Return the lines on which the documents of a file begin, by id; empty where the format has no such lines."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if match := NEWDOC.match(line.removesuffix("\r")):
            found.setdefault((match["id"] or "").strip() or path.stem, []).append(number)
    return found
