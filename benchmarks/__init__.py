"""What the product costs, measured on real parts: ``python -m benchmarks [NAME ...] [--quick]``.

Each module has ``measure(quick) -> Result``; ``__main__`` prints its table and ends with 1 where a "must" is broken.
"""
