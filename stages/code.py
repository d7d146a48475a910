"""Write down what the code of each stage means: a comment changes nothing there, so that it runs nothing again."""

from pathlib import Path

from textmill.code.stages import listings
from textmill.config import PARAMS, load_section
from textmill.files import whole_folder, write_text
from textmill.outputs import check_inputs
from textmill.stage import run


def main(pipeline: Path, out: Path, params: Path = PARAMS) -> None:
    """One small file a stage, kind of tokenizer or family of models: a line for each module that it runs.

    The first of all stages: none must run, and lose its old outputs, where a file of the user's lies among these.
    """
    read = {"dataset": load_section(params, "dataset", dict), "tokenizers": load_section(params, "tokenizers", dict)}
    check_inputs(read, str(params), pipeline)
    with whole_folder(out) as folder:
        for name, listing in listings(Path()).items():
            write_text(folder / f"{name}.txt", listing)


if __name__ == "__main__":
    run(main)
