"""Names that a cluster's profile lists, and what a job there gets that does not ask for it."""

from surveys import NODE, findings, value


def test_what_a_job_gets_that_requests_neither_memory_nor_time() -> None:
    config = ["MaxArraySize = 1001", "SelectTypeParameters = CR_CORE_MEMORY"]
    assert value("cluster_limits", config=config) == {"whole_node_memory": True}
    assert value("cluster_limits", config=[*config, "DefMemPerCPU = 1000"]) == {"default_memory_mb": 1000}
    assert "cluster_limits" not in findings(config=["SelectTypeParameters = CR_CORE"])
    endless = "PartitionName=main DefaultTime=NONE MaxTime=UNLIMITED State=UP"
    assert value("cluster_partitions", partition=[endless])[0].get("no_time_limit")
    quality = ["normal|2-00:00:00|||||"]
    assert "no_time_limit" not in value("cluster_partitions", partition=[endless], qos=quality)[0]


def test_names_are_listed_only_where_all_are_known() -> None:
    facts = {"nodes": [NODE.format("ib,new")], "node__names": ["cn[01-04],gn1,"]}
    found = findings(**facts, config=["MaxArraySize = 1001", "GresTypes = gpu,tmp", "ClusterName = ice"])
    names = ("cluster_slurm_name", "cluster_node_names", "cluster_features", "cluster_gres")
    assert [found[key].value for key in names] == ["ice", ["cn[01-04]", "gn1"], ["ib", "new"], ["gpu", "tmp"]]
    found = findings(nodes=[NODE.format("ib,$(x)")], node__names=["Slurm is down"], config=["ClusterName = iceberg"])
    assert not found.keys() & {*names}
