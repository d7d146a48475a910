"""Figures for DVC, MLflow and notebooks, in the page's colours. Without pyplot: no window, no global state."""

from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from textmill.console import shortened
from textmill.files import atomic
from textmill.records.comparison import Comparison
from textmill.records.history import Epoch
from textmill.records.outcome import Outcome
from textmill.records.scores import Bin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# One colour per model. At least 2.8:1 against white and against the dark page; the first six also stay apart for
# colour-blind readers (OKLab distance >= 0.09 in all three simulations). A name is next to every use.
PALETTE = (
    *("#1f6fb5", "#d9822b", "#a8325c", "#35a08b", "#9a86e8", "#86701c"),
    *("#d77a98", "#808890", "#9a5a3c", "#6a8a3c", "#7a4fa3", "#4f8ec4"),
)
FEW = 12  # classes whose counts can be read inside the cells
ACROSS = 3  # confusion matrices in a row
LINES, MARKS = ("-", "--", "-.", ":"), "os^Dv*"  # so that curves differ in more than colour


def draw(folder: Path, comparison: Comparison, models: Mapping[str, Outcome]) -> None:
    """Writes the pictures of `dvc plots show`, which need no internet: one of each kind, with all models."""
    matrices = {name: (model.scores.labels, model.scores.confusion) for name, model in models.items()}
    figures = {
        "scores": comparison_figure(comparison),
        "curves": all_curves_figure({name: model.history for name, model in models.items()}),
        "confusion": all_confusions_figure(matrices),
    }
    for name, figure in figures.items():
        with atomic(folder / f"{name}.png") as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})


def confusion_figure(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> "Figure":
    """Returns the confusion matrix (K, K), rows: actual, columns: predicted; shaded by the share of its row."""
    side = min(4 + 0.4 * len(labels), 14)
    figure = _figure(side + 1, side)
    image = _cells(figure.add_subplot(xlabel="predicted", ylabel="actual"), labels, counts)
    figure.colorbar(image, label="share of the actual class", shrink=0.8)
    return figure


def _cells(axes: "Axes", labels: Sequence[str], counts: Sequence[Sequence[int]]) -> "AxesImage":
    from matplotlib.colors import LinearSegmentedColormap

    size = len(labels)
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", PALETTE[0]])
    image = axes.imshow(shares, cmap=shades, vmin=0, vmax=1)
    names = [shortened(label) for label in labels]
    flat = size <= 4 and max(map(len, names)) <= 12
    axes.set_xticks(range(size))
    axes.set_yticks(range(size))
    axes.set_xticklabels(names, rotation=0 if flat else 90, parse_math=False)
    axes.set_yticklabels(names, parse_math=False)
    for row, column in ((r, c) for r in range(size) for c in range(size) if size <= FEW):
        axes.text(column, row, f"{counts[row][column]:,}", ha="center", va="center")
    return image


def curves_figure(history: Sequence[Epoch], name: str) -> "Figure":
    """Returns loss (train and validation) and validation accuracy by epoch."""
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


def all_curves_figure(histories: Mapping[str, Sequence[Epoch]]) -> "Figure":
    """Returns validation accuracy by epoch, a line for each model; a model without epochs is a dot."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(8, 4.5)
    axes = figure.add_subplot(xlabel="epoch", ylabel="validation accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for (name, history), color, line, mark in zip(
        histories.items(), cycle(PALETTE), cycle(LINES), cycle(MARKS), strict=False
    ):
        scores = [float("nan") if row.validation_accuracy is None else row.validation_accuracy for row in history]
        label = shortened(name).replace("$", r"\$")
        axes.plot([row.epoch for row in history], scores, color=color, linestyle=line, marker=mark, label=label)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def all_confusions_figure(matrices: Mapping[str, tuple[Sequence[str], Sequence[Sequence[int]]]]) -> "Figure":
    """Returns all models' confusion matrices: labels and counts (K, K), rows: actual, shaded by share of the row."""
    size = max(len(labels) for labels, _ in matrices.values())
    side, down = min(2.4 + 0.3 * size, 7), ceil(len(matrices) / ACROSS)
    figure = _figure(side * min(len(matrices), ACROSS), side * down)
    for number, (name, (labels, counts)) in enumerate(matrices.items(), 1):
        axes = figure.add_subplot(down, min(len(matrices), ACROSS), number, xlabel="predicted", ylabel="actual")
        axes.set_title(shortened(name), parse_math=False)
        _cells(axes, labels, counts)
    return figure


def calibration_figure(bins: Sequence[Bin], name: str) -> "Figure":
    """Returns how often answers of a confidence are right, with the diagonal of perfect calibration; dots by count."""
    figure = _figure(4.5, 4.5)
    axes = figure.add_subplot(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(name, parse_math=False)
    axes.plot([0, 1], [0, 1], color="#808890", linestyle="--", linewidth=1, label="perfectly calibrated")
    confidence, right = [one.confidence for one in bins], [one.accuracy for one in bins]
    most = max((one.rows for one in bins), default=1)
    axes.plot(confidence, right, color=PALETTE[0], linewidth=1)
    axes.scatter(confidence, right, [10 + 150 * one.rows / most for one in bins], color=PALETTE[0], label="answers")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    return figure


def comparison_figure(comparison: Comparison) -> "Figure":
    """Returns the score of each model with its interval, best on validation first, and the score of guessing."""
    models = comparison.models
    figure = _figure(7, 1.4 + 0.35 * len(models))
    axes = figure.add_subplot(xlabel=f"{comparison.metric} on {comparison.rows:,} test documents")
    for row, model in enumerate(models):
        color = PALETTE[0] if model.name == comparison.champion else "#808890"
        if model.low is not None and model.high is not None:
            axes.plot([model.low, model.high], [row, row], color=color, linewidth=2)
        axes.plot([model.score], [row], marker="o", color=color)
    names = [shortened(model.name) for model in models]
    champion = [model.name for model in models].index(comparison.champion)
    names[champion] += " (champion)"
    axes.set_yticks(range(len(models)))
    axes.set_yticklabels(names, parse_math=False)
    axes.invert_yaxis()
    guess = comparison.baseline.scores[comparison.metric]
    if guess is not None:
        label = f"always {comparison.baseline.label}"
        axes.axvline(guess, color="#808890", linestyle=":", label=label.replace("$", r"\$"))
        axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _figure(width: float, height: float) -> "Figure":
    """Returns an empty figure; sizes are in inches."""
    return _shown()(figsize=(width, height), dpi=120, layout="constrained")


@cache
def _shown() -> "type[Figure]":
    """Returns matplotlib's figure class with a picture for notebooks, which otherwise show only pyplot's."""
    from matplotlib.figure import Figure

    class Shown(Figure):
        def _repr_png_(self) -> bytes:
            file = BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return Shown
