"""Kills inside `track`, and stores that are damaged, locked, moved, of another version or full of leftovers."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import chdir, closing
from pathlib import Path

import pytest
from conftest import HANGS, ROOT, small_disk
from stores import REGISTERED, choose, content, forget, project, runs, write_lock

from textmill.errors import ResourceError
from textmill.tracking import artifacts, sqlite
from textmill.tracking.experiment import Experiment

pytest_plugins = ["stores"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain")]

# What changes a store, in MLflow's client.
CHANGES = [
    *("create_experiment", "create_run", "create_logged_model", "log_outputs", "log_inputs", "log_batch"),
    *("log_artifacts", "log_artifact", "log_image", "log_model_artifacts", "finalize_logged_model", "log_dict"),
    *("set_terminated", "set_tag", "delete_tag", "update_model_version", "set_registered_model_alias"),
    *("set_experiment_tag", "delete_run", "delete_logged_model", "delete_model_version"),
]


class Killed(BaseException):
    """Nothing of Textmill or MLflow catches it."""


def kill():
    raise Killed


def kill_after(calls, patch, names=CHANGES, kill=kill):
    """Kills the process after this many calls of these methods of MLflow's client."""
    from mlflow import MlflowClient

    left = iter(range(calls))

    def counted(does):
        def call(*args, **kwargs):
            if next(left, None) is None:
                kill()
            return does(*args, **kwargs)

        return call

    for name in names:
        patch.setattr(MlflowClient, name, counted(getattr(MlflowClient, name)))


