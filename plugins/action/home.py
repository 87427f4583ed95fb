"""The action `home`: send a role's declaration to the login node in one piece, and have it applied there.

docs/reference/formats.md describes the format, rookery/homes/declaration.py checks a declaration, rookery/remote/apply/
is what is sent. This side fills in templates, packs everything into one script, and waits for Slurm jobs. home.yml is
for ansible-doc.
"""

from __future__ import annotations

import base64
import getpass
import socket
import time
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template
from ansible.utils.display import Display

from rookery.clusters.login_node import answers, bundle, frame
from rookery.clusters.login_node import facts as probe
from rookery.clusters.ssh.remote_command import DOWNLOADS, remote_command
from rookery.core.errors import RookeryError
from rookery.homes import remote_session
from rookery.homes.declaration import expand, faults

PROGRAM = "apply.main"

bundle.code(PROGRAM)  # now: Ansible imports this before it forks a worker for each task

POLL_SECONDS = 2.0
GONE_POLLS = 5  # a shared filesystem may show a job's exit code some seconds after Slurm has forgotten the job


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action `home`, which applies a role's declaration to a home."""

    _supports_check_mode = True
    _supports_diff = True

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:  # noqa: ARG003
        """Leave a task's arguments as written: `item` in an item with `each` is known in `run` alone."""
        return value

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the declaration, wait for jobs, return the result that docs/reference/formats.md describes."""
        variables = task_vars or {}
        super().run(tmp, variables)
        try:
            declaration = expand(self._task.args, self._filled)
        except RookeryError as error:
            raise AnsibleActionFail(str(error)) from None
        wrong = faults(declaration)
        if wrong:
            raise AnsibleActionFail("invalid declaration: " + "; ".join(wrong))
        if "files" in declaration:
            declaration["files"] = [self._rendered(item, variables) for item in declaration["files"]]
        role = self._task._role.get_name() if self._task._role else "playbook"
        facts = self._variable("cluster_facts", variables)
        self._use_proxy(declaration, facts, variables)
        storage, free = facts.get("storage", {}), facts.get("free_mb", {})
        # what the user's quota leaves is for every role to keep to
        known = {path: free[name] for name, path in storage.items() if name in free}
        declaration["space"] = {**known, **declaration.get("space", {})}
        asked = self._asked(variables)
        payload = {
            "whole": bool(asked),
            "seal": self._seal(asked, facts, variables) if asked and declaration.get("release") else None,
            "role": role.rpartition(".")[2],
            "run": _run_of(self._variable("rookery_run", variables)),
            "storage": list(storage.values()),
            "check": bool(self._task.check_mode),
            "declaration": declaration,
            "resume": None,
        }
        answer = self._ask(payload, variables)
        done: dict[str, Any] = {"changed": False, "outcomes": [], "diff": []}
        while "job" in answer:
            job = answer.pop("job")
            _add(done, answer)
            self._follow(job, payload, variables)
            answer = self._ask({**payload, "resume": int(job["command"])}, variables)
        return _result(_add(done, answer), show_diff=bool(self._task.diff))

    def _use_proxy(self, declaration: dict[str, Any], facts: dict[str, Any], variables: dict[str, Any]) -> None:
        """Give each command the site's web proxy: at a first setup no start-up file does."""
        proxy = probe.proxy_variables(facts, {"cluster_proxy": self._variable("cluster_proxy", variables)})
        for command in declaration.get("commands", []) if proxy else []:
            command["environment"] = {**proxy, **command.get("environment", {})}

    def _asked(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return what the laptop asks for by this run, where it is a whole one (rookery/homes/up_to_date.py)."""
        run = self._variable("rookery_run", variables)
        asked: dict[str, Any] = run.get("asked", {}).get(variables.get("inventory_hostname"), {})
        return {} if self._task.check_mode else asked

    def _seal(self, asked: dict[str, Any], facts: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Return what is noted at the end of a whole run, so that the next need not be one."""
        profile = {key: value for key, value in variables.items() if key.startswith("cluster_")}
        glance = probe.command(probe.script(), self._templar.template(profile), glance=True)
        return {**asked, "facts": probe.lasting(facts), "glance": glance}

    def _ask(self, payload: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Make one round trip to the login node; an answer that can't be used is a failure."""
        try:
            return self._answer(payload, variables)
        except RookeryError as error:
            return {"failed": True, "msg": error.message, "hint": error.hint or ""}

    def _answer(self, payload: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of the login node.

        The last one of a run has a login of its own, which sees the home after all changes.

        Raises:
            RookeryError: It can't be used.
        """
        if not payload.get("seal"):
            try:
                answer = remote_session.carry_out(
                    variables["inventory_hostname"], self._interpreter(variables), payload
                )
            except remote_session.EndedError as ended:
                if ended.exit == 255:
                    raise AnsibleConnectionFailure("the connection was lost") from None
                return _unanswered(ended.exit, ended.lines)
            if answer is not None:
                return answer
        line, data = bundle.command(self._interpreter(variables), bundle.pack(PROGRAM, payload))
        line = remote_command(f"{DOWNLOADS}exec {line}", stdin="" if data else None)
        # sudoable=False: no terminal is asked for, which would rewrite line ends
        result = self._low_level_execute_command(line, in_data=data, sudoable=False)
        answer = cast("dict[str, Any] | None", frame.last(result["stdout"], answers.apply_program))
        if answer is None:
            return _unanswered(result["rc"], (result["stderr"] or result["stdout"]).strip().splitlines())
        return answer

    def _variable(self, name: str, variables: dict[str, Any]) -> Any:
        """Return a variable with the templates in it filled in; an empty mapping where there is none."""
        return self._templar.template(variables.get(name)) or {}

    def _interpreter(self, variables: dict[str, Any]) -> str:
        """Return the Python on the cluster: the one the probe found, else Ansible's setting, else the usual one."""
        probed = self._variable("cluster_facts", variables).get("python")
        configured = self._variable("ansible_python_interpreter", variables) or "auto"
        return str(probed or (configured if not configured.startswith("auto") else "python3"))

    def _follow(self, job: dict[str, Any], payload: dict[str, Any], variables: dict[str, Any]) -> None:
        """Show a job's log as it grows, until the job is over."""
        display = Display()
        display.display(f"{job['what']}: Slurm job {job['id']}")
        question = {"role": payload["role"], "run": payload["run"], "poll": {"key": job["key"], "offset": 0}}
        gone, rest, reason = 0, b"", ""
        while gone < GONE_POLLS:
            answer = self._ask(question, variables)
            if answer.get("failed"):
                raise AnsibleActionFail(_message(answer))
            if not {"offset", "log", "state", "reason", "more"} <= answer.keys():
                raise AnsibleActionFail("the login node sent no status of its Slurm job (run the same command again)")
            question["poll"]["offset"] = answer["offset"]
            *lines, rest = (rest + base64.b64decode(answer["log"])).split(b"\n")
            for line in lines:
                if not line.startswith(b"rookery-made: "):
                    display.display("    " + line.decode("utf-8", "replace").rstrip("\r"))
            if answer["state"] == "pending" and answer["reason"] not in (reason, "None"):
                reason = answer["reason"]
                display.display(f"    waiting in the queue ({reason})")
            if answer["more"]:
                continue
            if answer["state"] == "ended":
                break
            gone = gone + 1 if answer["state"] == "gone" else 0
            time.sleep(POLL_SECONDS)
        if rest:
            display.display("    " + rest.decode("utf-8", "replace"))

    def _filled(self, value: Any, variables: Mapping[str, Any]) -> Any:
        """Return a value with its templates filled in, with these variables besides the task's own."""
        if not variables:
            return self._templar.template(value)
        known = ChainMap(dict(variables), self._templar.available_variables)
        return self._templar.copy_with_new_env(available_variables=known).template(value)

    def _rendered(self, item: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Return a file with its content: templates are looked for, and filled in, as the template module does it."""
        if "template" not in item:
            return item
        try:
            source = self._find_needle("templates", item["template"])
        except AnsibleError as error:
            raise AnsibleActionFail(f"missing template {item['template']} for {item['path']}: {error}") from error
        folders = [*variables.get("ansible_search_path", []), self._loader._basedir, str(Path(source).parent)]
        search = [path for folder in folders for path in (str(Path(folder) / "templates"), folder)]
        known = {**variables, **item.get("vars", {})}
        templar = self._templar.copy_with_new_env(searchpath=search, available_variables=known)
        text = trust_as_template(self._loader.get_text_file_contents(source))
        overrides = {"trim_blocks": True, "lstrip_blocks": True}
        content = templar.template(text, escape_backslashes=False, overrides=overrides)
        rest = {key: value for key, value in item.items() if key not in {"template", "vars"}}
        return {**rest, "content": "" if content is None else str(content)}


def _unanswered(code: int, lines: Sequence[str]) -> dict[str, Any]:
    """Return the result where no answer came from the login node, from the command's exit code and what it said."""
    hint = "run the same command again; if it fails again, run invoke doctor"
    last = lines[-1] if lines else "no output"
    message = f"setup stopped on the login node (exit code {code}): {last}"
    return {"failed": True, "msg": message, "hint": hint, "details": lines[-20:]}


def _run_of(given: dict[str, Any]) -> dict[str, str]:
    """Return who runs this, for the ledger and the lease; a run by hand goes under this laptop's name."""
    mine = {"id": f"by-hand-{int(time.time())}", "who": getpass.getuser(), "laptop": socket.gethostname()}
    return {key: str(given.get(key) or value) for key, value in mine.items()}


def _add(done: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the results of the parts before and after a job, as one."""
    lists = {key: done[key] + answer.get(key, []) for key in ("outcomes", "diff")}
    done.update({**answer, **lists, "changed": done["changed"] or answer.get("changed", False)})
    return done


def _message(answer: dict[str, Any]) -> str:
    """Return what went wrong, with what to do about it."""
    return f"{answer['msg']} ({answer['hint']})" if answer.get("hint") else str(answer["msg"])


def _result(done: dict[str, Any], *, show_diff: bool) -> dict[str, Any]:
    if done.get("failed"):
        done["msg"] = _message(done)
    if not show_diff:
        del done["diff"]
    return done
