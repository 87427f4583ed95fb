"""The page of `cohort`, opened in a browser: what strangers wrote on it stays text, and it can be read everywhere."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cohorts import STUDENTS, Page, check, evil_page, faulty, healthy, put

pytestmark = pytest.mark.cluster

ROOKERY = Path(sys.executable).with_name("rookery")
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DARK = "--blink-settings=preferredColorScheme=0"
OWNED = "<script>document.title = 'owned'</script>"
ATTACKS = (
    OWNED,
    "</title></style></code></pre>" + OWNED,
    "<img src=x onerror=\"document.title='owned'\">",
    '" onmouseover="document.title=\'owned\'" autofocus onfocus="document.title=\'owned\'" x="',
    "<svg onload=\"document.title='owned'\"><style>*{display:none}</style></svg>",
    '<meta http-equiv="refresh" content="0;url=data:text/html,<title>owned</title>">',
    "<base href='https://example.org/'><iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe>",
    "<a href=\"javascript:document.title='owned'\" id=x>x</a>",
    "&lt;script&gt;document.title='owned'&lt;/script&gt; {{ 7*7 }} =cmd|' /C calc'!A0 \x1b[31m",
)


class Browser:
    """Headless Chromium, each time with a profile of its own that is empty."""

    def __init__(self, folder: Path) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        assert program, "a Chromium is needed to open the page in; ./test brings it"
        self.program, self.folder, self.count = program, folder, 0

    def run(self, page: Path, *flags: str, width: int = 1200) -> str:
        self.count += 1
        profile = self.folder / f"profile-{self.count}"
        completed = subprocess.run(
            [self.program, *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900", *flags, page.as_uri()],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def dom(self, page: Path, *flags: str, width: int = 1200) -> str:
        """The page as the browser has it, after its scripts, had it any, have run."""
        dom = self.run(page, "--dump-dom", *flags, width=width)
        assert "</html>" in dom
        return dom

    def corner(self, page: Path, *flags: str) -> tuple[int, ...]:
        """The colour of the first pixel of a picture of the page."""
        picture = self.folder / "picture.png"
        self.run(page, f"--screenshot={picture}", *flags)
        data, compressed, position = picture.read_bytes(), b"", 8
        while position < len(data):
            (length,) = struct.unpack(">I", data[position : position + 4])
            if data[position + 4 : position + 8] == b"IDAT":
                compressed += data[position + 8 : position + 8 + length]
            position += 12 + length
        picture.unlink()
        return tuple(
            zlib.decompress(compressed)[1:4]
        )  # the first byte is the line's filter, which its first pixel passes


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as the command makes it, of reports that all attack it."""
    top, now = tmp_path_factory.mktemp("cohort"), datetime.now(UTC)
    (top / "students.yml").write_text(STUDENTS)
    checks = [check("fault", attack, attack, attack) for attack in ATTACKS]
    put(top / "reports", "ada-lovelace.txt", faulty("hec", *checks, rookery=OWNED, now=now))
    put(top / "reports", "grace-o-hopper.json", healthy("hec", now=now))
    put(top / "reports", f"{ATTACKS[2].replace('/', '')}.json", healthy("hec", now=now))
    put(top / "reports", "<script>document.title = 'owned'<.txt", "half a report")
    completed = subprocess.run(
        [ROOKERY, "cohort", "students.yml", "--reports", "reports", "--html", "page.html", "--json"],
        env={"PATH": os.environ["PATH"], "HOME": str(top / "home"), "LANG": "C.UTF-8"},
        cwd=top,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.returncode == 1, completed.stderr  # a report could not be read
    assert json.loads(completed.stdout)["counts"] == {"ready": 1, "faults": 1, "unknown": 0, "old": 0, "none": 1}
    return top / "page.html"


def title(dom: str) -> str:
    (text,) = re.findall(r"<title>(.*?)</title>", dom, re.DOTALL)
    return str(text)


def variant(page: Path, name: str, *, policy: bool = True, more: str = "") -> Path:
    """The page with something put into it, and without its policy."""
    text = page.read_text()
    changed = text if policy else re.sub(r"<meta http-equiv=\"Content-Security-Policy\".*?>", "", text)
    assert policy == (changed == text)
    made = page.with_name(name)
    made.write_text(changed.replace("</body>", f"{more}</body>"))
    return made


def test_no_script_runs_and_everybody_is_there(browser: Browser, page: Path) -> None:
    dom = browser.dom(page)
    assert title(dom) == "students: readiness"
    body = dom.partition("<body>")[2]
    assert not Page(dom).foreign()
    assert not re.findall(r"<(meta|style)\b", body)
    assert re.findall(r'<th role="rowheader" scope="row">(.*?)</th>', body) == ["Ada Lovelace", "Grace O'Hopper"]
    assert len(re.findall(r"<tr\b", body)) == 3
    assert len(re.findall(r"<details>", body)) == 2
    assert body.count("&lt;script&gt;document.title = 'owned'") >= 4
    assert "\x1b" not in dom


def test_a_page_hostile_in_every_place(browser: Browser, page: Path) -> None:
    made = page.with_name("evil.html")
    made.write_text(evil_page())
    dom = browser.dom(made)
    assert title(dom).endswith(": readiness")
    assert not Page(dom).foreign()


def test_the_policy_holds_where_escaping_would_have_failed(browser: Browser, page: Path) -> None:
    attack = "".join(ATTACKS)
    assert title(browser.dom(variant(page, "policy.html", more=attack))) == "students: readiness"
    # and without it that very page is owned: the test would see it
    assert title(browser.dom(variant(page, "no-policy.html", policy=False, more=OWNED))) == "owned"


def test_light_and_dark(browser: Browser, page: Path) -> None:
    assert browser.corner(page) == (0xFB, 0xFA, 0xF8)
    assert browser.corner(page, DARK) == (0x14, 0x18, 0x1C)


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out_on_a_phone_or_a_desk(browser: Browser, page: Path, width: int) -> None:
    ask = "<script>document.title = document.documentElement.scrollWidth + ' of ' + window.innerWidth</script>"
    opened = "<script>document.querySelectorAll('details').forEach(one => one.open = true)</script>"
    made = variant(page, f"width-{width}.html", policy=False, more=opened + ask)
    needed, there = map(int, title(browser.dom(made, width=width)).split(" of "))
    assert needed <= there <= max(width, 500)  # some Chromiums have no narrower windows
