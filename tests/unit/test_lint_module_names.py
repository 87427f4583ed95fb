"""Names of modules that a cluster does not have (RK610), by its profile, and by its whole list where that is kept."""

from pathlib import Path

import pytest
from linting import check, codes
from projects import known

from rookery.clusters.survey import module_list
from rookery.clusters.survey.answer import Survey
from rookery.core import state_files

HEC = """\
#!/bin/bash
#SBATCH --partition=parallel
#SBATCH --mem=1G
#SBATCH --time=00:05:00
source /etc/profile
module add miniforge/20240923
python work.py
"""
LISTED = (
    "/opt/modulefiles:",
    "R/4.3.1",
    "R/4.2.0(default)",
    "miniforge/20240923",
    "miniforge/",
    "cuda/12.0",
    "openmpi/4.1.3-intel <L>",
    "gcc/12.2.0",
    "site/tools/git/2.4",
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("r/4.3.1", "module add R/4.3.1"),
        ("R-4.3.1", "module add R/4.3.1"),
        ("Miniforge/20240923", "module add miniforge/20240923"),
        ("minforge/20240923", "module add miniforge/20240923"),
        ("MINIFORGE", "module add miniforge"),
        ("openmpi/4.1.3_intel", "module add openmpi/4.1.3-intel"),
    ],
)
def test_a_module_s_name_with_a_slip(name: str, mended: str) -> None:
    text = HEC.replace("miniforge/20240923", name)
    (finding,) = check(text)
    assert (finding.code, finding.severity, finding.mended, finding.safe) == ("RK610", "warning", mended, False)


@pytest.mark.parametrize(
    "line",
    [
        "module add R/4.2.0",
        "module add R",
        "module add cuda/1.20",
        "module add gcc/11.2.0 python",
        "module add opence",
        "module add $R_MODULE",
        "module unload r/4.3.1",
        "module use ~/modules; module add r/4.3.1",
        "module list r/4.3.1",
        "ml R/4.3.1",
    ],
)
def test_a_module_s_name_that_may_be_right(line: str) -> None:
    assert codes(HEC.replace("module add miniforge/20240923", line)) == []


def with_list(*lines: str, left_out: bool = False, complete: str = "yes") -> None:
    """Keep what a survey of hec has listed."""
    facts = {"module": lines, "all-modules": (complete,)}
    module_list.save(known("hec"), Survey(facts, {"module": 3} if left_out else {}))


def why(line: str) -> str:
    """What the one finding about a line says."""
    (finding,) = check(HEC.replace("module add miniforge/20240923", line))
    assert (finding.code, finding.severity, finding.safe) == ("RK610", "warning", False)
    return finding.why.partition(" (`clusters.check hec` made the list at ")[0]


def test_a_module_that_is_not_in_the_whole_list() -> None:
    with_list(*LISTED)
    assert why("module load anaconda3/2099") == (
        "hec has no module anaconda3/2099: nothing is loaded, and the script continues. "
        "Similar modules: miniforge/20240923."
    )
    assert why("module add R/4.9") == (
        "hec has no module R/4.9: nothing is loaded, and the script continues. Similar modules: R/4.3.1, R/4.2.0."
    )
    assert why("ml nonesuch") == "hec has no module nonesuch: nothing is loaded, and the script continues."
    (finding,) = check(HEC.replace("miniforge/20240923", "r/4.2.0"))
    assert finding.mended == "module add R/4.2.0"


@pytest.mark.parametrize(
    "line",
    [
        "module add R/4.2.0",
        "module add R",
        "module add gcc/12",
        "module add gcc@12",
        "module add miniforge/latest",
        "module add site/tools",
        "module add site/tools/git",
        "module add $MODULE",
        "module use /my/modules; module add nonesuch",
        "module restore mine; module add nonesuch",
        "module add gcc/12.2.0 nonesuch",
        "module add gcc/12.2.0; module add nonesuch",
        "[ -d /sw ] && module add nonesuch",
        "source /opt/spack/setup-env.sh; module add nonesuch",
        "source ~/.bashrc; module add nonesuch",
        "export MODULEPATH=/my/modules:$MODULEPATH; module add nonesuch",
        "module unload nonesuch",
    ],
)
def test_a_module_that_may_be_there(line: str) -> None:
    """What is loaded first may bring other modules into view."""
    with_list(*LISTED)
    assert codes(HEC.replace("module add miniforge/20240923", line)) == []


def test_a_list_that_is_not_whole_is_not_kept() -> None:
    with_list(*LISTED, left_out=True)
    assert module_list.load(known("hec")) is None
    for complete in ("no", ""):
        with_list(*LISTED, complete=complete)
        assert module_list.load(known("hec")) is None
    with_list("No module(s) or extension(s) found!", 'Use "module spider" to find all possible modules.')
    assert module_list.load(known("hec")) is None
    assert codes(HEC.replace("miniforge/20240923", "nonesuch")) == []


def test_a_list_that_can_t_be_used_is_none() -> None:
    with_list(*LISTED)
    listed = module_list.load(known("hec"))
    assert listed
    assert listed.names == (
        "R/4.2.0", "R/4.3.1", "cuda/12.0", "gcc/12.2.0", "miniforge/20240923", "openmpi/4.1.3-intel",
        "site/tools/git/2.4",
    )  # fmt: skip
    state_files.save(module_list.place(known("hec")), {"modules": "R"})
    assert module_list.load(known("hec")) is None
