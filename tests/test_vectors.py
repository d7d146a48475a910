"""Word vectors: errors in their files, and training that always gives the same bytes."""

import bz2
import gzip
import io
import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MODELS, ROOT
from hypothesis import given
from hypothesis import strategies as st

from stages import vectors as stage
from textmill import tokenizers
from textmill.check import check_params
from textmill.config import load_params
from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.places import MIRROR
from textmill.files import read_json, sha256, write_json
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.text.ragged import UNK, Ragged
from textmill.tokenizers.word import WordTokenizer
from textmill.vectors import NONE, WordVectors, load, reading, save
from textmill.vectors.config import FastText, Word2Vec, vectors_config
from textmill.vectors.coverage import coverage
from textmill.vectors.reading import Counts, read

WANTED = {"good": 2, "bad": 3, "film": 4}
PLAIN = b"the 1 2 3\ngood 0.5 -1e-3 2\nGood 9 9 9\nfilm 4 5 6\n"
VECTORS = [[0.5, -0.001, 2], [4, 5, 6]]
TRAINED = {"source": "trained", "method": "word2vec", "size": 8, "window": 3, "min_count": 2, "negative": 5}
TRAINED |= {"sample": 1e-3, "epochs": 2, "lr": 0.05, "skip_gram": True}
SUB_WORDS = {"method": "fasttext", "shortest": 3, "longest": 5, "buckets": 500}


def found_in(data: bytes, wanted=WANTED) -> tuple[WordVectors, Counts]:
    return read(io.BytesIO(data), wanted, "a.vec")


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"4 3\n" + PLAIN,
        b"\xef\xbb\xbf4 3\n" + PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b" \n"),  # fastText ends its lines so
        PLAIN.removesuffix(b"\n"),
    ],
)
def test_a_file_is_read_however_it_begins_and_ends_its_lines(monkeypatch, data, block):
    monkeypatch.setattr(reading, "BLOCK", block)
    found, counts = found_in(data)
    assert found.ids.tolist() == [2, 4]
    assert found.ids.dtype == np.int64
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, np.array(VECTORS, np.float32))
    assert counts == Counts(in_file=4, duplicates=0, zeros=0)


def test_words_are_split_off_from_the_right():
    """GloVe's file for 840 billion words has words with spaces. A non-breaking space is part of a word."""
    words = {". . .": 2, "at name@example.org": 3, "a\u00a0b": 4, "b": 5, "1": 6}
    data = ". . . 1 2 3\nat name@example.org 4 5 6\na\u00a0b 7 8 9\n1 0 0 1\n \t 5 5 5\n".encode()
    found, _ = found_in(data, words)
    assert found.ids.tolist() == [2, 3, 4, 6]
    assert found.vectors[:, 0].tolist() == [1, 4, 7, 0]


def test_the_first_of_two_wins_and_zeros_are_counted():
    found, counts = found_in(b"good 1 2\nbad 0 -0.0\ngood 3 4\ngood 5 6\nelse 0 0\nelse 1 1\n")
    assert found.vectors.tolist() == [[1, 2], [0, 0]]
    assert counts == Counts(in_file=6, duplicates=2, zeros=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"the 1 2 3\ngood 1 2\n", "a.vec, line 2: expected a word and 3 numbers, found 2"),
        (b"the 1 2 3\nelse 1 2 3 4\n", "a.vec, line 2: expected a word and 3 numbers, found 4"),
        (b"the 1 2 3\n\ngood 1 2 3\n", "a.vec, line 2: expected a word and 3 numbers, found 0"),
        (b"the 1 2 3\ngood 1 x 3\n", "a.vec, line 2: expected a number, found 'x'"),
        (b"the 1 2 3\ngood 1 \xff 3\n", "a.vec, line 2: expected a number, found '\ufffd'"),
        (b"the 1 2 3\ngood 1  3\n", "a.vec, line 2: expected a number, found ''"),
        (b"the 1 2 3\ngood 1 2 nan\n", "a.vec, line 2: expected a finite number, found 'nan'"),
        (b"the 1 2 3\ngood 1 -inf 2\n", "a.vec, line 2: expected a finite number, found '-inf'"),
        (b"the 1 2 3\ngood 1 1e39 2\n", "a.vec, line 2: expected a finite number, found '1e39'"),
        (b"1 2\ngood 1 2 3\n", "a.vec, line 2: expected a word and 2 numbers, found 3"),  # a wrong header
        (b"3 3\ngood 1 2 3\nbad 1 2 3\n", "a.vec, line 1: announces 3 words, but 2 follow"),
        (b"1 3\ngood 1 2 3\nbad 1 2 3\n", "a.vec, line 1: announces 1 words, but 2 follow"),
        (b"1 0\ngood\n", "a.vec, line 1: expected a word and its numbers, found '1 0'"),
        (b"<html>\n", "a.vec, line 1: expected a word and its numbers, found '<html>'"),
        (b"good a b\n", "a.vec, line 1: expected a word and its numbers, found 'good a b'"),
    ],
)
def test_a_wrong_line_is_named(data, message):
    with pytest.raises(ArtifactError) as error:
        found_in(data)
    assert str(error.value).startswith(message)


