"""The site that `make docs` builds: strict, and read from disk without asking anything of the network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from chromium import PROGRAM, opened
from conftest import ROOT

pytestmark = pytest.mark.slow


def built(folder: Path) -> subprocess.CompletedProcess:
    """What `make docs` does with a copy of the docs in a folder."""
    if not (folder / "docs").exists():
        shutil.copytree(ROOT / "docs", folder / "docs")
        shutil.copy(ROOT / "zensical.toml", folder)
        (folder / "textmill").symlink_to(ROOT / "textmill")
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = built(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.mark.parametrize("link", ["nowhere.md", "how-to/labels.md#nowhere"])
def test_a_link_that_leads_nowhere_fails(tmp_path, link):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    (tmp_path / "textmill").symlink_to(ROOT / "textmill")
    with open(tmp_path / "docs/index.md", "a") as page:
        page.write(f"\n[a link]({link})\n")
    assert built(tmp_path).returncode != 0


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium")
@pytest.mark.parametrize(
    "page", [f"{name}.html" for name in ("index", "reference/params", "reference/api", "explanation/speed")]
)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_page_opens_from_disk_and_asks_for_nothing_else(site, page, width, dark):
    with opened(site / page, width, dark=dark) as browser:
        assert browser.run("document.querySelector('h1').innerText")
        assert browser.run("document.documentElement.scrollWidth") <= width
        quiet(browser)


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium")
def test_the_search_works_from_disk(site):
    with opened(site / "how-to/labels.html") as browser:
        browser.run("document.querySelector('.md-search__button').click()")
        browser.run("new Promise((done) => setTimeout(done, 300))")
        browser.ask("Input.insertText", text="temperature")
        shown = "Array.from(document.querySelectorAll('body *'), (one) => one.shadowRoot?.textContent ?? '').join('')"
        for _ in range(50):
            if "temperature for" in browser.run(shown):
                break
            browser.run("new Promise((done) => setTimeout(done, 100))")
        assert "temperature for" in browser.run(shown)
        quiet(browser)


def quiet(browser) -> None:
    """Nothing was asked for beyond files, and nothing failed."""
    asked = [one["params"]["request"]["url"] for one in browser.events if one["method"] == "Network.requestWillBeSent"]
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked
    bad = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    assert not [one for one in browser.events if one["method"] in bad]
