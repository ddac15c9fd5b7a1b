"""Serve a model: `python scripts/serve.py MODEL [--port 8000]`."""

import sys

from marsad.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
