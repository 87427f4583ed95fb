"""Check what the schema of rookery.yml can't: folders, names of clusters and jobs, and keys that must agree.

A value that the schema refused is None here, and nothing is concluded from it.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from rookery.core.file_problems import Complaint
from rookery.core.near_names import meant
from rookery.core.places import Place, written
from rookery.core.yaml_document import Document
from rookery.projects import job_settings, run_folders
from rookery.projects.job_settings import listed
from rookery.remote.data import data_names

_TAKEN: Final = (".git", ".rookery", "slurm", "runs", ".venv", ".conda", ".rlibrary", "rookery.yml")
"""Names in a project's root that are no path for inputs or outputs."""


def complaints(document: Document) -> Iterator[Complaint]:
    """Yield what is wrong in a rookery.yml as `config_schema.check` returns it."""
    outputs = document.data.get("outputs")
    yield from _bad_paths("output", _places("outputs", outputs), [])
    taken = [PurePosixPath(run_folders.folder(path) or path) for path in listed(outputs)]
    yield from _bad_paths("input", _places("inputs", document.data.get("inputs")), taken)
    yield from _bad_versions(document.data.get("inputs"))
    jobs = document.data.get("jobs") or {}
    clusters = listed(document.data.get("clusters"))
    all_known = bool(clusters) and None not in list(document.data["clusters"])
    for name, settings in jobs.items():
        if settings is None:
            continue
        if all_known:
            yield from _unknown_clusters(("jobs", name), settings, clusters)
        yield from _unknown_jobs(name, settings, jobs)
        for cluster in [known for known in clusters if job_settings.is_for(settings, known)] or [""]:
            yield from job_complaints(document, name, cluster)


def job_complaints(document: Document, name: str, cluster_name: str) -> Iterator[Complaint]:
    """Yield what can't go together in a job's settings for a cluster.

    Args:
        document: The rookery.yml.
        name: The job.
        cluster_name: The cluster; "" for the settings that hold for all.
    """
    place: Place = ("jobs", name)
    written_down = document.data["jobs"][name]
    settings = job_settings.merged(written_down, cluster_name)
    if "command" not in settings and "script" not in settings:
        is_elsewhere = any("command" in (inner or {}) for inner in (written_down.get("clusters") or {}).values())
        where = f" for {cluster_name}" if is_elsewhere and cluster_name else ""
        text = f"missing key `command`{where} (what the job runs), or `script` (a job script of the project)"
        yield Complaint((*place, "command"), text, usable=True)
    for complaint in job_settings.clashes(settings, place):
        yield complaint._replace(place=override(document, complaint.place, cluster_name))


def override(document: Document, place: Place, cluster_name: str) -> Place:
    """Return the place of a job's setting where a cluster has one of its own, otherwise the place itself.

    Args:
        document: The rookery.yml.
        place: A place in a job, or the job's own.
        cluster_name: The cluster; "" for none.
    """
    own = (*place[:2], "clusters", cluster_name, *place[2:])
    return own if len(place) > 2 and own[:5] in document.lines else place


def _places(key: str, value: Any) -> list[tuple[Place, str]]:
    """Return the paths under a key, each with its place: a list, a mapping, or one alone."""
    if isinstance(value, str):
        return [((key,), value)]
    named = [(path, path) for path in value] if isinstance(value, Mapping) else list(enumerate(value or ()))
    return [((key, spot), path) for spot, path in named if path is not None]


def _bad_paths(what: str, named: list[tuple[Place, str]], others: list[PurePosixPath]) -> Iterator[Complaint]:
    """Yield paths that are no plain ones in the project, are rookery's or git's, or lie within one another.

    Args:
        what: What they are for: input or output.
        named: The paths, each with its place.
        others: Paths that they may not lie within either, of the other kind.
    """
    paths: list[PurePosixPath] = []
    for place, text in named:
        path = PurePosixPath(text)
        wrong = bad_input(text) if what == "input" else _bad_path(text, path, "folder") or _bad_run(text, path)
        if not wrong and (clash := [other for other in paths if _clash(path, other)]):
            wrong = f"can't be used with {written(str(clash[0]))}: name only the outer folder"
        elif not wrong and (clash := [other for other in others if overlap(path, other)]):
            wrong = f"can't be used with the output {written(str(clash[0]))}: keep input and output apart"
        if wrong:
            yield Complaint(place, f"{what} {written(text)} {wrong}", usable=True)
        else:
            paths.append(path)


