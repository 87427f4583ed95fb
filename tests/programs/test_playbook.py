"""A real ansible-playbook run over a local connection, from a checkout made for the test, and what is read of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from home_helpers import is_running
from waiting import wait_for

from rookery.homes import playbook

ROOT = Path(__file__).resolve().parents[2]

HOME = """
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        return dict(self._task.args)
"""

SETUP = """
- name: Set up a home
  hosts: all
  gather_facts: false
  roles:
    - {role: shell, tags: [shell]}
    - {role: python, tags: [python]}
"""

RUN = """
import sys, json
from pathlib import Path
from rookery.core import paths
from rookery.homes import playbook
hosts, extra = json.loads(sys.argv[1]), json.loads(sys.argv[2])
one = playbook.Play(hosts=tuple(hosts), inventories=(paths.root() / "inventory",), **extra)
try:
    with playbook.Ansible() as ansible:
        code = ansible.run(one, lambda event: print(json.dumps(event), flush=True))
except KeyboardInterrupt:
    print(json.dumps({"event": "interrupted"}), flush=True)
    code = 130
sys.exit(code)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two roles and two clusters that are this computer."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "rookery", root / "rookery", ignore=shutil.ignore_patterns("__pycache__", "_data"))
    shutil.copytree(ROOT / "plugins" / "callback", root / "plugins" / "callback")
    shutil.copy(ROOT / "ansible.cfg", root)
    for path, text in {
        "plugins/action/home.py": HOME,
        "playbooks/setup.yml": SETUP,
        "inventory/hosts.yml": "all: {hosts: {ada: {}, bob: {}}}",
        "inventory/group_vars/all.yml": "ansible_connection: local",
        "inventory/host_vars/bob.yml": "broken: true",
        "roles/shell/tasks/main.yml": """
- name: Let every shell find the tools
  home:
    changed: "{{ not ansible_check_mode }}"
    outcomes:
      - {kind: file, path: ~/.profile, what: start-up file, state: made}
      - {kind: file, path: ~/x, what: "[bold]x[/bold]", state: present}
""",
        "roles/python/tasks/main.yml": """
- name: Install Python
  home:
    failed: "{{ broken | default(false) }}"
    msg: "{{ 'no room left' if broken | default(false) else rookery_run.id }}"
    hint: make room
- name: Tell the facts
  ansible.builtin.set_fact:
    cluster_facts: {home: "{{ inventory_hostname }}"}
""",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def environment(checkout: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(checkout),
        "HOME": str(checkout.parent / "home"),
        "XDG_STATE_HOME": str(checkout.parent / "state"),
        **more,
    }


def run(checkout: Path, hosts: list[str], **extra: object) -> tuple[int, list[dict]]:
    environ = environment(checkout, LC_ALL="C", ANSIBLE_STDOUT_CALLBACK="minimal", ANSIBLE_NO_LOG="1")
    arguments = [sys.executable, "-c", RUN, json.dumps(hosts), json.dumps(extra)]
    where = checkout.parent  # not the checkout itself: Python looks for modules where -c runs
    done = subprocess.run(arguments, env=environ, cwd=where, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_events_of_a_run_where_one_of_two_clusters_fails(checkout: Path) -> None:
    code, events = run(checkout, ["ada", "bob"], run="20260101T000000-abcd")
    assert code == 2
    results = {(event["host"], event["role"]): event for event in events if event["event"] == "result"}
    shell = results["ada", "shell"]
    assert (shell["state"], shell["changed"], shell["task"]) == ("ok", True, "Let every shell find the tools")
    assert [outcome["state"] for outcome in shell["outcomes"]] == ["made", "present"]
    failed = results["bob", "python"]
    assert (failed["state"], failed["msg"], failed["hint"]) == ("failed", "no room left", "make room")
    assert results["ada", "python"]["facts"] == {"home": "ada"}  # it went on
    assert "20260101T000000-abcd" in json.dumps(events)
    assert events[-1]["hosts"]["bob"]["failures"] == 1
    assert not [event for event in events if event["event"] in {"log", "said"}]


def test_ssh_is_given_the_clusters_name_and_finds_the_rest_in_its_own_configuration(checkout: Path) -> None:
    programs = checkout.parent / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{programs}/said'\n")
    (programs / "ssh").chmod(0o755)
    (checkout / "inventory/host_vars/ada.yml").write_text(
        "ansible_connection: ssh\nansible_host: '{{ nowhere }}'\nansible_port: '{{ nowhere }}'\nansible_user: bob\n"
        f"ansible_ssh_executable: '{programs}/ssh'\nansible_ssh_common_args: -o ProxyJump=nowhere\n"
    )
    (checkout / "roles/shell/tasks/main.yml").write_text("- name: Say true\n  ansible.builtin.raw: 'true'\n")
    code, _ = run(checkout, ["ada"])
    arguments = (programs / "said").read_text().splitlines()
    assert code == 0
    assert "ada" in arguments
    assert not [word for word in arguments if "Port=" in word or "User=" in word or "ProxyJump" in word]


def test_flags_reach_ansible_and_nothing_of_the_persons_own_configuration_does(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = checkout.parent / "home"
    (home / ".ansible/plugins/action").mkdir(parents=True)
    (home / ".ansible/plugins/action/home.py").write_text("raise SystemExit('not this one')")
    (home / ".ansible.cfg").write_text("[defaults]\nstrategy = no_such_strategy\n")
    (checkout.parent / "jinja2.py").write_text("raise SystemExit('not this one')")
    code, events = run(checkout, ["ada"], tags=["shell"], check=True)
    results = [event for event in events if event["event"] == "result"]
    assert (code, [event["role"] for event in results], results[0]["changed"]) == (0, ["shell"], False)
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "0")
    assert "ANSIBLE_HOST_KEY_CHECKING" not in playbook.environment()
    assert playbook.environment()["PATH"] == os.environ["PATH"]


def test_no_script_in_an_inventory_is_run(checkout: Path) -> None:
    for name in ("script", "script.sh", "script.py", "script.yml"):
        file = checkout / "inventory" / name
        file.write_text(f"#!/bin/sh\ntouch '{checkout.parent}/owned'\necho '{{}}'\n")
        file.chmod(0o755)
    code, _ = run(checkout, ["ada"])
    assert code == 0
    assert not (checkout.parent / "owned").exists()


def test_a_playbook_that_does_not_parse_ends_with_log_lines(checkout: Path) -> None:
    (checkout / "playbooks/setup.yml").write_text("- hosts: [")
    code, events = run(checkout, ["ada"])
    assert code not in {0, 2}
    assert any("ERROR" in event.get("line", "") for event in events)


def test_one_that_is_told_nothing_does_nothing_and_is_gone_at_once(checkout: Path) -> None:
    code = (
        "from rookery.homes import playbook\n"
        "with playbook.Ansible() as one: print(one._process.pid, flush=True); input()"
    )
    arguments = [sys.executable, "-c", code]
    for end in ("\n", ""):  # the end of the block; of the process that it belongs to, where that is killed
        with subprocess.Popen(
            arguments,
            env=environment(checkout),
            cwd=checkout.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            pid = int(process.stdout.readline())
            if end:
                process.stdin.write(end)
                process.stdin.flush()
            else:
                process.kill()
            output = process.communicate(timeout=120)[0]
        wait_for(lambda pid=pid: not is_running(pid))
        assert output == ""


def processes(mark: str) -> list[str]:
    """Command lines of the processes that have a mark in theirs."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            lines.append(line)
    return lines


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind_when_a_run_is_stopped(checkout: Path, number: int) -> None:
    mark = f"sleep 3{os.getpid()}"
    task = f"- name: Wait\n  ansible.builtin.raw: echo begun; {mark}; true\n"
    (checkout / "roles/shell/tasks/main.yml").write_text(task)
    arguments = [sys.executable, "-c", RUN, '["ada"]', "{}"]
    with subprocess.Popen(
        arguments, env=environment(checkout), cwd=checkout.parent, stdout=subprocess.PIPE, text=True
    ) as process:
        wait_for(lambda: processes(mark))
        process.send_signal(number)
        output = process.communicate(timeout=120)[0]
    wait_for(lambda: not [line for line in processes(str(checkout)) if "_playbook.py" in line])
    wait_for(lambda: not processes(mark))
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted" in output
