"""How every type of this room is read and written."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from textmill.config import Section, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json


class Record(BaseModel):
    """What a json file holds. A key with a default is written only where it was set."""

    FILE: ClassVar[str]
    STAGE: ClassVar[str] = ""  # that writes it

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises ArtifactError, naming the file and its stage, if it is missing or has other keys or types."""
        need(path, cls.STAGE)
        try:
            return validate(read_json(path), cls, f"{path}: {cls.__name__.lower()}")
        except ParamsError as error:
            raise ArtifactError(f"{error}; run `dvc repro -f {maker(path, cls.STAGE)}`, which makes it") from error

    def write(self, path: Path) -> None:
        """The keys in the order of the type's fields."""
        write_json(path, self.model_dump(by_alias=True, exclude_unset=True))


class Open(Section):
    """Some known keys, and numbers by name beside them: the scores that the metrics of the day give."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float | None]

    @property
    def scores(self) -> dict[str, float | None]:
        """The numbers by their names."""
        return self.model_extra or {}


def need(path: Path, stage: str) -> None:
    """Raises ArtifactError naming the stage that did not run unless the file is there."""
    if not path.is_file():
        raise ArtifactError(f"{path}: missing; run `dvc repro {maker(path, stage)}`, which makes it")


def maker(path: Path, stage: str) -> str:
    """The stage as DVC calls it: train@lstm for .../lstm/fit.json, encode@word for encode-word.json."""
    item = path.parent.name if stage in ("train", "evaluate", "curve") else path.stem.partition("-")[2]
    return f"{stage}@{item}" if item else stage
