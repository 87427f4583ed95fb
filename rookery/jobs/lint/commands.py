"""RK6: the commands of a script: R's name, modules, conda, and what starts a job's processes."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from rookery.jobs.lint import names
from rookery.jobs.lint.context import Context
from rookery.jobs.lint.effective import effective, programs_run, working_command
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.requested_resources import requested
from rookery.jobs.lint.shell import ShellCommand, read

_PROFILE = re.compile(r"(?:source|\.)\s+(/etc/\S+)")
_OTHER_PROFILE = re.compile(
    r"/etc/(?:profile|bashrc)|/init/(?:bash|sh|profile)$|modules\.sh$|lmod|\.bashrc$|\.bash_profile$|\.profile$"
)
_CONDA_READY = re.compile(r"conda\.sh$|mamba\.sh$|bashrc$|bash_profile$|\.profile$|/bin/activate$")


def rscript(script: Context) -> Iterator[Finding]:
    """Yield findings for Rscript in other letters: Linux tells capitals from small letters."""
    for command in script.shell.commands:
        first = [command.words[0], *(words[0] for words in programs_run(script, command))]
        for word in {(word.start, word.text): word for word in first}.values():
            name = word.text.rpartition("/")[2]
            if not word.fixed or name.lower() != "rscript" or name in {"Rscript", *script.shell.functions}:
                continue
            at = script.text.find(name, word.start, word.end)
            yield script.finding(
                "RK601",
                command.line,
                f"Unknown command {name}: its name is Rscript, and Linux distinguishes upper and lower case.",
                edits=[Edit(at, at + len(name), "Rscript")] if at >= 0 else [],
                safe=True,
            )


def _modules(script: Context) -> list[ShellCommand]:
    """Return the script's calls of `module`."""
    if script.shell.functions & {"module"}:
        return []
    return [command for command in script.shell.commands if command.name == "module"]


def module_verb(script: Context) -> Iterator[Finding]:
    """Yield findings for a `module` with an unknown verb."""
    site = script.cluster.data.get("cluster_module_system")
    verb = script.cluster.data.get("cluster_module_verb", "load")
    for command in _modules(script) if site != "none" else []:
        words = [word for word in command.words[1:] if not word.text.startswith(("-", "+"))]
        if not words or not words[0].fixed or _is_verb(words[0].text):
            continue
        word = words[0]
        if "/" in word.text or word.text in _names(script):
            edits, why = (
                [Edit(word.start, word.start, f"{verb} ")],
                f"`module` needs a subcommand before {word.text}.",
            )
        else:
            near = (
                verb
                if word.text in names.LOADING
                else next(iter(get_close_matches(word.text, sorted(names.VERBS), n=1, cutoff=0.75)), "")
            )
            edits = [Edit(word.start, word.end, near)] if near else []
            usage = f"use `module {near or verb} NAME`"
            why = f"Unknown subcommand `module {word.text}`: {usage}."
        yield script.finding("RK602", command.line, why, edits=edits, safe=True)


def _is_verb(text: str) -> bool:
    """Return whether `module` knows a verb; its first letters will do."""
    return text in names.VERBS or (len(text) > 1 and any(verb.startswith(text) for verb in names.VERBS))


def _names(script: Context) -> set[str]:
    """Return the modules that the profile names, with and without their version."""
    named = [name for names in (script.cluster.data.get("cluster_modules") or {}).values() for name in names]
    return {*named, *(name.partition("/")[0] for name in named)}


def no_modules(script: Context) -> Iterator[Finding]:
    """Yield findings for `module` on a cluster that has none."""
    if script.cluster.data.get("cluster_module_system") != "none" or _looks_for(script, "module"):
        return
    preamble = (script.cluster.data.get("cluster_job_preamble") or [""])[0]
    for command in _modules(script):
        if command.maybe:
            continue
        line = script.line(command.line)
        alone = line.strip() == script.text[command.start : command.words[-1].end]
        start = script.starts[command.line - 1]
        python = re.search(r"python|conda|forge", " ".join(command.arguments))
        edits = [Edit(start, start + len(line), preamble)] if preamble and alone and python else []
        hint = f" For Python, use `{preamble}`." if preamble and python else ""
        yield script.finding("RK603", command.line, f"{script.cluster.name} has no modules.{hint}", edits=edits)


def _looks_for(script: Context, name: str) -> bool:
    """Return whether a script first checks that a command is there."""
    asking = {"command", "type", "hash", "which", "declare"}
    return any(command.name in asking and name in command.arguments for command in script.shell.commands)


