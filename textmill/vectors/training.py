"""Word vectors trained on the corpus with gensim. One worker and a seed give the same bytes in every process."""

from collections.abc import Iterator

import numpy as np

from textmill.console import say
from textmill.errors import ParamsError
from textmill.text.ragged import UNK, Ragged
from textmill.text.tokenizer import Tokenizer
from textmill.vectors import WordVectors
from textmill.vectors.config import FastText, Trained

LAST_LR = 1e-4  # final learning rate, as in the authors' code
PIECE = 10_000  # words; gensim ignores the rest of a longer document
UNKNOWN = "\0"  # never occurs in texts, because `clean` replaces it


class Sentences:
    """The documents as lists of words; each iteration starts again. Only the current document is in memory.

    Unknown words keep their place: without them, words would become neighbours that are not. Their shared vector is
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
    """Trains vectors for the ids that occur at least `min_count` times in the documents.

    documents: pairs of documents and the rows to use, int (N,). Raises ParamsError if no id is frequent enough.
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
        workers=1,  # two would train in an unpredictable order
        **more,
    )
    sentences = Sentences(documents, words)
    learner.build_vocab(sentences)
    if not len(learner.wv):
        raise ParamsError(f"vectors: no word occurs {config.min_count} times; lower min_count")
    learner.train(sentences, total_examples=learner.corpus_count, epochs=config.epochs)
    place = learner.wv.key_to_index
    ids = [number for number in range(UNK, len(words)) if words[number] in place]
    return WordVectors(np.array(ids, np.int64), learner.wv.vectors[[place[words[number]] for number in ids]])
