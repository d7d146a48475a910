"""The reasons why a row cannot be used, and advice: the words of counts and errors."""

MORE = "more cells than columns"
FEWER = "fewer cells than columns"
AGAIN = "header again"
QUOTE = "stray quote"
NUL = "NUL character"
LONG = "line over max_chars"
NOT_JSON = "not json"
NO_RECORD = "not a record"
NESTED = "list or record for a text"
NO_TEXT = "empty text"
NO_LABEL = "empty label"
TOO_LONG = "text over max_chars"
UNLISTED = "label not listed"  # the one reason that does not make a row bad

ADVICE = {
    MORE: "if a text holds the separator, put it in quotes",
    FEWER: "complete the row; a text with a line break in it needs quotes",
    AGAIN: "delete it, and set dataset.header: null if it is the first row",
    QUOTE: "double it, or set dataset.quotes: none",
    NUL: "if this is UTF-16, name it in dataset.encodings",
    LONG: "raise clean.max_chars if it is one text",
    NOT_JSON: "write one record in each line; a list of records is json",
    NO_RECORD: "a record is {...} with the columns as keys",
    UNLISTED: "see dataset.labels",
    NESTED: "a dotted name such as data.text reaches into a record",
}


def advice(reason: str) -> str:
    """Returns what to do about a row that is bad for this reason."""
    return ADVICE.get(reason, "fix the row")
