"""Homes whose start-up files change what commands do: rookery's own commands and jobs don't depend on them."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import pytest
from laptop_projects import Project, project
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster

FILES = {
    "rookery.yml": """
        name: {name}
        clusters: [{cluster}]
        outputs: [results]
        environment: {{python: none}}
        jobs:
          one: {{command: "sh run.sh", time: "00:02:00", memory: 200M}}
          several: {{command: "sh run.sh", time: "00:02:00", memory: 200M, array: 1-3}}
    """,
    ".gitignore": "/results/\n/runs/\n",
    "run.sh": """
        echo "$PWD" > "results/${SLURM_JOB_ID}_${SLURM_ARRAY_TASK_ID:-0}.txt"
        env | sort > "results/${SLURM_JOB_ID}.env"
    """,
}


@dataclass(frozen=True)
class Home:
    """Somebody's home on a miniature, set up while its start-up files were as new."""

    laptop: Laptop
    live: Live

    def root(self, script: str, *arguments: str) -> str:
        return self.live.root_run(["sh", "-euc", script, "sh", *arguments]).stdout

    def start_up(self, text: str, file: str = ".bashrc") -> int:
        """Put text behind rookery's own lines, above all else; the number of its first line."""
        script = """
            cd "/home/$1"; : >>"$2"; cp -p "$2" "/root/$1$2"
            at=$(grep -n '<<< rookery' "$2" | tail -n 1 | cut -d : -f 1); at=${at:-0}
            { head -n "$at" "/root/$1$2"; printf '%s\\n' "$3"; tail -n "+$((at + 1))" "/root/$1$2"; } >"$2"
            chown "$1:" "$2"; echo $((at + 1))
        """
        return int(self.root(script, self.laptop.user, file, text))

    def put_back(self, file: str = ".bashrc") -> None:
        self.root('cp -p "/root/$1$2" "/home/$1/$2"', self.laptop.user, file)


def home(live: Live, user: str, shell: str = "/bin/bash") -> Home:
    person = Home(laptop(live, user, shell), live)
    person.laptop.setup("--tags", "shell,storage")
    return person


def deployed(home: Home, name: str) -> Project:
    files = {path: text.format(name=name, cluster=home.laptop.cluster) if path == "rookery.yml" else text
             for path, text in FILES.items()}  # fmt: skip
    return project(home.laptop, name, files)


@pytest.fixture(scope="module")
def owl(penguins: Live) -> Project:
    """A project that is deployed from a home whose login shell is bash."""
    return deployed(home(penguins, "owl"), "owls")


@pytest.fixture
def plain(owl: Project, penguins: Live) -> Any:
    """That home; its start-up files are put back."""
    home = Home(owl.laptop, penguins)
    home.start_up("")
    yield home
    home.put_back()


READS = "read -r -p 'Continue? ' -n 1 answer"


@pytest.mark.parametrize(
    ("user", "shell", "file", "line"),
    [
        ("reader", "/bin/bash", ".bashrc", READS),
        ("eater", "/bin/bash", ".bashrc", "cat >/dev/null"),
        ("zreader", "/usr/bin/zsh", ".zshenv", "read -k 1 answer"),
    ],
)
def test_a_first_setup_puts_a_guard_above_what_reads_the_input(
    penguins: Live, user: str, shell: str, file: str, line: str
) -> None:
    home = Home(laptop(penguins, user, shell), penguins)
    home.start_up(line, file)
    home.laptop.setup("--tags", "shell,storage", timeout=120)
    assert home.laptop.ssh("cat", stdin="whole\n").stdout == "whole\n"
    assert home.laptop.says(f"grep -cF {shlex.quote(line)} {file}") == "1"
    work = deployed(home, f"{user}s")
    assert "SLURM_JOB_ID" in work.read_there("current/run.sh")


def test_a_later_line_that_reads_the_input_is_named_and_setup_is_what_helps(owl: Project, plain: Home) -> None:
    at = plain.start_up(READS)
    owl.laptop.says("mkdir -p projects/owls/current/results && echo 12345 >projects/owls/current/results/a.txt")
    owl.commit({"new.txt": "new\n"})
    for command in (["deploy", "--yes"], ["fetch"]):
        output = owl.run(*command, code=1, timeout=120)
        assert f"reads the input of commands sent over ssh: ~/.bashrc, line {at} (read -r" in output
        assert "next: rookery setup penguins" in output
    assert f"line {at} (read -r" in doctor(plain, "startup")["found"]
    plain.laptop.setup("--tags", "shell,storage")
    owl.run("deploy", "--yes")
    owl.run("fetch")
    assert (owl.root / "results/a.txt").read_text() == "12345\n"
    assert doctor(plain, "startup")["state"] == "ok"