def preamble(script: Context) -> Iterator[Finding]:
    """Yield a finding where the script does not read the site's profile before modules or storage variables."""
    if script.cluster.data.get("cluster_module_system", "none") == "none" or script.is_login_shell or not script.asks:
        return
    lines = [line for line in script.cluster.data.get("cluster_job_preamble") or [] if _PROFILE.match(line)]
    commands = script.shell.commands
    if not lines or not commands:
        return
    sourced = [command for command in commands if command.name in {"source", "."} and command.arguments]
    ready = next(
        (command.start for command in sourced if _OTHER_PROFILE.search(command.arguments[0])), len(script.text)
    )
    needing = next((command for command in commands if command.name in {"module", "ml"} and not command.maybe), None)
    needing = None if needing and "module" in script.shell.functions else needing
    if ready < (needing.start if needing else len(script.text)):
        return
    variables = {
        area.variable
        for area in script.cluster.storage
        if area.variable not in {"", "HOME"} and area.scope != "node" and area.site_sets
    }
    used = sorted(variables & script.shell.variables)
    ours = any(command.arguments[0].endswith("/rookery/env.sh") for command in sourced)
    if not needing and not used and (ours or not working_command(script)):
        return
    lack = "modules and the storage variables are missing"
    if needing or used:
        lack = "`module` may be missing" if needing else f"${used[0]} may be empty"
    yield script.finding(
        "RK604",
        needing.line if needing else commands[0].line,
        f"Job scripts on {script.cluster.name} begin with `{lines[0]}`: without it {lack}.",
        severity="error" if needing or used else "warning",
        edits=[script.new_line("\n".join(lines), first=True)],
        safe=True,
    )


def conda(script: Context) -> Iterator[Finding]:
    """Yield findings for `conda activate` in a shell that was not prepared for it."""
    if script.is_login_shell:
        return
    ready = False
    has_conda = bool((script.cluster.data.get("cluster_modules") or {}).get("conda"))
    for command in script.shell.commands:
        arguments = command.arguments
        hook = command.name in {"conda", "mamba", "micromamba"} and any("hook" in argument for argument in arguments)
        profile = command.name in {"source", "."} and arguments and _CONDA_READY.search(arguments[0])
        ready = ready or hook or bool(profile)
        if command.name not in {"conda", "mamba"} or arguments[:1] != ["activate"] or ready:
            continue
        edits = [Edit(command.words[0].start, command.words[1].end, "source activate")]
        yield script.finding(
            "RK605",
            command.line,
            f"`{command.name} activate` fails in a job: it relies on changes to your start-up files, which a job does "
            "not read. Use `source activate`.",
            edits=edits,
            safe=len(arguments) > 1 and has_conda,  # elsewhere it may be where no script finds it
        )


def launcher(script: Context) -> Iterator[Finding]:
    """Yield a finding where several processes are asked for, and nothing starts more than one."""
    launched = {*names.LAUNCHERS, str(script.cluster.data.get("cluster_mpi_launcher", "srun")).split()[0]}
    several = next((part for part in requested(script) if part.tasks > 1 or part.nodes > 1), None)
    first = working_command(script) or next((command for command in script.shell.commands if _says(command)), None)
    if not several or not first or script.shell.variables & names.COUNTED:
        return
    if any(word.text.rpartition("/")[2] in launched for command in script.shell.commands for word in command.words):
        return
    if any(_may_launch(script, command, launched) for command in script.shell.commands):
        return
    at = next(
        command.words[0].start
        for command in script.shell.commands
        if command.line == first.line and command.start == first.start
    )
    yield script.finding(
        "RK606",
        first.line,
        f"The job requests {_several(several.tasks, several.nodes)}, but only one process starts: put srun before the "
        "command that each should run. For one program on several cores, request --cpus-per-task instead.",
        severity="warning",
        edits=[Edit(at, at, "srun ")],
    )


def _says(command: ShellCommand) -> bool:
    return command.name in {"hostname", "echo", "date", "uname", "nproc"}


def _several(tasks: int, nodes: int) -> str:
    return f"{nodes} nodes" if nodes >= tasks else f"{tasks} processes (tasks)"


def _may_launch(script: Context, command: ShellCommand, launched: set[str]) -> bool:
    """Return whether another script that this one runs starts processes, or can't be read."""
    words = effective(command)
    name = words[0].text.rpartition("/")[2]
    if name in {"bash", "sh", "source", ".", "zsh", "ksh"}:
        path = next((word.text for word in words[1:] if not word.text.startswith("-")), "")
    else:
        path = words[0].text
    if not words[0].fixed:
        return True
    if name in {"source", "."} and (path.startswith(("/", "~", "$")) or path.endswith(("activate", "start-pyenv"))):
        return False
    if not path.endswith((".sh", ".bash")):
        return False
    text = script.files(path)
    return text is None or any(re.search(rf"\b{re.escape(program)}\b", text) for program in launched)


def left_running(script: Context) -> Iterator[Finding]:
    """Yield a finding for a last command in the background: the job ends, and it with it."""
    commands = script.shell.commands
    if not commands or not commands[-1].background:
        return
    if any(command.name in {"wait", "fg", "trap"} for command in commands):
        return
    end = len(script.text)
    waits = "wait\n" if script.text.endswith("\n") else "\nwait\n"
    # after a quote or a here-document that is not closed, it would be no command
    understood = read(script.text + waits).commands[-1].name == "wait"
    yield script.finding(
        "RK607",
        commands[-1].line,
        "The last command runs in the background (&), so the job ends at once, and the command with it. Add `wait`.",
        edits=[Edit(end, end, waits)] if understood else [],
        safe=understood,
    )
