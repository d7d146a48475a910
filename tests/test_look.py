"""A first look at realistic files: what each is, and what its columns are for."""

import gzip
import io
import json
import os
import re
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest
from conftest import ROOT

from textmill.errors import DataError, ParamsError, TextmillError
from textmill.look.copying import copy_files
from textmill.look.facts import as_config, facts
from textmill.look.finding import propose
from textmill.look.proposal import Given, ask
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig

GOOD = ["works well and lasts long", "quick delivery, nice colour", "easy to clean, worth it"]
BAD = ["broke after a week", "too loud for my small room", "late again, and the lid is loose"]


def reviews(number=60):
    """Texts that differ, and their classes in turn."""
    return [(f"{(GOOD, BAD)[n % 2][n // 2 % 3]} since day {n}", ("good", "bad")[n % 2]) for n in range(number)]


def table(separator=",", header="text,label", row="{0}{s}{1}", quote=True, encoding="utf-8"):
    """A file of reviews: `row` has the text {0}, the class {1}, the number {n} and the separator {s}."""
    lines = [header.replace(",", separator)] if header else []
    for number, (text, label) in enumerate(reviews()):
        cell = f'"{text}"' if quote and separator in text else text
        lines.append(row.format(cell, label, n=number, s=separator))
    return "".join(f"{line}\n" for line in lines).encode(encoding)


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return packed.getvalue()


def texts(label):
    return "\n".join(text for text, own in reviews() if own == label).encode()


def records(**more):
    return [{"text": text, "label": label, **more} for text, label in reviews()]


def as_jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(frame):
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def told_by(header, row, one, other):
    """A file in which two texts, each with its class, take turns; {0} is the text, {1} the class, {n} the number."""
    return header + "\n" + "".join(row.format(*(one, other)[n % 2], n=n) + "\n" for n in range(60))


SMS = table("\t", None, "{1}{s}{0}", quote=False).replace(b"quick", b'"quick').replace(b"\tbroke", b'\t"broke')
RUSSIAN = told_by("отзыв;тональность", "{0} {n};{1}", ("Отличный телефон, держит долго", "хорошо"),
                  ("Сломался сразу, жаль денег", "плохо"))  # fmt: skip
CHINESE = told_by("评论,情感", "{0}第{n}次,{1}", ("房间很干净服务热情", "好"), ("价格太贵早餐不好吃", "差"))
JAPANESE = told_by("レビュー,ラベル", "{0}{n}回目,{1}", ("とても良い製品なのでおすすめします", "良い"),
                   ("配送が遅くて品質も悪いです", "悪い"))  # fmt: skip
GERMAN = told_by("Nummer;Kommentar;Bewertung;Größe", "{n};{0} {n};{1};3,5", ("Schönes Gerät, läuft", "gut"),
                 ("Für die Größe zu teuer", "schlecht"))  # fmt: skip
FRENCH = told_by("avis|note", "{0} {n}|{1}", ("Très déçu, colis abîmé", "non"), ("C’est parfait, ça marche", "oui"))
SPANISH = table(header="id,fecha,pais,comentario,categoria,severidad", row="{n},2024-08-17,CL,{0},{1},media")
USERS = "text,label,user\n" + "".join(
    f"text number {n},{'yes' if n % 12 < 6 else 'no'},u{n % 12}\n" for n in range(120)
)

