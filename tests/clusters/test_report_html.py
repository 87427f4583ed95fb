"""The page of `report`, opened in a browser: light and dark, on a wide screen and on a phone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
from browsers import Page, browser

from rookery.support.usage_report import page as pages
from rookery.support.usage_report.person import PersonalReport
from rookery.support.usage_report.usage import ProjectUsage

pytestmark = pytest.mark.cluster

USED = ProjectUsage(
    cluster="penguins",
    project="terns-reproduce-41",
    runs=12,
    counts={"COMPLETED": 90, "TIMEOUT": 10},
    core_hours=1000,
    lost_core_hours=200,
    busy_core_hours=500,
    kilowatt_hours=20,
    kilograms=4,
)
OTHER = ProjectUsage(cluster="hec", project="auks<b>", runs=1, counts={"COMPLETED": 1}, core_hours=500)
REPORT = PersonalReport("Ada", datetime(2026, 11, 30, tzinfo=UTC), 90, (USED, OTHER), {"hec": "12 W a core"}, ())
COLOURS = """(() => {
  const parse = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number)
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const paper = light(parse(getComputedStyle(document.body).backgroundColor))
  const inks = [...document.querySelectorAll('h1, td, .soft, li, a')].map(e => getComputedStyle(e).color)
  return [paper, ...inks.map(color => light(parse(color)))]
})()"""
NAMES = "[...document.querySelectorAll('tbody th')].map(e => [e.innerText, e.getBoundingClientRect().height])"
BARS = "[...document.querySelectorAll('.bar rect')].map(e => e.getBoundingClientRect().width)"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("report")
    (folder / "own.html").write_text(pages.own(REPORT))
    with browser(folder / "browser") as page:
        page.open((folder / "own.html").as_uri())
        page.until("!!document.querySelector('footer')")
        yield page


@pytest.mark.parametrize(("width", "scheme"), [*product((1200, 400), ("light", "dark"))])
def test_a_report_can_be_read_everywhere(shown: Page, width: int, scheme: str) -> None:
    shown.view(width, scheme)
    paper, *inks = shown.value(COLOURS)
    assert (paper < 0.1) == (scheme == "dark")
    assert all((max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) >= 4.5 for ink in inks)  # WCAG 2.1, 1.4.3
    assert shown.value("document.documentElement.scrollWidth") <= width
    heights = dict(shown.value(NAMES))
    assert "auks<b>" in heights
    assert max(heights.values()) < 150  # no name is broken letter by letter
    busy, idle, lost, other = shown.value(BARS)
    assert busy == pytest.approx(5 / 3 * idle, rel=0.02)
    assert other == pytest.approx(2.5 * lost, rel=0.02)
