"""Clusters of the library, added by their name: from an empty laptop and an empty home to a combined result.

ROOKERY_LIBRARY says which (library_sample.py).
"""

import library_profiles
import pytest
import yaml
from laptop_projects import new_study, run_to_table
from laptops import NO_TOOLS, laptop
from library_sample import chosen
from live import alone

from rookery.sandbox.auth import Entrance

pytestmark = pytest.mark.cluster

SAMPLE = ("archer2",)
"""Hides the home from compute nodes, gives whole nodes, and needs an account and a QOS."""


@pytest.mark.parametrize("name", chosen(SAMPLE, library_profiles.NAMES))
def test_from_the_library_to_a_result(name: str) -> None:
    profile = library_profiles.data(name)
    with alone(name, Entrance("key", jump="cluster_proxy_jump" in profile), profile=profile) as live:
        person = laptop(live, "lotta", settings=NO_TOOLS)
        file = person.inventory / f"host_vars/{name}.yml"
        of_the_miniature = yaml.safe_load(file.read_text())
        file.unlink()
        (person.inventory / "hosts.yml").unlink()
        account = of_the_miniature.get("cluster_account", {}).get("name", "")
        options = [f"--account={account}"] if account else []
        completed = person.rookery("clusters.add", name, "--user=lotta", *options)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        person.write(**of_the_miniature)  # only where it is and how to log in: the miniature stands for the cluster
        person.setup()
        assert person.setup()["up_to_date"]
        study = new_study(person)
        study.run("deploy")
        run_to_table(study)
        person.rookery("logout")
