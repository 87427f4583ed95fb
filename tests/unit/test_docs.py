"""The documentation: each page says for whom it is, links lead somewhere, and what is made from the code is in step."""

import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from rookery.core import state_files
from rookery.jobs.lint.rules import table as rules
from rookery.support import docs_command

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.name != "plan.md")
LINKED = sorted(
    {
        *DOCS.rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
        *(ROOT / ".github").rglob("*.yml"),
        *(ROOT / "roles").glob("*/README.md"),
    }
)
"""Files that link to others of the repository."""
IN_REPOSITORY = re.compile(
    r"https://(?:github\.com/rookery-hpc/rookery/(?:blob|tree)|raw[^/]*/rookery-hpc/rookery)/main/([^)\s>]+)"
)
SITE = re.compile(r"https://rookery-hpc\.github\.io/rookery(/[^)\s>]*)")
NAMED = re.compile(
    r"(?<![\w./-])(?:docs|bin|tests|roles|rookery|playbooks|templates|inventory)/[\w./-]*\w\.(?:md|py|yml|json|j2)\b"
)
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\((?!https?:)([^)\s]+)\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def script(file: str) -> ModuleType:
    """A script of bin/, as a module."""
    spec = importlib.util.spec_from_file_location(Path(file).stem, ROOT / "bin" / file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {docs_command.anchor_of(heading) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_says_for_whom_it_is(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert lines[1] == ""
    assert re.match(r"For [a-z]", lines[2]), lines[2]


@pytest.mark.parametrize("page", LINKED, ids=name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", LINKED, ids=name)
def test_addresses_in_the_repository_and_of_the_site_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for address in IN_REPOSITORY.findall(text):
        path, _, anchor = address.partition("#")
        assert (ROOT / path).exists(), address
        assert not anchor or anchor in anchors(ROOT / path), address
    for address in SITE.findall(text):
        assert (DOCS / f"{address.partition('#')[0].strip('/') or 'index'}.md").is_file(), address


@pytest.mark.parametrize("file", [*LINKED, ROOT / "mkdocs.yml", ROOT / "test"], ids=name)
def test_files_that_a_text_names_are_there(file: Path) -> None:
    for path in NAMED.findall(file.read_text(encoding="utf-8")):
        assert (ROOT / path).is_file() or "NAME" in path, path


def test_texts_that_link_are_found() -> None:
    files = {name(file) for file in LINKED}
    assert {
        "SECURITY.md",
        "CONTRIBUTING.md",
        ".github/ISSUE_TEMPLATE/cluster.yml",
        ".github/workflows/site.yml",
    } <= files


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_sentence_does_not_end_in_a_picture(page: Path) -> None:
    """`rookery docs` shows a page in the terminal without its pictures."""
    assert not re.search(r":\n+!\[", page.read_text(encoding="utf-8"))


def test_the_tutorial_has_the_script_of_its_picture() -> None:
    assert f"```bash\n{script('make_pictures.py').FILES['age.sh']}```" in (DOCS / "tutorial/sandbox.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_link_to_nothing_outside_of_the_site(page: Path) -> None:
    """The wheel and the site have no other files."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link.partition("#")[0]).resolve().is_relative_to(DOCS), link


def test_each_page_is_in_the_sites_navigation() -> None:
    def files(item: object) -> list[str]:
        if isinstance(item, str):
            return [item]
        inner = item.values() if isinstance(item, dict) else item
        return [file for one in inner for file in files(one)]  # type: ignore[attr-defined]

    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(files(nav)) == sorted(str(page.relative_to(DOCS)) for page in PAGES)


def test_what_is_made_from_the_code_is_in_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ROOKERY_SNAPSHOTS=write writes it anew, as `uv run bin/make_reference.py` does."""
    check = [] if os.environ.get("ROOKERY_SNAPSHOTS") == "write" else ["--check"]
    monkeypatch.setattr(sys, "argv", ["make_reference.py", *check])
    assert script("make_reference.py").main() == 0, capsys.readouterr().out


def test_a_page_that_is_out_of_step_is_noticed() -> None:
    reference = script("make_reference.py")
    page = (DOCS / "reference/rookery-yml.md").read_text(encoding="utf-8")
    assert reference.made(page) == page
    assert reference.made(page.replace("| `chunk` |", "| `chunks` |")) == page
    page = (DOCS / "reference/formats.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {meaning} |\n" in page for name, meaning in state_files.FOLDERS.items())


def test_the_table_of_rules_has_those_that_lint_has() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in (ROOT / "rookery/jobs/lint").rglob("*.py")
        if file.parent.name != "rules"
    )
    codes = [rule.code for rule in rules.RULES]
    assert codes == sorted(set(codes))
    assert set(codes) == set(re.findall(r'"(RK\d{3})"', code))
    assert {code[:3] for code in codes} == set(rules.GROUPS)


def test_environment_variables_that_users_may_set_are_named() -> None:
    page = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("core", "sandbox", "homes", "support", "cli")
        for file in (ROOT / "rookery" / folder).rglob("*.py")
    )
    ours = {"CALLED_AS", "GLANCE", "PREFIX", "PROBE", "PROBED", "SANDBOX_STATE", "UMASK"}  # between rookery's own parts
    ours |= {"TITLE", "TEXT"}  # set for the user's own notify_command
    for variable in set(re.findall(r"ROOKERY_([A-Z_]+[A-Z])", code)) - ours:
        assert f"`ROOKERY_{variable}`" in page, variable


def test_each_picture_is_made_and_used() -> None:
    shots = {shot.path for shot in script("make_pictures.py").SHOTS if shot.name}
    assert {*(DOCS / "pictures").iterdir()} == shots
    used = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith((".svg", ".png"))
    }
    assert used == shots


def test_pictures_are_small() -> None:
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < {".svg": 60_000, ".png": 150_000}[picture.suffix], picture.name


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda picture: picture.name)
def test_a_picture_loads_nothing_and_names_no_other_home(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert "url(http" not in text
    assert "/tmp/" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_commands_that_a_page_shows_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {*docs_command.command_names(), *(command.split(".")[0] for command in docs_command.command_names())}
    for command in re.findall(r"(?:`|^\$ |^    )rookery ([a-z][a-z.]*)", text, re.MULTILINE):
        assert command in known, command


def test_the_wheel_carries_all_pages() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for folder in (*docs_command.SECTIONS, "index.md"):
        assert f'"docs/{folder}" = "rookery/_data/docs/{folder}"' in text
    assert {page.relative_to(DOCS).parts[0] for page in PAGES} == {*docs_command.SECTIONS, "index.md"}
