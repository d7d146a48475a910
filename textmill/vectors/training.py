"""Vectors learned from the corpus's own texts by gensim: one worker and a seed give the same bytes in every process."""

from collections.abc import Iterator

import numpy as np

from textmill.console import say
from textmill.errors import DataError
from textmill.text.ragged import UNK, Ragged
from textmill.text.tokenizer import Tokenizer
from textmill.vectors import WordVectors
from textmill.vectors.config import FastText, Trained

LAST_LR = 1e-4  # what the rate falls to; that of the method's authors
PIECE = 10_000  # words: gensim leaves out what comes behind them in a document
UNKNOWN = "\0"  # in no text: `clean` replaced it


class Sentences:
    """The documents as lists of words, each time from the start. They stay on disk but for the one that is asked for.

    An unknown word keeps its place: leaving it out would make neighbours of words that are none, and its vector is
    that of a rare word.
    """

    def __init__(self, documents: list[tuple[Ragged, np.ndarray]], words: list[str]):
        self.documents, self.words = documents, words

    def __iter__(self) -> Iterator[list[str]]:
        for docs, rows in self.documents:
            for row in rows:
                ids = docs[row].tolist()
                for start in range(0, len(ids), PIECE):
                    yield [self.words[number] for number in ids[start : start + PIECE]]


def train(config: Trained, documents: list[tuple[Ragged, np.ndarray]], tokenizer: Tokenizer, seed: int) -> WordVectors:
    """Vectors of the ids that stand `min_count` times in the documents: rows, int (N,), of each Ragged.

    Raises DataError if there is no such id.
    """
    from gensim.models import FastText as GensimFastText
    from gensim.models import Word2Vec as GensimWord2Vec

    say(f"vectors: {config.method} on {sum(len(rows) for _, rows in documents):,} documents (epochs: {config.epochs})")
    words = [tokenizer.token(number) for number in range(tokenizer.size)]
    words[UNK] = UNKNOWN
    model, more = GensimWord2Vec, {}
    if isinstance(config, FastText):
        model, more = GensimFastText, {"min_n": config.shortest, "max_n": config.longest, "bucket": config.buckets}
    learner = model(
        vector_size=config.size,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        epochs=config.epochs,
        alpha=config.lr,
        min_alpha=min(LAST_LR, config.lr),
        sg=int(config.skip_gram),
        seed=seed,
        workers=1,  # two would learn in an order of their own
        **more,
    )
    sentences = Sentences(documents, words)
    learner.build_vocab(sentences)
    if not len(learner.wv):
        raise DataError(f"vectors: no word stands min_count: {config.min_count} times; lower it")
    learner.train(sentences, total_examples=learner.corpus_count, epochs=config.epochs)
    place = learner.wv.key_to_index
    ids = [number for number in range(UNK, len(words)) if words[number] in place]
    return WordVectors(np.array(ids, np.int64), learner.wv.vectors[[place[words[number]] for number in ids]])
