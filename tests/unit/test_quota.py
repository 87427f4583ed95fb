"""Quota commands read: what the sites print, what is cut off, and what nobody has ever seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.clusters.login_node import quota_formats
from rookery.jobs.monitor import quota

GPFS = """\
Filesystem          Quota      Used     Avail     Use%     # files
home                  10G     5.50G     4.50G    55.00      24840
storage              200G   190.00G    10.00G    95.00     202781
scratch            10240G  2001.00G  8239.00G    19.54         23
"""

QUOTA_S = """\
Disk quotas for user ada (uid 1000):
     Filesystem   space   quota   limit   grace   files   quota   limit   grace
      /dev/sda1  18432M* 16384M  20480M   6days    123k    150k    200k
nfs.example.ac.uk:/export/projects
                   512K       0       0               7       0       0
"""

PROFILE = {
    "cluster_quota": {"command": "gpfsquota", "format": "gpfsquota"},
    "cluster_storage": [
        {"name": "home", "expression": "$HOME", "file_cost_kb": 32},
        {"name": "persistent", "expression": "$global_storage", "file_cost_kb": 32},
        {"name": "scratch", "expression": "$global_scratch", "purge_days": 28},
        {"name": "project", "expression": "/projects/x"},
    ],
}


def answer(command: str = "", *disks: tuple[str, str, str]) -> str:
    """What the cluster sends: the quota command's output, then df's line for each area."""
    lines = [f"rookery-area: {name} {path}\nrookery-df: {df}\n" for name, path, df in disks]
    return "rookery-quota:\n" + (f"{command}rookery-exit: 0\n" if command else "") + "".join(lines)


def test_gpfsquota_as_the_site_s_documentation_has_it() -> None:
    home, storage, scratch = quota_formats.gpfsquota(GPFS)
    assert (home.name, home.used_mb, home.limit_mb, home.files) == ("home", 5632, 10240, 24840)
    assert (storage.name, storage.percent, storage.warning) == ("persistent", 95, "full")
    assert (scratch.limit_mb, scratch.files, scratch.warning) == (10485760, 23, "")


def test_quota_s_with_a_grace_a_star_and_a_name_on_a_line_of_its_own() -> None:
    disk, nfs = quota_formats.quota_s(QUOTA_S)
    assert (disk.name, disk.used_mb, disk.limit_mb, disk.files, disk.files_limit) == (
        "/dev/sda1", 18432, 16384, 123_000, 150_000,
    )  # fmt: skip
    assert (nfs.name, nfs.used_mb, nfs.limit_mb, nfs.files) == ("nfs.example.ac.uk:/export/projects", 0.5, None, 7)
    assert (disk.warning, nfs.percent) == ("full", 0)


@pytest.mark.parametrize(("used", "word"), [(79, ""), (80, "filling"), (89.9, "filling"), (90, "full"), (120, "full")])
def test_one_is_told_from_80_per_cent_on(used: float, word: str) -> None:
    assert quota_formats.Area("home", used, 100).warning == word


def test_files_count_against_their_own_limit() -> None:
    assert quota_formats.Area("home", 1, 100, files=95, files_limit=100).warning == "full"


def test_areas_get_their_paths_costs_and_purges_and_df_tells_of_the_rest() -> None:
    df = "/dev/sdb1 1000000 250000 750000 25% /"
    areas, raw = quota.read(answer(GPFS, ("home", "/home/ada", df), ("project", "/projects/x", df)), PROFILE)
    assert raw == ""
    by_name = {area.name: area for area in areas}
    assert list(by_name) == ["home", "persistent", "scratch", "project"]
    assert by_name["home"].path == "/home/ada"
    assert by_name["persistent"].note == "202,781 files take at least 6.2 GB of it"
    assert by_name["scratch"].note == "files are deleted after 28 days"
    assert (by_name["project"].source, by_name["project"].percent) == ("df", 25)


def test_a_disk_of_quota_s_gets_the_names_of_the_areas_on_it() -> None:
    profile = {**PROFILE, "cluster_quota": {"command": "quota -s", "format": "quota-s"}}
    df = "/dev/sda1 1000 250 750 25% /home"
    areas, _ = quota.read(answer(QUOTA_S, ("home", "/home/ada", df), ("project", "/home/x", df)), profile)
    assert [area.name for area in areas] == ["home, project", "nfs.example.ac.uk:/export/projects"]


def test_without_a_quota_command_areas_on_one_disk_are_one() -> None:
    df = "disk with blanks 1000 250 750 25% /home"
    areas, raw = quota.read(answer("", ("home", "/home/ada", df), ("scratch", "/home/ada/s", df)), {})
    assert ([area.name for area in areas], raw) == (["home, scratch"], "")


def test_what_is_not_understood_is_handed_on_as_it_is() -> None:
    areas, raw = quota.read(answer("The quota server is down.\n", ("home", "/h", "d 10 5 5 50% /")), PROFILE)
    assert raw == "The quota server is down."
    assert [area.source for area in areas] == ["df"]


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("homestrage 0123456789.GMTK%*-:/\n\t#"), max_size=300))
def test_nothing_that_is_printed_breaks_the_parsers(text: str) -> None:
    for area in (*quota_formats.gpfsquota(text), *quota_formats.quota_s(text)):
        assert area.used_mb >= 0
        assert area.limit_mb is None or area.limit_mb > 0
        assert area.percent >= 0
    quota.read(text, PROFILE)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 9999), st.integers(0, 9999), st.integers(0, 10**7)),
    st.sampled_from(["K", "M", "G", "T"]),
    st.sampled_from(["", "6days", "none", "12:30"]),
)
def test_numbers_come_back_as_they_were_printed(numbers: tuple[int, int, int], unit: str, grace: str) -> None:
    limit, used, files = numbers
    megabytes = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}[unit]
    (gpfs,) = quota_formats.gpfsquota(f"home {limit}{unit} {used}.00{unit} 1.00G 0.50 {files}")
    (linux,) = quota_formats.quota_s(f"disk {used}{unit} {limit}{unit} {limit}{unit} {grace} {files} 0 0")
    for area in (gpfs, linux):
        assert area.used_mb == pytest.approx(used * megabytes)
        assert area.limit_mb == pytest.approx(limit * megabytes)
        assert area.files == files
