"""Make the MLflow store agree with dvc.lock."""

from pathlib import Path

from textmill.config import PARAMS, load_section
from textmill.console import say
from textmill.files import sha256, write_json
from textmill.tracking import TrackingConfig, track


def main(lock: Path, comparison: Path, metrics: Path, receipt: Path, params: Path = PARAMS) -> None:
    """Writes what the store lacks, or nothing with `tracking.enabled: false`.

    The receipt names what was tracked. DVC does not cache it, so it is missing in a clone: otherwise nothing would have
    changed there, and the clone's store would stay empty.
    """
    enabled = load_section(params, "tracking", TrackingConfig).enabled
    say(track(lock, comparison, metrics) if enabled else "track: off (tracking.enabled: false)")
    write_json(receipt, {"comparison": sha256(comparison) if enabled else None})