def test_a_line_without_an_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 100)
    monkeypatch.setattr(reading, "LONGEST", 1000)
    file = io.BytesIO(b"the 1 2\n" + b"\0" * 10_000)
    with pytest.raises(ArtifactError, match=r"a\.vec, line 2: longer than 1,000 bytes"):
        read(file, WANTED, "a.vec")
    assert file.tell() < 2000


@pytest.mark.parametrize("data", [b"", b"0 3\n", b"Good 1 2 3\nfilms 1 2 3\n"])
def test_no_word_at_all_is_an_error(data):
    with pytest.raises(DataError, match=r"a\.vec: none of the vocabulary's 3 words are among its \d;"):
        found_in(data)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1), st.integers(0, 9)),
    st.integers(1, 5),
    st.booleans(),
)
def test_any_words_come_back(words, size, told):
    words = {word: number for word, number in words.items() if not all(map(_number, word.split(" ")[1:]))}
    words["first"] = 1  # if it had only numbers, they could not be counted
    words = dict(reversed(words.items()))
    rows = [f"{word} " + " ".join([str(number)] * size) for word, number in words.items()]
    data = "\n".join([f"{len(rows)} {size}"] * told + rows).encode()
    wanted = {word: number for number, word in enumerate(words, 2)}
    found, counts = found_in(data, wanted)
    assert found.ids.tolist() == list(range(2, len(rows) + 2))
    assert found.vectors.tolist() == [[number] * size for number in words.values()]
    assert counts.in_file == len(rows)


def _number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


@pytest.mark.slow
def test_what_is_held_does_not_grow_with_the_file(monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 1 << 16)

    block = b"".join(b"word%d 1 2 3\n" % n for n in range(4000))

    class Endless(io.RawIOBase):
        left = 300  # blocks

        def read(self, size):
            self.left -= 1
            return block if self.left else b""

    tracemalloc.start()
    read(Endless(), {"word1": 2}, "a.vec")
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 3_000_000  # 17 MB each


# Files, from any source


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


PACKED = {
    "a.vec": (PLAIN, None),
    "a.txt": (PLAIN, None),
    "a.vec.gz": (gzip.compress(PLAIN, mtime=0), None),
    "a.vec.bz2": (bz2.compress(PLAIN), None),
    "a.vec.zip": (zipped("in/a.vec", PLAIN), "in/a.vec"),
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Returns a folder with a tokenizer of five words and its encoded texts, as the earlier stages leave them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MIRROR, raising=False)
    tokenizer = WordTokenizer(True, "keep", r"\w+", ("good", "bad", "film", "dull", "rare"))
    tokenizers.save(Path("tokenizer.json"), tokenizer)
    for name, texts in (("train", TEXTS), ("unlabelled", [text + " film" for text in TEXTS])):
        docs = tokenizer.encode(pl.Series(texts))
        data = Encoded(docs, np.zeros(len(docs), np.int64))
        encoding.save(Path(f"encoded/{name}.safetensors"), [data], len(docs), sha256(Path("tokenizer.json")))
    write_json(Path("train_in_test.json"), [1])
    return tmp_path


TEXTS = ["good film", "bad bad film zzz", "dull film good", "rare"]


def run(vectors, out="data/vectors/word") -> tuple[WordVectors, dict]:
    write_json(Path("params.yaml"), {"seed": 1, "tokenizers": {"word": {"kind": "word", "vectors": vectors}}})
    paths = ("tokenizer.json", "encoded", "train_in_test.json", "downloads", f"{out}.safetensors", f"{out}.json")
    stage.main("word", *map(Path, paths))
    return load(Path(f"{out}.safetensors"), sha256(Path("tokenizer.json"))), read_json(Path(f"{out}.json"))


