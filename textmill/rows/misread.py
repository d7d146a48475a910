"""Texts that look encoded twice, because they were UTF-8 and were read as cp1252 or latin-1: "dÃ©jÃ\xa0 vu"."""

import polars as pl

# The characters that cp1252 decodes bytes 80-9F to, mapped to those of latin-1.
AS_LATIN1 = {ord(bytes([code]).decode("cp1252", "ignore") or chr(code)): chr(code) for code in range(0x80, 0xA0)}
REST = "[" + "".join(f"\\x{{{code:x}}}" for code in AS_LATIN1) + r"\x{80}-\x{bf}]"
# First characters of misread letters: of Latin, Greek, Cyrillic, Hebrew and Arabic (two bytes), then of three and four
# bytes. The other first bytes of two are capitals and ß, which also occur before a quotation mark in correct texts.
MISREAD = (
    rf"[\x{{c2}}-\x{{c5}}\x{{ce}}-\x{{d1}}\x{{d6}}-\x{{d9}}]{REST}|[\x{{e0}}-\x{{ef}}]{REST}{{2}}|"
    rf"[\x{{f0}}-\x{{f4}}]{REST}{{3}}"
)


def twice_encoded(texts: pl.Series) -> int:
    """Returns how many texts, encoded as cp1252 or latin-1, are valid UTF-8 with characters beyond ASCII."""
    return sum(map(_is_utf8, texts.filter(texts.str.contains(MISREAD))))


def _is_utf8(text: str) -> bool:
    try:
        text.translate(AS_LATIN1).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return False
    return True
