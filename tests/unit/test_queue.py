"""sinfo read, in the widths that it is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from rookery.jobs.monitor import queue

WIDTHS = [int(part.split(":")[1]) for part in queue.FIELDS.split(",")]


def sinfo(*rows: str) -> str:
    """Lines as sinfo prints them: fields of fixed width."""
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row.split("|"), WIDTHS, strict=True)) + "\n" for row in rows
    )


V100 = "gpu:v100:3(S:0-1)"


def test_nodes_that_are_alike_are_added_up() -> None:
    (partition,) = queue.read(
        sinfo(
            "cpu*|up|2-00:00:00|3|idle|0/192/0/192|(null)|gpu:0",
            "cpu*|up|2-00:00:00|2|mixed|100/28/0/128|(null)|gpu:0",
            "cpu*|up|2-00:00:00|1|drained|0/0/64/64|(null)|gpu:0",
            "cpu*|up|2-00:00:00|1|idle*|0/64/0/64|(null)|gpu:0",
        ),
        {},
    )
    assert (partition.name, partition.default, partition.state, partition.max_minutes) == ("cpu", True, "open", 2880)
    assert (partition.nodes, partition.free_nodes, partition.broken_nodes) == (7, 3, 2)
    assert (partition.cores, partition.free_cores) == (448, 220)


def test_gpus_are_counted_by_type_and_by_node() -> None:
    (partition,) = queue.read(
        sinfo(
            f"gpu|up|12:00:00|2|mixed|0/64/0/64|{V100},gpu:h200:2|gpu:v100:1(IDX:0),gpu:h200:0(IDX:N/A)",
            f"gpu|up|12:00:00|1|down|0/0/32/32|{V100}|gpu:v100:0(IDX:N/A)",
        ),
        {},
    )
    assert (partition.gpus, partition.free_gpus) == ({"v100": 9, "h200": 4}, {"v100": 4, "h200": 4})


def test_the_profile_says_what_they_are_for_and_slurm_whether_they_are_open() -> None:
    profile = {
        "cluster_partitions": [
            {"name": "test", "for": "test", "purpose": "trying a job", "max_minutes": 5},
            {"name": "gone", "for": "any"},
            {"name": "long", "for": "gpu", "gpus_per_user": 2, "min_gpus": 2, "exclusive": True, "options": ["--x=y"]},
        ]
    }
    partitions = queue.read(
        sinfo(
            "long|drain|infinite|1|idle|0/8/0/8|(null)|gpu:0",
            "test|up|infinite|1|idle|0/8/0/8|(null)|gpu:0",
            "new|up|5:00|1|idle|0/8/0/8|(null)|gpu:0",
        ),
        profile,
    )
    by_name = {partition.name: partition for partition in partitions}
    assert list(by_name) == ["test", "gone", "long", "new"]
    assert by_name["gone"].state == "absent"
    assert (by_name["test"].purpose, by_name["test"].max_minutes) == ("trying a job", 5)
    assert (by_name["long"].state, by_name["long"].max_minutes) == ("closed (drain)", None)
    assert by_name["long"].limits == ["at least 2 GPUs a job", "at most 2 GPUs a person", "whole nodes", "needs --x=y"]


@given(st.text(max_size=800))
def test_nothing_that_is_printed_breaks_it(text: str) -> None:
    for partition in queue.read(text, {}):
        assert partition.free_nodes <= partition.nodes


@given(st.text(alphabet="gpu:v10(S),_N/A-", max_size=60))
def test_no_gres_breaks_it(text: str) -> None:
    assert all(number > 0 for number in queue.gpus(text).values())
