"""Errors of libraries end as one line and an exit code."""

import errno
import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from conftest import small_disk

from textmill.console import say
from textmill.errors import ArtifactError, DataError, ParamsError, ResourceError, TextmillError
from textmill.failures import LONG, explain, line


def raised(work) -> Exception:
    """The error that a function ends with."""
    with pytest.raises(Exception) as found:  # noqa: PT011
        work()
    return found.value


def from_torch():
    import torch

    return torch.empty(2**60)


def from_safetensors():
    import safetensors.numpy

    return safetensors.numpy.load(b"\xff" * 20)


def from_requests():
    import requests

    return requests.get("http://[::1/x", timeout=1)


def from_arrow():
    import pyarrow.parquet as pq

    return pq.read_table(__file__)


@pytest.mark.parametrize(
    ("work", "kind", "words"),
    [
        (from_torch, ResourceError, "not enough memory: .*lower train.batch_tokens"),
        (lambda: bytearray(2**62), ResourceError, "not enough memory: MemoryError"),
        (from_safetensors, ArtifactError, "a file cannot be read: .*; delete it"),
        (from_requests, ResourceError, "does not answer"),
        (from_arrow, ArtifactError, "cannot be read: "),
        (lambda: json.loads("{"), ArtifactError, "cannot be read: "),
        (lambda: pl.read_csv(b"a\n\xff\n"), ArtifactError, "cannot be read: "),
        (lambda: b"\xff".decode(), DataError, "not UTF-8: .*dataset.encoding"),
        (lambda: sqlite3.connect("/nowhere/at/all"), ResourceError, "unable to open"),
        (lambda: Path("/nowhere/at/all").read_bytes(), ArtifactError, "/nowhere/at/all: No such file"),
    ],
)
def test_what_a_library_raises(work, kind, words):
    found = explain(raised(work), "train@a")
    assert type(found) is kind
    with pytest.raises(kind, match=words):
        raise found


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT, errno.EMFILE])
def test_what_the_disk_refuses(number):
    found = explain(OSError(number, "", "data/models/a"), "train@a")
    assert type(found) is ResourceError
    assert str(found).startswith("data/models/a: ")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOMEM, "Cannot allocate memory", "data/models/a"),
        pl.exceptions.PanicException("could not spawn threads: ThreadPoolBuildError"),
        ImportError("libarrow.so.2500: failed to map segment from shared object"),
        SystemError("error return without exception set"),
        RuntimeError("could not create a primitive"),
        RuntimeError("can't start new thread"),
    ],
)
def test_a_lack_of_memory_has_many_names(error):
    found = explain(error, "train@a")
    assert type(found) is ResourceError
    assert str(found).startswith("not enough memory: ")


def test_the_message_of_polars_on_a_full_disk():
    full = pl.exceptions.ComputeError("No space left on device (os error 28)")
    assert type(explain(full, "clean")) is ResourceError


def test_what_the_system_answers_to_safetensors(tmp_path):
    import numpy as np
    from safetensors.numpy import save_file

    with small_disk(50):
        found = explain(raised(lambda: save_file({"a": np.ones(999)}, tmp_path / "a")), "vectors@word")
    assert type(found) is ResourceError
    assert "File too large" in str(found)


def test_ours_stay_ours_also_as_a_cause():
    ours = ParamsError("params.yaml: seed: expected a whole number")
    assert explain(ours, "split") is ours
    wrapped = RuntimeError("a thread failed")
    wrapped.__cause__ = ours
    assert explain(wrapped, "split") is ours


def test_a_bug_is_one_line_and_keeps_its_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = explain(raised(lambda: {}["x" * 1000]), "train@a")
    assert type(found) is TextmillError
    shown = line("train@a", found)
    assert shown.startswith("error: train@a: a bug of Textmill: KeyError: 'xxx")
    assert "(test_failures.py:" in shown
    assert "data/logs/train@a.traceback" in shown
    assert len(shown) < LONG + 250
    assert "Traceback" in (tmp_path / "data/logs/train@a.traceback").read_text()


def test_a_line_is_one_line_without_controls():
    assert line("clean", DataError("a\nb\x1b[31m\u202ec")) == "error: clean: a b[31mc"


def test_no_mark_of_direction_or_line_reaches_the_terminal(capsys):
    marks = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x1b\x85\x9b"
    say(f"a{marks}b\tc \u05d0\u200d\u200c")
    assert capsys.readouterr().out == "ab\tc \u05d0\u200d\u200c\n"
