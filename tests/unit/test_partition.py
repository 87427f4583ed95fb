"""The partition for a job, on clusters as their profiles tell them and on any others."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import cluster, known

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.scripts import partition
from rookery.projects.scripts.placement import broken

DAY = 24 * 60


@pytest.mark.parametrize(
    ("site", "asked", "chosen"),
    [
        ("hec", {}, "serial"),
        ("hec", {"minutes": 5, "memory": "1G"}, "serial"),
        ("hec", {"cpus": 8}, "parallel"),
        ("hec", {"nodes": 2}, "parallel"),
        ("hec", {"tasks": 4}, "parallel"),
        ("hec", {"partition": "test", "minutes": 5}, "test"),
        ("hec", {"gpus": 1, "minutes": 12 * 60}, "gpu-short"),
        ("hec", {"gpus": 1, "minutes": 12 * 60 + 1}, "gpu-medium"),
        ("hec", {"gpus": 2, "minutes": 3 * DAY}, "gpu-long"),
        ("hec", {"gpus": 1, "gpu_type": "nvidia_l40s"}, "astro"),
        ("hec", {"gpus": 1}, "gpu-short"),
        ("penguins", {}, "PenguinPartition"),
        ("penguins", {"cpus": 72, "memory": "512G"}, "PenguinPartition"),
        ("bede", {"gpus": 1}, "gpu"),
        ("bede", {"gpus": 1, "gpu_type": "t4", "minutes": 90}, "infer"),
        ("bede", {"gpus": 1, "gpu_type": "gh200"}, "gh"),
        ("bede", {"gpus": 1, "partition": "test", "minutes": 30}, "test"),
        ("hex", {"minutes": 60}, "cpu-6h"),
        ("hex", {"minutes": 7 * 60}, "cpu-48h"),
        ("hex", {}, "cpu-6h"),
        ("hex", {"gpus": 1, "minutes": 60}, "a2000-6h"),
        ("hex", {"gpus": 1, "gpu_type": "nvidia_rtx_a5000", "minutes": DAY}, "a5000-48h"),
        ("hex", {"partition": "test", "minutes": 5}, "cpu-5m"),
        ("hex", {"partition": "test", "gpus": 1}, "a2000-5m"),
        ("stanage", {}, ""),
        ("stanage", {"gpus": 1}, "gpu"),
        ("archer2", {"nodes": 4}, "standard"),
        ("isambard-ai", {"gpus": 1}, "workq"),
        ("perlmutter", {"gpus": 1}, ""),
        ("csd3", {"partition": "icelake"}, "icelake"),
        ("lumi", {"partition": "largemem", "memory": "3000G"}, "largemem"),
        ("lumi", {"memory": "900G"}, "small"),
        ("archer2", {"partition": "highmem", "memory": "480G"}, "highmem"),
    ],
)
def test_a_partition_is_chosen_by_what_the_job_asks_for(site: str, asked: dict[str, Any], chosen: str) -> None:
    assert partition.placed(Job("j", **asked), known(site)).partition == chosen


@pytest.mark.parametrize(
    ("site", "settings", "phrases"),
    [
        ("hec", {"cpus": 600}, ["No partition", "600 cores", "at most 512 cores", "at most 128 cores a node"]),
        ("hec", {"gpus": 1, "minutes": 8 * DAY}, ["gpu-short: at most 12 hours", "gpu-long: at most 7 days"]),
        ("hec", {"gpus": 3, "minutes": 3 * DAY}, ["gpu-long: at most 2 GPUs a person"]),
        ("hec", {"partition": "test", "minutes": 6}, ["partition test of hec", "at most 5 minutes"]),
        ("hec", {"partition": "serial", "cpus": 2}, ["partition serial of hec", "at most 1 core"]),
        (
            "hec",
            {"partition": "gpu-shrt", "gpus": 1},
            ["Unknown partition 'gpu-shrt' on hec (did you mean gpu-short?)"],
        ),
        ("hec", {"gpus": 1, "gpu_type": "a100"}, ["type a100", "tesla_v100-pcie-32gb or nvidia_h200_nvl only"]),
        ("hec", {"memory": "3T"}, ["at most 2048 GB"]),
        ("penguins", {"gpus": 1}, ["penguins has no GPUs"]),
        ("penguins", {"cpus": 73}, ["at most 72 cores a node"]),
        ("penguins", {"nodes": 6}, ["at most 5 nodes"]),
        ("penguins", {"memory": "513G"}, ["at most 512 GB a node"]),
        ("bede", {}, ["only with GPUs"]),
        ("hex", {"minutes": 3 * DAY}, ["cpu-48h: at most 2 days"]),
    ],
)
def test_where_none_fits_the_limits_are_told_in_one_line(
    site: str, settings: dict[str, Any], phrases: list[str]
) -> None:
    with pytest.raises(RookeryError) as caught:
        partition.placed(Job("j", **settings), known(site))
    assert "\n" not in caught.value.message
    assert caught.value.hint
    for words in phrases:
        assert words in caught.value.message


@pytest.mark.parametrize(
    ("site", "asked", "chosen"),
    [
        ("archer2", {"cpus": 4}, ("serial", "serial")),
        ("archer2", {"nodes": 2, "tasks": 256, "minutes": 60}, ("standard", "standard")),
        ("archer2", {"nodes": 2, "minutes": 3 * DAY}, ("standard", "long")),
        ("archer2", {"nodes": 1100, "minutes": 60}, ("standard", "largescale")),
        ("archer2", {"nodes": 2, "array": "1-100"}, ("standard", "taskfarm")),
        ("archer2", {"nodes": 2, "partition": "test", "minutes": 20}, ("standard", "short")),
        ("archer2", {"nodes": 2, "qos": "short", "minutes": 20}, ("standard", "short")),
        ("archer2", {"nodes": 2, "partition": "highmem"}, ("highmem", "highmem")),
        ("archer2", {"nodes": 2, "qos": "y07-special"}, ("standard", "y07-special")),
        ("archer2", {"gpus": 1}, ("gpu", "gpu-shd")),
        ("archer2", {"gpus": 4}, ("gpu", "gpu-exc")),
        ("archer2", {"gpus": 8, "nodes": 2}, ("gpu", "gpu-exc")),
        ("stanage", {"gpus": 1}, ("gpu", "gpu")),
        ("stanage", {}, ("", "")),
        ("perlmutter", {"gpus": 1}, ("", "regular")),
        ("isambard-ai", {"cpus": 4}, ("workq", "")),  # whose only partition has GPUs, and takes any job
        ("isambard-ai", {"gpus": 1}, ("workq", "")),
        ("daint", {"nodes": 2}, ("normal", "")),
        ("frontier", {"minutes": 20 * 60}, ("extended", "normal")),
        ("baskerville", {"partition": "a,b"}, ("a,b", "")),
        ("csd3", {"gpus": 1}, ("ampere", "")),
    ],
)
def test_partition_and_qos_are_chosen_together(site: str, asked: dict[str, Any], chosen: tuple[str, str]) -> None:
    placed = partition.placed(Job("j", **asked), known(site))
    assert (placed.partition, placed.qos) == chosen


@pytest.mark.parametrize(
    ("asked", "phrases"),
    [
        ({"nodes": 2, "minutes": 5 * DAY}, ["No partition", "standard with QOS long: at most 4 days"]),
        ({"nodes": 2, "qos": "long", "minutes": 5 * DAY}, ["partition standard with QOS long of archer2"]),
        ({"nodes": 2, "array": "1-200"}, ["QOS taskfarm: at most 128 jobs or array tasks in the queue"]),
        (
            {"qos": "long", "partition": "serial"},
            ["QOS long of archer2 can't be used with partition serial", "standard"],
        ),
        ({"gpus": 1, "qos": "gpu-exc"}, ["gpu with QOS gpu-exc", "at least 4 GPUs"]),
        ({"nodes": 1000, "qos": "largescale"}, ["largescale", "at least 1025 nodes"]),
    ],
)
def test_limits_of_a_qos_are_told(asked: dict[str, Any], phrases: list[str]) -> None:
    with pytest.raises(RookeryError) as caught:
        partition.placed(Job("j", **asked), known("archer2"))
    for words in phrases:
        assert words in caught.value.message
    assert ("`chunk`" in (caught.value.hint or "")) == ("array" in asked)


def test_an_array_is_not_blamed_for_gpus_that_every_job_needs() -> None:
    with pytest.raises(RookeryError, match="only with GPUs") as caught:
        partition.placed(Job("j", array="1-20"), known("bede"))
    assert "chunk" not in (caught.value.hint or "")


WHOLE_OR_SHARED = {
    "gpus": [{"type": "g", "per_node": 8}],
    "nodes": {"cores": 128},
    "partitions": [
        {"name": "whole", "for": "gpu", "gpu_types": ["g"], "max_minutes": 60, "exclusive": True},
        {"name": "shared", "for": "gpu", "gpu_types": ["g"], "max_minutes": 600},
        {"name": "nodes", "for": "parallel", "exclusive": True, "max_minutes": 60},
        {"name": "cores", "for": "any"},
    ],
}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({"gpus": 1}, "shared"),
        ({"gpus": 8, "minutes": 60}, "whole"),
        ({"gpus": 8, "minutes": 61}, "shared"),
        ({"cpus": 2, "minutes": 30}, "cores"),
        ({"cpus": 128, "minutes": 30}, "nodes"),
    ],
)
def test_whole_nodes_are_for_jobs_that_fill_them(asked: dict[str, Any], chosen: str) -> None:
    assert partition.placed(Job("j", **asked), cluster(**WHOLE_OR_SHARED)).partition == chosen


def test_fewest_gpus_of_a_cluster() -> None:
    assert [partition.fewest_gpus(known(name)) for name in ("bede", "hec", "archer2", "isambard-ai")] == [1, 0, 0, 0]


KINDS = ("serial", "parallel", "gpu", "test", "interactive", "bigmem", "any")
TYPES = ("v100", "a100", "h200")


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with any of these."""
    return st.fixed_dictionaries({}, optional=fields)


