"""The words of CONTRIBUTING: what its table says not to write is written nowhere.

Run: `python tests/test_words.py` counts the offences by phrase and folder.
"""

import io
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HERE = "tests/test_words.py"
KINDS = (".md", ".py", ".j2", ".yaml", ".yml", ".ipynb")
GAP = r"""(?:[\s"'#>]|\\n)+(?:f["'])?"""  # between two words: a space, or the end of a line, comment or string
NAMES = re.compile(
    r"""(?<!`)`\w+`(?!`)|\{[\w.]+\}|\{\{[^}]*\}\}|class="[^"\n]*\""""
)  # of code: the words are not ours to choose
ROW = re.compile(r"^\| [^|]* \| ([^|]*) \|$", re.M)


def phrases(contributing: str) -> list[str]:
    """Returns what the second column of the table of words has in backticks."""
    table = contributing.split("## Words\n")[1]
    return [phrase for cell in ROW.findall(table) for phrase in re.findall("`([^`]+)`", cell)]


def pattern(phrase: str) -> re.Pattern[str]:
    """Returns what finds a phrase as whole words. One that begins with a capital begins a sentence."""
    words = GAP.join(re.escape(word) for word in phrase.split())
    ends = [r"(?<![\w-])" if phrase[0].isalpha() else "", r"(?![\w-])" if phrase[-1].isalpha() else ""]
    return re.compile(words.join(ends), 0 if phrase[0].isupper() else re.I)


def read(path: Path) -> str:
    """Returns what a file says to people, on the lines where it is; of Python, comments and strings."""
    text = path.read_text(encoding="utf-8")
    text = NAMES.sub(lambda found: " " * len(found[0]), text)
    if path.name == "CONTRIBUTING.md":
        return ROW.sub("", text)
    if path.suffix != ".py":
        return text
    kept = [[" "] * len(line) for line in text.splitlines()]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or "STRING" in tokenize.tok_name[token.type]:
            (first, start), (last, end) = token.start, token.end
            for number in range(first, last + 1):
                line = text.splitlines()[number - 1]
                part = slice(start if number == first else 0, end if number == last else len(line))
                kept[number - 1][part] = line[part]
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE) and token.string:
            kept[token.start[0] - 1][token.start[1]] = "\0"  # code, which no phrase spans
    return "\n".join(map("".join, kept))


def offences(root: Path, files: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """Yields file, line and phrase."""
    known = [(one, pattern(one)) for one in phrases((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))]
    for name in files:
        text = read(root / name)
        for phrase, search in known:
            for found in search.finditer(text):
                yield name, text.count("\n", 0, found.start()) + 1, phrase


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        name for name in listed.splitlines() if name.endswith(KINDS) and name != HERE and not (ROOT / name).is_symlink()
    ]


def test_no_text_has_a_word_of_the_table():
    found = [f"{name}:{line}: {phrase}" for name, line, phrase in offences(ROOT, tracked())]
    assert not found, f"{len(found)} phrases that CONTRIBUTING (Words) says not to write:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("# It stands\n# in a file.\nx = 1\n", [1]),
        ('"""A file, too."""\n', [1]),
        ('x = (\n    "it lies "\n    f"in {a}"\n)\n', [2]),
        ("stands = in_file\n", []),
        ('say("it stands", "in")\n', []),
        ("# A stand-in, besides.\n", []),
    ],
)
def test_phrases_are_found_in_comments_and_strings_alone(tmp_path, source, lines):
    (tmp_path / "a.py").write_text(source)
    assert [line for _, line, _ in offences(tmp_path, ["a.py"])] == lines


if __name__ == "__main__":
    found = list(offences(ROOT, tracked()))
    for title, column in (("phrase", 2), ("folder", 0)):
        print(title)
        keys = (one[2] if column else one[0].rpartition("/")[0] or "." for one in found)
        for key, count in Counter(keys).most_common():
            print(f"{count:6} {key}")
    print(f"{len(found):6} in all")