@pytest.mark.parametrize("name", PACKED)
def test_the_stage_keeps_the_vectors_of_the_vocabulary(made, name):
    data, member = PACKED[name]
    Path(name).write_bytes(data)
    found, facts = run({"source": "path", "path": name, "member": member, "sha256": [sha256(Path(name))]})
    assert found.ids.tolist() == [2, 4]
    np.testing.assert_array_equal(found.vectors, np.array(VECTORS, np.float32))
    told = {"source": "path", "from": name, "in_file": 4, "duplicates": 0, "zeros": 0}
    assert facts == told | {"size": 3, "words": 5, "found": 2, "coverage": 0.4, "running": 0.5}  # 5 of 10


def test_without_vectors_there_is_an_empty_file(made):
    found, facts = run(None)
    assert (found.ids.shape, found.vectors.shape) == ((0,), (0, 0))
    assert facts == {"source": None}


def test_null_imports_little(made):
    run(None)
    paths = "tokenizer.json encoded train_in_test.json downloads a.safetensors a.json"
    heavy = {"torch", "gensim", "polars", "pyarrow", "scipy"}
    code = (
        f"import sys; from pathlib import Path; import stages.vectors as s; s.main('word', *map(Path, {paths.split()}))"
    )
    code += f"; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_damaged_files_end_in_one_error(made):
    broken = gzip.compress(PLAIN * 100)[:-20]
    Path("a.vec.gz").write_bytes(broken)
    with pytest.raises(ArtifactError, match=r"a\.vec\.gz: damaged, or not the kind of file that its name says"):
        run({"source": "path", "path": "a.vec.gz", "member": None, "sha256": [sha256(Path("a.vec.gz"))]})
    assert not Path("data/vectors/word.safetensors").exists()


@pytest.mark.parametrize("name", PACKED)
def test_a_member_is_for_archives(name):
    """Reported before anything is fetched."""
    member = PACKED[name][1]
    given = {"path": {"path": f"in/{name}"}, "url": {"url": f"https://example.org/in/{name}?key=x"}}
    for source, keys in given.items():
        entry = {"source": source, **keys, "member": member, "sha256": [ONE]}
        assert vectors_config({"vectors": entry}, "t").member == member
        words = f"{name} is not an archive; set it to null" if member is None else f"null, but {name} is an archive"
        with pytest.raises(ParamsError, match=rf"^t\.vectors\.member: {words}"):
            vectors_config({"vectors": entry | {"member": None if member else "a.vec"}}, "t")


def test_an_archive_in_a_wheel_is_refused():
    entry = {"source": "wheel", "package": "words==1.0", "member": "words/a.vec.gz", "sha256": [ONE]}
    assert vectors_config({"vectors": entry}, "t").member == "words/a.vec.gz"
    with pytest.raises(ParamsError, match=r"^t\.vectors\.member: words/a\.zip is an archive; name a file in the wheel"):
        vectors_config({"vectors": entry | {"member": "words/a.zip"}}, "t")


def test_the_mirror_has_a_folder_of_vectors(made, monkeypatch, capsys):
    Path("mirror/vectors").mkdir(parents=True)
    Path("mirror/vectors/a.vec.zip").write_bytes(PACKED["a.vec.zip"][0])
    monkeypatch.setenv(MIRROR, "mirror")
    entry = {"member": "in/a.vec", "sha256": [sha256(Path("mirror/vectors/a.vec.zip"))]}
    for keys in (
        {"source": "path", "path": "none/a.vec.zip"},
        {"source": "url", "url": "https://h.invalid/a.vec.zip"},
    ):
        found, facts = run(keys | entry)
        assert found.ids.tolist() == [2, 4]
        assert facts["from"] == "a.vec.zip"
        assert "using the mirror's copy, mirror/vectors/a.vec.zip" in capsys.readouterr().out
    assert [path.name for path in Path("downloads").iterdir()] == entry["sha256"]
    monkeypatch.delenv(MIRROR)
    run(keys | entry)
    assert "already downloaded" in capsys.readouterr().out


