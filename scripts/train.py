"""Train a model: `python scripts/train.py --config configs/offline.yaml [--set KEY=VALUE] [--resume]`."""

import sys

from marsad.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
