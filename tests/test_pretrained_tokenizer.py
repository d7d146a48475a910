"""A fetched tokenizer.json: the same ids as the library's, whatever a text contains."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pretrained import PIECES, byte_pairs, unigrams, word_pieces
from tokenizers import Tokenizer

from textmill import tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import write_json
from textmill.text.ragged import SPECIALS, UNK
from textmill.tokenizers.pretrained import PretrainedTokenizer

KINDS = {"wordpiece": word_pieces, "byte pairs": byte_pairs, "unigram": unigrams}
ENTRY = {"kind": "pretrained", "source": "path", "folder": "data/input/encoder", "markup": "keep"}
ENTRY |= {"files": {"tokenizer.json": "0" * 64}}
SHA = {"config.json": "1" * 64, "model.safetensors": "2" * 64}

# What could go wrong when texts are split at spaces: letters that lower-casing or decomposing changes, combining marks,
# other spaces, control characters, scripts without spaces, punctuation, special tokens.
LETTERS = (
    "aAbflimsſİßΣéÉñ\u0301\u0327\u00a0\u2003\u3000\t\n\r\u200b\u200d\u00ad\x00\x85\ufffd日本語한글กำअं👍🏽!?'’-—…«»[]<>"
)
TEXTS = st.lists(
    st.text(st.sampled_from(LETTERS + "     "))
    | st.sampled_from(["the films", "naïve cafe\u0301", "[SEP]", "[UNK]", "<s>", "</s>", "日 本"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
).map(" ".join)


def make(spec: dict) -> PretrainedTokenizer:
    return PretrainedTokenizer.from_spec({"markup": "keep", "tokenizers": spec})


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_ids_are_the_librarys_on_whole_texts(kind, texts):
    spec = KINDS[kind]()
    library = Tokenizer.from_str(json.dumps({**spec, "padding": None, "truncation": None}))
    library.encode_special_tokens = True
    series = pl.Series(texts).str.normalize("NFC")
    found = make(spec).encode(series)
    special = set(library.get_added_tokens_decoder())
    for row, text in enumerate(series):
        expected = [UNK if n in special else n + SPECIALS for n in library.encode(text, add_special_tokens=False).ids]
        assert found[row].tolist() == (expected or [UNK])


def test_equal_letters_have_equal_ids():
    docs = make(word_pieces()).encode(pl.Series(["café", "cafe\u0301", "CAFÉ"]))
    assert docs.ids.tolist() == [PIECES.index("cafe") + SPECIALS] * 3


def test_markup_goes_first():
    entry = {**ENTRY, "markup": "strip"}
    config = tokenizers.tokenizer_config(entry, "t")
    tokenizer = PretrainedTokenizer.from_spec({"markup": config.markup, "tokenizers": word_pieces()})
    assert tokenizer.encode(pl.Series(["the<br />film"])).ids.tolist() == [1 + SPECIALS, 2 + SPECIALS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_cannot_spell_a_special_token(kind):
    spec = KINDS[kind]()
    special = [token["id"] for token in spec["added_tokens"]]
    docs = make(spec).encode(pl.Series([" ".join(token["content"] for token in spec["added_tokens"])]))
    assert not np.isin(docs.ids - SPECIALS, special).any()


@pytest.mark.parametrize(
    ("kind", "frame"), [("wordpiece", ([11], [12], 10)), ("byte pairs", ([0], [2], 3)), ("unigram", ([0], [2], 3))]
)
def test_an_encoders_frame_is_the_files(kind, frame):
    assert make(KINDS[kind]()).frame == frame


def test_a_file_without_special_tokens_has_an_empty_frame():
    spec = byte_pairs() | {"post_processor": None, "added_tokens": []}
    for token in ("<s>", "<pad>", "</s>", "<unk>"):
        spec["model"]["vocab"][token.strip("<>") + "Ĳ"] = spec["model"]["vocab"].pop(token)
    assert make(spec).frame == ([], [], 0)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "\x00", '{"version": "1.0"}', '{"model": {"type": "None"}}', "<html>Please log in</html>"],
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: not a tokenizer\.json of Hugging Face") as error:
        PretrainedTokenizer.read(path, tokenizers.tokenizer_config(ENTRY, "t"))
    assert "\n" not in str(error.value)


def test_a_file_edited_into_nonsense_is_refused(tmp_path):
    path = tmp_path / "t.json"
    tokenizers.save(path, make(word_pieces()))
    spec = json.loads(path.read_text())
    spec["tokenizers"]["model"]["vocab"] = {"the": "first"}
    write_json(path, spec)
    with pytest.raises(ArtifactError, match=r"t\.json: damaged tokenizer"):
        tokenizers.load(path)


WHEEL = {**ENTRY, "source": "wheel", "package": "demo==1.0", "folder": "demo"}
HUB = {"kind": "pretrained", "source": "hub", "repo": "demo/bert", "revision": "a" * 40, "markup": "keep"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**ENTRY, "source": "ftp"}, "t.source: expected one of wheel, hub, path, found 'ftp'"),
        ({**ENTRY, "files": {}}, "t.files: expected tokenizer.json, or all of tokenizer.json, config.json, model.saf"),
        ({**ENTRY, "files": SHA}, "t.files: expected tokenizer.json"),
        ({**ENTRY, "files": {**ENTRY["files"], "config.json": "1" * 64}}, "found tokenizer.json, config.json"),
        ({**ENTRY, "files": {"tokenizer.json": None}}, "t.files.tokenizer.json: expected a valid string, found None"),
        ({**ENTRY, "files": {**ENTRY["files"], "pytorch_model.bin": "1" * 64}}, "'pytorch_model.bin'"),
        ({**ENTRY, "repo": "a/b"}, "t.repo: unknown key"),
        ({**WHEEL, "package": "demo"}, "t.package"),
        ({**WHEEL, "pakage": "demo==1"}, "t.pakage: unknown key"),
        ({**HUB, "files": {"tokenizer.json": None}, "revision": "main"}, "t.revision"),
        ({**HUB, "files": {"tokenizer.json": None}, "repo": "../x"}, "t.repo"),
        (HUB, "t.files: missing"),
        ({**ENTRY, "lowercase": True}, "t.lowercase: unknown key"),
    ],
)
def test_bad_entries(entry, message):
    with pytest.raises(ParamsError) as error:
        tokenizers.tokenizer_config(entry, "params.yaml: tokenizers.t")
    assert message in str(error.value)


def test_files_may_be_the_tokenizer_alone_or_all():
    for files in (ENTRY["files"], ENTRY["files"] | SHA):
        for entry in (ENTRY, WHEEL, HUB):
            assert tokenizers.tokenizer_config({**entry, "files": files, "vectors": None}, "t").files == files
