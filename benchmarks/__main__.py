"""Runs every `bench_*.py` of this folder but the hours of `bench_plans`, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

failed = 0
for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    if path.stem == "bench_plans":
        continue  # `make bench-plans`
    print(f"== {path.stem}", flush=True)
    failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False).returncode
sys.exit(failed)
