"""A home that an older rookery set up is brought on by the present one, and can be taken back by it."""

import json
from typing import Any

import pytest
from home_contents import inside, manifest
from laptops import laptop
from live import Live
from undo_command import by_path, outside, undo

pytestmark = pytest.mark.cluster


def test_a_home_with_a_ledger_of_version_1(penguins: Live) -> None:
    person = laptop(penguins, "olda")
    before = manifest(penguins, "/home/olda")
    person.setup("--tags", "shell,tmux")
    file = inside(penguins, "/home/olda/.local/state/rookery/ledger.json")
    ledger = json.loads(file.read_text())
    # what the first rookery wrote: entries alone; and a file that no role writes any more, over one of the person's
    stale: dict[str, Any] = {**ledger["entries"][-1], "order": 99, "kind": "files", "path": "/home/olda/.tmux-old"}
    digest = penguins.root_run(["sha256sum", "/home/olda/.config/rookery/tmux.conf"]).stdout.split()[0]
    stale |= {
        "before": {"type": "absent"},
        "after": {"type": "file", "mode": "0644", "digest": digest},
        "written": [digest],
    }
    file.write_text(json.dumps({"version": 1, "entries": [*ledger["entries"], stale]}))
    penguins.root_run(
        ["sh", "-c", "cp -p ~olda/.config/rookery/tmux.conf ~olda/.tmux-old; rm ~olda/.local/state/rookery/made"]
    )

    answer = person.setup("--tags", "tmux")
    assert [(outcome["path"], outcome["state"]) for outcome in answer["outcomes"] if outcome["state"] != "present"] == [
        ("~/.tmux-old", "changed")
    ]
    assert not inside(penguins, "/home/olda/.tmux-old").exists()
    assert json.loads(file.read_text())["version"] == 3
    assert person.setup("--tags", "tmux")["changed"] == 0
    completed = undo(person, "--yes")
    assert completed["left"] == 0
    assert by_path(completed)["~/.bashrc"] == ("restored", "")
    after = [line for line in manifest(penguins, "/home/olda").splitlines() if "./.local" not in line]
    # but for the time of the home itself, which version 1 did not write down
    assert after[1:] == before.splitlines()[1:]


def test_a_ledger_of_a_newer_rookery_is_left_alone(penguins: Live) -> None:
    person = laptop(penguins, "newa")
    person.setup("--tags", "tmux")
    file = inside(penguins, "/home/newa/.local/state/rookery/ledger.json")
    file.write_text(file.read_text().replace('"version": 3', '"version": 4'))
    text = file.read_text()
    before = manifest(penguins, "/home/newa")
    for command in (("undo", "--yes"), ("undo", "--check"), ("setup", "--tags", "tmux")):
        completed = person.rookery(*command, "--cluster", "penguins")
        assert completed.returncode == 1
        assert (
            "was written by a newer rookery (format 4; this one reads up to 3)" in completed.stdout + completed.stderr
        )
    assert outside(manifest(penguins, "/home/newa")) == outside(before)
    assert file.read_text() == text
