"""Write down what the code of each stage means: a comment changes nothing there, so that it runs nothing again."""

from pathlib import Path

from textmill.code.stages import listings
from textmill.files import whole_folder, write_text
from textmill.stage import run


def main(out: Path) -> None:
    """One small file a stage, kind of tokenizer or family of models: a line for each module that it runs."""
    with whole_folder(out) as folder:
        for name, listing in listings(Path()).items():
            write_text(folder / f"{name}.txt", listing)


if __name__ == "__main__":
    run(main)
