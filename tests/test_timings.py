"""Seconds beside the metrics: once for each digest of weights."""

from textmill.timings import Timing, longest_training, machine, note, recall

OLD, NEW = "0" * 64, "1" * 64


def test_a_rerun_to_equal_weights_leaves_the_file(tmp_path):
    note(tmp_path, OLD, Timing(machine="a", train_seconds=1.5, pretrain_seconds=0.5, started=10.0, ended=11.5))
    note(tmp_path, OLD, Timing(predict_documents_per_second=300.0))
    before = (tmp_path / Timing.FILE).read_bytes()
    note(tmp_path, OLD, Timing(machine="b", train_seconds=9.0, pretrain_seconds=0.1, started=90.0, ended=99.0))
    note(tmp_path, OLD, Timing(predict_documents_per_second=100.0))
    assert (tmp_path / Timing.FILE).read_bytes() == before
    known = recall(tmp_path, OLD)
    assert (known.machine, known.train_seconds, known.predict_documents_per_second) == ("a", 1.5, 300.0)


def test_other_weights_take_its_place(tmp_path):
    assert longest_training(tmp_path) == float("inf")
    note(tmp_path, OLD, Timing(train_seconds=1.5, predict_documents_per_second=300.0))
    note(tmp_path, NEW, Timing(train_seconds=2.5))
    assert recall(tmp_path, OLD) == Timing()
    assert recall(tmp_path, NEW).predict_documents_per_second is None
    assert longest_training(tmp_path) == 2.5


def test_the_machine_is_named():
    assert machine().endswith(" cores")
    assert machine("NVIDIA X").endswith(" cores, NVIDIA X")
