"""Gradients of a batch's loss, which are added to those of the weights."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from torch import Tensor
from torch.nn import functional as F

from textmill.networks.layers import Network

Loss = Callable[[Tensor], Tensor]  # takes logits (B, outputs)


def plain(network: Network, ids: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager) -> Tensor:
    """Computes the gradients of the loss and returns its value."""
    with autocast:
        value = loss(network(ids, lengths).float())
    value.backward()
    return value.detach()


def adversarial(
    network: Network, ids: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager, length: float
) -> Tensor:
    """Computes the gradients of the mean loss over the texts and adversarially perturbed texts; returns that loss.

    Each embedded text (T, E) moves by `length` along its gradient (Miyato et al. 2017). This takes twice the time of
    `plain`: the first pass gives both its gradients and the direction.
    """
    with autocast:
        embedded = network.embed(ids)  # (B, T, E)
    value, slope = _half(network, embedded.detach(), lengths, loss, autocast)
    step = length * F.normalize(slope.flatten(1)).view_as(slope)
    moved, slope_moved = _half(network, embedded.detach() + step, lengths, loss, autocast)
    if embedded.requires_grad:  # false if all vectors are frozen
        embedded.backward(slope + slope_moved)
    return value + moved


def _half(
    network: Network, embedded: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager
) -> tuple[Tensor, Tensor]:
    """Returns half the loss and its gradient at the embedded texts (B, T, E); adds the gradients of other weights."""
    embedded.requires_grad_()
    with autocast:
        value = loss(network.read(embedded, lengths).float()) / 2
    value.backward()
    assert embedded.grad is not None
    return value.detach(), embedded.grad
