"""Prediction past one machine: Ray Data hands parts of the input to a pool of workers. Extra `[ray]`.

The input, JSON lines or Parquet, is cut into parts of some documents. A worker reads a part, predicts on it and writes
`part-000000.parquet`, first under another name, so that a part is there whole or not at all: one whose worker died is
done again by another, and one that is there already is not done twice. Rows are those of `marsad predict -o
x.parquet`. What could not be read or predicted stands in `part-000000.problems.jsonl`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from marsad import formats
from marsad.documents import Document
from marsad.errors import MarsadError
from marsad.formats import jsonl, parquet
from marsad.formats.problems import Problem, Problems
from marsad.inference.files import ProblemLog, predict_files
from marsad.inference.predictor import Predictor
from marsad.modeling.settings import read_folder

INPUTS = (jsonl.SUFFIX, parquet.SUFFIX)
PLAN_FILE = "parts.json"


@dataclass(frozen=True)
class Part:
    """Some rows or lines of an input file: `count` of them, `skipped` stand before, `offset` bytes in JSON lines."""

    number: int
    path: str
    offset: int
    skipped: int
    count: int

    @property
    def file_name(self) -> str:
        """Name of the part's predictions."""
        return f"part-{self.number:06d}{parquet.SUFFIX}"


@dataclass(frozen=True)
class Summary:
    """What a run has done, with parts that were there already."""

    documents: int
    problems: int
    parts: int


