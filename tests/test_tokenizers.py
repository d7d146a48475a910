"""What every kind of tokenizer must do, and what only characters and sub-words do."""

import subprocess
import sys
from tempfile import TemporaryFile

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrained import word_pieces

from textmill import tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, sha256, write_json
from textmill.text.ragged import PAD, SPECIALS, UNK

WORD = {"kind": "word", "lowercase": True, "markup": "strip", "pattern": r"\S+", "min_freq": 1, "max_size": 1000}
CHAR = {"kind": "char", "lowercase": True, "markup": "breaks", "min_freq": 1, "max_size": 1000}
BPE = {"kind": "bpe", "lowercase": False, "markup": "keep", "min_freq": 2, "max_size": 300}
PRETRAINED = {"kind": "pretrained", "source": "path", "folder": "none", "markup": "keep"}
PRETRAINED |= {"files": {"tokenizer.json": "0" * 64}}
KINDS = {"word": WORD, "char": CHAR, "bpe": BPE, "pretrained": PRETRAINED}
FILES = {}  # where the pretrained one is
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
CORPUS = [["the film was good", "the films were bad<br />", ""], ["<pad> the <unk> film"]]

each_kind = pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)


@pytest.fixture(autouse=True, scope="module")
def files(tmp_path_factory):
    FILES["tokenizer.json"] = tmp_path_factory.mktemp("fetched") / "tokenizer.json"
    write_json(FILES["tokenizer.json"], word_pieces())


def fit(entry, batches=CORPUS):
    config = tokenizers.tokenizer_config(entry, "params.yaml: tokenizers.t")
    with TemporaryFile() as spill:
        tokenizer, documents = tokenizers.fit(
            lambda: [pl.Series(b, dtype=pl.String) for b in batches], config, spill, FILES
        )
        return tokenizer, list(documents)


@pytest.mark.parametrize("kind", ["word", "char", "bpe"])
def test_accents_are_folded_if_asked(kind):
    corpus = [["déjà vu", "de\u0301ja\u0300 deja vu"]]
    tokenizer, _ = fit({**KINDS[kind], "min_freq": 1, "fold": "marks"}, corpus)
    docs = tokenizer.encode(pl.Series(["déjà", "de\u0301ja\u0300", "deja"]))
    assert docs[0].tolist() == docs[1].tolist() == docs[2].tolist()
    plain, _ = fit({**KINDS[kind], "min_freq": 1}, corpus)
    docs = plain.encode(pl.Series(["déjà", "de\u0301ja\u0300", "deja"]))
    assert docs[0].tolist() == docs[1].tolist() != docs[2].tolist()
    assert (tokenizer.spec().get("fold"), plain.spec().get("fold")) == ("marks", None)
    assert type(tokenizer).from_spec(tokenizer.spec()).spec() == tokenizer.spec()


@each_kind
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_any_text_has_ids_in_range_and_at_least_one(entry, texts):
    tokenizer, _ = fit(entry)
    docs = tokenizer.encode(pl.Series(texts, dtype=pl.String))
    assert len(docs) == len(texts)
    assert docs.lengths.min() >= 1
    assert ((docs.ids > PAD) & (docs.ids < tokenizer.size)).all()


@each_kind
@settings(max_examples=20, deadline=None)
@given(batches=st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=3))
def test_ids_of_what_was_learned_from_are_those_of_encoding_it(entry, batches):
    batches.append(["one word", ""])
    tokenizer, documents = fit(entry, batches)
    for batch, docs in zip(batches, documents, strict=True):
        again = tokenizer.encode(pl.Series(batch, dtype=pl.String))
        assert docs.ids.tolist() == again.ids.tolist()
        assert docs.offsets.tolist() == again.offsets.tolist()


@each_kind
@settings(max_examples=20, deadline=None)
@given(text=TEXTS)
def test_each_id_of_a_text_has_a_name_for_people(entry, text):
    tokenizer, _ = fit(entry)
    ids, tokens = tokenizer.encode(pl.Series([text], dtype=pl.String)).ids.tolist(), tokenizer.tokens(text)
    assert len(tokens) == len(ids)
    named = [(tokenizer.token(number), token) for number, token in zip(ids, tokens, strict=True) if number != UNK]
    assert [name for name, _ in named] == [token for _, token in named]


