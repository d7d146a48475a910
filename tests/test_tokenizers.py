"""What every kind of tokenizer must do, and what only characters and sub-words do."""

import os
import re
import subprocess
import sys
from tempfile import TemporaryFile

import polars as pl
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrained import word_pieces

from textmill import tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, sha256, write_json
from textmill.text.pieces import normal, without_markup
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
MANY = [[f"word{number % 97} and {number} more" for number in range(first, first + 300)] for first in (0, 300, 600)]

each_kind = pytest.mark.parametrize("entry", KINDS.values(), ids=KINDS)


def test_every_kind_is_tested():
    assert set(KINDS) == set(tokenizers.KINDS)


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


def spelled(tokenizer, text: str) -> str:
    """The text that a tokenizer reads: what is left of it after markup, case and normalization."""
    plain = without_markup(pl.Series([text]), tokenizer.markup)
    return normal(plain, tokenizer.lowercase).item()


@settings(max_examples=40)
@given(text=TEXTS)
def test_words_are_what_the_pattern_finds_and_nothing_between_them_is_one(text):
    tokenizer, _ = fit(WORD)
    end, read = 0, spelled(tokenizer, text)
    words = tokenizer.tokens(text)
    for word in words if words != ["<unk>"] or "<unk>" in read else []:
        begin = read.index(word, end)
        assert not read[end:begin].strip(), "only spaces are left out by this pattern"
        end = begin + len(word)
    assert not read[end:].strip()


@settings(max_examples=40)
@given(text=TEXTS)
def test_characters_are_the_text(text):
    tokenizer, _ = fit(CHAR)
    assert "".join(tokenizer.tokens(text)) == (spelled(tokenizer, text) or "<unk>")


@settings(max_examples=40)
@given(text=TEXTS)
def test_sub_words_are_the_text_with_one_space_for_many(text):
    tokenizer, _ = fit(BPE)
    ids = tokenizer.encode(pl.Series([text])).ids
    read = re.sub(" +", " ", spelled(tokenizer, text)).strip(" ")
    assert (UNK in ids) == (read == "")
    assert tokenizer._library.decode((ids[ids != UNK] - SPECIALS).tolist()).removeprefix(" ") == read


@pytest.mark.parametrize("kind", ["char", "bpe"])
@settings(max_examples=25)
@given(words=st.lists(st.text("aé!<b", min_size=1), min_size=1), spaces=st.text(" \t\r\n\u00a0\u2003", min_size=1))
def test_runs_of_spaces_may_be_read_as_one(kind, words, spaces):
    collapsing, _ = fit({**KINDS[kind], "spaces": "collapse"})
    keeping, _ = fit(KINDS[kind])
    plain, spaced = " ".join(words), spaces + spaces.join(words) + spaces
    assert collapsing.tokens(spaced) == collapsing.tokens(plain) == keeping.tokens(plain)
    assert collapsing.tokens(spaces) == ["<unk>"]
    assert type(collapsing).from_spec(collapsing.spec()).spec() == collapsing.spec()
    assert (collapsing.spec()["spaces"], keeping.spec().get("spaces")) == ("collapse", None)


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


ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "4", "POLARS_MAX_THREADS": "3", "RAYON_NUM_THREADS": "3", "TZ": "Pacific/Kiritimati"},
]


def test_every_process_learns_the_same(tmp_path):
    """With any number of threads, hash seed, locale and time zone."""
    script = (
        "import sys, pathlib; from textmill import tokenizers; import test_tokenizers as here\n"
        "here.FILES['tokenizer.json'] = pathlib.Path(sys.argv[1])\n"
        "for kind, entry in here.KINDS.items():\n"
        "    tokenizers.save(pathlib.Path(sys.argv[2], kind), here.fit(entry, here.MANY)[0])"
    )
    found = []
    for number, more in enumerate(ENVIRONMENTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", script, FILES["tokenizer.json"], folder]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **more}
        subprocess.run(command, check=True, env=env)
        found.append({kind: sha256(folder / kind) for kind in KINDS})
    for kind, entry in KINDS.items():
        tokenizers.save(tmp_path / kind, fit(entry, MANY)[0])
    assert found == [{kind: sha256(tmp_path / kind) for kind in KINDS}] * len(ENVIRONMENTS)


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
