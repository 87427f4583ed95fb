"""What holds of lint for any script: correct ones have no finding, one fault is one finding, `fix` comes to rest."""

import re
import string
import subprocess
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from linting import check, fix

from rookery.jobs.lint.script import shell
from rookery.projects.scripts import directives

WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8).map(lambda text: f"w{text}")
NOISE = [
    "RScript x.R", "module activate y", "conda activate z", "#SBATCH --partition=none", "detectCores()", "$UNSET",
    "srun", "esac", ";;", "it's", 'a "quoted', ")", "(", "`", "${", "<<EOF",
]  # fmt: skip
"""What only looks like a slip where no command begins."""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


HARMLESS = st.one_of(
    st.sampled_from(NOISE).map(lambda text: f"# {text}"),
    st.sampled_from(NOISE).map(lambda text: f"echo {_quoted(text)} # {text}"),
    st.sampled_from(NOISE).map(lambda text: f"cat <<'END_OF_TEXT'\n{text}\nEND_OF_TEXT"),
    st.sampled_from(NOISE).map(lambda text: f'cat > notes.txt <<-"END OF TEXT" | tee b\n\t{text}\n\tEND OF TEXT'),
    st.sampled_from(NOISE[:5]).map(lambda text: f'echo "in double quotes: {text} \\"again\\" $(date "+%F")"'),
    st.sampled_from(["x=$((1 << 3))", "((i = 2 << 1)) || true", "y=${x:-RScript}", "z=(RScript module activate)"]),
    st.sampled_from(["export A=b", "mkdir -p out", "cd out || exit 1", "for i in RScript 2; do echo $i; done"]),
    st.sampled_from(
        ["if [[ $a == RScript ]]; then echo; fi", "case $a in RScript|b) : ;; *) echo ;; esac", "set -e", ""]
    ),
)
COMMANDS = st.sampled_from(
    [
        "python work.py",
        "srun python work.py",
        "Rscript --vanilla work.R",
        "mpirun --bind-to none ./model",
        "./model > log 2>&1",
    ]
)


@dataclass(frozen=True)
class Correct:
    """A script in which nothing is wrong, in pieces."""

    options: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(["#!/bin/bash", *(f"#SBATCH {option}" for option in self.options), *self.commands, ""])


@st.composite
def correct(draw: st.DrawFn) -> Correct:
    partition = draw(st.sampled_from(["parallel", "gpu-short"]))
    options = [
        draw(st.sampled_from([f"--partition={partition}", f"-p {partition}", f"-p{partition}", f"--part {partition}"]))
    ]
    options += ["--gres=gpu:1"] if partition == "gpu-short" else []
    options.append(draw(st.sampled_from(["--mem=1G", "--mem 500M", "--mem-per-cpu=2GB"])))
    options.append(draw(st.sampled_from(["-t 5", "--time=0-11:00", "-t00:05:00", "--time 10:30"])))
    options += draw(
        st.lists(
            st.sampled_from(["--job-name='a b'", "-c4", '--comment="it costs $5"', "--nodes=1", "-Hv"]), unique=True
        )
    )
    if draw(st.booleans()):
        options += [draw(st.sampled_from(["--array=1-200", "-a 1-9:2,20%3"])), "-o log_%A_%a.txt"]
    comment = draw(st.sampled_from(["", "   # RScript; $HOME", "\t#(-p_", " # it's"]))
    noise = draw(st.lists(HARMLESS, max_size=5))
    return Correct(
        tuple(f"{option}{comment}" for option in draw(st.permutations(options))),
        ("source /etc/profile", "module add R/4.3.1", *noise, draw(COMMANDS)),
    )


@given(script=correct())
def test_a_correct_script_has_no_finding(script: Correct) -> None:
    assert check(script.text) == []
    assert fix(script.text) == script.text


FAULTS = {
    "RK101": lambda script: script.text.removeprefix("#!/bin/bash\n"),
    "RK102": lambda script: script.text.replace("\n", "\r\n"),
    "RK103": lambda script: f"\ufeff{script.text}",
    "RK201": lambda script: f"{script.text}#SBATCH --nice=5\n",
    "RK202": lambda script: script.text.replace("#SBATCH --mem", "#SBACTH --mem"),
    "RK203": lambda script: Correct((*script.options, "--error=e_${SLURM_JOB_ID}_%N.txt"), script.commands).text,
    "RK205": lambda script: Correct((*script.options, "--cpu-per-task=4"), script.commands).text,
    "RK301": lambda script: Correct((*script.options, "--partition=paralel"), script.commands).text,
    "RK302": lambda script: Correct((*script.options, "--partition=test", "--time=6"), script.commands).text,
    "RK601": lambda script: Correct(script.options, (*script.commands, "time RScript x.R")).text,
    "RK602": lambda script: Correct(script.options, (*script.commands, "module activate miniforge")).text,
    "RK604": lambda script: Correct(script.options, script.commands[1:]).text,
    "RK605": lambda script: Correct(script.options, (*script.commands, "conda activate mine")).text,
    "RK607": lambda script: Correct(script.options, (*script.commands, "./last 2>&1 &")).text,
}


