"""Does a pool of Ray workers lose or double a document when one of them is killed on the way?

python benchmarks/speed/killed_worker.py MODEL [--documents 50000] [--words 12] [--workers 2]
"""

import argparse
import json
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pyarrow.parquet
from texts import texts_of

from marsad.inference.distributed import predict_distributed


def kill_one(folder: Path, killed: list[int]) -> None:
    """Kill a worker as soon as some parts are written."""
    while len(list(folder.glob("part-*.parquet"))) < 5:
        time.sleep(0.2)
    commands = {each.pid: " ".join(each.cmdline()) for each in psutil.Process().children(recursive=True)}
    workers = [pid for pid, command in commands.items() if command.startswith("ray::") and "Worker" in command]
    if workers:
        os.kill(workers[0], signal.SIGKILL)
        killed.append(workers[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    texts = texts_of(arguments.words, arguments.documents * arguments.words)
    with tempfile.TemporaryDirectory() as scratch:
        reports, out = Path(scratch) / "reports.jsonl", Path(scratch) / "out"
        lines = [json.dumps({"id": str(number), "text": text}) for number, text in enumerate(texts)]
        reports.write_text("\n".join(lines) + "\n", encoding="utf-8")
        killed: list[int] = []
        killer = threading.Thread(target=kill_one, args=(out, killed), daemon=True)
        killer.start()
        start = time.perf_counter()
        done = predict_distributed(arguments.model, [reports], out, workers=arguments.workers)
        taken = time.perf_counter() - start
        seen = Counter(
            each for file in out.glob("part-*.parquet") for each in pyarrow.parquet.read_table(file)["id"].to_pylist()
        )
        wrong = [name for name in map(str, range(len(texts))) if seen[name] != 1]
        print(
            f"{len(texts)} documents, {done.parts} parts, {arguments.workers} workers, {len(killed)} killed: "
            f"{done.documents} in the output, {len(wrong)} not exactly once, {taken:.0f} s"
        )


if __name__ == "__main__":
    main()
