"""Does a stream of any length hold bounded memory? Resident memory after so many short documents.

python benchmarks/speed/stream.py MODEL [--documents 50000] [--words 12] [--threads 2]
"""

import argparse
import itertools
import time
from pathlib import Path

from texts import texts_of

from marsad import Predictor


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    texts = texts_of(arguments.words, 5_000 * arguments.words)
    predictor = Predictor.from_pretrained(arguments.model, device="cpu", threads=arguments.threads)
    start = time.perf_counter()
    endless = itertools.islice(itertools.cycle(texts), arguments.documents)
    for number, _ in enumerate(predictor.stream(endless), start=1):
        if number == 1000 or number % 5000 == 0:
            print(f"{number}: {resident():.0f} MiB, {number / (time.perf_counter() - start):.0f} a second", flush=True)


if __name__ == "__main__":
    main()
