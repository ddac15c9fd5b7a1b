"""Predict on reports: `python scripts/predict.py MODEL INPUT... [-o OUT] [--format jsonl|conllup|csv]`."""

import sys

from marsad.cli import main

if __name__ == "__main__":
    main(["predict", *sys.argv[1:]])
