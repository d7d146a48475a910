"""Pretrained encoders: the architecture from config.json, with transformers; the weights from safetensors.

No remote code is run and nothing is unpickled.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from textmill.errors import ArtifactError
from textmill.files import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG, WEIGHTS = "config.json", "model.safetensors"

# Tensors in files that are not encoder weights: a layer for the first token, and buffers that are computed.
SEPARATE = ("pooler.", "embeddings.position_ids", "embeddings.token_type_ids")
OLD = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}  # as TensorFlow named them


# The names of dropout in the configs of different encoders.
IN_ATTENTION = ("attention_probs_dropout_prob", "attention_dropout")
IN_LAYERS = ("hidden_dropout_prob", "dropout", "mlp_dropout", "embedding_dropout")


def build_encoder(folder: Path, in_attention: float, in_layers: float) -> "PreTrainedModel":
    """Returns the encoder that a config.json describes, with the given dropout and random weights.

    Raises ArtifactError if the file does not describe an encoder.
    """
    from transformers import AutoConfig, AutoModel, logging

    logging.set_verbosity_error()
    path = folder / CONFIG
    facts = read_json(path)
    try:
        config = AutoConfig.for_model(**facts)
        for keys, share in ((IN_ATTENTION, in_attention), (IN_LAYERS, in_layers)):
            for key in filter(partial(hasattr, config), keys):
                setattr(config, key, share)
        encoder = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False)
        encoder.get_input_embeddings()
    except Exception as error:  # transformers may raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArtifactError(f"{path}: not the config of an encoder that transformers knows ({reason})") from error
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


def load_weights(encoder: "PreTrainedModel", path: Path) -> None:
    """Loads a file's weights into `encoder`, without the head of its original task.

    Raises ArtifactError with the first tensor that is missing, unknown, not finite or of another shape.
    """
    found = _own(_read(path), f"{encoder.base_model_prefix}.")
    expected = encoder.state_dict()
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise ArtifactError(f"{path}: no tensor {name}, which {CONFIG} requires; use files of the same model")
        if name not in expected:
            raise ArtifactError(
                f"{path}: {name} is not in the encoder that {CONFIG} describes; use files of the same model"
            )
        if found[name].shape != expected[name].shape:
            shapes = f"expected shape {tuple(expected[name].shape)}, found {tuple(found[name].shape)}"
            raise ArtifactError(f"{path}: {name}: {shapes}")
        if not found[name].isfinite().all():
            raise ArtifactError(f"{path}: {name} contains NaN or infinity")
    encoder.load_state_dict(found)


def max_positions(encoder: "PreTrainedModel") -> int | None:
    """Returns the number of positions that an encoder has; None if it has no limit."""
    for name, part in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding):
            return part.num_embeddings - (0 if part.padding_idx is None else part.padding_idx + 1)
    return getattr(encoder.config, "max_position_embeddings", None)


def layer_numbers(encoder: "PreTrainedModel") -> tuple[dict[str, int], int]:
    """Returns the layer number of each module and weight by name, and the number of layers.

    Embeddings have 0, the lowest layer 1. Anything else counts as part of the highest layer.
    """
    lists = ((name, part) for name, part in encoder.named_modules() if isinstance(part, nn.ModuleList))
    prefix, layers = max(lists, key=lambda found: len(found[1]))

    def number(name: str) -> int:
        if name.startswith(f"{prefix}."):
            return int(name.removeprefix(f"{prefix}.").split(".")[0]) + 1
        return 0 if "embed" in name else len(layers)

    names = [name for name, _ in [*encoder.named_modules(), *encoder.named_parameters()]]
    return {name: number(name) for name in names}, len(layers)


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"{path}: cannot be read as safetensors ({str(error).splitlines()[0]})") from error


def _own(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns the encoder's tensors under its own names; in a file with heads they begin with `prefix`."""
    if any(name.startswith(prefix) for name in tensors):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    own = {}
    for name, tensor in tensors.items():
        if not name.startswith(SEPARATE):
            for old, new in OLD.items():
                name = name.replace(old, new)
            own[name] = tensor
    return own
