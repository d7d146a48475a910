"""A Transformer encoder with pre-norm blocks (Vaswani et al. 2017; Xiong et al. 2020), masked by lengths."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import model_validator

from textmill.config import Depth, Width, joined
from textmill.errors import ParamsError
from textmill.networks.config import NetworkConfig
from textmill.training.family import NetworkFamily

if TYPE_CHECKING:
    from textmill.models.architectures.transformer import Transformer


class TransformerConfig(NetworkConfig):
    """Keys of a Transformer."""

    SIZE = "width"

    family: Literal["transformer"]
    width: Width = 64  # numbers in a word's vector and in a state
    layers: Depth = 2  # number of blocks
    heads: Width = 4  # attention heads; each has width / heads numbers
    feedforward: Width = 128  # units between a block's two dense layers
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"  # kind of position embedding; learned ones need max_len
    pooling: Annotated[str, joined("cls", "mean", "max", "attention")] = "max+mean"  # how states become one vector

    @model_validator(mode="after")
    def _divides(self) -> "TransformerConfig":
        if self.width % self.heads:
            raise ValueError(f"width: {self.width} is not a multiple of heads: {self.heads}")
        if self.positions == "sinusoidal" and self.width % 2:
            raise ValueError(f"width: {self.width} is odd, which positions: sinusoidal cannot use")
        return self

    def check_length(self, max_len: int | None, where: str) -> None:
        """Raises ParamsError with the key under `where` if learned positions do not cover the texts."""
        if self.positions != "learned":
            return
        if max_len is None:
            raise ParamsError(f"{where}.positions: learned needs a max_len, found null")
        if self.pretrain and self.pretrain.window > max_len:
            raise ParamsError(
                f"{where}.pretrain.window: {self.pretrain.window} is more than max_len: {max_len}, "
                "the limit of positions: learned; lower it"
            )


def network(config: TransformerConfig, vocabulary: int, outputs: int, max_len: int | None) -> "Transformer":
    """Returns a new network. torch is imported here, so that entries can be checked without it."""
    from textmill.models.architectures.transformer import Transformer

    return Transformer(config, vocabulary, outputs, max_len)


FAMILY = NetworkFamily(TransformerConfig, network)