# A file's name, its bytes, and what is proposed besides name, source and path.
FILES = {
    "plain": ("a.csv", table(), {"text": "text", "label": "label"}),
    "no obvious names": ("a.csv", table(header="v1,v2", row="{1}{s}{0}"), {"text": "v2", "label": "v1"}),
    "an index and empty columns": (
        "a.csv",
        table(header=",text,label,,", row="{n},{0},{1},,"),
        {"text": "text", "label": "label"},
    ),
    "semicolons and Windows' letters": (
        "a.csv",
        GERMAN.encode("cp1252"),
        {"encodings": ["cp1252"], "separator": ";", "text": "Kommentar", "label": "Bewertung", "id": "Nummer"},
    ),
    "bars": (
        "a.csv",
        FRENCH.encode("cp1252"),
        {"encodings": ["cp1252"], "separator": "|", "text": "avis", "label": "note"},
    ),
    "Excel's first line": (
        "a.csv",
        b"\xef\xbb\xbfsep=;\r\n" + table(";"),
        {"separator": ";", "text": "text", "label": "label"},
    ),
    "Cyrillic": (
        "a.csv",
        RUSSIAN.encode("cp1251"),
        {"encodings": ["cp1251"], "separator": ";", "text": "отзыв", "label": "тональность"},
    ),
    "Chinese": ("a.csv", CHINESE.encode("gb18030"), {"encodings": ["gb18030"], "text": "评论", "label": "情感"}),
    "Japanese": (
        "a.csv",
        JAPANESE.encode("shift_jis"),
        {"encodings": ["shift_jis"], "text": "レビュー", "label": "ラベル"},
    ),
    "UTF-16 with a mark": (
        "a.csv",
        table("\t", encoding="utf-16"),
        {"encodings": ["utf-16"], "separator": "\t", "text": "text", "label": "label"},
    ),
    "UTF-16 without": (
        "a.csv",
        table("\t", encoding="utf-16-le"),
        {"encodings": ["utf-16-le"], "separator": "\t", "text": "text", "label": "label"},
    ),
    "no header": (
        "a.tsv",
        table("\t", None, "{1}{s}{0}"),
        {"header": ["label", "text"], "text": "text", "label": "label"},
    ),
    "no header, no ending, bare quotes": (
        "SMSSpamCollection",
        SMS,
        {"quotes": "none", "header": ["label", "text"], "text": "text", "label": "label", "format": "tsv"},
    ),
    "no header, class and title and text": (
        "a.csv",
        "".join(
            f'"{n % 4 + 1}","Wall St. bears back {n} more","Agency tells that {t} on this day"\n'
            for n, (t, _) in enumerate(reviews())
        ).encode(),
        {"header": ["label", "title", "text"], "text": ["title", "text"], "label": "label"},
    ),
    "no header, a class in front of much else": (
        "a.csv",
        "".join(
            f'"{"04"[k == "good"]}","{1467810369 + n}","Mon Apr 06 22:19:{n} PDT 2009","NO_QUERY","u{n}","@x {t}"\n'
            for n, (t, k) in enumerate(reviews())
        ).encode(),
        {"header": ["label", "column 2", "column 3", "column 4", "column 5", "text"], "text": "text", "label": "label"},
    ),
    "bare quotes": (
        "a.tsv",
        table("\t").replace(b"broke", b'"broke'),
        {"quotes": "none", "text": "text", "label": "label"},
    ),
    "title and body": (
        "a.csv",
        table(header="Titel,Text,Kategorie,Preis", row="Nr. {n},{0},{1},{n}.5"),
        {"text": ["Titel", "Text"], "label": "Kategorie"},
    ),
    "pairs": (
        "a.csv",
        table("\t", header="question1,question2,is_duplicate", row="{0}\t{0} then\t{1}"),
        {"separator": "\t", "text": ["question1", "question2"], "label": "is_duplicate"},
    ),
    "many columns": ("a.csv", SPANISH, {"text": "comentario", "label": "categoria", "id": "id"}),
    "a group": ("a.csv", USERS.encode(), {"text": "text", "label": "label", "group": "user"}),
    "splits in a column": (
        "a.csv",
        table(header="text,label,part", row="{0},{1},Held-out").replace(b"Held-out", b"training", 40),
        {"text": "text", "label": "label", "split": "part"},
    ),
    "json lines called json": ("a.json", as_jsonl(records()), {"text": "text", "label": "label", "format": "jsonl"}),
    "a json list": ("a.json", json.dumps(records(), indent=1).encode(), {"text": "text", "label": "label"}),
    "records in records": (
        "a.jsonl",
        as_jsonl([{"data": {"body": t}, "meta": {"n": 1}, "annotations": [{"class": k}]} for t, k in reviews()]),
        {"text": "data.body", "label": "annotations.0.class"},
    ),
    "fastText": (
        "train.txt",
        "".join(f"__label__{label} {text}\n" for text, label in reviews()).encode(),
        {"text": "text", "label": "label", "format": "fasttext"},
    ),
    "a table called txt": ("a.txt", table(";"), {"separator": ";", "text": "text", "label": "label", "format": "csv"}),
    "commas in a tsv": ("a.tsv", table(), {"text": "text", "label": "label", "format": "csv"}),
    "packed": ("a.csv.gz", gzip.compress(table(), mtime=0), {"text": "text", "label": "label"}),
    "parquet": (
        "a.parquet",
        parquet(pl.DataFrame(records(stars=3))),
        {"text": "text", "label": "label"},
    ),
    "labels in lists of parquet": (
        "a.parquet",
        parquet(pl.DataFrame(records()).with_columns(label=pl.concat_list("label"))),
        {"text": "text", "label": "label"},
    ),
    "parquet by its bytes": (
        "a.data",
        parquet(pl.DataFrame(records())),
        {"text": "text", "label": "label", "format": "parquet"},
    ),
    "splits in an archive": (
        "a.zip",
        zipped(d__train_csv=table(), d__dev_csv=table(), d__README_md="x", __MACOSX__d__x_csv="x"),
        {
            "members": {
                "d/train.csv": {"split": "train", "label": None},
                "d/dev.csv": {"split": "validation", "label": None},
            },
            "text": "text",
            "label": "label",
        },
    ),
    "classes in an archive": (
        "a.zip",
        zipped(pos_txt=texts("good"), neg_txt=texts("bad")),
        {"members": {"pos.txt": "pos", "neg.txt": "neg"}, "text": "text", "label": None},
    ),
    "classes of splits in an archive": (
        "a.zip",
        zipped(train__pos_txt=texts("good"), train__neg_txt=texts("bad"), test__pos_txt="x y\n", test__neg_txt="z y\n"),
        {
            "members": {
                f"{side}/{name}.txt": {"split": side, "label": name}
                for side in ("train", "test")
                for name in ("pos", "neg")
            },
            "text": "text",
            "label": None,
        },
    ),
}


