"""The action plugin in a real ansible-playbook run on the connection `local`, and what it refuses to send."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from home_helpers import ROOT, Login, action, tree

THEN = 1_600_000_000_000_000_000

# One run of ansible-playbook, of a second, for all that the tests ask about; each play by a name of its own.
PLAYS = """
- {name: check, hosts: localhost, check_mode: true, diff: true, roles: [shell]}
- name: keep what there is after that
  hosts: localhost
  tasks: [{raw: "cp -Rp {{ home }} {{ home }}.checked"}]
- {name: run, hosts: localhost, diff: true, roles: [shell]}
- {name: again, hosts: localhost, roles: [shell]}
- name: an item in a variable
  hosts: localhost
  ignore_errors: true
  vars: {folders: [{each: [1], path: "~/{{ item }}"}]}
  tasks: [{home: {directories: "{{ folders }}"}}]
- name: each of no list
  hosts: localhost
  ignore_errors: true
  tasks: [{home: {directories: [{each: "{{ home }}", path: "~/{{ item }}"}]}}]
- {name: no python, hosts: localhost, ignore_errors: true, vars: {python: /no/such/python}, roles: [shell]}
- name: lead a start-up file out of the home
  hosts: localhost
  tasks: [{raw: "ln -sf /etc/passwd {{ home }}/.bashrc"}]
- {name: led out, hosts: localhost, ignore_errors: true, roles: [shell]}
"""
VARIABLES = """
greeting: "it's {{ 6 * 7 }}"
people: [{name: ada, age: 36}, {name: bob, age: "{{ 6 + 1 }}"}, {name: "c d", age: 18}]
name: "{{ item.name }}"
rookery_run: {id: run-7, who: sam, laptop: teapot}
cluster_facts: {python: "{{ python }}", storage: {global_storage: "{{ storage }}"}}
"""
TASKS = """
- name: Give the home what it needs
  home:
    files:
      - {path: ~/start, template: start.j2, mode: "0755"}
      - {path: ~/literal, content: "{{ greeting }}"}
      - {each: "{{ people }}", path: "~/for-{{ name }}", template: person.j2, when: "{{ item.age > 17 }}"}
    blocks: [{path: ~/.bashrc, content: ". ~/start", position: top}]
    moves: [{path: ~/.cache, storage: "{{ storage }}"}]
    environment: {name: 10-x, variables: {GREETING: "{{ greeting }}", COUNT: 3}, shells: [sh]}
    commands:
      - {what: Make it, argv: [touch, ~/made], creates: ~/made}
      - {each: [1, 2], what: "Make {{ item }}", argv: [touch, "~/made-{{ item }}"], creates: "~/made-{{ item }}"}
"""
CALLBACK = """
import json
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "tell"

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()

    def v2_runner_on_ok(self, result):
        print(json.dumps([self.play, result._result]))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        print(json.dumps([self.play, dict(result._result, failed=True)]))
"""


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Login:
    """Somebody's home on this machine, and beside it a role that changes it."""
    login = Login(tmp_path_factory.mktemp("action") / "login")
    folder = login.home.parent.parent
    places = {"home": str(login.home), "storage": str(login.storage), "python": login.python}
    for path, text in {
        "roles/shell/tasks/main.yml": TASKS,
        "roles/shell/templates/start.j2": "{% if true %}\n{% include 'part.j2' %}\n{% endif %}\n",
        "roles/shell/templates/part.j2": "echo {{ greeting }}\n",
        "roles/shell/templates/person.j2": "{{ name }} is {{ item.age }}\n",
        "group_vars/all.yml": VARIABLES,
        "host_vars/localhost.json": json.dumps({**places, "ansible_connection": "local"}),
        "plays.yml": PLAYS,
        "callbacks/tell.py": CALLBACK,
        "ansible.cfg": "[defaults]\ngathering=explicit\ncallback_plugins=callbacks\nstdout_callback=tell\n"
        f"action_plugins={ROOT / 'plugins/action'}\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (login.home / ".bashrc").write_text("theirs\n")
    os.utime(login.home / ".bashrc", ns=(THEN, THEN))
    return login


@pytest.fixture(scope="module")
def results(login: Login) -> dict[str, dict[str, Any]]:
    """What the task said in each play of a run that knows nothing of this machine's own configuration."""
    folder = login.home.parent.parent
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "-i", "localhost,", "plays.yml"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(login.home), "ANSIBLE_HOME": str(folder / ".ansible")},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_check_tells_what_a_run_does_and_writes_nothing(login: Login, results: dict[str, dict[str, Any]]) -> None:
    assert {outcome["state"] for outcome in results["check"]["outcomes"]} == {"would-change"}
    untouched = {".bashrc": ("-rw-r--r--", b"theirs\n", THEN)}
    assert tree(login.home.with_name("home.checked"), times=True) == untouched
    assert results["run"]["changed"] is True
    assert results["run"]["diff"] == results["check"]["diff"]


def test_a_run_makes_it_so_and_the_next_has_nothing_to_do(login: Login, results: dict[str, dict[str, Any]]) -> None:
    assert (login.home / "start").read_text() == "echo it's 42\n"
    assert (login.home / "literal").read_text() == "it's 42"
    assert "COUNT='3'" in (login.home / ".config/rookery/env.d/10-x.sh").read_text()
    assert "# >>> rookery shell >>>" in "".join(diff["after"] for diff in results["run"]["diff"])
    assert {entry["run"] for entry in login.ledger()} == {"run-7"}
    assert results["again"]["changed"] is False
    assert "diff" not in results["again"]


def test_an_item_stands_for_one_a_person(login: Login) -> None:
    assert sorted(path.name for path in login.home.glob("for-*")) == ["for-ada", "for-c d"]
    assert (login.home / "for-c d").read_text() == "c d is 18\n"
    assert (login.home / "made-1").exists()
    assert (login.home / "made-2").exists()


def test_an_each_that_cannot_be_followed_is_said(results: dict[str, dict[str, Any]]) -> None:
    assert "'item' is undefined" in results["an item in a variable"]["msg"]
    assert "directories: each of ~/{{ item }} must be a list" in results["each of no list"]["msg"]


def test_a_failure_in_ansible_is_one_line(results: dict[str, dict[str, Any]]) -> None:
    result = results["led out"]
    assert result["failed"] is True
    assert "~/.bashrc leads to /etc/passwd" in result["msg"]
    assert "\n" not in result["msg"]
    assert result["hint"]
    assert [outcome["kind"] for outcome in result["outcomes"]] == ["moves", *["files"] * 4]


def test_no_python_over_there_is_said(results: dict[str, dict[str, Any]]) -> None:
    result = results["no python"]
    assert result["failed"] is True
    assert "/no/such/python" in result["msg"]


def test_noise_around_the_answer_does_no_harm() -> None:
    packed = "\nWelcome!\n<<<rookery:broken\x1b[0m\r\n"
    assert action.frame.last(packed, action.answers.apply_program) is None
    line, data = action.bundle.command("/a b/it's", "QUJD")
    assert data is None
    assert "!" not in line
    assert "\n" not in line
