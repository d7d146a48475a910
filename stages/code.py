"""Write digests of what each stage's code does: a comment does not change them, so it runs nothing again."""

from pathlib import Path

from textmill.code.stages import listings
from textmill.config import PARAMS, load_section
from textmill.files import whole_folder, write_text
from textmill.outputs import check_user_files


def main(pipeline: Path, out: Path, params: Path = PARAMS) -> None:
    """Writes a small file for each stage, kind of tokenizer or family: a line for each module that it runs.

    This stage comes first and checks for the user's files among the outputs, which DVC deletes before a stage runs.
    """
    read = {"dataset": load_section(params, "dataset", dict), "tokenizers": load_section(params, "tokenizers", dict)}
    check_user_files(read, str(params), pipeline)
    with whole_folder(out) as folder:
        for name, listing in listings(Path()).items():
            write_text(folder / f"{name}.txt", listing)
