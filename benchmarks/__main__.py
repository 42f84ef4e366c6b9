"""Runs the benchmarks that take minutes, one after another, each in a process of its own.

Those that take longer have a target of their own in the Makefile.
"""

import subprocess
import sys

SHORT = ("bench_precisions", "bench_races")

failed = 0
for name in SHORT:
    print(f"== {name}", flush=True)
    failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
sys.exit(failed)