def test_a_packed_file_of_a_wheel_is_read(made, monkeypatch):
    with zipfile.ZipFile("words-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("words/a.vec.gz", PACKED["a.vec.gz"][0])
        wheel.writestr("words-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: words\nVersion: 1.0\n")
        wheel.writestr("words-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("words-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    Path("b").write_bytes(PACKED["a.vec.gz"][0])
    found, facts = run(
        {"source": "wheel", "package": "words==1.0", "member": "words/a.vec.gz", "sha256": [sha256(Path("b"))]}
    )
    assert found.ids.tolist() == [2, 4]
    assert (facts["source"], facts["from"]) == ("wheel", "a.vec.gz")


# Training


@pytest.mark.slow
def test_training_repeats_its_bytes_in_every_process(made):
    code = "from pathlib import Path; import stages.vectors as s\n"
    for kind, more in (("words", {}), ("parts", SUB_WORDS)):
        run(TRAINED | more, f"first/{kind}")
        params = Path("params.yaml").rename(f"{kind}.yaml")
        paths = [
            "tokenizer.json",
            "encoded",
            "train_in_test.json",
            "downloads",
            f"b/{kind}.safetensors",
            "a.json",
            str(params),
        ]
        code += f"s.main('word', *map(Path, {paths}))\n"
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True)
        for kind in ("words", "parts"):
            again = Path(f"b/{kind}.safetensors")
            assert sha256(again) == sha256(Path(f"first/{kind}.safetensors"))
            again.unlink()


def test_training_sees_train_and_unlabelled_but_no_test_text(made):
    """`bad` is in the one training text that is also a test text, and in the unlabelled one; `rare` once in each."""
    found, facts = run(TRAINED | {"min_count": 3})
    assert found.ids.tolist() == [2, 4]  # good, film: the others occur twice
    assert found.vectors.shape == (2, 8)
    assert {"source": "trained", "from": "word2vec", "found": 2, "coverage": 0.4}.items() <= facts.items()
    assert run(TRAINED)[0].ids.tolist() == [2, 3, 4, 5, 6]
    write_json(Path("train_in_test.json"), [])
    assert run(TRAINED | {"min_count": 4})[0].ids.tolist() == [2, 3, 4]
    assert run(TRAINED | {"min_count": 2})[0].ids.tolist() == [UNK, 2, 3, 4, 5, 6]  # unknown words, now twice
    with pytest.raises(ParamsError, match="no word occurs 100 times; lower min_count"):
        run(TRAINED | {"min_count": 100})


def test_long_documents_are_read_to_their_end(made):
    tokenizer = WordTokenizer(True, "keep", r"\w+", ("first", "last"))
    docs = Ragged(np.repeat(np.array([2, 3], np.int32), 10_000), np.array([0, 20_000]))
    from textmill.vectors.training import train

    assert train(Word2Vec(**TRAINED), [(docs, np.arange(1))], tokenizer, 0).ids.tolist() == [2, 3]


def test_words_of_one_company_are_alike():
    from textmill.vectors.training import train

    tokenizer = WordTokenizer(True, "keep", r"\w+", tuple("abcdef"))
    rng = np.random.default_rng(0)
    ids = np.where(rng.random((400, 1)) < 0.5, rng.integers(2, 5, (400, 12)), rng.integers(5, 8, (400, 12)))
    docs = Ragged(ids.astype(np.int32).ravel(), np.arange(401) * 12)
    found = train(Word2Vec(**TRAINED | {"epochs": 10, "sample": 0.0}), [(docs, np.arange(400))], tokenizer, 0)
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    near = unit @ unit.T
    assert near[:3, :3].min() > near[:3, 3:].max()


# The file and the params


def test_the_artifact_is_tied_to_its_tokenizer(tmp_path):
    path = tmp_path / "a.safetensors"
    some = WordVectors(np.array([2, 5]), np.ones((2, 3), np.float32))
    for vectors in (some, NONE):
        save(path, vectors, "0" * 64)
        back = load(path, "0" * 64)
        assert [array.tolist() for array in back] == [array.tolist() for array in vectors]
        assert [array.dtype for array in back] == [np.int64, np.float32]
    with pytest.raises(ArtifactError, match="vectors for a different tokenizer"):
        load(path, "1" * 64)


def test_coverage_counts_running_words(monkeypatch):
    from textmill.vectors import coverage as module

    monkeypatch.setattr(module, "AT_ONCE", 3)
    docs = Ragged(np.array([2, 2, 2, 3, UNK, 4, 4, 2], np.int32), np.array([0, 8]))
    told = coverage(WordVectors(np.array([UNK, 2]), np.ones((2, 5), np.float32)), 5, docs)
    assert told == {"size": 5, "words": 3, "found": 1, "coverage": 0.33333, "running": 0.625}


ONE = "0" * 64
PATH = {"source": "path", "path": "a.vec", "member": None, "sha256": [ONE]}


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ("glove", "t.vectors.source: expected one of path, url, wheel, trained, found None"),
        ({"source": "hub"}, "t.vectors.source: expected one of path, url, wheel, trained, found 'hub'"),
        (TRAINED | {"method": "glove"}, "t.vectors.method: expected one of word2vec, fasttext, found 'glove'"),
        (TRAINED | {"size": 0}, "t.vectors.size: expected at least 1, found 0"),
        (TRAINED | {"lr": float("inf")}, "t.vectors.lr: expected"),
        (TRAINED | {"windw": 5}, "t.vectors.windw: unknown key"),
        (TRAINED | {"buckets": 5}, "t.vectors.buckets: unknown key"),
        ({key: value for key, value in TRAINED.items() if key != "method"}, "t.vectors.method: expected one of"),
        (TRAINED | {"epochs": 10**6}, "t.vectors.epochs: expected at most 100000, found 1000000"),
        (PATH | {"sha256": []}, "t.vectors.sha256: expected"),
        (PATH | {"sha256": None}, "t.vectors.sha256: expected"),
        ({key: value for key, value in PATH.items() if key != "sha256"}, "t.vectors.sha256: missing"),
        ({"source": "url", "url": "file:///a.vec", "member": None, "sha256": [ONE]}, "t.vectors.url: expected"),
        ({"source": "wheel", "package": "a", "member": "b", "sha256": [ONE]}, "t.vectors.package: expected"),
    ],
)
def test_wrong_params_are_named(vectors, message):
    with pytest.raises(ParamsError) as error:
        vectors_config({"vectors": vectors}, "t")
    assert str(error.value).startswith(message)


