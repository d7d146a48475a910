"""Strict reading of params.yaml: unknown keys are errors, and keys that are left out have documented defaults.

Each section's schema is next to the code it configures; this module reads the file and words the errors. A default
means "as it was before this key existed", so that old files and stored models keep their meaning.
"""

import io
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML

from textmill.console import first, shortened
from textmill.errors import ArtifactError, ParamsError
from textmill.safe_yaml import MOST_BYTES, parse

if TYPE_CHECKING:
    from typing_extensions import TypeForm

PARAMS = Path("params.yaml")
SHOWN = 100  # characters that an error prints of what a file has


def shown(value: Any) -> str:
    """Returns a value as errors print it, in quotes if it is text; of a long one the beginning."""
    try:
        return shortened(repr(value), SHOWN)
    except ValueError:  # Python prints no integer of more than 4,300 digits
        return "a number of thousands of digits"


def like(pattern: str, words: str) -> AfterValidator:
    """Returns a validator of text that matches the whole of `pattern`; `words` describe it in errors."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {words}, found {shown(text)}")
        return text

    vars(check)["words"] = words  # for docs/reference/params.md
    return AfterValidator(check)


def joined(*names: str) -> AfterValidator:
    """Returns a validator of one of the names, or of several joined by +."""
    one = f"({'|'.join(names)})"
    return like(rf"{one}(\+{one})*", f"{', '.join(names)}, or several of them with +")


# Every number has a limit: a typo must not ask for terabytes or years.
Count = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)]  # of things in the data
Many = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]  # of things in memory, each as large as a vector
Few = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Width = Annotated[int, Field(ge=1, le=16_384, strict=True)]  # of a layer
Depth = Annotated[int, Field(ge=1, le=100, strict=True)]  # in layers
Threads = Annotated[int, Field(ge=1, le=1024, strict=True)]
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Alpha = Annotated[float, Field(ge=1e-6, le=0.5, allow_inf_nan=False)]  # of a test; an interval covers 1 - alpha
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]  # a learning rate
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
# It becomes part of a path and of a stage's name.
Name = Annotated[str, like(r"[A-Za-z0-9][A-Za-z0-9_-]*", "a name of letters, digits, - and _")]
Sha256 = Annotated[str, like(r"[0-9a-f]{64}", "64 hex digits")]
Package = Annotated[str, like(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_]*", "package==version")]
Repo = Annotated[str, like(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", "owner/name, as on the Hugging Face hub")]
Revision = Annotated[str, like(r"[0-9a-f]{40}", "the 40 hex digits of a commit (branches move)")]


class Section(BaseModel):
    """A section of params.yaml or of a stored file: no unknown key, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


T = TypeVar("T")

# Shorter than pydantic's messages.
SHORTER = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "greater_than": "greater than {gt}",
    "too_short": "a length of {min_length} or more",
    "string_too_short": "some text",
}


