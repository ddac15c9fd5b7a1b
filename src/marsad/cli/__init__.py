"""The `marsad` command: one thin function a verb."""

from __future__ import annotations

import sys

import typer

from marsad.cli import corpus, deploy, models, review, scores  # noqa: F401  (their verbs register themselves)
from marsad.cli.app import app
from marsad.errors import AnnotationError, MarsadError


def main(arguments: list[str] | None = None) -> None:
    """Run the command; leaves with exit code 1 where annotations or inputs are at fault, 2 for other mistakes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        app(arguments)
    except MarsadError as error:
        # Problems of files are lines of their own, which editors and grep find by the path they begin with.
        typer.echo(str(error) if isinstance(error, AnnotationError) else f"marsad: {error}", err=True)
        raise SystemExit(1 if isinstance(error, AnnotationError) else 2) from error