@pytest.mark.parametrize("code", FAULTS)
@given(script=correct())
@settings(max_examples=8)
def test_one_fault_in_any_script_is_one_finding(code: str, script: Correct) -> None:
    if code in {"RK301", "RK302"}:
        script = Correct(tuple(option for option in script.options if "gpu" not in option), script.commands)
    text = FAULTS[code](script)
    findings = check(text)
    assert [finding.code for finding in findings] == [code]
    fixed = fix(text)
    assert fix(fixed) == fixed
    assert check(fixed) == ([] if findings[0].safe else findings)


@given(text=st.text(st.sampled_from("#SBATCH -p=x\n\r\t'\"`$(){}<>;&|\\ \ufeffEOFcase in esac RScript"), max_size=200))
@example(text="=&<'")
@example(text="x <<E &\n")
def test_any_text_can_be_looked_at_and_mending_it_comes_to_rest(text: str) -> None:
    check(f"#!/bin/bash\n{text}")
    fixed = fix(text)
    assert fix(fixed) == fixed
    assert [finding for finding in check(fixed) if finding.safe and finding.edits] == []


PIECES = st.recursive(
    st.integers(0, 99).map(lambda number: f"c{number} 'RScript x' \"c100\" \\\n  c101"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["; ", "\n", " && ", " || ", " | ", " &\n"]), inner).map("".join),
        inner.map(lambda text: f"( {text}\n)"),
        inner.map(lambda text: f"{{ {text}\n}}"),
        inner.map(lambda text: f"if c1; then\n{text}\nfi"),
        inner.map(lambda text: f"for x in c101 '('; do {text}\ndone > /dev/null"),
        inner.map(lambda text: f'while c2 $(c3 ")"); do {text}\ndone'),
        inner.map(lambda text: f"case c101 in (c102|'c103') {text}\n;; c104) c5 ;; esac"),
        inner.map(lambda text: f'c6 "$( {text}\n)" # c105 \' "\nc4 c113'),  # what follows is not in the comment
        inner.map(lambda text: f'x=$((1<<2)) y=(c106 "c107") c7 <<A 3<<\'B\'\n$x c108\nA\nc109 $( "\nB\n{text}'),
        inner.map(lambda text: f"[[ a < b && ( c111 || d ) ]] && {text}"),
        inner.map(lambda text: f"c8 <(c9) `c10 c110` {{fd}}> c112 && {text}"),
    ),
    max_leaves=8,
)


def _is_bash(script: str) -> bool:
    completed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    return completed.returncode == 0 and not completed.stderr


@given(script=PIECES)
def test_the_commands_of_a_script_are_found_and_no_others(script: str) -> None:
    """Numbers up to 99 are commands, those above are not, wherever they stand."""
    assert _is_bash(script)
    found_names = [command.name for command in shell.read(script).commands]
    names = {name for name in found_names if name.startswith("c") and name[1:].isdigit()}
    written = {f"c{number}" for number in range(100) if re.search(rf"\bc{number}\b", script)}
    assert names == written


@given(
    options=st.lists(st.tuples(st.sampled_from(sorted(directives.TAKING_VALUE)), WORD), max_size=6), glued=st.booleans()
)
def test_options_are_read_however_they_are_written(options: list[tuple[str, str]], glued: bool) -> None:
    lines = []
    for name, value in options:
        letter = directives.TAKING_VALUE[name]
        short = f"-{letter}{value}" if glued else f"-{letter} '{value}'"
        lines.append(
            f"#SBATCH {short if letter else f'--{name}={value}' if glued else f'--{name} {value}'} # --no-such"
        )
    read = directives.read("\n".join(["#!/bin/sh", "", *lines, "hostname", "#SBATCH --mem=1"]))
    assert [(option.name, option.value) for option in read.options] == options
    assert read.slips == ()
