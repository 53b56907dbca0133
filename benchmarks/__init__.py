"""Measurements that take too long for the tests, each started with ``python -m benchmarks.<what>``."""
