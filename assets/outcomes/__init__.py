"""Statistics: pure functions on aggregated counts."""
