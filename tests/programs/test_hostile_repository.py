"""A repository of somebody else's: to render, lint or deploy it runs nothing and reads nothing else on the laptop."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest
from projects import known, project
from user_home import at_home

from rookery.core.errors import RookeryError
from rookery.jobs import options, render
from rookery.jobs.lint import run as lint
from rookery.projects import commit, config, release_builder
from rookery.projects.scripts import job_script

HEAD = "name: x\nclusters: [hec]\n"
SECRET = "the private key of whoever runs this"
ESCAPES = (
    "{{ cycler.__init__.__globals__.os.system('touch owned') }}",
    "{{ lipsum.__globals__.os.system('touch owned') }}",
    "{{ joiner.__init__.__globals__.os.system('touch owned') }}",
    "{{ namespace.__init__.__globals__.os.system('touch owned') }}",
    "{{ (lipsum|attr('__globals__')).os.system('touch owned') }}",
    "{{ '{0.__class__.__mro__}'.format(job) }}",
    "{{ '{x.__class__}'.format_map({'x': job}) }}",
    "{{ [job] | map(attribute='__class__') | map('string') | join }}{{ nothing }}",
    "{{ project.root.joinpath('owned').write_text('x') }}",
    "{{ project.root.joinpath('/etc/passwd').read_text() }}",
    "{{ project.file.unlink() }}",
    "{{ (project.root / 'owned').touch() }}",
    "{{ (project.root | attr('rmdir'))() }}",
    "{{ project.jobs.clear() }}",
    "{{ cluster.data.get('cluster_partitions').clear() }}",
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a project, beside a file that is nobody else's business, where the test stands."""
    at_home(tmp_path / "home", monkeypatch)
    (tmp_path / "ssh").mkdir()
    (tmp_path / "ssh/id").write_text(f"{SECRET}\n")
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def rendered(root: Path, job: str, **files: str) -> str:
    """The script of job j, as `render` and `lint` make it."""
    loaded = config.load(project(root, f"j: {job}", HEAD, **files))
    return job_script.script(loaded, config.job(loaded, "j", "hec"), known("hec")).text


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RookeryError) as caught:
        act()
    assert "\n" not in caught.value.message
    assert SECRET not in caught.value.message
    return caught.value.message


def committed(root: Path, *, add: bool = True) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], *([["add", "-A"]] if add else []), [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def deployed(root: Path) -> release_builder.Release:
    """The release that `deploy` would make, for --check as well."""
    loaded = config.load(root)
    with commit.chosen(root, loaded.outputs) as chosen:
        return release_builder.make(loaded, chosen, known("hec"))


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_of_the_project_runs_nothing(root: Path, escape: str) -> None:
    job = "{template: t__sh, command: x}".replace("__", ".")
    message = refusal(lambda: rendered(root, job, t__sh=f"\n{escape}\n"))
    assert message.startswith("rookery.yml:4: `template`: t.sh: line 2: "), message
    assert sorted(path.name for path in root.iterdir()) == ["rookery.yml", "t.sh"]
    committed(root)
    assert refusal(lambda: deployed(root)) == message
    assert refusal(lambda: lint.run(options.LintOptions(cluster="hec"))) == message
    assert not (root / "owned").exists()


def test_what_a_template_is_given_has_methods_in_paths_alone(root: Path) -> None:
    """Where something else than plain data comes in, see that a template can do nothing with it."""
    loaded = config.load(project(root, "j: {command: x, grid: {a: [1]}}", HEAD))
    job = config.job(loaded, "j", "hec")
    variables = job_script.template_context.context(
        loaded, job, known("hec"), job_script.parameters.Table(("a",), (("1",),))
    )
    visited: set[type] = set()

    def walk(value: object, depth: int = 0) -> None:
        if type(value) in visited or depth > 4 or isinstance(value, (str, int, float, PurePath)):
            return
        visited.add(type(value))
        for name in [] if isinstance(value, (list, tuple, dict)) else dir(value):
            attribute = getattr(value, name, None)
            if not name.startswith("_") and type(value).__name__ != "mappingproxy":
                assert not callable(attribute), f"{type(value).__name__}.{name}"
                walk(attribute, depth + 1)

    for value in variables.values():
        walk(value)


def test_a_template_may_still_use_the_methods_of_data_and_macros(root: Path) -> None:
    text = (
        "{% extends 'serial.sh.j2' %}{% from 'lib/m.j2' import greet %}{% block run %}\n"
        "{% for key, value in {'a': 'x y'}.items() %}{{ loop.cycle('p') }} {{ value.split()[1].upper() }}{% endfor %}"
        " {{ greet(job.name) }} {{ cluster.data.get('cluster_host') }} {{ '%s-2' | format(1) }} {{ '{}'.format(3) }}\n"
        "{% endblock %}"
    )
    (root / "lib").mkdir()
    (root / "lib/m.j2").write_text("{% macro greet(who) %}hello {{ who }}{% endmacro %}")
    made = rendered(root, "{template: t.sh, command: x}", t__sh=text)
    assert "\np Y hello j wayland-2022.hec.lancaster.ac.uk 1-2 3\n" in made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ 1 / 0 }}", "line 1: division by zero"),
        ("\n{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "line 2: maximum recursion depth exceeded"),
        ("{{ range(10 ** 30) | list }}", "line 1: "),
        ("{{ " + "(" * 5000 + " }}", "recursion"),
        ("{{ 'a' + 1 }}", "line 1: "),
    ],
)
def test_what_a_template_does_wrong_is_one_line(root: Path, text: str, expected: str) -> None:
    assert expected in refusal(lambda: rendered(root, "{template: t.sh, command: x}", t__sh=text))


