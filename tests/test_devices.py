"""The choice of device and precision."""

import json
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from conftest import CELLS, MODELS, ROOT, TRAIN, has_bfloat16
from test_models import PLAIN, fit
from torch import nn

from textmill.errors import ParamsError
from textmill.models import model_entry
from textmill.training import devices
from textmill.training.task import Task

pytestmark = pytest.mark.slow

X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="about x86 processors")

ASKED = """
import json
import torch
from conftest import CELLS
from test_models import PLAIN, fit
from textmill.errors import ParamsError
from textmill.training.devices import no_bfloat16
results = {}
for name in PLAIN:
    network = CELLS.get(name, torch.nn.Linear)(8, 8)
    try:
        found = fit(name, precision="bfloat16", epochs=1).precision
    except ParamsError as error:
        found = str(error)
    results[name] = [no_bfloat16(network, False), found, fit(name, precision="auto", epochs=1).precision]
print(json.dumps(results))
"""


@X86
def test_without_avx512_bfloat16_is_refused_in_one_line_and_auto_is_float32():
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout.splitlines()[-1])
    assert set(results) == set(PLAIN)
    for name, found in results.items():
        kind = "cannot compute layers of kind LSTM in it" if name == "lstm" else "only emulates it, slower than float32"
        reason = f"this processor {kind}"
        assert found == [reason, f"precision: bfloat16, but {reason}; set float32", "float32"]


@X86
@pytest.mark.skipif("ONEDNN_MAX_CPU_ISA" in os.environ, reason="imitates another processor")
@pytest.mark.parametrize("name", [*CELLS, "transformer"])
def test_what_was_tried_is_what_the_processor_says_of_itself(name):
    able = torch.cpu.get_capabilities()
    assert has_bfloat16(name) == bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def test_a_trial_leaves_no_trace():
    torch.manual_seed(3)
    before = torch.random.get_rng_state(), torch.get_num_threads()
    network = nn.LSTM(2, 2)
    torch.manual_seed(3)
    devices._computes.cache_clear()
    devices._emulated.cache_clear()
    assert devices.no_bfloat16(network, training=True) == devices.no_bfloat16(network, training=True)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    assert not torch.is_autocast_enabled("cpu")
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize("layer", [*CELLS.values(), nn.Linear])
def test_a_step_that_a_processor_cannot_take_is_told(layer, monkeypatch):
    def lacking(*_):
        raise RuntimeError("could not create a primitive")

    monkeypatch.setattr(layer, "forward", lacking)
    for training in (True, False):
        assert not devices._computes.__wrapped__(layer, training)


def test_emulated_bfloat16_is_refused_and_not_picked(monkeypatch):
    monkeypatch.setattr(devices, "_emulated", lambda: True)
    monkeypatch.setattr(devices, "_computes", lambda *_: True)
    with pytest.raises(ParamsError, match="precision: bfloat16, but this processor only emulates it"):
        fit("transformer", precision="bfloat16")
    assert fit("transformer", precision="auto", epochs=1).precision == "float32"


@pytest.mark.parametrize(
    ("able", "family", "picked"),
    [(True, "transformer", "bfloat16"), (False, "transformer", "float32"), (True, "gru", "float32")],
)
def test_a_gpu_says_itself_what_it_computes_in(monkeypatch, able, family, picked):
    weight = SimpleNamespace(is_cuda=True, device=torch.device("cuda"))
    checked = model_entry(MODELS[family], TRAIN, "params.yaml: models.m")
    pays = checked.family.build(checked.config, checked.settings, Task(9, 2, 0)).BFLOAT16_PAYS
    gpu = SimpleNamespace(parameters=lambda: iter([weight]), BFLOAT16_PAYS=pays)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: able or including_emulation)
    assert devices.find_precision("auto", gpu) == picked
    if not able:
        with pytest.raises(ParamsError, match="bfloat16, but this GPU does not compute in it; set float32"):
            devices.find_precision("bfloat16", gpu)
