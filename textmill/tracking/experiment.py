"""An experiment as it is found: its runs of ours, whole and half, in the bin or not, and its logged models."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from textmill.tracking import files
from textmill.tracking.lookup import COMPLETE, FORM, KEY, PARENT
from textmill.tracking.store import moved, place, relocate

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run


def experiment_of(client: "MlflowClient", dataset: str, file: Path | None) -> str:
    """Id of the dataset's experiment; a deleted one is restored. Artifacts lie beside a sqlite file."""
    found = client.get_experiment_by_name(dataset)
    if found is None:
        return client.create_experiment(dataset, place(file, dataset) if file else None)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if file and moved(found.artifact_location, file, dataset):
        relocate(file, found.artifact_location, place(file, dataset))
    return found.experiment_id


class Store:
    """An experiment's runs of ours and its logged models, those that someone has thrown away among them."""

    def __init__(self, client: "MlflowClient", experiment: str):
        self.client, self.experiment = client, experiment
        self.models = {one.model_id: one for one in self._models()}
        self.whole: dict[str, Run] = {}  # by key
        self.half: list[Run] = []  # what a kill left
        self.old: list[Run] = []  # of an older form
        self.children: dict[str, list[Run]] = {}
        for run in self.runs():
            tags = run.data.tags
            if PARENT in tags:
                self.children.setdefault(tags[PARENT], []).append(run)
            elif COMPLETE not in tags:
                self.half.append(run)
            elif tags[COMPLETE] != FORM:
                self.old.append(run)
            elif tags[KEY] not in self.whole or not deleted(run):
                self.whole[tags[KEY]] = run

    def model_of(self, run: "Run") -> "LoggedModel | None":
        """What is served of a run."""
        return next((one for one in self.models.values() if one.source_run_id == run.info.run_id), None)

    def remove(self, run: "Run") -> None:
        """Delete a run with its seeds, its models and all files. A server keeps what it deletes for a while."""
        for child in self.children.get(run.info.run_id, []):
            self._delete(child)
        for model in [one for one in self.models.values() if one.source_run_id == run.info.run_id]:
            self.client.delete_logged_model(model.model_id)
            files.forget(model.artifact_location)
            self._for_good("_hard_delete_logged_model", model.model_id)
            del self.models[model.model_id]
        self._delete(run)

    def _delete(self, run: "Run") -> None:
        if not deleted(run):
            self.client.delete_run(run.info.run_id)
        files.forget(run.info.artifact_uri)
        self._for_good("_hard_delete_run", run.info.run_id)

    def _for_good(self, deed: str, which: str) -> None:
        """What `mlflow gc` does, for one run or model: a database has it, a server does not."""
        store = self.client._tracking_client.store
        if hasattr(store, deed):
            getattr(store, deed)(which)

    def runs(self) -> Iterator["Run"]:
        """All of ours."""
        from mlflow.entities import ViewType

        token, ours = None, f"tags.`{KEY}` LIKE '%'"
        while True:
            page = self.client.search_runs([self.experiment], ours, ViewType.ALL, page_token=token)
            yield from page
            if not (token := page.token):
                return

    def restore(self, run: "Run") -> None:
        """Take a run, and its seeds, out of the bin again."""
        for one in [run, *self.children.get(run.info.run_id, [])]:
            if deleted(one):
                self.client.restore_run(one.info.run_id)

    def _models(self) -> Iterator["LoggedModel"]:
        token = None
        while True:
            page = self.client.search_logged_models([self.experiment], page_token=token)
            yield from page
            if not (token := page.token):
                return


def deleted(run: "Run") -> bool:
    """Whether it is in the bin."""
    return bool(run.info.lifecycle_stage == "deleted")