def bad_input(text: str) -> str:
    """Return what is wrong with a path for input data; "" where nothing is."""
    path = PurePosixPath(text)
    if wrong := _bad_path(text, path, "path"):
        return wrong
    return "is too long a path" if len(data_names.folder(str(path))) > data_names.LONGEST else ""


def _bad_versions(inputs: Any) -> Iterator[Complaint]:
    """Yield versions of inputs that YAML reads as numbers, and that are too short for a digest."""
    for path, version in inputs.items() if isinstance(inputs, Mapping) else ():
        if isinstance(version, int) and len(str(version)) < 12:
            yield Complaint(("inputs", path), f"{version} must be 12 to 64 digits of a digest, or latest", usable=True)


def _bad_path(text: str, path: PurePosixPath, kind: str) -> str:
    """Return what is wrong with a path for inputs or outputs; "" where nothing is."""
    if path.is_absolute() or text.startswith("~"):
        return "must be relative to the project's folder, not an absolute path"
    if ".." in path.parts or not path.parts:
        return f"must be a {kind} inside the project"
    if path.parts[0] in _TAKEN:
        return f"can't be in {path.parts[0]}, which rookery or git uses"
    if not text.isprintable() or any(part.startswith("-") for part in path.parts):
        return "must be a name without line breaks that does not begin with -"
    return ""


def _bad_run(text: str, path: PurePosixPath) -> str:
    """Return what is wrong with how the path of a folder for outputs names the run; "" where nothing is."""
    if set("{}") & set(text.replace(run_folders.RUN, "", 1)):
        return "can have {run} in it, once, for the number of the run, and no other braces"
    return "needs a folder before that of the run, such as results/{run}" if run_folders.RUN in path.parts[0] else ""


def _clash(path: PurePosixPath, other: PurePosixPath) -> bool:
    """Return whether two outputs can't be used together: they, or the folders that they are linked by, overlap.

    Several folders of a run may be in one folder: results/{run}/tables and results/{run}/figures.
    """
    linked, other_linked = (PurePosixPath(run_folders.folder(str(each))) for each in (path, other))
    are_of_a_run = path != linked == other_linked != other
    return overlap(path, other) or (overlap(linked, other_linked) and not are_of_a_run)


def overlap(path: PurePosixPath | str, other: PurePosixPath | str) -> bool:
    """Return whether two paths are one, or one of them is inside the other."""
    path, other = PurePosixPath(path), PurePosixPath(other)
    return path.is_relative_to(other) or other.is_relative_to(path)


def _unknown_clusters(place: Place, settings: Mapping[str, Any], clusters: tuple[str, ...]) -> Iterator[Complaint]:
    """Yield clusters under a job's `only` and `clusters` that the project does not have, and keys of no use there."""
    overrides = settings.get("clusters") or {}
    named = [((*place, "only"), cluster) for cluster in listed(settings.get("only"))]
    named += [((*place, "clusters", cluster), cluster) for cluster in overrides]
    for spot, cluster in named:
        if cluster not in clusters:
            advice = meant(cluster, clusters) or f" ({', '.join(clusters)})"
            text = f"{written(cluster)} is not one of the project's clusters{advice}"
            yield Complaint(spot, text, usable=True)


def _unknown_jobs(name: str, settings: Mapping[str, Any], jobs: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield jobs under `after` that there are not, and keys that only the job itself can have."""
    for cluster, inner in (settings.get("clusters") or {}).items():
        for key in ("clusters", "only"):
            if key in (inner or {}):
                text = f"`{key}` can only be used in the job itself, not under `clusters`"
                yield Complaint(("jobs", name, "clusters", cluster, key), text, usable=True)
    for other in listed(settings.get("after")):
        if other == name:
            yield Complaint(("jobs", name, "after"), f"job `{name}` can't start after itself", usable=True)
        elif other not in jobs:
            text = f"unknown job {written(other)}{meant(other, jobs)}"
            yield Complaint(("jobs", name, "after"), text, usable=True)
