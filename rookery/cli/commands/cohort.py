"""Several students at once, for who looks after them."""

from typing import Any

from rookery.cli.commands.help_texts import JSON
from rookery.cli.program import command


@command(
    help={
        "file": "YAML list of students: name, email, clusters, project, language (docs/supervisors.md)",
        "output": "folder for their files; by default one beside FILE that has its name",
        "reports": "folder with the reports that they sent back (`doctor --report`, or --json)",
        "html": "file to write the readiness table into, as one page",
        "wheel": "rookery's wheel, for its checksum in the instructions [looked for beside FILE, here, in dist/]",
        "json": JSON,
    }
)
def cohort(
    _c: Any, file: str, output: str = "", reports: str = "", html: str = "", wheel: str = "", json: bool = False
) -> int | None:
    """For a supervisor: write each student's account requests and instructions, and show how far everybody is."""
    from rookery.support.cohort import command

    return command.run(
        command.CohortOptions(file=file, output=output, reports=reports, html=html, wheel=wheel, json=json)
    )
