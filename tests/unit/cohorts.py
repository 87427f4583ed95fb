"""Students and their reports, as doctor writes them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from rookery.clusters.config import profile
from rookery.support.cohort import html, readiness, reports
from rookery.support.cohort.readiness import Picture
from rookery.support.cohort.reports import MARKER
from rookery.support.cohort.student import Student
from rookery.support.received_files import Unread

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

STUDENTS = """\
- {name: Ada Lovelace, email: ada@example.ac.uk, clusters: [penguins, hec], project: engines, language: python}
- {name: Grace O'Hopper, email: grace@example.ac.uk, clusters: hec, project: compilers, language: R, user: hopper}
"""


def check(state: str, title: str = "the host key", found: str = "", fix: str = "") -> dict[str, str]:
    return {"name": "host-key", "title": title, "state": state, "found": found, "fix": fix}


def document(clusters: dict[str, Any], *, days: float = 0, now: datetime = NOW, **more: Any) -> dict[str, Any]:
    """What doctor says, so many days ago."""
    when = (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"version": 1, "rookery": "0.1.0", "when": when, "exit": 0, "laptop": [], "clusters": clusters, **more}


def healthy(*names: str, **more: Any) -> dict[str, Any]:
    return document({name: {"state": "healthy", "checks": [check("ok")]} for name in names}, **more)


def faulty(name: str, *checks: dict[str, str], **more: Any) -> dict[str, Any]:
    return document({name: {"state": "faults", "checks": list(checks)}}, **more)


def text(data: dict[str, Any]) -> str:
    """A report as `doctor --report` writes it."""
    return f"rookery 0.1.0\n\nyour computer\n  ok  tools\n\n{MARKER}\n{json.dumps(data)}\n"


def put(folder: Path, name: str, data: dict[str, Any] | str) -> Path:
    """A report in a folder: text or JSON, by its name."""
    folder.mkdir(exist_ok=True)
    if isinstance(data, dict):
        data = text(data) if name.endswith(".txt") else json.dumps(data)
    file = folder / name
    file.write_text(data)
    return file


EVIL = (
    "</title></style><script>document.title='owned'</script><img src=x onerror=alert(1)>\"' {{ 7*7 }} --> &lt; \x1b[31m"
)


def evil_page() -> str:
    """A page in which every text that can come from elsewhere is hostile."""
    student = Student(EVIL, f'x"onmouseover="{EVIL}', ("hec", "penguins"), EVIL, EVIL, EVIL, EVIL, slug="evil")
    data: dict[str, Any] = faulty("hec", check("fault", EVIL, EVIL, EVIL), check("warning", EVIL, EVIL, EVIL))
    report = reports.parsed("evil.json", json.dumps(data))
    stray = replace(report, file=EVIL, stem=EVIL)
    picture = Picture(readiness.rows([student], [report], NOW), [Unread(EVIL, EVIL)], [stray])
    return html.page(EVIL, picture, {name: profile.load(name) for name in student.clusters}, NOW)


class Page(HTMLParser):
    """What a page holds: its elements, in order, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def foreign(self) -> list[str]:
        """What a page of ours has not: scripts, pictures, anything from elsewhere, anything that acts."""
        ours = {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "main",
            "section",
            "footer",
            "h1",
            "h2",
            "h3",
        }
        ours |= {"p", "b", "br", "ul", "li", "a", "span", "time", "code", "pre", "details", "summary", "div"}
        ours |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        foreign = [tag for tag, _ in self.elements if tag not in ours]
        for tag, attributes in self.elements:
            acting = [
                name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc", "action"}
            ]
            foreign += [f"{tag} {name}" for name in acting]
            foreign += (
                [f"{tag} {attributes['href']}"]
                if not (attributes.get("href") or "mailto:").startswith("mailto:")
                else []
            )
            foreign += ["refresh"] if (attributes.get("http-equiv") or "").lower() == "refresh" else []
        return foreign
