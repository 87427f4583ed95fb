"""Scripts of PBS, SGE and LSF: what the real sbatch makes of their lines and of their translations, which run."""

import pytest
import test_lint_other_schedulers as lines
import test_lint_translation as tables
from lint_agreement import ask
from live import Live
from projects import known
from translating import translated
from waiting import wait_for

from rookery.jobs import lint
from rookery.jobs.lint.translation.model import site_of

pytestmark = pytest.mark.cluster

ARRAY = """\
#!/bin/bash
#$ -N squares -cwd -j y
#$ -pe smp 2
#$ -l h_rt=0:05:00,h_vmem=100M
#$ -t 1-2
#$ -o out.$JOB_ID.$TASK_ID
echo "$SGE_TASK_ID of $SGE_TASK_LAST in $JOB_NAME: $((SGE_TASK_ID * SGE_TASK_ID)) with $NSLOTS cores"
"""


def _cases(test: object) -> list[str]:
    """The first parameter of each case of a unit test."""
    return [case[0] for case in test.pytestmark[0].args[1]]  # type: ignore[attr-defined]


def test_sbatch_rejects_the_lines_that_lint_says_it_does(hec: Live) -> None:
    rejecting = lines.test_a_script_of_another_scheduler_is_one_finding_that_names_the_translation
    silent = lines.test_comments_and_scripts_for_both_schedulers_have_no_finding
    scripts = {case: lines.script(case) for case in (*_cases(rejecting), *_cases(silent))}
    answers = ask(hec.ssh_command, {case: text.encode() for case, text in scripts.items()})
    refused = {case for case, answer in answers.items() if not answer.accepted}
    assert refused == {case for case, text in scripts.items() if "RK108" in lines.other(text)}


def test_sbatch_accepts_translations(hec: Live) -> None:
    site = site_of(known("hec"))
    scripts = {
        f"{mark} {case}": translated(f"#!/bin/bash\n{mark} {case}\ncd work\n./model\n", site).text
        for mark, test in (
            ("#PBS", tables.test_options_of_pbs),
            ("#$", tables.test_options_of_sge),
            ("#BSUB", tables.test_options_of_lsf),
        )
        for case in _cases(test)
    }
    answers = ask(hec.ssh_command, {case: text.encode() for case, text in scripts.items()})
    assert {case: answer.text for case, answer in answers.items() if not answer.accepted} == {}


def test_a_translated_array_runs(hec: Live) -> None:
    text = translated(ARRAY, site_of(known("hec"))).text
    findings = lint.check(text, known("hec"), path="a.sh", files=lambda _: None)
    assert [finding for finding in findings if finding.severity == "error"] == []
    hec.run(f"mkdir -p translated && cat >translated/job.slurm <<'END'\n{text}END")
    number = hec.run("cd translated && sbatch --parsable job.slurm")
    wait_for(lambda: not hec.run(f"squeue --noheader --jobs={number} 2>/dev/null || true"))
    assert hec.run(f"cat translated/out.{number}.*").splitlines() == [
        "1 of 2 in squares: 1 with 2 cores",
        "2 of 2 in squares: 4 with 2 cores",
    ]
