"""How the types of this package are read and written."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from textmill.config import Section, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json


class Record(BaseModel):
    """The content of a json file. A key with a default is written only if it was set."""

    FILE: ClassVar[str]
    STAGE: ClassVar[str] = ""  # that writes it

    @classmethod
    def read(cls, path: Path) -> Self:
        """Returns a file's content. Raises ArtifactError, naming file and stage, if it is missing or does not match."""
        need(path, cls.STAGE)
        try:
            return validate(read_json(path), cls, f"{path}: {cls.__name__.lower()}")
        except ParamsError as error:
            raise ArtifactError(f"{error}; run `dvc repro -f {maker(path, cls.STAGE)}` to make it") from error

    def write(self, path: Path) -> None:
        """Writes the keys in the order of the type's fields."""
        write_json(path, self.model_dump(by_alias=True, exclude_unset=True))


class Open(Section):
    """Some known keys, and further numbers by name: the scores of all metrics."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float | None]

    @property
    def scores(self) -> dict[str, float | None]:
        """The numbers by name."""
        return self.model_extra or {}


def need(path: Path, stage: str) -> None:
    """Raises ArtifactError naming the stage that did not run, unless the file exists."""
    if not path.is_file():
        raise ArtifactError(f"{path}: missing; run `dvc repro {maker(path, stage)}` to make it")


def maker(path: Path, stage: str) -> str:
    """Returns the stage's name in DVC: train@lstm for .../lstm/fit.json, encode@word for encode-word.json."""
    item = path.parent.name if stage in ("train", "evaluate", "curve") else path.stem.partition("-")[2]
    return f"{stage}@{item}" if item else stage
