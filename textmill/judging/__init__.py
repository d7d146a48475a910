"""How good a model is, and which is better: scores, groups, comparisons, ensembles."""
