"""Verbs that make a model ready for others to call."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from marsad.cli.app import JsonOption, app, counted, needs, print_json, trained_on


class Quantisation(StrEnum):
    """What `marsad export --quantize` makes of the weights."""

    int8 = "int8"


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="Model folder, as training left it.")],
    out: Annotated[Path, typer.Argument(help="The new folder.")],
    quantize: Annotated[
        Quantisation | None, typer.Option(help="Weights as whole numbers: smaller, and faster on a CPU.")
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(metavar="DATA", help="Articles that both models must read alike; the model's own dev articles."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a folder that needs neither torch nor transformers to run, and check that it says what the model says."""
    from marsad import formats

    articles = formats.read_all(check or trained_on(model, "--check").dev)
    with needs("export"):
        from marsad.inference.export import export as run

    found = run(model, out, quantize=quantize.value if quantize else None, check=articles, threads=threads)
    if as_json:
        print_json(asdict(found))
        return
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    for rule, (before, after) in found.f1.items():
        typer.echo(f"{rule.replace('_', ' '):<18} F1 {100 * before:.1f}, exported {100 * after:.1f}")
    typer.echo(f"largest change of a score: {found.score_change:.2g}" + (f" ({found.where})" if found.where else ""))
    typer.echo(f"{counted(len(found.different), 'article')} of {len(articles)} read otherwise")
    typer.echo(f"{out}: {size / 1e6:.0f} MB", err=True)


@app.command()
def serve(
    model: Annotated[Path, typer.Argument(help="Model folder; an exported one needs no torch.")],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    backend: Annotated[str, typer.Option(help="auto, torch, torch-bf16, onnx.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    body_bytes: Annotated[int, typer.Option(min=1, help="Most bytes of one request.")] = 10_000_000,
    characters: Annotated[int, typer.Option(min=1, help="Most characters of one report.")] = 500_000,
    reports: Annotated[int, typer.Option(min=1, help="Most reports in one request.")] = 500,
    waiting: Annotated[int, typer.Option(min=1, help="Most reports that wait for the model.")] = 2_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="Longest that a request may take.")] = 60.0,
) -> None:
    """Answer over HTTP: /predict, /predict/batch, /health, /ready, /metrics, and a page to paste a report into."""
    from marsad.inference.predictor import Predictor

    with needs("serve"):
        import uvicorn

        from marsad.inference.server import Limits, create_app
    predictor = Predictor.from_pretrained(model, device=device, backend=backend, threads=threads)
    limits = Limits(body_bytes=body_bytes, characters=characters, reports=reports, waiting=waiting, seconds=seconds)
    uvicorn.run(create_app(predictor, limits), host=host, port=port, log_level="info")