def doctor(home: Home, check: str) -> dict[str, str]:
    """What `doctor` tells under a check."""
    completed = home.laptop.rookery("doctor", "--cluster", home.laptop.cluster, "--json")
    [part] = json.loads(completed.stdout)["clusters"].values()
    return next(entry for entry in part["checks"] if entry["name"] == check)


NASTY = """
cd /tmp
export CDPATH=/tmp:/usr TAR_OPTIONS=--gzip POSIXLY_CORRECT=1 GREP_OPTIONS=--invert-match LS_COLORS='*=01'
export GIT_DIR=/nowhere GIT_WORK_TREE=/nowhere GIT_INDEX_FILE=/nowhere BASH_ENV=~/.nasty ENV=~/.nasty
export LD_PRELOAD= PYTHONPATH=~/lib PYTHONSTARTUP=~/lib/x.py
cat() { echo nobody asked for this; }; export -f cat
alias ls='ls --color=always' rm='rm -i' cd='echo'
shopt -s expand_aliases
umask 002
set -u; export SHELLOPTS
"""


def test_the_folder_and_the_state_of_the_shell_change_nothing(owl: Project, plain: Home) -> None:
    """Deploy, submit, fetch and what there is besides, from a home where each of these is set."""
    plain.laptop.says("mkdir -p lib && echo 'raise SystemExit(3)' | tee lib/json.py lib/site.py >lib/tarfile.py")
    plain.laptop.says("echo 'echo read' >.nasty")
    plain.start_up(NASTY)
    plain.start_up(NASTY, ".profile")
    try:
        commit = owl.commit({"more.txt": "more\n"})
        owl.run("deploy", "--yes")
        number = owl.submit("one", "--wait")
        owl.run("fetch", number)
        assert (owl.root / f"results/{number}_0.txt").read_text().endswith(f"releases/{commit}\n")
        assert owl.job(number)["counts"] == {"COMPLETED": 1}
        answer = plain.laptop.setup("--tags", "shell,storage", "--force")
        assert not [outcome for outcome in answer["outcomes"] if outcome["state"] == "failed"]
    finally:
        plain.put_back(".profile")


def test_variables_of_slurm_are_left_out_but_for_an_account_that_nobody_gives(owl: Project, plain: Home) -> None:
    """All tasks run, whatever sbatch would take from its environment, and the record says what was asked for."""
    plain.root("sacctmgr -i add account seabirds >&2; sacctmgr -i add user owl account=seabirds >&2")
    plain.start_up(
        "export SBATCH_ARRAY_INX=1-2 SBATCH_TIMELIMIT=1 SBATCH_JOB_NAME=other SBATCH_ACCOUNT=seabirds\n"
        "export SBATCH_EXPORT=NONE SBATCH_OUTPUT=/tmp/other.log SQUEUE_FORMAT=%i SQUEUE_STATES=PD SACCT_FORMAT=jobid\n"
        "export SLURM_TIME_FORMAT=relative SINFO_FORMAT=%n SCANCEL_INTERACTIVE=1 SLURM_CONF=/etc/slurm/slurm.conf\n"
        "umask 007",
        ".profile",
    )
    plain.laptop.says("cat .profile >>.bashrc")
    try:
        answer = owl.json("submit", "several", "--wait")
        [note] = [note for note in answer["notes"] if "ignores variables" in note]
        assert "SBATCH_ARRAY_INX=1-2" in note
        assert "SBATCH_ACCOUNT" not in note
        assert any("uses --account=seabirds" in line for line in answer["notes"])
        assert answer["jobs"][0]["counts"] == {"COMPLETED": 3}
        assert answer["record"]["array"] == "1-3"
        assert "--account=seabirds" in answer["record"]["options"]
        shown = plain.root('sacct -X -n -P -j "$1" -o Account,JobName,Timelimit', answer["id"]).split()
        assert set(shown) == {"seabirds|several|00:02:00"}
        assert owl.run("logs", f"{answer['id']}_2") is not None
        assert "PenguinPartition" in plain.laptop.rookery("queue", "--cluster", "penguins").stdout
        results = "projects/owls/current/results"
        output = plain.laptop.says(f"cat {results}/*.env; stat -c %a {results}/*_1.txt | tail -n 1")
        assert "SBATCH_" not in output
        assert "SLURM_CONF=" in output
        assert output.endswith("660")
        assert doctor(plain, "job")["state"] == "ok"
    finally:
        plain.put_back(".profile")


