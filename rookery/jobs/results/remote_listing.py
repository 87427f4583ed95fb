"""List a project's outputs on a cluster, and stream the files that are wanted.

Two commands however many files there are. Their output is not trusted: names are taken as bytes that may be anything,
and a stream may bring what nobody asked for.
"""

import gzip
import os
import re
import subprocess
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rookery.clusters.ssh.remote_command import INPUT_LOST, greeting, marked, new_mark, remote_command
from rookery.core.errors import RookeryError
from rookery.jobs.results import archive
from rookery.jobs.results.archive import File
from rookery.projects import run_folders

if TYPE_CHECKING:
    from rookery.clusters.ssh.connection import Connection

NOT_DEPLOYED = 97
"""Exit status of _LIST where the project is not there."""

# Positional parameters: the project's folder there, a job's number or "", the folders below it that are listed.
# Prints records that end with NUL: "times SUBMIT END" (seconds since 1970, "Unknown" for what has not ended),
# "missing FOLDER", and "KIND SIZE MTIME PATH" (find's %y %s %T@ %p) for each file and link.
_LIST = r"""
cd -- "$1" 2>/dev/null && [ -d current/ ] || exit 97
job=$2
shift 2
if [ -n "$job" ]; then
    told=$(SLURM_TIME_FORMAT=%s sacct -X -n -P -j "$job" -o Submit,End 2>&1 |
        awk -F'|' '/storage is disabled/ { off = 1 }
                   $1 ~ /^[0-9]+$/ { if (!first || $1 < first) first = $1
                                     if ($2 !~ /^[0-9]+$/) going = 1; else if ($2 > last) last = $2 }
                   END { if (off) print "off"; else if (first) print first, going ? "Unknown" : last }')
    case $told in off) printf 'no-accounts\0' ;; ?*) printf 'times %s\0' "$told" ;; esac
fi
[ -d runs ] && find runs runs/facts -maxdepth 1 -name '*.json' -type f -printf '%y %s %T@ %p\0' 2>/dev/null
for folder; do
    if [ -d "$folder/" ]; then
        find "$folder/" \( -type f -o -type l \) -printf '%y %s %T@ %p\0' 2>/dev/null
    else
        printf 'missing %s\0' "$folder"
    fi
done
exit 0
"""

# Positional parameter: the project's folder there. The names come on standard input, with NUL behind each.
# An archive for every thousand files, each compressed by itself: gzip gives out nothing before it has a quarter of a
# MB, and so the first are written here while the next are read there. tar would read a \ in a name in a way of its own.
_SEND = r"""
cd -- "$1" || exit 97
exec xargs -0 -n 1000 sh -c '
tar --create --file=- --format=gnu --hard-dereference --no-recursion --no-unquote -- "$@" | gzip -1' send
"""

# A file or link, or, as the last group, a record of any other form.
_RECORD = re.compile(r"([fl]) ([0-9]{1,18}) (-?[0-9]{1,40})\.?([0-9]{0,40}) ([^\0]+)|([^\0]+)")
_TIMES = re.compile(r"times ([0-9]{1,11}) ([0-9]{1,11}|Unknown)")
_EARLIEST, _LATEST = -(2**31) * 10**9, 15 * 10**18
"""Nanoseconds since 1970 that ext4 and most others keep; other times become the nearest of these."""


@dataclass(frozen=True)
class RemoteListing:
    """The files of a project's outputs on a cluster.

    Attributes:
        files: Files of the outputs and records of runs.
        links: Symbolic links in the outputs, which are not followed.
        missing: Outputs that the current release does not have.
        gone: Outputs of an earlier release that is not there any more.
        submitted: When the job that was asked about was submitted, in seconds since 1970; None where unknown.
        ended: When it ended; None where unknown, or where it has not.
        keeps_accounts: Whether Slurm there could tell these times at all.
    """

    files: tuple[File, ...]
    links: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    submitted: int | None = None
    ended: int | None = None
    keeps_accounts: bool = True


def folders(outputs: Iterable[str], current: Collection[str], release: str) -> list[str]:
    """Return where outputs are, below the project's folder there.

    Args:
        outputs: The outputs.
        current: Those that rookery.yml names, which the current release has.
        release: Path of the release that has the others: that of a run.
    """
    of_run = f"releases/{PurePosixPath(release).name}"
    return [f"{'current' if output in current else of_run}/{output}" for output in outputs]


def listing(connection: "Connection", base: str, folders: Sequence[str], job: str = "") -> RemoteListing | None:
    """Return the files of a project's outputs, in one round trip.

    Args:
        connection: The cluster's, open.
        base: The project's folder there.
        folders: Where outputs are below it (`folders`).
        job: A job whose times are wanted.

    Returns:
        None where the project is not deployed there.

    Raises:
        RookeryError: The cluster can't be reached, or the answer can't be had.
    """
    done = connection.run([base, job, *folders], script=_LIST, check=False)
    if done.exit == NOT_DEPLOYED:
        return None
    if not done.ok:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.exit}"])[-1]
        raise RookeryError(f"Can't list the outputs on {connection.cluster.name}: {last}")
    return read(done.stdout)


