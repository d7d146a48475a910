"""The script that torchrun starts in test_distributed: several trainings; in the last, torchrun is killed."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from stages import train
from textmill.stage import run
from textmill.training import checkpoint


def main(trainings: str) -> None:
    """trainings: the arguments of `stages.train` for each."""
    *whole, killed = json.loads(trainings)
    for name, *paths in whole:
        train.main(name, *map(Path, paths))
        print(f"-- end of {name}")
    kill_after(3)
    name, *paths = killed
    train.main(name, *map(Path, paths))


def kill_after(epoch: int) -> None:
    """Kills torchrun as soon as that epoch is saved."""
    save, torchrun = checkpoint.save, os.getppid()

    def kill(folder: Path, facts: dict[str, Any], *rest: Any) -> None:
        save(folder, facts, *rest)
        if facts["epoch"] == epoch:
            os.kill(torchrun, signal.SIGKILL)
            while os.getppid() == torchrun:  # a signal reports its death to this process
                time.sleep(0.01)

    checkpoint.save = kill


if __name__ == "__main__":
    run("ranks", lambda: main, sys.argv[1:])
