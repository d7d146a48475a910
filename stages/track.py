"""Make the MLflow store agree with dvc.lock."""

from pathlib import Path

from stages.run import run
from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.tracking import TrackingConfig, track


def main(lock: Path, comparison: Path, timings: Path, params: Path = PARAMS) -> None:
    """Write what is missing there; with `tracking.enabled: false`, nothing."""
    if not load_section(params, "tracking", TrackingConfig).enabled:
        say("track: off (tracking.enabled: false)")
        return
    say(track(lock, comparison, timings))


if __name__ == "__main__":
    run(main)
