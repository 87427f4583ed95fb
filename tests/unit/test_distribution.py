"""What the package says of itself, and the files beside it that name it, its version and its commands."""

import ast
import functools
import importlib.metadata
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rookery import __version__
from rookery.support.cohort import wheel

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
METADATA = PROJECT["project"]
ADDRESS = "https://github.com/rookery-hpc/rookery"
SITE = "https://rookery-hpc.github.io/rookery/"
SUFFIXES = {".md", ".py", ".yml", ".toml", ".cff", ".j2", ".html", ".sh"}
PASSED_OVER = {".git", ".venv", ".tools", "dist", "build", "data", "__pycache__"}


@functools.cache
def texts() -> dict[str, str]:
    """The project's own texts by their path."""
    found = {}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in PASSED_OVER and not name.endswith("_cache")]
        for file in (Path(folder) / name for name in names):
            if file.suffix in SUFFIXES:
                found[str(file.relative_to(ROOT))] = file.read_text(encoding="utf-8")
    return found


def test_the_name_is_the_same_everywhere() -> None:
    assert METADATA["name"] == wheel.DISTRIBUTION == "rookery-hpc"
    assert f"rookery_hpc-{__version__}-py3-none-any.whl" == wheel.NAME
    assert METADATA["scripts"] == {"rookery": "rookery.__main__:main"}
    assert importlib.metadata.distribution("rookery-hpc").version == __version__


def test_nothing_installs_the_other_project() -> None:
    """But for warnings, no text has a command that would take `rookery` from a package index."""
    install = re.compile(r"(?:uvx|uv tool \w+|pipx \w+|pip install)(?: -\S+)* rookery\b(?!-hpc|[_/])")
    lines = [
        f"{name}: {line}"
        for name, text in texts().items()
        for line in text.splitlines()
        if install.search(line) and name != "CHANGELOG.md"
    ]
    assert {line.partition(":")[0] for line in lines} == {
        "README.md",
        "docs/explanation/security.md",
        "docs/how-to/install.md",
        "templates/cohort/instructions.md.j2",
    }, lines
    assert "install another project" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    old = re.compile(r"\brookery-\d[\w.]*-py3|distribution\(\"rookery\"\)")
    assert [name for name, text in texts().items() if old.search(text)] == []


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert METADATA["version"] == citation["version"] == __version__
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (locked,) = [package for package in lock["package"] if package["source"] == {"editable": "."}]
    assert (locked["name"], locked["version"]) == ("rookery-hpc", __version__)


def test_the_lock_file_names_pypi_alone() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_versions_of_what_may_break_it_are_bounded() -> None:
    bounds = dict(re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in METADATA["dependencies"])  # type: ignore[union-attr, misc]
    assert "<3" in bounds["invoke"].split(",")
    assert "<2.22" in bounds["ansible-core"].split(",")
    assert all(">=" in bound for bound in bounds.values())


def test_each_python_that_ci_runs_is_named() -> None:
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    pythons = ci["jobs"]["unit"]["strategy"]["matrix"]["python"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(METADATA["classifiers"]))
    assert pythons == named
    assert METADATA["requires-python"] == f">={named[0]}"


def test_the_wheel_has_type_information_and_the_man_page() -> None:
    """tests/clusters/test_wheel.py looks into the wheel itself."""
    target = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert target["packages"] == ["rookery"]
    assert (ROOT / "rookery/py.typed").is_file()
    assert target["shared-data"] == {"share/man": "share/man"}
    assert [file.name for file in (ROOT / "share/man").rglob("*") if file.is_file()] == ["rookery.1"]
    tracked = subprocess.run(
        ["git", "-C", ROOT, "check-ignore", "rookery/py.typed", "share/man/man1/rookery.1"],
        capture_output=True,
        check=False,
    )
    assert tracked.stdout == b""


def test_links_of_the_readme_work_on_pypi() -> None:
    """They are absolute, and what they name in the repository is there."""
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / METADATA["readme"]).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        kind, _, path = link.removeprefix(f"{ADDRESS}/").partition("/main/")
        if link.startswith(ADDRESS):
            assert (ROOT / path).is_dir() if kind == "tree" else (ROOT / path).is_file(), link


def test_the_repository_is_one() -> None:
    assert set(METADATA["urls"]) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert METADATA["urls"]["Documentation"] == SITE
    assert all(url.startswith(ADDRESS) for name, url in METADATA["urls"].items() if name != "Documentation")
    found = {match for text in texts().values() for match in re.findall(r"https://github\.com/[\w-]+/rookery\b", text)}
    assert found == {ADDRESS}


MAY_WRITE = {
    "ci.yml": {},
    "release.yml": {
        "attest": ["attestations", "id-token"],
        "publish": ["id-token"],
        "github-release": ["contents"],
    },
    "site.yml": {"deploy": ["id-token", "pages"]},
}
"""What the jobs of each workflow may write; the others only read."""


def uses(workflow: str) -> list[str]:
    """The actions that a workflow uses."""
    return re.findall(r"uses: (\S+@.*)", (ROOT / ".github/workflows" / workflow).read_text(encoding="utf-8"))


