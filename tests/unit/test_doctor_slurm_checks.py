"""Doctor's checks of Slurm: the partition, and what comes of a job."""

from dataclasses import replace

import pytest
from doctor_homes import check_of, inspected, states

from rookery.clusters import cluster
from rookery.support.doctor import checks, slurm_checks
from rookery.support.doctor.checks import CheckResults

pytestmark = pytest.mark.usefixtures("home_of_its_own")


def job_judgement(cluster: cluster.Cluster, **values: str) -> CheckResults:
    results, home = CheckResults(checks.CLUSTER), inspected(cluster)
    slurm_checks.judge_job(
        results, cluster, {key.replace("_", "-"): [value] for key, value in values.items()}, home=home
    )
    return results


RAN = {"submitted": "7", "ended": "1", "job_node": "wn01", "job_path": "/t/bin", "job_internet": "yes"}


@pytest.mark.parametrize(
    ("values", "check", "state", "words"),
    [
        (RAN, "job", "ok", "finished after 1 s, on wn01"),
        ({**RAN, "job_path": "/usr/bin"}, "path-job", "fault", "PATH lacks /t/bin"),
        ({**RAN, "job_preamble": "source x"}, "path-job", "fault", "`source x`"),
        ({**RAN, "job_storage": "persistent"}, "job", "warning", "can't access your storage: persistent"),
        ({"submitted": "7", "waits": "PENDING|Priority"}, "job", "warning", "other jobs are ahead of it in the queue"),
        ({"submitted": "7", "waits": "PENDING|PartitionTimeLimit"}, "job", "fault", "request less"),
        ({"submitted": "7", "waits": "PENDING|ReqNodeNotAvail, UnavailableNodes:wn1"}, "job", "fault", "(wn1)"),
        ({"refused": "sbatch: error: Invalid account"}, "job", "fault", "sbatch refused it: Invalid account"),
        ({"submitted": "7", "vanished": "7"}, "job", "fault", "left the queue"),
        ({}, "job", "fault", "could not run it"),
    ],
)
def test_what_comes_of_the_job(
    hec: cluster.Cluster, values: dict[str, str], check: str, state: str, words: str
) -> None:
    results = job_judgement(hec, **values)
    assert check_of(results, check).state == state
    assert words in check_of(results, check).found
    assert {fault.name for fault in results.faults} <= {check}
    assert results.has(*checks.QUEUE) or set(checks.QUEUE) - set(states(results)) == {"slurm", "partition"}


def test_a_cluster_without_a_queue(penguins: cluster.Cluster) -> None:
    results = CheckResults(checks.CLUSTER)
    cluster = replace(penguins, data={**penguins.data, "cluster_scheduler": "none"})
    assert slurm_checks.judge(results, cluster, inspected(cluster)) is None
    assert {states(results)[name] for name in checks.QUEUE} == {"skipped"}


def test_a_job_that_needs_an_account(penguins: cluster.Cluster) -> None:
    results = CheckResults(checks.CLUSTER)
    cluster = replace(penguins, data={**penguins.data, "cluster_account": {"required": True, "example": "bdlan09"}})
    assert slurm_checks.judge(results, cluster, inspected(cluster)) is None
    assert "bdlan09" in check_of(results, "partition").found


def test_the_job_s_script_holds_the_profile_s_own_lines(penguins: cluster.Cluster) -> None:
    text = slurm_checks.text(slurm_checks.a_job(penguins), penguins)
    assert text.startswith("#!/bin/bash\n")
    assert 'source "${HOME}/start-pyenv"\n' in text
    assert "'<<" not in text
