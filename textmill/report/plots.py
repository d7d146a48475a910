"""Figures for MLflow, in the page's colours. matplotlib's objects alone, no pyplot: no window, no global state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textmill.results.history import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One colour per model. At least 2.8:1 against white and against the dark page; the first six also stay apart for
# colour-blind readers (OKLab distance >= 0.09 in all three simulations). A name stands beside every use.
PALETTE = (
    *("#1f6fb5", "#d9822b", "#a8325c", "#35a08b", "#9a86e8", "#86701c"),
    *("#d77a98", "#808890", "#9a5a3c", "#6a8a3c", "#7a4fa3", "#4f8ec4"),
)
FEW = 12  # classes whose counts can be read inside the cells
LONG = 24  # characters of a label that fit beside the cells


def confusion_figure(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> "Figure":
    """The confusion matrix (K, K), rows: actual, columns: predicted; shaded by the share of its row."""
    from matplotlib.colors import LinearSegmentedColormap

    size = len(labels)
    side = min(4 + 0.4 * size, 14)
    figure = _figure(side + 1, side)
    axes = figure.add_subplot(xlabel="predicted", ylabel="actual", xticks=range(size), yticks=range(size))
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", PALETTE[0]])
    image = axes.imshow(shares, cmap=shades, vmin=0, vmax=1)
    names = [label if len(label) <= LONG else label[: LONG - 1] + "…" for label in labels]
    flat = size <= 4 and max(map(len, names)) <= 12
    axes.set_xticklabels(names, rotation=0 if flat else 90, parse_math=False)
    axes.set_yticklabels(names, parse_math=False)
    for row, column in ((r, c) for r in range(size) for c in range(size) if size <= FEW):
        axes.text(column, row, f"{counts[row][column]:,}", ha="center", va="center")
    figure.colorbar(image, label="share of the actual class", shrink=0.8)
    return figure


def curves_figure(history: Sequence[Epoch], name: str) -> "Figure":
    """Loss (train and validation) and validation accuracy by epoch."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(8, 3.5)
    figure.suptitle(name, parse_math=False)
    epochs = [row.epoch for row in history]
    panels = {
        "loss": {"train_loss": "train", "validation_loss": "validation"},
        "accuracy": {"validation_accuracy": "validation"},
    }
    for number, (title, lines) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, 2, number, xlabel="epoch", ylabel=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        for key, label in lines.items():
            values = [getattr(row, key) for row in history]
            values = [float("nan") if value is None else value for value in values]
            color, line = ("#808890", "--") if label == "train" else (PALETTE[0], "-")
            axes.plot(epochs, values, marker="o", markersize=3.5, label=label, color=color, linestyle=line)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def _figure(width: float, height: float) -> "Figure":
    """An empty figure of a size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")
