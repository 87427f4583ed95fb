"""One question to several clusters: the answers in their order, and what is said of those that gave none."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from rookery.cli import repeat
from rookery.clusters.cluster import NotApplicableError
from rookery.clusters.query import ClusterQuery
from rookery.clusters.ssh import fabric_group
from rookery.core.errors import RookeryError
from rookery.jobs.options import QueueOptions

FAILURE = RookeryError("bede: no answer within 45 s.", hint="invoke doctor bede")
NOBODY = NotApplicableError("Missing username on HeX.", hint="invoke login hex --user NAME")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask clusters that answer by a number, or fail by an error; returns the exit code."""

    def ask(answers: dict[str, Any], cluster: str = "all", **options: Any) -> int:
        def query(single: QueueOptions) -> ClusterQuery[int]:
            name = single.cluster
            if answers[name] is NOBODY:
                raise NOBODY
            connection: Any = SimpleNamespace(cluster=SimpleNamespace(name=name, user="ada"))
            return ClusterQuery(connection, lambda: answers[name], lambda found: {"n": found}, print)

        def outcomes(connections: Any, act: Any) -> dict[str, Any]:
            return {connection.cluster.name: act(connection) for connection in connections}

        monkeypatch.setattr(fabric_group, "outcomes", outcomes)
        monkeypatch.setattr("rookery.homes.selection.clusters", lambda *_, **__: list(answers))
        monkeypatch.setattr("sys.argv", ["rookery"])
        return repeat.side_by_side(query, QueueOptions(cluster=cluster, **options))

    return ask


def test_the_answers_come_in_the_clusters_order(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked({"hec": 1, "bede": 2}) == 0
    assert capsys.readouterr().out == "hec:\n1\n\nbede:\n2\n"


def test_one_that_fails_is_named_with_what_to_do(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked({"bede": FAILURE, "hec": 1}) == 1
    output = capsys.readouterr()
    assert output.err == "bede: no answer within 45 s.\n  next: rookery doctor bede\n"
    assert output.out == "\nhec:\n1\n"


def test_one_with_nothing_to_answer_is_a_line_where_all_are_asked(
    asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked({"hec": 1, "hex": NOBODY}) == 0
    assert capsys.readouterr().out == "hec:\n1\nhex: Missing username on HeX.\n"


@pytest.mark.parametrize(("answers", "cluster"), [({"hex": NOBODY}, "all"), ({"hec": 1, "hex": NOBODY}, "hec,hex")])
def test_it_is_a_failure_where_it_was_named_or_nothing_is_answered(
    asked: Any, capsys: pytest.CaptureFixture[str], answers: dict[str, Any], cluster: str
) -> None:
    assert asked(answers, cluster) == 1
    assert capsys.readouterr().err == "hex: Missing username on HeX.\n  next: rookery login hex --user NAME\n"


def test_json_is_one_document(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked({"hec": 1, "bede": FAILURE, "hex": NOBODY}, json=True) == 1
    assert json.loads(capsys.readouterr().out) == {
        "clusters": {
            "hec": {"n": 1},
            "bede": {"error": "bede: no answer within 45 s.", "next": "rookery doctor bede"},
            "hex": {"skipped": "Missing username on HeX.", "next": "rookery login hex --user NAME"},
        }
    }
