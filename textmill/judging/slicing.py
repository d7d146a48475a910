"""The `evaluate` section."""

from typing import Annotated

from pydantic import AfterValidator, Field

from textmill.config import Section, like


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name stands there twice: {', '.join(names)}")
    return names


class EvaluateConfig(Section):
    """What the test documents are sliced by."""

    # Accuracy with and without these words of the data's language. One with an apostrophe is also looked for at the end
    # of words, as n't in don't.
    negations: list[Annotated[str, like(r"(?s).*\S.*", "a word")]] = []
    # columns of the data, as the file names them, say product or country: accuracy for each of their values
    slices: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=20), AfterValidator(_distinct)] = []
