"""The command `lint --translate`: print scripts of other schedulers in Slurm's terms, or write them beside these."""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.core import atomic_files, console, typed_command
from rookery.core.errors import RookeryError
from rookery.core.invocation import invocation
from rookery.jobs.lint import discovery, job_words
from rookery.jobs.lint.checker import check, fix
from rookery.jobs.lint.checks import form
from rookery.jobs.lint.finding import Finding
from rookery.jobs.lint.script.project_files import Surroundings
from rookery.jobs.lint.translation import translator
from rookery.jobs.lint.translation.model import Note, site_of
from rookery.jobs.options import LintOptions

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster
    from rookery.projects.model import Project


@dataclass(frozen=True)
class TranslatedScript:
    """A script in Slurm's terms.

    Attributes:
        path: The original.
        target: The file that `--fix` writes.
        scheduler: The one that the original was written for.
        text: The translated script.
        notes: What it does not do as the original did, or is to be checked there.
        findings: What is wrong with it on the cluster.
    """

    path: Path
    target: Path
    scheduler: str
    text: str
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]


def run(options: LintOptions, cluster: "Cluster", project: "Project | None") -> int:
    """Translate job scripts, and print them, or write them beside the originals.

    Args:
        options: What was asked for.
        cluster: Where they are to run.
        project: The project that they may be in.

    Returns:
        1 where a translated script has an error, otherwise 0.

    Raises:
        RookeryError: A file is not there, is for none of the other schedulers, or would be written over.
    """
    if options.format in {"github", "sarif"}:
        raise RookeryError(
            f"--format {options.format} is for findings: --translate prints scripts, or with --json a document.",
            hint=typed_command.again(without=("--format",)),
        )
    if not options.files:
        raise RookeryError("Missing argument FILE.", hint=f"invoke lint --translate job.pbs {cluster.option}")
    words = [_file_of(word, cluster, project) for word in options.files]
    scripts = [
        script
        for file, alone in discovery.named(words)
        if (script := _translated(file, cluster, project, mend=options.fix, alone=alone))
    ]
    states = _write(scripts, check=options.check) if options.fix else []
    if options.json or options.format == "json":
        _print_json(scripts, cluster, options)
    else:
        _print(scripts, states)
        _print_problems(scripts, cluster, options)
    return int(any(finding.severity == "error" for script in scripts for finding in script.findings))


def _file_of(word: str, cluster: "Cluster", project: "Project | None") -> str:
    """Return the file that a word means: that of a job's own script, or the word itself.

    Raises:
        RookeryError: It means a job whose script rookery makes.
    """
    job = job_words.job_of(word, project)
    script = job_words.own_script(job, cluster, project)
    if job and not script:
        raise RookeryError(
            f"The script of {job} is made from rookery.yml, for Slurm: there is nothing to translate.",
            hint=f"invoke lint {job} {cluster.option}",
        )
    return script or word


def _translated(
    file: Path, cluster: "Cluster", project: "Project | None", *, mend: bool, alone: bool
) -> TranslatedScript | None:
    """Return a script in Slurm's terms, None for one in a folder that has nothing to translate.

    Args:
        file: The script.
        cluster: Where it is to run.
        project: The project that it may be in.
        mend: Whether lint's safe fixes are made, too.
        alone: Whether it was named itself, rather than found in a folder.
    """
    inside = project is not None and file.resolve().is_relative_to(project.root)
    place = Surroundings(project.root, project) if project and inside else Surroundings(file.parent)
    text = discovery.text_of(file)
    if (wrong := form.unreadable(text, str(file))) and wrong.code == "RK106":  # no more than its beginning was read
        raise RookeryError(f"{file}: {wrong.why}")
    is_text = "\0" not in text
    translation = (
        translator.translate(text, site_of(cluster), lambda path: _is_folder(place, path)) if is_text else None
    )
    if translation is None:
        if not alone:
            return None
        reason = "has #SBATCH lines already" if translator.is_for_slurm(text) else "has no lines of PBS, SGE or LSF"
        raise RookeryError(
            f"{file} {reason}: there is nothing to translate.",
            hint=f"invoke lint {shlex.quote(str(file))} {cluster.option}",
        )
    target = discovery.translation_of(file)
    name = place.name(target) if inside else str(target)
    new = translation.text
    if mend:
        new = fix(new, cluster, path=name, files=place.files, folder=place.folder)
    findings = check(new, cluster, path=name, files=place.files, folder=place.folder)
    return TranslatedScript(file, target, translation.scheduler, new, translation.notes, tuple(findings))