PACKAGES = r"""
export PYTHONPATH=$HOME/lib PYTHONHOME=/nowhere PYTHONSTARTUP=$HOME/lib/start.py PIP_TARGET=$HOME/elsewhere PIP_USER=1
export CONDA_PREFIX=/nowhere CONDA_DEFAULT_ENV=base POETRY_VIRTUALENVS_CREATE=false UV_PYTHON=3.6 PYENV_VERSION=2.7.18
export R_LIBS=$HOME/mine R_PROFILE_USER=$HOME/nothing JULIA_PROJECT=$HOME LD_LIBRARY_PATH=$HOME/lib:/usr/lib
"""
# packages of the user's own that pip and R would take for those that are asked for
OWN = r"""
mkdir -p lib/iniconfig lib/iniconfig-2.0.0.dist-info mine/iterators .config/pip .config/pypoetry
echo 'WHOSE = "mine"' >lib/iniconfig/__init__.py
printf 'Metadata-Version: 2.1\nName: iniconfig\nVersion: 2.0.0\n' >lib/iniconfig-2.0.0.dist-info/METADATA
printf 'Package: iterators\nVersion: 9.9\nBuilt: R 4.2.2; ; 2020-01-01 00:00:00 UTC; unix\n' >mine/iterators/DESCRIPTION
printf '[install]\ntarget = %s/elsewhere\ndry-run = true\n' "$HOME" >.config/pip/pip.conf
printf '[virtualenvs]\ncreate = false\n' >.config/pypoetry/config.toml
printf '%s\n' "R_LIBS=$HOME/mine" "R_LIBS_USER=$HOME/mine" R_PROFILE_USER=/nothing TOKEN=abc >.Renviron
printf '\n.libPaths("%s/mine")\n.First <- function() .libPaths("%s/mine")\n' "$HOME" "$HOME" >>.Rprofile
"""
WHERE = """
    python -c 'import iniconfig; print(iniconfig.__file__)'
    Rscript -e 'writeLines(c(find.package("iterators"), .libPaths()[1], Sys.getenv("TOKEN")))'
    Rscript -e 'system2("Rscript", c("-e", shQuote("writeLines(.libPaths()[1])")))'
    env | grep -E '^(PYTHON|PIP_TARGET|CONDA_PREFIX|JULIA|R_LIBS=)' || true
    echo "libraries $LD_LIBRARY_PATH"
"""


@pytest.fixture(scope="module")
def builder(penguins: Live) -> Home:
    """A home that is set up whole, with such packages and settings."""
    home = Home(laptop(penguins, "builder"), penguins)
    home.laptop.setup(timeout=400)
    home.laptop.script(OWN)
    for file in (".bashrc", ".profile"):
        home.start_up(PACKAGES, file)
    return home


def test_builds_and_jobs_have_what_the_release_says_and_nothing_else(builder: Home) -> None:
    text = """
        name: locked
        clusters: [penguins]
        outputs: [results]
        environment: {python: venv, r: library}
        jobs:
          where: {command: "sh where.sh", time: "00:05:00", memory: 500M}
    """
    files = {
        "rookery.yml": text,
        "where.sh": WHERE,
        "requirements.txt": "iniconfig==2.0.0\n",
        "r-packages.txt": "iterators\n",
    }
    made = project(builder.laptop, "locked", {**files, ".gitignore": FILES[".gitignore"]})
    answer = made.json("submit", "where", "--wait")
    [note] = [line for line in answer["notes"] if "ignores variables" in line]
    note_names = {part.partition("=")[0] for part in note.split(": ")[1].split(", ")}
    assert {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "R_LIBS", "CONDA_PREFIX", "JULIA_PROJECT"} <= note_names
    lines = made.run("logs", answer["id"]).splitlines()
    python, package, library, token, inner, *rest = lines[
        next(at for at, line in enumerate(lines) if "iniconfig" in line) :
    ]
    assert "/.venv/" in python or "/environments/locked-" in python
    assert "/mine" not in package + library
    assert package.endswith("/iterators")
    assert package.startswith(library)
    assert (token, inner) == ("abc", library)
    assert "environments/locked-" in builder.laptop.says(f"readlink -f {library}")
    assert rest[-1] == "libraries /usr/lib"
    assert {line.partition("=")[0] for line in rest[:-1]} & {*note_names} == {"R_LIBS"}
    assert not builder.laptop.ssh("ls elsewhere").stdout


