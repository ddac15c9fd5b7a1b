"""The experiments still run: every variant of the screen, on tiny data, through the command."""

import subprocess
import sys
from pathlib import Path

import yaml

from marsad.config import Config

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "benchmarks" / "experiments"


def test_every_variant_of_the_screen_trains_and_is_scored(learn_by_heart: Config, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(learn_by_heart.to_yaml(), encoding="utf-8")
    plan = yaml.safe_load((EXPERIMENTS / "screen.yaml").read_text(encoding="utf-8"))
    steps = ["training.max_steps=2", "training.eval_steps=2", "heads.relation_hidden=16"]
    plan |= {
        "config": str(tmp_path / "config.yaml"),
        "set": steps,
        "articles": None,
        "score": {"dev": str(learn_by_heart.data.dev[0])},
    }
    plan["variants"]["longer"]["set"] = steps
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    command = [sys.executable, str(EXPERIMENTS), str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-3000:]
    for name in plan["variants"]:
        assert f"\n| {name} | " in result.stdout
    scores = tmp_path / "out" / "spert-seed-1" / "scores.json"
    before = scores.stat().st_mtime_ns
    again = subprocess.run(
        [*command, "--only", "spert"], capture_output=True, text=True, encoding="utf-8", check=True, cwd=ROOT
    )
    assert scores.stat().st_mtime_ns == before
    assert result.stdout.endswith(again.stdout.partition("done\n")[2])
    plan["variants"]["spert"]["set"] = ["heads.dropout=0.5"]
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    other = subprocess.run(
        [*command, "--only", "spert"], capture_output=True, text=True, encoding="utf-8", check=False, cwd=ROOT
    )
    assert (other.returncode, "was made by another recipe" in other.stderr) == (1, True)
