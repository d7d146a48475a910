"""The page in a browser: it requests nothing, nothing fails, and its figures match the files."""

import json

import polars as pl
import pytest
from chromium import PROGRAM, opened
from test_stage_compare import NAMES, folder, run

from textmill.report.numbers import percent

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium")
assert folder  # a fixture

# The lowest contrast of any text with its background, and that text. Browsers write mixed colours in their own
# notation; a canvas turns all of them into numbers.
CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
      known.set(colour, Array.from(canvas.getImageData(0, 0, 1, 1).data));
    }
    return known.get(colour);
  };
  const linear = (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const below = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  let least = [99, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    const style = getComputedStyle(node), colour = node.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(rgba(colour)), light(below(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < least[0]) least = [(a + .05) / (b + .05), text];
  }
  return least;
})()"""
ROWS = "Array.from(document.querySelectorAll({}), (row) => Array.from(row.cells, (cell) => cell.innerText.trim()))"


def rows(browser, selector: str) -> list[list[str]]:
    return browser.run(ROWS.format(json.dumps(f"{selector} tbody tr")))


def shown(browser) -> list[str]:
    """Returns the ids of the visible documents, from the top."""
    return browser.run(
        "Array.from(document.querySelectorAll('#documents tbody tr')).filter((row) => row.checkVisibility())"
        ".map((row) => row.id.slice(2))"
    )


@pytest.fixture
def page(folder):
    result, _ = run(folder)
    tables = {name: pl.read_parquet(folder / "metrics" / name / "predictions.parquet") for name in NAMES}
    right = {name: table["label"] == table["prediction"] for name, table in tables.items()}
    return folder / "report" / "index.html", result, right, tables["linear"]["id"]


def test_figures_match_the_files_and_nothing_is_requested(page):
    file, result, right, ids = page
    with opened(file) as browser:
        told = {cells[0]: cells for cells in rows(browser, "#comparison")}
        for model in result["models"]:
            assert told[model["name"]][2] == percent(model["score"])
        matrix = {cells[0]: cells[1:] for cells in rows(browser, "#alone")}
        alone = {a: {b: ids.filter(right[a] & ~right[b]).to_list() for b in NAMES if b != a} for a in NAMES}
        assert matrix == {a: [str(len(alone[a][b])) if a != b else "" for b in NAMES] for a in NAMES}

        wrong = ids.filter(~(right["linear"] & right["gru"] & right["lstm"])).to_list()
        assert sorted(shown(browser)) == wrong
        place = f"[data-right='{NAMES.index('lstm')}'][data-wrong='{NAMES.index('linear')}'] button"
        browser.run(f'document.querySelector("#alone {place}").click()')
        assert sorted(shown(browser)) == alone["lstm"]["linear"]
        typed = "form.elements.text.value = {!r}; form.dispatchEvent(new Event('input', {{bubbles: true}}))"
        browser.run("var form = document.getElementById('filter'); " + typed.format(alone["lstm"]["linear"][0]))
        assert shown(browser) == alone["lstm"]["linear"][:1]
        assert browser.run("form.querySelector('output').textContent") == f"1 of {len(wrong)} documents"
        browser.run(f"location.hash = '#d-{alone['linear']['lstm'][0]}'")  # a link shows a hidden row
        browser.run("new Promise((done) => setTimeout(done, 50))")
        assert sorted(shown(browser)) == wrong

        asked = [
            one["params"]["request"]["url"] for one in browser.events if one["method"] == "Network.requestWillBeSent"
        ]
        assert asked == [file.as_uri()]
        bad = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        assert not [one for one in browser.events if one["method"] in bad]


@pytest.mark.parametrize(
    ("width", "dark", "media"), [(1280, False, ""), (1280, True, ""), (390, False, ""), (720, False, "print")]
)
def test_text_has_contrast_and_the_page_never_scrolls_sideways(page, width, dark, media):
    with opened(page[0], width, dark=dark, media=media) as browser:
        browser.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        contrast, text = browser.run(CONTRAST)
        assert contrast >= 4.5, text
        assert browser.run("document.documentElement.scrollWidth") <= width
        wide = "Array.from(document.querySelectorAll('.scroll')).filter((one) => one.scrollWidth > one.clientWidth + 1)"
        browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        said = browser.run(wide + ".map((one) => getComputedStyle(one, '::before').content)")
        assert all("scrolls sideways" in one for one in said)
        assert said or width > 390 or media
