import re
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from tempfile import TemporaryFile

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill import tokenizers
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.text import patterns
from textmill.text.numbering import BITS, Numbering, hashed
from textmill.text.ragged import PAD, UNK, Ragged
from textmill.tokenizers.word import WordConfig, WordTokenizer

PATTERN = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=1, max_size=1000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def fit(batches: list[list[str]], **changes) -> tuple[WordTokenizer, list[Ragged]]:
    with TemporaryFile() as spill:
        series = [pl.Series(batch, dtype=pl.String) for batch in batches]
        tokenizer, documents = tokenizers.fit(lambda: series, CONFIG.model_copy(update=changes), spill, {})
        return tokenizer, list(documents)


def learn(*texts: str, **changes) -> WordTokenizer:
    return fit([list(texts)], **changes)[0]


def words(text: str, **changes) -> list[str]:
    """Returns the tokens of a text from a tokenizer that learned only from it."""
    try:
        tokenizer, [docs] = fit([[text]], **changes)
    except ParamsError:  # no word at all
        return []
    return [tokenizer.token(number) for number in docs.ids]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It wasn't 'good'!", ["it", "wasn't", "good", "!"]),  # as always
        ("价格5518号。很脏！", ["价", "格", "5518", "号", "很", "脏", "！"]),
        ("ラーメンを食べた", ["ラ", "ー", "メ", "ン", "を", "食", "べ", "た"]),
        ("ดีครับ thai2", ["ดี", "ค", "รั", "บ", "thai2"]),
        ("ລາວ ខ្មែរ မြန်မာ", ["ລ", "າ", "ວ", "ខ្", "មែ", "រ", "မြ", "န်", "မာ"]),
        ("abcไทย中x", ["abc", "ไ", "ท", "ย", "中", "x"]),
        ("한국어 नमस्ते العَرَبِيَّة", ["한국어", "नमस्ते", "العَرَبِيَّة"]),
        ("so😢💔 no👎🏽", ["so", "😢", "💔", "no", "👎🏽"]),
        ("🇩🇪🇫🇷 👨‍👩‍👧‍👦 ❤️", ["🇩🇪", "🇫🇷", "👨‍👩‍👧‍👦", "❤️"]),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f!", ["\U0001f3f4\U000e0067\U000e0062\U000e007f", "!"]),
        (":-) :( ;-P :D :)) <3 :'(", [":-)", ":(", ";-p", ":d", ":))", "<3", ":'("]),
        ("note:page http://x.y 1:3 a=b x;d2", ["note", "page", "http", "x", "y", "1", "3", "a", "b", "x", "d2"]),
    ],
)
def test_words_of_any_script(text, expected):
    assert words(text, pattern=patterns.ANY_SCRIPT) == expected


def test_patterns_have_names():
    assert WordConfig(kind="word", pattern="any-script").pattern == patterns.ANY_SCRIPT
    assert WordConfig(kind="word").pattern == WordConfig(kind="word", pattern="spaced").pattern == PATTERN


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("déjà Vu ÀÉÎ", ["deja", "vu", "aei"]),
        ("ñandú straße", ["nandu", "straße"]),
        ("άνθρωπος", ["ανθρωπος"]),
        ("ещё мой", ["ещё", "мой"]),  # other letters, not accents
        ("नमस्ते ดี が", ["नमस्ते", "ดี", "が"]),
    ],
)
def test_accents_are_folded_if_asked(text, folded):
    for form in ("NFC", "NFD"):
        given = unicodedata.normalize(form, text)
        assert learn(given, fold="marks").tokens(given) == folded
        assert learn(given).tokens(given) == unicodedata.normalize("NFC", text).lower().split()
    tokenizer = learn(f"{text} more", fold="marks", stop=[text.split()[0]])
    assert tokenizer.tokens(text) == (folded[1:] or ["<unk>"])
    assert tokenizers.of_kind("word").from_spec(tokenizer.spec()) == tokenizer


def test_what_style_and_script_hold_is_markup_if_asked():
    text = "a<style type='x'>b {c: d}</style >e <SCRIPT>if (f < g) { '<b>' }\n</Script>h<!-- i <b> --> <script>j"
    assert learn(text, markup="html").tokens(text) == ["a", "e", "h", "j"]
    assert learn(text).tokens(text)[:4] == ["a", "b", "c", "d"]
    assert learn("x", markup="html").tokens("<scripted>k</scripted> <styles>l</styles>") == ["k", "l"]


