"""Benchmarks: they print tables with ratios and write `bench/results/*.json`. No test ever asserts one of them."""
