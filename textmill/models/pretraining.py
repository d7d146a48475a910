"""A network reads texts without labels before it is trained: a language model of them (Dai & Le 2015).

A Transformer fills in masked words (Devlin et al. 2019); a recurrent network guesses the next word in each direction,
its first layer alone (Howard & Ruder 2018; Peters et al. 2018). What it learns does not depend on what is built on it,
so it is kept beside DVC's outputs: another dropout or pooling starts from it again.
"""

import hashlib
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from textmill.config import Section
from textmill.console import progress, say
from textmill.errors import DataError, DivergedError
from textmill.files import digest, sha256
from textmill.models import checkpoint, distributed, memory
from textmill.models.batching import Loader, batches
from textmill.models.devices import rounding
from textmill.models.language import Guess, Negatives, masked_words, masks, next_words
from textmill.models.layers import LockedDropout, Network
from textmill.models.optimizing import optimizer, rate
from textmill.models.settings import TrainConfig
from textmill.models.transformer import Transformer
from textmill.ragged import Ragged

ABOVE = {"bigrams", "pooling", "dropout", "locked", "head"}  # keys of a network that its pretraining does not see
TAKEN = {"batch_tokens", "optimizer", "weight_decay", "schedule", "warmup", "clip", "precision"}  # of training


def pretrain(
    network: Network, corpus: Ragged, config: Section, settings: TrainConfig, seed: int, folder: Path | None
) -> dict[str, Any]:
    """Train the body of `network` in place on `corpus`; how it went: epochs, loss (nats), documents, tokens, seconds.

    `config` is the network's own, with `pretrain`; what that leaves open is as in training (TAKEN). Dropout rests.
    Windows are cut from the texts one after the other, as RoBERTa's (Liu et al. 2019, FULL-SENTENCES): a window may
    hold the end of one and the beginning of the next. Everything random in an epoch comes from (seed, epoch). `folder`
    keeps the body, one of each seed, and every epoch on the way there.
    Raises DivergedError as soon as the loss is not finite, and DataError if there is less than a window of text.
    """
    plan, words, transformer = config.pretrain, network.embed.weight, isinstance(network, Transformer)
    device = words.device
    if len(corpus.ids) < plan.window:
        raise DataError(f"pretrain.window: {plan.window}, but all texts together have {len(corpus.ids)} ids; lower it")
    settings = settings.model_copy(update={"epochs": plan.epochs, "lr": plan.lr})
    counts = np.bincount(corpus.ids, minlength=len(words))
    negatives = Negatives(counts, plan.negatives)
    torch.manual_seed(seed)
    guess = Guess(config.width if transformer else config.hidden, words.shape[1], counts).to(device)
    trained = _trained(network, guess)
    tuner = optimizer(trained, settings)
    facts = {"epoch": 0, "loss": math.nan, "seconds": 0.0}
    if folder:
        place = folder / f"{seed}-{_key(network, corpus, config, settings)[:16]}"
        if found := checkpoint.load(place, trained, None, tuner):
            facts = found[0]
            say(f"pretraining: {facts['epoch']} of {plan.epochs} epochs are done")
    distributed.agree(facts["epoch"])
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout | LockedDropout):
            module.eval()
    while facts["epoch"] < plan.epochs:
        epoch, started = facts["epoch"] + 1, time.monotonic()
        rng = np.random.default_rng([seed, epoch])
        docs = windows(corpus, plan.window, rng)
        loader = Loader(docs, plan.window, "head", device)  # none is longer: a batch is whole windows
        parts = batches(docs.lengths, settings.batch_tokens, None, rng)
        total = 0.0
        for step, batch in enumerate(progress(parts, f"pretraining epoch {epoch}", len(parts))):
            for group in tuner.param_groups:
                group["lr"] = rate(settings, (epoch - 1 + (step + 0.5) / len(parts)) / plan.epochs, 0)
            tuner.zero_grad()
            drawn, chance = (torch.from_numpy(part).to(device) for part in negatives.draw(rng))
            masked = masks(len(batch), plan.window, len(counts), rng) if transformer else None
            loss = torch.zeros((), device=device)
            if len(rows := distributed.share(batch)):
                ids, _ = loader.batch(rows)
                with memory.enough(ids):
                    with rounding(device, settings.precision):
                        if masked:
                            shares = (torch.from_numpy(distributed.share(part)).to(device) for part in masked)
                            states, targets = masked_words(network, ids, *shares)
                        else:
                            states, targets = next_words(network, ids)
                        loss = guess(states, targets, words, drawn, chance) * len(rows) / len(batch)
                    loss.backward()
            loss = distributed.total(trained, loss.detach())
            if not math.isfinite(value := loss.item()):
                raise DivergedError(f"pretraining epoch {epoch}, step {step + 1}: the loss is {value}; lower its lr")
            if settings.clip:
                nn.utils.clip_grad_norm_(trained.parameters(), settings.clip)
            tuner.step()
            if words.requires_grad:
                network.embed.bound()
            total += value * len(batch)
        seconds = time.monotonic() - started
        facts = {"epoch": epoch, "loss": total / len(docs), "seconds": facts["seconds"] + seconds}
        say(
            f"pretraining epoch {epoch}/{plan.epochs}: loss {facts['loss']:.4f} "
            f"({seconds:.1f} s, {len(docs.ids) / seconds:,.0f} ids/s)"
        )
        if folder and distributed.rank() == 0:
            going_on = tuner if epoch < plan.epochs else optimizer(trained, settings)  # the last needs no state
            checkpoint.save(place, facts, trained, None, {}, going_on)
    if folder and distributed.rank() == 0:
        for old in set(folder.glob(f"{seed}-*")) - {place}:
            shutil.rmtree(old)
        for old in sorted(place.iterdir())[:-1]:
            old.unlink()
    return {
        "epochs": plan.epochs,
        "loss": round(facts["loss"], 6),
        "documents": len(corpus),
        "tokens": len(corpus.ids),
        "seconds": facts["seconds"],
    }


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


def _key(network: Network, corpus: Ragged, config: Section, settings: TrainConfig) -> str:
    """Digest of all that a pretrained body comes from; its first weights stand for word vectors and the seed."""
    own = {name: value for name, value in config.model_dump().items() if name not in ABOVE}
    taken = {name: value for name, value in settings.model_dump().items() if name in TAKEN}
    first = [tensor for name, tensor in network.state_dict().items() if name.startswith(network.BODY)]
    arrays = [corpus.ids, *(np.ascontiguousarray(tensor.cpu().numpy()) for tensor in first)]
    code = [sha256(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    where = [first[0].device.type, torch.get_num_threads(), distributed.size()]
    return digest([own, taken, where, [hashlib.sha256(array).hexdigest() for array in arrays], code])
