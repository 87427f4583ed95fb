"""Pages on the clusters, made from their profiles."""

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import library_profiles
import pytest
from projects import known
from user_home import at_home, own_inventory

from rookery.clusters.config import library, profile
from rookery.core import paths
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.scripts import partition, placement
from rookery.support import cluster_pages
from rookery.support.cohort import cohort_file
from rookery.support.options import ClustersGuideOptions

PAGES = paths.root() / "docs/clusters"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


def other(name: str) -> str:
    return cluster_pages.page(known(name))


def test_the_committed_pages_are_what_the_profiles_make() -> None:
    made = {f"{name}.md": cluster_pages.page(profile.load(name)) for name in profile.names()}
    pages = {file.name: file.read_text(encoding="utf-8") for file in PAGES.iterdir()}
    assert pages == made, "invoke clusters.guide --output docs/clusters"


@pytest.mark.parametrize("name", ["hex-metal", *library_profiles.NAMES])
def test_every_profile_makes_a_page(name: str) -> None:
    page = other(name)
    assert f"rookery onboard {name}\n" in page
    assert "None" not in page
    assert "\n\n\n" not in page
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert len({line.count(" |") for line in table.splitlines()}) == 1, table


def test_what_could_not_be_verified_is_marked() -> None:
    lines = cluster_pages.page(profile.load("hec")).splitlines()
    assert "- VS Code: allowed. **(?)**" in lines
    assert "- Internet on compute nodes: not known. **(?)**" in lines
    assert "- A VPN is needed off campus: Lancaster University VPN." in lines
    # a part of a key alone: VS Code's word on Bede is doubtful, tmux's is only not known
    bede = cluster_pages.page(profile.load("bede")).splitlines()
    assert "- VS Code: unsupported. **(?)**" in bede
    assert "- Several commands over one connection: documented." in bede


def test_a_doubt_of_a_part_marks_the_table_that_has_it() -> None:
    hec = profile.load("hec")
    doubts = ["cluster_gpus[1].partitions", "cluster_storage.quota_mb", "cluster_partitions"]
    page = cluster_pages.page(replace(hec, data=MappingProxyType({**hec.data, "cluster_unverified": doubts})))
    for cell in ("NVIDIA L40 **(?)**", "your home **(?)**", "`serial` **(?)**"):
        assert f"| {cell} |" in page
    assert "VS Code: allowed.\n" in page


def test_what_the_profile_does_not_say_is_not_told() -> None:
    page = other("hex-metal")
    for word in ("account", "Backup", "VS Code:", "Internet", "**(?)**", "GB"):
        assert word not in page.replace("## An account", "")
    assert "- Login node: `hex-host-001.scc.lancs.ac.uk`, port 6767." in page
    assert "jump host `scc-apex-dept.lancs.ac.uk:6767`" in cluster_pages.page(profile.load("hex"))
    mine = MappingProxyType({**profile.load("hex").data, "cluster_proxy_jump": "ada@jump:22,me@second"})
    assert "jump host `jump:22,second`" in cluster_pages.page(replace(profile.load("hex"), data=mine))


def test_bede_tells_codes_prompts_keys_and_architectures() -> None:
    page = cluster_pages.page(profile.load("bede"))
    assert "You log in with your password, then the six digits from your app." in page
    assert "The login asks for `First Factor:`, then `Second Factor:`." in page
    assert "`SHA256:HbIkgn8V+nCLr3R99+C5uwnAWLxKTUD954qRGnzMRUM` (ssh-ed25519)" in page
    assert "Architecture: aarch64; `ghlogin -A PROJECT` opens a shell there; submit jobs with `ghbatch`." in page
    assert "Tuesdays 08:00 to 10:00" in page
    assert "| a GPU |" in page


def test_a_profiles_words_are_no_markup() -> None:
    hec = profile.load("hec")
    data = {**hec.data, "cluster_notes": ["<script>x</script> | [a](b)"], "cluster_title": "A <b>"}
    page = cluster_pages.page(replace(hec, data=MappingProxyType(data)))
    assert "\n- \\<script\\>x\\</script\\> \\| \\[a\\](b)\n" in page
    assert page.startswith("# A \\<b\\>\n")


def test_a_page_is_printed_or_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_inventory(home, "hosts.yml", "all: {hosts: {mine: }}\n")
    text = (library.folder() / "csd3.yml").read_text()
    own_inventory(home, "host_vars/mine.yml", text)
    assert cluster_pages.run(ClustersGuideOptions("mine")) == 0
    assert capsys.readouterr().out.startswith("# CSD3 (University of Cambridge)\n")
    assert cluster_pages.run(ClustersGuideOptions(output=str(home / "pages"))) == 0
    assert sorted(file.name for file in (home / "pages").iterdir()) == [
        f"{name}.md" for name in sorted(profile.names())
    ]
    assert cluster_pages.run(ClustersGuideOptions("hec", str(home / "pages"))) == 0
    (home / "pages/hec.md").write_text("my own notes")
    with pytest.raises(RookeryError, match=r"hec\.md exists already and is not a page"):
        cluster_pages.run(ClustersGuideOptions("hec", str(home / "pages")))
    with pytest.raises(RookeryError, match="Missing argument CLUSTER"):
        cluster_pages.run(ClustersGuideOptions())


def test_what_supervisors_are_shown_works(home: Path) -> None:
    text = "".join(
        (PAGES.parent / "how-to" / page).read_text(encoding="utf-8")
        for page in ("onboard-a-cohort.md", "add-a-cluster.md")
    )
    students, hosts, iceberg, more = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (home / "students.yml").write_text(students)
    assert [student.slug for student in cohort_file.load(home / "students.yml", profile.names())] == [
        "ada-lovelace",
        "grace-hopper",
    ]
    own_inventory(home, "hosts.yml", hosts)
    own_inventory(home, "host_vars/iceberg.yml", iceberg)
    page = cluster_pages.page(profile.load("iceberg"))
    assert "Fill in the form on their page. https://example.ac.uk/iceberg/account" in page
    assert "| `short` **(?)** |" in page
    without = re.sub(r"cluster_partitions:\n.*\n", "", iceberg)
    own_inventory(home, "host_vars/iceberg.yml", without + more)
    site = profile.load("iceberg")
    placed = partition.placed(Job("j", gpus=1), site)
    assert (placed.partition, placed.qos) == ("gpu", "gpu")
    assert placement.preamble(placed, site) == ["module purge", "module load gpu-stack"]
    assert "| `gpu` |" in cluster_pages.page(site)
