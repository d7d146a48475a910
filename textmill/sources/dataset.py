"""The `dataset` section: what all sources share."""

import codecs
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from textmill.config import Name, Section, like
from textmill.fetch.archives import FORMATS, format_of, is_archive
from textmill.sources.naming import Split

SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


def _known_codec(encoding: str) -> str:
    try:
        "a".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError):
        raise ValueError(f"unknown encoding {encoding!r}; for example utf-8, utf-16, latin-1, cp1252") from None


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name stands there twice: {', '.join(names)}")
    return names


def file_name(name: str, info: ValidationInfo) -> str:
    """`name`, if its ending or `format` tells how to read the file. Raises ValueError (pydantic words it) if not."""
    if info.data.get("format") is None and format_of(name) is None and not is_archive(name):
        if name.lower().endswith(SPREADSHEETS):
            raise ValueError(f"{name!r} is a spreadsheet; save it as csv (UTF-8) and name that file")
        raise ValueError(
            f"{name!r} does not tell its format; known: {', '.join(FORMATS)}; also in gz, bz2, zip, tar; "
            "if its name has another ending, set dataset.format"
        )
    return name


def _form(value: Any) -> str:
    return {list: "a list", dict: "a map", type(None): "null"}.get(type(value), "one")


def forms(words: str) -> Discriminator:
    """Of a key that takes several forms: an error then tells that form's fault alone, or the `words` for all forms."""
    return Discriminator(_form, custom_error_type="form", custom_error_message=words)


def _spelled(labels: Any) -> Any:
    """A map with its keys as text: YAML reads 0 and true as a number and a truth."""
    if not isinstance(labels, dict):
        return labels
    return {str(key).lower() if isinstance(key, bool) else str(key): name for key, name in labels.items()}


Format: Any = Literal[*FORMATS]  # one of them, for pydantic
Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[list[Column], Field(min_length=1), AfterValidator(_distinct)]
Texts = Annotated[
    Annotated[Column, Tag("one")] | Annotated[Columns, Tag("a list")], forms("a column or a list of them")
]
Header = Annotated[
    Annotated[Columns, Tag("a list")] | Annotated[None, Tag("null")], forms("a list of the columns' names, or null")
]
Label = Annotated[str, like(r"\S(.*\S)?", "a label without spaces around it")]
Listed = Annotated[list[Label], Field(min_length=2), AfterValidator(_distinct)]
Renamed = Annotated[dict[Column, Label | None], Field(min_length=1), BeforeValidator(_spelled)]
Labels = Annotated[
    Annotated[Listed, Tag("a list")] | Annotated[Renamed, Tag("a map")] | Annotated[None, Tag("null")],
    forms("a list of labels, a map from labels to names, or null"),
]
Encoding = Annotated[str, AfterValidator(_known_codec)]
FileName = Annotated[str, AfterValidator(file_name)]
BySplit = Annotated[dict[Split, FileName], Field(min_length=1)]
Paths = Annotated[
    Annotated[FileName, Tag("one")] | Annotated[BySplit, Tag("a map")],
    forms("a file, or a map from splits to files such as {train: a.csv, test: b.csv}"),
]


class Member(Section):
    """A file of an archive, where its name does not tell what it is."""

    split: Split | None  # of all its rows; null: a column tells, or it is cut here
    label: Label | None = None  # of all its rows; null: a column tells


def _member(value: Any) -> str:
    return "a member" if isinstance(value, dict | Member) else "a label"


Told = Annotated[Annotated[Label | None, Tag("a label")] | Annotated[Member, Tag("a member")], Discriminator(_member)]
Members = Annotated[dict[Column, Told], Field(min_length=1)]


class Dataset(Section):
    """Keys of every source. Columns are named as the file names them."""

    source: str  # where it comes from
    name: Name  # what reports and MLflow call it
    licence: str | None = None  # what its owner allows, say CC-BY-4.0: reports tell it
    # the column of the text, as the file names it, or several, joined by a newline; in json data.text reaches in
    text: Texts
    label: Column | None  # the column of the class; null: `members` gives the labels
    group: Column | None = None  # the column of what must not be split up, say author or product: see split.by
    split: Column | None = None  # the column that says train, validation, test or unlabelled, if there is one
    id: Column | None = None  # the column that names each row once; null: made from the content
    # the classes in order, rows with others are left out; or a map that renames what the file says, {Bad: bad}, and
    # leaves out what it maps to null; null: all that are found, sorted
    labels: Labels = None


class FileDataset(Dataset):
    """Keys of the sources that give files."""

    format: Format | None = None  # how to read the file; null: as its name tells; fasttext: lines of `__label__x text`
    header: Header = None  # the columns of a csv or tsv whose first row does not name them; null: it does
    quotes: Literal["double", "none"] = "double"  # of csv and tsv; none: a quote is a character like others
    encodings: Annotated[list[Encoding], Field(min_length=1)] = ["utf-8"]  # the first that decodes the whole file
    separator: Annotated[str, like(r'[^"\r\n]', "one character")] = ","  # between the cells of csv
