"""Programs that can be read whole, down to the packages that they import: only of these is it known what they read."""

import posixpath
import re
from typing import Final

from rookery.jobs.lint.checks.programs import KnownProgram, files_run, module_file, programs
from rookery.jobs.lint.script import names
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.effective import programs_run
from rookery.jobs.lint.script.python_source import source
from rookery.jobs.lint.script.r_source import without_comments
from rookery.jobs.lint.script.tokens import ShellWord

_DIFFERS: Final = re.compile(
    r"uuid|getpid|secrets|temp_?file|lock|queue|claim|sqlite|O_EXCL|rename|environ\b(?!\s*[.\[])|Sys\.getenv\s*\(\s*\)|"
    r"subprocess|os\.system|\bsystem2?\s*\(|popen|strftime|now\(\)|Sys\.time|gethostname"
)
"""What makes runs of one program differ, or shares work out: other programs, process numbers, times, locks."""
_RANDOM: Final = re.compile(
    r"random|\brng\b|\bsample(?:\.int)?\s*\(|"
    r"\br(?:norm|unif|binom|pois|exp|gamma|beta|t|chisq|cauchy|weibull|multinom|mvnorm)\s*\("
)
_SEEDS: Final = re.compile(
    r"\bseed\s*\(\s*\d|set\.seed\s*\(\s*\d|default_rng\s*\(\s*\d|random_state\s*=\s*\d|RandomState\s*\(\s*\d"
)


def same_work(script: Context) -> bool:
    """Return whether all that a script runs can be read, and does the same each time."""
    found = list(programs(script))
    if not found or not all(_is_known(program, script) for program in found):
        return False
    return all(
        _is_harmless(script, words) for command in script.shell.commands for words in programs_run(script, command)
    )


def _is_harmless(script: Context, words: list[ShellWord]) -> bool:
    """Return whether a command only prepares something, or runs programs that were all read."""
    name = words[0].text.rpartition("/")[2]
    if not words[0].fixed or name in script.shell.functions:
        return False
    language, files = files_run(words)
    if not language:
        return name in names.SETTING_UP - {"sbatch"}
    return bool(files) and all(script.named_file(file) for file in files)


def _is_known(program: KnownProgram, script: Context) -> bool:
    """Return whether a program imports only what is known, and does the same each time."""
    text = program.text
    if _DIFFERS.search(text) or (_RANDOM.search(text) and not _SEEDS.search(text)):
        return False
    if program.language == "r":
        code = without_comments(text, strings=True)
        packages = re.findall(r"""\b(?:library|require|requireNamespace)\s*\(\s*["']?([\w.]+)|\b([\w.]+):::?""", code)
        return all((one or other) in names.R_PACKAGES for one, other in packages)
    python = source(text)
    if not python.tree.body:
        return False
    folder = posixpath.dirname(program.path)
    return all(
        module.partition(".")[0] in names.PYTHON_PACKAGES or script.named_file(module_file(module, folder))
        for module in python.modules
    )
