"""RK610: names of modules that the cluster does not have."""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from rookery.clusters.survey import module_list
from rookery.clusters.survey.module_list import ModuleList
from rookery.clusters.survey.module_names import by_purpose as sorted_by_purpose
from rookery.core import local_time
from rookery.jobs.lint.checks.modules import loaded, module_calls, profile_names
from rookery.jobs.lint.finding import Edit, Finding
from rookery.jobs.lint.script.context import Context
from rookery.jobs.lint.script.sourcing import sourced
from rookery.jobs.lint.script.tokens import ShellWord

_LOGIN = re.compile(r"/etc/(?:profile|bashrc)$|/(?:activate|rookery/env\.sh)$")
"""The site's start-up files, which the list was made with, and files that bring no modules."""
_SHOWN = 3
"""How many names are proposed."""


def unknown(script: Context) -> Iterator[Finding]:
    """Yield findings for modules that the cluster does not have.

    The profile names a few modules of the site, so any other name may be right: only one with the same letters and
    digits, or with one wrong letter before the same version, is a finding. Where `clusters.check` has listed all of
    the site's, so is each name that is not among them, up to the first module that is loaded: it may bring others.
    """
    calls = [command for command in module_calls(script, "module", "ml") if not command.maybe]
    if script.cluster.data.get("cluster_module_system") in {None, "none"} or not calls:
        return
    if any(command.arguments[:1] in (["use"], ["restore"], ["r"]) for command in calls):  # modules from elsewhere
        return
    listed = module_list.load(script.cluster)
    loadable = listed.loadable if listed else frozenset()
    known = loadable | profile_names(script)
    certain = bool(listed) and _sees_the_site_s(script)
    for word in (word for command in calls for word in loaded(command)):
        if word.fixed and word.text not in known and not _may_stand_for(word.text, loadable):
            near = _near(word.text, known)
            if near or certain:
                yield _finding(script, word, near, listed if certain else None)
        certain = False  # what is loaded may bring others into view


def _sees_the_site_s(script: Context) -> bool:
    """Return whether the script's modules are those of the site alone, as far as can be told."""
    return "MODULEPATH" not in script.text and all(_LOGIN.search(path) for _, path in sourced(script))


def _finding(script: Context, word: ShellWord, near: str, listed: ModuleList | None) -> Finding:
    """Return the finding for a module that is not there.

    Args:
        script: The script.
        word: The module's name.
        near: The one name that it was meant to be; "" where nobody can say.
        listed: The whole list, where it decides; None where the profile does.
    """
    site = script.cluster.name
    if listed:
        similar = _similar(word.text, listed.names)
        why = f"{site} has no module {word.text}: nothing is loaded, and the script continues."
        why += f" Similar modules: {', '.join(similar)}." if similar else ""
        why += f" (`clusters.check {script.cluster.argument}` made the list {local_time.at(listed.when)}.)"
    else:
        why = f"{site} may have no module {word.text}: its profile names {near}. Upper and lower case differ, and an "
        why += "unknown name loads nothing."
    edits = [Edit(word.start, word.end, near)] if near else []
    return script.finding("RK610", script.line_at(word.start), why, severity="warning", edits=edits)


def _may_stand_for(name: str, everything: Collection[str]) -> bool:
    """Return whether a name that is not listed may be understood: `gcc/12` for gcc/12.2.0, `gcc@12`, `gcc/latest`."""
    return "@" in name or name.endswith(("/default", "/latest")) or any(other.startswith(name) for other in everything)


def _near(name: str, known: Collection[str]) -> str:
    """Return the one known module that a name was plainly meant to be; "" where there is none, or several."""
    base, _, version = name.rpartition("/")
    near = {other for other in known if _alike(other) == _alike(name)}
    if not near and base and re.search(r"\d", version):
        same = {other.rpartition("/")[0]: other for other in known if other.rpartition("/")[2] == version}
        near = {same[other] for other in get_close_matches(base, [other for other in same if other], n=2, cutoff=0.85)}
    return near.pop() if len(near) == 1 else ""


def _alike(name: str) -> str:
    """Return what names have in common that differ in case, or in the marks between words."""
    return re.sub(r"[-_/]", "/", name).lower()


def _similar(name: str, everything: Collection[str]) -> list[str]:
    """Return listed modules that may have been meant: of the same name, of a similar name, or for the same purpose."""
    base = name.partition("/")[0].lower()
    bases: dict[str, list[str]] = {}
    for other in sorted(everything, reverse=True):
        bases.setdefault(other.partition("/")[0].lower(), []).append(other)
    names = [other for alike in get_close_matches(base, bases, n=2, cutoff=0.7) for other in bases[alike]]
    purpose = next(iter(sorted_by_purpose([name])), "")
    names += sorted_by_purpose(everything).get(purpose, []) if purpose else []
    return list(dict.fromkeys(names))[:_SHOWN]
