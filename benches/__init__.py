"""Benchmarks: ``python -m benches``. Each module with a ``main`` is one; tests hold no timings."""
