"""The output of `lint`: lines for a terminal, or a document for another program."""

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rookery.core import console, typed_command
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.core.quantities import counted
from rookery.jobs.lint.checked_script import CheckedScript
from rookery.jobs.lint.formats import github, sarif
from rookery.jobs.options import LintOptions
from rookery.projects.scripts import directives

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_NAMED = 10
"""Most files that the next command names."""

_KEYS = {
    "mem": "memory",
    "time": "time",
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "array": "array",
}
"""Keys of a job in rookery.yml for options of sbatch."""

_FOREIGN = {"RK107", "RK108", "RK109"}
"""The rules on scripts that are for another scheduler."""

Report = Callable[[Sequence[CheckedScript], "Cluster", LintOptions], None]


def chosen(options: LintOptions) -> Report:
    """Return what prints the result in the format that the flags name.

    Raises:
        RookeryError: They name two.
    """
    if options.json and options.format not in {"", "json"}:
        raise RookeryError(
            f"Use either --json or --format {options.format}.", hint=typed_command.again(without=("--json", "-j"))
        )
    return {"json": _json, "github": _github, "sarif": _sarif}.get("json" if options.json else options.format, _text)


def _json(scripts: Sequence[CheckedScript], cluster: "Cluster", _options: LintOptions) -> None:
    count = _counted(scripts)
    document = {
        "cluster": cluster.name,
        "errors": count["error"],
        "warnings": count["warning"],
        "files": [
            {
                "path": script.path,
                "findings": [finding.document() for finding in script.findings],
                "mended": [finding.document() for finding in script.mended],
                "ignored": [{**each.finding.document(), "reason": each.reason} for each in script.ignored],
            }
            for script in scripts
        ],
    }
    _print(document)


def _sarif(scripts: Sequence[CheckedScript], _cluster: "Cluster", _options: LintOptions) -> None:
    _print(sarif.document(scripts))


def _print(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2))


def _github(scripts: Sequence[CheckedScript], cluster: "Cluster", options: LintOptions) -> None:
    for line in github.annotations(scripts):
        print(line)
    console.say(_summary(scripts, cluster, options))


def _text(scripts: Sequence[CheckedScript], cluster: "Cluster", options: LintOptions) -> None:
    output = console.writer(sys.stdout)

    def line(text: str, style: str = "") -> None:
        console.show(output, text, style)

    for script in scripts:
        for finding in script.mended:
            done = "would fix" if options.check else "fixed"
            line(f"{finding.path}:{finding.line}: {done} {finding.code}: {finding.why}", "green")
            _print_mended(finding.mended, line)
        for finding in script.findings:
            colour = "red" if finding.severity == "error" else "yellow"
            is_rendered = script.source and f"{finding.path} (rendered)" == script.path
            place = f"{finding.path}:{finding.line}"
            where = f"{script.source} ({place} as rendered)" if is_rendered else place
            line(f"{where}: {finding.severity} {finding.code}: {finding.why}", colour)
            _print_mended(_in_rookery_yml(finding.mended) if is_rendered else finding.mended, line)
    line(_summary(scripts, cluster, options), "bold")
    if foreign := next((script.path for script in scripts if _is_foreign(script)), ""):
        line(f"  next: {_call(['--translate', _quoted(foreign)], cluster, options)}   # prints it for Slurm")
    safe = [finding for script in scripts for finding in script.findings if finding.safe]
    if safe:
        words = [*map(_quoted, _fixable(scripts))] if options.files else []
        line(f"  next: {_call(words, cluster, options)} --fix   # fixes {len(safe)} of them")


def _is_foreign(script: CheckedScript) -> bool:
    """Return whether a script is for another scheduler, and can be translated."""
    return any(finding.code in _FOREIGN and finding.mended is None for finding in script.findings)


def _call(words: Sequence[str], cluster: "Cluster", options: LintOptions) -> str:
    """Return a call of lint with the cluster and the project that this one has."""
    project = ["--project", shlex.quote(options.project)] if options.project else []
    return " ".join([f"{invocation()} lint", *words, cluster.option, *project])


def _fixable(scripts: Sequence[CheckedScript]) -> list[str]:
    """Return the files that --fix would change; where they are many, the folders that they are in."""
    paths = [script.path for script in scripts if any(finding.safe for finding in script.findings)]
    folders = list(dict.fromkeys(os.path.dirname(path) or "." for path in paths))  # noqa: PTH120 as they were named
    return paths if len(paths) <= max(_NAMED, len(folders)) else folders


def _quoted(path: str) -> str:
    """Return a path as a shell and the command line take it: one that begins with a dash would be an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _print_mended(mended: str | None, line: Callable[..., None]) -> None:
    for text in mended.split("\n") if mended is not None else []:
        line(f"    {text.strip()}", "dim")


def _in_rookery_yml(mended: str | None) -> str | None:
    """Return the corrected line as a key of a job in rookery.yml; None for an option that has none."""
    if not mended or not mended.startswith(directives.MARK):
        return mended
    options = directives.read(mended).options
    values = {_KEYS[each.name]: each.value for each in options if each.value and each.name in _KEYS}
    return "\n".join(f"{key}: {json.dumps(value) if ':' in value else value}" for key, value in values.items()) or None


def _counted(scripts: Sequence[CheckedScript]) -> Counter[str]:
    return Counter(finding.severity for script in scripts for finding in script.findings)


def _summary(scripts: Sequence[CheckedScript], cluster: "Cluster", options: LintOptions) -> str:
    if not scripts:
        return "No job scripts here."
    count = _counted(scripts)
    mended = sum(len(script.mended) for script in scripts)
    ignored = sum(len(script.ignored) for script in scripts)
    left = [counted(count[kind], kind) for kind in ("error", "warning") if count[kind]]
    parts = [f"{mended} {'to fix' if options.check else 'fixed'}"] * bool(mended) + left
    where = f"in {counted(len(scripts), 'script')} for {cluster.name}{f' ({ignored} ignored)' * bool(ignored)}"
    if options.fix and not mended:
        by_hand = f"{', '.join(left)} to correct by hand" if left else "no problems"
        return f"Nothing to fix: {by_hand} {where}"
    return f"{', '.join(parts) or 'No problems'} {where}"