@pytest.mark.parametrize("verb", ["{% include 'PATH' %}", "{% extends 'PATH' %}", "{% import 'PATH' as x %}{{ x }}"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("key", "key is a symbolic link (to ../ssh/id)"),
        ("folder/id", "folder/id is below folder, a symbolic link (to ../ssh)"),
        ("a/b/id", "a/b/id is below a/b, a symbolic link (to ../../ssh)"),
        ("inside", "inside is a symbolic link (to t.sh)"),
        ("../ssh/id", "../ssh/id must be a path inside the project"),
        ("a/../../ssh/id", "must be a path inside the project"),
        ("ABSOLUTE", "must be a path inside the project"),
    ],
)
def test_a_template_takes_in_nothing_through_a_link_or_from_elsewhere(
    root: Path, verb: str, path: str, expected: str
) -> None:
    path = path.replace("ABSOLUTE", f"{root.parent}/ssh/id")
    (root / "key").symlink_to("../ssh/id")
    (root / "folder").symlink_to("../ssh")
    (root / "inside").symlink_to("t.sh")
    (root / "a").mkdir()
    (root / "a/b").symlink_to("../../ssh")
    job = "{template: t.sh, command: x}"
    message = refusal(lambda: rendered(root, job, t__sh=verb.replace("PATH", path)))
    assert expected in message
    committed(root)
    assert refusal(lambda: deployed(root)) == message


@pytest.mark.parametrize(("key", "name"), [("template", "one"), ("params", "one.csv")])
def test_no_file_that_a_job_names_is_read_through_a_link(root: Path, key: str, name: str) -> None:
    (root / name).symlink_to("../ssh/id")
    (root / "folder").symlink_to("../ssh")
    below = name.replace("one", "folder/id")
    for path, expected in ((name, f"{name} is a symbolic link"), (below, "is below folder, a symbolic link")):
        job = f"{{{key}: {path}, command: x}}"
        assert expected in refusal(lambda job=job: rendered(root, job))
        committed(root)
        refusal(lambda: deployed(root))
    (root / "p.csv").symlink_to(name)
    assert "p.csv is a symbolic link" in refusal(lambda: rendered(root, "{params: p.csv, command: x}"))


