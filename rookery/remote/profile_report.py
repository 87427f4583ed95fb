"""Run in a job behind a profiler: turn what the profiler of a Python program wrote into a table, top.tsv.

Each row is a function, or a line: seconds in it alone, seconds with all that it calls, calls, place, name or code. The
program's own Python reads the files, which are in forms of its version.
"""

import json
import os
import pstats
import re
import sys
from typing import Any, Dict, Iterator, List, Tuple

Row = Tuple[float, float, int, str, str]

MOST = 200
"""Rows that are kept."""

RATE = 100.0
"""Samples a second that py-spy takes."""


def of_cprofile(path: str) -> Iterator[Row]:
    """Yield the functions in a file of cProfile's."""
    statistics: Any = pstats.Stats(path)
    for (file, line, name), (_, calls, own, total, _) in statistics.stats.items():
        yield own, total, calls, place(file, line), name


def of_py_spy(path: str) -> Iterator[Row]:
    """Yield the lines in a file of py-spy's: the frames of each sample from outside in, and how often it was seen."""
    own: Dict[str, float] = {}
    total: Dict[str, float] = {}
    with open(path, encoding="utf-8", errors="replace") as stream:
        for text in stream:
            stack, _, count = text.rstrip("\n").rpartition(" ")
            frames = [frame for frame in stack.split(";") if frame.endswith(")") and ":" in frame]
            if not frames or not count.isdigit():
                continue
            own[frames[-1]] = own.get(frames[-1], 0) + int(count) / RATE
            for frame in set(frames):
                total[frame] = total.get(frame, 0) + int(count) / RATE
    for frame, seconds in total.items():
        name, _, where = frame.rpartition(" (")
        file, _, line = where.rstrip(")").rpartition(":")
        yield own.get(frame, 0), seconds, 0, place(file, line), code(file, line) or name


def of_pyinstrument(path: str) -> Iterator[Row]:
    """Yield the functions in a session of pyinstrument's."""
    from pyinstrument.session import Session  # type: ignore[import-not-found]

    found: Dict[Tuple[str, str], List[float]] = {}

    def add(frame: Any, above: Tuple[Tuple[str, str], ...]) -> None:
        children = [child for child in frame.children if child.function != "[self]"]
        key = (place(frame.file_path or "", frame.line_no or 0), frame.function)
        entry = found.setdefault(key, [0, 0])
        entry[0] += frame.time - sum(child.time for child in children)
        entry[1] += 0 if key in above else frame.time
        for child in children:
            add(child, (*above, key))

    root = Session.load(path).root_frame()
    if root is not None:
        sys.setrecursionlimit(100000)
        add(root, ())
    for (where, name), (own, total) in found.items():
        yield own, total, 0, where, name


def of_scalene(path: str) -> Iterator[Row]:
    """Yield the lines in a profile of scalene's."""
    with open(path, encoding="utf-8") as stream:
        document = json.load(stream)
    for file, known in document["files"].items():
        for line in known["lines"]:
            parts = ("n_cpu_percent_python", "n_cpu_percent_c", "n_sys_percent")
            seconds = sum(line[part] for part in parts) / 100 * document["elapsed_time_sec"]
            if seconds > 0:
                text = code(file, str(line["lineno"])) or line["line"].strip()  # which it escapes for HTML
                yield seconds, seconds, 0, place(file, line["lineno"]), text


READERS = {".prof": of_cprofile, ".raw": of_py_spy, ".pyisession": of_pyinstrument, ".json": of_scalene}
"""What reads a file, by its ending."""


def place(file: str, line: object) -> str:
    """Return where something is: file and line, from this folder or Python's own on where the file is in it."""
    if not file or file.startswith(("<", "~")):
        return "built-in" if str(line) in ("0", "") else "%s:%s" % (file, line)
    here = os.getcwd() + os.sep
    for start in (here, os.path.realpath(here) + os.sep):
        if file.startswith(start):
            file = file[len(start) :]
    parts = re.split(r"/lib/python3\.\d+/(?:site-packages/)?|/site-packages/", file.replace("\\", "/"))
    return "%s:%s" % (parts[-1], line)


def code(file: str, line: str) -> str:
    """Return the code of a line, where its file is here."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read().split("\n")[int(line) - 1].strip()
    except (OSError, ValueError, IndexError):
        return ""


def pages(folder: str) -> None:
    """Write the pages that pyinstrument makes of its sessions."""
    for name in os.listdir(folder):
        if name.endswith(".pyisession"):
            from pyinstrument.renderers import HTMLRenderer  # type: ignore[import-not-found]
            from pyinstrument.session import Session

            session = Session.load(os.path.join(folder, name))
            with open(os.path.join(folder, name[: -len(".pyisession")] + ".html"), "w", encoding="utf-8") as stream:
                stream.write(HTMLRenderer().render(session))


def main(folder: str) -> None:
    """Write top.tsv for what is in a folder.

    Args:
        folder: The folder that the profiler wrote into.
    """
    rows: List[Row] = []
    for name in sorted(os.listdir(folder)):
        reader = READERS.get(os.path.splitext(name)[1])
        if reader:
            rows.extend(reader(os.path.join(folder, name)))
    rows.sort(key=lambda row: row[:2], reverse=True)
    whole = sum(row[0] for row in rows)
    with open(os.path.join(folder, "top.tsv"), "w", encoding="utf-8") as stream:
        stream.write("%.6f\n" % whole)
        for own, total, calls, where, name in rows[:MOST]:
            stream.write("%.6f\t%.6f\t%d\t%s\t%s\n" % (own, total, calls, flat(where), flat(name)))
    pages(folder)


def flat(text: str) -> str:
    """Return a text as a cell."""
    return " ".join(text.split())[:300]


if __name__ == "__main__":
    main(sys.argv[1])
