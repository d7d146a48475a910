"""The files of a run and of its model: logged in one go, listed in one of them, and checked against that list."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from textmill.bundle import read_config
from textmill.files import scratch
from textmill.records.history import HISTORY, read_history
from textmill.records.mistakes import Mistakes
from textmill.records.scores import Scores
from textmill.report.plots import confusion_figure, curves_figure
from textmill.tracking.snapshot import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

LIST = "files.json"  # of a run: the size of each of its files and of its model's, by path
UNLISTED = {LIST, "__pycache__", "registered_model_meta"}  # the last two appear when a model is loaded
ERRORS = "a-errors.json"  # sorts first: MLflow's artifact view opens on it
ERRORS_TAG = {"mlflow.loggedArtifacts": json.dumps([{"path": ERRORS, "type": "table"}])}


def put(client: "MlflowClient", run: "Run", model: "LoggedModel", result: Result, params: Mapping[str, str]) -> None:
    """Logs all files of a result: the outputs of its stages, pictures of them and the model to load."""
    from textmill.tracking.packaging import save

    run_id, images = run.info.run_id, local(run.info.artifact_uri)
    if images:
        shutil.rmtree(images / "images", ignore_errors=True)  # an image that is logged again gets another name
    scores, mistakes = Scores.read(result.outs[Scores.FILE].path), Mistakes.read(result.outs[Mistakes.FILE].path)
    confusion = confusion_figure(scores.labels, scores.confusion)
    with scratch() as temporary:
        folder = temporary / "run"
        folder.mkdir()
        for name, out in result.outs.items():
            (folder / name).symlink_to(out.path.resolve())
        rows = [[one.text, one.prediction, one.label, one.confidence, one.id] for one in mistakes.root]
        _json(folder / ERRORS, {"columns": ["text", "prediction", "label", "confidence", "id"], "data": rows})
        _json(folder / "confusion.json", {"labels": scores.labels, "confusion": scores.confusion})
        _json(folder / "params.json", dict(params))
        confusion.savefig(folder / "confusion.png")
        curves_figure(read_history(result.outs[HISTORY].path), result.name).savefig(folder / "curves.png")
        client.log_artifacts(run_id, str(folder))
        client.log_image(run_id, _pixels(confusion), key="confusion", step=0, timestamp=run.info.start_time)
        saved = temporary / "model"
        save(saved, model.model_id, run_id, result, read_config(result.bundle.path))
        client.log_model_artifacts(model.model_id, str(saved))
    client.finalize_logged_model(model.model_id, "READY")
    write_list(client, run, model)


def write_list(client: "MlflowClient", run: "Run", model: "LoggedModel") -> None:
    """Lists the files that are there now; lists none that are on a server."""
    folders = {"run": local(run.info.artifact_uri), "model": local(model.artifact_location)}
    client.log_dict(run.info.run_id, {name: _sizes(folder) for name, folder in folders.items() if folder}, LIST)


def complete(run: str, model: str) -> bool | None:
    """Returns whether the folders, given as URIs, have all that is listed; None if they are on a server."""
    run_folder, model_folder = local(run), local(model)
    if not run_folder or not model_folder:
        return None
    try:
        listed = json.loads((run_folder / LIST).read_bytes())
        return all(
            (folder / path).stat().st_size == size
            for name, folder in (("run", run_folder), ("model", model_folder))
            for path, size in listed[name].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def present(client: "MlflowClient", run: "Run", model: "LoggedModel") -> bool:
    """Returns `complete`; on a server, whether the run has its last file and the model has any."""
    found = complete(run.info.artifact_uri, model.artifact_location)
    if found is not None:
        return found
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    return LIST in files and bool(client.list_logged_model_artifacts(model.model_id))


def delete(uri: str) -> None:
    """Deletes the folder that a URI names, with the one above it, which is named after the run; none on a server."""
    if folder := local(uri):
        shutil.rmtree(folder.parent if folder.name == "artifacts" else folder, ignore_errors=True)


def local(uri: str) -> Path | None:
    """Returns the folder that a URI names on this machine."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri) if not parts.scheme else None


def _sizes(folder: Path) -> dict[str, int]:
    found = [one for one in folder.rglob("*") if one.is_file() and not UNLISTED & {*one.parts}]
    return {one.relative_to(folder).as_posix(): one.stat().st_size for one in sorted(found)}


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def _pixels(figure: "Figure") -> Any:
    """Returns a figure as an array of bytes (H, W, 3)."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
