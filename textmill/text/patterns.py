"""What counts as a word: regular expressions (of Rust's `regex`), under the names that params may use."""

# Runs of letters, marks and digits, possibly with an apostrophe inside; single ! and ?.
SPACED = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[!?]"

# Letters of scripts that do not put spaces between words.
_UNSPACED = r"[[\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&[\p{L}\p{Nl}]]"
_OTHERS = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_UNSPACED}]"
_EMOJI = r"\p{Extended_Pictographic}\uFE0F?\p{Emoji_Modifier}?"

ANY_SCRIPT = "|".join(
    [
        rf"{_UNSPACED}\p{{M}}*",  # each letter by itself, with its marks
        rf"{_OTHERS}+(?:'{_OTHERS}+)*",
        r"[\U0001F1E6-\U0001F1FF]{2}",  # flags
        rf"{_EMOJI}[\U000E0020-\U000E007F]*(?:\u200D{_EMOJI})*",  # with skin tone, or joined into families
        r"[:;=]'?-?[()\[\]|*]+|[:;]-?[dDpPoO]\b|:-[/\\]|<3",  # smileys
        r"[!?\uFF01\uFF1F]",
    ]
)

PATTERNS = {"spaced": SPACED, "any-script": ANY_SCRIPT}
