"""Score a model: `python scripts/evaluate.py MODEL DATA... [--gold-entities] [--json]`."""

import sys

from marsad.cli import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
