"""What must hold on a GPU: where the data is, what predictions depend on, and what a CPU says to the same weights."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import torch
from parts import (
    Data,
    Loader,
    Neural,
    ParamsError,
    Ragged,
    ResourceError,
    Task,
    batches,
    explained,
    find_device,
    first,
    fit,
    learning,
    selected,
    settled,
)
from torch.nn import functional as F

ALIKE = 1e-5  # probabilities of one document, whatever is in its batch
NEAR = 1e-4  # probabilities by a GPU and a CPU
ROWS = 64
LEAST = "0.002"  # share of the GPU's memory that is too small for a batch


def resident(data: Data) -> dict[str, Any]:
    """Whether ids and where documents begin lie on the device, and what a batch is made of."""
    loader = Loader(data.train.docs, 300, "tail", torch.device(data.device))
    ids, lengths = loader.batch(np.arange(ROWS))
    places = {str(tensor.device) for tensor in (loader.ids, loader.rows, ids, lengths)}
    return {"ok": places == {str(torch.zeros(0, device=data.device).device)}, "places": sorted(places)}


def neighbours(data: Data, case: str, documents: int) -> dict[str, Any]:
    """How far probabilities move when a document is alone, in another order, in smaller batches, or padded further."""
    model = fit(case, data, documents, ROWS, batch_tokens=8192).model
    docs = selected(data.test.docs, list(range(ROWS)))
    together = model.predict_proba(docs)
    order = np.random.default_rng(0).permutation(ROWS).tolist()
    small = Neural(model.network, model.settings.model_copy(update={"batch_tokens": 600}))
    moved = {
        "alone": np.concatenate([model.predict_proba(selected(docs, [row])) for row in range(ROWS)]),
        "order": model.predict_proba(selected(docs, order))[np.argsort(order)],
        "small batches": small.predict_proba(docs),
    }
    found = {name: float(np.abs(other - together).max()) for name, other in moved.items()}
    found["padded"] = padded(model, selected(docs, [row for row in range(ROWS) if len(docs[row]) < 150]))
    return {"ok": max(found.values()) <= ALIKE, **found}


def padded(model: Neural, docs: Ragged) -> float:
    """How far probabilities move with padding up to 200 ids."""
    ids, lengths = Loader(docs, None, "tail", next(model.network.parameters()).device).batch(np.arange(len(docs)))
    with torch.inference_mode():
        scores = [model.network(F.pad(ids, (0, more)), lengths) for more in (0, 200 - ids.shape[1])]
    return float((scores[0].softmax(1) - scores[1].softmax(1)).abs().max())


def processors(data: Data, case: str, documents: int) -> dict[str, Any]:
    """How far probabilities by the device are from those by the CPU, of the same weights."""
    model = fit(case, data, documents, ROWS, batch_tokens=8192).model
    checked = settled(case, "cpu", batch_tokens=8192)
    cpu = checked.family.load(checked.config, checked.settings, model.tensors(), Task(data.vocabulary, 2, 0))
    docs = selected(data.test.docs, list(range(documents)))
    difference = float(np.abs(cpu.predict_proba(docs) - model.predict_proba(docs)).max())
    return {"ok": difference <= NEAR, "difference": difference}


def explanation(data: Data, case: str, documents: int) -> dict[str, Any]:
    """How far the weights of a text's words, in log-odds, are from those by the CPU."""
    model = fit(case, data, documents, ROWS, batch_tokens=8192).model
    checked = settled(case, "cpu", batch_tokens=8192)
    cpu = checked.family.load(checked.config, checked.settings, model.tensors(), Task(data.vocabulary, 2, 0))
    ids = data.test.docs[0][-100:]
    (ours, nothing), (theirs, at_first) = (explained(one, ids) for one in (model, cpu))
    difference = float(max(np.abs(ours - theirs).max(), abs(nothing - at_first)))
    return {"ok": difference <= 10 * NEAR, "difference": difference}