def test_a_key_that_is_left_out_is_none_or_as_its_authors_have_it():
    assert vectors_config({}, "t") is None
    assert vectors_config({"vectors": None}, "t") is None
    assert isinstance(vectors_config({"vectors": TRAINED | SUB_WORDS}, "t"), FastText)
    short = vectors_config({"vectors": {"source": "trained", "method": "fasttext"}}, "t")
    assert (short.size, short.window, short.sample, short.shortest, short.longest) == (100, 5, 1e-3, 3, 6)
    assert vectors_config({"vectors": {key: PATH[key] for key in PATH if key != "member"}}, "t").member is None


@pytest.mark.parametrize(
    ("vectors", "model", "message"),
    [
        (None, {**MODELS["lstm"], "vectors": "tuned"}, "models.a.vectors: tuned, but tokenizers.word.vectors is null"),
        (None, {**MODELS["transformer"], "vectors": "frozen"}, "models.a.vectors: frozen, but tokenizers.word.vectors"),
        (TRAINED, {**MODELS["lstm"], "vectors": "tuned", "embedding": 9},
         "models.a.embedding: 9, but tokenizers.word.vectors.size is 8"),
        (TRAINED, {**MODELS["transformer"], "vectors": "tuned", "width": 16},
         "models.a.width: 16, but tokenizers.word.vectors.size is 8"),
        (TRAINED, {**MODELS["lstm"], "vectors": "tuned"}, None),
        (PATH, {**MODELS["lstm"], "vectors": "frozen", "embedding": 77}, None),
        (None, MODELS["lstm"], None),
        (None, MODELS["linear"], None),
    ],
)  # fmt: skip
def test_a_model_and_its_tokenizer_agree_on_vectors(tmp_path, vectors, model, message):
    params = load_params(ROOT / "presets/csv.yaml")
    params["tokenizers"]["word"]["vectors"], params["models"] = vectors, {"a": model}
    write_json(tmp_path / "params.yaml", params)
    if message is None:
        check_params(tmp_path / "params.yaml")
        return
    with pytest.raises(ParamsError) as error:
        check_params(tmp_path / "params.yaml")
    assert message in str(error.value)
