"""A first look at files as people have them: what each is, and which of its columns is what."""

import gzip
import io
import json
import zipfile

import polars as pl
import pytest

from textmill.look.finding import propose

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
    return "\n".join(lines).encode(encoding) + b"\n"


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


SMS = table("\t", None, "{1}{s}{0}", quote=False).replace(b"quick", b'"quick').replace(b"\t\x62roke", b'\t"broke')
RUSSIAN = "отзыв;тональность\n" + "".join(f"{t} {n};{k}\n" for n in range(30) for t, k in
                                          (("Отличный телефон, держит долго", "хорошо"), ("Сломался сразу, жаль денег", "плохо")))  # fmt: skip
CHINESE = "评论,情感\n" + "".join(f"{t}第{n}次,{k}\n" for n in range(30) for t, k in
                                  (("房间很干净服务热情", "好"), ("价格太贵早餐不好吃", "差")))  # fmt: skip
JAPANESE = "レビュー,ラベル\n" + "".join(f"{t}{n}回目,{k}\n" for n in range(30) for t, k in
                                       (("とても良い製品なのでおすすめします", "良い"), ("配送が遅くて品質も悪いです", "悪い")))  # fmt: skip
GERMAN = "Nummer;Kommentar;Bewertung;Größe\n" + "".join(f"{n};{t} {n};{k};3,5\n" for n in range(30) for t, k in
                                                      (("Schönes Gerät, läuft", "gut"), ("Für die Größe zu teuer", "schlecht")))  # fmt: skip
FRENCH = "avis|note\n" + "".join(f"{t} {n}|{k}\n" for n in range(30) for t, k in
                                 (("Très déçu, colis abîmé", "négatif"), ("C’est parfait, ça marche", "positif")))  # fmt: skip
SPANISH = table(header="id,fecha,pais,comentario,categoria,severidad", row="{n},2024-08-17,CL,{0},{1},media")

# What a file is called, its bytes, and what is proposed beside name, source and path.
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
        {"encodings": ["cp1252"], "separator": ";", "text": "Kommentar", "label": "Bewertung"},
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
        table(header="question1,question2,is_duplicate", row="{0},{0} then,{1}"),
        {"text": ["question1", "question2"], "label": "is_duplicate"},
    ),
    "many columns": ("a.csv", SPANISH, {"text": "comentario", "label": "categoria", "id": "id"}),
    "a group": (
        "a.csv",
        b"text,label,user\n"
        + "".join(f"{t},{k},u{n % 12}\n" for n, (t, k) in enumerate(reviews(240)))
        .replace("quick delivery, ", "")
        .replace("clean, ", "")
        .replace("again, ", "")
        .encode(),
        {"text": "text", "label": "label", "group": "user"},
    ),
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
    "packed": ("a.csv.gz", gzip.compress(table()), {"text": "text", "label": "label"}),
    "parquet": (
        "a.parquet",
        parquet(pl.DataFrame(records(stars=3))),
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


@pytest.mark.parametrize("kind", FILES)
def test_what_a_file_is(tmp_path, kind):
    name, data, expected = FILES[kind]
    (tmp_path / name).write_bytes(data)
    found = propose(tmp_path / name).dataset
    assert found.pop("path") == f"data/input/{name}"
    assert found | {"name": "", "source": ""} == {"name": "", "source": "", **expected}
