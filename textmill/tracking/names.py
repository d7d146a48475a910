"""The tags and aliases by which Textmill's runs, models and versions are found. Needs no MLflow."""

# Tags of runs. COMPLETE is set last: a run without it was cut off. BUNDLE is also a tag of models and versions.
KEY, BUNDLE, COMPLETE = "textmill.key", "textmill.bundle", "textmill.complete"
KIND, MODEL, PARENT = "kind", "model", "mlflow.parentRunId"  # KIND: model, seed, ensemble or baseline
SEEDS = "seeds"  # how many child runs a model's run has
LATEST = "latest"  # the runs of the last comparison
DIRTY = "git.dirty"  # yes: params or code were not those of the commit
NOTE = "mlflow.note.content"  # the description that MLflow's pages show
SHOWN = "textmill.shown"  # an experiment's last tag: digest of the snapshot that its pages show
CHAMPION, PREVIOUS = "champion", "previous"  # aliases of versions; the first is also a tag of runs


def registered_name(dataset: str) -> str:
    """Returns the name of the registered model."""
    return f"textmill-{dataset}"
