"""Two readings in files: compared, and every disagreement found again by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marsad import formats
from marsad.documents import Document
from marsad.evaluation.agreement import Agreement, agreement, pair_up
from marsad.evaluation.scores import Table
from marsad.formats import conllup, marked
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema

# Ids that the text of a comparison names at most.
MAX_NAMED = 10
# Formats that tell the line of each word, by document id.
_LINES = {conllup.SUFFIX: conllup.word_lines, marked.SUFFIX: marked.word_lines}
_RULES = {
    "entities": "span and type",
    "relations_strict": "type, both spans, both entity types",
    "relations_common": "the same, of relations between mentions that both readings have",
}
_TITLES = {
    "entities": "Entities",
    "relations_strict": "Relations, strict",
    "relations_common": "Relations on common mentions",
}


@dataclass(frozen=True)
class Comparison:
    """The agreement of two readings, where each disagreement stands in the files, and the ids only one reading has."""

    agreement: Agreement
    places: tuple[tuple[str, str], ...]  # file:line in A and in B, one pair a disagreement
    alone: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `marsad agreement --json` prints."""
        disagreements = [
            {"a": a, "b": b, "document": each.document, "kind": each.kind, "first": each.first, "second": each.second}
            for (a, b), each in zip(self.places, self.agreement.disagreements, strict=True)
        ]
        return {**self.agreement.to_dict(), "only_in_one": list(self.alone), "disagreements": disagreements}


def compare_files(first: Path, second: Path, schema: Schema) -> Comparison:
    """Compare the articles that two files or folders both hold, by id.

    Raises `AnnotationError` with every problem of the files, and where the readings are not of the same texts.
    """
    (a, a_files), (b, b_files) = _read(first, schema), _read(second, schema)
    a, b, alone = pair_up(a, b)
    found = agreement(a, b, schema)
    places = _places(found, a_files), _places(found, b_files)
    return Comparison(found, tuple(zip(*places, strict=True)), tuple(alone))


def _read(path: Path, schema: Schema) -> tuple[list[Document], dict[str, Path]]:
    problems: list[Problem] = []
    documents: list[Document] = []
    files: dict[str, Path] = {}
    for file in formats.find_files([path]):
        found = formats.read(file, schema=schema, problems=problems)
        documents += found
        files |= {document.id: file for document in found}
    raise_problems(problems)
    return documents, files


def _places(found: Agreement, files: dict[str, Path]) -> Iterator[str]:
    """Yield file:line for each disagreement; the file alone where its format keeps no line a word."""
    lines: dict[str, list[int]] = {}
    for each in found.disagreements:
        file = files[each.document]
        if each.document not in lines:
            lines |= _LINES[file.suffix](file) if file.suffix in _LINES else {each.document: []}
        known = lines[each.document]
        yield f"{file}:{known[each.word]}" if known else str(file)


def format_comparison(comparison: Comparison, with_list: bool = False) -> str:
    """Return the tables as text, figures in percent; `with_list` adds a line a disagreement."""
    found = comparison.agreement
    lines = [f"{found.num_documents} documents, {found.num_words} words in both readings"]
    if comparison.alone:
        shown = ", ".join(comparison.alone[:MAX_NAMED]) + (", ..." if len(comparison.alone) > MAX_NAMED else "")
        lines.append(f"in one reading only, not compared: {len(comparison.alone)} ({shown})")
    for name, title in _TITLES.items():
        lines += ["", *_table(f"{title} (agreed: {_RULES[name]})", getattr(found, name), found, name == "entities")]
    lines += ["", f"Cohen's kappa over words (which type, or none): {found.kappa['all']:.3f}"]
    if with_list:
        lines += ["", f"{len(found.disagreements)} disagreements, as they stand in A and B:"]
        lines += [f"{a} {b} {each}" for (a, b), each in zip(comparison.places, found.disagreements, strict=True)]
    return "\n".join(lines)


def _table(title: str, table: Table, found: Agreement, with_kappa: bool) -> Iterator[str]:
    yield title
    yield f"  {'':<18}{'in A':>8}{'in B':>8}{'both':>8}{'F1':>8}" + (f"{'kappa':>8}" if with_kappa else "")
    for name, score in [*table.by_type.items(), ("all", table.micro)]:
        kappa = f"{found.kappa[name]:>8.3f}" if with_kappa and name in found.kappa else ""
        counts = f"{score.support:>8}{score.tp + score.fp:>8}{score.tp:>8}"
        f1 = f"{100 * score.f1:>8.1f}" if score.support or score.fp else f"{'-':>8}"
        yield f"  {name:<18}{counts}{f1}{kappa}"