def test_what_is_deployed_is_made_of_the_commit_and_not_of_the_folder(root: Path) -> None:
    project(root, "j: {template: t.sh, command: x, params: p.csv}", HEAD, t__sh="{% include 'i' %}\n", p__csv="a\n1\n")
    (root / "i").write_text("committed {{ rows.count }}")
    committed(root)
    subprocess.run(["git", "update-index", "--assume-unchanged", "i", "t.sh", "p.csv"], cwd=root, check=True)
    for name in ("i", "p.csv"):
        (root / name).unlink()
        (root / name).symlink_to("../ssh/id")
    (root / "t.sh").write_text("{{ 1 / 0 }}")
    made = deployed(root)
    assert made.files["slurm/j.sh"] == "committed 1"
    assert made.files["slurm/j.params.csv"] == "a\n1\n"


def test_a_template_that_is_not_in_the_commit_is_not_read(root: Path) -> None:
    project(root, "j: {template: t.sh, command: x}", HEAD, t__sh="{% include 'i' %}", __gitignore="i\n")
    (root / "i").write_text("here")
    committed(root)
    assert "can't find the template i" in refusal(lambda: deployed(root))


@pytest.mark.parametrize(("way", "lock"), [("uv", "uv.lock"), ("venv", "requirements.txt"), ("renv", "renv.lock")])
def test_a_lock_file_that_is_a_link_is_refused(root: Path, way: str, lock: str) -> None:
    kind = "r" if way == "renv" else "python"
    project(root, "", f"{HEAD}environment: {{{kind}: {way}}}\n")
    (root / lock).symlink_to("../ssh/id")
    committed(root)
    assert f"{lock} is a symbolic link in the commit" in refusal(lambda: deployed(root))


def test_a_rookery_yml_that_leads_elsewhere_is_not_read(root: Path) -> None:
    (root.parent / "ssh/rookery.yml").write_text(HEAD)
    (root / "rookery.yml").symlink_to("../ssh/rookery.yml")
    assert re.search("rookery.yml is a symbolic link to .*, outside the project", refusal(lambda: config.load(root)))


@pytest.mark.parametrize("files", ["", "job.sh", ".", "../alias/job.sh"])
def test_lint_neither_reads_nor_mends_through_a_link_out_of_the_project(root: Path, files: str) -> None:
    project(root, "j: {command: x}", HEAD)
    (root.parent / "alias").symlink_to("code")
    outside = root.parent / "ssh/profile.sh"
    outside.write_text("#!/bin/sh\n#SBATCH --job-name x\r\n#SBATCH -o a.log\r\n")
    before = outside.read_bytes()
    (root / "job.sh").symlink_to("../ssh/profile.sh")
    message = refusal(lambda: lint.run(options.LintOptions(files=(files,) if files else (), cluster="hec", fix=True)))
    assert "job.sh is a symbolic link that leads out of the project" in message
    assert outside.read_bytes() == before


def test_render_writes_nothing_through_a_link_out_of_the_project(root: Path) -> None:
    project(root, "j: {command: x}", HEAD)
    (root / "slurm").symlink_to("../ssh")
    message = refusal(lambda: render.run(options.RenderOptions(output="slurm")))
    assert "slurm is a symbolic link that leads out of the project" in message
    assert [path.name for path in (root.parent / "ssh").iterdir()] == ["id"]


def test_git_runs_no_program_that_a_repository_buried_in_the_project_names(root: Path) -> None:
    """A folder with HEAD, objects, refs and config in a commit is a repository to git, with settings of its own."""
    inner = root / "inner"
    project(inner, "j: {command: x}", HEAD)
    committed(root)
    for name in ("objects/x", "refs/x", "HEAD", "config"):
        (inner / name).parent.mkdir(exist_ok=True)
        (inner / name).write_text("ref: refs/heads/main\n" if name == "HEAD" else "")
    (inner / "config").write_text(f"[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch {root}/owned; false\n")
    (inner / "j.sh").write_text("mine\n")
    refusal(lambda: render.run(options.RenderOptions(output=str(inner), project=str(inner))))
    assert "looks like a bare git repository" in refusal(lambda: deployed(inner))
    assert not (root / "owned").exists()
