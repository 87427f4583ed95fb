"""What holds of `--fix` for any script: it comes to rest, keeps all other lines byte for byte, and breaks no syntax.

The scripts are the collection's, and correct ones with several faults. What sbatch says of scripts before and after is
in tests/clusters/test_lint_agreement.py.
"""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_scripts import ALL, Script
from linting import fix as fix_for_hec
from projects import known
from test_lint_properties import FAULTS, Correct, correct

from rookery.clusters.cluster import Cluster
from rookery.jobs import lint
from rookery.jobs.lint import discovery, finding
from rookery.jobs.lint.checks import form

VARIANTS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "Windows line ends": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    "Windows line ends in some lines": lambda text: "\n".join(
        f"{line}\r" if number % 3 == 1 else line for number, line in enumerate(text.split("\n"))
    ),
    "byte order mark": lambda text: f"\ufeff{text}",
    "no last line end": lambda text: text.rstrip("\r\n"),
    "bytes that are not UTF-8": lambda text: text.replace("\n", "\n# caf\udce9 \udcff\n: 'it is \udce9'\n", 1),
    "separators that are no line ends": lambda text: f"{text}: '\u2028 \x85 \x0b \x0c \x1c'\n",
}


def _nothing(_: str) -> None:
    return None


def _stages(text: str, cluster: Cluster) -> Iterator[tuple[str, list[finding.Finding]]]:
    """Each text on the way to the fixed one, with the findings that are fixed in it."""
    text = form.mend(text)
    for _ in range(50):
        found = lint.check(text, cluster, path="job.sh", files=_nothing)
        safe = [each for each in found if each.safe and each.edits]
        if not safe:
            return
        yield text, safe
        text = finding.apply(text, [edit for each in safe for edit in each.edits])


def _is_subsequence(lines: Iterable[str], of: Iterable[str]) -> bool:
    rest = iter(of)
    return all(line in rest for line in lines)


def lost_lines(text: str, fixed: str, cluster: Cluster) -> list[str]:
    """The lines without a finding that a fixed script lacks, or has in another order.

    Windows' line ends and a byte order mark have findings of their own, which every line with one has.
    """
    if fixed == text:
        return []
    changed = {stage.split("\n")[each.line - 1] for stage, safe in _stages(text, cluster) for each in safe}
    kept = [line for line in form.mend(text).split("\n") if line not in changed]
    return [] if _is_subsequence(kept, fixed.split("\n")) else kept


def syntax(folder: Path, scripts: Sequence[str]) -> list[bool]:
    """Whether `bash -n` takes each script; one bash for all of them."""
    files = []
    for number, text in enumerate(scripts):
        files.append(folder / str(number))
        files[-1].write_bytes(text.encode("utf-8", "surrogateescape"))
    loop = 'for file; do [ "$(bash -n "$file" 2>&1)" ] && echo bad || echo good; done'
    done = subprocess.run(["bash", "-c", loop, "-", *files], capture_output=True, text=True, check=True)
    return [line == "good" for line in done.stdout.split()]


def _in_bash(script: Script) -> bool:
    return not script.name.endswith((".py", ".R", ".csh", "zsh-conda.sh"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_fixing_keeps_what_has_no_finding(variant: str, tmp_path: Path) -> None:
    pairs = []
    for script in ALL if variant == "as it is" else ALL[::5]:
        cluster, text = known(script.cluster), VARIANTS[variant](script.text)
        fixed = lint.fix(text, cluster, path="job.sh", files=_nothing)
        assert lint.fix(fixed, cluster, path="job.sh", files=_nothing) == fixed, script.name
        assert lost_lines(text, fixed, cluster) == [], script.name
        if _in_bash(script) and fixed != text and "\0" not in text:
            pairs.append((script.name, text, fixed))
    was, now = (syntax(tmp_path, scripts) for scripts in list(zip(*pairs, strict=True))[1:])
    assert [name for (name, *_), good, still in zip(pairs, was, now, strict=True) if good and not still] == []


@st.composite
def faulty(draw: st.DrawFn) -> str:
    """A correct script with one to four faults."""
    script: Correct = draw(correct())
    for code in draw(st.lists(st.sampled_from(sorted(set(FAULTS) - {"RK102", "RK103"})), min_size=1, max_size=4)):
        lines = FAULTS[code](script).removesuffix("\n").split("\n")
        options = tuple(line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH "))
        others = [line for line in lines if not line.startswith(("#SBATCH ", "#!"))]
        script = Correct(options, tuple(others))
    return draw(st.sampled_from(sorted(VARIANTS)).map(VARIANTS.__getitem__))(script.text)


@given(text=faulty())
@settings(max_examples=20)
def test_several_faults_are_fixed_and_all_else_is_kept(text: str, tmp_path: Path) -> None:
    fixed = fix_for_hec(text)
    assert fix_for_hec(fixed) == fixed
    assert lost_lines(text, fixed, known("hec")) == []
    was, now = syntax(tmp_path, [text, fixed])
    assert now or not was


@settings(max_examples=30)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_every_byte_of_a_file_is_kept(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "job.sh"
    file.write_bytes(content)
    assert discovery.text_of(file).encode("utf-8", "surrogateescape") == content
