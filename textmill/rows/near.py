"""Near copies: texts that share nearly all words, such as one with a word changed or with "RT @x:" before it.

A random split puts them on both sides, so a model knows some answers in advance. Candidates come from MinHash
signatures and locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, 3.4). Each is then
compared word by word, so hashing may miss one in a hundred, but never adds a false one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from textmill.rows.hashing import keys
from textmill.rows.splits import SPLITS, among, text_key

SHARED = 0.75  # share of two texts' distinct words that both have: of seven words one is changed, or two are added
SHORT = 5  # with fewer words in all, texts need the same ones
WORDS = 1000  # distinct words of a text that are compared, the first in sorted order
JUDGED = 20_000  # documents of a split that are looked up; from larger splits, a sample of this size
PAIRS = 20_000_000  # candidates that are compared at most, to bound the time
BANDS, ROWS = 26, 6  # of a signature: two texts that share SHARED of their words meet in a band in 99.4 % of cases
BATCH = 2_000  # texts whose words are in memory at a time
CHUNK = 100_000  # pairs whose signatures are compared at a time
SURELY = 0.6  # share of equal signature values below which texts share less than SHARED: four standard errors lower

# What copies add: the person answered or quoted, and links.
ADDED = r"(?:\brt\s+)?@\w+:?|https?://\S+|www\.\S+"
# Scripts without spaces between words: each pair of adjacent letters counts as a word.
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}]+|\p{{So}}"


class Sketches(NamedTuple):
    """N texts: what they are compared by, and what finds candidates."""

    text: np.ndarray  # equal for equal texts: uint64 (N,)
    words: np.ndarray  # uint64, flat: the keys of each text's distinct words, ascending
    offsets: np.ndarray  # int64 (N + 1,): where each text's words begin
    signature: np.ndarray  # uint32 (N, BANDS * ROWS)


class Near(NamedTuple):
    """How many documents of split b have a near copy in split a, by "a-b", and how many of b were sampled."""

    near: dict[str, int]
    near_drawn: dict[str, int]  # by split


def near_copies(splits: Mapping[str, Iterable[pl.Series]], sizes: Mapping[str, int], seed: int) -> Near:
    """Counts documents of test with a near copy in train, of test in validation, and of validation in train.

    splits: the texts of each split, in batches, read once. sizes: how many there are. Equal texts do not count. From a
    split with more than JUDGED documents, that many are sampled by `seed`.
    """
    rng = np.random.default_rng(seed)
    judged: dict[str, Sketches] = {}
    rows: dict[str, int] = {}
    for name in reversed(SPLITS):
        lookups = {other: Lookup(sketches) for other, sketches in judged.items()}
        chosen = np.sort(rng.permutation(sizes[name])[: JUDGED if name != "train" else 0])
        first, drawn = 0, [sketch(pl.Series([], dtype=pl.String), seed)]  # an empty split has no batch
        for texts in batches(splits[name]):
            own = chosen[np.searchsorted(chosen, first) : np.searchsorted(chosen, first + len(texts))] - first
            first += len(texts)
            drawn.append(sketch(texts.gather(own), seed))
            if lookups:
                sketches = sketch(texts, seed)
                for lookup in lookups.values():
                    lookup.look_among(sketches)
        judged[name] = joined(drawn)
        rows |= {f"{name}-{other}": lookup.found for other, lookup in lookups.items()}
    pairs = [f"{a}-{b}" for i, a in enumerate(SPLITS) for b in SPLITS[i + 1 :]]
    return Near({pair: rows[pair] for pair in pairs}, {name: JUDGED for name in SPLITS[1:] if sizes[name] > JUDGED})


def twins(texts: Callable[[], Iterable[pl.Series]], sides: pl.Series, seed: int) -> np.ndarray:
    """Returns which documents outside of test have the text of a test document or a near copy of it, bool (N,).

    texts: of all documents, in order and in batches; read twice. sides: as from `splits.split`.
    """
    in_test = (sides == "test").fill_null(False)
    drawn, first = [sketch(pl.Series([], dtype=pl.String), seed)], 0
    for some in batches(texts()):
        drawn.append(sketch(some.filter(in_test[first : first + len(some)]), seed))
        first += len(some)
    lookup = Lookup(joined(drawn))
    found = [lookup.copies_among(sketch(some, seed)) for some in batches(texts())]
    return np.concatenate(found) & ~in_test.to_numpy()


class Lookup:
    """Texts that are looked up among others, which come in batches."""

    def __init__(self, sketches: Sketches):
        self.sketches = sketches
        self.waiting = np.diff(sketches.offsets) > 0  # bool (N,): texts without a near copy so far
        self.candidates = int(self.waiting.sum())
        bands = _bands(sketches.signature)
        self.order = np.argsort(bands, axis=1, kind="stable")  # int (BANDS, N)
        self.bands = np.take_along_axis(bands, self.order, axis=1)
        self.budget = PAIRS

    def look_among(self, others: Sketches) -> None:
        """Marks the texts that have a near copy among `others`. An equal text is not a near copy."""
        own = self.sketches
        for mine, other in self._pairs(_bands(others.signature)):
            apart = self.waiting[mine] & (own.text[mine] != others.text[other])
            mine, other = mine[apart], other[apart]
            alike = (own.signature[mine] == others.signature[other]).mean(axis=1) > SURELY
            for i, j in zip(mine[alike].tolist(), other[alike].tolist(), strict=True):
                if self.waiting[i] and _near(_words(own, i), _words(others, j)):
                    self.waiting[i] = False

    def copies_among(self, others: Sketches) -> np.ndarray:
        """Returns which of `others` equal one of these texts or are a near copy of it: bool (M,)."""
        own = self.sketches
        found = among(others.text, np.sort(own.text))
        for mine, other in self._pairs(_bands(others.signature)):
            alike = (own.signature[mine] == others.signature[other]).mean(axis=1) > SURELY
            for i, j in zip(mine[alike].tolist(), other[alike].tolist(), strict=True):
                found[j] = found[j] or _near(_words(own, i), _words(others, j))
        return found

    @property
    def found(self) -> int:
        """How many texts have a near copy."""
        return self.candidates - int(self.waiting.sum())

    def _pairs(self, bands: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields rows of these texts and of the others that meet in a band, int (P,) each; P <= CHUNK."""
        for own, order, other in zip(self.bands, self.order, bands, strict=True):
            met = np.flatnonzero(among(other, own))
            first, last = np.searchsorted(own, other[met], "left"), np.searchsorted(own, other[met], "right")
            ends = np.cumsum(last - first)
            total = min(int(ends[-1]) if len(met) else 0, self.budget)
            self.budget -= total
            for start in range(0, total, CHUNK):
                number = np.arange(start, min(start + CHUNK, total))
                place = np.searchsorted(ends, number, "right")
                yield order[last[place] - (ends[place] - number)], met[place]


