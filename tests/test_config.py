import pytest

from textmill.config import Count, Name, Section, load_params, load_section, validate
from textmill.errors import ArtifactError, ParamsError


class Sizes(Section):
    hidden: Count
    dropout: float


@pytest.fixture
def write(tmp_path):
    def to(text: str):
        path = tmp_path / "params.yaml"
        path.write_bytes(text.encode())
        return path

    return to


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lstm: {hiden: 3, dropout: 0.1}", "lstm.hiden: unknown key; did you mean 'hidden'?"),
        ("lstm: {dropout: 0.1}", "lstm.hidden: missing"),
        ("lstm: {hidden: 128x, dropout: 0.1}", "lstm.hidden: expected a valid integer, found '128x'"),
        ("lstm: {hidden: 0, dropout: 0.1}", "lstm.hidden: expected at least 1, found 0"),
        ("lstm: {hidden: true, dropout: 0.1}", "lstm.hidden: expected a valid integer, found True"),
        ("lstm: {hidden: 3, dropout: '0.1'}", "lstm.dropout: expected a valid number, found '0.1'"),
        ("lstm: null", "lstm: expected"),
        ("gru: {}", "lstm: missing"),
        ("lsmt: {}", "lstm: missing; found lsmt"),
    ],
)
def test_error_names_the_key_and_what_was_found(write, text, message):
    path = write(text)
    with pytest.raises(ParamsError) as error:
        load_section(path, "lstm", Sizes)
    assert str(error.value).startswith(f"{path}: {message}")


def test_numbers_are_read_as_dvc_reads_them(write):
    assert load_section(write("a: {hidden: 3, dropout: 1e-3}"), "a", Sizes) == Sizes(hidden=3, dropout=1e-3)
    assert load_params(write("word: no")) == {"word": "no"}  # YAML 1.2: not a bool


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: 1\na: 2", "line 2"), ("a: [1", "line"), ("\ta: 1", "line 1"), ("", "expected sections"), ("- 1", "expected")],
)
def test_broken_yaml_names_the_line(write, text, message):
    with pytest.raises(ParamsError, match=message):
        load_params(write(text))


def test_missing_and_undecodable_files(write, tmp_path):
    with pytest.raises(ArtifactError, match="copy one from presets/"):
        load_params(tmp_path / "none.yaml")
    path = write("")
    path.write_bytes(b"a: \xff")
    with pytest.raises(ParamsError, match="not UTF-8"):
        load_params(path)


@pytest.mark.parametrize("name", ["../up", "", "a b", "a/b", ".hidden", "-rf"])
def test_names_cannot_leave_their_folder(name):
    with pytest.raises(ParamsError):
        validate(name, Name, "models")
