"""A `dataset` section for a file, or for several: one for each split, or one for each class."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.archives import UNPACK, format_of, is_archive, members
from textmill.look.columns import Column, Role, group_of, id_of, label_of, split_of, text_of
from textmill.look.proposal import Proposal, Told, listed
from textmill.look.rows import Looked, look_at
from textmill.sources.dataset import SPREADSHEETS
from textmill.sources.naming import KNOWN, split_of_file

# What lies beside the data in an archive.
BESIDE = re.compile(
    r"(^|/)(\.|__MACOSX/|read.?me|licen[sc]e|copying|notes?\.|.*\.(md|pdf|html?|py|ipynb|docx?)$)", re.IGNORECASE
)
Keys = dict[str, Any]  # of `dataset`


def propose(paths: Path | Sequence[Path], told: Told | None = None, folder: str = "data/input") -> Proposal:
    """How the files can be read: a bounded part of each is looked at, and nothing is written.

    folder: where the files will lie in the project.
    Raises ParamsError if what was told does not fit, DataError if a file is of another kind or has no texts, and
    ArtifactError if one is missing or damaged.
    """
    told, paths = told or Told(), [paths] if isinstance(paths, Path) else list(paths)
    for path in paths:
        if not path.is_file():
            raise ArtifactError(f"{path}: {'a folder; name the files in it' if path.is_dir() else 'no such file'}")
        if path.name.lower().endswith(SPREADSHEETS):
            raise DataError(f"{path}: this is a spreadsheet; save it as csv (UTF-8) and name that file")
    if len(paths) > 1:
        return _of_several(paths, told, folder)
    (path,) = paths
    if is_archive(path.name):
        return _of_archive(path, told, folder)
    looked = look_at(path, None, told)
    if len(looked.columns) == 1:
        raise DataError(
            f"{path}: texts alone and no classes; give a table with a column of classes, or a file for each class, "
            "such as pos.txt neg.txt"
        )
    keys, reasons, others = _roles(looked, told, str(path))
    return _proposal(path, told, {"path": f"{folder}/{path.name}", **keys}, reasons, others, looked, {path: path.name})


def _of_several(paths: list[Path], told: Told, folder: str) -> Proposal:
    """Files whose names say train and test, or the classes of their texts."""
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise ParamsError(f"two files are called {max(names, key=names.count)}; give them different names")
    looks = {path: look_at(path, None, told) for path in paths}
    first = next(iter(looks.values()))
    if all(looked.kind == "txt" for looked in looks.values()):
        parts = _labelled(names)
        dataset = {"path": f"{folder}/texts.zip", "members": parts, "text": "text", "label": None}
        reasons = {"members": "each file is a class, by its name"}
        files = dict(zip(paths, names, strict=True))
        return _proposal(Path("texts"), told, dataset, reasons, {}, first, files, "texts.zip")
    splits = {path: split_of_file(path.name) for path in paths}
    if len(set(splits.values())) < len(paths) or None in splits.values() or "train" not in splits.values():
        found = ", ".join(f"{path.name} ({split or 'none'})" for path, split in splits.items())
        raise ParamsError(
            f"the files' names do not tell one split each: {found}; call them train.csv, validation.csv and test.csv, "
            "or put all rows into one file"
        )
    train = next(path for path, split in splits.items() if split == "train")
    keys, reasons, others = _roles(looks[train], told, str(train), split=False)
    notes: list[str] = []
    kept: dict[Path, Any] = {}
    for path, looked in looks.items():
        missing = _missing(looked, looks[train], keys, splits[path])
        if missing == ["label"]:
            notes.append(f"{path.name} has no column {keys['label']!r}: left out; `textmill predict` labels it later")
        elif missing:
            raise DataError(f"{path}: not like {train}: {', '.join(missing)} differ; files of splits are read alike")
        else:
            kept[path] = splits[path]
    dataset = {"path": {split: f"{folder}/{path.name}" for path, split in kept.items()}, **keys}
    reasons["path"] = "the files' names tell the splits"
    looked = looks[train]._replace(notes=[note for one in looks.values() for note in one.notes] + notes)
    return _proposal(train, told, dataset, reasons, others, looked, {path: path.name for path in kept})


def _of_archive(path: Path, told: Told, folder: str) -> Proposal:
    found = [name for name in members(path) if not BESIDE.search(name)]
    tables = [name for name in found if format_of(name)] or found
    if not tables:
        raise DataError(f"{path}: it holds no file that could be read: {listed(members(path)) or 'none'}")
    looks = {name: look_at(path, name, told) for name in tables[:50]}
    splits = {name: split_of_file(name) for name in tables}
    dataset: dict[str, Any] = {"path": f"{folder}/{path.name}"}
    reasons: dict[str, str] = {}
    notes: list[str] = []
    train = next((name for name, split in splits.items() if split == "train"), tables[0])
    if len(tables) == 1:
        if len(found) != 1 or not format_of(train):
            dataset["members"] = {train: None}
        keys, reasons, others = _roles(looks[train], told, f"{path}!{train}")
    elif all(looked.kind == "txt" for looked in looks.values()):
        labels = _labelled(tables)
        dataset["members"] = {
            name: {"split": splits[name], "label": label} if splits[name] else label for name, label in labels.items()
        }
        reasons["members"] = "each file is a class, by its name"
        keys, others = {"text": "text", "label": None}, {}
    elif all(splits.values()) and "train" in splits.values():
        keys, reasons, others = _roles(looks[train], told, f"{path}!{train}", split=False)
        missing = {name: _missing(looked, looks[train], keys, splits[name]) for name, looked in looks.items()}
        for name, keys_missing in missing.items():
            if keys_missing == ["label"]:
                notes.append(f"{name} has no column {keys['label']!r} and is left out")
            elif keys_missing:
                raise DataError(f"{path}!{name}: not like {train}: {', '.join(keys_missing)} differ")
        kept = [name for name in tables if not missing[name]]
        dataset["members"] = {name: {"split": splits[name], "label": None} for name in kept}
        reasons["members"] = "the files' names tell the splits"
    else:
        raise ParamsError(
            f"{path}: it holds {listed(tables)}, and the names tell neither splits nor classes; "
            "take out the one that you want, and name it"
        )
    looked = looks[train]._replace(notes=[note for one in looks.values() for note in one.notes] + notes)
    return _proposal(path, told, dataset | keys, reasons, others, looked, {path: path.name})


def _roles(
    looked: Looked, told: Told, where: str, split: bool = True
) -> tuple[Keys, dict[str, str], dict[str, list[str]]]:
    """The keys that name columns and those that read the file, their reasons, and what they could be as well."""
    columns = [column for column in looked.columns if column.name]
    names = [column.name for column in columns]
    told.check(names, where)
    free = {column.name: column for column in columns}
    roles: dict[str, Role] = {}

    def choose(key: str, given: str | list[str] | None, find: Any) -> None:
        roles[key] = Role(given, "as you said", []) if given else find(list(free.values()))
        value = roles[key].value
        for name in value if isinstance(value, list) else [value]:
            free.pop(name or "", None)

    for given in (told.label, told.group, told.split, told.id):
        free.pop(given or "", None)
    choose("split", told.split, split_of if split else lambda _: Role(None, "", []))
    texts = told.text if len(told.text) > 1 else next(iter(told.text), None)
    choose("text", texts, lambda some: _text_beside(some, len(columns[0].cells) if columns else 0, told))
    if roles["text"].value is None:
        raise DataError(f"{where}: no column could be a text; found: {listed(names)}")
    choose("label", told.label, lambda some: label_of(some, len(columns[0].cells)))
    if roles["label"].value is None:
        raise DataError(
            f"{where}: no column could be a class (a few values that recur); name it with --label; "
            f"found: {listed(names)}"
        )
    value = roles["text"].value
    used = [roles["label"].value, *(value if isinstance(value, list) else [value])]
    if twice := next((name for name in used if names.count(str(name)) > 1), None):
        raise DataError(f"{where}: {names.count(str(twice))} columns are called {twice!r}; rename one")
    label = next(column for column in columns if column.name == roles["label"].value)
    choose("id", told.id, lambda some: id_of(some, looked.whole))
    choose("group", told.group, lambda some: group_of(some, label))
    keys: Keys = {key: roles[key].value for key in ("text", "label", "group", "split", "id") if roles[key].value}
    others = {key: role.others for key, role in roles.items() if role.others and key not in ("split", "id")}
    reasons = {key: roles[key].reason for key in keys}
    read = dict(looked.keys)
    if "header" in read and not told.header:
        read["header"], renamed = _named(read["header"], keys)
        keys = {
            key: [renamed[name] for name in value] if isinstance(value, list) else renamed[value]
            for key, value in keys.items()
        }
        others = {key: [renamed[name] for name in names] for key, names in others.items()}
        looked.columns[:] = [Column(renamed[column.name], column.cells) for column in looked.columns]
    return {**read, **keys}, {**looked.why, **reasons}, others


def _text_beside(columns: list[Column], rows: int, told: Told) -> Role:
    """The text, so that a column is left for the class."""
    role = text_of(columns)
    if told.label is None and len(columns) > 1 and isinstance(role.value, list):
        left = [column for column in columns if column.name not in role.value]
        if label_of(left, rows).value is None:
            return Role(role.others[0], "the longest texts", role.others[1:])
    return role


def _named(header: list[str], keys: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Names for the columns of a file that has none: what they are used for."""
    renamed = {name: name for name in header}
    for key, value in keys.items():
        if isinstance(value, list):
            names = ["title", "text"] if len(value) == 2 else [f"text {number}" for number in range(1, len(value) + 1)]
            renamed |= dict(zip(value, names, strict=True))
        else:
            renamed[value] = key
    return list(renamed.values()), renamed


