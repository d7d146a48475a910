"""The stages of dvc.yaml: one script each, which only reads and writes."""