@pytest.mark.parametrize("workflow", sorted(MAY_WRITE))
def test_workflows_use_pinned_actions_and_few_permissions(workflow: str) -> None:
    assert uses(workflow)
    for action in uses(workflow):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    document = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text(encoding="utf-8"))
    assert document["permissions"] == {"contents": "read"}
    may_write = {
        name: sorted(key for key, value in job.get("permissions", {}).items() if value == "write")
        for name, job in document["jobs"].items()
    }
    assert {name: keys for name, keys in may_write.items() if keys} == MAY_WRITE[workflow]


def test_each_workflow_is_tested() -> None:
    assert {file.name for file in (ROOT / ".github/workflows").iterdir()} == set(MAY_WRITE)


def test_the_site_that_is_published_is_the_one_that_is_named() -> None:
    """`rookery docs` opens the address in the package's metadata; the workflow publishes what bin/build_site builds."""
    assert f"site_url: {SITE}\n" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (folder,) = re.findall(r"^site_dir: (.*)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    build, deploy = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))["jobs"].values()
    assert [step.get("run") or step["with"].get("path") for step in build["steps"][1:]] == [
        "bin/build_site",
        f"{folder}/",
    ]
    assert "--strict" in (ROOT / "bin/build_site").read_text(encoding="utf-8")
    assert (deploy["needs"], deploy["environment"]["name"]) == ("build", "github-pages")


def test_ci_runs_every_part_of_the_tests() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    parts = re.search(r"^# \./test \[(.*?)\]", (ROOT / "test").read_text(encoding="utf-8"), re.MULTILINE)
    assert parts
    assert set(re.findall(r"\./test (\w+)", text)) == set(parts[1].split("|"))


def test_issue_forms_ask_for_the_report() -> None:
    folder = ROOT / ".github/ISSUE_TEMPLATE"
    forms = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.glob("*.yml")}
    assert set(forms) == {"bug", "feature", "cluster", "config"}
    (report,) = [field for field in forms["bug"]["body"] if field.get("id") == "report"]
    assert "rookery doctor --report" in report["attributes"]["description"]
    assert report["validations"]["required"]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The hook's command, in a folder with scripts, where `rookery` prints its arguments."""
    (one,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (one["id"], one["language"]) == ("rookery-lint", "python")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/rookery"
    program.write_text('#!/bin/sh\nprintf "[%s]" "$@"\nexit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    Path("my job.sh").write_text("#!/bin/bash\n#SBATCH --mem=1G\n")
    Path("b.slurm").write_text("#!/bin/bash\n#SBATCH --mem=1G\n")
    Path("-dash.sh").write_text("#!/bin/bash\n#SBATCH --mem=1G\n")
    Path("old.pbs").write_text("#PBS -l walltime=1:0:0\n")
    Path("old.sge").write_text("#$ -cwd\n")
    Path("hec").write_text("ssh hec\n")
    Path("helper.sh").write_text("#!/bin/bash\n#$HOME\necho '#SBATCH'\n")
    return str(one["entry"])


@pytest.mark.parametrize(
    ("words", "code", "given"),
    [
        ("'my job.sh' helper.sh b.slurm", 3, "[lint][my job.sh][b.slurm]"),
        ("--cluster hec helper.sh b.slurm", 3, "[lint][--cluster][hec][b.slurm]"),
        ("--cluster hec helper.sh", 0, ""),
        ("--cluster hec hec old.pbs", 3, "[lint][--cluster][hec][old.pbs]"),
        ("--fix -dash.sh old.sge", 3, "[lint][--fix][./-dash.sh][old.sge]"),
        ("", 0, ""),
    ],
)
def test_the_hook_checks_the_job_scripts_among_its_files(hook: str, words: str, code: int, given: str) -> None:
    completed = subprocess.run(["sh", "-c", f"{hook} {words}"], capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout, completed.stderr) == (code, given, "")


def test_the_hook_takes_the_files_that_lint_knows() -> None:
    from rookery.jobs.lint import discovery

    (one,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert all(re.search(one["files"], f"slurm/job{suffix}") for suffix in discovery.SUFFIXES)
    assert not re.search(one["files"], "simulate.py")


def test_there_is_no_telemetry() -> None:
    """What runs on the user's computer has no client for the web; packages are fetched by uv, pyenv, pipx and R.

    Where a cluster has no internet, they are fetched through a proxy, which connects to what they ask for alone. With
    --notify, a message goes to the address that the user has set.
    """
    clients = {"urllib.request", "http", "http.client", "requests", "httpx", "aiohttp", "urllib3", "smtplib"}
    names = "|".join(sorted({client.partition(".")[0] for client in clients}))
    likely = re.compile(rf"^\s*(?:import|from)\b.*\b(?:{names})\b", re.MULTILINE)
    proxy = ROOT / "rookery/clusters/ssh/download_proxy.py"
    there = ROOT / "rookery/remote/data/download.py"  # on a cluster, what `data.push` names
    notified = ROOT / "rookery/jobs/monitor/notify/web.py"
    for file in set((ROOT / "rookery").rglob("*.py")) - {proxy, there, notified}:
        imported = set()
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if likely.search(text) else ():
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        assert not imported & clients, file
