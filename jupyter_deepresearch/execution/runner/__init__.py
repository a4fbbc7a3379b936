"""One run in a process of its own: ``python -m jupyter_deepresearch.execution.runner RUN_DIR``."""