@pytest.mark.parametrize("part", ["<script>", "<!--", "😢", ":-(", "中"])
def test_no_text_takes_long(part):
    tokenizer = learn("x", markup="html", fold="marks", pattern=patterns.ANY_SCRIPT)
    start = time.process_time()
    tokenizer.encode(pl.Series([part * 200_000]))
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It wasn't 'good'!", ["it", "wasn't", "good", "!"]),
        ("one<br />two", ["one", "two"]),
        ("a < b and c > d", ["a", "b", "and", "c", "d"]),
        ("1<2", ["1", "2"]),
        ("rock &amp; roll &lt;b&gt;", ["rock", "roll", "b"]),
        ("<!-- no --> yes <script>x</script>", ["yes", "x"]),
        ("canción ÁRBOL ñandú", ["canción", "árbol", "ñandú"]),
        ("фильм 映画 فيلم", ["фильм", "映画", "فيلم"]),
        ("👍 7/10 <unclosed", ["7", "10", "unclosed"]),
        ("", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_case_and_markup_can_be_kept():
    assert words("A <b>B</b>", lowercase=False) == ["A", "B"]
    assert words("A <b>B</b>", markup="keep") == ["a", "b", "b", "b"]
    assert words("A<br />B<BR>C <b>D", markup="breaks") == ["a", "b", "c", "b", "d"]


@given(TEXTS)
def test_composed_and_decomposed_letters_are_the_same_words(text):
    assert words(unicodedata.normalize("NFC", text)) == words(unicodedata.normalize("NFD", text))


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_has_ids_in_range_and_at_least_one(texts):
    tokenizer = learn("the film was good", "the film was bad")
    docs = tokenizer.encode(pl.Series(texts, dtype=pl.String))
    assert len(docs) == len(texts)
    assert docs.lengths.min() >= 1
    assert ((docs.ids > PAD) & (docs.ids < tokenizer.size)).all()


def test_ids_are_by_frequency_then_code_point_whatever_the_row_order():
    texts = ["b a", "é a", "z b a"]
    assert learn(*texts).vocabulary == learn(*reversed(texts)).vocabulary == ("a", "b", "z", "é")


@given(st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=4))
def test_ids_of_what_was_learned_from_are_those_of_encoding_it(batches):
    tokenizer, documents = fit([*batches, ["one word", ""]])
    batches.append(["one word", ""])
    for batch, docs in zip(batches, documents, strict=True):
        again = tokenizer.encode(pl.Series(batch, dtype=pl.String))
        assert docs.ids.tolist() == again.ids.tolist()
        assert docs.offsets.tolist() == again.offsets.tolist()


def test_many_texts_are_cut_counted_and_numbered_as_python_would():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}-{n % 3}!" for n in rng.zipf(1.3, 40) % 5000) for _ in range(5000)]
    cut = [re.findall(r"\w+|!", text) for text in texts]
    counts = Counter(word for tokens in cut for word in tokens)
    kept = sorted((word for word, n in counts.items() if n >= 2), key=lambda word: (-counts[word], word))
    index = {word: number + 2 for number, word in enumerate(kept)}
    half = len(texts) // 2
    tokenizer, documents = fit([texts[:half], texts[half:]], min_freq=2, max_size=100_000)
    assert list(tokenizer.vocabulary) == kept
    found = np.concatenate([docs.ids for docs in documents])
    assert found.tolist() == [index.get(word, UNK) for tokens in cut for word in tokens]
    assert tokenizer.encode(pl.Series(texts)).ids.tolist() == found.tolist()


