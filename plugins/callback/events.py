"""Write the events of a play as lines of JSON, for rookery/homes/playbook.py to read.

Every line is an object with `event`: `play`, `start` (host, role, task, action), `result` (host, role, task, action,
state, changed, outcomes, diff, msg, hint, details, facts) or `stats` (hosts). Lines that are not such objects are log
lines, of a command that streams its output, or Ansible's own warnings.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ansible.plugins.callback import CallbackBase

if TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.playbook import Playbook
    from ansible.playbook.task import Task

DOCUMENTATION = """
name: events
type: stdout
short_description: A line of JSON an event
description: [What rookery reads while a play runs. By hand, Ansible's default output reads better.]
"""

OUTCOMES = "outcomes"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """The callback that writes Ansible's events as lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "events"

    def _say(self, event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}, default=str, ensure_ascii=True)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def _result(self, result: CallbackTaskResult, state: str) -> None:
        values = result.result
        self._say(
            "result",
            host=result.host.get_name(),
            **_task(result.task),
            state=state,
            changed=bool(values.get("changed")),
            outcomes=values.get(OUTCOMES) or [],
            diff=values.get("diff") or [],
            msg=_message(values),
            hint=values.get("hint") or _hint(values, result.host.get_name()),
            details=values.get("details") or [],
            facts=(values.get("ansible_facts") or {}).get("cluster_facts"),
        )

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        """Write the event that Ansible has started."""
        self._say("play", playbook=str(playbook._file_name))

    def v2_runner_on_start(self, host: Any, task: Task) -> None:
        """Write the event that a host begins a task."""
        self._say("start", host=host.get_name(), **_task(task))

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Write a task's result."""
        self._result(result, "ok")

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        """Write the result of a task that had nothing to do."""
        self._result(result, "skipped")

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Write the result of a task that failed."""
        self._result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """Write the event that a cluster can't be reached any more."""
        self._result(result, "unreachable")

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Write the count of each kind of result, by host."""
        self._say("stats", hosts={host: stats.summarize(host) for host in sorted(stats.processed)})


def _task(task: Task) -> dict[str, Any]:
    """Return a task's role and name, without the role that Ansible puts before the name."""
    role = task._role.get_name() if task._role else None
    return {"role": role, "task": task.name or task.action, "action": task.action}


def _message(values: dict[str, Any]) -> str:
    """Return the most useful message of a failed or unreachable result."""
    if faults := values.get("argument_errors"):
        return f"invalid settings: {'; '.join(faults)}"
    parts = [values.get("msg"), values.get("module_stderr") or values.get("stderr")]
    return next((str(part).strip() for part in parts if part), "")


def _hint(values: dict[str, Any], host: str) -> str:
    """Return the command to run next, where a role was asked for what it can't do."""
    if not values.get("argument_errors"):
        return ""
    return f"invoke clusters.show {host}   # shows the file and line of each setting"
