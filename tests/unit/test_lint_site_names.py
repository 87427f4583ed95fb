"""Names that the cluster does not have. What the first table finds, sbatch --test-only refused (22.05)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import check, fix
from projects import known

from rookery.jobs import lint
from rookery.jobs.lint import Finding
from rookery.jobs.lint.script import node_names


def lines(*options: str) -> str:
    return "\n".join(["#!/bin/bash", "#SBATCH --mem=1G", *(f"#SBATCH {option}" for option in options), "hostname", ""])


def on(text: str, name: str, **data: Any) -> list[Finding]:
    """The findings on a cluster with other values in its profile."""
    cluster = known(name)
    return lint.check(text, replace(cluster, data={**cluster.data, **data}), path="job.sh", files=lambda _: None)


@pytest.mark.parametrize(
    ("option", "code", "severity", "mended", "safe"),
    [
        ("-C haswell", "RK313", "error", None, False),
        ("-C Node_Type=40core192G", "RK313", "error", "-C node_type=40core192G", True),
        ("-C 40core192G", "RK313", "error", "-C node_type=40core192G", False),
        ("-C node_type=40core193G", "RK313", "error", None, False),
        ("--constraint=node_type=40core192G|haswell", "RK313", "error", None, False),
        ("-C node_type=40core192G:1", "RK313", "error", None, False),
        ("--prefer=haswell", "RK313", "error", None, False),
        ("--gres=gg:1", "RK314", "error", None, False),
        ("--gres=tmp:10G", "RK314", "error", None, False),
        ("-p gpu-short --gres=GPU:1", "RK314", "error", "-p gpu-short --gres=gpu:1", True),
        ("-p gpu-short --gres=gpus:1", "RK314", "error", "-p gpu-short --gres=gpu:1", True),
        ("-w bw01", "RK315", "warning", None, False),
        ("-x comp17-08,bw[01-04]", "RK315", "warning", None, False),
        ("-M other", "RK316", "warning", None, False),
        ("-p astro --gres=gpu:1 -C node_type=40core192G", "RK313", "error", None, False),
    ],
)
def test_a_name_that_the_cluster_does_not_have(
    option: str, code: str, severity: str, mended: str | None, safe: bool
) -> None:
    text = lines(option)
    found = check(text)
    assert [(finding.code, finding.severity, finding.mended, finding.safe) for finding in found] == [
        (code, severity, mended and f"#SBATCH {mended}", safe)
    ]
    assert fix(text) == (text.replace(option, mended) if safe and mended else text)


@pytest.mark.parametrize(
    "option",
    [
        "-C node_type=40core192G",
        "-C node_type=10GethAny",
        "-C [node_type=10Geth64G*2&node_type=40core192G*1] -N 3 --exclusive",
        "-C (node_type=10Geth64G|node_type=40core192G)",
        "-p gpu-short --gres=gpu:1",
        "-p gpu-short --gres=gres:gpu:1",
        "-p gpu-short --gres=gres/gpu:1",
        "--gres=none",
        "-w comp17-08,gpu06",
        "-w ./nodes.txt",
        "-M hec",
        "-M HEC,other",
        "-M all",
        "-M wayland",
        "-M wayland-2022",
        "-C haswell -C node_type=40core192G",
        "-p gpu-short --gres=gg:1 --gres=gpu:1",
        "-w bw01 -w comp17-08",
        "-A somebody",
    ],
)
def test_a_name_that_it_has(option: str) -> None:
    codes = {finding.code for finding in check(lines(option))}
    assert codes & {"RK313", "RK314", "RK315", "RK316", "RK317"} == set()


@pytest.mark.parametrize(
    ("option", "data"),
    [
        ("-C haswell", {"cluster_features": None}),
        ("--gres=gg:1", {"cluster_gres": None}),
        ("-w bw01", {"cluster_node_names": None}),
        ("-M other", {"cluster_slurm_name": "Other"}),
    ],
)
def test_a_profile_that_does_not_know_says_nothing(option: str, data: Mapping[str, Any]) -> None:
    assert on(lines(option), "hec", **data) == []


def test_another_cluster_where_its_own_name_is_known() -> None:
    found = on(lines("-M other"), "hec", cluster_slurm_name="wayland")
    assert [(finding.code, finding.severity) for finding in found] == [("RK316", "error")]


def test_what_is_verified_is_an_error() -> None:
    found = on(lines("-w wn13"), "hec", cluster_node_names=["wn[01-12]"], cluster_unverified=[])
    assert [(finding.code, finding.severity) for finding in found] == [("RK315", "error")]
    assert found[0].why == "hec has no node wn13. Its nodes: wn[01-12]."


@pytest.mark.parametrize(
    ("cluster", "option", "mended"),
    [
        ("bede", "-A bdxyz01 --gres=gpu:1", "-A bdlan09 --gres=gpu:1"),
        ("bede", "-A BDLAN09 --gres=gpu:1", None),
        ("bede", "-A <project> --gres=gpu:1", None),
        ("bede", "-A '[budget code]' --gres=gpu:1", None),
        ("bede", "-A your_project --gres=gpu:1", None),
        ("csd3", "-A bdlan09-cpu -p icelake", None),
        ("csd3", "-A bdlan09-gpu -p icelake", "-A bdlan09-CPU -p icelake"),
        ("csd3", "-A bdlan09 -p icelake", "-A bdlan09-CPU -p icelake"),
    ],
)
def test_an_account_that_the_settings_do_not_have(cluster: str, option: str, mended: str | None) -> None:
    text = lines(option)
    account = {**known(cluster).data["cluster_account"], "name": "bdlan09"}
    found = [finding for finding in on(text, cluster, cluster_account=account) if finding.code == "RK317"]
    assert [(finding.severity, finding.mended, finding.safe) for finding in found] == (
        [("warning", f"#SBATCH {mended}", False)] if mended else []
    )
    unnamed = on(text, cluster, cluster_account={"required": True})
    assert "RK317" not in [finding.code for finding in unnamed]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("wn01", ["wn01"]),
        ("wn[01-03,7],login1", ["wn01", "wn02", "wn03", "wn7", "login1"]),
        ("r[1-2]n[08-10]", ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"]),
        ("wn[01", []),
        ("wn[a-b]", []),
        (f"wn[1-{'9' * 5000}]", []),
        ("a[1-9]" * 3000, []),
        ("", []),
    ],
)
def test_a_list_of_nodes(text: str, names: list[str]) -> None:
    assert node_names.expanded(text) == names


@given(first=st.integers(0, 120), more=st.integers(0, 40), width=st.integers(1, 4), other=st.integers(0, 200))
@settings(max_examples=100)
def test_the_nodes_of_a_list_are_those_that_it_is_written_out_to(first: int, more: int, width: int, other: int) -> None:
    text = f"a1,wn[{first:0{width}}-{first + more}]-ib"
    names = node_names.expanded(text)
    assert all(node_names.is_one(name, [text]) for name in names)
    for candidate in (f"wn{other}-ib", f"wn{other:0{width}}-ib", f"wn{other}"):
        assert node_names.is_one(candidate, [text]) == (candidate in names)
