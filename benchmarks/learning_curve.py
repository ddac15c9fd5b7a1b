"""How much more articles help: one recipe on nested parts of the training articles, the same number of updates each.

python benchmarks/learning_curve.py DATA... [--sizes 40 80 160 320] [--seeds 1 2] [--updates 1200] [--out runs/curve]

DATA are files or folders to score on, each in columns of its own. A part is the first articles in an order that
depends on their ids alone, so smaller parts are inside larger ones, and their genres mixed as in the whole. A run that
is finished is not made again, so the command can be stopped and started.
"""

import argparse
import json
from hashlib import blake2b
from pathlib import Path
from statistics import mean
from typing import Any

from marsad import Predictor, formats
from marsad.config import Config
from marsad.evaluation.scoring import score_predictor
from marsad.evaluation.tables import HEADLINES
from marsad.training.train import train


def part(config: Config, size: int) -> list[str]:
    """Return the files of the first `size` training articles."""
    files = sorted(formats.find_files(config.data.train), key=lambda file: blake2b(file.stem.encode()).digest())
    if size > len(files):
        raise SystemExit(f"{size} articles asked for, {', '.join(map(str, config.data.train))} has {len(files)}")
    return [str(file) for file in files[:size]]


def run(arguments: argparse.Namespace, size: int, seed: int) -> dict[str, dict[str, float]]:
    """Train on a part, score on every DATA, and return F1 by data and figure."""
    folder = Path(arguments.out) / f"{size}-articles-seed-{seed}"
    config = Config.from_file(
        arguments.config,
        [
            f"output={folder}",
            f"training.seed={seed}",
            f"training.max_steps={arguments.updates}",
            f"training.eval_steps={max(1, arguments.updates // 8)}",
            "early_stopping.patience=null",
        ],
    )
    files = part(config, size)
    config = config.model_copy(update={"data": config.data.model_copy(update={"train": files})})
    done = folder / "metrics.json"
    if done.is_file() and Config.from_file(folder / "config.yaml") != config:
        raise SystemExit(f"{folder} holds a run of another recipe or other articles: choose another --out")
    if not done.is_file():
        train(config, overwrite=True)
    predictor = Predictor.from_pretrained(folder / "model")
    found: dict[str, dict[str, float]] = {}
    for data in arguments.data:
        report = score_predictor(predictor, formats.read_all([data]))
        found[data] = {name: report.tables[name].micro.f1 for name in HEADLINES}
    (folder / "scores.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def print_table(data: str, results: dict[int, list[dict[str, Any]]]) -> None:
    """Print a line a size: the mean over the seeds and, behind it, each seed's figure."""
    print(f"\n{data} (F1, mean of seeds, each seed in brackets)")
    print(f"{'articles':>10}" + "".join(f"{name.replace('_', ' '):>28}" for name in HEADLINES))
    for size, runs in results.items():
        cells = []
        for name in HEADLINES:
            each = [100 * scores[data][name] for scores in runs]
            cells.append(f"{mean(each):.1f} ({' '.join(f'{figure:.1f}' for figure in each)})")
        print(f"{size:>10}" + "".join(f"{cell:>28}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="+")
    parser.add_argument("--config", default="configs/offline.yaml")
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 80, 160, 320])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--updates", type=int, default=1200)
    parser.add_argument("--out", default="runs/curve")
    arguments = parser.parse_args()
    results: dict[int, list[dict[str, Any]]] = {size: [] for size in arguments.sizes}
    for seed in arguments.seeds:
        for size in arguments.sizes:
            results[size].append(run(arguments, size, seed))
            print(f"{size} articles, seed {seed}: {results[size][-1]}", flush=True)
    for data in arguments.data:
        print_table(data, results)


if __name__ == "__main__":
    main()
