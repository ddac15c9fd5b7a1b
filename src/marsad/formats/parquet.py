"""Documents as Parquet, a row each, with the fields of their JSON form. Needs pyarrow, the extra `[parquet]`.

A file whose rows have no `words` holds raw reports: `id` and `text`, every further column handed through as metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.formats import jsonl
from marsad.formats.problems import Problem, Problems, raise_problems
from marsad.schema import Schema

SUFFIX = ".parquet"
ROWS_AT_ONCE = 512
_FIELDS = ("version", "id", "text", "meta", "words", "sentences", "entities", "relations", "events")


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MarsadError("pyarrow is not installed: pip install 'marsad[parquet]'") from error
    return pyarrow


@cache
def arrow_schema() -> Any:
    """Return the Arrow schema of a document; offsets are code points into `text`."""
    arrow = _pyarrow()
    text, place = arrow.string(), arrow.int32()
    ranges = arrow.list_(arrow.list_(place, 2))
    entity = arrow.struct(
        [("id", text), ("type", text), ("start", place), ("end", place), ("text", text), ("score", arrow.float64())]
    )
    relation = arrow.struct([("type", text), ("head", text), ("tail", text), ("score", arrow.float64())])
    roles = arrow.map_(text, arrow.list_(text))
    event = arrow.struct([("roles", roles), ("score", arrow.float64()), ("evidence", arrow.list_(place))])
    types = (place, text, text, arrow.map_(text, text), ranges, ranges, *map(arrow.list_, (entity, relation, event)))
    return arrow.schema(list(zip(_FIELDS, types, strict=True)))


def to_row(document: Document) -> dict[str, Any]:
    """Return a document as a row of `arrow_schema`."""
    record = document.to_dict()
    events = [{**each, "roles": list(each["roles"].items())} for each in record["events"]]
    return {**record, "meta": list(record["meta"].items()), "events": events}


def from_row(row: Mapping[str, Any], fallback_id: str) -> Document:
    """Return the document of a row, or of a raw report. Raises `AnnotationError` where it is neither."""
    if row.get("words") is None:
        others = {key: value for key, value in row.items() if key not in _FIELDS}
        report = {"id": row.get("id"), "text": row.get("text"), "meta": {**dict(row.get("meta") or ()), **others}}
        return jsonl.parse(report, fallback_id=fallback_id)
    events = [{**each, "roles": dict(each["roles"])} for each in row.get("events") or ()]
    return Document.from_dict({**{key: row.get(key) for key in _FIELDS}, "meta": dict(row["meta"]), "events": events})


def stream(path: Path, report: Problems, rows: range | None = None) -> Iterator[Document]:
    """Yield the documents of a file, or of some of its rows (from 0), in their order, some rows in memory at a time.

    A bad row is noted in `report` and left out.
    """
    return (document for _, document in _numbered(path, report, rows))


def _numbered(path: Path, report: Problems, rows: range | None = None) -> Iterator[tuple[int, Document]]:
    arrow = _pyarrow()
    number = 0
    try:
        with arrow.parquet.ParquetFile(path) as file:
            if "text" not in file.schema_arrow.names:
                report.add(0, f"has no column text (it has {', '.join(file.schema_arrow.names)}): rename yours")
                return
            for number, row in _rows(file, range(file.metadata.num_rows) if rows is None else rows):
                try:
                    yield number, from_row(row, f"{path.stem}-{number}")
                except MarsadError as error:
                    report.add(number, str(error))
                except (KeyError, TypeError, ValueError) as error:
                    report.add(number, f"is no document, though it has words: {type(error).__name__} {error}")
    except (OSError, arrow.ArrowInvalid) as error:
        report.add(number, f"cannot be read as Parquet: {str(error).splitlines()[0]}")


def _rows(file: Any, wanted: range) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield rows of an open file, counted from 1; groups of rows before and after those wanted are not read."""
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    groups = [
        index for index, start in enumerate(starts) if start < wanted.stop and start + sizes[index] > wanted.start
    ]
    first = starts[groups[0]] if groups else 0
    for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=groups):
        low, high = max(wanted.start - first, 0), min(wanted.stop - first, len(batch))
        if low < high:
            yield from enumerate(batch.slice(low, high - low).to_pylist(), start=first + low + 1)
        first += len(batch)


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read all documents of a file; the line of a problem is the number of the row."""
    report = Problems(Path(path))
    documents = []
    for number, document in _numbered(Path(path), report):
        before = len(report.found)
        jsonl.check_schema(document, schema, number, report)
        documents += [document] if len(report.found) == before else []
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return documents


def count(path: Path) -> int:
    """Return the number of rows of a file, 0 where it is none."""
    arrow = _pyarrow()
    try:
        rows: int = arrow.parquet.read_metadata(path).num_rows
    except (OSError, arrow.ArrowInvalid):
        return 0
    return rows


class Writer:
    """Writes documents to a Parquet file as they come; a context manager, since the file is whole only when closed."""

    def __init__(self, path: str | Path) -> None:
        self._arrow = _pyarrow()
        self._file = self._arrow.parquet.ParquetWriter(str(path), arrow_schema())
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self._flush()
        finally:
            self._file.close()

    def write(self, document: Document) -> None:
        """Add a document."""
        self._rows.append(to_row(document))
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(self._arrow.Table.from_pylist(self._rows, schema=arrow_schema()))
            self._rows = []


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write each document as a row, in the order given."""
    with Writer(path) as writer:
        for document in documents:
            writer.write(document)
