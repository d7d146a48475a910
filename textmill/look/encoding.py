"""Finds a file's encoding. Only UTF-8 and byte order marks are certain; anything else is a guess, and called one."""

import re
from typing import NamedTuple

from textmill.look.sample import Sample

MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8"}
HIGH = re.compile(rb"[\x80-\xff]")
LONG_RUN = re.compile(rb"[\x80-\xff]{3,}")
# Letters and signs beyond ASCII that are frequent in Western texts, in Windows' encoding.
WESTERN = set("àâäáãåçéèêëíìîïñóòôöõøúùûüßæœÀÂÄÁÅÇÉÈÊËÍÑÓÖÔØÚÜŒÆ’‘“”„–—…€£°«»¿¡ºª\xa0´·®©™½²•§")
OTHERS = ["cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "koi8_r"]
OTHERS += ["big5", "cp949", "gb18030"]
KANA = re.compile(r"[ぁ-ゖ]")
LINES = 2000  # with bytes beyond ASCII, to judge by
MIXED = 0.05  # share of them in UTF-8; two letters of a Chinese encoding may look like UTF-8


class Encoding(NamedTuple):
    """A name for `dataset.encodings`, and the reason for it."""

    name: str
    reason: str
    mixed: bool = False  # whether some lines are UTF-8 and others are not


def encoding_of(sample: Sample) -> Encoding:
    """Returns a file's encoding: UTF-8 if all of it is, UTF-16 by its mark or NULs, else what fits its letters."""
    head = sample.head
    for mark, name in MARKS.items():
        if head.startswith(mark) and (name != "utf-8" or sample.not_utf8 is None):
            return Encoding(name, "by its byte order mark")
    even, odd = head[:4096:2].count(0), head[1:4096:2].count(0)
    if max(even, odd) > max(len(head[:4096]) / 50, 8 * min(even, odd)):
        return Encoding("utf-16-be" if even > odd else "utf-16-le", "every other byte is NUL, without a mark")
    if sample.not_utf8 is None:
        return Encoding("utf-8", "all of it is UTF-8")
    lines = [line for data in (head, *sample.pieces) for line in data.split(b"\n")[:-1] if HIGH.search(line)]
    lines = lines[:LINES] or [head]
    others = [line for line in lines if not _is(line, "utf-8")]
    name = _best(b"\n".join(others or lines))
    reason = f"byte {sample.not_utf8:,} is not UTF-8; {name} fits its letters"
    if others and len(lines) - len(others) > MIXED * len(lines):
        return Encoding(name, f"some lines are UTF-8, others {name}, so some will be read wrongly", mixed=True)
    return Encoding(name, reason)


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _best(data: bytes) -> str:
    """Returns the most likely encoding of bytes that are not UTF-8."""
    high = len(HIGH.findall(data))
    runs = sum(map(len, LONG_RUN.findall(data)))
    beyond = [character for character in data.decode("cp1252", "replace") if character > "\x7f"]
    western = sum(character in WESTERN for character in beyond)
    if runs < 0.2 * high and western >= 0.85 * len(beyond):
        return "cp1252" if _is(data, "cp1252") else "latin-1"
    for name in ("euc_jp", "shift_jis"):
        if _is(data, name) and 6 * len(KANA.findall(data.decode(name))) > high / 2:
            return name
    from charset_normalizer import from_bytes

    found = from_bytes(data, cp_isolation=OTHERS).best()
    if found:
        return found.encoding
    return "cp1252" if _is(data, "cp1252") else "latin-1"
