"""Runs every `bench_*.py` of this folder, one after another, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

failed = 0
for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    print(f"== {path.stem}", flush=True)
    failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False).returncode
sys.exit(failed)
