"""The `dataset` section: what all sources share."""

import codecs
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from textmill.config import Name, Section, like, shown
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
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"a name occurs twice: {shown(twice)}")
    return names


def file_name(name: str, info: ValidationInfo) -> str:
    """Returns `name` if its ending or `format` shows how to read the file. Raises ValueError (for pydantic) if not."""
    if info.data.get("format") is None and format_of(name) is None and not is_archive(name):
        if name.lower().endswith(SPREADSHEETS):
            raise ValueError(f"{name!r} is a spreadsheet; save it as csv (UTF-8) and name that file")
        raise ValueError(
            f"{name!r} has no known ending; use {', '.join(FORMATS)}, also packed as gz, bz2, zip or tar, "
            "or set dataset.format"
        )
    return name


def _form(value: Any) -> str:
    return {list: "a list", dict: "a map", type(None): "null"}.get(type(value), "one")


def forms(words: str) -> Discriminator:
    """Returns the discriminator of a key with several forms: an error is about the form found, or reads `words`."""
    return Discriminator(_form, custom_error_type="form", custom_error_message=words)


def _spelled(labels: Any) -> Any:
    """Returns a map with its keys as text, since YAML reads 0 and true as a number and a boolean."""
    if not isinstance(labels, dict):
        return labels
    return {str(key).lower() if isinstance(key, bool) else str(key): name for key, name in labels.items()}


Format: Any = Literal[*FORMATS]  # the type of their names, for pydantic
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
    """A file in an archive, when its name does not show what it is."""

    split: Split | None  # the split of all its rows; null: a column gives it, or `split` divides the rows
    label: Label | None = None  # the label of all its rows; null: a column gives it


def _member(value: Any) -> str:
    return "a member" if isinstance(value, dict | Member) else "a label"


MemberChoice = Annotated[
    Annotated[Label | None, Tag("a label")] | Annotated[Member, Tag("a member")], Discriminator(_member)
]
Members = Annotated[dict[Column, MemberChoice], Field(min_length=1)]


class Dataset(Section):
    """Keys that every source has. Columns have the names that the file gives them."""

    source: str  # where the dataset comes from
    name: Name  # the dataset's name in reports and MLflow
    licence: str | None = None  # the dataset's licence, such as CC-BY-4.0; shown in reports
    # the column with the text, or a list of columns, joined by a newline; in json, data.text is a nested key
    text: Texts
    label: Column | None  # the column with the class; null: `members` gives the labels
    group: Column | None = None  # the column whose rows must stay together, such as author or product; see split.by
    split: Column | None = None  # the column that says train, validation, test or unlabelled, if there is one
    id: Column | None = None  # the column with a unique id for each row; null: ids are made from the content
    # the classes in order (rows with other labels are left out); or a map that renames labels, {Bad: bad}, and leaves
    # out those mapped to null; null: all labels found, sorted
    labels: Labels = None


class FileDataset(Dataset):
    """Keys of the sources that provide files."""

    format: Format | None = None  # how to read the file; null: by its name's ending; fasttext: `__label__x text` lines
    header: Header = None  # column names for a csv or tsv without a header row; null: the first row is the header
    quotes: Literal["double", "none"] = "double"  # quoting in csv and tsv; none: a quote is an ordinary character
    # encodings to try in order; the first that decodes the whole file is used
    encodings: Annotated[list[Encoding], Field(min_length=1)] = ["utf-8"]
    separator: Annotated[str, like(r'[^"\r\n]', "one character")] = ","  # character between the cells of a csv
