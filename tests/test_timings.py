"""Times next to the metrics: once per digest of weights."""

from textmill.environment import Environment
from textmill.timings import Timing, longest_training, machine, record, recorded

OLD, NEW = "0" * 64, "1" * 64


def test_a_rerun_to_equal_weights_leaves_the_file(tmp_path):
    record(tmp_path, OLD, Timing(machine="a", train_seconds=1.5, pretrain_seconds=0.5, started=10.0, ended=11.5))
    record(tmp_path, OLD, Timing(predict_documents_per_second=300.0))
    before = (tmp_path / Timing.FILE).read_bytes()
    record(tmp_path, OLD, Timing(machine="b", train_seconds=9.0, pretrain_seconds=0.1, started=90.0, ended=99.0))
    record(tmp_path, OLD, Timing(predict_documents_per_second=100.0))
    assert (tmp_path / Timing.FILE).read_bytes() == before
    known = recorded(tmp_path, OLD)
    assert (known.machine, known.train_seconds, known.predict_documents_per_second) == ("a", 1.5, 300.0)


def test_other_weights_take_its_place(tmp_path):
    assert longest_training(tmp_path) == float("inf")
    record(tmp_path, OLD, Timing(train_seconds=1.5, predict_documents_per_second=300.0))
    record(tmp_path, NEW, Timing(train_seconds=2.5))
    assert recorded(tmp_path, OLD) == Timing()
    assert recorded(tmp_path, NEW).predict_documents_per_second is None
    assert longest_training(tmp_path) == 2.5


def test_the_machine_is_named():
    assert machine().endswith(" cores")
    assert machine("NVIDIA X").endswith(" cores, NVIDIA X")


def test_an_environment_is_added_by_the_machine_that_noted_the_rest(tmp_path):
    here = Environment(processor="a", instructions=["avx2"], python="3.11", packages={"numpy": "1"})
    record(tmp_path, OLD, Timing(machine="a", train_seconds=1.5))  # as it was written before environments were
    record(tmp_path, OLD, Timing(machine="b", train_seconds=2.5, environment=here))
    assert recorded(tmp_path, OLD).environment is None
    record(tmp_path, OLD, Timing(machine="a", train_seconds=3.5, environment=here))
    assert recorded(tmp_path, OLD) == Timing(weights=OLD, machine="a", train_seconds=1.5, environment=here)
    before = (tmp_path / Timing.FILE).read_bytes()
    record(tmp_path, OLD, Timing(machine="a", environment=here.model_copy(update={"python": "3.12"})))
    assert (tmp_path / Timing.FILE).read_bytes() == before
