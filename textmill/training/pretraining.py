"""A network reads texts without labels before it is trained: a language model of them (Dai & Le 2015).

A Transformer fills in masked words (Devlin et al. 2019); a recurrent network guesses the next word in each direction,
its first layer alone (Howard & Ruder 2018; Peters et al. 2018). What it learns does not depend on what is built on it,
so it is kept beside DVC's outputs: another dropout or pooling starts from it again.
"""

import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from textmill.console import say
from textmill.errors import DataError
from textmill.files import digest
from textmill.networks.config import NetworkConfig
from textmill.networks.embedding import Input
from textmill.networks.layers import LockedDropout, Network
from textmill.text.ragged import Ragged
from textmill.training import distributed, memory
from textmill.training.batching import Loader, batches
from textmill.training.devices import rounding
from textmill.training.epochs import Epochs
from textmill.training.language import Guess, Negatives, masked_words, masks, next_words, vectors_of
from textmill.training.optimizing import rate
from textmill.training.settings import TrainConfig
from textmill.training.task import Task
from textmill.training.updates import Updates

Masked = tuple[np.ndarray, np.ndarray] | None

ABOVE = {"bigrams", "pooling", "dropout", "locked", "head"}  # keys of a network that its pretraining does not see
TAKEN = {"batch_tokens", "optimizer", "weight_decay", "schedule", "warmup", "clip", "precision"}  # of training


def pretrain(network: Network, config: NetworkConfig, settings: TrainConfig, task: Task) -> dict[str, Any]:
    """Train the body of `network` in place on the task's corpus, and tell how it went.

    That is epochs, loss (nats), documents, tokens and seconds.

    `config` is the network's own, with `pretrain`; what that leaves open is as in training (TAKEN). Dropout rests.
    Windows are cut from the texts one after the other, as RoBERTa's (Liu et al. 2019, FULL-SENTENCES): a window may
    hold the end of one and the beginning of the next. Everything random in an epoch comes from (seed, epoch).
    The task's cache keeps the body, one of each seed, and how far it is on the way there.
    Raises DivergedError as soon as the loss is not finite, and DataError if there is less than a window of text.
    """
    plan, corpus, seed, embed = config.pretrain, task.corpus, task.seed, network.embed
    assert plan is not None
    assert corpus is not None
    assert isinstance(embed, Input)
    words = embed.weight
    if len(corpus.ids) < plan.window:
        raise DataError(f"pretrain.window: {plan.window}, but all texts together have {len(corpus.ids)} ids; lower it")
    settings = settings.model_copy(update={"epochs": plan.epochs, "lr": plan.lr, "ema": None})
    counts = np.bincount(corpus.ids, minlength=len(words))
    negatives = Negatives(counts, plan.negatives)
    torch.manual_seed(seed)
    guess = Guess(network.width, words.shape[1], counts).to(words.device)
    updates = Updates(_trained(network, guess), settings)
    if words.requires_grad:
        updates.tuner.register_step_post_hook(lambda *_: embed.bound())
    place = task.cache / f"{seed}-{_key(network, config, settings, corpus, task.code)[:16]}" if task.cache else None
    epochs: Epochs[dict[str, float]] = Epochs("pretraining epoch", plan.epochs, updates, place)
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout | LockedDropout):
            module.eval()
    while len(epochs.history) < plan.epochs:
        rng = np.random.default_rng([seed, epochs.number])
        docs = windows(corpus, plan.window, rng)
        loader = Loader(docs, plan.window, "head", words.device)  # none is longer: a batch is whole windows
        learn = learning(network, guess, loader, settings)
        parts = batches(docs.lengths, settings.batch_tokens, None, rng)
        given = ((part, *negatives.draw(rng), _masks(network, len(part), plan.window, rng)) for part in parts)
        with epochs.kept_when_interrupted():
            for done, (part, *drawn) in epochs.through(given, len(parts)):
                epochs.update(partial(learn, part, *drawn), rate(settings, done, 0), len(part))
            row = {"loss": epochs.within.loss / len(docs), "seconds": epochs.seconds}
            say(
                f"pretraining epoch {epochs.number}/{plan.epochs}: loss {row['loss']:.4f} "
                f"({row['seconds']:.1f} s, {len(docs.ids) / row['seconds']:,.0f} ids/s)"
            )
            if epochs.number == plan.epochs:
                updates.tuner.state.clear()  # a body that is done needs none, and takes a third of the room
            epochs.end(row)
    if place and distributed.rank() == 0:
        for old in set(place.parent.glob(f"{seed}-*")) - {place}:
            shutil.rmtree(old)
        for old in sorted(place.iterdir())[:-1]:
            old.unlink()
    return {
        "epochs": plan.epochs,
        "loss": round(epochs.history[-1]["loss"], 6),
        "documents": len(corpus),
        "tokens": len(corpus.ids),
        "seconds": sum(row["seconds"] for row in epochs.history),
    }


