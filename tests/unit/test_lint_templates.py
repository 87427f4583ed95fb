"""The scripts that rookery makes itself have no finding, on any cluster."""

from pathlib import Path

import pytest
from library_profiles import NAMES
from projects import known

from rookery.clusters.cluster import Cluster
from rookery.core import paths
from rookery.jobs import lint
from rookery.jobs.lint.script.project_files import around
from rookery.projects import config
from rookery.projects.scripts import job_script, partition
from rookery.projects.scripts import templates as template

JOBS = {
    "python-array": "array: 1-200",
    "r-array": "array: 1-900\n    max_running: 50",
    "sweep": "grid: {a: [1, 2], b: [x, 'y z $HOME']}\n    chunk: 2",
    "gpu": "gpus: 1",
    "mpi": "nodes: 2\n    tasks: 4",
    "multicore": "cpus: 8",
    "r-multicore": "cpus: 8",
    "r-foreach": "cpus: 8",
}
"""What each template needs, besides what every job has."""

ENVIRONMENTS = ["{python: none, r: none}", "{python: uv, r: library}", "{python: conda, r: renv}"]


def _cluster(name: str) -> Cluster:
    cluster = known(name)
    account = {**cluster.data.get("cluster_account", {"required": False}), "name": "bdlan09"}
    return Cluster(**{**vars(cluster), "data": {**cluster.data, "cluster_account": account}})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("cluster", ["penguins", "hec", "bede", "hex", *NAMES])
def test_a_rendered_script_has_no_finding(cluster: str, environment: str, tmp_path: Path) -> None:
    templates = [name for name in template.names() if name != "mail"]
    there = _cluster(cluster)
    if partition.fewest_gpus(there):
        templates = ["gpu"]  # nothing runs there without one
    elif not there.data.get("cluster_gpus"):
        templates.remove("gpu")
    jobs = "".join(
        f"  {name}:\n    template: {name}\n    command: python main.py\n    memory: 1G\n    time: 00:05:00\n"
        f"    mail: a.student@lancaster.ac.uk\n    {JOBS.get(name, 'cpus: 1')}\n"
        for name in templates
    )
    if cluster in NAMES:  # some QOSes of theirs take few tasks in the queue
        jobs = jobs.replace("1-200", "1-60").replace("1-900", "1-60")
    (tmp_path / "rookery.yml").write_text(
        f"name: x\nclusters: [{cluster}]\nenvironment: {environment}\noutputs: [slurm_logs, results]\njobs:\n{jobs}"
    )
    project = config.load(tmp_path)
    place, looked = around(project), 0
    for script in job_script.scripts(project, there):
        texts = {
            script.path: script.text,
            **{path: text for path, text in script.files.items() if path.endswith(".mail.sh")},
        }
        for path, text in texts.items():
            findings = lint.check(text, there, path=path, files=place.files, folder=place.folder)
            assert findings == [], text
            looked += 1
    assert looked >= len(templates)


def test_every_template_is_looked_at() -> None:
    made = {path.name.removesuffix(".sh.j2") for path in (paths.root() / "templates/sbatch").glob("[!_]*.sh.j2")}
    assert made == {*JOBS, "serial", "mail"}
