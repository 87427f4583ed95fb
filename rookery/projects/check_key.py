"""The key `check` of rookery.yml: a command becomes a small job, so that it is deployed and runs as every other."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from rookery.core.file_problems import Complaint
from rookery.core.yaml_document import Document
from rookery.projects.model import ProjectCheck

JOB: Final = "check"
"""Name of the job that is made of a command."""

DEFAULTS: Final = {"memory": "2G", "time": "00:10:00"}
"""What that job asks for, where rookery.yml does not say."""


def with_job(document: Document) -> Document:
    """Return a rookery.yml with the job that runs the tests, where `check` gives its command.

    Args:
        document: As `config_schema.check` returns it.
    """
    settings, jobs = _settings(document.data), document.data.get("jobs") or {}
    if settings is None or settings.get("where") == "laptop" or JOB in jobs:
        return document
    job = {key: value for key, value in settings.items() if key != "where"}
    lines = {("jobs", *place): line for place, line in document.lines.items() if place[0] == JOB}
    lines[("jobs", JOB, "command")] = document.line((JOB, "command"))
    data = {**document.data, "jobs": {**jobs, JOB: {**DEFAULTS, **job}}}
    return replace(document, data=data, lines={**document.lines, **lines})


def complaints(document: Document) -> Iterator[Complaint]:
    """Yield what is wrong with `check` beside the project's jobs, before its own is one of them."""
    settings = _settings(document.data)
    if settings is None:
        return
    if settings.get("where") != "laptop" and JOB in (document.data.get("jobs") or {}):
        text = "`check` makes a job of that name: give this one another, or write `check: check` to run it as the tests"
        yield Complaint(("jobs", JOB), text, usable=True)
    if settings.get("where") == "laptop":
        for key in settings.keys() - {"where", "command"}:
            yield Complaint((JOB, key), f"`{key}` can't be used with `where: laptop`", usable=True)


def of(data: Mapping[str, Any]) -> ProjectCheck | None:
    """Return the tests that a rookery.yml names, which is as it should be."""
    settings = _settings(data)
    if settings is None:
        return ProjectCheck(data[JOB]) if data.get(JOB) else None
    return ProjectCheck(command=settings["command"]) if settings.get("where") == "laptop" else ProjectCheck(JOB)


def _settings(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the settings of the tests; None where there are none, or a job of the file is named."""
    value = data.get(JOB)
    if isinstance(value, Mapping):
        return value
    return {"command": value} if value and value not in (data.get("jobs") or {}) else None
