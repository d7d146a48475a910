"""What an experiment has: Textmill's runs, complete or cut off, deleted or not, and their logged models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmill.tracking import artifacts
from textmill.tracking.names import COMPLETE, KEY, PARENT
from textmill.tracking.sqlite import moved, place, relocate

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run


def experiment_of(client: "MlflowClient", dataset: str, file: Path | None) -> str:
    """Returns the id of the dataset's experiment; creates or restores it. file: of a sqlite store."""
    found = client.get_experiment_by_name(dataset)
    if found is None:
        return client.create_experiment(dataset, place(file, dataset) if file else None)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if file and moved(found.artifact_location, file, dataset):
        relocate(file, found.artifact_location, place(file, dataset))
    return found.experiment_id


class Experiment:
    """An experiment's runs and models as they were when it was opened, with what was written since."""

    def __init__(self, client: "MlflowClient", id_: str):
        self.client, self.id = client, id_
        models = _pages(lambda token: client.search_logged_models([id_], page_token=token))
        self.models: dict[str, LoggedModel] = {one.model_id: one for one in models}
        self.whole: dict[str, Run] = {}  # by key
        self.cut_off: list[Run] = []  # by a kill
        self.children: dict[str, list[Run]] = {}  # by the parent's id
        for run in self.runs():
            tags = run.data.tags
            if COMPLETE not in tags:
                self.cut_off.append(run)
            elif PARENT in tags:
                self.children.setdefault(tags[PARENT], []).append(run)
            elif tags[KEY] not in self.whole or not deleted(run):
                self.whole[tags[KEY]] = run

    def runs(self) -> Iterator["Run"]:
        """Yields all of Textmill's runs, deleted ones too."""
        from mlflow.entities import ViewType

        ours = f"tags.`{KEY}` LIKE '%'"
        return _pages(lambda token: self.client.search_runs([self.id], ours, ViewType.ALL, page_token=token))

    def models_of(self, run: "Run") -> list["LoggedModel"]:
        """Returns the logged models of a run, the complete one first. A retried request can make a second one."""
        found = [one for one in self.models.values() if one.source_run_id == run.info.run_id]
        return sorted(found, key=lambda model: model.status != "READY")

    def restore(self, run: "Run") -> None:
        """Restores a run and its seeds if they were deleted."""
        for one in [run, *self.children.get(run.info.run_id, [])]:
            if deleted(one):
                self.client.restore_run(one.info.run_id)

    def tidy(self) -> None:
        """Removes what was cut off: runs, and models that are not their run's only one."""
        for run in self.cut_off:
            self.remove(run)
        for run in self.whole.values():
            for model in self.models_of(run)[1:]:
                self._remove_model(model)

    def remove(self, run: "Run") -> None:
        """Deletes a run with its seeds, its models and all files. A server keeps what it deletes until `mlflow gc`."""
        for model in self.models_of(run):
            self._remove_model(model)
        for one in [*self.children.pop(run.info.run_id, []), run]:
            artifacts.delete(one.info.artifact_uri)
            if not deleted(one):
                self.client.delete_run(one.info.run_id)
            purge(self.client, run=one.info.run_id)

    def _remove_model(self, model: "LoggedModel") -> None:
        artifacts.delete(model.artifact_location)
        self.client.delete_logged_model(model.model_id)
        purge(self.client, model=model.model_id)
        del self.models[model.model_id]


def deleted(run: "Run") -> bool:
    """Returns whether a run was deleted and can be restored."""
    return bool(run.info.lifecycle_stage == "deleted")


def purge(client: "MlflowClient", run: str = "", model: str = "") -> None:
    """Removes a deleted run or model from a database for good; a server keeps it.

    Calls private methods of MLflow (tried with 3.17.2): the client has none for this, and `mlflow gc --run-ids ID` also
    removes every experiment, and without `--logged-model-ids` every model, that a person deleted and may want back.
    """
    store = client._tracking_client.store
    if run and hasattr(store, "_hard_delete_run"):
        store._hard_delete_run(run)
    if model and hasattr(store, "_hard_delete_logged_model"):
        store._hard_delete_logged_model(model)


def _pages(search: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yields the results of all pages of a search, which takes the token of a page."""
    token = None
    while True:
        page = search(token)
        yield from page
        if not (token := page.token):
            return
