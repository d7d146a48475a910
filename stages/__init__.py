"""The stages of dvc.yaml: one script each, IO only."""