def read(text: str) -> RemoteListing:
    """Return the listing that _LIST printed; records of any other form are skipped."""
    files: list[File] = []
    links: list[str] = []
    missing: list[str] = []
    gone: list[str] = []
    submitted = ended = None
    keeps_accounts = True
    for kind, bytes_, seconds, fraction, there, other in _RECORD.findall(text):
        if kind:
            path = in_project(there).replace("//", "/")
            if kind == "l":
                links.append(path)
            else:
                mtime = int(seconds) * 10**9 + int(fraction[:9].ljust(9, "0"))
                if not _EARLIEST <= mtime <= _LATEST:
                    mtime = _EARLIEST if mtime < 0 else _LATEST
                files.append(File(path, there, int(bytes_), mtime))
        elif other.startswith("missing current/"):
            missing.append(in_project(other[8:]))
        elif other.startswith("missing "):
            gone.append(in_project(other[8:]))
        elif times := _TIMES.fullmatch(other):
            submitted, ended = int(times[1]), None if times[2] == "Unknown" else int(times[2])
        elif other == "no-accounts":
            keeps_accounts = False
    return RemoteListing(tuple(files), tuple(links), tuple(missing), tuple(gone), submitted, ended, keeps_accounts)


def in_project(path: str) -> str:
    """Return the path in the project of a file below a release."""
    if path.startswith("current/"):
        return path[8:]
    return path.split("/", 2)[-1] if path.startswith("releases/") else path


def of_job(listing: RemoteListing, job: str, completes: str = "", folders_of_runs: Sequence[str] = ()) -> list[File]:
    """Return the files that a job wrote.

    Its record, those in the folders of its run, files with its number in their path, and files written while it ran;
    none in the folders of another run.

    "While it was there" is from its submission to its end, as accounting tells both; a second or two more, since a file
    server's clock is not Slurm's.

    Args:
        listing: What there is.
        job: The job's number.
        completes: The number of the run that it completes, where it does failed tasks of one again.
        folders_of_runs: Outputs with {run} in them.
    """
    number = re.compile(rf"(?<!\d){re.escape(job)}(?!\d)")
    first = None if listing.submitted is None else (listing.submitted - 2) * 10**9
    last = None if listing.ended is None else (listing.ended + 10) * 10**9
    chosen = []
    for file in listing.files:
        if run := run_folders.run_of(file.path, folders_of_runs):
            if run == (completes or job):
                chosen.append(file)
            continue
        during = first is not None and file.mtime >= first and (last is None or file.mtime <= last)
        if file.path.startswith("runs/"):
            during = False
        if during or number.search(file.path):
            chosen.append(file)
    return chosen


def allowance(wanted: Iterable[File]) -> int:
    """Return the bytes that a stream of files may have: their sizes, tar's headers, and room for growth."""
    sizes = [file.size for file in wanted]
    return sum(sizes) * 11 // 10 + (8 << 10) * len(sizes) + (64 << 20)


@contextmanager
def sent(
    connection: "Connection", base: str, wanted: Iterable[File]
) -> Iterator[Iterator[tuple[File, Iterator[bytes]]]]:
    """Yield files as they come, in one stream: each with its content, to be read before the next is asked for.

    What was not asked for is passed over; a file that has gone meanwhile does not come. Files may have grown since they
    were listed, but the stream is stopped where all together are far larger than was announced.

    Args:
        connection: The cluster's, open.
        base: The project's folder there.
        wanted: The files.

    Raises:
        RookeryError: The connection broke off, or more came than was announced; what came before has come whole.
    """
    import tempfile  # noqa: PLC0415 start-up

    by_name = {file.there: file for file in wanted}
    mark = new_mark()
    command = connection.command(remote_command(marked(_SEND, mark), [base], stdin=mark))
    with tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as stderr:
        names.write(greeting(mark))
        names.write(b"".join(os.fsencode(name) + b"\0" for name in by_name))
        names.seek(0)
        process = subprocess.Popen(command, stdin=names, stdout=subprocess.PIPE, stderr=stderr)
        try:
            assert process.stdout is not None  # noqa: S101 it is a pipe
            yield archive.members(process.stdout, mark, by_name, allowance(by_name.values()))
            process.stdout.read()
            code = process.wait()
        except archive.LargerError:
            raise RookeryError(
                f"Stopped: {connection.cluster.name} sent much more than the files that it listed."
            ) from None
        except (EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
            process.kill()
            code = process.wait()
            stderr.seek(0)
            if str(error) == INPUT_LOST:
                raise connection.failure(code, "", INPUT_LOST) from None
            raise _cut_off(connection, code, stderr.read(), error) from error
        finally:
            process.kill()
            process.wait()
    if code not in {0, -9}:
        raise _cut_off(connection, code, b"", None)


def _cut_off(connection: "Connection", code: int, stderr: bytes, error: Exception | None) -> RookeryError:
    last = (stderr.decode(errors="replace").strip().splitlines() or [str(error or f"exit status {code}")])[-1]
    return RookeryError(f"Lost the connection to {connection.cluster.name} while fetching files ({last}).")