def _missing(looked: Looked, like: Looked, keys: dict[str, Any], split: str | None) -> list[str]:
    """The keys that do not fit a file as they fit the one that they were found in."""
    if "header" in keys:
        return [] if len(looked.columns) == len(like.columns) else ["columns"]
    names = {column.name for column in looked.columns}
    wanted = ["text", "group"] if split == "unlabelled" else ["text", "label", "group"]
    missing = []
    for key in wanted:
        own = keys.get(key, [])
        if not names.issuperset(own if isinstance(own, list) else [own]):
            missing.append(key)
    same = ("encodings", "separator", "quotes", "format")
    return missing + [key for key in same if looked.keys.get(key, keys.get(key)) != keys.get(key)]


def _labelled(names: list[str]) -> dict[str, str]:
    """The class that each file's name tells: what sets it apart from the others, without splits and endings."""
    words = {name: [w for w in re.split(r"[\W_]+", _stem(name)) if w and w.lower() not in KNOWN] for name in names}
    common = set.intersection(*map(set, words.values())) if len(names) > 1 else set()
    labels = {name: " ".join(word for word in own if word not in common) for name, own in words.items()}
    if not all(labels.values()) or len(set(labels.values())) < 2:
        raise ParamsError(f"the names of {listed(names)} do not tell classes; call them pos.txt and neg.txt, say")
    return labels


def _stem(name: str) -> str:
    """A file's name without folders and without endings that tell a format."""
    stem = PurePosixPath(name)
    while stem.suffix and (format_of(stem.name) or stem.suffix.lower() in UNPACK or is_archive(stem.name)):
        stem = stem.with_suffix("")
    return str(stem)


def _proposal(path: Path, told: Told, keys: dict[str, Any], reasons: dict[str, str], others: dict[str, list[str]],
              looked: Looked, files: dict[Path, str], packed: str | None = None) -> Proposal:  # fmt: skip
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", told.name or PurePosixPath(_stem(path.name)).name).strip("-_")
    dataset = {"name": slug or "texts", "source": "path", **keys}
    reasons = {key: reasons[key] for key in dataset if reasons.get(key)}
    bits = [column.name for column in looked.columns if set(column.counts) == {"0", "1"}]
    notes = list(looked.notes)
    if len(bits) > 2:
        notes.append(f"{listed(bits)} are 0 or 1: several labels of a text are not supported yet; one of them is taken")
    return Proposal(dataset, reasons, [column.name for column in looked.columns], others, notes, files, packed)
