"""How long from `python` to the first answer, and in how much memory? A fresh process for each try.

python benchmarks/speed/startup.py MODEL [--rounds 5]
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

CODE = """
import json, resource, sys
from marsad import Predictor
found = Predictor.from_pretrained(sys.argv[1], device="cpu").predict(open("data/sample.txt", encoding="utf-8").read())
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"mentions": len(found.entities), "MiB": memory, "torch": "torch" in sys.modules}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    taken, seen = [], {}
    for _ in range(arguments.rounds):
        start = time.perf_counter()
        out = subprocess.run([sys.executable, "-c", CODE, str(arguments.model)], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
        seen = json.loads(out.stdout)
    print(
        f"{median(taken):.2f} s from python to the first answer (median of {arguments.rounds}), {seen['MiB']:.0f} MiB "
        f"resident at most, torch {'imported' if seen['torch'] else 'not imported'}, {seen['mentions']} mentions"
    )


if __name__ == "__main__":
    main()