def test_poetry_uses_the_project_s_environment_and_makes_none_of_its_own(builder: Home) -> None:
    """Where a conda base environment is active, poetry passes over the virtual environment that is."""
    builder.laptop.script("""
        unset CONDA_PREFIX CONDA_DEFAULT_ENV POETRY_VIRTUALENVS_CREATE PYTHONPATH PYTHONHOME PYENV_VERSION
        mkdir locking && cd locking && poetry init --no-interaction --name locking
        printf '[tool.poetry]\\npackage-mode = false\\n' >>pyproject.toml && poetry lock
    """)
    files = {name: builder.laptop.says(f"cat locking/{name}") + "\n" for name in ("pyproject.toml", "poetry.lock")}
    text = "name: poems\nclusters: [penguins]\nenvironment: {python: poetry}\n"
    listing = "bash -c '. .config/rookery/env.sh && ls \"$POETRY_VIRTUALENVS_PATH\"; true' 2>/dev/null"
    before = builder.laptop.says(listing)
    made = project(builder.laptop, "poems", {"rookery.yml": text, **files})
    assert made.laptop.says("projects/poems/current/.venv/bin/python -IS -c 'import sys; print(sys.version_info[0])'")
    assert made.laptop.says(listing) == before


def test_doctor_lists_variables_and_lines_and_names_the_line_that_stops_python(builder: Home) -> None:
    """A home that was reset, and a Python that pyenv does not have, by a variable and by a file."""
    check = doctor(builder, "python")
    assert check["state"] == "fault"
    assert re.search(
        r"PYENV_VERSION \(~/\.(profile|bashrc), line \d+\) is 2\.7\.18, which pyenv does not have", check["found"]
    )
    assert "sed -i.old" in check["fix"]
    builder.root("sed -i 's/ PYENV_VERSION=2.7.18/ HOME=\\/tmp/' /home/builder/.bashrc /home/builder/.profile")
    builder.laptop.says("cd /home/builder && echo 3.5 >.python-version && echo 'cd /tmp' >>.profile")
    check = doctor(builder, "python")
    assert "/home/builder/.python-version selects 3.5, which pyenv does not have" in check["found"]
    assert "mv /home/builder/.python-version /home/builder/.python-version.old" in check["fix"]
    builder.laptop.says("rm /home/builder/.python-version")
    assert doctor(builder, "python")["state"] == "ok"
    check = doctor(builder, "variables")
    assert check["state"] == "warning"
    assert re.search(r"HOME \(~/\.(profile|bashrc), line \d+\)|and \d+ more", check["found"]), check
    assert "Python, R, pip and conda use other packages" in check["found"]
    builder.laptop.setup("--tags", "shell,storage", "--force")


def test_a_release_s_python_version_that_pyenv_has_not_is_told_when_a_job_is_submitted(builder: Home) -> None:
    text = FILES["rookery.yml"].format(name="wants", cluster="penguins")
    made = project(builder.laptop, "wants", {**FILES, "rookery.yml": text, ".python-version": "3.5\n"})
    notes = made.json("submit", "one")["notes"]
    assert any(".python-version requests Python 3.5, but pyenv there has only" in note for note in notes)
    assert any("HOME=/tmp" in note for note in notes)


def test_a_tag_that_git_can_not_sign_keeps_the_job_from_being_submitted(owl: Project) -> None:
    before = owl.json("jobs")["jobs"]
    owl.git("config", "tag.gpgSign", "true")
    owl.git("config", "gpg.program", "/bin/false")
    try:
        answer = owl.run("submit", "one", "--tag", "signed-1", code=1)
    finally:
        owl.git("config", "--unset", "tag.gpgSign")
    assert "Nothing was submitted: git can't sign tag signed-1" in answer
    assert owl.git("tag", "-l", "signed-1") == ""
    assert [job["id"] for job in owl.json("jobs")["jobs"]] == [job["id"] for job in before]


def test_accounts_that_are_switched_off_are_told_as_that(owl: Project, plain: Home) -> None:
    """sacct says what Slurm's says with accounting_storage/none, for this account alone."""
    number = owl.submit("one", "--wait")
    plain.root(
        "mkdir -p /home/owl/off; printf '#!/bin/sh\\necho Slurm accounting storage is disabled >&2; exit 1\\n' "
        ">/home/owl/off/sacct; chmod -R 755 /home/owl/off"
    )
    plain.start_up("PATH=$HOME/off:$PATH")
    assert "penguins has no job accounting (sacct is off)" in owl.run("jobs")
    assert "has no job accounting" in owl.run("submit", "--failed", number, code=1)
    assert "has no job accounting" in owl.run("fetch", "424242", code=1)
    assert "accounting (sacct) is switched off" in doctor(plain, "slurm")["found"]
