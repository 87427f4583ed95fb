"""The action `workstation`: merge what VS Code needs for clusters into the settings of the editors on this computer."""

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from rookery.core.errors import RookeryError
from rookery.homes.vscode import by_hand, workstation

DOCUMENTATION = """
module: workstation
short_description: Let VS Code on this computer connect to clusters
description:
  - Merges Remote-SSH's settings into the settings.json of each editor of VS Code's kind that is here.
  - Settings of the user are kept; a file that is not JSON with comments is not changed, and reported.
options:
  clusters:
    description: Names of clusters; by default those where the user's username is known.
    type: list
    elements: str
    default: []
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action `workstation`, which runs on the controller alone."""

    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"clusters"})

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the settings, or in check mode report what would be written."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            clusters = by_hand.clusters(",".join(self._task.args.get("clusters") or []))
            outcomes = workstation.run(clusters, check=self._task.check_mode)
        except RookeryError as error:
            raise AnsibleActionFail(str(error)) from None
        lines = list(workstation.lines(outcomes, quiet=True))
        failed = any(outcome.state in {"broken", "unwritable"} for outcome in outcomes)
        changed = any(outcome.state in {"changed", "would-change"} for outcome in outcomes)
        return result | {"changed": changed, "failed": failed, "msg": "; ".join(lines), "outcomes": lines}
