"""Export a model: `python scripts/export.py MODEL OUT [--quantize int8] [--check DATA]`."""

import sys

from marsad.cli import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])