def rounding(data: Data, case: str, batch_tokens: int, documents: int) -> dict[str, Any]:
    """Gradients of one batch in bfloat16: their distance from float32's as a share of these, and the layers' type.

    Without dropout. `layers` are those between embeddings and classifier.
    """
    checked = settled(case, data.device, dropout=0.0)
    task = Task(data.vocabulary, 2, 0)
    network = checked.family.build(checked.config, checked.settings, task).to(find_device(data.device))
    train = first(data.train, documents)
    loader = Loader(train.docs, checked.settings.max_len, "tail", torch.device(data.device))
    rows = max(batches(loader.steps, batch_tokens, None, np.random.default_rng(0)), key=len)
    given: set[str] = set()
    layer = network.blocks[0].dense if hasattr(network, "blocks") else network.ahead[0]
    note = layer.register_forward_hook(
        lambda _, __, out: given.add(str((out[0] if hasattr(network, "ahead") else out).dtype))
    )
    gradients = {}
    for precision in ("float32", "bfloat16"):
        given.clear()
        network.train().zero_grad()
        learning(network, loader, train.labels, checked.settings.model_copy(update={"precision": precision}))([rows])
        gradients[precision] = {
            name: weight.grad.double().cpu() for name, weight in network.named_parameters() if weight.grad is not None
        }
    note.remove()
    found: dict[str, Any] = {"rows": len(rows), "type": sorted(kind.removeprefix("torch.") for kind in given)}
    for part, names in {
        "embed": ("embed",),
        "layers": ("ahead", "behind", "blocks"),
        "classify": ("classify",),
    }.items():
        pairs = [
            (gradient, gradients["bfloat16"][name])
            for name, gradient in gradients["float32"].items()
            if name.startswith(names)
        ]
        apart = sum(float((a - b).square().sum()) for a, b in pairs)
        found[part] = (apart / sum(float(a.square().sum()) for a, _ in pairs)) ** 0.5
    apart = max(found["embed"], found["layers"], found["classify"])
    return {"ok": apart < 0.1 and found["type"] != ["float16"], **found}


OPTIONS: dict[str, dict[str, Any]] = {
    "adversarial": {"adversarial": 0.5},
    "ema": {"ema": 0.9},
    "bigrams, max_norm": {"bigrams": 1000, "max_norm": 1.0},
    "head, locked": {"head": [32], "locked": False},
    "bce, balanced, smoothing": {"loss": "bce", "class_weights": "balanced", "label_smoothing": 0.1},
    "accumulate, documents": {"accumulate": 3, "batch_documents": 8},
    "pooling": {"pooling": "max+mean+attention"},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.01},
    "adadelta": {"optimizer": "adadelta", "lr": 1.0},
    "sgd": {"optimizer": "sgd", "lr": 0.1},
    "pretrain": {"pretrain": {"epochs": 1, "lr": 1e-3, "window": 64, "negatives": 64}},
}


def options(data: Data, case: str, documents: int) -> dict[str, Any]:
    """What does not train: each option for an epoch, in both precisions."""
    failed = {}
    for name, changes in OPTIONS.items():
        for precision in ("float32", "bfloat16"):
            try:
                loss = fit(case, data, documents, ROWS, precision=precision, batch_tokens=4096, **changes).history[0]
                if not np.isfinite(loss["train_loss"]):
                    failed[f"{name}, {precision}"] = f"loss {loss['train_loss']}"
            except TimeoutError:
                raise
            except Exception as error:  # the next may train
                failed[f"{name}, {precision}"] = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
    return {"ok": not failed, "tried": 2 * len(OPTIONS), "failed": failed}


def memory(data: Data) -> dict[str, Any]:
    """What is said when memory runs out: in a batch, and before the first."""
    if data.device == "cpu":
        return {"left out": "a CPU's memory has no such end"}
    said = {}
    for share in (float(LEAST), float(LEAST) / 10):
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(share)
        try:
            fit("transformer", data, 4_000, ROWS, batch_tokens=1 << 20)
            said[share] = "no error"
        except ResourceError as error:
            said[share] = str(error)
        except torch.OutOfMemoryError as error:  # which a user would see with its traceback
            said[share] = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
    wanted = [line.startswith("no memory left on cuda") and "\n" not in line for line in said.values()]
    return {"ok": all(wanted), **{f"{share:.2%} of the memory": line for share, line in said.items()}}


def missing() -> dict[str, Any]:
    """What is said where a GPU is asked for that is not there, and where there is none."""
    try:
        far = f"no error: {find_device('cuda:99')}"
    except ParamsError as error:
        far = str(error)
    code = "import parts\ntry: parts.find_device('cuda')\nexcept parts.ParamsError as error: print(error)"
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    none = (done.stdout or done.stderr).strip()
    ok = far.startswith("train.device: cuda:99 is not here") and none.startswith("train.device: cuda is not here")
    return {"ok": ok and "\n" not in none, "cuda:99": far, "cuda without one": none[-300:]}
