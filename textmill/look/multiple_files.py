"""Several files of one data set, given separately or in an archive: one for each split, or one for each class."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from textmill.errors import DataError, ParamsError
from textmill.fetch.archives import format_of, members
from textmill.look.proposal import Given, Proposal, listed
from textmill.look.roles import Found, proposed, roles, stem
from textmill.look.rows import Looked, look_at
from textmill.sources.naming import KNOWN, Split, split_named, split_of_file

# What is not data in an archive.
BESIDE = re.compile(
    r"(^|/)(\.|__MACOSX/|read.?me|licen[sc]e|copying|notes?\.|.*\.(md|pdf|html?|py|ipynb|docx?)$)", re.IGNORECASE
)
MOST = 50  # files of an archive
ALIKE = ("separator", "quotes", "format")  # keys that all files of a data set must agree on
BY_NAME = "each file is a class, by its name"
BY_SPLIT = "the files' names say which split they are"


def of_files(paths: list[Path], given: Given, folder: str) -> Proposal:
    """Returns a proposal for files named after splits, or for a text file per class, packed into one archive."""
    names = [path.name for path in paths]
    _check_not_texts("the files", list(map(str, paths)))
    if len(set(names)) < len(names):
        raise ParamsError(f"two files are called {max(names, key=names.count)}; give them different names")
    looks = {path.name: look_at(path, None, given) for path in paths}
    if all(looked.kind == "txt" for looked in looks.values()):
        found, files = _texts({"members": _labelled(names)}), dict(zip(paths, names, strict=True))
        path = {"path": f"{folder}/texts.zip"}
        return proposed(given.name or "texts", path, found, looks[names[0]], files, _notes(looks), "texts.zip")
    splits = {name: split_of_file(name) for name in names}
    if len(set(splits.values())) < len(paths) or None in splits.values() or "train" not in splits.values():
        by_name = ", ".join(f"{name} ({split or 'none'})" for name, split in splits.items())
        raise ParamsError(
            f"the files' names do not give one split each: {by_name}; call them train.csv, validation.csv and "
            "test.csv, or put all rows into one file; leave out a file without classes (`textmill predict` labels it)"
        )
    kept, found, notes = _by_split(looks, splits, given)
    keys = {"path": {splits[name]: f"{folder}/{name}" for name in kept}}
    found.reasons["path"] = BY_SPLIT
    files = {path: path.name for path in paths if path.name in kept}
    name = given.name or _without_splits(kept[0]) or paths[0].absolute().parent.name
    return proposed(name, keys, found, looks[kept[0]], files, notes)


def of_archive(path: Path, given: Given, folder: str) -> Proposal:
    """Returns a proposal for an archive: a single file, a file for each split, or a text file for each class."""
    inside = [name for name in members(path) if not BESIDE.search(name)]
    tables = [name for name in inside if format_of(name)] or inside
    if not tables:
        raise DataError(f"{path}: it has no file that could be read; found: {listed(members(path)) or 'none'}")
    _check_not_texts(str(path), tables)
    looks = {name: look_at(path, name, given) for name in tables}
    splits = {name: split_of_file(name) for name in tables}
    keys: dict[str, Any] = {"path": f"{folder}/{path.name}"}
    shown, notes = tables[0], _notes(looks)
    if len(tables) == 1:
        found = roles(looks[shown], given, f"{path}!{shown}")
        if len(inside) > 1 or not format_of(shown):
            keys["members"] = {shown: None}
    elif all(looked.kind == "txt" for looked in looks.values()):
        labels = _labelled(tables)
        found = _texts({"members": {name: _member(splits[name], label) for name, label in labels.items()}})
    elif "train" in splits.values():
        kept, found, notes = _by_split({name: looks[name] for name in tables if splits[name]}, splits, given)
        if aside := [name for name in tables if not splits[name]]:
            notes.append(f"left out, because their names give no split: {listed(aside)}")
        keys["members"] = {name: {"split": splits[name], "label": None} for name in kept}
        found.reasons["members"], shown = BY_SPLIT, kept[0]
    else:
        raise ParamsError(
            f"{path}: it has {listed(tables)}, and their names give neither splits nor classes; "
            "extract the one that you want, and name it"
        )
    return proposed(given.name or stem(path.name), keys, found, looks[shown], {path: path.name}, notes)


def _check_not_texts(where: str, names: list[str]) -> None:
    """Raises DataError if there are too many files, which is the case if each is a text and its folder the class."""
    folders = Counter(PurePosixPath(name).parent for name in names if format_of(name) in ("txt", None))
    classes = {folder.name for folder, count in folders.items() if count > 2 and not split_named(folder.name)} - {""}
    if len(classes) > 1:
        raise DataError(
            f"{where}: each file in {listed(sorted(classes), 4)} seems to be one text; write one table with a row for "
            "each (columns text and label), or a file for each class, such as pos.txt, with one text per line"
        )
    if len(names) > MOST:
        raise DataError(f"{where}: {len(names):,} files, but at most {MOST} are read; put all rows into one table")


def _by_split(
    looks: Mapping[str, Looked], splits: Mapping[str, Split | None], given: Given
) -> tuple[list[str], Found, list[str]]:
    """Returns the usable files (train first), how to read them all, and notes."""
    train = next(name for name in looks if splits[name] == "train")
    found, notes, kept = roles(looks[train], given, train, alone=False), _notes(looks), []
    for name in sorted(looks, key=lambda name: name != train):
        missing = _missing(looks[name], looks[train], found.keys, splits[name])
        if missing == ["label"]:
            notes.append(f"{name} has no column {found.keys['label']!r}: left out; `textmill predict` labels it later")
        elif missing:
            raise DataError(f"{name} is not like {train}: {', '.join(missing)} differ; splits must be alike")
        else:
            kept.append(name)
    encodings = [encoding for name in kept for encoding in looks[name].keys.get("encodings", ["utf-8"])]
    if set(encodings) != {"utf-8"}:  # the first that decodes a file is used, and UTF-8 decodes nothing else
        found.keys["encodings"] = sorted(set(encodings), key=lambda encoding: (encoding != "utf-8", encoding))
        found.reasons.setdefault("encodings", "the files are in different encodings")
    return kept, found, notes


def _missing(looked: Looked, like: Looked, keys: dict[str, Any], split: str | None) -> list[str]:
    """Returns the keys that fit `like` but not this file."""
    if "header" in keys:
        return [] if len(looked.columns) == len(like.columns) else ["columns"]
    names = {column.name for column in looked.columns}
    missing = []
    for key in ("text", "group") if split == "unlabelled" else ("text", "label", "group"):
        own = keys.get(key, [])
        if not names.issuperset(own if isinstance(own, list) else [own]):
            missing.append(key)
    return missing + [key for key in ALIKE if looked.keys.get(key, keys.get(key)) != keys.get(key)]


def _texts(keys: dict[str, Any]) -> Found:
    return Found({**keys, "text": "text", "label": None}, {"members": BY_NAME}, {})


def _member(split: str | None, label: str) -> str | dict[str, str]:
    return {"split": split, "label": label} if split else label


def _notes(looks: Mapping[str, Looked]) -> list[str]:
    return [note for looked in looks.values() for note in looked.notes]


def _labelled(names: Iterable[str]) -> dict[str, str]:
    """Returns the class in each file's name: the words that others lack, without splits and suffixes."""
    words = {name: [w for w in re.split(r"[\W_]+", stem(name)) if w and w.lower() not in KNOWN] for name in names}
    common = set.intersection(*map(set, words.values()))
    labels = {name: " ".join(word for word in own if word not in common) for name, own in words.items()}
    if not all(labels.values()) or len(set(labels.values())) < 2:
        raise ParamsError(f"the names of {listed(list(words))} do not give classes; name them like pos.txt and neg.txt")
    return labels


def _without_splits(name: str) -> str:
    return "-".join(word for word in re.split(r"[\W_]+", stem(name)) if word and word.lower() not in KNOWN)
