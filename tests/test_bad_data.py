"""Data with mistakes, in numbered rows: each is refused in one line, or has a result that is defined.

The numbers are those of the table in docs/reference/tested.md; test_bad_inputs.py has the other rows.
"""

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Doors, Ended
from ruamel.yaml import YAML

from textmill.files import read_json

STAGES = {
    "download": ["data/input", "data/downloads", "data/raw"],
    "clean": [*("data/raw", "data/clean/docs.parquet", "data/clean/labels.json"),
              *("metrics/clean.json", "data/clean/columns.parquet")],
    "split": ["data/clean/docs.parquet", "data/clean/labels.json", "data/split", "metrics/split.json"],
}  # fmt: skip
HEAD = "text,label\n"
TWO = f"{HEAD}a good film,pos\na bad film,neg\n"
MANY = HEAD + "".join(f"good {n},pos\nbad {n},neg\n" for n in range(30))
STOP = {"clean": {"on_bad_row": "error"}}
Content = bytes | str | Callable[[Path], object]


def records(*rows: tuple[Any, Any]) -> str:
    return "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


def tar(*members: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(TWO.encode()) if member.isreg() else None)
    return out.getvalue()


def member(name: str = "r.csv", kind: bytes = tarfile.REGTYPE, **facts: Any) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.size = kind, len(TWO.encode()) if kind == tarfile.REGTYPE else 0
    for key, value in facts.items():
        setattr(found, key, value)
    return found


SPARSE = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0", "GNU.sparse.size": str(10 << 30)}


