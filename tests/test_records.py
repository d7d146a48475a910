"""Text files: every text is read as it was written, and errors in files name the row."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import DataError, ParamsError
from textmill.rows import bad
from textmill.rows.formats import read_rows
from textmill.rows.records import leaves
from textmill.sources.files import LocalFile

WANTED = {"text": "text", "label": "label"}
LIMIT = 1000


def config(**keys) -> LocalFile:
    return LocalFile.model_validate(
        {"source": "path", "name": "demo", "path": "a.csv", "sha256": None, "members": None, "text": "text",
         "label": "label", "group": None, "split": None, "id": None, "labels": None, "encodings": ["utf-8"],
         "separator": ","} | keys
    )  # fmt: skip


def read_all(data: bytes | str, kind="csv", wanted=WANTED, limit=LIMIT, **keys) -> tuple[str, list[tuple]]:
    """How a file was read, and its rows, each with what is wrong with it."""
    data = data.encode() if isinstance(data, str) else data
    how, rows = read_rows(io.BytesIO(data), kind, config(**keys), "a.csv", wanted, limit)
    return how, list(rows)


def read(*given, **keys) -> list[tuple]:
    """The rows of a file that has no bad ones."""
    rows = read_all(*given, **keys)[1]
    assert [bad for _, bad, *_ in rows if bad] == []
    return [(row, *values) for row, _, *values in rows]


def bad_rows(*given, **keys) -> dict[int, str]:
    """What is wrong with rows that have no other values."""
    rows = [row for row in read_all(*given, **keys)[1] if row[1]]
    assert not any(value for _, _, *values in rows for value in values)
    return {row: reason for row, reason, *_ in rows}


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
        ('text,label\na,b\n"c,d\ne,f\n', r"row 3: .*quote"),
        ('text,label\na,b\n"c,d\n"e",f\n', r"row 3: .*quote"),
        ("text,label\n" + '"' + "a\n" * LIMIT, r"row 2: a quote opens here and runs over 501 lines \(field larger"),
        ("text,label\n" + '"a\n' + "a" * (LIMIT + 1) + '",b\n', r"row 3: line over max_chars \(1,000 characters\)"),
        ("text,label\n" + '"' + "a" * (LIMIT + 1) + '\n",b\n', r"row 2: line over max_chars"),
        ("te\0xt,label\na,b\n", r"row 1: NUL.*UTF-16"),
        ("comment,label\na,b\n", r"no column 'text'; found: comment, label; set dataset\.text"),
        ("text,text,label\na,b,c\n", r"2 columns 'text'"),
        ("text;label\na;b\n", r"no column 'text'; found: text;label; is dataset\.separator ';'\?"),
        ("text\tlabel\na\tb\n", r"is dataset\.separator '\\t'\?"),
        ("text,label\ngood,pos\nmal\xf3,neg".encode("latin-1"), r"a\.csv: byte 23 is not utf-8; .*dataset\.encodings"),
        ("text,label\na,b\n".encode("utf-16"), r"byte 0 is not utf-8"),
        ("text,label\na,b\n".encode("utf-16-le"), r"row 1: NUL.*UTF-16"),
    ],
)
def test_a_broken_csv_is_refused_by_its_row(data, message):
    with pytest.raises(DataError, match=message):
        read(data)


TEXTS = "text,label\ngood,pos\n{}\nbad,neg\n"
LONGEST = "a" * LIMIT


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,b,c", bad.MORE),
        ("a", bad.FEWER),
        ('"a"b,c', bad.QUOTE),
        ('"a "b" c",d', bad.QUOTE),
        ("a\0,b", bad.NUL),
        ("text,label", bad.AGAIN),
        ('"a\n\0",b', bad.NUL),
        (f"{LONGEST},b", bad.LONG),
        (f'"{LONGEST}""",b', bad.LONG),
    ],
)
def test_a_bad_row_of_a_csv_is_told_and_the_next_one_read(row, reason):
    assert bad_rows(TEXTS.format(row)) == {3: reason}
    last = 4 + row.count("\n")
    assert [row[2:] for row in read_all(TEXTS.format(row))[1] if row[0] == last] == [("bad", "neg")]
    assert bad_rows(TEXTS.format(row).replace("\n", "\r\n")) == {3: reason}


