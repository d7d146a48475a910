"""Text files: every text comes back as it was written, and every broken file is refused by its row."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import DataError
from textmill.rows.formats import read_rows
from textmill.sources.files import LocalFile

WANTED = {"text": "text", "label": "label"}
LIMIT = 1000


def config(**keys) -> LocalFile:
    return LocalFile.model_validate(
        {"source": "path", "name": "demo", "path": "a.csv", "sha256": None, "members": None, "text": "text",
         "label": "label", "group": None, "split": None, "id": None, "labels": None, "encodings": ["utf-8"],
         "separator": ","} | keys
    )  # fmt: skip


def read(data: bytes | str, kind="csv", wanted=WANTED, limit=LIMIT, **keys) -> list[tuple]:
    data = data.encode() if isinstance(data, str) else data
    return list(read_rows(io.BytesIO(data), kind, config(**keys), "a.csv", wanted, limit))


def written(kind: str, rows: list[tuple[str, str]]) -> str:
    out = io.StringIO()
    if kind in ("csv", "tsv"):
        writer = csv.writer(out, delimiter="," if kind == "csv" else "\t", quoting=csv.QUOTE_ALL)
        writer.writerows([("label", "more", "text"), *((label, "", text) for text, label in rows)])
    else:
        records = [{"label": label, "text": text} for text, label in rows]
        out.write(json.dumps(records) if kind == "json" else "\n".join(json.dumps(record) for record in records))
    return out.getvalue()


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl"])
@given(
    rows=st.lists(
        st.tuples(texts | st.sampled_from(["007", "1e5", "NA", "null", "nan", "", " ", '"', "a\r\nb"]), texts)
    )
)
def test_texts_come_back_as_they_were_written(kind, rows):
    assert [row[1:] for row in read(written(kind, rows), kind)] == rows


@given(rows=st.lists(texts.filter(lambda text: not set(text) & set("\r\n"))), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_txt_file_has_a_text_in_each_line(rows, end):
    data = "".join(text + end for text in rows)
    assert read(data, "txt", {"text": "text"}) == list(enumerate([text.removeprefix("\ufeff") if not i else text
                                                                  for i, text in enumerate(rows)], 1))  # fmt: skip


@given(st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=4, max_size=4), st.booleans())
def test_line_ends_do_not_matter(ends, final):
    lines = ["text,label", "good,pos", "", "bad,neg"]
    data = "".join(line + end for line, end in zip(lines, ends, strict=True))
    if ends[1:3] == ["\r", "\n"]:
        return  # that is one line end
    assert read(data if final else data.removesuffix(ends[-1])) == [(2, "good", "pos"), (4, "bad", "neg")]


def test_rows_are_numbered_by_the_line_they_begin_in():
    assert [row[0] for row in read('text,label\n"a\nb",x\n\nc,x\n')] == [2, 5]


def test_a_quoted_field_may_hold_anything():
    assert read('text,label\n"a ""b"", c\nd",pos\n') == [(2, 'a "b", c\nd', "pos")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text,label\na,b,c\n", r"a\.csv, row 2: 3 fields, but the header has 2; .*','"),
        ("text,label\nx,y\n\na\n", r"row 4: 1 fields"),
        ('text,label\na,b\n"c,d\ne,f\n', r"row 3: .*quote"),
        ('text,label\na,b\n"c,d\n"e",f\n', r"row 3: .*quote"),
        ('text,label\n"a"b,c\n', r"row 2: .*quote"),
        ("text,label\n" + '"' + "a\n" * LIMIT, r"row 2: field larger than .*quote"),
        ("text,label\n" + "a" * (LIMIT + 1) + ",b\n", r"row 2: a line of more than clean\.max_chars \(1,000\)"),
        ("text,label\na\0,b\n", r"row 2: a NUL"),
        ("comment,label\na,b\n", r"no column 'text'; found: comment, label; set dataset\.text"),
        ("text,text,label\na,b,c\n", r"2 columns 'text'"),
        ("text;label\na;b\n", r"no column 'text'; found: text;label; is dataset\.separator ';'\?"),
        ("text\tlabel\na\tb\n", r"is dataset\.separator '\\t'\?"),
        ("text,label\ngood,pos\nmal\xf3,neg".encode("latin-1"), r"a\.csv: byte 23 is not utf-8; .*dataset\.encodings"),
        ("text,label\na,b\n".encode("utf-16"), r"byte 0 is not utf-8"),
        ("text,label\na,b\n".encode("utf-16-le"), r"row 1: a NUL.*UTF-16"),
    ],
)
def test_a_broken_csv_is_refused_by_its_row(data, message):
    with pytest.raises(DataError, match=message):
        read(data)


@pytest.mark.parametrize("data", ["", "\n", "text,label\n", "text,label", "\ufefftext,label\r\n\r\n"])
def test_no_rows(data):
    assert read(data) == []


def test_a_byte_order_mark_is_no_part_of_the_header():
    assert read("\ufefftext,label\ngood,pos") == [(2, "good", "pos")]
    assert read("text,label\ngood,pos".encode("utf-16"), encodings=["utf-8", "utf-16"]) == [(2, "good", "pos")]


def test_the_first_encoding_that_decodes_the_whole_file():
    data = "text,label\ncafé,pos\n"
    both = {"encodings": ["utf-8", "latin-1"]}
    assert read(data.encode("latin-1"), **both) == read(data.encode(), **both) == [(2, "café", "pos")]
    with pytest.raises(DataError, match="byte 14 is not utf-8"):
        read(data.encode("latin-1"), encodings=["utf-8", "ascii"])
    with pytest.raises(DataError, match="byte 0 is not utf-16"):
        read(data.encode(), encodings=["utf-16"])


@given(before=st.integers(0, 40), good=st.sampled_from(["a", "é", "€", "😀"]))
def test_the_wrong_byte_is_found_wherever_it_is(before, good):
    head = ("x" * before + good * ((1 << 20) // len(good.encode()) + 3)).encode()
    with pytest.raises(DataError, match=f"byte {len(head)} is not utf-8"):
        read(head + b"\xff", "txt", {"text": "text"})
    with pytest.raises(DataError, match=f"byte {len(head)} is not utf-8"):
        read(head + "€".encode()[:2], "txt", {"text": "text"})


@given(st.integers(1, 6), st.sampled_from(["\n", "\r\n", "\r", ""]))
def test_a_line_may_have_as_many_characters_as_a_text(limit, end):
    assert read("a" * limit + end, "txt", {"text": "text"}, limit=limit) == [(1, "a" * limit)]
    with pytest.raises(DataError, match="row 1: a line of more"):
        read("a" * (limit + 1) + end, "txt", {"text": "text"}, limit=limit)


def test_a_txt_file_has_no_other_column():
    with pytest.raises(DataError, match=r"no column 'label'; found: text"):
        read("a\nb\n", "txt")


@pytest.mark.parametrize(
    ("value", "string"),
    [("a", "a"), (True, "true"), (False, "false"), (1, "1"), (1.0, "1"), (-0.5, "-0.5"), (None, None),
     (float("nan"), None), ("\ud800x", "\ufffdx"), ("\ud83d\ude00", "😀"), ("\0", "\0"), (float("inf"), "inf")],
)  # fmt: skip
def test_values_of_json_as_strings(value, string):
    for kind, data in (
        ("json", json.dumps([{"text": "a", "label": value}])),
        ("jsonl", json.dumps({"text": "a", "label": value})),
    ):
        assert read(data, kind) == [(1, "a", string)]


def test_a_key_may_be_absent_from_some_records_but_not_from_all():
    assert read('{"text": "a", "label": "x"}\n\n{"text": "b"}\n', "jsonl") == [(1, "a", "x"), (3, "b", None)]
    with pytest.raises(DataError, match="no column 'label'; found: text"):
        read('[{"text": "b"}]', "json")


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("json", "", "not json"),
        ("json", '[{"text": "a"}', "not json"),
        ("json", "[" * 100_000, "not json"),
        ("json", '{"text": "a"}', "expected a list of records, found a dict"),
        ("json", '[{"text": "a", "label": "b"}, "c"]', "row 2: expected a record.*found a str"),
        ("json", '[{"text": ["a"], "label": "b"}]', "row 1, 'text': expected a text, found a list"),
        ("jsonl", '{"text": "a", "label": "b"}\n{"text": "a"', "row 2: not json"),
        ("jsonl", "[1]\n", "row 1: expected a record.*found a list"),
        ("jsonl", "9" * 5000, "line of more|not json"),
    ],
)
def test_broken_json_is_refused(kind, data, message):
    with pytest.raises(DataError, match=message):
        read(data, kind)


def test_the_limit_of_a_field_is_as_it_was_after_reading():
    before = csv.field_size_limit()
    assert read("text,label\ngood,pos\n", limit=50) == [(2, "good", "pos")]
    with pytest.raises(DataError):
        read("text,label\n" + "a" * 60 + ",pos\n", limit=50)
    assert csv.field_size_limit() == before