def parquet(**columns: list[Any]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def params(file: str, **sections: Any) -> None:
    """Writes params for a file in data/input. A dotted name is a key of `dataset`."""
    dataset = {"name": "case", "source": "path", "path": f"data/input/{file}", "text": "text", "label": "label"}
    dataset |= {key.removeprefix("dataset."): value for key, value in sections.items() if key.startswith("dataset.")}
    others = {key: value for key, value in sections.items() if not key.startswith("dataset.")}
    YAML().dump({"seed": 1, "dataset": dataset, "clean": {}, "split": {}, "evaluate": {}} | others, Path("params.yaml"))


def through(doors: Doors, last: str, content: Content, file: str, sections: dict[str, Any]) -> Ended:
    """Runs the first stages until one fails or the last is reached; returns how that one ended."""
    place = Path("data/input") / file
    place.parent.mkdir(parents=True, exist_ok=True)
    if callable(content):
        content(place)
    else:
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    params(file, **sections)
    for name, words in STAGES.items():
        ended = doors.stage(name, *words)
        if ended.code or name == last:
            break
    return ended


def bad(
    number: int, content: Content, code: int, *words: str, last: str = "clean", file: str = "r.csv", **sections: Any
):
    return pytest.param(content, code, words, last, file, sections, id=f"{number}")


REFUSED = [
    bad(1, lambda path: None, 4, "download: data/input/r.csv: no such file"),
    bad(1, Path.mkdir, 4, "data/input/r.csv: not a file"),
    bad(1, lambda path: path.symlink_to("nowhere"), 4, "data/input/r.csv: no such file"),
    bad(1, os.mkfifo, 4, "data/input/r.csv: not a file"),
    bad(2, "", 3, "clean: data/raw/r.csv: no rows"),
    bad(2, HEAD, 3, "data/raw/r.csv: no rows"),
    bad(3, f"{HEAD}a,pos\nb,pos\n", 3, "found only 'pos'"),
    bad(4, MANY + "x,odd\n", 3, "split: a class needs 3 rows", "'odd' has 1", "dataset.labels", last="split"),
    bad(
        5,
        "text,label,part\na,pos,train\nb,neg,train\nc,odd,test\n",
        3,
        "row 4: label 'odd' of split test is not in train",
        **{"dataset.split": "part"},
    ),
    bad(6, TWO + "c,\n" * 7, 3, "row 4, 5, 6, 7, 8 (7 rows): empty label", "set clean.on_bad_row: drop", **STOP),
    bad(6, TWO + 'c," \t"\n', 3, "row 4: empty label", **STOP),
    bad(6, records(("a", "pos"), ("b", "neg"), ("c", None)), 3, "row 3: empty label", file="r.jsonl", **STOP),
    bad(7, f"{HEAD}a,Pos\nb,pos\nc,neg\n", 3, "'Pos' and 'pos' differ only in case", "{Pos: pos}"),
    bad(8, "comment,label\na,pos\n", 3, "no column 'text'; found: comment, label; set dataset.text"),
    bad(8, "text,text,label\na,b,pos\n", 3, "2 columns 'text'; found: text, text, label"),
    bad(8, parquet(comment=["a"], label=["b"]), 3, "no column 'text'; found: comment, label", file="r.parquet"),
    bad(9, TWO + "a,b,c\n", 3, "row 4: more cells than columns", **STOP),
    bad(9, TWO + "a\n", 3, "row 4: fewer cells than columns", **STOP),
    bad(10, TWO + '"b,neg\n' + "c,pos\n" * 9, 3, "row 4: a quote opens here and runs over 10 lines"),
    bad(14, TWO.encode("utf-16"), 3, "byte 0 is not utf-8", "utf-16, in dataset.encodings"),
    bad(14, f"{HEAD}café,pos\nb,neg\n".encode("latin-1"), 3, "byte 14 is not utf-8", "dataset.encodings"),
    bad(14, TWO.encode() + b"\xff,pos\n", 3, "byte 42 is not utf-8"),
    bad(16, TWO + "a\0b,pos\n", 3, "row 4: NUL character", **STOP),
    bad(
        18,
        TWO + "a" * 1001 + ",pos\n",
        3,
        "row 4: line over max_chars",
        clean={"on_bad_row": "error", "max_chars": 1000},
    ),
    bad(20, TWO + ",pos\n", 3, "row 4: empty text", **STOP),
    bad(
        27, "text,label,key\na,pos,1\nb,neg,1\n", 3, "row 2, 3 (2 rows): id '1' is not unique", **{"dataset.id": "key"}
    ),
    bad(33, "text;label\na 2,5;pos\nb 3,5;neg\n", 3, "found: text;label; is dataset.separator ';'?"),
    bad(
        34,
        parquet(text=["a", "b"], label=["x", "y"])[:-9],
        4,
        "data/raw/r.parquet: not a complete parquet",
        file="r.parquet",
    ),
    bad(34, parquet(text=[["a"], ["b"]], label=["x", "y"]), 3, "column 'text': expected texts", file="r.parquet"),
    *(
        bad(
            35,
            tar(made),
            4,
            "download: data/input/r.tar!",
            words,
            file="r.tar",
            **{"dataset.members": {made.name: None}},
        )
        for made, words in [
            (member("../r.csv"), "unsafe"),
            (member("/r.csv"), "unsafe"),
            (member(kind=tarfile.SYMTYPE, linkname="/etc/hosts"), "found a link, a device"),
            (member(kind=tarfile.CHRTYPE), "found a link, a device"),
            (member(kind=tarfile.FIFOTYPE), "found a link, a device"),
            (member(pax_headers=SPARSE), "found a link, a device"),
        ]
    ),
    bad(
        35,
        tar(member(), member()),
        4,
        "data/input/r.tar!r.csv",
        "2",
        file="r.tar",
        **{"dataset.members": {"r.csv": None}},
    ),
    bad(36, gzip.compress(TWO.encode())[:-9], 4, "download: data/input/r.csv.gz: damaged", file="r.csv.gz"),
    bad(36, gzip.compress(TWO.encode()) + b"x", 4, "data/input/r.csv.gz: damaged", file="r.csv.gz"),
    bad(36, b"not packed", 4, "data/input/r.csv.gz: damaged", file="r.csv.gz"),
]


@pytest.mark.parametrize(("content", "code", "words", "last", "file", "sections"), REFUSED)
def test_data_that_is_refused(doors, content, code, words, last, file, sections):
    through(doors, last, content, file, sections).refused(code, *words)


def good(
    number: int,
    content: Content,
    documents: list[tuple[str, str]],
    file: str = "r.csv",
    sections: Any = None,
    **facts: Any,
):
    return pytest.param(content, documents, file, sections or {}, facts, id=f"{number}")


PAIR = [("a bad film", "neg"), ("a good film", "pos")]
LONG = "a" * 200_000  # longer than a cell of Python's csv may be
ODD = "a < b &amp; <script>alert(1)</script> <i><b>c</i> <3"
KEPT = [
    good(6, TWO + "c,\n" * 7, PAIR, dropped={"empty label": 7}),
    good(7, f"{HEAD}a,0.0\nb,1.0\n", [("a", "0"), ("b", "1")]),
    good(7, f"{HEAD}a,true\nb,False\n", [("a", "true"), ("b", "false")]),
    good(
        7,
        records(("a", True), ("b", 1.0)),
        [("a", "yes"), ("b", "no")],
        "r.jsonl",
        {"dataset.labels": {"true": "yes", "1": "no"}},
    ),
    good(7, f'{HEAD}a, pos\nb,"neg "\n', [("a", "pos"), ("b", "neg")]),
    good(9, TWO + "a,b,c\na\n", PAIR, dropped={"more cells than columns": 1, "fewer cells than columns": 1}),
    good(11, f'{HEAD}"a\nb",pos\nc,neg\n', [("a\nb", "pos"), ("c", "neg")]),
    good(12, TWO.replace("\n", "\r\n"), PAIR),
    good(12, TWO.replace("\n", "\r"), PAIR),
    good(12, TWO.replace("\n", "\r\n", 1).rstrip(), PAIR),
    good(13, "\ufeff" + TWO, PAIR),
    good(
        15,
        '{"text": "a \\ud800 b", "label": "x"}\n{"text": "c", "label": "y"}\n',
        [("a \ufffd b", "x"), ("c", "y")],
        "r.jsonl",
        repaired={"replacement characters": 1},
    ),
    good(16, TWO + "a\0b,pos\n", PAIR, dropped={"NUL character": 1}),
    good(
        17,
        f"{HEAD}don\x92t \x93so\x94,pos\nb\x85,neg\n",
        [("don’t “so”", "pos"), ("b…", "neg")],
        repaired={"misread cp1252": 2},
    ),
    good(18, f"{HEAD}{LONG},pos\nb,neg\n", [(LONG, "pos"), ("b", "neg")]),
    good(
        18,
        TWO + "a" * 1001 + ",pos\n",
        PAIR,
        sections={"clean": {"max_chars": 1000}},
        dropped={"line over max_chars": 1},
    ),
    good(
        20,
        TWO + ",pos\n \t,neg\n<br />,pos\n👍,neg\n",
        [*PAIR, ("<br />", "pos"), ("👍", "neg")],
        dropped={"empty text": 2},
    ),
    good(23, f"{HEAD}e\u0301 👩\u200d💻,pos\n\xe9,neg\n", [("e\u0301 👩\u200d💻", "pos"), ("\xe9", "neg")]),
    good(24, f"{HEAD}שלום \u202eabc,pos\n好电影,neg\n", [("שלום \u202eabc", "pos"), ("好电影", "neg")]),
    good(25, f"{HEAD}{ODD},pos\nb,neg\n", [(ODD, "pos"), ("b", "neg")]),
    good(
        26, f"{HEAD}<pad>,pos\n<unk>,neg\n__label__1,neg\n", [("<pad>", "pos"), ("<unk>", "neg"), ("__label__1", "neg")]
    ),
    good(
        32,
        f"{HEAD}007,pos\n1e5,neg\nNA,pos\nnull,neg\nnan,pos\n",
        [("007", "pos"), ("1e5", "neg"), ("NA", "pos"), ("null", "neg"), ("nan", "pos")],
    ),
]


@pytest.mark.parametrize(("content", "documents", "file", "sections", "facts"), KEPT)
def test_data_that_has_a_defined_result(doors, content, documents, file, sections, facts):
    assert through(doors, "clean", content, file, sections)[:2] == (0, "")
    docs, counts = pl.read_parquet("data/clean/docs.parquet"), read_json(Path("metrics/clean.json"))
    assert sorted(docs.select("text", "label").rows()) == sorted(documents)
    expected = {"dropped": {}, "repaired": {}, "rows": len(documents) + sum(facts.get("dropped", {}).values())} | facts
    assert {key: counts[key] for key in expected} == expected


LOCATED = "text,label,part\n"


def split_of(doors: Doors, content: str, **sections: Any) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Runs the first stages; returns the splits, and the counts of `split`."""
    assert through(doors, "split", content, "r.csv", sections)[:2] == (0, "")
    names = ("train", "validation", "test")
    return {name: pl.read_parquet(f"data/split/{name}.parquet") for name in names}, read_json(
        Path("metrics/split.json")
    )


def test_28_equal_texts_are_counted_and_stay_on_one_side(doors):
    twice = MANY + MANY.removeprefix(HEAD)
    parts, counts = split_of(doors, twice)
    assert sum(part["duplicates"] for part in counts["splits"].values()) == 60
    assert set(counts["overlap"].values()) == {0}
    assert len(pl.concat(parts.values())) == 120
    given = (
        "".join(f"{line},train\n" for line in MANY.removeprefix(HEAD).splitlines()) + "good 1,pos,test\nx,neg,test\n"
    )
    _, counts = split_of(doors, LOCATED + given, **{"dataset.split": "part"})
    assert counts["overlap"]["train-test"] == 1


def test_29_one_text_with_two_labels_is_kept_and_counted(doors):
    parts, counts = split_of(doors, MANY + "good 1,neg\n")
    assert counts["conflicts"] == 1
    assert len(pl.concat(parts.values())) == 61


def test_30_sorted_labels_are_shuffled_by_the_seed(doors):
    first, *rows = MANY.splitlines(keepends=True)
    parts, _ = split_of(doors, first + "".join(sorted(rows)))
    assert all(part["label"].value_counts()["count"].n_unique() == 1 for part in parts.values())  # half and half
    assert not parts["train"]["label"].is_sorted()
    again, _ = split_of(doors, MANY)
    assert all(again[name].equals(part) for name, part in parts.items())


def test_31_a_column_that_nobody_names_is_not_read(doors):
    plain, _ = split_of(doors, MANY)
    leak = "".join(f"{n},{line}\n" for n, line in enumerate(MANY.removeprefix(HEAD).splitlines()))
    told, _ = split_of(doors, f"time,{HEAD}{leak}")
    assert all(told[name].equals(part) for name, part in plain.items())
