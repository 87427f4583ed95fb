"""Write each student's files: account requests, a page of instructions, a checklist; a folder a student.

A file that a user has edited, or put there themselves, is never overwritten: what rookery wrote is remembered by its
digest in the state folder. Nothing is written outside the folder that was asked for.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rookery.clusters.config.profile import such_as
from rookery.core import atomic_files, shipped_templates, written_files
from rookery.core.errors import RookeryError
from rookery.support import account_request
from rookery.support.account_request import one_line
from rookery.support.cohort.student import Student
from rookery.support.cohort.wheel import Wheel

if TYPE_CHECKING:
    from rookery.clusters.cluster import Cluster

_ASKED: Final = {
    "password": "your password",
    "key": "nothing, after your key is installed",
    "password+totp": "your password, then the code from your app",
    "key+totp": "the code from your app",
    "password+push": "your password, then your approval on your phone",
    "key+push": "your approval on your phone",
    "interactive": "what the cluster asks of you",
    "key+interactive": "what the cluster asks of you",
    "certificate": "nothing, while your certificate is valid",
    "gssapi": "nothing, while your Kerberos ticket is valid",
}
_VPN: Final = {"always": "Always needs a VPN", "off_campus": "Needs a VPN when you are off campus"}
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~$&])")


@dataclass(frozen=True)
class Written:
    """The result for a file.

    Attributes:
        path: It.
        state: made, changed, present (it was so already), or kept (a user's own is there).
    """

    path: Path
    state: str


def write(
    folder: Path, students: Sequence[Student], clusters: Mapping[str, "Cluster"], wheel: Wheel, *, check: bool = False
) -> list[Written]:
    """Write everything for all students.

    Args:
        folder: Where to; each student gets a folder in it.
        students: They.
        clusters: The profiles of all clusters that they name.
        wheel: What they install rookery from.
        check: Only say what would be written.

    Raises:
        RookeryError: The folder is a file, or can't be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise RookeryError(f"{folder} is not a folder.", hint="run the command again with another folder for --output")
    return [
        _put(folder / student.slug / name, text, check=check)
        for student in students
        for name, text in texts(student, clusters, wheel)
    ]


def texts(student: Student, clusters: Mapping[str, "Cluster"], wheel: Wheel) -> Iterator[tuple[str, str]]:
    """Yield the name and content of each file of one student."""
    mails = {name: mail(student, clusters[name]) for name in student.clusters}
    for name, message in mails.items():
        yield f"request-{name}.txt", message.text
    variables = {
        "student": student,
        "clusters": [_cluster_variables(student, clusters[name], mails[name].to) for name in student.clusters],
        "titles": _listed(short(clusters[name]) for name in student.clusters),
        "wheel": wheel.name,
        "wheel_digest": wheel.digest,
        "report": f"{student.slug}.txt",
        "doctor": doctor(student),
    }
    for name in ("instructions.md", "checklist.md"):
        yield name, _render(name, variables)


def mail(student: Student, cluster: "Cluster") -> account_request.Mail:
    """Return the student's account request."""
    return account_request.mail(
        cluster, name=student.name, email=student.email, user=student.user, supervisor=student.supervisor
    )


def onboard(student: Student, cluster: "Cluster") -> str:
    """Return the one command that gets the student started on a cluster, for a shell."""
    command = ["rookery", "onboard", cluster.name]
    is_charged = (cluster.data.get("cluster_account") or {}).get("required")
    flags = {"user": student.user, "account": student.account if is_charged else ""}
    flags |= {"name": student.name, "email": student.email}
    flags |= {"project": student.project, "language": student.language}
    for flag, value in flags.items():
        if value:
            command += [f"--{flag}", one_line(value)]
    return shlex.join(command)


def doctor(student: Student) -> str:
    """Return the command that writes the student's report, for a shell."""
    return shlex.join(["rookery", "doctor", *student.clusters, "--report", f"{student.slug}.txt"])


def _cluster_variables(student: Student, cluster: "Cluster", to: str) -> dict[str, Any]:
    """Return a page's variables for one cluster, all of them from the profile."""
    access = cluster.data.get("cluster_access", {})
    return {
        "name": cluster.name,
        "title": cluster.title,
        "short": short(cluster),
        "to": to,
        "how": access.get("how") or f"Ask {to}.",
        "url": access.get("url", ""),
        "onboard": onboard(student, cluster),
        "hints": list(_hints(cluster)),
    }


def _hints(cluster: "Cluster") -> Iterator[str]:
    """Yield hints for a student before the first login to a cluster."""
    data, doubtful = cluster.data, set(cluster.data.get("cluster_unverified", []))
    vpn = data.get("cluster_vpn", {})
    if vpn.get("needed") in _VPN:
        named = [vpn[key] for key in ("name", "url") if vpn.get(key)]
        unsure = " (not verified)" if "cluster_vpn" in doubtful else ""
        yield _VPN[vpn["needed"]] + (f": {', '.join(named)}" if named else "") + unsure + "."
    if logins := data.get("cluster_logins"):
        unsure = " (not verified)" if "cluster_logins" in doubtful else ""
        yield f"The first login asks for {_ASKED[logins[0]]}{unsure}."
    if (known := data.get("cluster_account") or {}).get("required"):
        yield f"Your jobs are charged to an account{such_as(known)}: rookery asks for its name."
    if user := data.get("cluster_user_hint"):
        yield f"Usernames look like {user}."
    if url := data.get("cluster_docs_url"):
        yield f"Documentation of the cluster: {url}"


def short(cluster: "Cluster") -> str:
    """Return the usual short name of a cluster, without the place it belongs to."""
    return cluster.title.partition(" (")[0]


def _listed(titles: Iterable[str]) -> str:
    *most, last = list(titles)
    return f"{', '.join(most)} and {last}" if most else last


def _render(name: str, variables: Mapping[str, Any]) -> str:
    jinja = shipped_templates.environment("cohort")  # this is Markdown, which `md` escapes for
    jinja.filters["md"] = markdown
    return jinja.get_template(f"{name}.j2").render(variables)


def markdown(text: object) -> str:
    """Return a text as Markdown that shows it, on one line; a web address stays one."""
    words = one_line(text).split(" ")
    return " ".join(
        word if re.fullmatch(r"https?://[\w./~:?=%-]+", word) else _MARKUP.sub(r"\\\1", word) for word in words
    )


def _put(path: Path, text: str, *, check: bool) -> Written:
    """Write one file, unless a user has edited it."""
    if path.parent.is_symlink() or path.is_symlink() or (path.exists() and not path.is_file()):
        return Written(path, "kept")
    before = path.read_bytes() if path.exists() else None
    if before == text.encode():
        state = "present"
    elif before is None or written_files.is_unchanged("cohort", path):
        state = "made" if before is None else "changed"
    else:
        return Written(path, "kept")
    if check:
        return Written(path, state)
    if state != "present":
        atomic_files.write(path, text)
    written_files.remember("cohort", path)
    return Written(path, state)
