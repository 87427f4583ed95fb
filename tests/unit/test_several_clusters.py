"""Results of several clusters in one project: each run's table is made of its own cluster's files."""

import json
from pathlib import Path

import pytest

from rookery.jobs.options import CombineOptions
from rookery.jobs.results import combine, download
from rookery.jobs.results.archive import File


def test_each_cluster_s_run_has_its_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that lie in the cluster's folder, and those that no other cluster's were in the way of."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "demo"
    (root / "runs").mkdir(parents=True)
    rows = [{"seed": 5}, {"seed": 6}]
    (root / "rookery.yml").write_text(
        "name: demo\nclusters: [hec, bede]\noutputs: [results]\n"
        "jobs: {hec: {command: './x --out=results/s{seed}.csv'}}\n"
    )
    for number, cluster in ((7, "hec"), (8, "bede")):
        record = {"job": "hec", "id": str(number), "cluster": cluster, "rows": rows}
        text = json.dumps({**record, "when": f"2020-01-0{number}T00:00:00+00:00"})
        (root / f"runs/{number}.json").write_text(text)
    for cluster, names in (("hec", ["s5.csv"]), ("bede", ["s5.csv", "s6.csv"]), ("hec", ["s6.csv"])):
        files = [File(f"results/{name}", "x", 8, 1_580_600_000 * 10**9) for name in names]
        arrivals = download.Arrivals(root, cluster)
        plan = arrivals.plan(files, ["results"])
        list(arrivals.take((file, [f"x\n{cluster}\n".encode()]) for file in plan.bring))
        arrivals.close()
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*.csv")) == [
        "results/bede/s5.csv", "results/hec/s6.csv", "results/s5.csv", "results/s6.csv",
    ]  # fmt: skip
    for number, cluster in (("7", "hec"), ("8", "bede")):
        assert combine.run(CombineOptions(project=str(root), json=True, job=number)) == 0
        outcome = json.loads(capsys.readouterr().out)
        assert (
            root / outcome["output"]
        ).read_text() == f"run,task,seed,x\n{number},1,5,{cluster}\n{number},2,6,{cluster}\n"
        assert (outcome["missing"], outcome["newer"]) == ([], [])
