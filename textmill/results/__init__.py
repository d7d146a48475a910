"""What one stage writes and another reads: a type each, which knows its file's name and who writes it.

A file that is missing, or that is not exactly what its type says, is an ArtifactError of one line.
"""

from textmill.results.comparison import Baseline, Comparison, Entry, Pair
from textmill.results.data import Clean, Ids, Lengths, Split, Tokenized, Vectors, Vocabulary
from textmill.results.fit import Fit, FittedSeed, Pretraining, Validation
from textmill.results.groups import Group, Groups
from textmill.results.history import HISTORY, Epoch, read_history, write_history
from textmill.results.mistakes import Mistake, Mistakes
from textmill.results.outcome import PREDICTIONS, SEEDS, VALIDATION, Outcome
from textmill.results.scores import Bin, Binary, OfClass, OfSeed, Scores

__all__ = [
    "HISTORY",
    "PREDICTIONS",
    "SEEDS",
    "VALIDATION",
    "Baseline",
    "Bin",
    "Binary",
    "Clean",
    "Comparison",
    "Entry",
    "Epoch",
    "Fit",
    "FittedSeed",
    "Group",
    "Groups",
    "Ids",
    "Lengths",
    "Mistake",
    "Mistakes",
    "OfClass",
    "OfSeed",
    "Outcome",
    "Pair",
    "Pretraining",
    "Scores",
    "Split",
    "Tokenized",
    "Validation",
    "Vectors",
    "Vocabulary",
    "read_history",
    "write_history",
]
