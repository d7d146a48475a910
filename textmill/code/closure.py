"""What runs when a module does: all modules that it imports, directly or not, and the files that they name."""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from textmill.code.meaning import is_type_checking, meaning
from textmill.errors import ParamsError

SHORT = 16  # hex digits of a digest, enough to distinguish modules


class Part(NamedTuple):
    """A module that runs, or a file that a module reads.

    only_top_level: a package that is imported only because a module in it is. Its top level runs, its functions do not.
    """

    name: str
    path: Path
    only_top_level: bool = False


class Contents(NamedTuple):
    """A part's digest, its imports as pairs of a module and a name taken from it, and the files that it names."""

    digest: str
    imports: list[tuple[str, str]]
    files: list[Path]


class Closure:
    """A search for what runs in the given packages (name -> folder)."""

    def __init__(self, packages: Mapping[str, Path]):
        self.packages = packages
        self.read = cache(read)

    def digests(self, *roots: str) -> dict[str, str]:
        """Returns the digest of each part that runs when the root modules do, in alphabetical order of their names."""
        found: set[Part] = set()
        waiting = [part for root in roots for part in self._imported(*_split(root))]
        while waiting:
            if (part := waiting.pop()) not in found:
                found.add(part)
                contents = self.read(part)
                waiting += [one for name, taken in contents.imports for one in self._imported(name, taken)]
                waiting += [self._file(part, path) for path in contents.files]
        found -= {part._replace(only_top_level=True) for part in found if not part.only_top_level}
        return {part.name: self.read(part).digest for part in sorted(found)}

    def _imported(self, module: str, taken: str = "") -> Iterator[Part]:
        """Yields what runs at `import module` or `from module import taken`: the packages above it, then the module."""
        if module.split(".")[0] not in self.packages:
            return
        if taken and (path := self._path(f"{module}.{taken}")):
            module = f"{module}.{taken}"
        elif not (path := self._path(module)):
            return
        names = module.split(".")
        for end in range(1, len(names)):
            package = ".".join(names[:end])
            if on_the_way := self._path(package):
                # After `import a.b` a caller may also use a.
                yield Part(package, on_the_way, only_top_level=bool(taken))
        yield Part(module, path)

    def _path(self, module: str) -> Path | None:
        package, *names = module.split(".")
        stem = self.packages[package].joinpath(*names)
        return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)

    def _file(self, part: Part, path: Path) -> Part:
        package = part.name if part.path.name == "__init__.py" else part.name.rpartition(".")[0]
        return Part(f"{package}.{path.stem}" if path.suffix == ".py" else f"{package}/{path.name}", path)


def read(part: Part) -> Contents:
    """Reads and parses a part. Raises ParamsError for a syntax error."""
    source = part.path.read_bytes()
    if part.path.suffix != ".py":
        return Contents(hashlib.sha256(source).hexdigest()[:SHORT], [], [])
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParamsError(
            f"{str(part.path).removeprefix(f'{Path.cwd()}/')}, line {error.lineno}: {error.msg}"
        ) from error
    if part.only_top_level:
        tree.body = at_top(tree.body)
    nodes = list(executed(tree))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names = {text for text in strings if "." in text[1:-1] and len(text) < 64 and not set(text) & set("/\n\0 ")}
    files = [path for path in map(part.path.with_name, sorted(names)) if path != part.path and path.is_file()]
    imports = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            imports += [(_absolute(node, part), alias.name) for alias in node.names]
    return Contents(hashlib.sha256(meaning(tree).encode()).hexdigest()[:SHORT], imports, files)


def at_top(body: list[ast.stmt]) -> list[ast.stmt]:
    """Returns the statements of a module that matter when it is imported, without functions that none of them uses."""
    kept = {number for number, node in enumerate(body) if not _rests(node)}
    while True:
        used = {node.id for number in kept for node in ast.walk(body[number]) if isinstance(node, ast.Name)}
        more = {number for number, node in enumerate(body) if getattr(node, "name", None) in used} - kept
        if not more:
            return [body[number] for number in sorted(kept)]
        kept |= more


def _split(module: str) -> tuple[str, str]:
    """Splits a module's full name into its package and its own name."""
    package, _, name = module.rpartition(".")
    return (package, name) if package else (module, "")


def _rests(node: ast.stmt) -> bool:
    """Returns whether a statement only defines a function, without decorators or computed defaults that would run."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    computed = [
        one for one in [*node.args.defaults, *node.args.kw_defaults] if not isinstance(one, ast.Constant | None)
    ]
    return not (node.decorator_list or computed)


def _absolute(node: ast.ImportFrom, part: Part) -> str:
    """Returns the full name of the module in `from module import ...`, which may be relative."""
    if not node.level:
        return node.module or ""
    package = part.name.split(".") if part.path.name == "__init__.py" else part.name.split(".")[:-1]
    above = package[: len(package) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yields all nodes except those that only a type checker reads."""
    yield node
    children: Iterable[ast.AST] = node.orelse if is_type_checking(node) else ast.iter_child_nodes(node)
    for child in children:
        yield from executed(child)
