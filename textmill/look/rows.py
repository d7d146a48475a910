"""The columns of any file: the cells of a bounded part of it, and the keys of `dataset` for reading it the same way."""

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.archives import contents_of, format_of, opened
from textmill.look.columns import Column
from textmill.look.encoding import encoding_of
from textmill.look.names import UNNAMED
from textmill.look.proposal import Given
from textmill.look.sample import Sample, read_sample
from textmill.look.table import Table, find_table
from textmill.rows.formats import LABEL
from textmill.rows.records import ABSENT, leaves, value_at

if TYPE_CHECKING:
    import pyarrow as pa

LINES = 50  # to recognise a format by
RECORDS = 20_000  # that are looked at
MOST_NAMES = 200  # columns of records


class Looked(NamedTuple):
    """A file's columns, and how it is read."""

    kind: str  # its format
    keys: dict[str, Any]  # of `dataset`, without defaults
    why: dict[str, str]  # by key
    columns: list[Column]
    whole: bool  # whether all rows were seen
    notes: list[str]


def look_at(path: Path, member: str | None, given: Given) -> Looked:
    """Returns a file's columns. Raises DataError if it has no table or text, ArtifactError if missing or damaged."""
    where, name = (f"{path}!{member}", member) if member else (str(path), path.name)
    with opened(path, member) as file:
        magic = file.read(4)
        file.seek(0)
        if not magic:
            raise DataError(f"{where}: no rows: the file is empty")
        if magic != b"PAR1" and (what := contents_of(file)):
            raise DataError(f"{where}: this is {what}")
        looked = _parquet(file, where) if magic == b"PAR1" else _text(read_sample(file), name, given, where)
    if looked.kind != format_of(name):
        looked.keys["format"] = looked.kind
        looked.why.setdefault("format", "from its content, because its name does not say it")
    return looked


def _text(sample: Sample, name: str, given: Given, where: str) -> Looked:
    encoding = encoding_of(sample)
    used = given.encoding or encoding.name
    keys: dict[str, Any] = {} if used == "utf-8" else {"encodings": [used]}
    if used == "cp1252" and not sample.whole:  # cp1252 leaves five bytes undefined, which may occur elsewhere
        keys["encodings"].append("latin-1")
    why = {"encodings": "as you said" if given.encoding else encoding.reason}
    notes = (
        [f"{where}: {encoding.reason}; save it again, all in UTF-8"] if encoding.mixed and not given.encoding else []
    )
    blocks = _blocks(sample, used)
    if "\0" in blocks[0][:4096]:
        raise DataError(f"{where}: not a text file: it has NUL characters; save its rows as csv (UTF-8)")
    kind = given.format or _kind(blocks[0], format_of(name), where)
    looked = Looked(kind, keys, why, [], sample.whole, notes)
    if kind in ("json", "jsonl"):
        records = _list(blocks[0]) if kind == "json" else [one for block in blocks for one in _lines(block)]
        return looked._replace(columns=_flat(records, where))
    if kind in ("txt", "fasttext"):
        lines = [line for block in blocks for line in block.splitlines() if line.strip()]
        return looked._replace(columns=[Column("text", lines)] if kind == "txt" else _fasttext(lines))
    table = find_table(blocks, given)
    if table is None:
        raise DataError(f"{where}: no rows")
    return _cells(table, looked, where, given)


def _fasttext(lines: list[str]) -> list[Column]:
    found = [LABEL.findall(line) for line in lines]
    labels = [json.dumps(one) if one[1:] else "".join(one) for one in found]
    return [Column("text", [LABEL.sub("", line) for line in lines]), Column("label", labels)]


def _cells(table: Table, looked: Looked, where: str, given: Given) -> Looked:
    keys = looked.keys
    kind = "csv" if looked.kind == "tsv" and table.separator != "\t" else looked.kind
    if table.separator != ("\t" if kind == "tsv" else ","):
        keys["separator"] = table.separator
    if table.quotes != "double":
        keys["quotes"] = table.quotes
    if not table.rows and not table.odd:
        raise DataError(f"{where}: no rows below the header")
    names, width = table.header, len(table.header or table.rows[0])
    if names is None:
        names = given.header or [f"{UNNAMED} {number}" for number in range(1, len(table.rows[0]) + 1)]
        keys["header"] = names
        if len(names) != width:
            raise ParamsError(f"--header: {len(names)} names, but the first row of {where} has {width} cells")
    if table.odd:
        looked.notes.append(
            f"{where}: {table.odd:,} of {table.total:,} rows that were looked at have more or fewer cells than "
            f"the first; is {table.separator!r} part of texts without quotes?"
        )
    cells = zip(*table.rows, strict=True) if table.rows else [() for _ in names]
    columns = [Column(name.strip("\ufeff"), list(column)) for name, column in zip(names, cells, strict=True)]
    return looked._replace(kind=kind, why=looked.why | table.why, columns=columns)