def _is_folder(place: Surroundings, path: str) -> bool:
    return not path.startswith("/") and (place.root / path).is_dir()


def _bytes(script: TranslatedScript) -> bytes:
    return script.text.encode("utf-8", "surrogateescape")


def _holds(script: TranslatedScript) -> bool:
    return script.target.is_file() and script.target.read_bytes() == _bytes(script)


def _refuse_to_overwrite(scripts: Sequence[TranslatedScript]) -> None:
    """Make sure that no file is written over, nor one file for two scripts.

    Raises:
        RookeryError: One would be.
    """
    targets = [script.target for script in scripts]
    for script in scripts:
        if targets.count(script.target) > 1:
            both = " and ".join(str(other.path) for other in scripts if other.target == script.target)
            raise RookeryError(
                f"{both} would both become {script.target}.", hint="translate them one by one, and rename the first"
            )
        if os.path.lexists(script.target) and not _holds(script):
            raise RookeryError(
                f"{script.target} exists, and is not what {script.path} translates to now: nothing was written.",
                hint=f"mv {shlex.quote(str(script.target))} {shlex.quote(str(script.target) + '.old')}",
            )


def _write(scripts: Sequence[TranslatedScript], *, check: bool) -> list[str]:
    """Write the scripts that are not there yet, unless it is only a check; return a line for each."""
    _refuse_to_overwrite(scripts)
    states = []
    for script in scripts:
        if _holds(script):
            states.append(f"{script.target} is up to date")
            continue
        if not check:
            atomic_files.write(script.target, _bytes(script), mode=script.path.stat().st_mode & 0o7777)
        states.append(f"{script.target} {'would be written' if check else 'written'}")
    return states


def _print_json(scripts: Sequence[TranslatedScript], cluster: "Cluster", options: LintOptions) -> None:
    kinds = [finding.severity for script in scripts for finding in script.findings]
    document = {
        "cluster": cluster.name,
        "errors": kinds.count("error"),
        "warnings": kinds.count("warning"),
        "files": [
            {
                "path": str(script.path),
                "scheduler": script.scheduler,
                "target": str(script.target) if options.fix else None,
                "text": script.text,
                "notes": [asdict(note) for note in script.notes],
                "findings": [finding.document() for finding in script.findings],
            }
            for script in scripts
        ],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    valid = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # JSON has no bytes that are not UTF-8
    print(json.dumps(json.loads(valid), indent=2))


def _print(scripts: Sequence[TranslatedScript], states: Sequence[str]) -> None:
    """Print the scripts, or which were written."""
    if states:
        console.say(*states)
        return
    sections = [f"# {script.path}\n{script.text}" if len(scripts) > 1 else script.text for script in scripts]
    text = "\n".join(sections)
    if sys.stdout.isatty():
        sys.stdout.write(console.clean(text))
    else:  # byte for byte, whatever the original's encoding
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def _print_problems(scripts: Sequence[TranslatedScript], cluster: "Cluster", options: LintOptions) -> None:
    """Print on standard error what is to be checked."""
    output = console.writer(sys.stderr)
    for script in scripts:
        for note in script.notes:
            console.show(output, f"{script.path}:{note.line}: {note.text}: {note.why}", "yellow")
        for finding in script.findings:
            colour = "red" if finding.severity == "error" else "yellow"
            where = f"{script.target}:{finding.line}"
            console.show(output, f"{where}: {finding.severity} {finding.code}: {finding.why}", colour)
    console.show(output, _summary(scripts, cluster), "bold")
    if scripts and not options.fix:
        words = ["--translate", *map(shlex.quote, options.files), cluster.option, "--fix"]
        names = ", ".join(dict.fromkeys(script.target.name for script in scripts[:3]))
        more = ", …" * (len(scripts) > 3)
        console.show(output, f"  next: {invocation()} lint {' '.join(words)}   # writes {names}{more}")


def _summary(scripts: Sequence[TranslatedScript], cluster: "Cluster") -> str:
    if not scripts:
        return "No scripts of PBS, SGE or LSF here."
    kinds = [finding.severity for script in scripts for finding in script.findings]
    counts = {
        "note": sum(len(script.notes) for script in scripts),
        "error": kinds.count("error"),
        "warning": kinds.count("warning"),
    }
    parts = [f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items() if count]
    schedulers = ", ".join(sorted({script.scheduler for script in scripts}))
    number = f"{len(scripts)} script{'s' * (len(scripts) != 1)}"
    return f"Translated {number} from {schedulers} for {cluster.name}: {', '.join(parts) or 'nothing to check'}"