def test_texts_become_ids_without_pandas():
    code = f"""
import io, sys
import polars as pl
from textmill.tokenizers.word import WordConfig, WordTokenizer
texts = pl.Series(["One word, caf\u00e9.", "", "two words"])
tokenizer, documents = WordTokenizer.fit(lambda: [texts], WordConfig(**{CONFIG.model_dump()!r}), io.BytesIO(), {{}})
assert [docs.ids.tolist() for docs in documents] == [tokenizer.encode(texts).ids.tolist()]
print("pandas" in sys.modules)  # pyarrow.array imports it: 0.2 s
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_numbers_go_up_as_new_strings_come_beyond_the_first_tables():
    few = 1 << BITS
    numbers = np.random.default_rng(0).integers(0, 12 * few, 20 * few)
    numbering, seen = Numbering(), []
    for some in np.array_split(numbers, 3):
        strings = pl.Series([f"s{number}" for number in some])
        found, new = numbering.add(hashed(strings))
        seen += strings.gather(new).to_list()
        assert [seen[number] for number in found] == strings.to_list()
    assert len(set(seen)) == len(seen) == len(numbering) == len(np.unique(numbers))


def test_numbers_of_nothing():
    numbering = Numbering()
    found, new = numbering.add(hashed(pl.Series([], dtype=pl.String)))
    assert len(found) == len(new) == len(numbering) == 0


def test_round_trip_of_known_words_by_both_look_ups():
    tokenizer = learn("the film was good")
    few, many = pl.Series(["good film"]), pl.Series(["good film"] * 10)  # a dict for one text, an enum for many
    for docs in (tokenizer.encode(few), tokenizer.encode(many)):
        assert [tokenizer.token(i) for i in docs[0]] == ["good", "film"]
    assert tokenizer.encode(pl.Series(["good pad"])).ids.tolist()[1] == UNK


def test_unknown_words_are_named_as_they_stand_in_the_text():
    tokenizer = learn("the film was good")
    assert tokenizer.tokens("The FLIM was good") == ["the", "flim", "was", "good"]
    assert tokenizer.tokens("") == ["<unk>"]
    many = [f"w{number % 7}" for number in range(1000)]
    assert tokenizer.tokens(" ".join(many)) == many


def test_special_tokens_in_a_text_are_words():
    tokenizer = learn("<pad> <unk> pad", markup="keep", pattern=r"\S+")
    assert set(tokenizer.encode(pl.Series(["<pad> <unk>"])).ids) == {2, 3}


def test_rare_words_and_the_size_bound():
    assert learn("a a b", min_freq=2).vocabulary == ("a",)
    assert learn("a a b b c", max_size=4).size == 4
    assert learn("d c b a a", max_size=4).vocabulary == ("a", "b")  # the last of three that occur once
    assert learn("a a b b c d", min_freq=2, max_size=5).vocabulary == ("a", "b")  # room left, but no word for it
    with pytest.raises(ParamsError, match=r"none of 2 words occurs 3 times \(the most frequent: 2\)"):
        learn("a a b", min_freq=3)


def test_words_of_the_stop_list_are_left_out(tmp_path):
    text = "The plot, THE film: l'e\u0301t\u00e9 the end"
    tokenizer, [docs] = fit([[text, "the The"]], stop=["The", "l'\u00e9te\u0301"])
    assert [tokenizer.token(number) for number in docs[0]] == ["plot", "film", "end"]
    assert docs[1].tolist() == [UNK]  # nothing of it is left
    assert tokenizer.encode(pl.Series([text])).ids.tolist() == docs[0].tolist()
    assert tokenizer.tokens(text) == ["plot", "film", "end"]
    tokenizers.save(tmp_path / "tokenizer.json", tokenizer)
    assert tokenizers.load(tmp_path / "tokenizer.json") == tokenizer
    assert "stop" not in learn(text).spec()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[", "unclosed character class"),
        ("a*", "matches the empty text"),
        ("", "matches the empty text"),
        (".+", "matches spaces"),
        (r"[^,.!]+", "matches spaces"),
        (r" ?[a-z]+", "matches spaces"),
    ],
)
def test_bad_patterns(pattern, reason):
    entry = {**CONFIG.model_dump(), "pattern": pattern}
    with pytest.raises(ParamsError, match=rf"params.yaml: tokenizers.w.pattern: .*{reason}"):
        tokenizers.tokenizer_config(entry, "params.yaml: tokenizers.w")


def test_the_file_is_the_whole_tokenizer(tmp_path):
    tokenizer = learn("the film was good")
    tokenizers.save(tmp_path / "t.json", tokenizer)
    assert tokenizers.load(tmp_path / "t.json") == tokenizer


@pytest.mark.parametrize(
    "edit",
    [
        lambda spec: spec.update(kind="words"),
        lambda spec: spec["vocabulary"].pop(0),
        lambda spec: spec["vocabulary"].append("the"),
        lambda spec: spec["vocabulary"].append(7),
        lambda spec: spec.pop("pattern"),
    ],
)
def test_a_file_edited_into_nonsense_is_refused(tmp_path, edit):
    path = tmp_path / "t.json"
    tokenizers.save(path, learn("the film was good"))
    spec = read_json(path)
    edit(spec)
    write_json(path, spec)
    with pytest.raises(ArtifactError, match=r"t\.json"):
        tokenizers.load(path)


def test_long_nonsense_takes_no_time():
    for text in ("<" * 1_000_000, "a" * 1_000_000, "&" * 1_000_000, "<a" * 500_000):
        assert len(words(text)) <= 500_000