def test_the_last_row_may_be_cut_short():
    assert bad_rows('text,label\na,b\n"c') == {3: bad.QUOTE}
    assert bad_rows(b"text\n" + b"a" * 66_000 + b"\r", "txt", {"text": "text"}) == {2: bad.LONG}


def test_a_line_that_is_cut_off_leaves_no_other_line():
    for before in range(LIMIT + 1, LIMIT + 4):  # the end of the line falls into the last piece that is read, or not
        assert [row for row, *_ in read_all("a" * before + "\r\nb\r\n", "txt", {"text": "text"})[1]] == [1, 2]


def test_surplus_cells_that_are_empty_are_none():
    expected = [(2, "a", "b"), (3, "c", "d"), (4, "e", "f")]
    assert read("text,label\na,b,,\nc,d, ,\ne,f\n,,,\n") == [*expected, (5, "", "")]
    assert read("text,label,,\na,b\nc,d,1\ne,f,,\n\n") == expected
    assert read("x,text,label\n,a,b\n,c,d\n,e,f\n,\n") == expected
    assert bad_rows("text,label\na,b,,c\n") == {2: bad.MORE}


def test_columns_that_the_file_does_not_name():
    assert bad_rows("label,text\npos,good\n", header=["label", "text"]) == {1: bad.AGAIN}
    assert read("pos\tgood\nneg\tbad\n", "tsv", header=["label", "text"]) == [(1, "good", "pos"), (2, "bad", "neg")]
    with pytest.raises(DataError, match="no column 'text'; found: label, comment"):
        read("pos,good\n", header=["label", "comment"])
    with pytest.raises(ParamsError, match=r"dataset\.header: only for csv and tsv, but a\.csv is jsonl"):
        read("{}", "jsonl", header=["text"])


@pytest.mark.parametrize(("kind", "mark"), [("tsv", "\t"), ("csv", ",")])
def test_a_row_in_place_of_the_header_is_told_from_one(kind, mark):
    rows = "".join(f"{label}{mark}Good morning, all, {n}\n" for n, label in enumerate(["ham", "spam", "ham"]))
    with pytest.raises(
        DataError, match=r"no column 'text'; .*if the first row is not a header .*its \d columns in dataset\.header"
    ):
        read(rows, kind)
    with pytest.raises(DataError) as caught:
        read(f"category{mark}comment\n{rows}", kind)
    assert "header" not in str(caught.value)


def test_a_quote_may_be_a_character_like_others():
    data = 'text\tlabel\n"so" he said\tneg\n5" wide\tpos\n"open\tneg\n'
    assert read(data, "tsv", quotes="none") == [(2, '"so" he said', "neg"), (3, '5" wide', "pos"), (4, '"open', "neg")]
    with pytest.raises(DataError, match=r"row 4: a quote opens here and runs over 2 lines.*dataset\.quotes: none"):
        read(data + "more\tpos\n", "tsv")


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_the_first_line_of_excel_tells_the_separator(first):
    how, rows = read_all(f"\ufeff{first}text;label\ngood, so;pos\n")
    assert (how, rows) == ("utf-8, separated by ';' as its first line says", [(3, None, "good, so", "pos")])