ROWS = {"a group": 120, "splits in an archive": 120, "classes of splits in an archive": 62}


@pytest.mark.parametrize("kind", FILES)
def test_what_a_file_is(tmp_path, kind):
    name, data, expected = FILES[kind]
    (tmp_path / name).write_bytes(data)
    found = propose(tmp_path / name).dataset
    assert found == {"name": found["name"], "source": "path", "path": f"data/input/{name}", **expected}
    read = facts(as_config(found | {"path": name}), CleanConfig(), SplitConfig(), tmp_path)
    assert (read.problem, read.kept) == ("", read.rows)
    assert read.rows == ROWS.get(kind, 60)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"", "no rows: the file is empty"),
        ("a.csv", b"text,label\n", "no rows below the header"),
        ("a.csv", b"n,m\n1,2\n3,4\n", "no column could be a text; found: n, m"),
        ("a.csv", zipped(a_csv=table()), "this is a zip file; give it the ending .zip"),
        ("a.xlsx", b"PK\x03\x04", "this is a spreadsheet; save it as csv"),
        ("a.csv", b"\x1f\x8b\x08", "packed by gzip; give it the ending .gz"),
        ("a.csv", b"\x00\x01\x02\x00" * 20, "not a text file"),
        ("a.txt", texts("good"), "only texts and no classes"),
        ("a.html", b"<!DOCTYPE html><p>x", "this is HTML or XML"),
        ("a.json", b'{"data": [\n{"text": "a"}]}', "expected a list of records"),
        ("a.csv", table(header="text,label,label", row="{0},{1},{1}"), "2 columns are called 'label'"),
        (
            "a.zip",
            zipped(**{f"all__{label}__{n}_txt": texts(label) for label in ("pos", "neg") for n in range(3)}),
            "a.zip: each file in neg, pos seems to be one text; write one table with a row for each",
        ),
        ("a.zip", zipped(**{f"{n}_txt": texts("pos") for n in range(51)}), "a.zip: 51 files, but at most 50 are read"),
        ("a.zip", zipped(README_md="x"), "it has no file that could be read"),
        ("a.zip", zipped(a_csv=table(), b_csv=table()), "their names give neither splits nor classes"),
        (
            "a.parquet",
            parquet(pl.DataFrame(records()).with_columns(label=pl.col("label").cast(pl.Binary), tokens=[["a", "b"]])),
            "only texts and no classes",
        ),
        ("a.csv", None, "no such file"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, name, data, expected):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(TextmillError, match=re.escape(expected)):
        propose(tmp_path / name)