def _kind(text: str, named: str | None, where: str) -> str:
    """Returns the format of a text file: by its content if that is clear, else by its name."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:200].lower().startswith(("<?xml", "<!doctype", "<html")):
        raise DataError(f"{where}: this is HTML or XML; save its texts as csv (UTF-8)")
    lines = [line for line in text.splitlines()[: 4 * LINES] if line.strip()][:LINES]
    if start.startswith("["):
        if isinstance(next(iter(_list(text)), None), dict):
            return "json"
    elif start.startswith("{"):
        if named == "json" and len(lines) == 1 and isinstance(_parsed(text), dict):
            raise DataError(f"{where}: expected a list of records, found one record; save its rows as jsonl or csv")
        if sum(isinstance(_parsed(line), dict) for line in lines) >= 0.9 * len(lines):
            return "jsonl"
        if named in ("json", "jsonl", None) and isinstance(_parsed(text), dict):
            raise DataError(f"{where}: expected a list of records, found one record; save its rows as jsonl or csv")
    if sum(bool(LABEL.search(line)) for line in lines) >= 0.8 * len(lines) > 0:
        return "fasttext"
    if named in ("csv", "json", "jsonl", "fasttext"):
        return named
    table = find_table([text[: 1 << 18].rpartition("\n")[0] or text], Given())
    if table and len(table.rows[:1] and table.rows[0]) > 1 and table.odd <= 0.02 * table.total:
        return "tsv" if table.separator == "\t" else "csv"
    return named or "txt"


def _blocks(sample: Sample, encoding: str) -> list[str]:
    """Returns the texts of a sample, truncated to whole lines."""
    head = sample.head.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    blocks = [head if sample.whole else head.rpartition("\n")[0] or head]
    codec = {"utf-16": "utf-16-le" if sample.head[:2] == b"\xff\xfe" else "utf-16-be"}.get(encoding, encoding)
    for piece in sample.pieces:
        blocks.append(piece.decode(codec, "replace").partition("\n")[2].rpartition("\n")[0])
    return blocks


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(block: str) -> list[Any]:
    return [record for line in block.split("\n") if isinstance(record := _parsed(line), dict)]


def _list(text: str) -> list[Any]:
    """Returns the records at the start of a json list, which may be truncated."""
    found: list[Any] = []
    decoder, place = json.JSONDecoder(), text.find("[") + 1
    while len(found) < RECORDS:
        place += len(text[place : place + 1000]) - len(text[place : place + 1000].lstrip(" \t\r\n,"))
        try:
            record, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        found.append(record)
    return [record for record in found if isinstance(record, dict)]


def _flat(records: list[Any], where: str) -> list[Column]:
    """Returns the records' leaves as columns. A list of records counts by its first; a list of values is a cell."""
    if not records:
        raise DataError(f"{where}: no rows: expected records such as {{...}}")
    names: dict[str, None] = {}
    for record in records[:1000]:
        for name in leaves(record):
            *above, last = name.split(".")
            plain = ".".join(above) if last.isdecimal() and above else name
            if not any(part.isdecimal() and part != "0" for part in plain.split(".")) and len(names) < MOST_NAMES:
                names[plain] = None
    return [Column(name, [_cell(value_at(record, name)) for record in records[:RECORDS]]) for name in names]


def _cell(value: Any) -> str:
    if value is None or value is ABSENT or value == []:
        return ""
    if isinstance(value, list) and len(value) == 1:
        return _cell(value[0])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _parquet(file: IO[bytes], where: str) -> Looked:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
        batch = next(parquet.iter_batches(RECORDS), None)
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{where}: not a complete parquet file: {error}") from error
    if batch is None or not batch.num_rows:
        raise DataError(f"{where}: no rows")
    read = zip(batch.schema.names, batch.columns, strict=True)
    plain = [(name, column.to_pylist()) for name, column in read if _holds_cells(column)]
    columns = [Column(name, [_cell(value) for value in values]) for name, values in plain]
    return Looked("parquet", {}, {}, columns, batch.num_rows == parquet.metadata.num_rows, [])


def _holds_cells(column: "pa.Array") -> bool:
    """Returns whether a column's values are cells: not bytes or records, but possibly lists of one value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return not pa.types.is_nested(kind.value_type) and (pc.max(pc.list_value_length(column)).as_py() or 0) <= 1
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