def test_killed_inside_it_leaves_nothing_twice(fresh, monkeypatch):
    ends = 0
    for calls in (2, 6, 11, 17, 24, 32, 41, 51):  # each continues where the one before it was killed
        with monkeypatch.context() as patch:
            kill_after(calls, patch)
            try:
                project()
            except Killed:
                ends += 1
    assert ends >= 6
    project()
    found = content()
    assert not list(Path().glob(".*.part"))
    shutil.copytree(fresh, "../undisturbed", ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
    monkeypatch.chdir("../undisturbed")
    project()
    assert content() == found


KILL_9 = """
import os, signal
from stores import project
from test_tracking_faults import kill_after

class Patch:
    setattr = staticmethod(setattr)
kill_after(0, Patch, ["log_model_artifacts"], kill=lambda: os.kill(os.getpid(), signal.SIGKILL))
project()
"""


def test_killed_with_a_signal_it_continues(fresh, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
    Path("temporary").mkdir()
    monkeypatch.setenv("TMPDIR", "temporary")
    done = subprocess.run([sys.executable, "-c", KILL_9], timeout=HANGS, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert list(Path("temporary").glob(".textmill.*"))
    monkeypatch.setattr(tempfile, "tempdir", "temporary")
    assert "(2 new)" in project()
    assert "(0 new)" in project()
    assert len(content()["models"]) == 2
    assert not list(Path("temporary").glob(".textmill.*"))


@pytest.mark.parametrize("calls", [0, 1])
def test_killed_before_the_alias_moves_the_old_champion_stays(client, calls):
    """With 0 calls, before `previous` is set; with 1, between `previous` and `champion`."""
    config = Path("data/models/rnn/config.json")
    config.write_text(config.read_text() + "\n")
    write_lock()
    choose("rnn")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_after(calls, patch, ["set_registered_model_alias"])
        project()
    champion = client.get_model_version_by_alias(REGISTERED, "champion")
    assert (champion.tags["model"], str(champion.version)) == ("linear", "1")
    assert "(0 new), champion rnn = textmill-reviews v2" in project()
    aliases = client.get_registered_model(REGISTERED).aliases
    assert {alias: str(number) for alias, number in aliases.items()} == {"champion": "2", "previous": "1"}


def test_a_seed_that_was_cut_off_is_written_again(client):
    before = content()
    (seed,) = runs(client, filter_string="attributes.run_name = 'rnn seed 7'")
    client.delete_tag(seed.info.run_id, "textmill.complete")
    assert "(0 new)" in project()
    assert content() == before


def test_what_is_removed_is_no_longer_in_the_database(client):
    """Fails if MLflow removes the private methods that `purge` calls: deleted rows would pile up."""
    (run,) = runs(client, filter_string="attributes.run_name = 'rnn'")
    found = Experiment(client, run.info.experiment_id)
    found.remove(run)
    assert sorted(one.info.run_name for one in found.runs()) == ["always bad", "both", "linear"]
    with closing(sqlite3.connect("mlflow.db")) as connection:
        assert connection.execute("SELECT name FROM logged_models").fetchall() == [("linear",)]


def test_deleted_files_come_back(fresh):
    project()
    before = content()
    with closing(sqlite3.connect("mlflow.db")) as connection:
        (model,) = connection.execute("SELECT artifact_location FROM logged_models WHERE name = 'linear'").fetchone()
        (run,) = connection.execute("SELECT artifact_uri FROM runs WHERE name = 'linear'").fetchone()
    model, run = artifacts.local(model), artifacts.local(run)
    bundle = next(model.rglob("model.safetensors"))
    some = (run / "scores.json", run / "images", run / "report")
    for gone in ([Path("mlartifacts")], [run], [model], some, [bundle]):
        for one in gone:
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        assert "(0 new)" in project()
        assert content() == before, gone
    bundle.write_bytes(b"cut")
    assert "(0 new)" in project()
    assert content() == before


def test_a_folder_that_was_copied_has_files_of_its_own(fresh):
    project()
    before = content()
    shutil.copytree(fresh, "../second", ignore=shutil.ignore_patterns("mlartifacts"))
    forget()
    with chdir("../second"):
        assert "(0 new), champion linear" in project()
        assert content() == before
    assert content() == before


def damage(file, how):
    """Damages a store, or makes it one of another version."""
    if how == "header":
        file.write_bytes(b"not a database" * 1000)
    elif how == "truncated":
        os.truncate(file, file.stat().st_size // 2)
    elif how == "page":
        with open(file, "rb+") as opened:
            opened.seek(4096 * 5)
            opened.write(b"\xff" * 4096)
    else:
        with closing(sqlite3.connect(file)) as connection, connection:
            if how == "foreign":
                connection.executescript("DROP TABLE alembic_version; CREATE TABLE films (title TEXT)")
            else:
                _, older = sqlite.versions()
                version = {"older": max(older), "newer": "f" * 12}[how]
                connection.execute("UPDATE alembic_version SET version_num = ?", [version])


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("header", "file is not a database"),
        ("truncated", "database disk image is malformed"),
        ("page", "(damaged|malformed)"),
        ("foreign", "not a store of MLflow"),
        ("older", "an older MLflow wrote it; run `mlflow db upgrade sqlite:///.*mlflow.db`, or"),
        ("newer", "a newer MLflow wrote it; install that one, or"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_line_that_names_it(copy, capfd, how, says):
    file = Path("mlflow.db")
    damage(file, how)
    write_lock(code="3" * 32)  # something new, so that all of the file is looked at
    before, results = file.read_bytes(), Path("metrics/rnn/scores.json").read_bytes()
    with pytest.raises(ResourceError, match=rf"^{file.resolve()}: .*{says}.*move it away: `textmill track` makes"):
        project()
    assert capfd.readouterr() == ("", "")
    assert (file.read_bytes(), Path("metrics/rnn/scores.json").read_bytes()) == (before, results)


def test_the_version_of_mlflows_tables_is_read_without_importing_it():
    from mlflow.store.db.utils import _get_latest_schema_revision

    newest, older = sqlite.versions()
    assert newest == _get_latest_schema_revision()
    assert len(older) > 60


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_locked_store_is_named(copy, monkeypatch, lock):
    monkeypatch.setattr("textmill.tracking.sqlite.PATIENCE", 0.1)
    write_lock(code="3" * 32)
    with closing(sqlite3.connect("mlflow.db", isolation_level=None)) as other:
        other.execute(f"BEGIN {lock}")
        with pytest.raises(ResourceError, match=r"mlflow.db: database is locked; end the process that has it"):
            project()
    assert "(2 new)" in project()


def test_a_store_that_may_only_be_read_is_named(copy, monkeypatch):
    assert "(0 new)" in project()
    connect = sqlite3.connect  # no chmod, because the user of the tests may be root
    monkeypatch.setattr(sqlite3, "connect", lambda place, **named: connect(place.replace("=rw", "=ro"), **named))
    assert "(0 new)" in project()
    write_lock(code="3" * 32)
    with pytest.raises(ResourceError, match=r"mlflow.db: attempt to write a readonly database; make the file and its"):
        project()


def test_what_a_killed_writer_left_half_done_is_undone(copy):
    """A journal that was not deleted: sqlite undoes it at the next opening, unless that may only read."""
    assert "(0 new)" in project()
    before = content()
    code = (
        "import os, sqlite3; c = sqlite3.connect('mlflow.db', isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN'); c.execute('DELETE FROM metrics');"
        "c.execute('DELETE FROM tags'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert Path("mlflow.db-journal").exists()
    assert "(0 new)" in project()
    assert content() == before


def test_a_full_disk_in_the_middle_is_one_line(copy, capfd):
    """MLflow would log a traceback."""
    assert "(0 new)" in project()
    before = content()
    write_lock(code="3" * 32)
    with (
        small_disk(Path("mlflow.db").stat().st_size),
        pytest.raises(ResourceError, match=r"mlflow.db: .*`textmill track`$"),
    ):
        project()
    assert capfd.readouterr() == ("", "")
    assert "(2 new)" in project()
    assert len(content()["runs"]) == len(before["runs"]) + 5  # all but the baseline's


def folders():
    """Returns the folders of runs and models."""
    return {path.parent for path in Path("mlartifacts").glob("**/artifacts") if path.parent.parent.name != "artifacts"}


def test_folders_that_no_run_has_are_deleted(fresh):
    project()
    before = folders()
    shutil.copy("mlflow.db", "../old.db")
    with closing(sqlite3.connect("mlflow.db")) as connection, connection:  # not deleted: MLflow keeps the file open
        for table in ("runs", "logged_models"):
            connection.execute(f"DELETE FROM {table}")
    theirs = Path("mlartifacts/reviews") / ("0" * 32) / "artifacts"  # as a run has that someone else wrote
    theirs.mkdir(parents=True)
    (theirs / "model.pkl").touch()
    (theirs.parent / ("1" * 32)).symlink_to(next(iter(before)).resolve())
    shutil.copy("../old.db", "old.db")
    project()
    assert before < folders()  # they may be the runs of old.db
    Path("old.db").unlink()
    write_lock(code="4" * 32)
    project()
    after = folders()
    assert not before & after
    assert theirs.parent in after
    assert len(after) == 2 * len(before) + 1
