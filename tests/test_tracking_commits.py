"""`track` of commits that are not checked out."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from stores import LOCK, commit, content, git, md5, project

from textmill.errors import ArtifactError, ParamsError
from textmill.tracking import track_all, track_commit

pytest_plugins = ["stores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain")]


def test_the_store_of_all_commits_is_what_track_had_written_commit_by_commit(committed, monkeypatch):
    project()
    for state in (("rnn",), ("linear", " "), ("rnn", "", "1" * 32), ("linear",)):
        commit(*state)
        project()
    before = content()
    assert len(before["versions"]) == 3  # linear, rnn and the other linear; the first is the champion again
    Path("mlflow.db").unlink()
    shutil.copytree(Path.cwd(), "../second", ignore=shutil.ignore_patterns("mlartifacts"))
    monkeypatch.chdir("../second")  # elsewhere, because MLflow keeps the deleted file open
    *lines, last = track_all(Path())
    assert lines == ["track: 5 of 5 commits (5 runs are new)"]
    assert "(0 new), champion linear = textmill-reviews v1" in last
    assert content() == before

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textmill.tracking.opened", lambda uri: pytest.fail("mlflow was opened"))
        assert list(track_all(Path()))[-1] == last
    assert "(0 new)" in project()
    assert content() == before


def test_an_older_commit_adds_its_runs_and_leaves_the_champion(committed):
    commit("rnn", " ")
    project()
    assert "(1 new)" in track_commit(committed, Path())
    with closing(sqlite3.connect("mlflow.db")) as connection:
        rows = connection.execute(
            "SELECT name, value FROM runs JOIN tags USING (run_uuid) WHERE key = 'mlflow.source.git.commit'"
        ).fetchall()
        assert connection.execute("SELECT alias, version FROM registered_model_aliases").fetchall() == [("champion", 1)]
    assert sorted(name for name, value in rows if value == committed) == ["both", "linear"]
    assert "(0 new)" in project()


def test_results_that_are_committed_later_get_their_commit(committed):
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "\n")
    project()
    with closing(sqlite3.connect("mlflow.db")) as connection:
        tags = (
            "SELECT DISTINCT value FROM tags WHERE key = ?",
            "SELECT DISTINCT tag_value FROM logged_model_tags WHERE tag_key = ?",
        )

        def origin():
            keys = "git.dirty", "mlflow.source.git.commit"
            return [{value for query in tags for (value,) in connection.execute(query, [key])} for key in keys]

        assert origin() == [{"yes"}, {committed}]
        git("commit", "-qam", "results")
        now = git("rev-parse", "HEAD")
        assert "(0 new)" in project()
        assert origin() == [{"no"}, {now}]
        ((reason,),) = connection.execute("SELECT description FROM model_versions")
    assert reason.endswith(f"; commit {now[:7]}.")


def test_what_cannot_be_recorded_is_one_line(committed):
    for name, text in {"empty": None, "other": "schema: '2.0'\nstages:\n  a:\n    cmd: b\n"}.items():
        LOCK.write_text(text) if text else LOCK.unlink()
        git("add", "-A")
        git("commit", "-qm", name)
        git("branch", name)
    commit("linear", " ")
    held = md5(Path("data/models/linear/config.json"))
    (Path(".dvc/cache/files/md5") / held[:2] / held[2:]).unlink()
    for revision, error, says in (
        ("nothing", ParamsError, r"'nothing': no such revision"),
        ("-x", ParamsError, r"'-x': no such revision"),
        ("empty", ArtifactError, r"empty .*: no dvc.lock in it"),
        ("other", ArtifactError, r"other .*: its dvc.lock names no comparison.json"),
        ("HEAD", ArtifactError, r"^data/models/linear: not in DVC's cache"),
    ):
        with pytest.raises(error, match=says):
            track_commit(revision, Path())
    *left_out, found, last = track_all(Path())
    assert [line.partition(":")[0] for line in left_out] == ["track"] * 3
    assert found == "track: 1 of 4 commits (2 runs are new)"
    assert "champion linear" in last
