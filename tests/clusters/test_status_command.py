"""`status` of real homes."""

import json
from typing import Any

import pytest
from laptops import Laptop, laptop
from live import Live

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def mary(penguins: Live) -> Laptop:
    """Set up on Penguins, once."""
    person = laptop(penguins, "status-mary")
    person.setup()
    return person


def status(person: Laptop, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what `--json` says of this cluster."""
    completed = person.rookery("status", "--json", *(arguments or ("--cluster", person.cluster)))
    answer = json.loads(completed.stdout)
    assert answer["exit"] == completed.returncode, completed.stderr
    return completed.returncode, answer["clusters"][person.cluster]


def test_a_home_that_is_as_declared(mary: Laptop) -> None:
    code, answer = status(mary)
    assert (code, answer["state"], answer["drift"], answer["asked"]) == (0, "as declared", [], [])
    assert {"python", "uv", "pipx", "poetry", "R"} <= set(answer["tools"])
    assert answer["tools"]["python"].startswith("3.13.")
    assert mary.says("uv --version").split()[1] == answer["tools"]["uv"]
    assert mary.says("poetry --version").strip("()").endswith(answer["tools"]["poetry"])
    assert mary.says("Rscript -e 'cat(as.character(getRversion()))'") == answer["tools"]["R"]
    home = next(area for area in answer["storage"] if area["name"] == "home")
    assert home["path"] == f"/home/{mary.user}"
    assert home["free_mb"] > 0


def test_nothing_is_written(mary: Laptop) -> None:
    before = mary.tree()
    status(mary)
    assert mary.tree() == before


def test_what_has_drifted_is_named_and_how(mary: Laptop) -> None:
    mary.says("echo '# more' >>~/.config/rookery/env.sh; rm ~/.config/rookery/tmux.conf; chmod 600 ~/start-pyenv")
    mary.says("sed -i /rookery/d ~/.Rprofile; rm -r ~/.pyenv/versions ~/storage/rookery/*/bin/poetry")
    code, answer = status(mary)
    assert (code, answer["state"]) == (3, "drifted")
    how = {change["what"]: change["how"] for change in answer["drift"]}
    assert how["~/.config/rookery/env.sh"] == "changed"
    assert how["~/.config/rookery/tmux.conf"] == "removed"
    assert how["~/start-pyenv"] == "mode 0600 instead of 0644"
    assert how["Install poetry"] == "not done" or how["Install poetry"] == "removed"
    assert "Make Python 3.13 the default" in how
    assert "rookery's lines in ~/.Rprofile" in how
    assert len(how) <= 8
    text = mary.rookery("status", "--cluster", mary.cluster).stdout
    assert text.startswith("penguins  changed since setup  rookery ")
    assert "  tmux       ~/.config/rookery/tmux.conf: removed\n" in text
    assert "next       rookery setup penguins\n" in text
    mary.setup()
    assert status(mary)[0] == 0


def test_what_is_asked_for_otherwise_now_is_named(mary: Laptop) -> None:
    mary.write(tmux_history_lines=123)
    code, answer = status(mary)
    assert (code, answer["state"], answer["asked"]) == (3, "out of date", ["setting tmux_history_lines"])
    mary.setup()
    assert status(mary)[0] == 0


def test_clusters_that_cannot_be_known_have_their_row(mary: Laptop, penguins: Live) -> None:
    code, answer = status(mary, "--cluster", "all")
    assert (code, answer["state"]) == (0, "as declared")  # and nobody has asked for hec yet
    stranger = laptop(penguins, "status-new")
    code, answer = status(stranger)
    assert (code, answer["state"]) == (3, "not set up")
    stranger.write(cluster_port=1)
    code, answer = status(stranger)
    assert (code, answer["state"]) == (1, "can't be known")
    assert "refuses" in answer["reason"]
