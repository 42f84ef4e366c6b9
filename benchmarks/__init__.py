"""Benchmarks: each file here prints ratios measured in one run. `make bench` runs them all."""
