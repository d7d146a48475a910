"""Gradients of a batch's loss, added to those that the weights hold."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from torch import Tensor
from torch.nn import functional as F

from textmill.networks.layers import Network

Loss = Callable[[Tensor], Tensor]  # of logits (B, outputs)


def plain(network: Network, ids: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager) -> Tensor:
    """Gradients of the loss; its value."""
    with autocast:
        value = loss(network(ids, lengths).float())
    value.backward()
    return value.detach()


def adversarial(
    network: Network, ids: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager, length: float
) -> Tensor:
    """Gradients of the mean of two losses: of the texts, and of the texts moved to where the loss grows; its value.

    Each embedded text (T, E) takes a step of `length` along its gradient (Miyato et al. 2017). This takes twice the
    time: the first pass gives gradient and direction at once.
    """
    with autocast:
        embedded = network.embed(ids)  # (B, T, E)
    value, slope = _half(network, embedded.detach(), lengths, loss, autocast)
    step = length * F.normalize(slope.flatten(1)).view_as(slope)
    moved, slope_moved = _half(network, embedded.detach() + step, lengths, loss, autocast)
    if embedded.requires_grad:  # not where all vectors are frozen
        embedded.backward(slope + slope_moved)
    return value + moved


def _half(
    network: Network, embedded: Tensor, lengths: Tensor, loss: Loss, autocast: AbstractContextManager
) -> tuple[Tensor, Tensor]:
    """Half the loss and its gradient at the embedded texts (B, T, E); the weights that read them get theirs."""
    embedded.requires_grad_()
    with autocast:
        value = loss(network.read(embedded, lengths).float()) / 2
    value.backward()
    assert embedded.grad is not None
    return value.detach(), embedded.grad
