"""Files of documents. One module a format, `read` and `write` in each; here, which module reads which file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.formats import conll, conllup, jsonl, marked, parquet, text
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema

READERS: dict[str, ModuleType] = {module.SUFFIX: module for module in (conllup, conll, marked, jsonl, parquet, text)}
# What annotators' tools call the two-column format.
READERS |= {".iob": conll, ".iob2": conll, ".bio": conll}
ANNOTATED = (conllup.SUFFIX, conll.SUFFIX, marked.SUFFIX, ".iob", ".iob2", ".bio")


def find_files(paths: Iterable[str | Path], suffixes: Iterable[str] = ANNOTATED) -> Iterator[Path]:
    """Yield the files named, and those with one of `suffixes` in the folders named, each once, sorted within a folder.

    Raises `MarsadError` for a path that does not exist or a folder that holds no such file.
    """
    wanted, seen = tuple(suffixes), set()
    for path in map(Path, paths):
        for each in _files_of(path, wanted):
            if each.resolve() not in seen:
                seen.add(each.resolve())
                yield each


def _files_of(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise MarsadError(f"{path} does not exist")
    found = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix in suffixes)
    if not found:
        raise MarsadError(f"{path} holds no file that ends in {', '.join(suffixes)}")
    return found


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read a file in the format that its name ends in. Raises `MarsadError` for an ending that is none."""
    suffix = Path(path).suffix
    if suffix not in READERS:
        raise MarsadError(
            f"{path}: no reader for {suffix or 'a name without an ending'!r}, one of {', '.join(READERS)}"
        )
    documents: list[Document] = READERS[suffix].read(path, schema=schema, problems=problems)
    return documents


def read_all(paths: Iterable[str | Path], *, schema: Schema | None = None) -> list[Document]:
    """Read every annotated file of `paths`; the problems of all files are raised as one `AnnotationError`.

    Raw reports (`.txt`, JSON lines with nothing annotated in any) are refused: as gold they would say that nothing is
    there to be found.
    """
    problems: list[Problem] = []
    documents: list[Document] = []
    for path in find_files(paths):
        found = read(path, schema=schema, problems=problems)
        if path.suffix not in ANNOTATED and not any(document.entities for document in found):
            problems.append(Problem(str(path), 0, "nothing is annotated here: raw reports cannot serve as gold"))
        documents += found
    raise_problems(problems)
    return documents
