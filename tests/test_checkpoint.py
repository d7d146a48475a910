"""What a checkpoint holds, with a tiny network; test_models.py has the trainings that resume from them."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from textmill.errors import ResourceError
from textmill.training import checkpoint

FACTS = {"epoch": 3, "best": 0.5}


def trained(seed: int, updates: int = 1) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A network after some updates by Adam, which has a state for each weight then."""
    torch.manual_seed(seed)
    network = nn.Linear(2, 1)
    tuner = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(updates):
        network(torch.ones(1, 2)).sum().backward()
        tuner.step()
    return network, tuner


def equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("averaged", [False, True])
def test_all_that_is_saved_is_loaded(tmp_path, averaged):
    (network, tuner), (average, _) = trained(0), trained(1)
    best = {"weight": torch.full((1, 2), 7.0), "bias": torch.zeros(1)}
    checkpoint.save(tmp_path, FACTS, network, average if averaged else None, best, tuner)
    draws = torch.rand(3)

    (again, fresh), (mean, _) = trained(2, updates=0), trained(3)
    torch.manual_seed(4)
    facts, found = checkpoint.load(tmp_path, again, mean if averaged else None, fresh)
    assert (facts, equal(found, best)) == (FACTS, True)
    assert torch.equal(torch.rand(3), draws)  # dropout continues where it was
    assert equal(again.state_dict(), network.state_dict())
    assert equal(mean.state_dict(), average.state_dict()) == averaged
    states = tuner.state_dict()["state"], fresh.state_dict()["state"]
    assert states[0].keys() == states[1].keys() == {0, 1}
    assert all(equal(states[0][number], states[1][number]) for number in states[0])


def test_the_newest_two_are_kept_and_one_inside_an_epoch_is_older_than_the_one_at_its_end(tmp_path):
    network, tuner = trained(0)
    for facts in ({"epoch": 9}, {"epoch": 10, "step": 2}, {"epoch": 10, "step": 10}, {"epoch": 10, "step": 0}):
        checkpoint.save(tmp_path, facts, network, None, {}, tuner)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00010-0000010.safetensors", "00010.safetensors"]
    assert checkpoint.load(tmp_path, network, None, tuner)[0] == {"epoch": 10, "step": 0}
    assert checkpoint.load(tmp_path / "empty", network, None, tuner) is None


@pytest.mark.parametrize("averaged", [False, True])
def test_the_disk_must_hold_one_checkpoint_more_than_are_kept(tmp_path, averaged, monkeypatch):
    network, tuner = trained(0)
    network.bias.requires_grad = False  # Adam has no moments for it
    one = 4 * (3 * (3 if averaged else 2) + 2 * 2)  # bytes of float32: weights, average, best; two moments of two
    for missing in (3, 2, 1):
        monkeypatch.setattr(checkpoint, "free", lambda _, room=missing * one: room)
        checkpoint.check_room(tmp_path, network, network if averaged else None)
        monkeypatch.setattr(checkpoint, "free", lambda _, room=missing * one - 1: room)
        with pytest.raises(ResourceError, match=f"checkpoints need {missing * one:,} bytes, but only"):
            checkpoint.check_room(tmp_path, network, network if averaged else None)
        checkpoint.save(tmp_path, {"epoch": missing}, network, None, {}, tuner)


def test_dropout_draws_from_the_generator_of_the_networks_device(monkeypatch):
    def draws(device: str) -> object:
        weight = SimpleNamespace(device=torch.device(device))
        return checkpoint._draws(SimpleNamespace(parameters=lambda: iter([weight])))

    monkeypatch.setattr(torch.cuda, "default_generators", ("first", "second"))
    assert [draws("cuda"), draws("cuda:0"), draws("cuda:1")] == ["first", "first", "second"]
    assert draws("cpu") is torch.default_generator
