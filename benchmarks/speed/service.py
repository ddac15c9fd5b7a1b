"""`marsad serve` under load: is every answer the library's, how fast, and in how much memory?

python benchmarks/speed/service.py MODEL [--clients 64] [--seconds 180] [--words 40] [--documents 400] [--threads 2]

The library reads the documents first, which gives the answers and its own rate. Then so many clients ask the service
for one document after another. At the end come requests that are no good.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from texts import texts_of

from marsad import Document, Predictor

MOST_SCORE_CHANGE = 1e-5


@contextmanager
def service(model: Path, threads: int) -> Iterator[tuple[str, int]]:
    """Run the service and yield its address and process id; stop it as a machine that is shut down would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).parent / "marsad", "serve", model, "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen([*command, "--threads", str(threads)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx2.get(f"{address}/ready").status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=60)


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def alike(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return whether mentions and relations are the same, and whether scores are too."""

    def parts(record: Mapping[str, Any]) -> tuple[list[Any], list[float]]:
        mentions = [(each["type"], each["start"], each["end"]) for each in record["entities"]]
        related = [(each["type"], each["head"], each["tail"]) for each in record["relations"]]
        return [mentions, related], [each["score"] for each in (*record["entities"], *record["relations"])]

    ours, theirs = parts(answer), parts(expected)
    same = ours[0] == theirs[0]
    return same, same and bool(np.allclose(ours[1], theirs[1], rtol=0, atol=MOST_SCORE_CHANGE))


async def load(
    address: str, pid: int, texts: Sequence[str], expected: Sequence[Mapping[str, Any]], clients: int, seconds: float
) -> str:
    """Ask for `seconds` and return what was seen."""
    taken: list[float] = []
    counts = {"same": 0, "same scores": 0, "refused": 0}
    memory: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int, http: httpx2.AsyncClient) -> None:
        turn = number
        while time.perf_counter() < end:
            index = turn % len(texts)
            turn += clients
            start = time.perf_counter()
            answer = await http.post(f"{address}/predict", json={"text": texts[index]})
            taken.append(time.perf_counter() - start)
            if answer.status_code != 200:
                counts["refused"] += 1
                continue
            same, scores = alike(answer.json(), expected[index])
            counts["same"] += same
            counts["same scores"] += scores

    async def watch() -> None:
        while time.perf_counter() < end:
            memory.append(megabytes(pid))
            await asyncio.sleep(seconds / 12)

    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(timeout=120, limits=limits) as http:
        await asyncio.gather(watch(), *(client(number, http) for number in range(clients)))
    half, tail = np.quantile(taken, [0.5, 0.99])
    resident = ", ".join(f"{each:.0f}" for each in memory)
    return (
        f"{len(taken)} answers, {len(taken) / seconds:.1f} documents a second; median {half:.2f} s, p99 {tail:.2f} s; "
        f"{counts['same']} with the library's mentions and relations, {counts['same scores']} with its scores to "
        f"{MOST_SCORE_CHANGE:.0e}, {counts['refused']} refused; memory {resident} MiB"
    )


def bad_requests(address: str) -> Iterator[str]:
    """Send what should be refused; yield what came back."""
    with httpx2.Client(timeout=120) as http:
        cases = {
            "a body of 50 MB": {"content": json.dumps({"text": "ق" * 25_000_000}).encode()},
            "broken JSON": {"content": b'{"text": "'},
            "10,000 reports in one request": {"content": json.dumps({"reports": [{"text": "قصف"}] * 10_000}).encode()},
        }
        for name, body in cases.items():
            path = "/predict/batch" if "reports" in name else "/predict"
            answer = http.post(address + path, headers={"content-type": "application/json"}, **body)
            yield f"{name}: {answer.status_code} {answer.text[:120]}"
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as line:
        line.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
        )
    time.sleep(1)
    yield f"after a client that hung up: /ready {httpx2.get(f'{address}/ready').status_code}"


def answers(model: Path, texts: list[str], threads: int) -> tuple[list[Document], float]:
    """Return the library's documents and how many it reads in a second."""
    predictor = Predictor.from_pretrained(model, device="cpu", threads=threads)
    predictor.predict(texts[:8])
    start = time.perf_counter()
    found = predictor.predict(texts)
    return found, len(texts) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--words", type=int, default=40)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    texts = texts_of(arguments.words, arguments.documents * arguments.words)
    expected, rate = answers(arguments.model, texts, arguments.threads)
    print(f"library: {rate:.1f} documents of {arguments.words} words a second", flush=True)
    records = [each.to_dict() for each in expected]
    with service(arguments.model, arguments.threads) as (address, pid):
        print(asyncio.run(load(address, pid, texts, records, arguments.clients, arguments.seconds)), flush=True)
        for line in bad_requests(address):
            print(line, flush=True)


if __name__ == "__main__":
    main()