def test_files_for_splits_and_for_classes(tmp_path):
    for name in ("my-train.csv", "my-test.csv"):
        (tmp_path / name).write_bytes(table(";"))
    (tmp_path / "dev.csv").write_bytes(table(";", header="text,id", row="{0};{n}"))  # as competitions give them
    (tmp_path / "my-test.csv").write_bytes(table(";").replace(b"quick", b"qu\xefck"))
    found = propose([tmp_path / "my-test.csv", tmp_path / "my-train.csv", tmp_path / "dev.csv"])
    assert found.dataset["path"] == {"train": "data/input/my-train.csv", "test": "data/input/my-test.csv"}
    assert set(found.files.values()) == {"my-test.csv", "my-train.csv"}
    assert "dev.csv has no column 'label'" in found.notes[-1]
    assert found.dataset["encodings"] == ["utf-8", "cp1252"]
    assert copy_files(found, tmp_path / "data/input") == [
        tmp_path / f"data/input/my-{side}.csv" for side in ("test", "train")
    ]
    read = facts(as_config(found.dataset), CleanConfig(), SplitConfig(), tmp_path)
    assert read.splits == {"test": 60, "train": 60}
    for name in ("pos", "neg"):
        (tmp_path / f"polarity.{name}").write_bytes(texts("good"))
    found = propose([tmp_path / "polarity.pos", tmp_path / "polarity.neg"])
    assert found.dataset["members"] == {"polarity.pos": "pos", "polarity.neg": "neg"}
    assert (found.packed, found.dataset["path"]) == ("texts.zip", "data/input/texts.zip")
    assert copy_files(found, tmp_path / "in") == [tmp_path / "in/texts.zip"]
    first = (tmp_path / "in/texts.zip").read_bytes()
    assert copy_files(found, tmp_path / "in")[0].read_bytes() == first
    read = facts(as_config(found.dataset | {"path": "in/texts.zip"}), CleanConfig(), SplitConfig(), tmp_path)
    assert read.labels == {"neg": 30, "pos": 30}
    for label in ("pos", "neg"):
        (tmp_path / label).mkdir()
        for n in range(3):
            (tmp_path / label / f"{label}{n}.txt").write_bytes(texts(label))
    with pytest.raises(DataError, match="the files: each file in neg, pos seems to be one text"):
        propose(sorted(tmp_path.glob("*/*.txt")))
    with pytest.raises(ParamsError, match=r"do not give one split each: my-train.csv \(train\), polarity.pos \(none\)"):
        propose([tmp_path / "my-train.csv", tmp_path / "polarity.pos"])


def test_what_is_told_is_taken_and_checked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(table(header="texto,etiqueta,autor,nota", row="{0},{1},a{n},{n}"))
    given = Given(text=["texto", "nota"], label="autor", group="etiqueta", name="mine")
    expected = {"name": "mine", "source": "path", "path": "in/a.csv", "text": ["texto", "nota"], "label": "autor"}
    assert propose(path, given, "in").dataset == expected | {"group": "etiqueta"}
    with pytest.raises(ParamsError, match=r"--label etiketa: .* did you mean 'etiqueta'[?] found: texto, etiqueta"):
        propose(path, Given(label="etiketa"))
    with pytest.raises(ParamsError, match="column 'autor' is named twice; a column has only one use"):
        propose(path, Given(text=["autor"], label="autor"))
    for given, expected in [
        ({"format": "xls"}, "--format xls: expected one of csv, tsv"),
        ({"separator": ";;"}, "--separator: expected one character"),
        ({"quotes": "single"}, "--quotes single: expected double or none"),
        ({"encoding": "klingon"}, "--encoding klingon: unknown"),
        ({"header": ["one"]}, "--header: 1 names, but the first row of .* has 4 cells"),
    ]:
        with pytest.raises(ParamsError, match=expected):
            propose(path, Given(**given))
    path.write_bytes(table(header="Re\u0301ponse,kind ", row="{0},{1}"))  # a combining accent
    found = propose(path, Given(text=["R\u00e9ponse"], label="kind")).dataset
    assert (found["text"], found["label"]) == ("Re\u0301ponse", "kind ")
    path.write_bytes(table(";", header=None))
    found = propose(path, Given(header=["what", "how"], label="how", encoding="cp1250", separator=";", quotes="none"))
    assert found.reasons["encodings"] == "as you said"
    assert (found.dataset["encodings"], found.dataset["quotes"]) == (["cp1250"], "none")
    assert found.dataset["header"] == ["what", "how"]
    assert (found.dataset["text"], found.dataset["label"]) == ("what", "how")


@pytest.mark.parametrize(
    ("file", "name"), [("Gäste (neu) 2.1.csv", "Gaste-neu-2-1"), ("отзывы.csv", "texts"), ("отзывы-a.csv", "a")]
)
def test_a_data_set_is_called_as_its_file_in_plain_letters(tmp_path, file, name):
    (tmp_path / file).write_bytes(table())
    assert propose(tmp_path / file).dataset["name"] == name


