"""The section `evaluate` of params."""

from typing import Annotated

from pydantic import AfterValidator, Field

from textmill.config import Section, like


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name occurs twice: {', '.join(names)}")
    return names


class EvaluateConfig(Section):
    """What the test documents are sliced by."""

    # Words of negation in the data's language; accuracy is reported with and without them. A word with an apostrophe,
    # such as n't, also matches at the end of words (don't).
    negations: list[Annotated[str, like(r"(?s).*\S.*", "a word")]] = []
    # columns of the data, by the file's names, such as product or country: accuracy for each of their values
    slices: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=20), AfterValidator(_distinct)] = []
