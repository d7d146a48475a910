"""Near copies: texts that share nearly all of their words, such as one with a word changed, or with "RT @x:" before it.

A random cut puts them on both sides, and a model then knows the answers. Candidates come from MinHash signatures and
locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, 3.4); each is then compared word
by word, so that the hash may miss one in a hundred, and never makes one up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from textmill.rows.hashing import keys
from textmill.rows.splits import SPLITS, among, text_key

SHARED = 0.75  # of the different words of two texts, in both of them: of seven words one is changed, or two are added
SHORT = 5  # texts with fewer words in all have to have the same ones
WORDS = 1000  # different ones that are looked at in a text, the first in their order
JUDGED = 20_000  # documents of a split that are looked up; of more, so many are drawn
PAIRS = 20_000_000  # candidates that are compared at most, whatever the texts are: it bounds the time
BANDS, ROWS = 26, 6  # of a signature: two texts that share SHARED of their words meet in 99.4 % of all cases
BATCH = 2_000  # texts whose words are held at a time
CHUNK = 100_000  # pairs whose signatures are compared at a time
SURELY = 0.6  # of two signatures differs where less than SHARED of the words is shared: four standard errors below

# What a copy changes: who is answered or quoted, and where a link leads.
ADDED = r"(?:\brt\s+)?@\w+:?|https?://\S+|www\.\S+"
# Scripts that part no words: two letters that stand side by side count as one.
UNPARTED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
PARTED = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNPARTED}]+|\p{{So}}"


class Sketches(NamedTuple):
    """Of N texts: what they are compared by, and what finds those to compare."""

    text: np.ndarray  # uint64 (N,): equal for equal texts
    words: np.ndarray  # uint64, flat: the keys of each text's different words, ascending
    offsets: np.ndarray  # int64 (N + 1,): where the words of each text begin
    signature: np.ndarray  # uint32 (N, BANDS * ROWS)


class Near(NamedTuple):
    """Documents of a split b with a near copy in the split a, by "a-b", and how many of b were drawn, if not all."""

    near: dict[str, int]
    near_drawn: dict[str, int]  # by split


def near_copies(splits: Mapping[str, Iterable[pl.Series]], sizes: Mapping[str, int], seed: int) -> Near:
    """How many documents of test nearly stand in train, of test in validation, and of validation in train.

    splits: the texts of each, in batches, read once. sizes: how many there are. Equal texts are none of these.
    Of a split with more than JUDGED documents so many count, drawn by `seed`.
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
            sketches = sketch(texts, seed) if lookups else drawn[-1]
            for lookup in lookups.values():
                lookup.look_among(sketches)
        judged[name] = joined(drawn)
        rows |= {f"{name}-{other}": lookup.found for other, lookup in lookups.items()}
    pairs = [f"{a}-{b}" for i, a in enumerate(SPLITS) for b in SPLITS[i + 1 :]]
    return Near({pair: rows[pair] for pair in pairs}, {name: JUDGED for name in SPLITS[1:] if sizes[name] > JUDGED})


def twins(texts: Callable[[], Iterable[pl.Series]], sides: pl.Series, seed: int) -> np.ndarray:
    """Documents outside of test whose text is that of a test document or a near copy of it, bool (N,).

    texts: of all documents, in their order and in batches; read twice. sides: as of `splits.split`.
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
    """Texts that are looked up among others, a batch of those at a time."""

    def __init__(self, sketches: Sketches):
        self.sketches = sketches
        self.waiting = np.diff(sketches.offsets) > 0  # bool (N,): those without a near copy so far
        self.candidates = int(self.waiting.sum())
        bands = _bands(sketches.signature)
        self.order = np.argsort(bands, axis=1, kind="stable")  # int (BANDS, N)
        self.bands = np.take_along_axis(bands, self.order, axis=1)
        self.budget = PAIRS

    def look_among(self, others: Sketches) -> None:
        """Find those of which a near copy is among `others`; an equal text is no near copy."""
        own = self.sketches
        for mine, other in self._pairs(_bands(others.signature)):
            apart = self.waiting[mine] & (own.text[mine] != others.text[other])
            mine, other = mine[apart], other[apart]
            alike = (own.signature[mine] == others.signature[other]).mean(axis=1) > SURELY
            for i, j in zip(mine[alike].tolist(), other[alike].tolist(), strict=True):
                if self.waiting[i] and _near(_words(own, i), _words(others, j)):
                    self.waiting[i] = False

    def copies_among(self, others: Sketches) -> np.ndarray:
        """Which of `others` are equal to one of these, or a near copy of it: bool (M,)."""
        own = self.sketches
        found = among(others.text, np.sort(own.text))
        for mine, other in self._pairs(_bands(others.signature)):
            alike = (own.signature[mine] == others.signature[other]).mean(axis=1) > SURELY
            for i, j in zip(mine[alike].tolist(), other[alike].tolist(), strict=True):
                found[j] = found[j] or _near(_words(own, i), _words(others, j))
        return found

    @property
    def found(self) -> int:
        """How many have a near copy."""
        return self.candidates - int(self.waiting.sum())

    def _pairs(self, bands: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows of these and of the others that meet in a band, int (P,) each; P <= CHUNK."""
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
    """The same texts, a few at a time: their words take ten times their room."""
    for some in texts:
        for first in range(0, len(some), BATCH):
            yield some[first : first + BATCH]


def words(texts: pl.Series) -> pl.Series:
    """The different words of each text in lower case, without punctuation: lists of strings (N,), in any order."""
    plain = texts.str.to_lowercase().str.replace_all(ADDED, " ")
    found = plain.str.extract_all(PARTED)
    if plain.str.contains(UNPARTED).any():
        later = plain.str.replace_all(rf"{UNPARTED}({UNPARTED}*)", "$1")  # without the first letter of each run
        pair = f"{UNPARTED}{{1,2}}"
        found = found.list.concat([plain.str.extract_all(pair), later.str.extract_all(pair)])
    found = found.list.unique()
    return found.list.sort().list.head(WORDS) if (found.list.len() > WORDS).any() else found


def sketch(texts: pl.Series, seed: int) -> Sketches:
    """What two texts are compared by. A text without a word is near no other."""
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
    """Several sketches as one."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    text, flat, _, signature = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Sketches(text, flat, np.append(0, np.cumsum(sizes)), signature)


def _words(some: Sketches, row: int) -> np.ndarray:
    return some.words[some.offsets[row] : some.offsets[row + 1]]


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two texts share enough of their words (Jaccard)."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both == either or (either >= SHORT and both >= SHARED * either)


def _bands(signature: np.ndarray) -> np.ndarray:
    """A number for each band of each signature, uint64 (BANDS, N)."""
    mixed = np.zeros((len(signature), BANDS), np.uint64)
    for column in signature.reshape(len(signature), BANDS, ROWS).transpose(2, 0, 1):
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.ascontiguousarray(mixed.T)
