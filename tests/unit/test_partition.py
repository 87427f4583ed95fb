"""The partition for a job, on clusters as their profiles tell them and on any others."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects import cluster, known

from rookery.clusters.cluster import Cluster
from rookery.core.errors import RookeryError
from rookery.projects.job import Job
from rookery.projects.scripts import partition

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
        ("isambard-ai", {"gpus": 1}, ""),
        ("csd3", {"partition": "icelake"}, "icelake"),
    ],
)
def test_a_partition_is_chosen_by_what_the_job_asks_for(site: str, asked: dict[str, Any], chosen: str) -> None:
    assert partition.choose(Job("j", **asked), known(site)) == chosen


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
        partition.choose(Job("j", **settings), known(site))
    assert "\n" not in caught.value.message
    assert caught.value.hint
    for words in phrases:
        assert words in caught.value.message


CALMLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine too
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
            required_options=st.just(["--gres=gpu:N"]),
        ),
    ),
    max_size=4,
    unique_by=lambda partition: partition[0],
)
CLUSTERS = st.builds(
    lambda partitions, **more: cluster(partitions=[{"name": name, **limits} for name, limits in partitions], **more),
    PARTITIONS,
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


@CALMLY
@given(CLUSTERS, JOBS, st.sampled_from(TYPES))
def test_the_partition_chosen_has_no_limit_that_the_job_breaks(site: Cluster, job: Job, kind: str) -> None:
    job = replace(job, gpu_type=kind) if job.gpus % 2 else job
    try:
        chosen = partition.choose(job, site)
    except RookeryError as error:
        assert "\n" not in error.message
        assert "()" not in error.message
        return
    for entry in site.data["cluster_partitions"]:
        if entry["name"] != chosen:
            continue
        cores = max(job.tasks, job.nodes) * job.cpus
        usual, limits = site.data["cluster_nodes"], site.data["cluster_limits"]
        assert job.minutes <= entry.get("max_minutes", job.minutes)
        assert cores <= min(entry.get("cores", cores), limits.get("cores", cores))
        assert job.nodes <= entry.get("max_nodes", job.nodes)
        assert job.gpus <= entry.get("gpus_per_user", job.gpus)
        assert job.gpus or "required_options" not in entry
        assert not job.gpu_type or job.gpu_type in (entry.get("gpu_types") or [job.gpu_type])
        assert job.gpus or job.cpus <= usual.get("cores", job.cpus)
        if not job.partition:
            assert entry.get("for") not in {"test", "interactive"}
            assert bool(job.gpus) == (entry.get("for") == "gpu" or bool(entry.get("gpu_types")))


@CALMLY
@given(CLUSTERS, JOBS)
def test_where_a_partition_would_do_one_is_chosen(site: Cluster, job: Job) -> None:
    fitting = [
        entry["name"]
        for entry in site.data["cluster_partitions"]
        if not any(partition.broken(entry, job, site))
        and entry.get("for") not in {"test", "interactive"}
        and (entry.get("for") == "gpu" or bool(entry.get("gpu_types"))) is bool(job.gpus)
    ]
    if fitting and not job.partition:
        assert partition.choose(job, site) in fitting