def load_params(path: Path) -> dict[str, Any]:
    """Returns the whole file as plain dicts and lists (YAML 1.2, as DVC reads it).

    Raises ArtifactError if the file is missing, and ParamsError with the line if it is not YAML, repeats a key or is
    too large.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ArtifactError(
            f"{path}: {error.strerror}; go to a project's folder (`textmill new` makes one), or copy one from presets/"
        ) from error
    params = parse(text, str(path))
    if not isinstance(params, dict):
        found = "nothing" if params is None else type(params).__name__
        raise ParamsError(f"{path}: expected sections such as 'dataset:', found {found}")
    if odd := [key for key in params if not isinstance(key, str)]:
        raise ParamsError(f"{path}: expected sections such as 'dataset:', found the key {shown(odd[0])}; remove it")
    return params


def as_yaml(params: dict[str, Any]) -> str:
    """Returns plain dicts and lists as YAML, in their order."""
    yaml: Any = YAML(typ="safe", pure=True)  # its stubs lack most of its settings
    text = io.StringIO()
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output, yaml.width = False, False, 4096
    yaml.allow_unicode = True
    yaml.dump(params, text)
    return text.getvalue()


def load_section(path: Path, key: str, schema: "TypeForm[T]") -> T:
    """Returns the value at a dotted key ('split', 'tokenizers.word', 'seed'), validated.

    Raises ParamsError naming the full key, what was found and what was expected.
    """
    return section(load_params(path), path, key, schema)


def section(params: dict[str, Any], path: Path, key: str, schema: "TypeForm[T]") -> T:
    """Like `load_section`, for params already read from `path`."""
    value: Any = params
    seen: list[str] = []
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            there = [_key(key) for key in value] if isinstance(value, dict) else []
            like_it = get_close_matches(part, there, n=1, cutoff=0.5) or (there if seen else [])
            found = f"; found {first(like_it, 10)}" if like_it else ""
            raise ParamsError(f"{path}: {'.'.join([*seen, part])}: missing{found}")
        value, seen = value[part], [*seen, part]
    return validate(value, schema, f"{path}: {key}")


def validate(value: Any, schema: "TypeForm[T]", where: str) -> T:
    """Returns `value` as the schema's type. `where` ('params.yaml: models.lstm', 'config.json: ') begins the error."""
    try:
        return TypeAdapter(schema).validate_python(value)
    except ValidationError as invalid:
        raise ParamsError(_line(invalid, value, schema, where)) from invalid


def _line(invalid: ValidationError, value: Any, schema: Any, where: str) -> str:
    errors = invalid.errors()
    # An unknown key usually explains the missing one next to it.
    error = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    *above, key = error["loc"] or [None]
    location = [_key(part) for part in above if _in(value, part)]
    if error["type"] in ("missing", "extra_forbidden") or _in(value, key):
        location.append(_key(key))
    path = _path(where, location)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if error["type"] == "missing":
        return f"{path}: missing{more}"
    if error["type"] == "extra_forbidden":
        known = [str(e["loc"][-1]) for e in errors if e["type"] == "missing"] + list(_fields(schema))
        return f"{path}: unknown key{nearest(location[-1], known)}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if shorter := SHORTER.get(error["type"]):  # our own messages may contain the braces of a user's pattern
        message = shorter.format(**{name: _plain(value) for name, value in error["ctx"].items()})
    if isinstance(text := error["input"], str) and len(text) > SHOWN:  # a validator's message may contain it
        message = message.replace(repr(text), shown(text)).replace(text, shortened(text, SHOWN))
    found = "" if error["type"] == "value_error" else f", found {shown(error['input'])}"
    expected = "" if error["type"] == "value_error" else "expected "
    return f"{path}: {expected}{message}{found}{more}"


def _path(where: str, location: list[str]) -> str:
    return where + ".".join(location) if where.endswith(": ") else ".".join([where, *location])


def _key(key: Any) -> str:
    return shortened(key, SHOWN) if isinstance(key, str) else shown(key)


def _plain(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _in(value: Any, part: Any) -> bool:
    """Returns whether `part` of an error's location is a key of the file, not pydantic's name for a union's branch."""
    if isinstance(value, Mapping):
        return part in value or any(_in(child, part) for child in value.values())
    return isinstance(part, int)


def _fields(schema: Any) -> dict[str, Any]:
    return getattr(schema, "model_fields", {})


def unknown_key(where: str, key: str, known: list[str]) -> ParamsError:
    """Returns the error for an unknown key under `where` (as for `validate`), with the most similar known one."""
    return ParamsError(f"{_path(where, [_key(key)])}: unknown key{nearest(key, known)}")


def nearest(key: str, known: list[str]) -> str:
    """Returns the end of the error for an unknown key: the most similar known key, or all of them."""
    close = get_close_matches(key[:SHOWN], known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known keys: {', '.join(sorted(known))}" if known else ""