PARTITIONS = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p3", "p4"]),
        some(
            **{"for": st.sampled_from(KINDS)},
            max_minutes=st.integers(1, 3000),
            cores=st.integers(1, 64),
            max_nodes=st.integers(1, 4),
            gpus_per_user=st.integers(1, 4),
            gpu_types=st.lists(st.sampled_from(TYPES), unique=True, max_size=2),
            min_gpus=st.integers(1, 3),
            exclusive=st.booleans(),
        ),
    ),
    max_size=4,
    unique_by=lambda partition: partition[0],
)
QOS = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", "q3"]),
        some(
            **{"for": st.sampled_from(["test", "any", "gpu"])},
            partitions=st.lists(st.sampled_from(["p1", "p2", "p3"]), min_size=1, unique=True),
            max_minutes=st.integers(1, 3000),
            max_nodes=st.integers(1, 4),
            min_gpus=st.integers(1, 3),
        ),
    ),
    max_size=3,
    unique_by=lambda qos: qos[0],
)
CLUSTERS = st.builds(
    lambda partitions, qos, **more: cluster(
        partitions=[{"name": name, **limits} for name, limits in partitions],
        qos=[{"name": name, **limits} for name, limits in qos],
        **more,
    ),
    PARTITIONS,
    QOS,
    nodes=some(count=st.integers(1, 4), cores=st.integers(1, 64), memory_mb=st.integers(1, 4096)),
    limits=some(cores=st.integers(1, 128), memory_mb=st.integers(1, 8192)),
    default_partition=st.sampled_from(["p1", "p2", "other"]),
    gpus=st.lists(st.builds(lambda kind, n: {"type": kind, "per_node": n}, st.sampled_from(TYPES), st.integers(1, 4))),
)
JOBS = st.builds(
    Job,
    st.just("j"),
    nodes=st.integers(1, 4),
    tasks=st.integers(1, 8),
    cpus=st.integers(1, 32),
    memory=st.sampled_from(["", "100M", "1G", "4G"]),
    minutes=st.integers(0, 3000),
    gpus=st.integers(0, 4),
    partition=st.sampled_from(["", "", "p1", "test"]),
)


