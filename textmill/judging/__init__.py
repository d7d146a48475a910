"""Judges models: scores, slices, comparisons and ensembles."""
