"""Small changes to the code that a test must notice: `make mutants`, or `python tests/mutants.py COUNT SEED`.

mutmut makes the changes and runs the tests. Here, a seeded sample is drawn, a mutant of each file in turn, and what no
test noticed is compared with the list of equal ones in mutants.toml. All happens in a copy of the checkout.
"""

import ast
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests/mutants.toml"
KILLED = ("killed", "timeout", "segfault")
# Changes that change nothing: zip is strict against what cannot happen, and some names may have either case.
SAME = re.compile(r',? ?strict=\w+|, (?=\))|"(utf|UTF)-8"|"(stable|STABLE)"')
# Imported once, before the fork of each mutant's process. Our own modules are not: some compute, which starts threads
# that a fork loses.
IMPORTED = (
    "torch",
    "polars",
    "pydantic",
    "scipy.stats",
    "sklearn.metrics",
    "safetensors.torch",
    "hypothesis",
    "pytest",
)
Change = tuple[str, str, str]  # function, lines before, lines after


def copied(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Copies the checkout, with mutmut's settings. Returns what mutants.toml lists."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(command, cwd=ROOT, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    settings, marker, listed = LIST.read_text(encoding="utf-8").partition("[[equal]]")
    with open(folder / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write(settings)
    (folder / "imported.txt").write_text("\n".join(IMPORTED), encoding="utf-8")
    return tomllib.loads(marker + listed)


def changes(path: str) -> Iterator[tuple[str, Change]]:
    """Yields the name of each mutant of a file, and what it changes."""
    code = mutate_file_contents(path, Path(path).read_text(encoding="utf-8")).code
    lines, module = code.split("\n"), path.removesuffix(".py").replace("/", ".")
    bodies = {
        node.name: [line.strip() for line in lines[node.lineno : node.end_lineno]]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    for name, body in bodies.items():
        function, _, number = name.partition("__mutmut_")
        if number != "orig":
            found = [line for line in difflib.ndiff(bodies[f"{function}__mutmut_orig"], body) if line[0] in "-+"]
            before, after = ("\n".join(line[2:] for line in found if line[0] == sign) for sign in "-+")
            crashes = after.count("None") > before.count("None")  # at once, so it says nothing about the tests
            if not crashes and SAME.sub("", before) != SAME.sub("", after):
                plain = function[2:].replace("ǁ", ".")  # x_function, or xǁClassǁmethod
                yield f"{module}.{name}", (f"{module}.{plain}", before, after)


def sample(count: int, seed: int, paths: list[str]) -> dict[str, Change]:
    """Returns that many mutants, the same ones for a seed; a smaller sample is the beginning of a larger one."""
    each = [sorted(changes(path)) for path in paths]
    for path, mutants in zip(paths, each, strict=True):
        random.Random(f"{seed} {path}").shuffle(mutants)
    drawn = [one for one in chain.from_iterable(zip_longest(*each)) if one]
    print(f"{len(drawn):,} mutants in {len(paths)} files, of which {min(count, len(drawn)):,} are tried")
    return dict(drawn[:count])


def main(count: int, seed: int) -> int:
    """Tries the mutants and prints those that live. Returns an exit code."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        listed = copied(Path(folder))
        os.chdir(folder)
        settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
        drawn = sample(count, seed, settings["only_mutate"])
        mutmut = [sys.executable, "-m", "mutmut"]
        if code := subprocess.run([*mutmut, "run", "--max-children", "1", *drawn]).returncode:
            print(f"mutmut stopped: does a test of {LIST.name} fail without any change?")
            return code
        found = subprocess.check_output([*mutmut, "results", "--all", "true"], text=True)
    states = dict(line.strip().split(": ") for line in found.splitlines())
    equal = {(one["function"], one["before"], one["after"]): one["why"] for one in listed.get("equal", [])}
    alive = {name: change for name, change in drawn.items() if states[name] not in KILLED}
    news = {name: change for name, change in alive.items() if change not in equal}
    for name, (function, before, after) in news.items():
        print(f"\n{function}: {states[name]}", *(f"- {line}" for line in before.split("\n")), sep="\n")
        print(*(f"+ {line}" for line in after.split("\n")), sep="\n")
    print(
        f"\n{len(drawn)} mutants: {len(drawn) - len(alive)} killed, {len(alive) - len(news)} equal by {LIST.name}, "
        f"{len(news)} alive; {time.monotonic() - start:.0f} s"
    )
    return bool(news)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
