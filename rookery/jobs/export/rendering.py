"""Render the files of a tool's settings."""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from rookery.core import shipped_templates
from rookery.jobs.export.settings import ToolSettings

FILES = {
    "snakemake": ("snakemake/config.yaml",),
    "dask": ("dask/jobqueue.yaml",),
    "parsl": ("parsl/parsl_settings.py",),
    "submitit": ("submitit/submitit_settings.py",),
    "batchtools": ("batchtools/batchtools.conf.R", "batchtools/batchtools.slurm.tmpl"),
    "aiida": (
        "aiida/computer-setup.yaml",
        "aiida/computer-configure.yaml",
        "aiida/code.yaml",
        "aiida/options.yaml",
    ),
}
"""The templates of each tool, in the order in which its files are used."""


def render(tool: str, task: ToolSettings) -> Mapping[str, str]:
    """Return the text of each of a tool's files, by its name.

    Args:
        tool: One of FILES.
        task: What it asks Slurm for.
    """
    environment = shipped_templates.environment("export")  # each value is quoted by a filter
    environment.filters |= {"yaml": json.dumps, "python": repr, "comment": _comment, "brew": _brew}
    return {PurePosixPath(name).name: environment.get_template(f"{name}.j2").render(task=task) for name in FILES[tool]}


def _comment(text: str) -> str:
    """Return a text that stays on the line of a comment."""
    return " ".join(text.split())


def _brew(text: str) -> str:
    """Return a text as it is in a template of brew: one with brew's own marks is an expression of R without them."""
    if "<%" not in text and "%>" not in text:
        return text
    quoted = json.dumps(text).replace("%", r"\x25")
    return f"<%= {quoted} %>"
