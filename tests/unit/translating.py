"""Scripts of other schedulers in Slurm's terms, for the tests of `lint --translate`."""

from dataclasses import replace

from projects import known

from rookery.jobs.lint.translation import translator
from rookery.jobs.lint.translation.model import Site, site_of
from rookery.jobs.lint.translation.translator import ScriptTranslation

HEC = site_of(known("hec"))
BEDE = site_of(known("bede"))
PLAIN = replace(HEC, cluster=None)
"""HEC, where no partition is chosen."""


def translated(text: str, site: Site = HEC, folders: tuple[str, ...] = ()) -> ScriptTranslation:
    """The translation of a script; there must be one."""
    translation = translator.translate(text, site, lambda path: path in folders)
    assert translation is not None, text
    return translation


def options(lines: str, commands: str = "cd work\n./model\n", site: Site = PLAIN, folders: tuple[str, ...] = ()) -> str:
    """What the lines of another scheduler become, without the default names of logs, one option a line."""
    text = translated(f"#!/bin/bash\n{lines}\n{commands}", site, folders).text
    head = text.removeprefix("#!/bin/bash\n").partition("cd work\n")[0].splitlines()
    return "\n".join(line.removeprefix("#SBATCH ") for line in head if "=%x." not in line)


def notes(lines: str, commands: str = "cd work\n./model\n", site: Site = HEC) -> list[str]:
    """What is to be checked of the translation of these lines."""
    return [note.text for note in translated(f"#!/bin/bash\n{lines}\n{commands}", site).notes]