@given(CLUSTERS, JOBS, st.sampled_from(TYPES))
def test_the_partition_chosen_has_no_limit_that_the_job_breaks(site: Cluster, job: Job, kind: str) -> None:
    job = replace(job, gpu_type=kind) if job.gpus % 2 else job
    try:
        placed = partition.placed(job, site)
    except RookeryError as error:
        assert "\n" not in error.message
        assert "()" not in error.message
        return
    chosen = {entry["name"]: entry for key in ("partitions", "qos") for entry in site.data[f"cluster_{key}"]}
    entry, qos = chosen.get(placed.partition, {}), chosen.get(placed.qos, {})
    assert placed.partition in qos.get("partitions", [placed.partition])
    for limits in (entry, qos):
        assert job.minutes <= limits.get("max_minutes", job.minutes)
        assert job.nodes <= limits.get("max_nodes", job.nodes)
        assert not limits or job.gpus >= limits.get("min_gpus", 0)
    if entry:
        cores = max(job.tasks, job.nodes) * job.cpus
        usual, limits = site.data["cluster_nodes"], site.data["cluster_limits"]
        assert cores <= min(entry.get("cores", cores), limits.get("cores", cores))
        assert job.gpus <= entry.get("gpus_per_user", job.gpus)
        assert not job.gpu_type or job.gpu_type in (entry.get("gpu_types") or [job.gpu_type])
        assert job.gpus or job.cpus <= usual.get("cores", job.cpus)
    if entry and not job.partition:
        assert not {entry.get("for"), qos.get("for")} & {"test", "interactive"}
        is_for_gpus = "gpu" in {entry.get("for"), qos.get("for")}
        # nodes with GPUs may be for any job, where the profile says so
        assert is_for_gpus or entry.get("gpu_types") if job.gpus else not is_for_gpus
        assert job.gpus or not entry.get("gpu_types") or entry.get("for") == "any"


@given(CLUSTERS, JOBS)
def test_where_a_place_would_do_one_is_chosen(site: Cluster, job: Job) -> None:
    fitting = [
        place
        for place in partition.places(site)
        if place.partition
        and not any(broken(place, job, site))
        and not place.kinds & {"test", "interactive"}
        and place.is_for_gpus is bool(job.gpus)
    ]
    if fitting and not job.partition:
        placed = partition.placed(job, site)
        names = [(place.partition["name"], place.qos.get("name", "")) for place in fitting]
        assert (placed.partition, placed.qos) in names
