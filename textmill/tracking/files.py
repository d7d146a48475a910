"""The files of a run and of its model: put there in one go, listed in one of them, and looked for by that list."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from textmill.bundle import Config
from textmill.records.history import HISTORY, read_history
from textmill.records.mistakes import Mistakes
from textmill.records.scores import Scores
from textmill.report.plots import confusion_figure, curves_figure
from textmill.tracking.outputs import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

LIST = "files.json"  # of a run: the size of each file of it and of its model, by path
UNLISTED = {LIST, "__pycache__", "registered_model_meta"}  # the others come with loading
TABLE = "a-errors.json"  # a name that sorts first: the view that compares artifacts opens on it
TABLE_TAG = {"mlflow.loggedArtifacts": json.dumps([{"path": TABLE, "type": "table"}])}


def put(
    client: "MlflowClient", run: "Run", model: "LoggedModel", result: Result, config: Config, params: Mapping[str, str]
) -> None:
    """Log all files of a result: those of its stages, pictures of them, and the model that is served."""
    from textmill.tracking.served import save

    run_id, images = run.info.run_id, local(run.info.artifact_uri)
    if images:
        shutil.rmtree(images / "images", ignore_errors=True)  # a picture that is logged again has another name
    scores, mistakes = Scores.read(result.outs[Scores.FILE].path), Mistakes.read(result.outs[Mistakes.FILE].path)
    history = read_history(result.outs[HISTORY].path)
    confusion = confusion_figure(scores.labels, scores.confusion)
    with TemporaryDirectory(prefix="textmill-track-") as temporary:
        folder = Path(temporary) / "run"
        folder.mkdir()
        for name, out in result.outs.items():
            (folder / name).symlink_to(out.path.resolve())
        rows = [[one.text, one.prediction, one.label, one.confidence, one.id] for one in mistakes.root]
        _json(folder / TABLE, {"columns": ["text", "prediction", "label", "confidence", "id"], "data": rows})
        _json(folder / "confusion.json", {"labels": scores.labels, "confusion": scores.confusion})
        _json(folder / "params.json", dict(params))
        confusion.savefig(folder / "confusion.png")
        curves_figure(history, result.name).savefig(folder / "curves.png")
        client.log_artifacts(run_id, temporary + "/run")
        client.log_image(run_id, _picture(confusion), key="confusion", step=0, timestamp=run.info.start_time)
        save(Path(temporary) / "model", model.model_id, run_id, result, config)
        client.log_model_artifacts(model.model_id, temporary + "/model")
    client.finalize_logged_model(model.model_id, "READY")


def seal(client: "MlflowClient", run: "Run", model: "LoggedModel") -> None:
    """List all that is there now; where files are on a server, nothing."""
    folders = {"run": local(run.info.artifact_uri), "model": local(model.artifact_location)}
    sizes = {name: _sizes(folder) for name, folder in folders.items() if folder}
    client.log_dict(run.info.run_id, sizes, LIST)


def whole(run: str, model: str) -> bool | None:
    """Whether the folders, given as URIs, hold all that was listed; None where they are on a server."""
    folders = {"run": local(run), "model": local(model)}
    if not folders["run"] or not folders["model"]:
        return None
    try:
        listed = json.loads((folders["run"] / LIST).read_bytes())
        return all(
            (folder / path).stat().st_size == size
            for name, folder in folders.items()
            if folder
            for path, size in listed[name].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def there(client: "MlflowClient", run: "Run", model: "LoggedModel") -> bool:
    """`whole`; of a server's files, whether it has the last one of the run, and any of the model."""
    found = whole(run.info.artifact_uri, model.artifact_location)
    if found is not None:
        return found
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    return LIST in files and bool(client.list_logged_model_artifacts(model.model_id))


def local(uri: str) -> Path | None:
    """The folder that a URI names on this machine."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri) if not parts.scheme else None


def _sizes(folder: Path) -> dict[str, int]:
    found = [one for one in folder.rglob("*") if one.is_file() and not UNLISTED & {*one.parts}]
    return {one.relative_to(folder).as_posix(): one.stat().st_size for one in sorted(found)}


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def _picture(figure: "Figure") -> Any:
    """What a figure shows, as an array (H, W, 3) of bytes."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def forget(uri: str) -> None:
    """Delete a folder that a URI names, and the one above it, which is named as the run; a server's are left to it."""
    if folder := local(uri):
        shutil.rmtree(folder.parent if folder.name == "artifacts" else folder, ignore_errors=True)
