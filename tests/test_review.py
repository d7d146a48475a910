"""A signed page, and what changed since a commit: made-up results in a real git repository."""

import json
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
from ruamel.yaml import YAML
from test_report import made_up, page
from typer.testing import CliRunner

from textmill.cli import app
from textmill.lockfile import hash_of
from textmill.review.changes import changes
from textmill.review.signing import replaced, sign
from textmill.timings import Timing
from textmill.verify.cache import cache_of

NAMES = ("linear", "lstm")
OUTS = ("predictions.parquet", "seeds.parquet", "scores.json", "summary.json")


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


class Project:
    """A folder with the results of two models, in git and in DVC's cache."""

    def __init__(self, folder: Path):
        self.folder, self.params = folder, {"models": {name: {"family": name} for name in NAMES}, "split": {}}
        models, self.said, self.actual, self.ids, *_ = made_up(NAMES, rows=400)
        self.models = models
        for one in models.values():
            one["scores"]["bundle_bytes"] = 5_000_000
        stages = {"evaluate": {"foreach": "${models}", "do": {}}, "compare": {}}
        self.yaml("dvc.yaml", {"stages": stages})
        (folder / ".gitignore").write_text("/report/\n*.parquet\nscores.json\nfit.json\n/.dvc/\n")
        git(folder, "init", "-q")
        (folder / "data/raw").mkdir(parents=True)
        (folder / "data/raw/manifest.json").write_text(
            '{"parts": [{"file": "reviews.csv", "sha256": "abcdef0123456789", "format": "csv"}]}'
        )
        self.made()
        self.commit()

    def yaml(self, path: str, value: object) -> None:
        with open(self.folder / path, "w") as file:
            YAML().dump(json.loads(json.dumps(value)), file)

    def made(self) -> None:
        """Writes what the stages write about the models as they are."""
        self.yaml("params.yaml", self.params)
        stages = {}
        for name, facts in self.models.items():
            home = self.folder / "metrics/models" / name
            home.mkdir(parents=True, exist_ok=True)
            rows = pl.DataFrame({"id": self.ids, "label": list(self.actual), "prediction": list(self.said[name])})
            rows = rows.with_columns(unit=pl.Series(range(400), dtype=pl.Int32))
            rows.write_parquet(home / OUTS[0])
            rows.clear().select(pl.lit(None, pl.Int64).alias("seed"), pl.all()).write_parquet(home / OUTS[1])
            right = float((rows["label"] == rows["prediction"]).mean())
            (home / "summary.json").write_text(json.dumps({"test_accuracy": right}))
            (home / "scores.json").write_text(json.dumps(facts["scores"]))
            (home / "fit.json").write_text(json.dumps(facts["fit"]))
            noted = {"machine": "Some CPU", "train_seconds": 12.5, "predict_documents_per_second": 4321.0}
            Timing(weights=facts["fit"]["weights"], **noted).write(home / "timing.json")
            stages[f"evaluate@{name}"] = ({f"models.{name}": self.params["models"][name]}, [home / one for one in OUTS])
        report = self.folder / "report"
        report.mkdir(exist_ok=True)
        found = {}
        (report / "index.html").write_text(page(names=NAMES, rows=400, tell=found.update))
        found["comparison"].write(report / "comparison.json")
        stages["compare"] = ({}, [report / "comparison.json", report / "index.html"])
        self.yaml("dvc.lock", {"schema": "2.0", "stages": {name: self.locked(*one) for name, one in stages.items()}})

    def locked(self, params: dict, outs: list[Path]) -> dict:
        """Returns an entry of dvc.lock, and puts the files that it names into the cache."""
        listed = [{"path": path.relative_to(self.folder).as_posix(), "md5": hash_of(path)} for path in outs]
        for path, one in zip(outs, listed, strict=True):
            held = cache_of(self.folder) / one["md5"][:2] / one["md5"][2:]
            held.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, held)
        return {"cmd": "", "deps": [], "outs": listed} | ({"params": {"params.yaml": params}} if params else {})

    def commit(self) -> str:
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", "Results")
        return git(self.folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    return Project(tmp_path)


def run_command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


def test_a_signed_page_adds_commit_machine_and_seconds(project):
    commit = git(project.folder, "rev-parse", "HEAD")
    plain = Path("report/index.html").read_text()
    line = f"report: report/signed.html is report/index.html with commit {commit[:7]} and the training times\n"
    assert run_command("report") == (0, line)
    signed = Path("report/signed.html").read_text()
    for text in (
        commit[:12],
        "no uncommitted changes",
        "Some CPU",
        "12.5",
        "4,321",
        "abcdef012345",
        f"git checkout {commit[:12]}",
    ):
        assert text in signed
        assert text not in plain
    assert "is not in a git repository" not in signed
    for name in ("signature", "cost"):
        plain, signed = (replaced(one, name, "") for one in (plain, signed))
    assert signed == plain

    project.params["models"]["lstm"]["dropout"] = 0.5
    project.made()
    assert "and 2 changed files and the training times" in run_command("report")[1]
    text = Path("report/signed.html").read_text()
    assert "with uncommitted changes</b> in params.yaml, dvc.lock" in text
    assert "git checkout" not in text


def test_a_page_that_is_out_of_date_is_not_signed(project):
    project.params["models"]["lstm"]["family"] = "gru"
    project.yaml("params.yaml", project.params)
    what = "models.lstm.family changed since evaluate@lstm ran; run `textmill repro`"
    assert run_command("report") == (4, f"error: report: report/index.html: {what}\n")
    project.made()
    Path("report/index.html").write_text("<p>")
    code, line = run_command("report")
    assert (code, line.count("\n")) == (4, 1)
    assert "report/index.html is not what dvc.lock says; `textmill repro` fixes it" in line
    assert run_command("report", "--out", "report/index.html")[0] == 2
    assert not Path("report/signed.html").exists()


def test_a_page_of_a_folder_without_git_says_so(project):
    shutil.rmtree(".git")
    assert sign(Path()).commit is None
    assert "not in a git repository with a commit" in Path("report/signed.html").read_text()


def test_equal_results_are_one_line(project):
    code, text = run_command("compare")
    assert code == 0
    assert "params.yaml is the same." in text
    assert "All models give the same answers on 400 test documents." in text
    assert "as before." in text


def test_changes_have_intervals_and_verdicts(project):
    before = project.commit() if git(project.folder, "status", "--porcelain") else "HEAD"
    project.said["lstm"] = project.actual.copy()
    project.said["lstm"][:4] = ["rotten" if one == "fresh" else "fresh" for one in project.actual[:4]]
    project.params["models"]["lstm"]["name|`"] = "a|b\n<i>"
    project.made()
    found = changes(before, project.folder)
    assert [(one.key, one.then) for one in found.params] == [("models.lstm.name|`", None)]
    by = {one.model: one for one in found.scores}
    assert by["linear"].same
    pair = by["lstm"].pair
    assert (pair.better, by["lstm"].now) == ("now", 0.99)
    assert pair.low < pair.difference < pair.high
    assert pair.difference == pytest.approx(0.99 - by["lstm"].then, abs=1e-6)
    text = run_command("compare", before)[1]
    assert "| **better** |" in text
    assert '| `models.lstm.name\\|\'` | – | `"a\\|b\\n<i>"` |' in text
    assert {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| `")} == {4}

    shutil.rmtree(cache_of(project.folder))
    text = run_command("compare", before)[1]
    assert "not judged: its predictions are not in DVC's cache" in text
    assert "is not in DVC's cache." in text


@pytest.mark.parametrize(
    ("revision", "code", "words"), [("nothing", 2, "no such revision"), ("HEAD~1", 4, "it has no dvc.lock")]
)
def test_a_revision_without_results_is_one_line(project, revision, code, words):
    git(project.folder, "rm", "-q", "--cached", "dvc.lock")
    git(project.folder, "commit", "-qm", "Without")
    git(project.folder, "add", "dvc.lock")
    git(project.folder, "commit", "-qm", "With")
    found, line = run_command("compare", revision)
    assert (found, line.count("\n")) == (code, 1)
    assert line.startswith("error: compare: ")
    assert words in line


def test_new_and_removed_models_are_rows(project):
    before = git(project.folder, "rev-parse", "HEAD")
    project.params["models"] = {"linear": {"family": "linear"}, "gru": {"family": "gru"}}
    project.models = {"linear": project.models["linear"], "gru": project.models["lstm"]}
    project.said["gru"] = project.said["lstm"]
    project.made()
    assert {one.model: one.why for one in changes(before, project.folder).scores} == {
        "linear": "", "gru": "new", "lstm": "removed",
    }  # fmt: skip
