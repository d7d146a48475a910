"""The pipeline of dvc.yaml without DVC: the words of each stage, and a small project in which all of them ran."""

import importlib
import json
import shlex
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

from conftest import MODELS, ROOT, TRAIN, made_up

from textmill import stage
from textmill.config import as_yaml, load_params
from textmill.dag import TEMPLATE, dependencies, load_pipeline, outputs
from textmill.lockfile import hash_of

PARAMS: dict[str, Any] = {
    "seed": 3,
    "threads": 1,
    "dataset": {"name": "small", "source": "path", "path": "data/input/r.csv", "text": "text", "label": "label"},
    "clean": {},
    "split": {"validation": 0.2, "test": 0.2},
    "tokenizers": {"word": {"kind": "word", "min_freq": 2}},
    "train": TRAIN | {"epochs": 2, "seeds": [42, 7]},
    "models": {name: MODELS[name] for name in ("linear", "lstm")},
    "evaluate": {},
    "compare": {"alpha": 0.05},
    "tracking": {"enabled": False},
}


def words_of(name: str) -> list[str]:
    """Returns the words of a stage's command in the current folder: 'train@lstm' -> ['train', 'lstm', ...]."""
    base, _, item = name.partition("@")
    body, params = load_pipeline(Path("dvc.yaml"))["stages"][base], load_params(Path("params.yaml"))
    scope = {"key": item}
    if item:
        section = params[body["foreach"].strip("${}")][item]
        scope |= {f"item.{key}": value for key, value in section.items()}
    command = TEMPLATE.sub(lambda found: str(scope[found[1]]), body.get("do", body)["cmd"])
    return shlex.split(command)[3:]  # after `python -m textmill.stage`


def lock() -> None:
    """Writes dvc.lock for the outputs of the current folder, as DVC would; params are whole sections."""
    pipeline, params = load_pipeline(Path("dvc.yaml")), load_params(Path("params.yaml"))
    stages = {}
    for name in names():
        sides = {"deps": dependencies(name, pipeline, params), "outs": outputs(name, pipeline, params)}
        keys = {"seed": 3, "train": params["train"]} | {
            f"models.{one}": entry for one, entry in params["models"].items()
        }
        stages[name] = {"cmd": "python", "params": {"params.yaml": keys}}
        for side, paths in sides.items():
            there = [path for path in paths if Path(path).exists()]
            stages[name][side] = [{"path": path, "hash": "md5", "md5": hash_of(Path(path))} for path in there]
    text = as_yaml({"schema": "2.0", "stages": json.loads(json.dumps(stages))})  # without aliases
    Path("dvc.lock").write_text(text)


def names() -> list[str]:
    """Returns all stages but those that need a checkout or a store, in the order of dvc.yaml."""
    params = load_params(Path("params.yaml"))
    found = []
    for name, body in load_pipeline(Path("dvc.yaml"))["stages"].items():
        items = params[body["foreach"].strip("${}")] if "foreach" in body else None
        found += [f"{name}@{item}" for item in items] if items else [name]
    return [name for name in found if name not in ("code", "track")]


def finish(folder: Path) -> Path:
    """Makes a project in a new folder and runs its stages in this process. Returns the folder."""
    folder.mkdir()
    with chdir(folder):
        shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
        Path("params.yaml").write_text(as_yaml(PARAMS))
        for path in ("data/input", "digests"):
            Path(path).mkdir(parents=True)
        for model in PARAMS["models"]:
            for kind in ("train", "curve"):
                Path(f"digests/{kind}-{model}.txt").write_text("0123 textmill\n")
        made_up().select("text", "label").write_csv("data/input/r.csv")
        for name in names():
            script, *words = words_of(name)
            main = importlib.import_module(f"stages.{script}").main
            main(*stage._arguments(main, words))
    return folder