def learning(network: Network, guess: Guess, loader: Loader, settings: TrainConfig) -> Callable[..., Tensor]:
    """A function that puts the gradients of a batch's mean surprise into `network` and `guess`, and gives it.

    The function takes the batch's row numbers (B,), words to compare with (K,), their chances (K,), and places to mask
    with what stands there instead, both int64 (B, M), or None: then words that are next are guessed. It computes this
    rank's share. It raises ResourceError where a GPU's memory ends.
    """

    def learn(batch: np.ndarray, drawn: np.ndarray, chance: np.ndarray, masked: Masked) -> Tensor:
        rows = distributed.share(batch)
        if not len(rows):
            return torch.zeros((), device=loader.device)
        ids, _ = loader.batch(rows)
        with memory.enough(ids.device, ids):
            with rounding(loader.device, settings.precision):
                if masked:
                    states, targets = masked_words(network, ids, *(there(distributed.share(part)) for part in masked))
                else:
                    states, targets = next_words(network, ids)
                loss = guess(states, targets, vectors_of(network), there(drawn), there(chance))
                loss = loss * len(rows) / len(batch)
            loss.backward()
        return loss.detach()

    def there(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(loader.device)

    return learn


def _masks(network: Network, rows: int, steps: int, rng: np.random.Generator) -> Masked:
    return masks(rows, steps, len(vectors_of(network)), rng) if network.OBJECTIVE == "masked" else None


def windows(corpus: Ragged, window: int, rng: np.random.Generator) -> Ragged:
    """All whole windows of the texts one after the other, from a random first id on."""
    first = int(rng.integers(min(window, len(corpus.ids) - window + 1)))
    count = (len(corpus.ids) - first) // window
    return Ragged(corpus.ids[first : first + count * window], np.arange(count + 1) * window)


def _trained(network: Network, guess: nn.Module) -> nn.ParameterDict:
    """The network's own weights below what is built on them, but frozen ones, and those of the guess."""
    own = {name: weight for name, weight in network.named_parameters() if name.startswith(network.BODY)}
    own |= {f"guess.{name}": weight for name, weight in guess.named_parameters()}
    return nn.ParameterDict({name.replace(".", "/"): weight for name, weight in own.items() if weight.requires_grad})


def _key(network: Network, config: NetworkConfig, settings: TrainConfig, corpus: Ragged, code: str) -> str:
    """Digest of all that a pretrained body comes from; its first weights stand for word vectors and the seed."""
    own = {name: value for name, value in config.model_dump().items() if name not in ABOVE}
    taken = {name: value for name, value in settings.model_dump().items() if name in TAKEN}
    first = [tensor for name, tensor in network.state_dict().items() if name.startswith(network.BODY)]
    arrays = [corpus.ids, *(np.ascontiguousarray(tensor.cpu().numpy()) for tensor in first)]
    where = [first[0].device.type, torch.get_num_threads(), distributed.size()]
    return digest([own, taken, where, [hashlib.sha256(array.data).hexdigest() for array in arrays], code])
