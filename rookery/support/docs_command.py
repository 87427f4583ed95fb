"""The command `docs`: open a page of the documentation in the browser, or show it in the terminal.

A topic is the name of a page (`submit-jobs`), a word of it (`submit`), a command, or a code of `lint`.
"""

import difflib
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rookery.core import console, invocation, paths
from rookery.core.errors import RookeryError
from rookery.support.options import DocsOptions

DISTRIBUTION: Final = "rookery-hpc"
SECTIONS: Final = {
    "tutorial": "Tutorials",
    "how-to": "How-to guides",
    "reference": "Reference",
    "clusters": "Clusters",
    "explanation": "Explanation",
}
"""The folders of pages, in the order in which they are listed."""

WIDTH: Final = 88
"""Most columns of a page on a terminal."""

PIPED_WIDTH: Final = 80
"""Most columns of text; longer lines are hard to read."""

_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)")
_PICTURE: Final = re.compile(r"^!\[.*\]\(.*\)\n\n?", re.MULTILINE)
_COMMENT: Final = re.compile(r"^<!-- .* -->\n\n?", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A page of the documentation.

    Attributes:
        file: Its Markdown.
        section: The folder that it is in.
        anchor: The heading that was asked for; empty for the whole page.
    """

    file: Path
    section: str
    anchor: str = ""

    @property
    def topic(self) -> str:
        """Its name, without section and ending."""
        return self.file.stem

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")

    @property
    def path(self) -> str:
        """Its path on the site."""
        return f"{self.section}/{self.topic}/" + (f"#{self.anchor}" if self.anchor else "")


def run(options: DocsOptions) -> int:
    """List the pages, or open or show one.

    Raises:
        RookeryError: No page has that name, or several have.
    """
    page = find(options.topic) if options.topic else None
    site = "" if options.text or not has_display() else address()
    if site:
        target = f"{site.rstrip('/')}/{page.path if page else ''}"
        if webbrowser.open(target):
            console.say(f"Opened {target}")
            return 0
    paged(rendered(terminal_text(page)) if page else contents())
    return 0


def pages() -> list[Page]:
    """Return every page, in the order of the sections.

    Raises:
        RookeryError: The pages are missing in this copy of rookery.
    """
    found = [
        Page(file, section) for section in SECTIONS for file in sorted((paths.root() / "docs" / section).glob("*.md"))
    ]
    if not found:
        raise RookeryError(
            f"{paths.root() / 'docs'} has no pages: this copy of rookery is incomplete.", hint="install rookery again"
        )
    return found


def find(topic: str) -> Page:
    """Return the page on a topic.

    Args:
        topic: The name of a page, with or without its section; a word of it; a command; or a code of `lint`.

    Raises:
        RookeryError: There is none, or there are several.
    """
    known = pages()
    name = topic.strip("/").removesuffix(".md").lower()
    exact = [page for page in known if name in {page.topic, f"{page.section}/{page.topic}"}]
    if not exact and re.fullmatch(r"rk\d{3}", name):
        exact = _headings(known, "lint-rules", name)
    # a how-to guide is named after what it does: submit-jobs, fetch-results
    guides = [page for page in known if page.section == "how-to" and name in page.topic.split("-")]
    exact = exact or (guides if len(guides) == 1 else _headings(known, "commands", name) or guides)
    exact = exact or [page for page in known if name in page.topic.split("-")]
    if exact and (len(exact) == 1 or len({page.section for page in exact}) > 1):
        return exact[0]
    if exact:
        several = ", ".join(page.topic for page in exact)
        raise RookeryError(f"Several pages match {topic!r}: {several}.", hint=f"invoke docs {exact[0].topic}")
    names = [*(page.topic for page in known), *command_names()]
    close = difflib.get_close_matches(name, names, 1) or [
        one for one in names if any(difflib.get_close_matches(name, one.split("-"), 1))
    ]
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    hint = f"invoke docs {close[0]}" if close else "invoke docs   # lists all pages"
    raise RookeryError(f"Unknown page {topic!r}{meant}.", hint=hint)


def command_names() -> list[str]:
    """Return the commands that have a heading in the reference."""
    page = next(page for page in pages() if page.topic == "commands")
    return re.findall(r"^## (\S+)$", page.file.read_text(encoding="utf-8"), re.MULTILINE)


def rule_codes() -> list[str]:
    """Return the codes of `lint` that have a heading in the reference."""
    page = next(page for page in pages() if page.topic == "lint-rules")
    return re.findall(r"^##+ (RK\d{3})$", page.file.read_text(encoding="utf-8"), re.MULTILINE)


def _headings(known: list[Page], topic: str, name: str) -> list[Page]:
    """Return a page of the reference, at the heading of this name; nothing where it has none."""
    page = next(page for page in known if page.topic == topic)
    headings = re.findall(r"^##+ (\S+)$", page.file.read_text(encoding="utf-8"), re.MULTILINE)
    return [Page(page.file, page.section, anchor_of(heading)) for heading in headings if heading.lower() == name]


def anchor_of(heading: str) -> str:
    """Return the anchor that the site gives a heading."""
    return re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-")


def has_display() -> bool:
    """Return whether a browser can be opened for the user who reads the output."""
    if not sys.stdout.isatty():
        return False
    if os.environ.get("BROWSER"):
        return True
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def address() -> str:
    """Return the address of the site, as the installed package names it; empty where it names none."""
    try:
        named = importlib.metadata.metadata(DISTRIBUTION).get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    addresses = dict(line.split(", ", 1) for line in named if ", " in line)
    return next((url for label, url in addresses.items() if label.lower() == "documentation"), "")


def contents() -> str:
    """Return the list of all pages, as lines of text."""
    known = pages()
    wide = max(len(page.topic) for page in known)
    text, section = "", ""
    for page in known:
        if page.section != section:
            section = page.section
            text += f"{SECTIONS[section]}\n"
        text += f"  {page.topic:{wide}}  {page.title}\n"
    return (
        text + f"\n`{invocation.invocation()} docs TOPIC` opens a page. TOPIC may also be a command or a lint code.\n"
    )


def terminal_text(page: Page) -> str:
    """Return a page, or the part below its heading, as Markdown for a terminal.

    Pictures are left out, and links to other pages become their topics, named at the end.
    """
    text = page.file.read_text(encoding="utf-8")
    if page.anchor:
        text = _part(text, page.anchor)
    topics: dict[str, None] = {}

    def named(found: re.Match[str]) -> str:
        if found[2].endswith(".md"):
            topics[Path(found[2]).stem] = None
        return found[1]

    text = _LINK.sub(named, _COMMENT.sub("", _PICTURE.sub("", text)))
    topics.pop(page.topic, None)
    if topics:
        text += f"\nSee also: {', '.join(f'`rookery docs {topic}`' for topic in topics)}\n"
    return text


def _part(text: str, anchor: str) -> str:
    """Return what is below one heading, up to the next one that is not below it."""
    pieces = re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE)
    at = next(i for i, piece in enumerate(pieces) if anchor_of(piece.partition("\n")[0].lstrip("#")) == anchor)
    level = pieces[at].index(" ")
    end = next((i for i in range(at + 1, len(pieces)) if pieces[i].index(" ") <= level), len(pieces))
    return "".join(pieces[at:end])


def rendered(markdown: str) -> str:
    """Return Markdown as a terminal shows it; without colours where the output is no terminal."""
    from rich.markdown import Markdown

    writer = console.writer(sys.stdout)
    writer.soft_wrap = False
    writer.width = min(writer.width, WIDTH) if sys.stdout.isatty() else PIPED_WIDTH
    with writer.capture() as capture:
        writer.print(Markdown(markdown, code_theme="ansi_dark", hyperlinks=False))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def paged(text: str) -> None:
    """Print a text, on a terminal through a pager."""
    pager = shlex.split(os.environ.get("PAGER") or "less")
    if sys.stdout.isatty() and pager and shutil.which(pager[0]):
        # as git does: it quits where the text fits one screen, keeps colours, and leaves the text on the screen
        subprocess.run(pager, input=text, text=True, check=False, env={"LESS": "FRX", **os.environ})
    else:
        print(text, end="")
