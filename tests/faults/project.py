"""A project of made-up reviews that has run once, undisturbed, and how a stage's files differ from that run."""

import hashlib
import random
import shutil
from pathlib import Path

from conftest import MODELS, made_up
from test_pipeline import repro, workspace, write

from textmill import lockfile
from textmill.config import load_params
from textmill.dag import outputs, stage_names

VARIES = ("timing.json", "mlflow.db", "tracked.json")  # other bytes each time
TRACK = "track"
STORE = ("mlflow.db", "mlartifacts")  # which `track` writes, and which is no output


def prepare(folder: Path) -> None:
    """Makes a project with a linear model and a network, and runs it."""
    workspace(folder, made_up())
    params = load_params(folder / "params.yaml")
    params["models"] = {name: MODELS[name] for name in ("linear", "cnn")}
    params["compare"]["ensembles"] = {}
    write(folder, params)
    repro(folder)


class Project:
    """A folder whose pipeline has run, a copy of it, and the digest of each file that a stage wrote."""

    def __init__(self, folder: Path, copy: Path):
        self.folder = folder.resolve()
        self.copy = Path(shutil.copytree(self.folder, copy, symlinks=True))
        self.lock = (self.folder / lockfile.LOCK).read_bytes()
        pipeline, params = load_params(folder / "dvc.yaml"), load_params(folder / "params.yaml")
        self.pipeline, self.params = pipeline, params
        entries = lockfile.entries(self.lock.decode())
        names = [name for name in stage_names(pipeline, params, entries) if name in entries]
        self.stages = [name for name in names if name != "code"]  # which DVC does not cache
        self.commands = {name: _command(entries[name]) for name in names}
        self.outs = {name: [self.folder / path for path in outputs(name, pipeline, params)] for name in names}
        self.whole = {name: self.found(name) for name in names}

    def some(self, count: int, chance: random.Random) -> list[str]:
        """Returns `count` stages, of which each comes several times, because it must first run undisturbed."""
        return chance.choices(chance.sample(self.stages, min(len(self.stages), -(-count // 4))), k=count)

    def found(self, stage: str) -> dict[Path, str]:
        """Returns the digest of each file in the stage's outputs."""
        files = [file for out in self.outs[stage] for file in ([out] if out.is_file() else out.rglob("*"))]
        return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()}

    def clear(self, stage: str) -> None:
        """Deletes the stage's outputs, as DVC does before it starts a stage; for `track` also the store."""
        store = [self.folder / name for name in STORE] if stage == TRACK else []
        for out in (*self.outs[stage], *store):
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)

    def restore(self, stage: str) -> None:
        """Puts back what the undisturbed run wrote."""
        self.clear(stage)
        for file in self.whole[stage]:
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.kept(file), file)
        for left in self.leftovers():
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def restore_all(self) -> None:
        """Puts back all that the undisturbed run wrote, and dvc.lock."""
        for stage in self.stages:
            self.restore(stage)
        (self.folder / lockfile.LOCK).write_bytes(self.lock)

    def kept(self, file: Path) -> Path:
        """Returns a file's copy in the undisturbed run."""
        return self.copy / file.relative_to(self.folder)

    def partial(self, stage: str) -> list[str]:
        """Returns the outputs that are neither missing nor as in the undisturbed run."""
        files = self.found(stage).items()
        return [self.name(f) for f, md5 in files if f.name not in VARIES and self.whole[stage].get(f) != md5]

    def missing(self, stage: str) -> list[str]:
        return sorted(map(self.name, self.whole[stage].keys() - self.found(stage).keys()))

    def leftovers(self) -> list[Path]:
        """Returns temporary files and folders, which a stage deletes unless it is killed."""
        return [path for place in ("data", "metrics", "report") for path in (self.folder / place).rglob(".*.part")]

    def differing(self) -> list[str]:
        """Returns what differs from the undisturbed run, after a whole run: outputs, dvc.lock, leftovers."""
        found = [name for stage in self.stages for name in (*self.partial(stage), *self.missing(stage))]
        found += [] if (self.folder / lockfile.LOCK).read_bytes() == self.lock else ["dvc.lock"]
        return found + list(map(self.name, self.leftovers()))

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _command(entry: str) -> str:
    from ruamel.yaml import YAML

    (stage,) = YAML(typ="safe").load(entry).values()
    return stage["cmd"]
