"""Quota commands read: what the sites print, what is cut off, and what nobody has ever seen."""

import pytest
from hypothesis import given
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

FORMS = ("gpfsquota", "quota-s", "lfs", "df", "json")

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


# The form of lfs-quota(1): user and group, a long name on a line of its own, one that is over its quota, one inexact
LFS = """\
Disk quotas for usr ada (uid 1000):
     Filesystem  kbytes   quota   limit   grace   files   quota   limit   grace
        /work/  411516     0 1048576       -       6       0     100       -
/mnt/lustre/a-long-name
                 2048*    1024    4096 6d23h59m50s     [70]      50     100       -
Disk quotas for grp lab (gid 2000):
     Filesystem  kbytes   quota   limit   grace   files   quota   limit   grace
         /work/ 1000000     0 1048576       -       9       0       0       -
"""
LFS_H = """\
     Filesystem    used   quota   limit   grace   files   quota   limit   grace
          /work    1.5G      0k     10G       -    1.2k       0       0       -
"""

DF = """\
Filesystem                    Size  Used Avail Use% Mounted on
10.1.2.3:/vol/home one         50G   20G   30G  40% /home/ada
/dev/root                     100G   90G   10G  90% /
"""

SHOWQUOTA = """\
[{"fs": "home", "space_used": "11.17GiB", "space_quota": "40.00GiB", "inode_used": "30.60K", "inode_quota": "1.00M"},
 {"name": "/work", "used": 1048576, "limit": null, "files": 3}, {"name": 7, "used": 1}, {"name": "x"}, 5]
"""


def test_lustre_s_quota_is_the_one_that_is_nearest_its_limit() -> None:
    work, other = quota_formats.lfs(LFS)
    assert (work.name, round(work.percent), work.limit_mb) == ("/work/", 95, 1024)
    assert (other.name, other.used_mb, other.limit_mb, other.files, other.files_limit) == (
        "/mnt/lustre/a-long-name", 2, 1, 70, 50,
    )  # fmt: skip
    (human,) = quota_formats.lfs(LFS_H)
    assert (human.used_mb, human.limit_mb, human.files) == (1536, 10240, 1200)


def test_df_s_size_is_the_limit() -> None:
    home, root = quota_formats.df(DF)
    assert (home.name, home.used_mb, home.limit_mb) == ("/home/ada", 20480, 51200)
    assert (root.name, root.percent) == ("/", 90)
    (block,) = quota_formats.df("Filesystem 1024-blocks Used Available Capacity Mounted on\nx 2048 1024 1024 50% /m")
    assert (block.used_mb, block.limit_mb) == (1, 2)


def test_json_of_nersc_s_form_and_of_rookery_s() -> None:
    home, work = quota_formats.json_list(SHOWQUOTA)
    assert (home.name, round(home.used_mb), home.limit_mb) == ("home", 11438, 40960)
    assert (home.files, home.files_limit) == (30600, 1_000_000)
    assert (work.used_mb, work.limit_mb, work.files) == (1, None, 3)
    assert quota_formats.json_list('{"a": [') == quota_formats.json_list('{"a": 1}') == []


def test_folders_are_the_storage_in_them_the_innermost_first() -> None:
    profile = {
        "cluster_quota": {"command": "df -h", "format": "df"},
        "cluster_storage": [{"name": "home", "expression": "$HOME"}, {"name": "lab", "expression": "/data/lab"}],
    }
    disk = "10.1.2.3:/vol/home one 100 50 50 50% /"
    areas, raw = quota.read(answer(DF, ("home", "/home/ada", disk), ("lab", "/data/lab", disk)), profile)
    assert ([(area.name, area.path) for area in areas], raw) == ([("home", "/home/ada"), ("lab", "/data/lab")], "")


def test_what_a_quota_command_calls_by_its_role_is_found() -> None:
    profile = {
        **PROFILE,
        "cluster_storage": [{"name": "home", "expression": "$HOME"}, {"name": "work", "expression": "/w"}],
    }
    disk = "d 100 50 50 50% /"
    areas, _ = quota.read(answer(GPFS, ("home", "/home/ada", disk), ("work", "/w/ada", disk)), profile)
    assert [area.name for area in areas] == ["home", "work", "scratch"]


def test_a_command_that_is_not_there_is_missing() -> None:
    said = "rookery-quota:\nbash: line 1: gpfsquota: command not found\nrookery-exit: 127\n"
    said += "rookery-area: home /h\nrookery-df: d 10 5 5 50% /\n"
    areas, raw = quota.read(said, PROFILE)
    assert ([area.source for area in areas], raw) == (["df"], "")
    assert quota.missing_command(said, PROFILE) == "gpfsquota"
    assert quota.missing_command(said.replace("127", "1"), PROFILE) == ""


@given(st.text(alphabet=st.sampled_from('homestrage 0123456789.GMTK%*-:/\n\t#[]{},"'), max_size=300))
def test_nothing_that_is_printed_breaks_the_parsers(text: str) -> None:
    for area in (area for form in FORMS for area in quota_formats.areas(form, text)):
        assert area.used_mb >= 0
        assert area.limit_mb is None or area.limit_mb > 0
        assert area.percent >= 0
    quota.read(text, PROFILE)


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