def test_the_labels_of_fasttext():
    data = "__label__pos good film\n__label__neg  bad __label__\n__label__a __label__b both\nlast __label__pos\nnone\n"
    assert read(data, "fasttext") == [
        (1, "good film", "pos"), (2, " bad __label__", "neg"), (3, "both", '["a", "b"]'), (4, "last ", "pos"),
        (5, "none", ""),
    ]  # fmt: skip
    assert read(data, "fasttext", {"text": "t"})[0] == (1, "good film")
    with pytest.raises(DataError, match=r"no column 'film'; found: text, label; set dataset\.group"):
        read(data, "fasttext", WANTED | {"group": "film"})


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
    assert bad_rows("a" * (limit + 1) + end, "txt", {"text": "text"}, limit=limit) == {1: bad.LONG}


def test_a_txt_file_has_no_other_column():
    with pytest.raises(
        DataError, match=r"no column 'label'; found: text; set .*, if its lines have columns, dataset\.format: tsv"
    ):
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
    ],
)
def test_broken_json_is_refused(kind, data, message):
    with pytest.raises(DataError, match=message):
        read(data, kind)


GOOD = {"text": "a", "label": "b"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [("c", bad.NO_RECORD), ([1], bad.NO_RECORD), (GOOD | {"text": ["a"]}, bad.NESTED), (None, bad.NO_RECORD),
     (GOOD | {"label": {"a": 1}}, bad.NESTED)],
)  # fmt: skip
def test_a_bad_record_is_told_and_the_next_one_read(record, reason):
    records = [GOOD, record, GOOD]
    assert bad_rows(json.dumps(records), "json") == {2: reason}
    assert bad_rows("\n".join(map(json.dumps, records)), "jsonl") == {2: reason}


@pytest.mark.parametrize(
    ("line", "reason"),
    [('{"text": "a"', bad.NOT_JSON), ("9" * 900, bad.NO_RECORD), ("9" * 5000, bad.LONG), ("{}\0", bad.NUL)],
)
def test_a_bad_line_of_json_is_told_and_the_next_one_read(line, reason):
    data = f"{json.dumps(GOOD)}\n{line}\n\n{json.dumps(GOOD)}\n"
    assert bad_rows(data, "jsonl") == {2: reason}
    assert [row for row, *_ in read_all(data, "jsonl")[1]] == [1, 2, 4]


def test_a_dotted_name_reaches_into_records():
    records = [{"data": {"text": "good"}, "marks": [{"label": "pos"}, {}], "id.no": 1}, {"data": {}, "marks": []}, {}]
    wanted = {"text": "data.text", "label": "marks.0.label", "id": "id.no"}
    assert read(json.dumps(records), "json", wanted) == [(1, "good", "pos", "1"), (2, *[None] * 3), (3, *[None] * 3)]
    with pytest.raises(
        DataError, match=r"no column 'text'; found: data\.text, marks\.0\.label, id\.no; set dataset\.text"
    ):
        read(json.dumps(records), "json")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_one_column_may_be_for_two_things(kind):
    wanted = {"text": "text", "group": "text", "label": "label"}
    assert read(written(kind, [("a", "b")]), kind, wanted)[0][1:] == ("a", "a", "b")


def test_a_record_may_be_as_deep_as_json_can_be_read():
    deep = "[" * 900 + "1" + "]" * 900
    assert leaves(json.loads(f'{{"a": {{"b": [1, {{"c": {deep}}}]}}, "d": 2}}'))[::2] == ["a.b.0", "d"]
    assert bad_rows(f'{{"text": {deep}, "label": "a"}}', "jsonl")


@pytest.mark.parametrize(("labels", "string"), [(["pos"], "pos"), ([], None), (["a", "b"], '["a", "b"]')])
def test_labels_may_come_in_lists(labels, string):
    assert read(json.dumps([{"text": "a", "label": labels}]), "json") == [(1, "a", string)]


def test_the_limit_of_a_field_is_as_it_was_after_reading():
    before = csv.field_size_limit()
    assert read("text,label\ngood,pos\n", limit=50) == [(2, "good", "pos")]
    with pytest.raises(DataError):
        read('text,label\n"a' + "a\n" * 60 + '",pos\n', limit=50)
    assert csv.field_size_limit() == before