class Worker:
    """Loads a model once and predicts on part after part; what `ray.data.Dataset.map` makes an actor of."""

    def __init__(self, model: str, output: str, device: str, threads: int | None) -> None:
        self.predictor = Predictor.from_pretrained(model, device=device, threads=threads)
        self.output = Path(output)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Predict on the part that a row describes; return its number and how many documents and problems it has."""
        part = Part(**row)
        place = self.output / part.file_name
        # A name of its own for each try: a worker that was thought dead may still be writing.
        partial = place.with_name(f".{place.stem}-{uuid.uuid4().hex}{place.suffix}")
        problems = ProblemLog(partial.with_name(_problems_name(partial.name)))
        documents = predict_files(self.predictor, _documents(part, problems), partial, parquet.SUFFIX, problems)
        (self.output / _problems_name(place.name)).unlink(missing_ok=True)  # of a try that died
        if problems.path is not None and problems:
            problems.path.replace(self.output / _problems_name(place.name))
        partial.replace(place)
        return {"number": part.number, "documents": documents, "problems": len(problems)}


def predict_distributed(
    model: str | Path,
    inputs: Iterable[str | Path],
    output: str | Path,
    *,
    workers: int | None = None,
    cpus_per_worker: float = 1,
    gpus_per_worker: float = 0,
    documents_per_part: int = 1000,
) -> Summary:
    """Predict on JSON lines and Parquet files (or folders of them) and leave Parquet files in the folder `output`.

    Uses the Ray cluster that this process is connected to, else starts Ray on this machine. There are as many
    `workers` as its CPUs (or GPUs) allow where no number is given; with `gpus_per_worker` they predict on CUDA. Model,
    inputs and output must be at the same paths on all machines of a cluster. Called again with the same inputs, it
    does what is left. Raises `MarsadError` for inputs that cannot be cut and an output made of others, and
    `ModelError` for a model that cannot be loaded, before any worker starts.
    """
    if documents_per_part < 1 or cpus_per_worker <= 0:
        raise MarsadError(f"documents_per_part {documents_per_part}, cpus_per_worker {cpus_per_worker}: give more")
    folder, model = Path(output).absolute(), Path(model).absolute()
    read_folder(model)
    found = (each.absolute() for each in formats.find_files([Path(each) for each in inputs], INPUTS))
    # The output may stand in a folder of inputs.
    parts = _parts((each for each in found if folder not in each.parents), documents_per_part)
    _check_plan(folder, model, parts)
    left = [part for part in parts if not (folder / part.file_name).exists()]
    if left:
        _run(model, folder, left, workers, cpus_per_worker, gpus_per_worker)
    for stale in (*folder.glob(".part-*"), *folder.glob("..part-*")):
        stale.unlink(missing_ok=True)  # of workers that died
    documents = sum(parquet.count(folder / part.file_name) for part in parts)
    return Summary(documents, sum(_num_problems(folder, part) for part in parts), len(parts))


def _run(
    model: Path,
    folder: Path,
    parts: Sequence[Part],
    workers: int | None,
    cpus_per_worker: float,
    gpus_per_worker: float,
) -> None:
    ray = _ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    if workers is None:
        resources = ray.cluster_resources()
        share = resources.get("GPU", 0) / gpus_per_worker if gpus_per_worker else resources["CPU"] / cpus_per_worker
        workers = max(1, int(share))
    workers = min(workers, len(parts))
    options = {
        "model": str(model),
        "output": str(folder),
        "device": "cuda" if gpus_per_worker else "cpu",
        "threads": max(1, int(cpus_per_worker)),
    }
    done = ray.data.from_items([asdict(part) for part in parts], override_num_blocks=len(parts)).map(
        Worker,
        fn_constructor_kwargs=options,
        concurrency=workers,
        num_cpus=cpus_per_worker,
        num_gpus=gpus_per_worker,
    )
    for _ in done.iter_rows():
        pass


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MarsadError("ray is not installed: pip install 'marsad[ray]'") from error
    return ray


def _documents(part: Part, problems: list[Problem]) -> Iterator[Document]:
    """Yield the documents of a part; a row that cannot be read is noted and costs only itself."""
    path = Path(part.path)
    report = Problems(path)
    if path.suffix == parquet.SUFFIX:
        yield from parquet.stream(path, report, range(part.skipped, part.skipped + part.count))
    else:
        yield from jsonl.stream(path, report, jsonl.Lines(part.offset, part.skipped, part.count))
    problems.extend(report.found)


def _parts(paths: Iterable[Path], size: int) -> list[Part]:
    """Cut files into parts; one that is empty or cannot be read is a part too, whose worker says so."""
    parts: list[Part] = []
    for path in paths:
        for each in _cut(path, size) or [jsonl.Lines(0, 0, 0)]:
            parts.append(Part(len(parts), str(path), each.offset, each.skipped, each.count or 0))
    return parts


def _cut(path: Path, size: int) -> list[jsonl.Lines]:
    if path.suffix not in INPUTS:
        raise MarsadError(f"{path}: ends in none of {', '.join(INPUTS)}: convert it with marsad convert")
    if path.suffix == parquet.SUFFIX:
        rows = parquet.count(path)
        return [jsonl.Lines(0, start, min(size, rows - start)) for start in range(0, rows, size)]
    try:
        return list(jsonl.cut(path, size))
    except OSError:
        return []


def _check_plan(folder: Path, model: Path, parts: Sequence[Part]) -> None:
    """Keep what the output is made of, or raise `MarsadError` where it is being made of something else."""
    files = sorted({part.path for part in parts}) + [str(each) for each in sorted(model.glob("*")) if each.is_file()]
    stamps = {each: [Path(each).stat().st_size, Path(each).stat().st_mtime_ns] for each in files}
    plan = {"files": stamps, "parts": [asdict(part) for part in parts]}
    file = folder / PLAN_FILE
    if not file.exists():
        if folder.exists() and any(folder.iterdir()):
            raise MarsadError(f"{folder} is not empty and was not made by this: choose another output")
        folder.mkdir(parents=True, exist_ok=True)
        whole = file.with_name(f".{PLAN_FILE}")
        whole.write_text(json.dumps(plan), encoding="utf-8")
        whole.replace(file)
    elif json.loads(file.read_text(encoding="utf-8")) != plan:
        raise MarsadError(
            f"{folder} is being made with another model, other inputs or another documents_per_part ({PLAN_FILE} there "
            "says which): choose another output, or remove it"
        )


def _num_problems(folder: Path, part: Part) -> int:
    file = folder / _problems_name(part.file_name)
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def _problems_name(name: str) -> str:
    return f"{name.removesuffix(parquet.SUFFIX)}.problems.jsonl"