@each_kind
def test_the_file_is_the_whole_tokenizer(entry, tmp_path):
    tokenizer, _ = fit(entry)
    tokenizers.save(tmp_path / "t.json", tokenizer)
    again = tokenizers.load(tmp_path / "t.json")
    tokenizers.save(tmp_path / "u.json", again)
    assert sha256(tmp_path / "t.json") == sha256(tmp_path / "u.json")
    texts = pl.Series(["the film, again: naïve"])
    assert again.encode(texts).ids.tolist() == tokenizer.encode(texts).ids.tolist()
    assert [again.token(number) for number in range(again.size)] == [tokenizer.token(n) for n in range(again.size)]


@each_kind
def test_neither_the_order_nor_the_batches_of_texts_matter(entry):
    turned = [list(reversed(batch)) for batch in reversed(CORPUS)]
    assert fit(entry)[0].spec() == fit(entry, turned)[0].spec() == fit(entry, [[*CORPUS[0], *CORPUS[1]]])[0].spec()


@each_kind
def test_special_tokens_in_a_text_are_text(entry):
    tokenizer, _ = fit({**entry, "markup": "keep"})
    assert tokenizer.encode(pl.Series(["<pad>"])).ids.min() >= SPECIALS


@each_kind
def test_a_file_edited_into_nonsense_is_refused(entry, tmp_path):
    path = tmp_path / "t.json"
    tokenizers.save(path, fit(entry)[0])
    for key in read_json(path).keys() - {"normalize", "format"}:
        spec = read_json(path)
        write_json(path, {name: value for name, value in spec.items() if name != key})
        with pytest.raises(ArtifactError, match=r"t\.json"):
            tokenizers.load(path)
        write_json(path, spec)


def test_characters_are_counted_and_spaces_kept():
    tokenizer, [docs] = fit({**CHAR, "min_freq": 2}, [["a b<br>ab", "日", "A"]])
    assert tokenizer.vocabulary == ("a", " ", "b")
    assert docs.ids.tolist() == [2, 3, 4, 3, 2, 4, UNK, 2]
    with pytest.raises(ParamsError, match="no character occurs 90 times"):
        fit({**CHAR, "min_freq": 90})


def test_max_size_counts_the_special_ids():
    assert fit({**CHAR, "max_size": 4}, [["aaab b c"]])[0].vocabulary == ("a", " ")
    assert fit({**CHAR, "max_size": 5}, [["aaab b c"]])[0].vocabulary == ("a", " ", "b")


@pytest.mark.parametrize(
    ("change", "learned"),
    [
        ({"min_freq": 2}, ["ab", "Ġab", "cd", "Ġcd"]),
        ({"min_freq": 3}, ["ab", "Ġab"]),  # "cd" occurs twice
        ({"max_size": SPECIALS + 256 + 3}, ["ab", "Ġab", "cd"]),
    ],
)
def test_sub_words_stand_often_enough_and_are_no_more_than_asked_for(change, learned):
    tokenizer, _ = fit({**BPE, **change}, [["ab ab ab cd cd"]])
    assert [tokenizer.token(number) for number in range(SPECIALS + 256, tokenizer.size)] == learned


def test_sub_words_spell_every_text():
    tokenizer, _ = fit(BPE)
    text = "films, naïve 日本 👍 <unk>"
    ids = tokenizer.encode(pl.Series([text])).ids
    assert UNK not in ids
    assert tokenizer._library.decode((ids - SPECIALS).tolist()).strip() == text
    assert "Ġfilm" in [tokenizer.token(number) for number in range(tokenizer.size)]


def test_sub_words_are_the_same_in_every_process(tmp_path):
    script = (
        "import sys, polars as pl, tempfile; from textmill import tokenizers; from test_tokenizers import fit, BPE\n"
        "tokenizers.save(__import__('pathlib').Path(sys.argv[1]), fit(BPE)[0])"
    )
    tokenizers.save(tmp_path / "here.json", fit(BPE)[0])
    found = {sha256(tmp_path / "here.json")}
    for number in range(2):
        path = tmp_path / f"{number}.json"
        subprocess.run([sys.executable, "-c", script, path], check=True, cwd="tests", env={"PYTHONPATH": "..:."})
        found.add(sha256(path))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**BPE, "max_size": 200}, "max_size"),
        ({**CHAR, "max_size": 2}, "max_size"),
        ({**CHAR, "pattern": "x"}, "pattern: unknown key"),
        ({**BPE, "markup": "drop"}, "markup"),
        ({"kind": "wordpiece"}, "expected one of bpe, char, pretrained, word"),
    ],
)
def test_bad_entries(entry, message):
    with pytest.raises(ParamsError, match=message):
        tokenizers.tokenizer_config(entry, "params.yaml: tokenizers.t")