def test_questions_are_about_what_could_be_otherwise(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(table(header="text,label", row="{0},{1}"))
    assert ask(propose(path), lambda *_: pytest.fail("nothing to ask")).dataset["text"] == "text"
    path.write_bytes(table(header="a,b,c,d", row="{0},so it is: {0} again {n},{1},{1}"))
    asked = {}

    def answer(question, default, choices):
        asked[question] = default
        return "b" if "text" in question else "d"

    found = ask(propose(path), answer)
    assert (found.dataset["text"], found.dataset["label"]) == ("b", "d")
    assert list(asked.values()) == ["a, b", "c"]
    with pytest.raises(ParamsError, match="--label e: the file has no such column; found: a, b, c, d"):
        ask(propose(path), lambda question, default, _: "e" if "class" in question else default)


def test_what_is_cut_out_of_long_quotes_is_not_blamed(tmp_path):
    path = tmp_path / "a.csv"
    with open(path, "w") as file:
        file.write("text,label\n")
        for n in range(25_000):
            file.write(f'"{n} lines, of \nthe ""best"" kind, \nand more\n{"of it, " * 8}",{"ab"[n % 2]}\n')
    found = propose(path)
    assert (found.notes, found.dataset["text"], found.dataset["label"]) == ([], "text", "label")
    assert "quotes" not in found.dataset
    path.write_text(path.read_text() + '"never closed,a\n')
    assert propose(path).notes == []


def test_a_look_reads_a_bounded_part(tmp_path):
    """100 MB of rows, sorted by class: the second class and a letter that is not UTF-8 are in the last tenth."""
    path = tmp_path / "a.csv"
    row, other = (
        b"some text that is neither short nor long,first\n",
        b"caf\xe9 texts of another kind altogether,second\n",
    )
    with open(path, "wb") as file:
        file.write(b"text,label\n")
        for _ in range(30):
            file.write(row * (1 << 15))
        for _ in range(4):
            file.write(other * (1 << 15))
    started = time.process_time()
    found = propose(path)
    assert time.process_time() - started < 20
    assert found.dataset["encodings"] == ["cp1252", "latin-1"]
    assert found.reasons["label"] == "2 distinct values"


CASES = Path(os.environ.get("TEXTMILL_CASES", ROOT.parent / "shared/cases"))
PLAIN = {"text": "text", "label": "label"}
EXCEL = {"separator": ";", "text": "Texto", "label": "Etiqueta"}
BOTH = {"members": {name + ".csv": {"split": name, "label": None} for name in ("train", "test")}}
# What is proposed for a file that is not PLAIN, or the words that refuse it.
NOT_PLAIN = {
    "04-mixed-encodings.csv": {"encodings": ["cp1252"], **PLAIN},
    "05-excel-semicolon.csv": EXCEL,
    "05-excel-sep-line.csv": EXCEL,
    "09-both.zip": BOTH | PLAIN,
    "09-test-nolabel.csv": "only texts and no classes",
    "10-split-dev-valid.csv": PLAIN | {"split": "split"},
    "11-nested.jsonl": {"text": "data.text", "label": "annotations.0.label", "id": "id"},
    "12-no-header.tsv": {"header": ["label", "text"], **PLAIN},
    "13-quotes.tsv": {"quotes": "none", **PLAIN},
    "15-multilabel-onehot.csv": {"text": "text", "label": "quality"},
    "17-title-body.csv": {"text": ["title", "body"], "label": "label"},
    "24-groups.csv": PLAIN | {"group": "author"},
    "25-test-lacks-class.csv": PLAIN | {"split": "split"},
    "25-test-only-class.csv": PLAIN | {"split": "split"},
    "30-duplicate-header.csv": "2 columns are called 'label'",
    "33-utf16.csv": {"encodings": ["utf-16"], "separator": "\t", **PLAIN},
    "35-book.xlsx": "this is a spreadsheet",
}


@pytest.mark.skipif(not CASES.is_dir(), reason="the files are not here")
def test_files_as_people_have_them():
    for path in sorted(CASES.iterdir()):
        expected = NOT_PLAIN.get(path.name, PLAIN)
        if isinstance(expected, str):
            with pytest.raises(TextmillError, match=re.escape(expected)):
                propose(path)
        elif path.suffix != ".md":
            beside = {"name": path.name.split(".")[0], "source": "path", "path": f"data/input/{path.name}"}
            assert propose(path).dataset == beside | expected
