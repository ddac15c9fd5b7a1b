"""Generated strings through the word splitter and through a predictor, every check of the tests on each.

python benchmarks/strings.py MODEL [--count 100000] [--seed 1]
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from any_string import check_prediction, check_words, generate
from marsad import Predictor, words

BLOCK = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    predictor = Predictor.from_pretrained(arguments.model)
    started, num_words, num_entities = time.perf_counter(), 0, 0
    texts = list(generate(arguments.count, arguments.seed))
    for first in range(0, len(texts), BLOCK):
        block = texts[first : first + BLOCK]
        for text, document in zip(block, predictor.predict(block), strict=True):
            check_words(text, words.split(text))
            check_prediction(text, document)
            num_words += len(document.words)
            num_entities += len(document.entities)
    seconds = time.perf_counter() - started
    print(f"{len(texts)} strings, {num_words} words, {num_entities} mentions: every check held ({seconds:.0f} s)")


if __name__ == "__main__":
    main()
