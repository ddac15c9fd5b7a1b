"""From files of one format to files of another. Everything is read and checked before a file is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from marsad import formats
from marsad.documents import Document
from marsad.errors import AnnotationError, MarsadError
from marsad.formats import conll, conllup, jsonl, marked, text
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema

WRITERS = {module.SUFFIX: module for module in (conllup, marked, conll, jsonl, text)}
# Formats in which a text without marks says that nothing is there to be found.
_GOLD = (conllup.SUFFIX, conll.SUFFIX)
# Formats whose files hold any number of documents.
_MANY = (conllup.SUFFIX, conll.SUFFIX, jsonl.SUFFIX)
# What a new file is to hold, and where each document comes from.
Plan = dict[Path, list[tuple[Path, Document]]]


def convert(
    inputs: Iterable[str | Path],
    out: str | Path,
    *,
    suffix: str | None = None,
    schema: Schema | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write the documents of `inputs` (files, folders) in another format and return the files made.

    Where `out` ends in a format's suffix it is one file that holds all documents. Else it is a folder: each document
    gets a file of its own, named after its id, below the folders its input stands in, in the format that `suffix`
    names (`.conllup` by default). Raises one `AnnotationError` with every problem of all inputs, by file and line, and
    `MarsadError` where a file is there already and not to be overwritten; in both cases nothing is written.
    """
    out, inputs = Path(out), list(inputs)
    _check_output(out, suffix, inputs)
    problems: list[Problem] = []
    plan: Plan = {}
    for path, below, document in _read(inputs, schema, problems):
        target = out if _is_file(out, suffix) else out / below / f"{document.id}{suffix or conllup.SUFFIX}"
        if target != out and not is_file_name(document.id):
            problems.append(Problem(str(path), 0, f"id {document.id!r} cannot be a file's name: rename it, or {_JOIN}"))
        plan.setdefault(target, []).append((path, document))
    problems += [*_clashes(plan), *_unread(plan)]
    raise_problems(problems)
    return write_new(plan, overwrite=overwrite)


def is_file_name(id: str) -> bool:
    """Tell whether a document's id can name a file: no path, no hidden file, no control character, no endless name."""
    return not id.startswith(".") and id.isprintable() and not set(id) & set("/\\") and 0 < len(id.encode()) < 200


def _check_output(out: Path, suffix: str | None, inputs: Iterable[str | Path]) -> None:
    """Refuse an output whose name says another format than it would hold, or that is a folder of inputs."""
    if out.is_dir():
        if any(Path(each).is_dir() and Path(each).resolve() == out.resolve() for each in inputs):
            raise MarsadError(f"{out} is the folder of the inputs: choose another, or each article is there twice")
    elif out.suffix and out.suffix not in WRITERS:
        raise MarsadError(f"{out}: ends in none of {', '.join(WRITERS)}; a folder with this name must be there first")
    elif out.suffix and suffix not in (None, out.suffix):
        raise MarsadError(f"{out}: the name says {out.suffix} and --format {suffix}: leave out one")


_JOIN = f"write one file ({', '.join(_MANY)}) for all"


def _is_file(out: Path, suffix: str | None) -> bool:
    return out.suffix in WRITERS and not out.is_dir() and suffix in (None, out.suffix)


def _read(
    inputs: Iterable[str | Path], schema: Schema | None, problems: list[Problem]
) -> Iterator[tuple[Path, Path, Document]]:
    """Yield each document with its file and the folders between what was named and that file."""
    seen: set[Path] = set()
    for named in map(Path, inputs):
        for path in formats.find_files([named], formats.READERS):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            below = path.parent.relative_to(named) if named.is_dir() else Path()
            for document in formats.read(path, schema=schema, problems=problems):
                yield path, below, document


def _unread(plan: Plan) -> Iterator[Problem]:
    """Yield the files of raw reports, which a format for annotations would pass off as read and found empty."""
    filed = [(target, path, document) for target, held in plan.items() for path, document in held]
    annotated = {path for _, path, document in filed if document.entities}
    for suffix, path in dict.fromkeys((target.suffix, path) for target, path, _ in filed):
        if suffix in _GOLD and path.suffix not in formats.ANNOTATED and path not in annotated:
            yield Problem(
                str(path), 0, f"nothing is annotated here: {suffix} would say so; --format marked, to annotate"
            )


def _clashes(plan: Plan) -> Iterator[Problem]:
    """Yield the documents that one file cannot hold beside those before them, or whose id is taken in it."""
    for target, held in plan.items():
        homes: dict[str, Path] = {}
        for index, (path, document) in enumerate(held):
            if index and target.suffix not in _MANY:
                yield Problem(str(path), 0, f"{target.name} can hold one document, not {len(held)}: {_JOIN}")
                break
            elif document.id in homes:
                first = homes[document.id]
                yield Problem(str(path), 0, f"document id {document.id!r} is used twice, first in {first}: rename one")
            homes.setdefault(document.id, path)


def write_new(plan: Plan, *, overwrite: bool = False) -> list[Path]:
    """Write the files of a plan, each whole before any takes its place.

    Raises `MarsadError` for one that is there, unless to be overwritten.
    """
    _refuse_existing(plan, overwrite)
    return _write(plan)


def _refuse_existing(plan: Plan, overwrite: bool) -> None:
    sources = {path.resolve() for held in plan.values() for path, _ in held}
    for target in plan:
        if target.resolve() in sources:
            raise MarsadError(f"{target} is an input too: choose another output")
        if target.is_dir():
            raise MarsadError(f"{target} is a folder: choose another output")
        if target.exists() and not overwrite:
            raise MarsadError(f"{target} is there already: choose another output (marsad convert: or --overwrite)")


def _write(plan: Plan) -> list[Path]:
    problems: list[Problem] = []
    partial = {target: target.with_name(f".{target.name}.partial") for target in plan}
    try:
        for target, held in plan.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                WRITERS[target.suffix].write([document for _, document in held], partial[target])
            except AnnotationError as error:
                problems.append(Problem(str(held[0][0]), 0, str(error)))
        raise_problems(problems)
        for target in plan:
            partial[target].replace(target)
    except OSError as error:
        raise MarsadError(f"{error.filename} cannot be written: {error.strerror or error}") from error
    finally:
        for each in partial.values():
            with suppress(OSError):
                each.unlink(missing_ok=True)
    return list(plan)
