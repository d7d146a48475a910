"""Several files of one data set, side by side or in an archive: one for each split, or one for each class."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from textmill.errors import DataError, ParamsError
from textmill.fetch.archives import format_of, members
from textmill.look.proposal import Proposal, Told, listed
from textmill.look.roles import Found, proposed, roles, stem
from textmill.look.rows import Looked, look_at
from textmill.sources.naming import KNOWN, Split, split_named, split_of_file

# What lies beside the data in an archive.
BESIDE = re.compile(
    r"(^|/)(\.|__MACOSX/|read.?me|licen[sc]e|copying|notes?\.|.*\.(md|pdf|html?|py|ipynb|docx?)$)", re.IGNORECASE
)
MOST = 50  # files of an archive
ALIKE = ("separator", "quotes", "format")  # how all files of a data set are read
BY_NAME = "each file is a class, by its name"
BY_SPLIT = "the files' names tell the splits"


def of_files(paths: list[Path], told: Told, folder: str) -> Proposal:
    """Files whose names tell splits, or texts of a class each, which go into one archive."""
    names = [path.name for path in paths]
    _check_not_texts("the files", list(map(str, paths)))
    if len(set(names)) < len(names):
        raise ParamsError(f"two files are called {max(names, key=names.count)}; give them different names")
    looks = {path.name: look_at(path, None, told) for path in paths}
    if all(looked.kind == "txt" for looked in looks.values()):
        found, files = _texts({"members": _labelled(names)}), dict(zip(paths, names, strict=True))
        path = {"path": f"{folder}/texts.zip"}
        return proposed(told.name or "texts", path, found, looks[names[0]], files, _notes(looks), "texts.zip")
    splits = {name: split_of_file(name) for name in names}
    if len(set(splits.values())) < len(paths) or None in splits.values() or "train" not in splits.values():
        by_name = ", ".join(f"{name} ({split or 'none'})" for name, split in splits.items())
        raise ParamsError(
            f"the files' names do not tell one split each: {by_name}; call them train.csv, validation.csv and "
            "test.csv, or put all rows into one file; leave out one without classes (`textmill predict` labels it)"
        )
    kept, found, notes = _by_split(looks, splits, told)
    keys = {"path": {splits[name]: f"{folder}/{name}" for name in kept}}
    found.reasons["path"] = BY_SPLIT
    files = {path: path.name for path in paths if path.name in kept}
    name = told.name or _without_splits(kept[0]) or paths[0].absolute().parent.name
    return proposed(name, keys, found, looks[kept[0]], files, notes)


def of_archive(path: Path, told: Told, folder: str) -> Proposal:
    """The files of an archive: one, or one for each split, or texts of a class each."""
    inside = [name for name in members(path) if not BESIDE.search(name)]
    tables = [name for name in inside if format_of(name)] or inside
    if not tables:
        raise DataError(f"{path}: it holds no file that could be read: {listed(members(path)) or 'none'}")
    _check_not_texts(str(path), tables)
    looks = {name: look_at(path, name, told) for name in tables}
    splits = {name: split_of_file(name) for name in tables}
    keys: dict[str, Any] = {"path": f"{folder}/{path.name}"}
    shown, notes = tables[0], _notes(looks)
    if len(tables) == 1:
        found = roles(looks[shown], told, f"{path}!{shown}")
        if len(inside) > 1 or not format_of(shown):
            keys["members"] = {shown: None}
    elif all(looked.kind == "txt" for looked in looks.values()):
        labels = _labelled(tables)
        found = _texts({"members": {name: _member(splits[name], label) for name, label in labels.items()}})
    elif "train" in splits.values():
        kept, found, notes = _by_split({name: looks[name] for name in tables if splits[name]}, splits, told)
        if aside := [name for name in tables if not splits[name]]:
            notes.append(f"left out, for no split is named: {listed(aside)}")
        keys["members"] = {name: {"split": splits[name], "label": None} for name in kept}
        found.reasons["members"], shown = BY_SPLIT, kept[0]
    else:
        raise ParamsError(
            f"{path}: it holds {listed(tables)}, and the names tell neither splits nor classes; "
            "take out the one that you want, and name it"
        )
    return proposed(told.name or stem(path.name), keys, found, looks[shown], {path: path.name}, notes)


def _check_not_texts(where: str, names: list[str]) -> None:
    """Raise DataError where the files are too many, as they are where each is a text and its folder the class."""
    folders = Counter(PurePosixPath(name).parent for name in names if format_of(name) in ("txt", None))
    classes = {folder.name for folder, count in folders.items() if count > 2 and not split_named(folder.name)} - {""}
    if len(classes) > 1:
        raise DataError(
            f"{where}: each one in {listed(sorted(classes), 4)} seems to be one text; write one table with a row for "
            "each of them (columns text and label), or a file for each class, such as pos.txt, with a text on each line"
        )
    if len(names) > MOST:
        raise DataError(f"{where}: {len(names):,} files, {MOST} at most are read; put all rows into one table")


def _by_split(
    looks: Mapping[str, Looked], splits: Mapping[str, Split | None], told: Told
) -> tuple[list[str], Found, list[str]]:
    """The files that can be used, that of train first, how all are read, and what to say."""
    train = next(name for name in looks if splits[name] == "train")
    found, notes, kept = roles(looks[train], told, train, alone=False), _notes(looks), []
    for name in sorted(looks, key=lambda name: name != train):
        missing = _missing(looks[name], looks[train], found.keys, splits[name])
        if missing == ["label"]:
            notes.append(f"{name} has no column {found.keys['label']!r}: left out; `textmill predict` labels it later")
        elif missing:
            raise DataError(f"{name} is not like {train}: {', '.join(missing)} differ; files of splits are read alike")
        else:
            kept.append(name)
    encodings = [encoding for name in kept for encoding in looks[name].keys.get("encodings", ["utf-8"])]
    if set(encodings) != {"utf-8"}:  # the first that decodes a file is taken, and UTF-8 decodes nothing else
        found.keys["encodings"] = sorted(set(encodings), key=lambda encoding: (encoding != "utf-8", encoding))
        found.reasons.setdefault("encodings", "the files are in different ones")
    return kept, found, notes


def _missing(looked: Looked, like: Looked, keys: dict[str, Any], split: str | None) -> list[str]:
    """The keys that do not fit a file as they fit the one that they were found in."""
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
    """The class that each file's name tells: what sets it apart from the others, without splits and endings."""
    words = {name: [w for w in re.split(r"[\W_]+", stem(name)) if w and w.lower() not in KNOWN] for name in names}
    common = set.intersection(*map(set, words.values()))
    labels = {name: " ".join(word for word in own if word not in common) for name, own in words.items()}
    if not all(labels.values()) or len(set(labels.values())) < 2:
        raise ParamsError(f"the names of {listed(list(words))} do not tell classes; call them pos.txt and neg.txt, say")
    return labels


def _without_splits(name: str) -> str:
    return "-".join(word for word in re.split(r"[\W_]+", stem(name)) if word and word.lower() not in KNOWN)
