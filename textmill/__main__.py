"""`python -m textmill` is `textmill`."""

from textmill.cli import app

app(prog_name="textmill")
