"""The action `probe`: ask a login node for its facts once, and give them to every later role as `cluster_facts`."""

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from rookery.clusters.login_node import facts
from rookery.clusters.ssh.remote_command import remote_command
from rookery.core.errors import RookeryError
from rookery.homes import bootstrap_python, remote_session

DOCUMENTATION = """
module: probe
short_description: Collect facts about a login node, in one round trip
description:
  - Runs rookery/remote/scripts/probe.sh there and sets C(cluster_facts).
  - With O(bring_python), where there is no Python that C(home) can use, installs one with uv.
options:
  bring_python:
    description: The Python to install where there is none, such as "3.13".
    type: str
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action `probe`. Where there is a Python, it changes nothing."""

    _requires_connection = True
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"bring_python"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Probe the login node; bring a Python where that is asked for and there is none."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        profile = {
            key: value for key, value in variables.items() if key.startswith("cluster_") and key != "cluster_facts"
        }
        profile = self._templar.template(profile)
        changed = False
        try:
            facts = self._ask(variables["inventory_hostname"], profile)
            if self._task.args.get("bring_python") and not facts["python"]:
                facts["python"] = self._bring(facts, profile, self._task.args["bring_python"])
                changed = True
        except RookeryError as error:
            raise AnsibleActionFail(str(error)) from None
        return result | {"changed": changed, "ansible_facts": {"cluster_facts": facts}}

    def _ask(self, name: str, profile: dict[str, Any]) -> dict[str, Any]:
        output = remote_session.probed(name, facts.arguments(profile))
        if output is None:
            line = remote_command(facts.command(facts.script(), profile))
            output = self._low_level_execute_command(line, sudoable=False)["stdout"]
        return facts.read(output, profile)

    def _bring(self, facts: dict[str, Any], profile: dict[str, Any], version: str) -> str:
        if self._task.check_mode:
            raise RookeryError(
                f"{facts['node']} has no Python 3.6 or later, so --check can't compare anything. "
                "A real setup installs one first.",
                hint="run the same command without --check",
            )
        return bootstrap_python.bring(
            facts,
            profile,
            version,
            run=lambda command: self._low_level_execute_command(command, sudoable=False),
            send=self._connection.put_file,
        )
