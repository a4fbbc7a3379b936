"""``deepresearch.toml``, read and checked."""
