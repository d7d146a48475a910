"""Features and fit of a linear model: scikit-learn from strings against n-grams of the encoded ids.

Run: `make bench ONLY=linear`. Both count words and pairs of words; accuracy is on a tenth that neither saw.
"""

import numpy as np
import polars as pl
from side_by_side import side_by_side, texts, write
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from textmill.encoding import encode
from textmill.models import Task, arm
from textmill.tokenizers.word import WordConfig, WordTokenizer

PATTERN = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=2, max_size=50_000)
ENTRY = {"family": "linear", "tokenizer": "word", "ngrams": 2, "min_count": 2, "weighting": "nb", "c": 0.1}


def main() -> None:
    column, labels = texts()
    names = sorted(labels.unique())
    cut = len(column) // 10
    frame = pl.DataFrame({"text": column, "label": labels})
    tokenizer = WordTokenizer.learn([column[cut:]], CONFIG)
    held, data = (encode(part, tokenizer, names) for part in (frame[:cut], frame[cut:]))
    checked = arm(ENTRY, {}, "bench")
    strings, classes = column.to_list(), labels.to_numpy()
    correct: dict[str, float] = {}

    def ours() -> None:
        fitted = checked.family.fit(checked.config, None, data, held, Task(tokenizer.size, len(names), 0))
        correct["ours"] = fitted.history[0]["validation_accuracy"]

    def reference() -> None:
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
        model = LogisticRegression(C=10, max_iter=1000).fit(vectorizer.fit_transform(strings[cut:]), classes[cut:])
        correct["reference"] = float(np.mean(model.predict(vectorizer.transform(strings[:cut])) == classes[:cut]))

    row = side_by_side(f"{len(strings) - cut:,} texts, words and pairs", ours, reference, runs=2)
    print("  accuracy " + ", ".join(f"{side} {100 * share:.2f} %" for side, share in correct.items()))
    write("linear", [row | {f"accuracy_{side}": round(share, 4) for side, share in correct.items()}])


if __name__ == "__main__":
    main()
