"""YAML that people write, read within bounds: it takes two seconds at most, and every error names a line.

Without bounds, a few lines of nested aliases or merges fill the memory. YAML's own tags, such as !!int, may raise
anything.
"""

from copy import deepcopy
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from textmill.console import shortened
from textmill.errors import ParamsError

MOST_BYTES = 1_000_000  # params.yaml and dvc.yaml have a few thousand
MOST_VALUES = 20_000  # keys, values, lists and maps, counted as often as aliases repeat them; params.yaml has 300
DEEPEST = 30  # lists and maps inside one another; params.yaml needs 4
SHOWN = 200  # characters of the parser's message


class _Composer(Composer):
    """Counts values, and stops at the first one too many."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML allows them
        self.values = 0
        self.sizes: dict[int, int] = {}  # values of each whole node with an anchor, by its id

    def compose_node(self, parent: Any, index: Any) -> Any:
        event, before = self.parser.peek_event(), self.values
        self.values += 1
        if self.depth >= DEEPEST:
            raise ComposerError(None, None, f"more than {DEEPEST} lists and maps inside one another", event.start_mark)
        node = super().compose_node(parent, index)
        if isinstance(event, AliasEvent):
            if id(node) not in self.sizes:
                raise ComposerError(None, None, f"*{event.anchor} is inside its own anchor", event.start_mark)
            self.values += self.sizes[id(node)]
        elif event.anchor is not None:
            self.sizes[id(node)] = self.values - before
        if self.values > MOST_VALUES:
            raise ComposerError(
                None, None, f"more than {MOST_VALUES:,} values, counting what aliases repeat", event.start_mark
            )
        return node


class _Constructor(SafeConstructor):
    """Remembers which node it makes a value of."""

    node: Any = None

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        self.node = node
        return super().construct_object(node, deep)


def parse(text: bytes, name: str) -> Any:
    """Returns a YAML file's content as plain dicts and lists (YAML 1.2, as DVC reads it).

    name: of the file. Raises ParamsError with the line if it is not YAML, repeats a key or is beyond the bounds.
    """
    return deepcopy(_parsed(text, name))


@lru_cache(maxsize=4)  # a stage reads params.yaml several times
def _parsed(text: bytes, name: str) -> Any:
    if len(text) > MOST_BYTES:
        raise ParamsError(f"{name}: more than {MOST_BYTES:,} bytes; make it smaller")
    reader: Any = YAML(typ="safe", pure=True)  # its stubs lack most of its settings
    reader.Composer, reader.Constructor = _Composer, _Constructor
    try:
        return reader.load(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ParamsError(f"{name}: not UTF-8 (byte {error.start})") from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise ParamsError(f"{name}{_line(mark)}: {shortened(problem, SHOWN)}") from error
    except Exception as error:  # a tag's constructor may raise anything
        node = reader.constructor.node
        kind = str(node.tag).rpartition(":")[2] if node else "YAML"
        raise ParamsError(f"{name}{_line(node and node.start_mark)}: not a valid {kind}; correct it") from error


def _line(mark: Any) -> str:
    return f", line {mark.line + 1}" if mark else ""
