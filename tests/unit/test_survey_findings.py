"""What a cluster's answers mean for its profile."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from surveys import GIVEN, NODE, findings, full, survey, value

from rookery.clusters.config import own_inventory
from rookery.clusters.survey import profile_findings, profile_text
from rookery.clusters.survey.finding import GivenAnswers, by_key
from rookery.core.yaml_document import fastest

GPU_NODE = "2 Arch=x86_64 CPUTot=64 RealMemory=500000 Gres={} AvailableFeatures={} Partitions={}"


def written(given: GivenAnswers = GIVEN, **facts: list[str]) -> dict[str, Any]:
    """The profile as it is written and read again; it must be valid."""
    found = profile_findings.collect(survey(**facts), given)
    text = profile_text.text(given.name, found, given.today)
    own_inventory.validate(given.name, text, by_key(found))
    loaded = yaml.load(text, fastest())
    assert isinstance(loaded, dict)
    return loaded


def test_a_plain_cluster_s_profile_is_valid() -> None:
    profile = written()
    assert profile["cluster_host"] == "login.example.org"
    assert profile["cluster_partitions"] == [{"name": "main", "for": "any", "max_minutes": 1440}]
    assert profile["cluster_nodes"] == {"count": 4, "cores": 32, "memory_mb": 190000}
    assert profile["cluster_verified_on"] == "2026-11-29"
    assert profile["cluster_array"] == {"max_size": 1000}


def test_of_nodes_of_different_sizes_the_largest_is_a_limit() -> None:
    larger = (
        NODE.format("(null)")
        .replace("4 Arch", "2 Arch")
        .replace("CPUTot=32 RealMemory=190000", "CPUTot=16 RealMemory=770000")
    )
    assert value("cluster_nodes", nodes=[NODE.format("(null)"), larger]) == {
        "count": 6,
        "max_cores": 32,
        "max_memory_mb": 770000,
    }


def test_every_line_says_how_it_is_known_and_when() -> None:
    text = profile_text.text("iceberg", profile_findings.collect(survey(), GIVEN), GIVEN.today)
    lines = [line for line in text.splitlines() if line.startswith("cluster_")]
    assert len(lines) > 15
    assert [line for line in lines if not line.endswith("(2026-11-29)")] == []
    assert "# cluster_vpn: unknown: whether a VPN is needed" in text.splitlines()


def test_what_is_concluded_is_listed_as_unverified() -> None:
    found = findings(module=["R/4.3.1"], modules=["lmod"])
    unverified = found["cluster_unverified"].value
    assert {"cluster_logins", "cluster_job_preamble", "cluster_partitions.for"} <= set(unverified)
    assert "cluster_os" not in unverified
    assert [name for name in unverified if name.startswith("cluster_gpus")] == []


@pytest.mark.parametrize(
    "name", ["yes", "null", "~", "1e3", "0x10", "2026-11-29", "1_000", ".5", "=", "on", "12:30:00", "a=b", "@x"]
)
def test_names_that_yaml_would_read_otherwise_come_out_as_text(name: str) -> None:
    facts = {
        "partition": [f"PartitionName={name} Default=YES State=UP"],
        "nodes": [GPU_NODE.format(f"gpu:{name}:4", name, name), NODE.format("other")],
    }
    profile = written(**facts)
    usable = name[0].isalnum() and ":" not in name  # else it can't be an argument of sbatch
    partitions = profile.get("cluster_partitions", [])
    assert [entry["name"] for entry in partitions] == ([name] if usable else [])
    assert [gpu["type"] for gpu in profile.get("cluster_gpus", [])] == ([name] if usable else [])


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("os", "{{ lookup('pipe', 'id') }}"),
        ("os", "evil: [x, #"),
        ("os", "a\tb \u202e\x1b[31m c"),
        ("os", "'\"\\ !!python/object:os.system"),
        ("module", "R/{{1}}"),
        ("module", "gcc/9 # x"),
        ("place", "WORK nfs 1 x:/ /work/{{ x }}"),
        ("place", "WORK;id nfs 1 x:/ /work/ada"),
        ("place", "WORK nfs 1 x:/ /work/$(id)"),
        ("groups", "{{ x }}"),
        ("trial", "plain no error: account {{ x }} # \x1b[31m"),
        ("quota:gpfsquota", "{{x}} 10G 1G 9G 1 3"),
        ("assoc", "{{x}}||{{x}}|{{x}}|cpu={{x}}|"),
        ("python", "3.6; rm"),
        ("glibc", "- [}"),
        ("slurm", "slurm {{ x }}"),
        ("internet", "{{ x }}"),
        ("modules", "{{ x }}"),
        ("architecture", "x86_64: {"),
    ],
)
def test_hostile_answers_make_no_invalid_profile(key: str, line: str) -> None:
    profile = written(**{key: [line]})
    assert "{{" not in yaml.safe_dump(profile)
    assert profile["cluster_scheduler"] == "slurm"


def test_a_system_s_name_comes_out_as_it_is() -> None:
    assert written(os=["evil: [x, #"])["cluster_os"] == "evil: [x, #"


@pytest.mark.parametrize(
    ("trials", "account"),
    [
        (["plain yes"], {"required": False}),
        (["plain no error: account", "account:proj yes"], {"required": True, "name": "proj"}),
        (["plain no x", "partition:main yes"], {"required": False}),
        (["plain no x", "partition:main no x", "partition:main:account yes"], {"required": True, "name": "proj"}),
        (["plain no error: Jobs must name the project"], {"required": True}),
        (["plain no error: unknown"], {"required": False}),
        ([], {"required": False}),
    ],
)
def test_whether_jobs_need_an_account(trials: list[str], account: dict[str, Any]) -> None:
    assert value("cluster_account", trial=trials, assoc=["proj||normal|normal||"]) == account


def test_a_default_qos_is_one_that_jobs_are_refused_without() -> None:
    found = findings(trial=["plain no x", "qos:standard yes", "in:main yes"])
    assert found["cluster_default_qos"].value == "standard"
    assert found["cluster_qos"].value == [{"name": "standard"}]
    assert not {"cluster_qos", "cluster_default_qos"} & findings().keys()


PARTITION = "PartitionName={} State=UP {}"


@pytest.mark.parametrize(
    ("name", "limits", "kind"),
    [
        ("main", "", "any"),
        ("short", "MaxTime=00:20:00", "test"),
        ("devel", "", "test"),
        ("interactive", "", "interactive"),
        ("himem", "", "bigmem"),
        ("serial", "", "serial"),
        ("one", "MaxNodes=1 MaxCPUsPerNode=1", "serial"),
        ("parallel", "", "parallel"),
    ],
)
def test_what_a_partition_is_for(name: str, limits: str, kind: str) -> None:
    partitions = value("cluster_partitions", partition=[PARTITION.format(name, limits)])
    assert partitions[0]["for"] == kind


def test_gpus_of_each_kind_of_node() -> None:
    found = findings(
        partition=[PARTITION.format("main", "Default=YES"), PARTITION.format("gpu", "")],
        nodes=[
            NODE.format("(null)"),
            GPU_NODE.format("gpu:a100-80gb:4(S:0-1),mps:400", "a100,ib", "gpu"),
            GPU_NODE.format("gpu:2", "(null)", "gpu"),
        ],
        trial=["plain yes", "in:main yes", "in:gpu no x", "in:gpu:gres no x", "in:gpu:gpus yes"],
    )
    assert found["cluster_gpus"].value == [
        {
            "type": "a100-80gb",
            "partitions": ["gpu"],
            "memory_gb": 80,
            "per_node": 4,
            "nodes": 2,
            "node_cores": 64,
            "node_memory_mb": 500000,
        },
        {
            "type": "gpu",
            "partitions": ["gpu"],
            "per_node": 2,
            "nodes": 2,
            "node_cores": 64,
            "node_memory_mb": 500000,
        },
    ]
    assert found["cluster_gpu_request"].value == "gpus"
    assert found["cluster_partitions"].value[1] == {
        "name": "gpu",
        "for": "gpu",
        "gpu_types": ["a100-80gb", "gpu"],
        "min_gpus": 1,
    }
    assert [entry["name"] for entry in found["cluster_constraints"].value] == ["a100", "ib"]


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ("AllowGroups=students", True),
        ("AllowGroups=staff", False),
        ("AllowAccounts=proj", True),
        ("AllowAccounts=others", False),
        ("AllowQos=gpu", True),
        ("AllowQos=vip", False),
        ("State=INACTIVE", False),
    ],
)
def test_partitions_that_the_user_may_not_use_are_left_out(fields: str, usable: bool) -> None:
    partitions = value(
        "cluster_partitions",
        partition=[PARTITION.format("main", ""), f"PartitionName=x {fields}"],
        assoc=["proj||normal,gpu|normal||"],
    )
    assert ("x" in [entry["name"] for entry in partitions]) == usable


def test_a_partition_that_refuses_the_user_is_left_out_and_one_that_refuses_everything_is_not() -> None:
    lines = [PARTITION.format(name, "") for name in ("main", "x")]
    refused = "in:x no error: User's group not permitted to use this partition"
    names = [entry["name"] for entry in value("cluster_partitions", partition=lines, trial=["in:main yes", refused])]
    assert names == ["main"]
    names = [entry["name"] for entry in value("cluster_partitions", partition=lines, trial=["in:main no", refused])]
    assert names == ["main", "x"]


def test_a_partition_s_own_qos_is_one_of_that_partition() -> None:
    lines = [PARTITION.format("main", ""), PARTITION.format("gpu", "AllowQos=gpu")]
    qualities = value("cluster_qos", partition=lines, assoc=["proj||normal,gpu|normal||"])
    assert qualities == [{"name": "gpu"}, {"name": "normal", "partitions": ["main"]}]


QOS = [
    "normal|2-00:00:00|cpu=512,gres/gpu=8|node=4,cpu=128|16|64|gres/gpu=2,node=2",
    "brief|00:20:00|||||",
    "one|||cpu=1|||",
    "dev_x||||||",
    "others||||||",
]


def test_what_each_qos_of_the_user_allows() -> None:
    found = findings(qos=QOS, assoc=["proj||normal,brief,one,dev_x|normal||"])
    limits = {"max_minutes": 2880, "max_nodes": 4, "min_nodes": 2, "cores": 128, "gpus_per_user": 8, "min_gpus": 2}
    assert found["cluster_qos"].value == [
        {"name": "normal", **limits, "max_running": 16, "max_submitted": 64},
        {"name": "brief", "for": "test", "max_minutes": 20},
        {"name": "one", "for": "serial", "cores": 1},
        {"name": "dev_x", "for": "test"},
    ]
    assert (found["cluster_default_qos"].value, found["cluster_qos"].unverified) == ("normal", ("cluster_qos.for",))


@pytest.mark.parametrize("default", ["", "brief"])  # of none, and of one that is for trying things
def test_rookery_has_no_default_qos_where_the_user_has_none_for_ordinary_jobs(default: str) -> None:
    found = findings(qos=QOS, assoc=[f"proj||brief,one|{default}||"])
    assert "cluster_default_qos" not in found
    assert ("cluster_qos" in found) == bool(default)


def test_the_limits_of_a_partition_s_qos_are_the_partition_s() -> None:
    lines = [PARTITION.format("main", "MaxTime=1-00:00:00 MinNodes=1 QoS=normal"), PARTITION.format("free", "QoS=N/A")]
    main, free = value("cluster_partitions", partition=lines, qos=QOS)
    assert main == {
        "name": "main",
        "for": "any",
        "max_minutes": 1440,
        "max_nodes": 4,
        "min_nodes": 2,
        "cores": 128,
        "gpus_per_user": 8,
        "min_gpus": 2,
    }
    assert free == {"name": "free", "for": "any"}


WITH_GPUS = GPU_NODE.format("gpu:a100:4", "(null)", "main")


@pytest.mark.parametrize(
    ("partitions", "nodes", "trials", "kinds"),
    [
        (["main OverSubscribe=EXCLUSIVE", "shared"], [], [], ["parallel", "any"]),
        (["main OverSubscribe=EXCLUSIVE", "test"], [], [], ["any", "test"]),
        (["main"], [WITH_GPUS], ["plain yes", "in:main yes"], ["any"]),
        (["main"], [WITH_GPUS], ["plain yes", "in:main no x"], ["gpu"]),
        (["main", "cpu"], [WITH_GPUS, NODE.format("x").replace("=main", "=cpu")], ["in:main yes"], ["gpu", "any"]),
        (["main"], [WITH_GPUS, NODE.format("x")], ["plain no x", "in:main no x", "in:main:gres yes"], ["gpu"]),
    ],
)
def test_whole_nodes_and_gpus_say_what_a_partition_is_for(
    partitions: list[str], nodes: list[str], trials: list[str], kinds: list[str]
) -> None:
    lines = [f"PartitionName={line} State=UP" for line in partitions]
    found = value("cluster_partitions", partition=lines, nodes=nodes or [NODE.format("x")], trial=trials)
    assert [entry["for"] for entry in found] == kinds


@pytest.mark.parametrize(
    ("given", "accounts"),
    [
        ("LAB-SL3", ["{account}-cpu", "{account}-gpu"]),
        ("lab-sl3-cpu", [None, "lab-sl3-gpu"]),
        ("", [None, "lab-sl3-gpu"]),
        ("other", ["lab-sl3-cpu", "lab-sl3-gpu"]),
    ],
)
def test_a_partition_s_own_account(given: str, accounts: list[str | None]) -> None:
    lines = [PARTITION.format("main", ""), PARTITION.format("gpu", "")]
    tried = ["plain no x", "account:lab-sl3-cpu yes", "in:main yes", "in:gpu no x", "in:gpu:account:lab-sl3-gpu yes"]
    found = value("cluster_partitions", replace(GIVEN, account=given), partition=lines, trial=tried)
    assert [entry.get("account") for entry in found] == accounts


@pytest.mark.parametrize(
    ("trials", "may_mail"),
    [(["array yes", "array:mail yes"], True), (["array yes", "array:mail no x"], False), (["array no x"], None)],
)
def test_whether_arrays_may_mail(trials: list[str], may_mail: bool | None) -> None:
    assert value("cluster_array", trial=["plain yes", *trials]).get("may_mail") == may_mail


def test_the_limits_of_the_user_s_qos() -> None:
    limits = value(
        "cluster_limits",
        assoc=["proj||normal,long|normal||"],
        qos=["long||cpu=1", "normal|1-00:00:00|cpu=512,mem=2T,gres/gpu=4"],
        config=["DefMemPerCPU = 4000"],
    )
    assert limits == {"default_memory_mb": 4000, "cores": 512, "memory_mb": 2097152}


def test_other_architectures_are_those_of_the_nodes() -> None:
    arm = "2 Arch=aarch64 CPUTot=72 RealMemory=400000 Gres=(null) AvailableFeatures=(null) Partitions=gh"
    found = findings(
        nodes=[NODE.format("(null)"), arm], partition=[PARTITION.format("main", ""), PARTITION.format("gh", "")]
    )
    assert [entry["name"] for entry in found["cluster_architectures"].value] == ["x86_64", "aarch64"]
    assert found["cluster_partitions"].value[1]["architecture"] == "aarch64"


@pytest.mark.parametrize(
    ("internet", "proxy", "login"),
    [("yes", [], "yes"), ("yes", ["https_proxy http://proxy:3128"], "http"), ("no", [], "no")],
)
def test_the_internet_of_login_nodes(internet: str, proxy: list[str], login: str) -> None:
    assert value("cluster_internet", internet=[internet], proxy=proxy) == {"login": login, "compute": "unknown"}


@pytest.mark.parametrize(
    ("lines", "proxy"),
    [
        (["http_proxy http://a:1", "https_proxy http://b:2"], "http://b:2"),
        (["HTTP_PROXY http://a:1"], "http://a:1"),
        (["https_proxy socks5://b:2", "http_proxy http://a:1"], "http://a:1"),
        (["https_proxy http://b:2; rm -rf ~"], ""),
        (["https_proxy"], ""),
        ([], ""),
    ],
)
def test_a_web_proxy_of_the_site(lines: list[str], proxy: str) -> None:
    found = findings(internet=["yes"], proxy=lines)
    assert (found["cluster_proxy"].value if "cluster_proxy" in found else "") == proxy


def test_what_the_user_says_goes_before_what_is_unknown() -> None:
    given = replace(GIVEN, asked={"cluster_title": "Iceberg", "cluster_vpn": {"needed": "always"}})
    found = findings(given)
    assert (found["cluster_title"].value, found["cluster_title"].how) == ("Iceberg", "asked")
    assert written(given)["cluster_vpn"] == {"needed": "always"}


def test_the_example_of_the_docs_has_every_key_that_can_be_found() -> None:
    source = Path(profile_findings.__file__).parent
    named = {
        key for file in source.glob("*.py") for key in re.findall(r'Finding\(\s*"(cluster_\w+)"', file.read_text())
    }
    found = {finding.key: finding for finding in full()}
    assert len(named) > 20
    assert {key for key in named if key not in found or found[key].value in (None, "", [])} == set()
    assert {finding.how for finding in found.values()} == {"found", "concluded", "chosen", "unknown", "asked"}
