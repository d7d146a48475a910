"""The lines of a text file in the first encoding that fits. A line may be no longer than a text."""

import codecs
import io
from typing import IO

from textmill.errors import DataError
from textmill.rows.bad import LONG, NUL, advice


def choose_encoding(file: IO[bytes], encodings: list[str], where: str) -> tuple[str, str]:
    """Returns the first encoding that decodes the whole file, and why earlier ones do not. Rewinds the file.

    Raises DataError if none decodes it.
    """
    problems: list[str] = []
    for encoding in encodings:
        decoder, position, waiting = codecs.getincrementaldecoder(encoding)(), 0, 0
        file.seek(0)
        try:
            while data := file.read(1 << 20):
                decoder.decode(data)
                position, waiting = position + len(data), len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            byte = position - waiting + getattr(error, "start", 0)
            problems.append(f"byte {byte} is not {encoding}")
        else:
            file.seek(0)
            return encoding, ", ".join(problems)
    file.seek(0)
    marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    hint = ", which looks like utf-16," if marked else ""
    raise DataError(f"{where}: {', '.join(problems)}; name the file's encoding{hint} in dataset.encodings")


def decoded(file: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """Returns the file as text, with its line endings unchanged and without a byte order mark."""
    return io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def first_line(file: IO[bytes], encoding: str) -> str:
    """Returns the first line, up to 100 characters. Rewinds the file."""
    text = decoded(file, encoding)
    line = text.readline(100)
    text.detach()
    file.seek(0)
    return line


class Lines:
    """The lines of a text. `bad` says what is wrong with the lines read since `begin`.

    A line of more than `limit` characters is returned empty, because a file may be one line of gigabytes.
    """

    def __init__(self, text: io.TextIOWrapper, limit: int, where: str, quoted: bool = False):
        self.text, self.limit, self.where = text, limit, where
        self.quoted = quoted  # whether quotes can join lines
        self.number = 0  # of the last line
        self.cut = False  # whether the line feed of the last line's end may follow
        self.begin()

    def begin(self) -> None:
        """Begins a record, which may span several lines."""
        self.taken = 0
        self.bad: str | None = None

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self.text.readline(self.limit + 2)
        if self.cut and line == "\n":
            line = self.text.readline(self.limit + 2)
        self.cut = False
        if not line:
            raise StopIteration
        self.number, self.taken = self.number + 1, self.taken + 1
        if len(line) > self.limit and len(line.rstrip("\r\n")) > self.limit:
            if (self._skip(line) and self.quoted) or self.taken > 1:
                raise DataError(f"{self.where}, row {self.number}: {LONG} ({self.limit:,} characters); {advice(LONG)}")
            self.bad = LONG
            return "\n"
        if "\0" in line:
            self.bad = NUL
        return line

    def _skip(self, line: str) -> bool:
        """Skips to the end of a line. Returns whether a quote is still open there."""
        quotes = line.count('"')
        while line and not line.endswith(("\n", "\r")):
            line = self.text.readline(1 << 16)
            quotes += line.count('"')
        self.cut = line.endswith("\r")
        return quotes % 2 == 1
