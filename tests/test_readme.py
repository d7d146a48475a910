"""The README is two screens, and pictures of the docs are small."""

from conftest import ROOT


def test_the_readme_has_at_most_700_words():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 700


def test_pictures_are_smaller_than_150_kilobytes():
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs/images").iterdir()}
    assert sizes
    assert {name: size for name, size in sizes.items() if size >= 150_000} == {}
