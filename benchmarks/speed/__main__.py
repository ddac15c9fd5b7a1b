"""How fast is the predictor, beside the limit and beside others, on the same documents, weights and threads?

python benchmarks/speed MODEL [--words 25 250 2000] [--total 5000] [--rounds 5] [--threads 2] [--only NAME ...]

Documents are cut from the test articles, so many words each and so many in all. All systems are made and warmed up
first; then they run in turn, several rounds, and the table has the medians: words a second, and that as a share of
the encoder alone on our windows in fp32. Start-up and memory: `python benchmarks/speed/startup.py MODEL`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from systems import Job, systems
from texts import texts_of

REFERENCE = "encoder alone, our windows, fp32"


def seconds(jobs: dict[str, Job], rounds: int) -> dict[str, float]:
    """Return the median time of each job; a round runs all of them once, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for name, job in jobs.items():
        job()
        print(f"warm: {name}", flush=True)
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            taken[name].append(time.perf_counter() - start)
    return {name: median(each) for name, each in taken.items()}


def table(rates: dict[int, dict[str, float]], lengths: Sequence[int]) -> str:
    """Return words a second by system and length as a Markdown table."""
    columns = [f"{each} words" for each in lengths]
    lines = [f"| system | {' | '.join(columns)} |", f"| --- |{' --- |' * len(lengths)}"]
    for name in rates[lengths[0]]:
        cells = []
        for length in lengths:
            share = rates[length][name] / rates[length][REFERENCE] if REFERENCE in rates[length] else float("nan")
            cells.append(f"{rates[length][name]:,.0f} ({share:.2f})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--words", type=int, nargs="+", default=[25, 250, 2000])
    parser.add_argument("--total", type=int, default=5000, help="words in all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", nargs="+", help="systems whose name holds one of these")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    made = {
        name: make()
        for name, make in systems(arguments.model, arguments.threads).items()
        if not arguments.only or any(each in name for each in arguments.only)
    }
    rates: dict[int, dict[str, float]] = {}
    for length in arguments.words:
        texts = texts_of(length, arguments.total)
        taken = seconds({name: prepare(texts) for name, prepare in made.items()}, arguments.rounds)
        num_words = sum(text.count(" ") + 1 for text in texts)
        rates[length] = {name: num_words / each for name, each in taken.items()}
        print(f"{len(texts)} documents of {length} words: done", flush=True)
    print(f"\nWords a second, {arguments.threads} threads, medians of {arguments.rounds} rounds; ({REFERENCE} = 1)\n")
    print(table(rates, arguments.words))


if __name__ == "__main__":
    main()