def batches(texts: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """Yields the same texts in small batches, because their words take ten times their memory."""
    for some in texts:
        for first in range(0, len(some), BATCH):
            yield some[first : first + BATCH]


def words(texts: pl.Series) -> pl.Series:
    """Returns the distinct lower-case words of each text, without punctuation: lists of strings (N,), unordered."""
    plain = texts.str.to_lowercase().str.replace_all(ADDED, " ")
    found = plain.str.extract_all(WORD)
    if plain.str.contains(UNSPACED).any():
        later = plain.str.replace_all(rf"{UNSPACED}({UNSPACED}*)", "$1")  # without the first letter of each run
        pair = f"{UNSPACED}{{1,2}}"
        found = found.list.concat([plain.str.extract_all(pair), later.str.extract_all(pair)])
    found = found.list.unique()
    return found.list.sort().list.head(WORDS) if (found.list.len() > WORDS).any() else found


def sketch(texts: pl.Series, seed: int) -> Sketches:
    """Returns what two texts are compared by. A text without words is near no other."""
    from rensa import RMinHash

    lists = words(texts)
    sizes = lists.list.len().to_numpy().astype(np.int64)
    flat = lists.explode(empty_as_null=False).hash(seed=0).to_numpy()
    order = np.lexsort((flat, np.repeat(np.arange(len(sizes)), sizes)))
    signature = RMinHash.digests_from_token_sets(lists.to_list(), BANDS * ROWS, seed)
    return Sketches(
        keys(text_key(texts)).to_numpy(),
        flat[order],
        np.append(0, np.cumsum(sizes)),
        np.array(signature, np.uint32).reshape(len(texts), BANDS * ROWS),
    )


def joined(parts: list[Sketches]) -> Sketches:
    """Returns several sketches as one."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    text, flat, _, signature = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Sketches(text, flat, np.append(0, np.cumsum(sizes)), signature)


def _words(some: Sketches, row: int) -> np.ndarray:
    return some.words[some.offsets[row] : some.offsets[row + 1]]


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    """Returns whether two texts share enough of their words (Jaccard)."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both == either or (either >= SHORT and both >= SHARED * either)


def _bands(signature: np.ndarray) -> np.ndarray:
    """Returns a number for each band of each signature, uint64 (BANDS, N)."""
    mixed = np.zeros((len(signature), BANDS), np.uint64)
    for column in signature.reshape(len(signature), BANDS, ROWS).transpose(2, 0, 1):
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.ascontiguousarray(mixed.T)
